"""Causal self-attention with grouped key/value heads."""

from typing import NamedTuple

import numpy as np

from minillm.kernels import attention as kernels
from minillm.layers.linear import linear_backward, linear_forward, linear_init
from minillm.layers.rotary import rotary_backward, rotary_forward


class AttentionCache(NamedTuple):
    """What attention_backward needs; the T x T probabilities are computed again, not kept."""
    projections: tuple      # caches of the query, key, value and output layers
    rotations: tuple        # caches of RoPE for the query and the key, or None
    q: np.ndarray           # (B, T, H, D)
    k: np.ndarray           # (B, T, G, D)
    v: np.ndarray           # (B, T, G, D)
    out: np.ndarray         # (B, T, H, D)
    lse: np.ndarray         # (B, H, T) log of the softmax's denominator
    first: np.ndarray       # (B, T)


def attention_init(rng, config, shrink):
    """Four projections; fewer key/value heads than query heads make the cache smaller."""
    C, inner = config.width, config.kv_heads * config.head_size
    std = 1 / np.sqrt(C)
    return {"query": linear_init(rng, C, C, config.bias, std),
            "key": linear_init(rng, C, inner, config.bias, std),
            "value": linear_init(rng, C, inner, config.bias, std),
            "output": linear_init(rng, C, C, config.bias, std * shrink)}


def project(x, params, positions, config):
    """Queries, keys and values of every token, rotated where positions are rotary.

    Shapes:  x (B, T, C), positions (B, T) -> q (B, T, H, D), k and v (B, T, G, D)
    """
    B, T, _ = x.shape
    q, q_cache = linear_forward(x, params["query"])
    k, k_cache = linear_forward(x, params["key"])
    v, v_cache = linear_forward(x, params["value"])
    q = q.reshape(B, T, config.heads, -1)                   # (B, T, H, D)
    k = k.reshape(B, T, config.kv_heads, -1)                # (B, T, G, D)
    v = v.reshape(B, T, config.kv_heads, -1)                # (B, T, G, D)
    rotations = None
    if config.position == "rope":
        q, q_turn = rotary_forward(q, positions, config.rope_theta)
        k, k_turn = rotary_forward(k, positions, config.rope_theta)
        rotations = (q_turn, k_turn)
    return q, k, v, (q_cache, k_cache, v_cache), rotations


def attention_forward(x, params, config, first, positions, residual=None):
    """Each token collects values from the tokens it may see, weighted by how well keys match its query.

        y = W_o concat_h softmax(q_h kᵀ / sqrt(D)) v + residual,     over keys first[t] <= s <= t

    Shapes:  x (B, T, C), first (B, T), positions (B, T), residual (B, T, C) or None -> y (B, T, C)
    Source:  Vaswani et al. 2017, arXiv:1706.03762, eq. 1; Ainslie et al. 2023, arXiv:2305.13245 (groups).
    """
    q, k, v, projections, rotations = project(x, params, positions, config)
    out, lse = kernels.attention_forward(q, k, v, first)    # (B, T, H, D), (B, H, T)
    y, o_cache = linear_forward(out.reshape(x.shape), params["output"], residual)
    return y, AttentionCache((*projections, o_cache), rotations, q, k, v, out, lse, first)


def attention_backward(dy, cache):
    """attention_forward in reverse; x fed three projections, so three gradients add up in dx.

    Shapes:  dy (B, T, C) -> dx (B, T, C), gradients of the four projections
    """
    (q_cache, k_cache, v_cache, o_cache), rotations, q, k, v, out, lse, first = cache
    B, T, _ = dy.shape
    dout, d_output = linear_backward(dy, o_cache)
    dq, dk, dv = kernels.attention_backward(dout.reshape(q.shape), q, k, v, out, lse, first)
    if rotations is not None:
        dq, dk = rotary_backward(dq, rotations[0]), rotary_backward(dk, rotations[1])
    dx, d_query = linear_backward(dq.reshape(B, T, -1), q_cache)
    dx, d_key = linear_backward(dk.reshape(B, T, -1), k_cache, into=dx)
    dx, d_value = linear_backward(dv.reshape(B, T, -1), v_cache, into=dx)
    return dx, {"query": d_query, "key": d_key, "value": d_value, "output": d_output}


def attention_decode(x, params, config, first, position, keys, values, residual=None):
    """attention_forward for one new token a row, against the keys and values of the tokens before it.

    The new key and value are written into the cache at column `position`.
    Shapes:  x (B, 1, C), first (B,), keys and values (B, G, S, D) -> y (B, 1, C)
    """
    at = np.maximum(position - first, 0).astype(np.int32)[:, None]      # (B, 1)
    q, k, v, _, _ = project(x, params, at, config)
    keys[:, :, position], values[:, :, position] = k[:, 0], v[:, 0]
    out = kernels.attention_decode(q[:, 0], keys, values, first, position + 1)      # (B, H, D)
    return linear_forward(out.reshape(x.shape), params["output"], residual)[0]
