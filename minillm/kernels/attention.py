"""Causal attention over grouped heads, where `first` says how far back each query may look."""

import math

import numba
import numpy as np

from minillm.kernels.exp import exp
from minillm.kernels.twin import inline, twin


def attention_forward_plain(q, k, v, first):
    """Softmax-weighted mean of the visible values, one query and head at a time.

        out_t = sum_s p_ts v_s,   p_ts = exp(q_t . k_s / sqrt(D) - lse_t),   first_t <= s <= t

    Query head h reads key/value head h // (H // G). `first` is non-decreasing in t, and
    first[b, t] > t means that row t sees nothing: its out and lse are 0.
    Shapes:  q (B, T, H, D), k and v (B, T, G, D), first (B, T) int32 -> out (B, T, H, D), lse (B, H, T) nats
    Source:  Vaswani et al. 2017, arXiv:1706.03762, eq. 1; grouped heads: Ainslie et al. 2023, arXiv:2305.13245.
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
        scores = np.einsum("grd,sgd->grs", q[b].reshape(G, H // G, D), k[b, seen]) / np.sqrt(D).astype(q.dtype)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        out[b] = np.einsum("grs,sgd->grd", weights, v[b, seen]).reshape(H, D)
    return out


# The compiled kernels hold everything transposed: a row per key (scores) or per channel (q, out), and WIDTH
# queries along it. Then every inner loop runs along the queries, and the softmax over keys is elementwise.
# Keys come in blocks of 4; a block is seen by one stretch of queries, as `first` never decreases.
WIDTH = 128  # queries per tile


@inline
def _span(first, start, stop, s0):
    """The queries in [start, stop) that may see one of the keys s0..s0+3, widened to whole vectors of 16."""
    low, high = start, stop  # bisection: `high` becomes the first query with first[t] > s0 + 3
    while low < high:
        middle = (low + high) // 2
        if first[middle] > s0 + 3:
            high = middle
        else:
            low = middle + 1
    begin = max(s0, start) - start
    return begin // 16 * 16, (max(high - start, begin) + 15) // 16 * 16 if high > s0 else begin // 16 * 16


@inline
def _tile(c, a, b, width):
    """c_i += sum_j a[4 j + i] b_j for 4 rows of each, WIDTH apart; the 16 values of a stay in registers."""
    a00, a10, a20, a30 = a[0], a[1], a[2], a[3]
    a01, a11, a21, a31 = a[4], a[5], a[6], a[7]
    a02, a12, a22, a32 = a[8], a[9], a[10], a[11]
    a03, a13, a23, a33 = a[12], a[13], a[14], a[15]
    for t in range(width):
        b0, b1, b2, b3 = b[t], b[WIDTH + t], b[2 * WIDTH + t], b[3 * WIDTH + t]
        c[t] += a00 * b0 + a01 * b1 + a02 * b2 + a03 * b3
        c[WIDTH + t] += a10 * b0 + a11 * b1 + a12 * b2 + a13 * b3
        c[2 * WIDTH + t] += a20 * b0 + a21 * b1 + a22 * b2 + a23 * b3
        c[3 * WIDTH + t] += a30 * b0 + a31 * b1 + a32 * b2 + a33 * b3


@inline
def _transpose_in(xT, x, scale):
    """xT[d, t] = scale * x[t, d], zero beyond the edges of x (tile, D)."""
    for i in range(xT.size):
        xT[i] = 0
    for t in range(x.shape[0]):
        for d in range(x.shape[1]):
            xT[d * WIDTH + t] = scale * x[t, d]


@inline
def _pack_keys(by_channel, by_key, x, s0):
    """Four rows of x (S, D) in the two orders that _tile wants; False if one of them holds a NaN or infinity.

    by_channel[4 d + i] = x[s0 + i, d] makes scores; by_key[4 (4 (d // 4) + i) + d % 4] makes sums over keys.
    """
    S, D = x.shape
    clean = x.dtype.type(0)
    for n in range(by_key.size):
        by_channel[n] = by_key[n] = 0
    for i in range(min(4, S - s0)):
        for d in range(D):
            value = x[s0 + i, d]
            clean += value * 0  # 0, unless the value is NaN or infinite
            by_channel[4 * d + i] = value
            by_key[d // 4 * 16 + 4 * i + d % 4] = value
    return clean == 0


@inline
def _scores(scores, by_channel, xT, lo, hi):
    """scores[i, t] = sum_d x[t, d] key_i[d] for four keys and the queries lo <= t < hi."""
    for i in range(4):
        for t in range(i * WIDTH + lo, i * WIDTH + hi):
            scores[t] = 0
    span = 3 * WIDTH + hi - lo
    for d in range(0, by_channel.size // 4, 4):
        _tile(scores[lo:lo + span], by_channel[4 * d:4 * d + 16], xT[d * WIDTH + lo:d * WIDTH + lo + span], hi - lo)


@inline
def _add_values(outT, by_key, weights, lo, hi, clean):
    """outT[d, t] += sum_i weights[i, t] value_i[d] for four keys; an unclean value is kept from weights of 0."""
    span = 3 * WIDTH + hi - lo
    for d in range(0, by_key.size // 4, 4):
        a, rows = by_key[4 * d:4 * d + 16], outT[d * WIDTH + lo:d * WIDTH + lo + span]
        if clean:
            _tile(rows, a, weights[lo:lo + span], hi - lo)
        else:
            for n in range(16):
                for t in range(hi - lo):
                    weight = weights[n // 4 * WIDTH + lo + t]
                    if weight != 0:
                        rows[n % 4 * WIDTH + t] += a[n] * weight


@inline
def _add_dots(dx, p, xT, lo):
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


@inline
def _tile_first(first, start, stop):
    """`first` of a tile, relative to its first query; the places beyond its end see nothing."""
    out = np.full(WIDTH, WIDTH, dtype=np.int32)
    for t in range(start, stop):
        out[t - start] = first[t] - start
    return out


@inline
def _forward_head(out, lse, q, k, v, first):
    """One query head: q and out (T, D), lse (T,), k and v (T, D)."""
    T, D = q.shape
    D4 = (D + 3) // 4 * 4
    dtype = q.dtype.type
    by_channel, by_key = np.empty(4 * D4, q.dtype), np.empty(4 * D4, q.dtype)
    qT, outT = np.empty(D4 * WIDTH, q.dtype), np.empty(D4 * WIDTH, q.dtype)
    scores = np.empty((T + 3) // 4 * 4 * WIDTH, q.dtype)
    top, total = np.empty(WIDTH, q.dtype), np.empty(WIDTH, q.dtype)
    for start in range(0, T, WIDTH):
        stop = min(start + WIDTH, T)
        low = max(first[start], 0) // 4 * 4
        relative = _tile_first(first, start, stop)
        _transpose_in(qT, q[start:stop], dtype(1 / math.sqrt(D)))
        for t in range(WIDTH):
            top[t], total[t] = -np.inf, 0
        for i in range(outT.size):
            outT[i] = 0
        for s0 in range(low, stop, 4):
            lo, hi = _span(first, start, stop, s0)
            _pack_keys(by_channel, by_key, k, s0)
            block = scores[s0 * WIDTH:(s0 + 4) * WIDTH]
            _scores(block, by_channel, qT, lo, hi)
            for i in range(4):
                row = block[i * WIDTH + lo:i * WIDTH + hi]
                _raise_top(top[lo:hi], row, relative[lo:hi], np.int32(s0 + i - start), np.int32(lo))
        for s0 in range(low, stop, 4):
            lo, hi = _span(first, start, stop, s0)
            clean = _pack_keys(by_channel, by_key, v, s0)
            block = scores[s0 * WIDTH:(s0 + 4) * WIDTH]
            for i in range(4):
                row = block[i * WIDTH + lo:i * WIDTH + hi]
                _weigh(row, total[lo:hi], top[lo:hi], relative[lo:hi], np.int32(s0 + i - start), np.int32(lo))
            _add_values(outT, by_key, block, lo, hi, clean)
        for t in range(start, stop):
            sees = total[t - start] != 0  # NaN sees
            lse[t] = top[t - start] + math.log(total[t - start]) if sees else 0
            for d in range(D):
                out[t, d] = outT[d * WIDTH + t - start] / total[t - start] if sees else 0


@inline
def _raise_top(top, row, first, s, lo):
    """Largest visible score so far of each query."""
    for t in range(row.size):
        if first[t] <= s and s <= lo + np.int32(t) and row[t] > top[t]:
            top[t] = row[t]


@inline
def _weigh(row, total, top, first, s, lo):
    """Scores of key s become exp(score - top), 0 where it is not visible; total adds them up."""
    for t in range(row.size):
        weight = exp(row[t] - top[t])
        weight = weight if first[t] <= s and s <= lo + np.int32(t) else row.dtype.type(0)
        row[t] = weight
        total[t] += weight


@twin(plain=attention_forward_plain, parallel=True)
def attention_forward(q, k, v, first):
    B, T, H, D = q.shape
    G = k.shape[2]
    out, lse = np.empty_like(q), np.empty((B, H, T), dtype=q.dtype)
    for n in numba.prange(B * H):
        b, h = n // H, n % H
        g = h // (H // G)
        _forward_head(out[b, :, h], lse[b, h], q[b, :, h], k[b, :, g], v[b, :, g], first[b])
    return out, lse


@inline
def _backward_head(dq, dk, dv, dout, q, k, v, out, lse, first):
    """One query head: dq, dout, q, out (T, D), lse (T,); dk and dv (T, D) are added to."""
    T, D = q.shape
    D4 = (D + 3) // 4 * 4
    scale = q.dtype.type(1 / math.sqrt(D))
    k_by_channel, k_by_key = np.empty(4 * D4, q.dtype), np.empty(4 * D4, q.dtype)
    v_by_channel, v_by_key = np.empty(4 * D4, q.dtype), np.empty(4 * D4, q.dtype)
    qT, doutT, dqT = np.empty(D4 * WIDTH, q.dtype), np.empty(D4 * WIDTH, q.dtype), np.empty(D4 * WIDTH, q.dtype)
    probs, dscores = np.empty(4 * WIDTH, q.dtype), np.empty(4 * WIDTH, q.dtype)
    logs, delta = np.zeros(WIDTH, q.dtype), np.zeros(WIDTH, q.dtype)
    for start in range(0, T, WIDTH):
        stop = min(start + WIDTH, T)
        relative = _tile_first(first, start, stop)
        _transpose_in(qT, q[start:stop], scale)
        _transpose_in(doutT, dout[start:stop], q.dtype.type(1))
        for i in range(dqT.size):
            dqT[i] = 0
        for t in range(start, stop):
            logs[t - start], delta[t - start] = lse[t], 0
            for d in range(D):
                delta[t - start] += dout[t, d] * out[t, d]
        for s0 in range(max(first[start], 0) // 4 * 4, stop, 4):
            lo, hi = _span(first, start, stop, s0)
            clean = _pack_keys(k_by_channel, k_by_key, k, s0)
            _pack_keys(v_by_channel, v_by_key, v, s0)
            _scores(probs, k_by_channel, qT, lo, hi)
            _scores(dscores, v_by_channel, doutT, lo, hi)
            for i in range(min(4, T - s0)):
                p, ds = probs[i * WIDTH + lo:i * WIDTH + hi], dscores[i * WIDTH + lo:i * WIDTH + hi]
                _softmax_backward(p, ds, logs[lo:hi], delta[lo:hi], relative[lo:hi], np.int32(s0 + i - start), np.int32(lo))
                _add_dots(dv[s0 + i], p, doutT, lo)
                _add_dots(dk[s0 + i], ds, qT, lo)
            for i in range(min(4, T - s0), 4):
                for t in range(i * WIDTH, (i + 1) * WIDTH):
                    dscores[t] = 0
            _add_values(dqT, k_by_key, dscores, lo, hi, clean)
        for t in range(start, stop):
            for d in range(D):
                dq[t, d] = scale * dqT[d * WIDTH + t - start]


@inline
def _softmax_backward(p, ds, lse, delta, first, s, lo):
    """Scores in p become probabilities, dprobs in ds become dscores: p (dp - delta); both 0 where s is not visible."""
    zero = p.dtype.type(0)
    for t in range(p.size):
        visible = first[t] <= s and s <= lo + np.int32(t)
        prob = exp(p[t] - lse[t])
        p[t] = prob if visible else zero
        ds[t] = prob * (ds[t] - delta[t]) if visible else zero


@twin(plain=attention_backward_plain, parallel=True)
def attention_backward(dout, q, k, v, out, lse, first):
    B, T, H, D = q.shape
    G = k.shape[2]
    dq, dk, dv = np.empty_like(q), np.zeros_like(k), np.zeros_like(v)
    for n in numba.prange(B * G):  # the query heads of a group add to one dk: one task, in order
        b, g = n // G, n % G
        for h in range(g * (H // G), (g + 1) * (H // G)):
            _backward_head(dq[b, :, h], dk[b, :, g], dv[b, :, g], dout[b, :, h], q[b, :, h], k[b, :, g],
                           v[b, :, g], out[b, :, h], lse[b, h], first[b])
    return dq, dk, dv


@inline
def _decode_head(out, q, k, v, start, length):
    """One new token of one head: q and out (D,), k and v (S, D)."""
    D = q.size
    weights = np.empty(length, dtype=q.dtype)
    scale = q.dtype.type(1 / math.sqrt(D))
    top, total = q.dtype.type(-np.inf), q.dtype.type(0)
    for s in range(start, length):
        score = q.dtype.type(0)
        for d in range(D):
            score += q[d] * k[s, d]
        weights[s] = score * scale
        top = max(top, weights[s])
    for d in range(D):
        out[d] = 0
    for s in range(start, length):
        weights[s] = exp(weights[s] - top)
        total += weights[s]
    for s in range(start, length):
        for d in range(D):
            out[d] += weights[s] / total * v[s, d]


@twin(plain=attention_decode_plain, parallel=True)
def attention_decode(q, k, v, first, length):
    B, H, _ = q.shape
    G = k.shape[2]
    out = np.empty_like(q)
    for n in numba.prange(B * H):
        b, h = n // H, n % H
        g = h // (H // G)
        _decode_head(out[b, h], q[b, h], k[b, :, g], v[b, :, g], max(first[b], 0), length)
    return out
