"""Feed-forward layer: what each token works out by itself, between two attentions."""

import numpy as np

from minillm.kernels import activation as kernels
from minillm.layers.linear import linear_backward, linear_forward, linear_init


def feed_forward_init(rng, config, shrink):
    """Up to F channels and back down; SwiGLU has a gate beside the way up."""
    C, F = config.width, config.hidden
    std = 1 / np.sqrt(C)
    params = {"up": linear_init(rng, C, F, config.bias, std),
              "down": linear_init(rng, F, C, config.bias, shrink / np.sqrt(F))}
    if config.activation == "swiglu":
        params = {"gate": linear_init(rng, C, F, config.bias, std), **params}
    return params


def feed_forward_forward(x, params, residual=None):
    """Widen, bend, narrow, and add the residual if there is one.

        GELU    y = W_down gelu(W_up x)
        SwiGLU  y = W_down (silu(W_gate x) * W_up x),     silu(z) = z sigmoid(z)

    Shapes:  x (B, T, C), residual (B, T, C) or None -> y (B, T, C), through (B, T, F)
    Source:  Hendrycks & Gimpel 2016, arXiv:1606.08415; Shazeer 2020, arXiv:2002.05202, eq. 6.
    """
    up, up_cache = linear_forward(x, params["up"])          # (B, T, F)
    flat = up.reshape(-1, up.shape[-1])
    if "gate" in params:
        gate, gate_cache = linear_forward(x, params["gate"])
        gate = gate.reshape(flat.shape)
        hidden = kernels.swiglu_forward(gate, flat)
    else:
        gate = gate_cache = None
        hidden = kernels.gelu_forward(flat)
    y, down_cache = linear_forward(hidden.reshape(up.shape), params["down"], residual)
    return y, (gate, flat, gate_cache, up_cache, down_cache)


def feed_forward_backward(dy, cache):
    """feed_forward_forward in reverse.  Shapes:  dy (B, T, C) -> dx (B, T, C), gradients of the projections"""
    gate, up, gate_cache, up_cache, down_cache = cache
    dhidden, d_down = linear_backward(dy, down_cache)
    dhidden = dhidden.reshape(up.shape)
    if gate is None:
        dup = kernels.gelu_backward(dhidden, up)
        dx, d_up = linear_backward(dup.reshape(*dy.shape[:-1], -1), up_cache)
        return dx, {"up": d_up, "down": d_down}
    dgate, dup = kernels.swiglu_backward(dhidden, gate, up)
    dx, d_gate = linear_backward(dgate.reshape(*dy.shape[:-1], -1), gate_cache)
    dx, d_up = linear_backward(dup.reshape(*dy.shape[:-1], -1), up_cache, into=dx)
    return dx, {"gate": d_gate, "up": d_up, "down": d_down}
