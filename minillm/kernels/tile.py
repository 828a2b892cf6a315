"""Loops over vectors: the micro-kernel of all large products, inner product, maximum of a row."""

import numpy as np

from minillm.kernels.lanes import MR, across, blank, broadcast, lanes, larger, load, store
from minillm.kernels.steps import multiply_add
from minillm.kernels.twin import ordered


@ordered
def load_two(row, i):
    """Two vectors, one after the other in memory."""
    return load(row, i), load(row, i + lanes(row))


@ordered
def store_two(row, i, two):
    """The reverse of load_two."""
    store(row, i, two[0])
    store(row, i + lanes(row), two[1])


@ordered
def add_step(sums, a, i, b):
    """sums + a[i] b, for the two vectors of a row of the tile."""
    x = broadcast(a, i)
    return multiply_add(sums[0], x, b[0]), multiply_add(sums[1], x, b[1])


@ordered
def micro_kernel(c, ldc, a, row, step, b, depth, fresh):
    """c[i * ldc + j] += sum_k a[i * row + k * step] b[k * NR + j] for MR rows i and NR columns j.

    ldc is the distance in numbers from one row of C to the next; row and step are those of A. With
    fresh, c is overwritten. Of bfloat16 factors, a and b hold pairs (steps.py) and k counts pairs.

    The MR x NR sums stay in registers while k runs. A step of k loads MR numbers of A, each into
    all lanes of a vector, and two vectors of B for 2 MR multiply-adds; C is read before the loop
    and written after it. Only where there are 32 registers has a tile the rows 6 and 7.
    """
    n = lanes(c)
    c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = (blank(c), blank(c))
    if not fresh:
        c0, c1, c2 = load_two(c, 0), load_two(c, ldc), load_two(c, 2 * ldc)
        c3, c4, c5 = load_two(c, 3 * ldc), load_two(c, 4 * ldc), load_two(c, 5 * ldc)
        if MR == 8:
            c6, c7 = load_two(c, 6 * ldc), load_two(c, 7 * ldc)
    for k in range(depth):
        some, i = load_two(b, 2 * k * n), k * step
        c0, c1 = add_step(c0, a, i, some), add_step(c1, a, i + row, some)
        c2, c3 = add_step(c2, a, i + 2 * row, some), add_step(c3, a, i + 3 * row, some)
        c4, c5 = add_step(c4, a, i + 4 * row, some), add_step(c5, a, i + 5 * row, some)
        if MR == 8:
            c6, c7 = add_step(c6, a, i + 6 * row, some), add_step(c7, a, i + 7 * row, some)
    store_two(c, 0, c0)
    store_two(c, ldc, c1)
    store_two(c, 2 * ldc, c2)
    store_two(c, 3 * ldc, c3)
    store_two(c, 4 * ldc, c4)
    store_two(c, 5 * ldc, c5)
    if MR == 8:
        store_two(c, 6 * ldc, c6)
        store_two(c, 7 * ldc, c7)


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
