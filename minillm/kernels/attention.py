"""Causal attention over grouped heads, where `first` says how far back each query may look."""

import math

import numba
import numpy as np

from minillm.kernels.attention_tiles import (
    WIDTH, add_dots, add_values, first_of_tile, query_span, score_keys, take_keys, transpose, transpose_back)
from minillm.kernels.exp import exp
from minillm.kernels.twin import inline, twin


def attention_forward_plain(q, k, v, first):
    """Softmax-weighted mean of the visible values, one query and head at a time.

        out_t = sum_s p_ts v_s,   p_ts = exp(q_t . k_s / sqrt(D) - lse_t),   first_t <= s <= t

    Query head h reads key/value head h // (H // G). `first` is non-decreasing in t, and
    first[b, t] > t means that row t sees nothing: its out and lse are 0.
    Shapes:  q (B, T, H, D), k and v (B, T, G, D), first (B, T) int32 -> out (B, T, H, D), lse (B, H, T) nats
    Source:  Vaswani et al. 2017, arXiv:1706.03762, eq. 1; groups: Ainslie et al. 2023, arXiv:2305.13245.
    """
    B, T, H, D = q.shape
    G = k.shape[2]
    out, lse = np.zeros_like(q), np.zeros((B, H, T), dtype=q.dtype)
    for b, t in np.ndindex(B, T):
        seen = slice(first[b, t], t + 1)  # a slice, not a mask: 0 * NaN is NaN
        if first[b, t] > t:
            continue
        queries = q[b, t].reshape(G, H // G, D)
        scores = np.einsum("grd,sgd->grs", queries, k[b, seen]) / np.sqrt(D).astype(q.dtype)
        top = scores.max(axis=-1, keepdims=True)
        log_sum = top + np.log(np.exp(scores - top).sum(axis=-1, keepdims=True))
        out[b, t] = np.einsum("grs,sgd->grd", np.exp(scores - log_sum), v[b, seen]).reshape(H, D)
        lse[b, :, t] = log_sum.reshape(H)
    return out, lse


def attention_backward_plain(dout, q, k, v, out, lse, first):
    """Gradients of attention; the probabilities are recomputed from lse instead of being kept.

        dv_s = sum_t p_ts dout_t,   ds_ts = p_ts (dout_t . v_s - dout_t . out_t) / sqrt(D)
        dq_t = sum_s ds_ts k_s,     dk_s = sum_t ds_ts q_t

    Shapes:  dout and out as q, lse (B, H, T) -> dq, dk, dv as q, k, v
    Source:  Dao et al. 2022, arXiv:2205.14135, appendix B.2 (dout_t . out_t stands for sum_s p_ts dp_ts).
    """
    B, T, H, D = q.shape
    G = k.shape[2]
    dq, dk, dv = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
    for b, t in np.ndindex(B, T):
        seen = slice(first[b, t], t + 1)
        if first[b, t] > t:
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


def attention_decode_plain(q, k, v, first, length):
    """Attention of one new token per row over a key/value cache: keys first[b] <= s < length.

    The caches may be longer than `length`; what stands beyond it is never read.
    Shapes:  q (B, H, D), k and v (B, S, G, D), first (B,) int32, length int -> out (B, H, D)
    """
    B, H, D = q.shape
    G = k.shape[2]
    out = np.zeros_like(q)
    for b in range(B):
        seen = slice(first[b], length)
        if first[b] >= length:
            continue
        queries = q[b].reshape(G, H // G, D)
        scores = np.einsum("grd,sgd->grs", queries, k[b, seen]) / np.sqrt(D).astype(q.dtype)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        out[b] = np.einsum("grs,sgd->grd", weights, v[b, seen]).reshape(H, D)
    return out


# How the compiled kernels lay things out in memory, and their shared pieces: attention_tiles.py.

@inline
def _raise_top(top, row, first, s, t0):
    """Largest visible score so far of each query t0, t0 + 1, ..."""
    for t in range(row.size):
        visible = first[t] <= s and s <= t0 + np.int32(t)
        if visible and row[t] > top[t]:
            top[t] = row[t]


@inline
def _weigh(row, total, top, first, s, t0):
    """Scores of key s become exp(score - top), or 0 where it is not visible; total adds them up."""
    for t in range(row.size):
        weight = exp(row[t] - top[t])
        weight = weight if first[t] <= s and s <= t0 + np.int32(t) else row.dtype.type(0)
        row[t] = weight
        total[t] += weight


@inline
def _softmax_backward(p, ds, lse, delta, first, s, t0):
    """Scores in p become probabilities, dprobs in ds dscores p (dp - delta); 0 where s is not visible."""
    zero = p.dtype.type(0)
    for t in range(p.size):
        prob = exp(p[t] - lse[t])
        dscore = prob * (ds[t] - delta[t])
        visible = first[t] <= s and s <= t0 + np.int32(t)  # comes last: a branch would not vectorize
        p[t] = prob if visible else zero
        ds[t] = dscore if visible else zero


@inline
def _forward_head(out, lse, q, k, v, first, b, h, g):
    """attention_forward of query head h of row b."""
    T, D = q.shape[1], q.shape[3]
    rows = (D + 3) // 4 * 4
    qT, outT = np.empty(rows * WIDTH, q.dtype), np.empty(rows * WIDTH, q.dtype)
    keys, scores = np.empty((4, rows), q.dtype), np.empty((T + 3) // 4 * 4 * WIDTH, q.dtype)
    top, total = np.empty(WIDTH, q.dtype), np.empty(WIDTH, q.dtype)
    for start in range(0, T, WIDTH):
        stop = min(start + WIDTH, T)
        earliest = max(first[b, start], 0) // 4 * 4
        seen = first_of_tile(first, b, start, stop)
        transpose(qT, q, b, h, start, stop, q.dtype.type(1 / math.sqrt(D)))
        for t in range(WIDTH):
            top[t], total[t] = -np.inf, 0
        for i in range(outT.size):
            outT[i] = 0
        for s0 in range(earliest, stop, 4):
            lo, hi = query_span(first, b, start, stop, s0)
            take_keys(keys, k, b, g, s0)
            block = scores[s0 * WIDTH:(s0 + 4) * WIDTH]
            score_keys(block, keys, qT, lo, hi)
            for i in range(4):
                row = block[i * WIDTH + lo:i * WIDTH + hi]
                _raise_top(top[lo:hi], row, seen[lo:hi], np.int32(s0 + i), np.int32(start + lo))
        for s0 in range(earliest, stop, 4):
            lo, hi = query_span(first, b, start, stop, s0)
            clean = take_keys(keys, v, b, g, s0)
            block = scores[s0 * WIDTH:(s0 + 4) * WIDTH]
            for i in range(4):
                row = block[i * WIDTH + lo:i * WIDTH + hi]
                _weigh(row, total[lo:hi], top[lo:hi], seen[lo:hi], np.int32(s0 + i), np.int32(start + lo))
            add_values(outT, keys, block, lo, hi, clean)
        for t in range(stop - start):
            lse[b, h, start + t] = top[t] + math.log(total[t]) if total[t] != 0 else 0
            total[t] = 1 / total[t] if total[t] != 0 else 0  # nothing visible: 0
        transpose_back(out, outT, b, h, start, stop, total)


@twin(plain=attention_forward_plain, parallel=True)
def attention_forward(q, k, v, first):
    B, T, H, D = q.shape
    out, lse = np.empty_like(q), np.empty((B, H, T), dtype=q.dtype)
    for n in numba.prange(B * H):
        _forward_head(out, lse, q, k, v, first, n // H, n % H, n % H // (H // k.shape[2]))
    return out, lse


@inline
def _backward_head(dq, dk, dv, dout, q, k, v, out, lse, first, b, h, g):
    """attention_backward of query head h of row b; dk and dv are added to."""
    T, D = q.shape[1], q.shape[3]
    rows, scale = (D + 3) // 4 * 4, q.dtype.type(1 / math.sqrt(D))
    keys, values = np.empty((4, rows), q.dtype), np.empty((4, rows), q.dtype)
    qT, doutT = np.empty(rows * WIDTH, q.dtype), np.empty(rows * WIDTH, q.dtype)
    dqT = np.empty(rows * WIDTH, q.dtype)
    probs, dscores = np.empty(4 * WIDTH, q.dtype), np.empty(4 * WIDTH, q.dtype)
    logs, delta, scales = np.zeros(WIDTH, q.dtype), np.zeros(WIDTH, q.dtype), np.empty(WIDTH, q.dtype)
    for start in range(0, T, WIDTH):
        stop = min(start + WIDTH, T)
        seen = first_of_tile(first, b, start, stop)
        transpose(qT, q, b, h, start, stop, scale)
        transpose(doutT, dout, b, h, start, stop, q.dtype.type(1))
        for i in range(dqT.size):
            dqT[i] = 0
        for t in range(stop - start):
            logs[t], delta[t], scales[t] = lse[b, h, start + t], 0, scale
            dout_row, out_row = dout[b, start + t, h], out[b, start + t, h]
            for d in range(D):
                delta[t] += dout_row[d] * out_row[d]
        for s0 in range(max(first[b, start], 0) // 4 * 4, stop, 4):
            lo, hi = query_span(first, b, start, stop, s0)
            clean = take_keys(keys, k, b, g, s0)
            take_keys(values, v, b, g, s0)
            score_keys(probs, keys, qT, lo, hi)
            score_keys(dscores, values, doutT, lo, hi)
            for i in range(4):
                p, ds = probs[i * WIDTH + lo:i * WIDTH + hi], dscores[i * WIDTH + lo:i * WIDTH + hi]
                s, t0 = np.int32(s0 + i), np.int32(start + lo)
                _softmax_backward(p, ds, logs[lo:hi], delta[lo:hi], seen[lo:hi], s, t0)
                if s < T:
                    add_dots(dv[b, s, g], p, doutT, lo)
                    add_dots(dk[b, s, g], ds, qT, lo)
            add_values(dqT, keys, dscores, lo, hi, clean)
        transpose_back(dq, dqT, b, h, start, stop, scales)


@twin(plain=attention_backward_plain, parallel=True)
def attention_backward(dout, q, k, v, out, lse, first):
    B, T, H, D = q.shape
    G = k.shape[2]
    dq, dk, dv = np.empty_like(q), np.zeros_like(k), np.zeros_like(v)
    for n in numba.prange(B * G):  # the query heads of a group add to one dk: one task, in order
        for h in range(n % G * (H // G), (n % G + 1) * (H // G)):
            _backward_head(dq, dk, dv, dout, q, k, v, out, lse, first, n // G, h, n % G)
    return dq, dk, dv


@inline
def _decode_head(out, q, k, v, b, h, g, start, length):
    """attention_decode of query head h of row b."""
    zero = q.dtype.type(0)
    query, weights = q[b, h], np.empty(length, dtype=q.dtype)
    scale, top, total = q.dtype.type(1 / math.sqrt(query.size)), q.dtype.type(-np.inf), zero
    for s in range(start, length):
        row, score = k[b, s, g], zero
        for d in range(row.size):
            score += query[d] * row[d]
        weights[s] = score * scale
        top = max(top, weights[s])
    for s in range(start, length):
        weights[s] = exp(weights[s] - top)
        total += weights[s]
    for d in range(query.size):
        out[b, h, d] = 0
    for s in range(start, length):
        row, weight = v[b, s, g], weights[s] / total
        for d in range(row.size):
            out[b, h, d] += weight * row[d]


@twin(plain=attention_decode_plain, parallel=True)
def attention_decode(q, k, v, first, length):
    B, H, _ = q.shape
    out = np.empty_like(q)
    for n in numba.prange(B * H):
        _decode_head(out, q, k, v, n // H, n % H, n % H // (H // k.shape[2]), max(first[n // H], 0), length)
    return out
