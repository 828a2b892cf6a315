"""Scalar heads: one number per token, for the reward of a response and the value of a prefix."""

from typing import NamedTuple

import numpy as np

from minillm.layers.linear import LinearCache, linear_backward, linear_forward, linear_init
from minillm.layers.rows import last_of_each
from minillm.model.transformer import (TransformerCache, transformer_backward,
                                       transformer_forward)
from minillm.tree import brief


class RewardCache(NamedTuple):
    """What reward_backward needs."""
    body: TransformerCache
    head: LinearCache
    params: dict

    __repr__ = brief


def scalar_head_init(rng, width, bias):
    """One output with a small random weight.  Shapes:  weight (1, C), bias (1,) or absent

    A reward needs no bias: rankings compare scores, and a constant cancels in a difference.
    """
    return linear_init(rng, width, 1, bias, 0.1 / np.sqrt(width))


def scalar_head_forward(h, params):
    """y = w · h + b.  Shapes:  h (..., C) -> (...)"""
    y, cache = linear_forward(h, params)
    return y[..., 0], cache


def scalar_head_backward(dy, cache):
    """dh = dy w.  Shapes:  dy (...) -> dh (..., C), {"weight", "bias"}"""
    return linear_backward(dy[..., None], cache)


def reward_forward(params, config, tokens, positions, visible_from, last, recompute=False,
                   precision="float32"):
    """A response's score, from its last real token, which sees the prompt and the whole response.

    precision: of the factors of the blocks' products; the head's, one output, are float32.
    Shapes:  tokens, positions, visible_from (B, T), last (B,) column of the last real token
             -> scores (B,) in units of reward
    Raises:  ValueError for a row that has only pads, and so no last token.
    """
    rows = np.arange(len(last))
    empty = np.flatnonzero((last < 0) | (visible_from[rows, np.maximum(last, 0)] > last))
    if empty.size:
        raise ValueError(f"row {empty[0]} has only pads; there is nothing to score")
    h, body = transformer_forward(tokens, params["model"], config, positions, visible_from,
                                  recompute, precision,
                                  wanted=last_of_each(last, tokens.shape[1]))
    scores, head = scalar_head_forward(h, params["reward_head"])            # h (B, C)
    return scores, RewardCache(body, head, params)


def reward_backward(dscores, cache):
    """reward_forward in reverse.  Shapes:  dscores (B,) -> {"model", "reward_head"}"""
    body, head, params = cache
    dh, d_head = scalar_head_backward(dscores, head)
    grads = transformer_backward(dh, body)
    if "head" in params["model"]:
        # A reward does not use the output head, but gradients need the keys of all parameters.
        grads["head"] = {"weight": np.zeros_like(params["model"]["head"]["weight"])}
    return {"model": grads, "reward_head": d_head}
