"""What kernels do with vectors as values: the register tile of every large product, inner products, the maximum."""

import numpy as np

from minillm.kernels.lanes import across, blank, lanes, larger, load, store
from minillm.kernels.twin import inline


@inline
def add_tile(c, c_step, a0, a1, a2, a3, b, fresh):
    """c[i c_step + j] += sum_k a_i[k] b[k, j] for 4 rows and two vectors of columns j; fresh: =, whatever c holds.

    The 8 vectors of sums stay in registers while k runs: a step of k reads 4 numbers of a and two vectors of b
    for 8 multiply-adds, and nothing is written until the end.
    Shapes:  a_i (K,), b (K * two vectors,) contiguous
    """
    n = lanes(c)
    c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = blank(c)
    if not fresh:
        c00, c01, c10, c11 = load(c, 0), load(c, n), load(c, c_step), load(c, c_step + n)
        c20, c21 = load(c, 2 * c_step), load(c, 2 * c_step + n)
        c30, c31 = load(c, 3 * c_step), load(c, 3 * c_step + n)
    for k in range(a0.size):
        b0, b1 = load(b, 2 * k * n), load(b, (2 * k + 1) * n)
        c00, c01 = c00 + a0[k] * b0, c01 + a0[k] * b1
        c10, c11 = c10 + a1[k] * b0, c11 + a1[k] * b1
        c20, c21 = c20 + a2[k] * b0, c21 + a2[k] * b1
        c30, c31 = c30 + a3[k] * b0, c31 + a3[k] * b1
    store(c, 0, c00), store(c, n, c01), store(c, c_step, c10), store(c, c_step + n, c11)
    store(c, 2 * c_step, c20), store(c, 2 * c_step + n, c21)
    store(c, 3 * c_step, c30), store(c, 3 * c_step + n, c31)


@inline
def dot(a, b):
    """Inner product of two short rows, a vector at a time."""
    n, sums = lanes(a), blank(a)
    for d in range(0, a.size - n + 1, n):
        sums = sums + load(a, d) * load(b, d)
    total = across(sums)
    for d in range(a.size // n * n, a.size):
        total += a[d] * b[d]
    return total


@inline
def highest(row):
    """The largest number of a row, a vector at a time; NaN may be passed over, which LLVM by itself may not do."""
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
