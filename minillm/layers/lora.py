"""LoRA: beside a linear layer's weight, which stays as it was, two thin matrices are trained."""

from typing import NamedTuple

import numpy as np

from minillm.kernels.bfloat16 import as_factor, precision_of
from minillm.kernels.matmul import matmul_nn, matmul_nt, matmul_tn
from minillm.tree import brief


class LoraCache(NamedTuple):
    """What lora_backward needs."""
    x: np.ndarray       # (N, C_in), as it was multiplied
    down: np.ndarray    # (N, R), (alpha / R) x Aᵀ, as it was multiplied
    params: dict

    __repr__ = brief


def lora_init(rng, c_in, c_out, rank):
    """A is random, B is zero: at the start the layer computes what it did before.

    With B = 0 the first gradient of A is zero and that of B is not. Were both zero, neither would
    ever move. A has the deviation that gives x Aᵀ the size of x.
    Shapes:  a (R, C_in), b (C_out, R)
    """
    a = rng.standard_normal((rank, c_in)) / np.sqrt(c_in)
    return {"a": a.astype(np.float32), "b": np.zeros((c_out, rank), np.float32)}


def scale_of(params):
    """alpha / R, the factor of B A, as a number of the arrays' dtype."""
    a = params["a"]
    return a.dtype.type(params["alpha"] / len(a))


def lora_forward(x, params, y):
    """Add the adapter's part to the output of a linear layer, in place.

        y = x Wᵀ + b + (alpha / R) (x Aᵀ) Bᵀ  =  x (W + (alpha / R) B A)ᵀ + b

    The two thin products take R (C_in + C_out) multiplications a token, the layer's own C_in C_out.
    params: {"a", "b", "alpha"}; alpha is a number, which is not trained.
    Shapes:  x (N, C_in), a (R, C_in), b (C_out, R), y (N, C_out) -> y
    Source:  Hu et al. 2021, arXiv:2106.09685, eq. 3.
    """
    precision = precision_of(x)
    down = matmul_nt(x, as_factor(params["a"], precision))              # (N, R)
    down = as_factor(down * scale_of(params), precision)
    return matmul_nt(down, as_factor(params["b"], precision), into=y), LoraCache(x, down, params)


def lora_backward(dy, cache, into):
    """With s = alpha / R:

        dB = s dyᵀ (x Aᵀ),     dA = s (dy B)ᵀ x,     dx = into + s (dy B) A

    Both products with dy are computed with the rank as their rows, as the kernels have fast paths
    for few rows, not for few columns; only thin matrices are transposed for it.
    dy: as the layer multiplies it, rounded to bfloat16 if x is.
    into: the layer's own dx, dy W, which is changed in place.
    Shapes:  dy (N, C_out), into (N, C_in) -> dx (N, C_in), {"a": (R, C_in), "b": (C_out, R)}
    """
    x, down, params = cache
    precision = precision_of(x)
    b = np.ascontiguousarray(as_factor(params["b"], precision).T)       # (R, C_out)
    ddown = as_factor(matmul_nt(dy, b) * scale_of(params), precision)   # (N, R)
    grads = {"a": matmul_tn(ddown, x), "b": np.ascontiguousarray(matmul_tn(down, dy).T)}
    return matmul_nn(ddown, as_factor(params["a"], precision), into), grads
