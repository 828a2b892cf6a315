"""The pieces of the attention kernels: keys in blocks of 4 against tiles of WIDTH queries.

Scores, q and out lie transposed: a row per key or channel, the queries along it. So every inner loop runs
along the queries, and the softmax over the keys is elementwise. As `first` never decreases, a block of keys
is seen by one stretch [lo, hi) of a tile's queries. The stretch is widened to whole vectors of 16; the
weights of what is not visible in it are set to 0. Arrays are passed whole, with the indices b, h and g,
so that LLVM knows a row x[b, t, h] to be contiguous.

numba's cache of a kernel watches the kernel's own file alone: after an edit here, clear the caches.
"""

import numpy as np

from minillm.kernels.twin import inline

WIDTH = 128  # queries per tile; also the distance of two rows in every flat array


@inline
def query_span(first, b, start, stop, s0):
    """The queries in [start, stop) that may see one of the keys s0..s0+3, counted from start."""
    low, high = start, stop  # bisection: `high` becomes the first query with first > s0 + 3
    while low < high:
        middle = (low + high) // 2
        if first[b, middle] > s0 + 3:
            high = middle
        else:
            low = middle + 1
    lo = (max(s0, start) - start) // 16 * 16
    return lo, max((high - start + 15) // 16 * 16, lo)


@inline
def first_of_tile(first, b, start, stop):
    """`first` of a tile; the places beyond its end see nothing."""
    visible_from = np.empty(WIDTH, dtype=np.int32)
    for t in range(WIDTH):
        visible_from[t] = first[b, start + t] if start + t < stop else first.shape[1]
    return visible_from


@inline
def transpose(xT, x, b, h, start, stop, scale):
    """xT[d, t - start] = scale * x[b, t, h, d], and 0 beyond the edges."""
    for i in range(xT.size):
        xT[i] = 0
    for t in range(start, stop):
        row = x[b, t, h]
        for d in range(row.size):
            xT[d * WIDTH + t - start] = scale * row[d]


@inline
def transpose_back(x, xT, b, h, start, stop, scale):
    """x[b, t, h, d] = scale[t - start] * xT[d, t - start]"""
    for t in range(start, stop):
        row = x[b, t, h]
        for d in range(row.size):
            row[d] = scale[t - start] * xT[d * WIDTH + t - start]


@inline
def take_keys(keys, x, b, g, s0):
    """keys[i] = x[b, s0 + i, g] for up to four keys, zeros beyond; False if one holds a NaN or infinity."""
    nothing = x.dtype.type(0)
    for i in range(4):
        for d in range(keys.shape[1]):
            keys[i, d] = 0
    for i in range(min(4, x.shape[1] - s0)):
        source, row = x[b, s0 + i, g], keys[i]
        for d in range(source.size):
            row[d] = source[d]
            nothing += source[d] * 0
    return nothing == 0


@inline
def add_tile(c, a, b, width):
    """c_i += sum_j a[i, j] b_j for 4 rows of c and b, WIDTH apart; the 16 values of a stay in registers."""
    a00, a01, a02, a03 = a[0, 0], a[0, 1], a[0, 2], a[0, 3]
    a10, a11, a12, a13 = a[1, 0], a[1, 1], a[1, 2], a[1, 3]
    a20, a21, a22, a23 = a[2, 0], a[2, 1], a[2, 2], a[2, 3]
    a30, a31, a32, a33 = a[3, 0], a[3, 1], a[3, 2], a[3, 3]
    for t in range(width):
        b0, b1, b2, b3 = b[t], b[WIDTH + t], b[2 * WIDTH + t], b[3 * WIDTH + t]
        c[t] += a00 * b0 + a01 * b1 + a02 * b2 + a03 * b3
        c[WIDTH + t] += a10 * b0 + a11 * b1 + a12 * b2 + a13 * b3
        c[2 * WIDTH + t] += a20 * b0 + a21 * b1 + a22 * b2 + a23 * b3
        c[3 * WIDTH + t] += a30 * b0 + a31 * b1 + a32 * b2 + a33 * b3


@inline
def score_keys(scores, keys, xT, lo, hi):
    """scores[i, t] = sum_d keys[i, d] xT[d, t] for four keys and the queries lo <= t < hi."""
    span = 3 * WIDTH + hi - lo
    rows = scores[lo:lo + span]
    for t in range(rows.size):
        rows[t] = 0
    for d in range(0, keys.shape[1], 4):
        add_tile(rows, keys[:, d:d + 4], xT[d * WIDTH + lo:d * WIDTH + lo + span], hi - lo)


@inline
def add_values(outT, values, weights, lo, hi, clean):
    """outT[d, t] += sum_i values[i, d] weights[i, t] for four keys; a weight of 0 keeps out even a NaN."""
    span = 3 * WIDTH + hi - lo
    for d in range(0, values.shape[1], 4):
        rows = outT[d * WIDTH + lo:d * WIDTH + lo + span]
        if clean:
            add_tile(rows, values[:, d:d + 4].T, weights[lo:lo + span], hi - lo)
        else:
            for n in range(16):
                for t in range(hi - lo):
                    weight = weights[n // 4 * WIDTH + lo + t]
                    if weight != 0:
                        rows[n % 4 * WIDTH + t] += values[n // 4, d + n % 4] * weight


@inline
def add_dots(dx, p, xT, lo):
    """dx[d] += sum_t p[t] xT[d, lo + t], for one key; what stands where p is 0 does not count."""
    zero = xT.dtype.type(0)
    for d in range(0, dx.size, 4):
        x = xT[d * WIDTH + lo:(d + 3) * WIDTH + lo + p.size]
        s0, s1, s2, s3 = zero, zero, zero, zero
        for t in range(p.size):
            s0 += p[t] * x[t] if p[t] != 0 else zero
            s1 += p[t] * x[WIDTH + t] if p[t] != 0 else zero
            s2 += p[t] * x[2 * WIDTH + t] if p[t] != 0 else zero
            s3 += p[t] * x[3 * WIDTH + t] if p[t] != 0 else zero
        sums = (s0, s1, s2, s3)
        for n in range(min(4, dx.size - d)):
            dx[d + n] += sums[n]
