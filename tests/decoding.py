"""Decoding kernels for tests: a block's arguments, and a block of which only its attention is left."""

import numpy as np
import tiny

from minillm.kernels.decode import block_decode
from minillm.kernels.int8 import quantize
from minillm.layers.block import block_init
from minillm.layers.rotary import rotary_table


def attention_alone(q, k, v, keys, values, visible_from, column, kernel=block_decode):
    """Attention by a block that decodes: x is 0, biases are queries, keys and values, the output layer changes nothing.

    Shapes:  q (B, H, D), k and v (B, G, D), keys and values (B, G, S, D) -> (B, H, D)
    """
    out = []
    for b in range(len(q)):
        C, inner, none, zeros = q[b].size, k[b].size, np.empty(0, q.dtype), np.zeros(q[b].size, q.dtype)
        weights = [np.zeros(shape, q.dtype) for shape in
                   ((C, C), (inner, C), (inner, C), (C, C), (1, C), (C, 1), (0, C))]
        weights[3] = np.eye(C, dtype=q.dtype)
        biases = (q[b].ravel(), k[b].ravel(), v[b].ravel(), none, none, none, none)
        angles = np.empty((1, 0), q.dtype)
        out.append(kernel(zeros[None], (zeros, zeros), (none, none), tuple(weights), biases, angles, angles,
                          column - visible_from[b:b + 1], visible_from[b:b + 1], column, keys[b:b + 1], values[b:b + 1], 1e-5, 2))
    return np.concatenate(out).reshape(q.shape)


def block_case(preset, B, seed=0, column=20, length=24, int8=False, **sizes):
    """The arguments of block_decode for a model of tests/tiny.py. Of the cache, what no token may see is NaN.

    int8: its weights are quantized. sizes: of the model, in place of that of tests/tiny.py.
    """
    config, rng = tiny.config(preset, experts=0, **sizes), np.random.default_rng(seed)
    params = tiny.lively({"block": block_init(rng, config)}, rng, np.float32)["block"]
    attention, feed_forward = params["attention"], params["feed_forward"]
    none, C, D = np.empty(0, np.float32), config.width, config.head_size
    layers = [attention["query"], attention["key"], attention["value"], attention["output"],
              feed_forward["up"], feed_forward["down"], feed_forward.get("gate", {"weight": np.empty((0, C), np.float32)})]
    norms = params["norm1"], params["norm2"]
    shift = np.zeros(C, np.float32) if config.norm == "layernorm" else none
    table = rotary_table(length, D, 100.0, np.float32) if config.position == "rope" else (np.empty((1, 0), np.float32),) * 2
    keys, values = rng.standard_normal((2, B, config.kv_heads, length, D)).astype(np.float32)
    visible_from = rng.integers(0, column + 1, B).astype(np.int32)
    visible_from[0] = column            # sees itself alone
    visible_from[B // 2] = 0
    for b in range(B):
        for cache in (keys, values):
            cache[b, :, :visible_from[b]] = cache[b, :, column:] = np.nan
    weights, biases = (tuple(layer.get(name, none) for layer in layers) for name in ("weight", "bias"))
    if int8:
        weights, scales = zip(*map(quantize, weights))
        biases = tuple(zip(biases, scales))
    return (rng.standard_normal((B, C)).astype(np.float32), tuple(norm["gain"] for norm in norms),
            tuple(norm.get("bias", shift) for norm in norms), weights, biases, *table, column - visible_from, visible_from,
            column, keys, values, 1e-5, 2)
