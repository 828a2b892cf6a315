"""One block of the transformer for one new token per row: a single call from Python.

The compiled kernel works in five stages. Each needs all of the one before, so the threads wait for
each other between two of them:

    0   norm, then queries, keys and values         tasks: tiles of rows x parts of the features
    1   rotation, key/value cache, attention        tasks: rows x key/value heads
    2   output projection, residual                 tiles x parts
    3   norm, gate and up, activation               tiles x parts
    4   down projection, residual                   tiles x parts

With few rows, a product reads its weights once, a dot product for each number. With more, a tile of
rows is transposed into a panel for the micro-kernel: packed is the small factor, the tokens, and
the weights are read in place. One thread sums each number, in an order that does not depend on the
number of threads.
"""

from contextlib import contextmanager

import numba
import numpy as np

from minillm.kernels.activation import (gelu_forward_plain, gelu_row, swiglu_forward_plain,
                                        swiglu_row)
from minillm.kernels.decode_pieces import (add_row, attend, copy_row, factor_of, linear, strip,
                                           whole)
from minillm.kernels.int8 import dequantize_plain
from minillm.kernels.lanes import lanes
from minillm.kernels.norm import (layer_row, layernorm_forward_plain, rms_row,
                                  rmsnorm_forward_plain)
from minillm.kernels.rotary import rotate_plain
from minillm.kernels.twin import inline, twin

FEW = 12            # rows: with fewer, packing costs more than it saves
SMALL = 1 << 20     # multiply-adds of a token: fewer do not repay waking a second thread


@contextmanager
def threads_for(products):
    """One thread where there are few multiply-adds: to wake a second one takes as long.

    Gives the number of threads.
    """
    before = numba.get_num_threads()
    threads = 1 if products < SMALL else before
    numba.set_num_threads(threads)
    try:
        yield threads
    finally:
        numba.set_num_threads(before)


def attention_decode_plain(q, keys, values, visible_from, column):
    """Attention of one new token per row over a key/value cache that holds its key and value.

    The token sees the keys visible_from[b] <= s <= column; the rest of the cache is never read.
    Shapes:  q (B, H, D), keys and values (B, G, S, D), visible_from (B,) int32, column int < S
             -> out (B, H, D)
    """
    B, H, D = q.shape
    G, out = keys.shape[1], np.zeros_like(q)
    for b in range(B):
        seen = slice(visible_from[b], column + 1)
        if visible_from[b] > column:
            continue
        queries = q[b].reshape(G, H // G, D)
        scores = np.einsum("grd,gsd->grs", queries, keys[b, :, seen]) / np.sqrt(D).astype(q.dtype)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        out[b] = np.einsum("grs,gsd->grd", weights, values[b, :, seen]).reshape(H, D)
    return out


def block_decode_plain(x, gains, shifts, weights, biases, cos, sin, positions, visible_from,
                       column, keys, values, eps, threads):
    """A block for one new token per row, which is at `column` of the key/value cache.

        x = x + attention(norm1(x));  y = x + feed_forward(norm2(x))

    Its key and value are stored in the cache, at `column`. An empty array stands for what a model
    does not have: a bias; with RMSNorm, shifts; with GELU, the gate; with learned positions, cos
    and sin, which are (1, 0) then. If the weights are int8 (int8.py), all are, and each bias is a
    pair, (bias, scales). threads: the compiled kernel divides its work by it, which changes no
    result.
    Shapes:  x (B, C), gains and shifts 2 x (C,), weights and biases of query, key, value, output,
             up, down, gate: 7 x (C_out, C_in) and 7 x (C_out,), cos and sin (P, D/2),
             positions and visible_from (B,) int32, column int < S, keys and values (B, G, S, D)
             -> y (B, C)
    """
    B, _, _, D = keys.shape
    query, key, value, output, up, down, gate = zip(weights, biases)
    n = _norm_plain(x, gains[0], shifts[0], eps)
    q, k, v = (_linear_plain(n, *layer).reshape(B, -1, D) for layer in (query, key, value))
    if cos.size:
        q, k = (rotate_plain(part[:, None], cos, sin, positions[:, None])[:, 0] for part in (q, k))
    keys[:, :, column], values[:, :, column] = k, v
    out = attention_decode_plain(q, keys, values, visible_from, column)
    x = x + _linear_plain(out.reshape(x.shape), *output)
    n = _norm_plain(x, gains[1], shifts[1], eps)
    hidden = _linear_plain(n, *up)                                      # (B, F)
    if gate[0].size:
        hidden = swiglu_forward_plain(_linear_plain(n, *gate), hidden)
    else:
        hidden = gelu_forward_plain(hidden)
    return x + _linear_plain(hidden, *down)


def _norm_plain(x, gain, shift, eps):
    if shift.size:
        return layernorm_forward_plain(x, gain, shift, eps)[0]
    return rmsnorm_forward_plain(x, gain, eps)[0]


def _linear_plain(x, weight, bias):
    if weight.dtype == np.int8:
        bias, scales = bias
        weight = dequantize_plain(weight, scales)
    y = x @ weight.T
    return y + bias if bias.size else y


@inline
def read_rows(rows, work, first, end, source, size, normed, gain, shift, eps):
    """The inputs of a tile's layers: `size` numbers of work[first:end], from column `source` on.

    normed: they are normalized first, by LayerNorm if there is a shift, else by RMSNorm.
    """
    for b in range(first, end):
        y, row = rows[b - first], work[b, source:source + size]
        if not normed:
            copy_row(y, row)
        elif shift.size:
            layer_row(y, row, gain, shift, eps)
        else:
            rms_row(y, row, gain, eps)


@inline
def finish_rows(work, first, end, start, stop, stage, gated, sums, up, gate, hidden):
    """After a tile's layers, for their features from start to stop: the residual or the activation.
    """
    for b in range(first, end):
        row = work[b]
        if stage != 3:
            add_row(row[start:stop], row[sums + start:sums + stop])
        elif gated:
            swiglu_row(row[hidden + start:hidden + stop], row[gate + start:gate + stop],
                       row[up + start:up + stop])
        else:
            gelu_row(row[hidden + start:hidden + stop], row[up + start:up + stop])


@twin(plain=block_decode_plain, parallel=True)
def block_decode(x, gains, shifts, weights, biases, cos, sin, positions, visible_from, column,
                 keys, values, eps, threads):
    (B, C), (G, D), n = x.shape, (keys.shape[1], keys.shape[3]), lanes(x)
    F, few, gated = weights[4].shape[0], B < FEW, weights[6].size > 0
    height = B if few else 2 * n            # rows of a tile
    tiles, parts = (B + height - 1) // height, 1
    while tiles * parts % threads:          # each thread has as many tasks
        parts += 1
    # A row of `work` is all about one token, and each of these is where something begins in it.
    q = whole(C, n)
    k = q + whole(C, n)
    v = k + whole(G * D, n)
    out = v + whole(G * D, n)
    sums = out + whole(C, n)
    up = sums + whole(C, n)
    gate = up + whole(F, n)
    hidden = gate + whole(F, n)
    work = np.empty((tiles * height, hidden + whole(F, n)), x.dtype)
    for b in range(B):
        copy_row(work[b, :C], x[b])
    for stage in range(5):
        tasks = B * G if stage == 1 else tiles * parts
        # The layers of a stage all read `size` numbers from `source`; they write from at0, ...
        source, size, i0, i1, i2, at0, at1, at2 = 0, C, 0, 1, 2, q, k, v
        if stage == 2:
            source, i0, at0 = out, 3, sums
        elif stage == 3:
            i0, i1, at0, at1 = 4, 6, up, gate
        elif stage == 4:
            source, size, i0, at0 = hidden, F, 5, sums
        w0, w1, w2, b0, b1, b2 = (weights[i0], weights[i1], weights[i2], biases[i0], biases[i1],
                                  biases[i2])
        gain, shift = gains[stage // 3], shifts[stage // 3]     # of stages 0 and 3
        for task in numba.prange(tasks):
            if stage == 1:
                b, g = task // G, task % G
                start = min(max(visible_from[b], 0), column + 1)
                place = max(positions[b], 0) if cos.size else 0
                attend(work[b], q, k, v, out, cos[place], sin[place], keys[b, g], values[b, g],
                        start, column, g, C // G)
            else:
                first, part = task // parts * height, task % parts
                end = min(first + height, B)
                rows = np.empty((height, whole(size, n)), x.dtype)
                read_rows(rows, work, first, end, source, size, stage % 3 == 0, gain, shift, eps)
                factor = factor_of(rows, few)
                linear(work, first, end, at0, factor, few, w0, b0, part, parts)
                if stage == 0 or stage == 3:
                    linear(work, first, end, at1, factor, few, w1, b1, part, parts)
                if stage == 0:
                    linear(work, first, end, at2, factor, few, w2, b2, part, parts)
                else:
                    start, stop = strip(w0.shape[0], n, part, parts)
                    finish_rows(work, first, end, start, stop, stage, gated, sums, up, gate, hidden)
    return work[:B, :C].copy()
