"""Feed-forward layer, token by token: SwiGLU (the default) has three matrices, GELU has two."""

from typing import NamedTuple

import numpy as np

from minillm.kernels import activation as kernels
from minillm.kernels.bfloat16 import as_factor
from minillm.layers.linear import LinearCache, linear_backward, linear_forward, linear_init
from minillm.tree import brief


class FeedForwardCache(NamedTuple):
    """What feed_forward_backward needs, of N tokens: all B T, or those whose output is read."""
    gate: np.ndarray        # (N, F) before the activation; None with GELU
    up: np.ndarray          # (N, F)
    gate_layer: LinearCache
    up_layer: LinearCache
    down_layer: LinearCache

    __repr__ = brief


def feed_forward_init(rng, config, shrink):
    """Projections up from C to F channels and back down; SwiGLU has a second one up, the gate.

    shrink: factor of the down projection's standard deviation, because its output is added to the
    residual stream.
    """
    C, F = config.width, config.hidden
    std = 1 / np.sqrt(C)
    params = {"up": linear_init(rng, C, F, config.bias, std),
              "down": linear_init(rng, F, C, config.bias, shrink / np.sqrt(F))}
    if config.activation == "swiglu":
        params = {"gate": linear_init(rng, C, F, config.bias, std), **params}
    return params


def feed_forward_forward(x, params, residual=None, precision="float32"):
    """Widen to F channels, apply the activation, narrow to C channels, add the residual.

        GELU    y = W_down gelu(W_up x) + residual
        SwiGLU  y = W_down (silu(W_gate x) * W_up x) + residual,     silu(z) = z sigmoid(z)

    precision: of the factors of the three products.
    Shapes:  x (B, T, C) or (N, C), residual as x or None -> y as x, through (B, T, F) or (N, F)
    Source:  Hendrycks & Gimpel 2016, arXiv:1606.08415; Shazeer 2020, arXiv:2002.05202, eq. 6.
    """
    x = as_factor(x, precision)     # gate and up read it: it is rounded once
    up, up_layer = linear_forward(x, params["up"])          # (B, T, F), or (N, F)
    flat = up.reshape(-1, up.shape[-1])                     # (N, F)
    if "gate" in params:
        gate, gate_layer = linear_forward(x, params["gate"])
        gate = gate.reshape(flat.shape)
        hidden = kernels.swiglu_forward(gate, flat)
    else:
        gate = gate_layer = None
        hidden = kernels.gelu_forward(flat)
    hidden = as_factor(hidden.reshape(up.shape), precision)
    y, down_layer = linear_forward(hidden, params["down"], residual)
    return y, FeedForwardCache(gate, flat, gate_layer, up_layer, down_layer)


def feed_forward_backward(dy, cache):
    """feed_forward_forward in reverse.

    Shapes:  dy as y -> dx as x, gradients of the projections
    """
    gate, up, gate_layer, up_layer, down_layer = cache
    dhidden, d_down = linear_backward(dy, down_layer)
    dhidden = dhidden.reshape(up.shape)                     # (N, F)
    if gate is None:
        dup = kernels.gelu_backward(dhidden, up)
        dx, d_up = linear_backward(dup.reshape(*dy.shape[:-1], -1), up_layer)
        return dx, {"up": d_up, "down": d_down}
    dgate, dup = kernels.swiglu_backward(dhidden, gate, up)
    dx, d_gate = linear_backward(dgate.reshape(*dy.shape[:-1], -1), gate_layer)
    dx, d_up = linear_backward(dup.reshape(*dy.shape[:-1], -1), up_layer, into=dx)
    return dx, {"gate": d_gate, "up": d_up, "down": d_down}
