"""Causal self-attention with grouped key/value heads."""

from typing import NamedTuple

import numpy as np

from minillm.kernels import attention as kernels
from minillm.kernels.bfloat16 import as_factor
from minillm.layers.linear import LinearCache, linear_backward, linear_forward, linear_init
from minillm.layers.rotary import RotaryCache, rotary_backward, rotary_forward
from minillm.layers.rows import gather, scatter
from minillm.tree import brief


class ProjectionCache(NamedTuple):
    """What project_backward needs."""
    query: LinearCache
    key: LinearCache
    value: LinearCache
    q_rotation: RotaryCache     # None if positions are not rotary
    k_rotation: RotaryCache

    __repr__ = brief


class AttentionCache(NamedTuple):
    """What attention_backward needs; the T x T probabilities are recomputed, not kept."""
    projections: ProjectionCache
    output: LinearCache
    q: np.ndarray               # (B, T, H, D)
    k: np.ndarray               # (B, T, G, D)
    v: np.ndarray               # (B, T, G, D)
    out: np.ndarray             # (B, T, H, D)
    lse: np.ndarray             # (B, H, T) log of the softmax's denominator
    visible_from: np.ndarray    # (B, T)
    wanted: np.ndarray          # (N,) tokens that have an output; None: all

    __repr__ = brief


def attention_init(rng, config, shrink):
    """Four projections; fewer key/value heads than query heads make the key/value cache smaller.

    The output projection of head h begins as the transpose of the value projection of its group g:

        O_h = shrink V_gᵀ,    so that  O_h V_g x  points the way of x

    What a head reads from a token, it then writes as that token, so that copying a word works from
    the start. (Drawn at random, the two would have to find each other first.)

    shrink: factor of the output projection's standard deviation, because its output is added to
    the residual stream.
    Source:  Trockman and Kolter 2023, arXiv:2305.09828 (projections that begin as transposes).
    """
    C, D, inner = config.width, config.head_size, config.kv_heads * config.head_size
    std, each = 1 / np.sqrt(C), config.heads // config.kv_heads
    bias = config.bias and config.qkv_bias
    params = {"query": linear_init(rng, C, C, bias, std),
              "key": linear_init(rng, C, inner, bias, std),
              "value": linear_init(rng, C, inner, bias, std),
              "output": linear_init(rng, C, C, config.bias, std)}
    values = params["value"]["weight"].reshape(config.kv_heads, D, C)
    params["output"]["weight"] = np.ascontiguousarray(          # (C, H D)
        np.repeat(values, each, axis=0).reshape(C, C).T * np.float32(shrink))
    return params


def project(x, params, config, positions, precision="float32"):
    """Queries, keys and values of every token; rotary positions rotate queries and keys.

    Shapes:  x (B, T, C), positions (B, T) -> q (B, T, H, D), k and v (B, T, G, D)
    """
    B, T, _ = x.shape
    x = as_factor(x, precision)     # three projections read it: it is rounded once
    q, query = linear_forward(x, params["query"])
    k, key = linear_forward(x, params["key"])
    v, value = linear_forward(x, params["value"])
    q = q.reshape(B, T, config.heads, -1)                   # (B, T, H, D)
    k = k.reshape(B, T, config.kv_heads, -1)                # (B, T, G, D)
    v = v.reshape(B, T, config.kv_heads, -1)                # (B, T, G, D)
    q_rotation = k_rotation = None
    if config.position == "rope":
        q, q_rotation = rotary_forward(q, positions, config.rope_theta)
        k, k_rotation = rotary_forward(k, positions, config.rope_theta)
    return q, k, v, ProjectionCache(query, key, value, q_rotation, k_rotation)


def project_backward(dq, dk, dv, cache):
    """project in reverse; three projections read the same x, so their gradients add up in dx.

    Shapes:  dq (B, T, H, D), dk and dv (B, T, G, D) -> dx (B, T, C), gradients of the projections
    """
    B, T = dq.shape[:2]
    if cache.q_rotation is not None:
        dq = rotary_backward(dq, cache.q_rotation)
        dk = rotary_backward(dk, cache.k_rotation)
    dx, d_query = linear_backward(dq.reshape(B, T, -1), cache.query)
    dx, d_key = linear_backward(dk.reshape(B, T, -1), cache.key, into=dx)
    dx, d_value = linear_backward(dv.reshape(B, T, -1), cache.value, into=dx)
    return dx, {"query": d_query, "key": d_key, "value": d_value}


def attention_forward(x, params, config, positions, visible_from, residual=None,
                      precision="float32", wanted=None):
    """Each token averages the values it may see, weighted by how well their keys match its query.

        y = W_o concat_h softmax(q_h kᵀ / sqrt(D)) v + residual

    Query t sees the keys s with visible_from[t] <= s <= t: the causal mask.
    precision: of the factors of the four projections; scores and weighted values are float32.
    wanted: indices of the tokens that have an output; None: all. The others are seen all the same:
    they have keys and values.
    Shapes:  x (B, T, C), positions and visible_from (B, T), residual as y or None,
             wanted (N,): b T + t of each token -> y (B, T, C), or (N, C) with wanted
    Source:  Vaswani et al. 2017, arXiv:1706.03762, eq. 1; groups: Ainslie et al. 2023,
             arXiv:2305.13245.
    """
    q, k, v, projections = project(x, params, config, positions, precision)
    out, lse = kernels.attention_forward(q, k, v, visible_from)     # (B, T, H, D), (B, H, T)
    joined = as_factor(gather(out.reshape(x.shape), wanted), precision)     # (B, T, C), or (N, C)
    y, output = linear_forward(joined, params["output"], residual)
    return y, AttentionCache(projections, output, q, k, v, out, lse, visible_from,
                             wanted)


def attention_backward(dy, cache):
    """attention_forward in reverse.

    If a token has no output, its weighted values get a gradient of 0.
    Shapes:  dy as y -> dx (B, T, C), gradients of the four projections
    """
    projections, output, q, k, v, out, lse, visible_from, wanted = cache
    dout, d_output = linear_backward(dy, output)
    dout = scatter(dout, wanted, q.shape)                   # (B, T, H, D)
    dq, dk, dv = kernels.attention_backward(dout, q, k, v, out, lse, visible_from)
    dx, grads = project_backward(dq, dk, dv, projections)
    return dx, {**grads, "output": d_output}
