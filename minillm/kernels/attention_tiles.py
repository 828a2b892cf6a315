"""The pieces of the attention kernels: blocks of keys against panels of queries.

A panel holds as many queries as a register tile has columns: two vectors, called `size` here.
Scores, queries and running sums are stored transposed, in flat arrays: a row for each key or
channel, with the panel's queries along it. So both kinds of work run on whole vectors:

    scores and sums over keys       register tiles of the micro-kernel (tile.py)
    softmax over the keys           elementwise; each query has a lane of its own

The backward also sums over queries, into a row for each key with the channels along it. That takes
the queries and their gradients untransposed as well.

The keys and values of one head are packed first: in memory, other heads lie between them, so a
tile would read a distant cache line for each key.

Masked scores are -inf, so their weights are 0. That alone does not keep a hidden NaN out, since
0 * NaN is NaN. So where a factor holds NaN or infinity, a slower tile skips weights of 0.
"""

import numpy as np

from minillm.kernels.exp import exp
from minillm.kernels.lanes import MR, across, blank, lanes, larger, load, store, transpose_square
from minillm.kernels.tile import micro_kernel
from minillm.kernels.twin import ordered


@ordered
def oldest_visible(visible_from, b, start, size):
    """The oldest key that each query of a panel sees.

    Where the last panel has fewer queries than lanes, the other lanes see no key: their oldest lies
    after the panel.
    """
    oldest = np.empty(size, dtype=np.int32)
    for t in range(size):
        exists = start + t < visible_from.shape[1]
        oldest[t] = visible_from[b, start + t] if exists else start + size
    return oldest


@ordered
def sums_over_keys(panel, D):
    """Room for a panel's sums over keys: a row for each channel, in whole register tiles.

    Shapes:  panel, an array of the panel's dtype -> (channels, size), flat, unset
    """
    size = 2 * lanes(panel)
    channels = max((D + size - 1) // size * size, (D + MR - 1) // MR * MR)
    return np.empty(channels * size, panel.dtype)


@ordered
def pack_head(x, b, g):
    """The keys or values of one head, packed; both axes are padded with zeros to whole tiles.

    Shapes:  x (B, T, G, D) -> (T, D), each rounded up to a multiple of MR, flat
    """
    T, D = x.shape[1], x.shape[3]
    wide = (D + MR - 1) // MR * MR
    rows = np.empty((T + MR - 1) // MR * MR * wide, x.dtype)
    for s in range(T):
        row, target = x[b, s, g], rows[s * wide:(s + 1) * wide]
        for d in range(D):
            target[d] = row[d]
        for d in range(D, wide):
            target[d] = 0
    for i in range(T * wide, rows.size):
        rows[i] = 0
    return rows


@ordered
def pack_panel(rows, x, b, h, start, oldest, scale):
    """rows[p, t, j] = scale * x[b, start + t, h, p * size + j]: a panel of queries or gradients.

    Each strip p holds `size` channels. Zeros fill the channels beyond the last, and the row of a
    query that sees nothing, since x may hold NaN there.
    """
    size, D = 2 * lanes(x), x.shape[3]
    for left in range(0, D, size):
        for t in range(size):
            target = rows[(left + t) * size:(left + t + 1) * size]
            if oldest[t] <= start + t and left + size <= D:
                row = x[b, start + t, h, left:left + size]
                for j in range(size):   # a constant: row.size, read at run time, doubles the cost
                    target[j] = scale * row[j]
            else:
                target[:] = 0
                if oldest[t] <= start + t:
                    row = x[b, start + t, h, left:]
                    for j in range(row.size):
                        target[j] = scale * row[j]


@ordered
def transpose(target, target_step, source, source_step, rows, columns):
    """target[c * target_step + r] = source[r * source_step + c], square by square.

    A square is a vector wide; both arrays have room for whole squares.
    """
    n = lanes(source)
    for r in range(0, rows, n):
        for c in range(0, columns, n):
            transpose_square(target, c * target_step + r, target_step,
                             source, r * source_step + c, source_step)


@ordered
def transpose_panel(columns, rows, channels):
    """columns[d, t] = rows[p, t, j] with d = p * size + j: a packed panel, transposed."""
    size = 2 * lanes(rows)
    for left in range(0, channels, size):
        transpose(columns[left * size:], size, rows[left * size:], size,
                  size, min(size, channels - left))


@ordered
def finite(x):
    """True if a flat array holds no NaN and no infinity: x * 0 is NaN for those alone."""
    n, zero, nothings = lanes(x), x.dtype.type(0), blank(x)
    for i in range(0, x.size - n + 1, n):
        nothings = nothings + zero * load(x, i)
    nothing = across(nothings)
    for i in range(x.size // n * n, x.size):
        nothing += zero * x[i]
    return nothing == zero


@ordered
def careful_kernel(c, ldc, a, row, step, b, depth, b_weighs):
    """micro_kernel that skips weights of 0, so that what they hide may be NaN.

    b holds the weights if b_weighs, else a does.
    """
    size = 2 * lanes(c)
    for i in range(MR):
        for k in range(depth):
            number = a[i * row + k * step]
            for j in range(size):
                if (b[k * size + j] if b_weighs else number) != 0:
                    c[i * ldc + j] += number * b[k * size + j]


@ordered
def score_keys(scores, rows, s0, columns, D):
    """scores[i, t] = sum_d rows[s0 + i, d] columns[d, t] for all rows i of scores."""
    size, wide = 2 * lanes(scores), (D + MR - 1) // MR * MR
    for i in range(0, scores.size // size, MR):
        keys = rows[(s0 + i) * wide:]
        micro_kernel(scores[i * size:], size, keys, wide, 1, columns, D, True)


@ordered
def mask_scores(scores, oldest, s0, start):
    """Causal mask and visible_from: hidden scores become -inf, as do those of keys that only pad.

    Keys that the whole panel sees, which are most, are skipped.
    """
    size, hidden = 2 * lanes(scores), scores.dtype.type(-np.inf)
    latest = oldest[oldest.size - 1]    # visible_from does not decrease
    for i in range(scores.size // size):
        s = np.int32(s0 + i)
        if s > start or s < latest:
            for t in range(size):
                visible = oldest[t] <= s and s <= np.int32(start + t)
                scores[i * size + t] = scores[i * size + t] if visible else hidden


@ordered
def update_maximum(top, scores):
    """top[t] = max(top[t], max_i scores[i, t]): the running maximum of each query."""
    n = lanes(scores)
    top0, top1 = load(top, 0), load(top, n)
    for i in range(0, scores.size, 2 * n):
        top0, top1 = larger(load(scores, i), top0), larger(load(scores, i + n), top1)
    store(top, 0, top0)
    store(top, n, top1)


@ordered
def subtract(scores, level):
    """scores[i, t] -= level[t]"""
    n, minus = lanes(scores), level.dtype.type(-1)
    level0, level1 = minus * load(level, 0), minus * load(level, n)
    for i in range(0, scores.size, 2 * n):
        store(scores, i, load(scores, i) + level0)
        store(scores, i + n, load(scores, i + n) + level1)


@ordered
def multiply(sums, factors):
    """sums[i, t] *= factors[t]"""
    n = lanes(sums)
    factor0, factor1 = load(factors, 0), load(factors, n)
    for i in range(0, sums.size, 2 * n):
        store(sums, i, load(sums, i) * factor0)
        store(sums, i + n, load(sums, i + n) * factor1)


@ordered
def exponentiate(scores):
    """scores[i, t] = exp(scores[i, t]): 0 where the mask has put -inf."""
    for i in range(scores.size):
        scores[i] = exp(scores[i])


@ordered
def gradient_of_scores(dprobs, probs):
    """dscores = probs * dprobs, in place of dprobs: 0 where probs is 0, even if dprobs is NaN."""
    zero = probs.dtype.type(0)
    for i in range(probs.size):
        dscore = probs[i] * dprobs[i]
        dprobs[i] = dscore if probs[i] != zero else zero    # a branch would not vectorize


@ordered
def add_sum_over_keys(total, weights):
    """total[t] += sum_i weights[i, t]"""
    n = lanes(total)
    sum0, sum1 = blank(total), blank(total)
    for i in range(0, weights.size, 2 * n):
        sum0, sum1 = sum0 + load(weights, i), sum1 + load(weights, i + n)
    store(total, 0, load(total, 0) + sum0)
    store(total, n, load(total, n) + sum1)


@ordered
def add_over_keys(sums, rows, s0, stop, weights, D, clean):
    """sums[d, t] += sum_s rows[s, d] weights[s - s0, t] over s0 <= s < stop."""
    size, wide = 2 * lanes(sums), (D + MR - 1) // MR * MR
    for d in range(0, wide, MR):
        tile, some = sums[d * size:], rows[s0 * wide + d:]
        if clean:
            micro_kernel(tile, size, some, 1, wide, weights, stop - s0, False)
        else:
            careful_kernel(tile, size, some, 1, wide, weights, stop - s0, True)


@ordered
def add_over_queries(sums, step, weights, rows, clean):
    """sums[i, p * size + j] += sum_t weights[i, t] rows[p, t, j] for all strips p of channels.

    Shapes:  sums (keys, step), weights (keys, size), rows (strips, size, size), all flat
    """
    size = 2 * lanes(sums)
    for i in range(0, weights.size // size, MR):
        some = weights[i * size:]
        for left in range(0, step, size):
            tile, strip = sums[i * step + left:], rows[left * size:]
            if clean:
                micro_kernel(tile, step, some, size, 1, strip, size, False)
            else:
                careful_kernel(tile, step, some, size, 1, strip, size, False)
