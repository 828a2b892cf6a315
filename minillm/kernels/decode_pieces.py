"""Pieces of decoding (decode.py): attention of one token, and a layer for few rows or for a tile.

All are ordered, so each is compiled once and called; see twin.py.
"""

import math

import numpy as np
from numba.core import types
from numba.extending import overload

from minillm.kernels.exp import exp
from minillm.kernels.int8 import inner_int8, widen_row
from minillm.kernels.lanes import MR, across, blank, lanes, load, store, transpose_square
from minillm.kernels.matmul_blocks import GROUP
from minillm.kernels.tile import micro_kernel
from minillm.kernels.twin import inline_ordered, ordered


@ordered
def copy_row(y, x):
    for i in range(x.size):
        y[i] = x[i]


@ordered
def add_row(y, x):
    for i in range(x.size):
        y[i] += x[i]


@ordered
def rotate_at(y, i, x, j, size, cos, sin):
    """y[i:i + size] = x[j:j + size], turned by a position's angles; without angles, as it is."""
    half = cos.size
    for d in range(half):
        y[i + d] = x[j + d] * cos[d] - x[j + half + d] * sin[d]
        y[i + half + d] = x[j + half + d] * cos[d] + x[j + d] * sin[d]
    for d in range(2 * half, size):
        y[i + d] = x[j + d]


@inline_ordered
def inner_at(a, i, b, j, size):
    """Inner product of a[i:i + size] and b[j:j + size].

    Offsets into a flat array, as a row of its own would be counted as a reference: twice the time.
    """
    n, even, odd = lanes(a), blank(a), blank(a)     # two independent sums overlap
    pairs, whole = size // (2 * n) * 2 * n, size // n * n
    for k in range(0, pairs, 2 * n):
        even = even + load(a, i + k) * load(b, j + k)
        odd = odd + load(a, i + k + n) * load(b, j + k + n)
    if pairs < whole:
        even = even + load(a, i + pairs) * load(b, j + pairs)
    total = across(even + odd)
    for k in range(whole, size):
        total += a[i + k] * b[j + k]
    return total


@ordered
def attend(row, q, k, v, out, cos, sin, keys, values, start, column, g, group):
    """Stage 1 for the query heads of one row that read key/value head g: rotate, store, attend.

    q, k, v, out: where they begin in the row; group: the numbers of all queries of the head.
    """
    n, D, length = lanes(row), keys.shape[1], column + 1 - start
    keys, values = keys.reshape(keys.size), values.reshape(values.size)
    rotate_at(keys, column * D, row, k + g * D, D, cos, sin)
    rotate_at(values, column * D, row, v + g * D, D, cos[:0], sin[:0])
    scale, query = row.dtype.type(1 / math.sqrt(D)), np.empty(D, row.dtype)
    weights, paired = np.empty(length, row.dtype), D // (2 * n) * 2 * n
    for h in range(g * group, (g + 1) * group, D):
        rotate_at(query, 0, row, q + h, D, cos, sin)
        top, sums = row.dtype.type(-np.inf), blank(row)
        for s in range(length):
            weights[s] = scale * inner_at(query, 0, keys, (start + s) * D, D)
            top = max(top, weights[s])
        for s in range(length):
            weights[s] = exp(weights[s] - top)
        for s in range(0, length - n + 1, n):
            sums = sums + load(weights, s)
        total = across(sums)
        for s in range(length // n * n, length):
            total += weights[s]
        for s in range(length):
            weights[s] /= total
        for d in range(0, paired, 2 * n):   # two vectors: each pass reads all values again
            even_0 = even_1 = odd_0 = odd_1 = blank(row)
            at = start * D + d
            for s in range(0, length - 1, 2):
                even_0 = even_0 + weights[s] * load(values, at)
                even_1 = even_1 + weights[s] * load(values, at + n)
                odd_0 = odd_0 + weights[s + 1] * load(values, at + D)
                odd_1 = odd_1 + weights[s + 1] * load(values, at + D + n)
                at += 2 * D
            if length % 2:
                even_0 = even_0 + weights[length - 1] * load(values, at)
                even_1 = even_1 + weights[length - 1] * load(values, at + n)
            store(row, out + h + d, even_0 + odd_0)
            store(row, out + h + d + n, even_1 + odd_1)
        for d in range(paired, D):
            total = row.dtype.type(0)
            for s in range(length):
                total += weights[s] * values[(start + s) * D + d]
            row[out + h + d] = total


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


def linear(work, first, end, at, factor, few, weight, bias, part, parts):
    """A part of a layer's features, for the rows of a tile, into the columns of `work` from `at`.

    Where the factor is a panel, whole vectors of features are written.
    bias: empty if there is none; of int8 weights, the pair (bias, scales).
    """
    of_kind = linear_int8 if weight.dtype == np.int8 else linear_float
    of_kind(work, first, end, at, factor, few, weight, bias, part, parts)


@overload(linear)
def compile_linear(work, first, end, at, factor, few, weight, bias, part, parts):
    of_kind = linear_int8 if weight.dtype == types.int8 else linear_float

    def compiled(work, first, end, at, factor, few, weight, bias, part, parts):
        of_kind(work, first, end, at, factor, few, weight, bias, part, parts)
    return compiled


@ordered
def linear_float(work, first, end, at, factor, few, weight, bias, part, parts):
    """linear, of float weights, which are read in place."""
    n, (N, K) = lanes(work), weight.shape
    start, stop = strip(N, n, part, parts)
    flat, a = work.reshape(work.size), weight.reshape(weight.size)
    width, rows, NR = work.shape[1], factor.reshape(factor.size), factor.shape[1]
    if few:
        for j in range(start, stop):
            for r in range(factor.shape[0]):
                flat[(first + r) * width + at + j] = inner_at(a, j * K, rows, r * NR, K)
    else:
        tiles = np.empty(GROUP * NR, work.dtype)
        for j in range(start, stop, GROUP):
            for i in range(j, min(j + GROUP, stop), MR):
                some = a[i * K:]
                if i + MR > N:      # the micro-kernel reads MR rows
                    some = np.zeros(MR * K, a.dtype)
                    copy_row(some[:a.size - i * K], a[i * K:])
                micro_kernel(tiles[(i - j) * NR:], NR, some, K, 1, rows, K, True)
            for i in range(j, min(j + GROUP, stop), n):
                for r in range(0, NR, n):
                    transpose_square(flat, (first + r) * width + at + i, width,
                                     tiles, (i - j) * NR + r, NR)
    if bias.size:
        for b in range(first, end):
            add_row(work[b, at + start:at + stop], bias[start:stop])


@ordered
def linear_int8(work, first, end, at, factor, few, weight, bias, part, parts):
    """linear, of int8 weights. For a tile of rows a few features at a time are widened first."""
    bias, scales = bias
    n, (N, K), G = lanes(work), weight.shape, scales.shape[1]
    start, stop = strip(N, n, part, parts)
    if not few:
        floats = np.empty((GROUP, K), work.dtype)
        for j in range(start, stop, GROUP):
            some = floats[:min(GROUP, stop - j)]
            for i in range(some.shape[0]):
                widen_row(some[i], weight[j + i], scales[j + i])
            linear_float(work, first, end, at + j, factor, few, some, bias[j:j + GROUP], 0, 1)
        return
    flat, a, s = work.reshape(work.size), weight.reshape(weight.size), scales.reshape(scales.size)
    width, rows, step = work.shape[1], factor.reshape(factor.size), factor.shape[1]
    for j in range(start, stop):
        for r in range(factor.shape[0]):
            flat[(first + r) * width + at + j] = inner_int8(a, j * K, s, j * G, rows, r * step, K)
    if bias.size:
        for b in range(first, end):
            add_row(work[b, at + start:at + stop], bias[start:stop])
