"""Causal attention over grouped heads: each query sees the keys from `visible_from` to itself.

Every kernel has three rungs: plain NumPy, the loops to read (attention_loops.py), and the compiled
kernel, here below its plain twin. Its pieces and its layout of memory are in attention_tiles.py.
"""

import math

import numba
import numpy as np

from minillm.kernels import attention_loops
from minillm.kernels.attention_tiles import (add_over_keys, add_over_queries, add_sum_over_keys,
                                             exponentiate, finite, gradient_of_scores, mask_scores,
                                             multiply, oldest_visible, pack_head, pack_panel,
                                             score_keys, subtract, sums_over_keys, transpose,
                                             transpose_panel, update_maximum)
from minillm.kernels.exp import exp
from minillm.kernels.lanes import MR, lanes
from minillm.kernels.tile import dot
from minillm.kernels.twin import ordered, twin

# Keys of a block, whole tiles: its scores for a panel of queries stay in the first-level cache.
KEYS = 128 // MR * MR


def attention_forward_plain(q, k, v, visible_from):
    """Softmax-weighted mean of the visible values, one query and head at a time.

        out_t = sum_s p_ts v_s,   p_ts = exp(q_t . k_s / sqrt(D) - lse_t)
        over the visible keys, visible_from_t <= s <= t

    The causal mask hides what comes after t; visible_from hides padding and earlier documents. It
    does not decrease with t. visible_from[b, t] > t means that query t sees nothing: its out and
    lse are 0. Query head h reads key/value head h // (H // G).
    Shapes:  q (B, T, H, D), k and v (B, T, G, D), visible_from (B, T) int32
             -> out (B, T, H, D), lse (B, H, T) nats
    Source:  Vaswani et al. 2017, arXiv:1706.03762, eq. 1;
             groups: Ainslie et al. 2023, arXiv:2305.13245.
    """
    B, T, H, D = q.shape
    G = k.shape[2]
    out, lse = np.zeros_like(q), np.zeros((B, H, T), dtype=q.dtype)
    for b, t in np.ndindex(B, T):
        seen = slice(visible_from[b, t], t + 1)    # a slice, as a mask would leave 0 * NaN
        if visible_from[b, t] > t:
            continue
        queries = q[b, t].reshape(G, H // G, D)
        scores = np.einsum("grd,sgd->grs", queries, k[b, seen]) / np.sqrt(D).astype(q.dtype)
        top = scores.max(axis=-1, keepdims=True)
        weights = np.exp(scores - top)
        total = weights.sum(axis=-1, keepdims=True)
        out[b, t] = np.einsum("grs,sgd->grd", weights / total, v[b, seen]).reshape(H, D)
        lse[b, :, t] = (top + np.log(total)).reshape(H)
    return out, lse


@ordered
def _running_softmax(scores, sums, total, top):
    """Online softmax: one block's scores become weights relative to the running maximum.

    The block may raise the maximum; the sums of the blocks before are then rescaled to it.
    Shapes:  scores (keys, size) and sums (D, size), flat; total and top (size,)
    """
    size = 2 * lanes(top)
    before, level, factor = top.copy(), np.empty_like(top), np.empty_like(top)
    update_maximum(top, scores)
    for t in range(size):
        level[t] = top[t] if top[t] > -np.inf else 0    # no key yet: -inf - -inf would be NaN
        factor[t] = exp(before[t] - level[t])
        total[t] *= factor[t]
    multiply(sums, factor)
    subtract(scores, level)
    exponentiate(scores)
    add_sum_over_keys(total, scores)


@ordered
def _forward_head(out, lse, q, k, v, visible_from, b, h, g):
    """attention_forward of query head h of batch row b, which reads key/value head g."""
    T, D = q.shape[1], q.shape[3]
    size, scale = 2 * lanes(q), q.dtype.type(1 / math.sqrt(D))
    keys, values = pack_head(k, b, g), pack_head(v, b, g)
    clean = finite(values)
    step = (D + size - 1) // size * size
    rows, queries = np.empty(step * size, q.dtype), np.empty(step * size, q.dtype)
    sums, scores = sums_over_keys(rows, D), np.empty(KEYS * size, q.dtype)
    top, total = np.empty(size, q.dtype), np.empty(size, q.dtype)
    for start in range(0, T, size):
        oldest, stop = oldest_visible(visible_from, b, start, size), min(start + size, T)
        pack_panel(rows, q, b, h, start, oldest, scale)
        transpose_panel(queries, rows, D)
        top[:], total[:], sums[:] = -np.inf, 0, 0
        oldest_of_all = max(visible_from[b, start], 0) // MR * MR   # blocks begin at whole tiles
        for s0 in range(oldest_of_all, stop, KEYS):
            end = min(s0 + KEYS, stop)
            block = scores[:(end - s0 + MR - 1) // MR * MR * size]
            score_keys(block, keys, s0, queries, D)
            mask_scores(block, oldest, s0, start)
            _running_softmax(block, sums, total, top)
            add_over_keys(sums, values, s0, end, block, D, clean)
        transpose(rows, step, sums, size, D, size)
        for t in range(stop - start):
            # Not total == 0: a query whose visible scores are all -inf must give NaN.
            blind = oldest[t] > start + t
            lse[b, h, start + t] = 0 if blind else top[t] + np.log(total[t])
            inverse = q.dtype.type(0 if blind else 1 / total[t])
            row, some = out[b, start + t, h], rows[t * step:t * step + D]
            for d in range(D):
                row[d] = some[d] * inverse


@twin(plain=attention_forward_plain, loops=attention_loops.attention_forward, parallel=True)
def attention_forward(q, k, v, visible_from):
    B, T, H, D = q.shape
    out, lse = np.empty_like(q), np.empty((B, H, T), dtype=q.dtype)
    for n in numba.prange(B * H):   # heads outermost: each thread gets rows of all lengths
        _forward_head(out, lse, q, k, v, visible_from, n % B, n // B, n // B // (H // k.shape[2]))
    return out, lse


def attention_backward_plain(dout, q, k, v, out, lse, visible_from):
    """Gradients of attention; the probabilities are recomputed from lse instead of being kept.

        dv_s = sum_t p_ts dout_t,   ds_ts = p_ts (dout_t . v_s - dout_t . out_t) / sqrt(D)
        dq_t = sum_s ds_ts k_s,     dk_s = sum_t ds_ts q_t

    Shapes:  dout and out as q, lse (B, H, T) -> dq, dk, dv as q, k, v
    Source:  Dao et al. 2022, arXiv:2205.14135, appendix B.2: dout_t . out_t = sum_s p_ts dp_ts.
    """
    B, T, H, D = q.shape
    G = k.shape[2]
    dq, dk, dv = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
    for b, t in np.ndindex(B, T):
        seen = slice(visible_from[b, t], t + 1)
        if visible_from[b, t] > t:
            continue
        queries, douts, outs = (x[b, t].reshape(G, H // G, D) for x in (q, dout, out))
        scale = 1 / np.sqrt(D).astype(q.dtype)
        scores = np.einsum("grd,sgd->grs", queries, k[b, seen]) * scale
        probs = np.exp(scores - lse[b, :, t].reshape(G, H // G, 1))
        dv[b, seen] += np.einsum("grs,grd->sgd", probs, douts)
        dprobs = np.einsum("grd,sgd->grs", douts, v[b, seen])
        dscores = probs * (dprobs - np.sum(douts * outs, axis=-1, keepdims=True)) * scale
        dq[b, t] = np.einsum("grs,sgd->grd", dscores, k[b, seen]).reshape(H, D)
        dk[b, seen] += np.einsum("grs,grd->sgd", dscores, queries)
    return dq, dk, dv


@ordered
def _backward_head(dq, dk, dv, dout, q, keys, values, out, lse, visible_from, b, h):
    """attention_backward of query head h of batch row b. It adds to dk and dv.

    Shapes:  dk and dv (T, D), flat, both axes padded to whole register tiles
    """
    T, D = q.shape[1], q.shape[3]
    size, scale, clean_keys = 2 * lanes(q), q.dtype.type(1 / math.sqrt(D)), finite(keys)
    step = (D + size - 1) // size * size
    queries, douts = np.empty(step * size, q.dtype), np.empty(step * size, q.dtype)
    query_rows, dout_rows = np.empty(step * size, q.dtype), np.empty(step * size, q.dtype)
    probs, dscores = np.empty(KEYS * size, q.dtype), np.empty(KEYS * size, q.dtype)
    dqueries = sums_over_keys(queries, D)
    for start in range(0, T, size):
        oldest, stop = oldest_visible(visible_from, b, start, size), min(start + size, T)
        pack_panel(query_rows, q, b, h, start, oldest, scale)
        pack_panel(dout_rows, dout, b, h, start, oldest, q.dtype.type(1))
        transpose_panel(queries, query_rows, D)
        transpose_panel(douts, dout_rows, D)
        clean_queries, clean_douts = finite(query_rows), finite(dout_rows)
        logs, delta = np.zeros(size, q.dtype), np.zeros(size, q.dtype)
        for t in range(stop - start):
            if oldest[t] <= start + t:
                logs[t] = lse[b, h, start + t]
                delta[t] = dot(dout[b, start + t, h], out[b, start + t, h])
        dqueries[:] = 0
        oldest_of_all = max(visible_from[b, start], 0) // MR * MR
        for s0 in range(oldest_of_all, stop, KEYS):
            end = min(s0 + KEYS, stop)
            padded = (end - s0 + MR - 1) // MR * MR
            p, ds = probs[:padded * size], dscores[:padded * size]
            score_keys(p, keys, s0, queries, D)
            score_keys(ds, values, s0, douts, D)
            subtract(p, logs)
            mask_scores(p, oldest, s0, start)   # after subtract: logs may be NaN, masked scores not
            exponentiate(p)
            subtract(ds, delta)
            gradient_of_scores(ds, p)
            add_over_queries(dv[s0 * step:], step, p, dout_rows, clean_douts)
            add_over_queries(dk[s0 * step:], step, ds, query_rows, clean_queries)
            add_over_keys(dqueries, keys, s0, end, ds, D, clean_keys)
        transpose(query_rows, step, dqueries, size, D, size)
        for t in range(stop - start):
            row, some = dq[b, start + t, h], query_rows[t * step:t * step + D]
            for d in range(D):
                row[d] = scale * some[d]


@ordered
def _backward_group(dq, dk, dv, dout, q, k, v, out, lse, visible_from, b, g):
    """attention_backward of all query heads that read key/value head g of batch row b.

    They add to the same dk and dv, so one thread runs them all.
    """
    T, heads, D, size = q.shape[1], q.shape[2] // k.shape[2], q.shape[3], 2 * lanes(q)
    step = (D + size - 1) // size * size
    keys, values = pack_head(k, b, g), pack_head(v, b, g)
    padded = (T + MR - 1) // MR * MR
    dkeys, dvalues = np.zeros(padded * step, q.dtype), np.zeros(padded * step, q.dtype)
    for h in range(g * heads, (g + 1) * heads):
        _backward_head(dq, dkeys, dvalues, dout, q, keys, values, out, lse, visible_from, b, h)
    for s in range(T):
        for d in range(D):
            dk[b, s, g, d], dv[b, s, g, d] = dkeys[s * step + d], dvalues[s * step + d]


@twin(plain=attention_backward_plain, loops=attention_loops.attention_backward, parallel=True)
def attention_backward(dout, q, k, v, out, lse, visible_from):
    B, G = k.shape[0], k.shape[2]
    dq, dk, dv = np.empty_like(q), np.empty_like(k), np.empty_like(v)
    for n in numba.prange(B * G):
        _backward_group(dq, dk, dv, dout, q, k, v, out, lse, visible_from, n % B, n // B)
    return dq, dk, dv
