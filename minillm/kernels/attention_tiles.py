"""The pieces of the attention kernels: blocks of keys against panels of queries.

A panel is as many queries as a register tile is wide (two vectors). Scores, queries and sums lie transposed in
flat arrays: a row per key or channel, the panel's queries along it. So all four products of attention are
register tiles, and the softmax over the keys is elementwise. What a query may not see gets the weight 0; as
0 * NaN is NaN, a block that holds a NaN or an infinity goes through a slower product that skips such weights.
"""

import numpy as np

from minillm.kernels.lanes import lanes
from minillm.kernels.tile import add_tile
from minillm.kernels.twin import inline


@inline
def first_of_panel(first, b, start, size):
    """`first` of a panel's queries; places beyond the last query see nothing: they begin after the panel."""
    seen = np.empty(size, dtype=np.int32)
    for t in range(size):
        seen[t] = first[b, start + t] if start + t < first.shape[1] else start + size
    return seen


@inline
def pack_queries(columns, x, b, h, start, seen, scale):
    """columns[d, t] = scale x[b, start + t, h, d], and 0 for a query that sees nothing."""
    for t in range(seen.size):
        if seen[t] <= start + t:
            row = x[b, start + t, h]
            for d in range(row.size):
                columns[d * seen.size + t] = scale * row[d]
        else:
            for d in range(x.shape[3]):
                columns[d * seen.size + t] = 0


@inline
def pack_rows(rows, columns, channels):
    """rows[p, t, j] = columns[p size + j, t]: the same queries in panels of channels; zeros beyond the last."""
    size = 2 * lanes(rows)
    for i in range(rows.size):
        rows[i] = 0
    for d in range(channels):
        column, left = columns[d * size:(d + 1) * size], d // size * size * size + d % size
        for t in range(size):
            rows[left + t * size] = column[t]


@inline
def finite(x):
    """Whether a flat array holds no NaN and no infinity."""
    nothing = x.dtype.type(0)
    for i in range(x.size):
        nothing += x[i] * 0
    return nothing == 0


@inline
def finite_keys(x, b, g, s0, stop):
    """Whether keys (or values) s0 <= s < stop hold no NaN and no infinity."""
    nothing = x.dtype.type(0)
    for s in range(s0, stop):
        row = x[b, s, g]
        for d in range(row.size):
            nothing += row[d] * 0
    return nothing == 0


@inline
def add_careful_tile(c, c_step, a0, a1, a2, a3, b):
    """add_tile in which a factor of 0 keeps out even a NaN."""
    size = 2 * lanes(c)
    for i in range(4):
        a = (a0, a1, a2, a3)[i]
        for k in range(a.size):
            for j in range(size):
                if a[k] != 0 and b[k * size + j] != 0:
                    c[i * c_step + j] += a[k] * b[k * size + j]


@inline
def score_keys(scores, x, b, g, s0, columns):
    """scores[i, t] = sum_d x[b, s0 + i, g, d] columns[d, t], for as many keys as there are rows of scores."""
    size, last = 2 * lanes(scores), x.shape[1] - 1
    for i in range(scores.size):
        scores[i] = 0
    for i in range(0, scores.size // size, 4):      # beyond the last key: anything, nobody sees it
        s = s0 + i
        add_tile(scores[i * size:], size, x[b, min(s, last), g, ::1], x[b, min(s + 1, last), g, ::1],
                 x[b, min(s + 2, last), g, ::1], x[b, min(s + 3, last), g, ::1], columns)


@inline
def add_values(sums, x, b, g, s0, stop, weights, clean):
    """sums[d, t] += sum_s x[b, s, g, d] weights[s - s0, t] over s0 <= s < stop."""
    size, last = 2 * lanes(sums), x.shape[3] - 1
    for d in range(0, sums.size // size, 4):        # beyond the last channel: anything, nobody reads it
        x0, x1 = x[b, s0:stop:1, g, d], x[b, s0:stop:1, g, min(d + 1, last)]
        x2, x3 = x[b, s0:stop:1, g, min(d + 2, last)], x[b, s0:stop:1, g, min(d + 3, last)]
        if clean:
            add_tile(sums[d * size:], size, x0, x1, x2, x3, weights)
        else:
            add_careful_tile(sums[d * size:], size, x0, x1, x2, x3, weights)


@inline
def add_queries(sums, step, weights, rows, clean):
    """sums[i step + p size + j] += sum_t weights[i, t] rows[p, t, j]; four keys i at a time, all panels p."""
    size = 2 * lanes(sums)
    for i in range(0, weights.size // size, 4):
        w0, w1 = weights[i * size:(i + 1) * size:1], weights[(i + 1) * size:(i + 2) * size:1]
        w2, w3 = weights[(i + 2) * size:(i + 3) * size:1], weights[(i + 3) * size:(i + 4) * size:1]
        for left in range(0, step, size):
            if clean:
                add_tile(sums[i * step + left:], step, w0, w1, w2, w3, rows[left * size:])
            else:
                add_careful_tile(sums[i * step + left:], step, w0, w1, w2, w3, rows[left * size:])
