"""RMSNorm and LayerNorm: bring every token's vector to the same scale."""

from typing import NamedTuple

import numpy as np

from minillm.kernels import norm as kernels
from minillm.tree import brief


class NormCache(NamedTuple):
    """What norm_backward needs."""
    x: np.ndarray           # (N, C), the leading axes flattened
    params: dict
    statistics: tuple       # RMSNorm: (inv_rms,); LayerNorm: (mean, inv_std); each (N,)
    shape: tuple            # of x before flattening

    __repr__ = brief


def norm_init(width, kind, bias):
    """Gain one, bias zero (only LayerNorm has a bias).  Shapes:  gain (C,), bias (C,)"""
    params = {"gain": np.ones(width, np.float32)}
    if bias and kind == "layernorm":
        params["bias"] = np.zeros(width, np.float32)
    return params


def norm_forward(x, params, kind, eps):
    """Normalize each token, then scale by a learned gain.

        RMSNorm    y = gain * x / sqrt(mean_C(x^2) + eps)
        LayerNorm  y = gain * (x - mean_C(x)) / sqrt(var_C(x) + eps) + bias

    Shapes:  x (..., C), gain (C,), bias (C,) or absent -> y (..., C)
    Source:  Zhang & Sennrich 2019, arXiv:1910.07467, eq. 4; Ba et al. 2016, arXiv:1607.06450,
             eq. 4.
    """
    flat = x.reshape(-1, x.shape[-1])                       # (N, C)
    gain = params["gain"]
    if kind == "rmsnorm":
        y, *statistics = kernels.rmsnorm_forward(flat, gain, eps)
    else:
        bias = params["bias"] if "bias" in params else np.zeros(gain.shape, gain.dtype)
        y, *statistics = kernels.layernorm_forward(flat, gain, bias, eps)
    return y.reshape(x.shape), NormCache(flat, params, tuple(statistics), x.shape)


def norm_backward(dy, cache, residual=None):
    """With g = dy * gain and x_hat the normalized x:

        RMSNorm    dx = residual + (g - x_hat mean_C(g x_hat)) / rms
        LayerNorm  dx = residual + (g - mean_C(g) - x_hat mean_C(g x_hat)) / std

    Rescaling x (and, for LayerNorm, shifting it) leaves y unchanged, so the norm's gradient
    has no component in those directions. residual: the gradient that reaches x around the norm,
    through the skip connection, or None.
    Shapes:  dy (..., C), residual as dy -> dx (..., C), {"gain": (C,), "bias": (C,)}
    """
    x, params, statistics, shape = cache
    dy = dy.reshape(x.shape)
    residual = np.zeros_like(x) if residual is None else residual.reshape(x.shape)
    if len(statistics) == 1:
        dx, dgain = kernels.rmsnorm_backward(dy, x, params["gain"], *statistics, residual)
        return dx.reshape(shape), {"gain": dgain}
    dx, dgain, dbias = kernels.layernorm_backward(dy, x, params["gain"], *statistics, residual)
    grads = {"gain": dgain, "bias": dbias} if "bias" in params else {"gain": dgain}
    return dx.reshape(shape), grads
