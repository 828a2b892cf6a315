"""Causal attention as readable loops: online softmax, one query at a time.

A softmax needs the largest score and the sum of all weights before the first weight is known.
Online softmax needs one pass: it keeps a running maximum, and running sums of weights relative to
it. When a larger score comes, the sums are rescaled to the new maximum. No row of scores is stored.

The fast kernel (attention.py) does the same for a block of keys against a panel of queries at once.

Source:  Milakov & Gimelshein 2018, arXiv:1805.02867, algorithm 3;
         Dao et al. 2022, arXiv:2205.14135.
"""

import math

import numpy as np

from minillm.kernels.exp import exp
from minillm.kernels.twin import inline, serial


@inline
def dot(x, y):
    """Inner product."""
    total = x.dtype.type(0)
    for d in range(x.size):
        total += x[d] * y[d]
    return total


@inline
def add_scaled(target, factor, x):
    """target += factor * x"""
    for d in range(x.size):
        target[d] += factor * x[d]


@inline
def score_scale(query):
    """1 / sqrt(D), in the dtype of the query."""
    return query.dtype.type(1 / math.sqrt(query.size))


@inline
def attend(out, query, keys, values):
    """out = softmax(query . keys / sqrt(D)) values; returns the log of the sum of exp(scores).

    Shapes:  out and query (D,), keys and values (S, D), S > 0 -> ()
    """
    zero, scale = query.dtype.type(0), score_scale(query)
    top, total = query.dtype.type(-np.inf), zero    # running maximum, running sum of the weights
    out[:] = 0                                      # running sum of weight * value
    for s in range(keys.shape[0]):
        score = scale * dot(query, keys[s])
        if score > top:
            shrink = exp(top - score)   # exp(-inf) = 0 at the first key
            total *= shrink
            for d in range(out.size):
                out[d] *= shrink
            top = score
        weight = exp(score - top) if score != -np.inf else zero     # -inf - -inf would be NaN
        total += weight
        add_scaled(out, weight, values[s])
    for d in range(out.size):
        out[d] /= total
    return top + np.log(total)


@inline
def attend_backward(dq, dkeys, dvalues, dout, query, keys, values, out, lse):
    """Add one query's gradients to dq (D,), dkeys and dvalues (S, D).

    With lse from the forward pass, each probability needs only its score: p_s = exp(score_s - lse).
    """
    scale, delta = score_scale(query), dot(dout, out)
    for s in range(keys.shape[0]):
        p = exp(scale * dot(query, keys[s]) - lse)
        ds = p * (dot(dout, values[s]) - delta) * scale
        add_scaled(dvalues[s], p, dout)
        add_scaled(dq, ds, keys[s])
        add_scaled(dkeys[s], ds, query)


@serial
def attention_forward(q, k, v, visible_from):
    """Shapes:  q (B, T, H, D), k and v (B, T, G, D), visible_from (B, T)
             -> out like q, lse (B, H, T)
    """
    B, T, H, D = q.shape
    out, lse = np.zeros_like(q), np.zeros((B, H, T), q.dtype)
    for b in range(B):
        for h in range(H):
            g = h // (H // k.shape[2])      # the key/value head of query head h
            for t in range(T):
                s = visible_from[b, t]
                if s <= t:
                    keys, values = k[b, s:t + 1, g], v[b, s:t + 1, g]
                    lse[b, h, t] = attend(out[b, t, h], q[b, t, h], keys, values)
    return out, lse


@serial
def attention_backward(dout, q, k, v, out, lse, visible_from):
    """Shapes:  dout and out like q, lse (B, H, T) -> dq, dk, dv like q, k, v"""
    B, T, H, D = q.shape
    dq, dk, dv = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
    for b in range(B):
        for h in range(H):
            g = h // (H // k.shape[2])
            for t in range(T):
                s = visible_from[b, t]
                if s <= t:
                    keys, dkeys = k[b, s:t + 1, g], dk[b, s:t + 1, g]
                    values, dvalues = v[b, s:t + 1, g], dv[b, s:t + 1, g]
                    attend_backward(dq[b, t, h], dkeys, dvalues, dout[b, t, h], q[b, t, h], keys,
                                    values, out[b, t, h], lse[b, h, t])
    return dq, dk, dv
