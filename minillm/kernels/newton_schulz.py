"""Muon's iterations (optim/muon.py) on a small matrix, all of them by one thread.

One by one, each of a matrix's nine products would be divided among all threads. For a small matrix,
starting the threads, and the Python between the products, takes as long as the products. So each
thread takes whole matrices. An element's sum has the same order on one thread as on all
(matmul_blocks.py), so the result is the same: to the bit, unless a product there computes a few
columns at its edge as dot products.
"""

from functools import partial

import numpy as np
from numba.core import types
from numba.extending import overload

from minillm.kernels.bfloat16 import as_factor, precision_of, round_bits
from minillm.kernels.matmul_blocks import add_part
from minillm.kernels.twin import ordered, serial


def round_into(factor, x):
    """factor = x, rounded where factor holds bfloat16.  Shapes:  both alike, contiguous"""
    factor[:] = as_factor(x, precision_of(factor))


@overload(round_into)
def compile_round_into(factor, x):
    def rounded(factor, x):
        round_bits(x.reshape(x.size).view(np.uint32), factor.reshape(factor.size))

    def copied(factor, x):
        scale_into(factor, x, x.dtype.type(1))
    return rounded if factor.dtype == types.uint16 else copied


@ordered
def scale_into(into, x, scale):
    """into = scale * x"""
    numbers, others = into.reshape(into.size), x.reshape(x.size)
    for i in range(numbers.size):
        numbers[i] = scale * others[i]


@ordered
def iterate(x, factor, polynomials):
    """newton_schulz; ordered, as its products are."""
    (M, N), tall, none = x.shape, x.shape[0] > x.shape[1], x[:0]
    n, first = min(M, N), np.int64(0)
    yes, no = np.bool_(True), np.bool_(False)   # for a literal, add_part would be compiled again
    gram, inner = np.empty((n, n), x.dtype), np.empty((n, n), x.dtype)
    left, right = np.empty((n, n), factor.dtype), np.empty((n, n), factor.dtype)
    for p in range(polynomials.shape[0]):
        a, b, c = polynomials[p]
        round_into(factor, x)
        add_part(gram, factor, tall, factor, not tall, none, yes, (first, n), (first, n))
        scale_into(inner, gram, b)
        round_into(right, gram)
        scale_into(gram, gram, c)
        round_into(left, gram)
        add_part(inner, left, no, right, no, none, no, (first, n), (first, n))
        round_into(left, inner)
        scale_into(x, x, a)
        if tall:
            add_part(x, factor, no, left, no, none, no, (first, M), (first, N))
        else:
            add_part(x, left, no, factor, no, none, no, (first, M), (first, N))


@partial(serial, nogil=True)
def newton_schulz(x, factor, polynomials):
    """X = a X + b (X Xᵀ) X + c (X Xᵀ)² X for each (a, b, c), in place; a tall X takes Xᵀ X.

    factor: room for X as a factor of products, in their precision. Of bfloat16, both sides must be
    even (steps.py).
    Shapes:  x and factor (M, N), polynomials (P, 3) of x's dtype
    """
    iterate(x, factor, polynomials)
