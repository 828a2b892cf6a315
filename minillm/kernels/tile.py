"""Loops over vectors: the micro-kernel of all large products, inner product, maximum of a row."""

import numpy as np

from minillm.kernels.lanes import across, blank, lanes, larger, load, store
from minillm.kernels.twin import ordered

MR = 4  # rows of a register tile; its columns, NR, are two vectors: 2 * lanes(row) numbers


@ordered
def micro_kernel(c, ldc, a0, a1, a2, a3, b, fresh):
    """c[i * ldc + j] += sum_k a_i[k] b[k, j] for MR rows i and NR columns j.

    ldc is the distance in numbers from one row of C to the next. With fresh, c is overwritten.

    The MR x NR sums fill 8 vector registers while k runs. A step of k loads 4 numbers of A and two
    vectors of B for 8 multiply-adds; C is read before the loop and written after it.
    Shapes:  a_i (K,), b (K * NR,) contiguous
    """
    n = lanes(c)
    c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = blank(c)
    if not fresh:
        c00, c01 = load(c, 0), load(c, n)
        c10, c11 = load(c, ldc), load(c, ldc + n)
        c20, c21 = load(c, 2 * ldc), load(c, 2 * ldc + n)
        c30, c31 = load(c, 3 * ldc), load(c, 3 * ldc + n)
    for k in range(a0.size):
        b0, b1 = load(b, 2 * k * n), load(b, (2 * k + 1) * n)
        c00, c01 = c00 + a0[k] * b0, c01 + a0[k] * b1
        c10, c11 = c10 + a1[k] * b0, c11 + a1[k] * b1
        c20, c21 = c20 + a2[k] * b0, c21 + a2[k] * b1
        c30, c31 = c30 + a3[k] * b0, c31 + a3[k] * b1
    store(c, 0, c00)
    store(c, n, c01)
    store(c, ldc, c10)
    store(c, ldc + n, c11)
    store(c, 2 * ldc, c20)
    store(c, 2 * ldc + n, c21)
    store(c, 3 * ldc, c30)
    store(c, 3 * ldc + n, c31)


@ordered
def dot(a, b):
    """Inner product of two short rows, a vector at a time."""
    n, sums = lanes(a), blank(a)
    for d in range(0, a.size - n + 1, n):
        sums = sums + load(a, d) * load(b, d)
    total = across(sums)
    for d in range(a.size // n * n, a.size):
        total += a[d] * b[d]
    return total


@ordered
def highest(row):
    """The largest number of a row, a vector at a time.

    It may ignore NaN. LLVM vectorizes a maximum only with that licence, which FASTMATH withholds.
    """
    n, top = lanes(row), row[0]
    if row.size >= n:
        best, rest = load(row, 0), np.empty(n, row.dtype)
        for i in range(n, row.size - n + 1, n):
            best = larger(load(row, i), best)
        store(rest, 0, best)
        for i in range(n):
            top = max(top, rest[i])
    for i in range(row.size // n * n, row.size):
        top = max(top, row[i])
    return top
