"""Linear layer: every output is a weighted sum of the inputs."""

from typing import NamedTuple

import numpy as np

from minillm.kernels.bfloat16 import as_factor, precision_of
from minillm.kernels.int8 import LEARN, Int8, int8_nt, refuse_int8
from minillm.kernels.matmul import matmul_nn, matmul_nt, matmul_tn
from minillm.layers.lora import LoraCache, lora_backward, lora_forward
from minillm.tree import brief


class LinearCache(NamedTuple):
    """What linear_backward needs."""
    x: np.ndarray       # (N, C_in), the leading axes flattened; as it was multiplied
    params: dict
    shape: tuple        # of x before flattening
    lora: LoraCache     # None without an adapter

    __repr__ = brief


def linear_init(rng, c_in, c_out, bias, std):
    """Normally distributed weights, zero biases.  Shapes:  weight (C_out, C_in), bias (C_out,)"""
    params = {"weight": (std * rng.standard_normal((c_out, c_in))).astype(np.float32)}
    if bias:
        params["bias"] = np.zeros(c_out, np.float32)
    return params


def linear_forward(x, params, residual=None):
    """Project the last axis.

        y = x Wᵀ + b + residual

    x may be rounded to bfloat16 (see as_factor); the weight then is too, here and in the backward
    pass. Sums, bias, residual and y are float32.
    residual: a tensor that is added to the output, or None. The matrix product starts its sums
    from the residual, so the addition needs no extra pass over memory.
    weight: float32, or for decoding an Int8 of that shape.
    params: with a key "lora" the layer is frozen, and an adapter stands beside its weight
    (lora.py), or none where "lora" is empty.
    Shapes:  x (..., C_in), weight (C_out, C_in), bias (C_out,) or absent, residual as y or None
             -> y (..., C_out)
    """
    flat = x.reshape(-1, x.shape[-1])                       # (N, C_in)
    if residual is not None:
        residual = residual.reshape(len(flat), -1)          # (N, C_out)
    weight = as_factor(params["weight"], precision_of(x))
    product = int8_nt if isinstance(weight, Int8) else matmul_nt
    y = product(flat, weight, residual=residual)            # (N, C_out)
    if "bias" in params:
        y += params["bias"]
    lora = None
    if params.get("lora"):
        y, lora = lora_forward(flat, params["lora"], y)
    return y.reshape(*x.shape[:-1], -1), LinearCache(flat, params, x.shape, lora)


def linear_backward(dy, cache, into=None):
    """dx = dy W,   dW = dyᵀ x,   db = sum over rows of dy

    If x was rounded to bfloat16, dy and W are rounded in the two products. db sums dy as it is.
    into: dx from another layer that reads the same x; this layer's dx is added to it in place.
    A frozen layer has gradients of its adapter alone: dW, a third of the arithmetic, is left out.
    Shapes:  dy (..., C_out) -> dx (..., C_in), {"weight": (C_out, C_in), "bias": (C_out,)},
             {"lora": {"a": (R, C_in), "b": (C_out, R)}}, or {} if frozen without an adapter
    Raises:  ValueError for int8 weights.
    """
    x, params, shape, lora = cache
    refuse_int8(params["weight"], LEARN)
    dy = dy.reshape(-1, dy.shape[-1])                       # (N, C_out)
    factor = as_factor(dy, precision_of(x))
    into = None if into is None else into.reshape(x.shape)
    weight = as_factor(params["weight"], precision_of(x))
    dx, grads = matmul_nn(factor, weight, into), {}         # (N, C_in)
    if lora is not None:
        dx, grads["lora"] = lora_backward(factor, lora, dx)
    if "lora" not in params:
        grads["weight"] = matmul_tn(factor, x)
        if "bias" in params:
            grads["bias"] = dy.sum(axis=0)
    return dx.reshape(shape), grads
