"""Transformer block: attention, then the feed-forward, each added to the residual stream."""

from typing import NamedTuple

import numpy as np

from minillm.kernels import decode as kernels
from minillm.kernels.int8 import Int8, as_int8
from minillm.layers.attention import (AttentionCache, attention_backward, attention_forward,
                                      attention_init)
from minillm.layers.experts import (ExpertsCache, experts_backward, experts_forward, experts_init)
from minillm.layers.feed_forward import (FeedForwardCache, feed_forward_backward,
                                         feed_forward_forward, feed_forward_init)
from minillm.layers.norm import NormCache, norm_backward, norm_forward, norm_init
from minillm.layers.rows import gather, scatter
from minillm.tree import brief


class BlockCache(NamedTuple):
    """What block_backward needs."""
    norm1: NormCache
    attention: AttentionCache
    norm2: NormCache
    feed_forward: FeedForwardCache      # or an ExpertsCache
    wanted: np.ndarray                  # (N,) tokens that have an output; None: all

    __repr__ = brief

    @property
    def balance(self):
        """The balancing loss of the experts; 0 without."""
        return getattr(self.feed_forward, "balance", 0.0)


def block_init(rng, config):
    """Parameters of one block: two norms, attention, feed-forward or experts.

    2 L outputs add up in the residual stream, so their projections start 1 / sqrt(2 L) smaller.
    """
    shrink = 1 / np.sqrt(2 * config.layers)
    init = experts_init if config.experts else feed_forward_init
    return {"norm1": norm_init(config.width, config.norm, config.bias),
            "attention": attention_init(rng, config, shrink),
            "norm2": norm_init(config.width, config.norm, config.bias),
            "feed_forward": init(rng, config, shrink)}


def block_forward(x, params, config, positions, visible_from, precision="float32",
                  wanted=None):
    """Pre-norm block:  x = x + attention(norm1(x));  y = x + feed_forward(norm2(x)).

    With experts, the few that a router chooses for a token take the place of the feed-forward.
    precision: "bfloat16" rounds the factors of all linear layers; the rest is float32.
    wanted: indices of the tokens whose output is read; None: all. A model's last block gets it. A
    token whose output is not read is needed there only for its key and value, so the output
    projection and all that follows are skipped for it. With experts nothing is skipped, as their
    balancing loss counts all tokens.
    Shapes:  x (B, T, C), positions and visible_from (B, T), wanted (N,): b T + t of each token
             -> y (B, T, C), or (N, C) with wanted
    Source:  Radford et al. 2019 (GPT-2), section 2.3: the norm moved to the input of each part.
    """
    rows = None if config.experts else wanted
    n1, norm1 = norm_forward(x, params["norm1"], config.norm, config.norm_eps)
    x, attention = attention_forward(n1, params["attention"], config, positions, visible_from,
                                     residual=gather(x, rows), precision=precision, wanted=rows)
    n2, norm2 = norm_forward(x, params["norm2"], config.norm, config.norm_eps)
    if config.experts:
        y, feed_forward = experts_forward(n2, params["feed_forward"], config.active_experts,
                                          visible_from, residual=x, precision=precision)
        y = gather(y, wanted)
    else:
        y, feed_forward = feed_forward_forward(n2, params["feed_forward"], residual=x,
                                               precision=precision)
    return y, BlockCache(norm1, attention, norm2, feed_forward, wanted)


def block_backward(dy, cache, d_balance=0.0):
    """block_forward in reverse; each `x + f(norm(x))` adds the norm's dx to the running dx.

    d_balance: d loss / d cache.balance; a block without experts needs none.
    Shapes:  dy as y -> dx (B, T, C), gradients with the keys of the block's parameters
    """
    norm1, attention, norm2, feed_forward, wanted = cache
    if isinstance(feed_forward, ExpertsCache):
        dy = scatter(dy, wanted, norm2.shape)
        dn2, d_feed_forward = experts_backward(dy, feed_forward, d_balance)
    else:
        dn2, d_feed_forward = feed_forward_backward(dy, feed_forward)
    dx, d_norm2 = norm_backward(dn2, norm2, residual=dy)
    dn1, d_attention = attention_backward(dx, attention)
    dx = scatter(dx, attention.wanted, norm1.shape)                 # (B, T, C)
    dx, d_norm1 = norm_backward(dn1, norm1, residual=dx)
    return dx, {"norm1": d_norm1, "attention": d_attention, "norm2": d_norm2,
                "feed_forward": d_feed_forward}


def block_decode(x, params, config, table, positions, visible_from, column, keys, values, threads):
    """block_forward for one new token per row, with the key/value cache, as one kernel.

    Experts come after it: the kernel's own feed-forward then has one channel of zeros, so it adds
    0, and the rows that chose an expert are multiplied together.
    table: (cos, sin) of the rotary positions, empty with learned ones. threads: among how many the
    work is divided; it changes no result.
    Shapes:  x (B, C), cos and sin (P, D/2), positions and visible_from (B,), column int,
             keys and values (B, G, S, D) -> y (B, C)
    """
    attention, feed_forward = params["attention"], params["feed_forward"]
    if config.experts:
        zeros = np.zeros((1, config.width), x.dtype)
        feed_forward = {"up": {"weight": zeros}, "down": {"weight": zeros.T.copy()}}
    gain, none = params["norm1"]["gain"], params["norm1"]["gain"][:0]
    gate = feed_forward.get("gate", {"weight": none.reshape(0, 0)})
    layers = (attention["query"], attention["key"], attention["value"], attention["output"],
              feed_forward["up"], feed_forward["down"], gate)
    norms, shift = (params["norm1"], params["norm2"]), none
    if config.norm == "layernorm":
        shift = np.zeros_like(gain)
    weights = tuple(layer["weight"] for layer in layers)
    biases = tuple(layer.get("bias", none) for layer in layers)
    if any(isinstance(weight, Int8) for weight in weights):
        weights, scales = zip(*map(as_int8, weights))
        biases = tuple(zip(biases, scales))
    y = kernels.block_decode(
        x, tuple(norm["gain"] for norm in norms), tuple(norm.get("bias", shift) for norm in norms),
        weights, biases, *table, positions, visible_from, column, keys, values, config.norm_eps,
        threads)
    if config.experts:
        n2, _ = norm_forward(y, params["norm2"], config.norm, config.norm_eps)
        y, _ = experts_forward(n2, params["feed_forward"], config.active_experts, residual=y)
    return y
