"""Pieces of decoding (decode.py): attention of one token, and a layer for few rows or for a tile.

All are ordered, so each is compiled once and called; see twin.py.
"""

import math

import numpy as np

from minillm.kernels.exp import exp
from minillm.kernels.lanes import MR, across, blank, lanes, load, store, transpose_square
from minillm.kernels.matmul_blocks import GROUP
from minillm.kernels.tile import dot, highest, micro_kernel
from minillm.kernels.twin import ordered


@ordered
def copy_row(y, x):
    for i in range(x.size):
        y[i] = x[i]


@ordered
def add_row(y, x):
    for i in range(x.size):
        y[i] += x[i]


@ordered
def rotate_row(y, x, cos, sin):
    """y = x, turned by the angles of a position; without angles, as it is."""
    half = cos.size
    for i in range(half):
        y[i] = x[i] * cos[i] - x[half + i] * sin[i]
        y[half + i] = x[half + i] * cos[i] + x[i] * sin[i]
    for d in range(2 * half, x.size):
        y[d] = x[d]


@ordered
def attend(row, q, k, v, out, cos, sin, keys, values, start, column, g, group):
    """Stage 1 for the query heads of one row that read key/value head g: rotate, store, attend.

    q, k, v, out: where they begin in the row; group: the numbers of all queries of the head.
    """
    n, D, length = lanes(row), keys.shape[1], column + 1 - start
    rotate_row(keys[column], row[k + g * D:k + (g + 1) * D], cos, sin)
    copy_row(values[column], row[v + g * D:v + (g + 1) * D])
    scale, query = row.dtype.type(1 / math.sqrt(D)), np.empty(D, row.dtype)
    weights = np.empty(length, row.dtype)
    for h in range(g * group, (g + 1) * group, D):
        rotate_row(query, row[q + h:q + h + D], cos, sin)
        for s in range(length):
            weights[s] = scale * dot(query, keys[start + s])
        top, sums = highest(weights) if length else scale, blank(row)
        for s in range(length):
            weights[s] = exp(weights[s] - top)
        for s in range(0, length - n + 1, n):
            sums = sums + load(weights, s)
        total = across(sums)
        for s in range(length // n * n, length):
            total += weights[s]
        for s in range(length):
            weights[s] /= total
        target, paired = row[out + h:out + h + D], D // (2 * n) * 2 * n
        for d in range(0, paired, 2 * n):   # two vectors: each pass reads all values again
            even_0 = even_1 = odd_0 = odd_1 = blank(row)    # independent sums overlap
            for s in range(0, length - 1, 2):
                some, others = values[start + s], values[start + s + 1]
                even_0 = even_0 + weights[s] * load(some, d)
                even_1 = even_1 + weights[s] * load(some, d + n)
                odd_0 = odd_0 + weights[s + 1] * load(others, d)
                odd_1 = odd_1 + weights[s + 1] * load(others, d + n)
            if length % 2:
                even_0 = even_0 + weights[length - 1] * load(values[column], d)
                even_1 = even_1 + weights[length - 1] * load(values[column], d + n)
            store(target, d, even_0 + odd_0)
            store(target, d + n, even_1 + odd_1)
        for d in range(paired, D):
            target[d] = 0
        for s in range(length if paired < D else 0):
            some = values[start + s]
            for d in range(paired, D):
                target[d] += weights[s] * some[d]


@ordered
def whole(size, n):
    """size, rounded up to whole vectors."""
    return (size + n - 1) // n * n


@ordered
def strip(features, n, part, parts):
    """Where a part of the features begins and ends; all parts but the last are whole vectors."""
    vectors = (features + n - 1) // n
    return vectors * part // parts * n, min(vectors * (part + 1) // parts * n, features)


@ordered
def factor_of(rows, few):
    """What linear multiplies by a weight: few rows as they are, else their transpose, a panel.

    Both axes are whole vectors; what pads them is not read.
    """
    if few:
        return rows
    n, (NR, K) = lanes(rows), rows.shape
    panel = np.empty((K, NR), rows.dtype)
    target, source = panel.reshape(panel.size), rows.reshape(rows.size)
    for k in range(0, K, n):
        for r in range(0, NR, n):
            transpose_square(target, k * NR + r, NR, source, r * K + k, K)
    return panel


@ordered
def linear(work, first, end, at, factor, few, weight, bias, part, parts):
    """A part of a layer's features, for the rows of a tile, into the columns of `work` from `at`.

    Where the factor is a panel, whole vectors of features are written.
    """
    n, (N, K) = lanes(work), weight.shape
    start, stop = strip(N, n, part, parts)
    if few:
        for j in range(start, stop):
            row = weight[j]
            for r in range(factor.shape[0]):
                work[first + r, at + j] = dot(row, factor[r, :K])
    else:
        NR, width = factor.shape[1], work.shape[1]
        flat, a = work.reshape(work.size), weight.reshape(weight.size)
        panel, tiles = factor.reshape(factor.size), np.empty(GROUP * NR, work.dtype)
        for j in range(start, stop, GROUP):
            for i in range(j, min(j + GROUP, stop), MR):
                some = a[i * K:]
                if i + MR > N:      # the micro-kernel reads MR rows
                    some = np.zeros(MR * K, a.dtype)
                    copy_row(some[:a.size - i * K], a[i * K:])
                micro_kernel(tiles[(i - j) * NR:], NR, some, K, 1, panel, K, True)
            for i in range(j, min(j + GROUP, stop), n):
                for r in range(0, NR, n):
                    transpose_square(flat, (first + r) * width + at + i, width,
                                     tiles, (i - j) * NR + r, NR)
    if bias.size:
        for b in range(first, end):
            add_row(work[b, at + start:at + stop], bias[start:stop])
