"""The activation functions of the feed-forward layer: GELU (GPT-2) and SwiGLU (Llama)."""

import math

import numba
import numpy as np

from minillm.kernels.exp import exp
from minillm.kernels.twin import inline, twin

GELU_SLOPE = math.sqrt(2 / math.pi)     # no unit
GELU_CUBIC = 0.044715                   # no unit


def gelu_forward_plain(x):
    """GELU in the tanh form of GPT-2.

        y = x / 2 * (1 + tanh(u)),   u = sqrt(2 / pi) * (x + 0.044715 x^3)

    Shapes:  x (N, F) -> y (N, F)
    Source:  Hendrycks & Gimpel 2016, arXiv:1606.08415, section 2.
    """
    u = GELU_SLOPE * (x + GELU_CUBIC * x * x * x)
    return 0.5 * x * (1 + np.tanh(u))


@inline
def gelu_row(y, x):
    """One row of gelu_forward. 1 + tanh(u) = 2 sigmoid(2 u) needs only one exponential."""
    one, slope, cubic = x.dtype.type(1), x.dtype.type(2 * GELU_SLOPE), x.dtype.type(GELU_CUBIC)
    for i in range(x.size):
        y[i] = x[i] / (one + exp(-slope * (x[i] + cubic * x[i] * x[i] * x[i])))


@twin(plain=gelu_forward_plain, parallel=True)
def gelu_forward(x):
    y = np.empty_like(x)
    for n in numba.prange(x.shape[0]):
        gelu_row(y[n], x[n])
    return y


def gelu_backward_plain(dy, x):
    """dx = dy * ((1 + tanh(u)) / 2 + x / 2 * (1 - tanh(u)^2) * du/dx)

    In place: dy is overwritten with dx and returned.
    Shapes:  dy and x (N, F) -> dx (N, F)
    """
    tanh = np.tanh(GELU_SLOPE * (x + GELU_CUBIC * x * x * x))
    du_dx = GELU_SLOPE * (1 + 3 * GELU_CUBIC * x * x)
    dy *= 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh * tanh) * du_dx
    return dy


@inline
def _gelu_row_backward(dy, x):
    """One row of gelu_backward, with s = sigmoid(2 u): dx = dy * (s + x * s * (1 - s) * 2 du/dx)"""
    one, slope, cubic = x.dtype.type(1), x.dtype.type(2 * GELU_SLOPE), x.dtype.type(GELU_CUBIC)
    for i in range(x.size):
        square = x[i] * x[i]
        s = one / (one + exp(-slope * (x[i] + cubic * square * x[i])))
        dy[i] *= s * (one + x[i] * (one - s) * slope * (one + x.dtype.type(3) * cubic * square))


@twin(plain=gelu_backward_plain, parallel=True)
def gelu_backward(dy, x):
    for n in numba.prange(x.shape[0]):
        _gelu_row_backward(dy[n], x[n])
    return dy


def swiglu_forward_plain(gate, up):
    """Gated linear unit: silu(gate) scales each feature of up.

        y = silu(gate) * up,   silu(g) = g * sigmoid(g)

    Shapes:  gate and up (N, F) -> y (N, F)
    Source:  Shazeer 2020, arXiv:2002.05202, eq. 6.
    """
    return gate * sigmoid_plain(gate) * up


@inline
def swiglu_row(y, gate, up):
    """One row of swiglu_forward."""
    one = gate.dtype.type(1)
    for i in range(gate.size):
        y[i] = gate[i] * up[i] / (one + exp(-gate[i]))


@twin(plain=swiglu_forward_plain, parallel=True)
def swiglu_forward(gate, up):
    y = np.empty_like(gate)
    for n in numba.prange(gate.shape[0]):
        swiglu_row(y[n], gate[n], up[n])
    return y


def swiglu_backward_plain(dy, gate, up):
    """dgate = dy * up * s * (1 + gate * (1 - s)),   dup = dy * gate * s,   s = sigmoid(gate)

    In place: dy is overwritten with dup.
    Shapes:  dy, gate and up (N, F) -> dgate (N, F), dup (N, F)
    """
    s = sigmoid_plain(gate)
    dgate = dy * up * s * (1 + gate * (1 - s))
    dy *= gate * s
    return dgate, dy


@inline
def _swiglu_row_backward(dgate, dy, gate, up):
    """One row of swiglu_backward."""
    one = gate.dtype.type(1)
    for i in range(gate.size):
        s = one / (one + exp(-gate[i]))
        dgate[i] = dy[i] * up[i] * s * (one + gate[i] * (one - s))
        dy[i] *= gate[i] * s


@twin(plain=swiglu_backward_plain, parallel=True)
def swiglu_backward(dy, gate, up):
    dgate = np.empty_like(gate)
    for n in numba.prange(gate.shape[0]):
        _swiglu_row_backward(dgate[n], dy[n], gate[n], up[n])
    return dgate, dy


def sigmoid_plain(x):
    """1 / (1 + exp(-x)), computed with tanh, which cannot overflow.  Shapes:  x -> like x"""
    return 0.5 * (1 + np.tanh(0.5 * x))
