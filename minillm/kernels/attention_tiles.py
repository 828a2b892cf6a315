"""The pieces of the attention kernels: blocks of keys against panels of queries.

A panel is as many queries as a register tile is wide (two vectors). Scores, queries and sums lie transposed in
flat arrays: a row per key or channel, the panel's queries along it. So the scores and the sums over keys are register
tiles, and the softmax over the keys is elementwise. The backward's sums over queries need their rows as well, and add
to a row per key with the channels along it. A head's keys and values are copied first, since in memory the other
heads stand between them: a copy meets many rows at once, a tile would wait for every four of them.

What a query may not see has the score -inf and the weight 0; as 0 * NaN is NaN, a product whose keys, values, queries
or gradients hold a NaN or an infinity takes a slower tile that skips weights of 0.
"""

import numpy as np

from minillm.kernels.exp import exp
from minillm.kernels.lanes import blank, lanes, larger, load, store, transpose_square
from minillm.kernels.tile import add_tile
from minillm.kernels.twin import inline


@inline
def first_of_panel(first, b, start, size):
    """The oldest key that each query of a panel sees; places beyond the last query see none: theirs is after the panel."""
    oldest = np.empty(size, dtype=np.int32)
    for t in range(size):
        oldest[t] = first[b, start + t] if start + t < first.shape[1] else start + size
    return oldest


@inline
def head_rows(x, b, g):
    """Keys or values of one head, a row of whole tiles each; rows and channels beyond the last are 0.

    Shapes:  x (B, T, G, D) -> (T rounded up to 4) rows of (D rounded up to 4), flat
    """
    T, D = x.shape[1], x.shape[3]
    wide = (D + 3) // 4 * 4
    rows = np.empty((T + 3) // 4 * 4 * wide, x.dtype)
    for s in range(T):
        row, target = x[b, s, g], rows[s * wide:(s + 1) * wide]
        for d in range(D):
            target[d] = row[d]
        for d in range(D, wide):
            target[d] = 0
    for i in range(T * wide, rows.size):
        rows[i] = 0
    return rows


@inline
def panel_rows(rows, x, b, h, start, oldest, scale):
    """rows[p, t, j] = scale x[b, start + t, h, p size + j]: queries, or gradients, in strips of `size` channels.

    0 beyond the last channel, and for a query that sees nothing, which may hold anything.
    """
    size, D = 2 * lanes(x), x.shape[3]
    for left in range(0, D, size):
        for t in range(size):
            target = rows[(left + t) * size:(left + t + 1) * size]
            if oldest[t] <= start + t and left + size <= D:
                row = x[b, start + t, h, left:left + size]
                for j in range(size):   # not row.size: LLVM knows it, and to look it up would cost as much as the loop
                    target[j] = scale * row[j]
            else:
                target[:] = 0
                if oldest[t] <= start + t:
                    row = x[b, start + t, h, left:]
                    for j in range(row.size):
                        target[j] = scale * row[j]


@inline
def transpose(target, target_step, source, source_step, rows, columns):
    """target[c target_step + r] = source[r source_step + c]; both hold whole squares, a vector wide."""
    n = lanes(source)
    for r in range(0, rows, n):
        for c in range(0, columns, n):
            transpose_square(target, c * target_step + r, target_step, source, r * source_step + c, source_step)


@inline
def panel_columns(columns, rows, channels):
    """columns[d, t]: panel_rows transposed."""
    size = 2 * lanes(rows)
    for left in range(0, channels, size):
        transpose(columns[left * size:], size, rows[left * size:], size, size, min(size, channels - left))


@inline
def finite(x):
    """Whether a flat array holds no NaN and no infinity."""
    zero = x.dtype.type(0)  # an integer would make float64 of it all
    nothing = zero
    for i in range(x.size):
        nothing += x[i] * zero
    return nothing == zero


@inline
def add_careful_tile(c, c_step, a0, a1, a2, a3, b, b_weighs):
    """add_tile in which a weight of 0 keeps out even a NaN; the weights are b, or else a."""
    size = 2 * lanes(c)
    for i in range(4):
        a = (a0, a1, a2, a3)[i]
        for k in range(a.size):
            for j in range(size):
                if (b[k * size + j] if b_weighs else a[k]) != 0:
                    c[i * c_step + j] += a[k] * b[k * size + j]


@inline
def score_keys(scores, rows, s0, columns, D):
    """scores[i, t] = sum_d rows[s0 + i, d] columns[d, t], for as many keys as there are rows of scores."""
    size, wide = 2 * lanes(scores), (D + 3) // 4 * 4
    for i in range(0, scores.size // size, 4):
        four = rows[(s0 + i) * wide:(s0 + i + 4) * wide]
        add_tile(scores[i * size:], size, four[:D], four[wide:wide + D], four[2 * wide:2 * wide + D],
                 four[3 * wide:3 * wide + D], columns, True)


@inline
def hide(scores, oldest, s0, start):
    """Scores of what a query may not see become -inf; most keys of a block are seen by all and left alone.

    So do those that fill up the last four keys: none may see them.
    """
    size, hidden = 2 * lanes(scores), scores.dtype.type(-np.inf)
    latest = oldest[oldest.size - 1]    # first is non-decreasing
    for i in range(scores.size // size):
        s = np.int32(s0 + i)
        if s > start or s < latest:
            for t in range(size):
                visible = oldest[t] <= s and s <= np.int32(start + t)
                scores[i * size + t] = scores[i * size + t] if visible else hidden


@inline
def raise_top(top, scores):
    """Largest score so far of each query, where top holds those of the blocks before."""
    n = lanes(scores)
    top0, top1 = load(top, 0), load(top, n)
    for i in range(0, scores.size, 2 * n):
        top0, top1 = larger(load(scores, i), top0), larger(load(scores, i + n), top1)
    store(top, 0, top0), store(top, n, top1)


@inline
def subtract(scores, level):
    """scores[i, t] -= level[t]"""
    n, minus = lanes(scores), level.dtype.type(-1)
    level0, level1 = minus * load(level, 0), minus * load(level, n)
    for i in range(0, scores.size, 2 * n):
        store(scores, i, load(scores, i) + level0), store(scores, i + n, load(scores, i + n) + level1)


@inline
def multiply(sums, factors):
    """sums[i, t] *= factors[t]"""
    n = lanes(sums)
    factor0, factor1 = load(factors, 0), load(factors, n)
    for i in range(0, sums.size, 2 * n):
        store(sums, i, load(sums, i) * factor0), store(sums, i + n, load(sums, i + n) * factor1)


@inline
def weigh(scores):
    """scores[i, t] = exp(scores[i, t]), which is 0 for what is hidden."""
    for i in range(scores.size):
        scores[i] = exp(scores[i])


@inline
def slope(dprobs, probs):
    """dprobs[i, t] *= probs[i, t]: 0 where probs is 0, even if dprobs is NaN there."""
    zero = probs.dtype.type(0)
    for i in range(probs.size):
        dscore = probs[i] * dprobs[i]
        dprobs[i] = dscore if probs[i] != zero else zero   # an `if` around both would not vectorize


@inline
def add_rows(total, weights):
    """total[t] += sum_i weights[i, t]"""
    n = lanes(total)
    sum0, sum1 = blank(total), blank(total)
    for i in range(0, weights.size, 2 * n):
        sum0, sum1 = sum0 + load(weights, i), sum1 + load(weights, i + n)
    store(total, 0, load(total, 0) + sum0), store(total, n, load(total, n) + sum1)


@inline
def add_values(sums, rows, s0, stop, weights, D, clean):
    """sums[d, t] += sum_s rows[s, d] weights[s - s0, t] over s0 <= s < stop."""
    size, wide = 2 * lanes(sums), (D + 3) // 4 * 4
    for d in range(0, wide, 4):
        some = rows[s0 * wide + d:stop * wide]
        x0, x1, x2, x3 = some[0::wide], some[1::wide], some[2::wide], some[3::wide]
        if clean:
            add_tile(sums[d * size:], size, x0, x1, x2, x3, weights, False)
        else:
            add_careful_tile(sums[d * size:], size, x0, x1, x2, x3, weights, True)


@inline
def add_queries(sums, step, weights, rows, clean):
    """sums[i step + p size + j] += sum_t weights[i, t] rows[p, t, j]; four keys i at a time, all panels p."""
    size = 2 * lanes(sums)
    for i in range(0, weights.size // size, 4):
        w0, w1 = weights[i * size:(i + 1) * size], weights[(i + 1) * size:(i + 2) * size]
        w2, w3 = weights[(i + 2) * size:(i + 3) * size], weights[(i + 3) * size:(i + 4) * size]
        for left in range(0, step, size):
            if clean:
                add_tile(sums[i * step + left:], step, w0, w1, w2, w3, rows[left * size:], False)
            else:
                add_careful_tile(sums[i * step + left:], step, w0, w1, w2, w3, rows[left * size:], False)
