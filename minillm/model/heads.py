"""Scalar heads: one number a token, for the reward of a response and for the value of a prefix."""

import numpy as np

from minillm.layers.linear import linear_backward, linear_forward, linear_init
from minillm.model.transformer import transformer_backward, transformer_forward


def scalar_head_init(rng, width, bias):
    """One output with a small random weight.  Shapes:  weight (1, C), bias (1,) or absent

    A reward needs no bias: rankings compare scores, and a constant drops out of every difference.
    """
    return linear_init(rng, width, 1, bias, 0.1 / np.sqrt(width))


def scalar_head_forward(h, params):
    """y = w · h + b.  Shapes:  h (..., C) -> (...)"""
    y, cache = linear_forward(h, params)
    return y[..., 0], cache


def scalar_head_backward(dy, cache):
    """dh = dy w.  Shapes:  dy (...) -> dh (..., C), {"weight", "bias"}"""
    return linear_backward(dy[..., None], cache)


def reward_forward(params, config, tokens, first, last, recompute=False):
    """A response's score, read off its last real token, which has seen prompt and response whole.

    Shapes:  tokens (B, T), first (B, T), last (B,) index of the last real token -> scores (B,)
    Raises:  ValueError for a row of pads alone, which has no last token.
    """
    rows = np.arange(len(last))
    empty = np.flatnonzero((last < 0) | (first[rows, np.maximum(last, 0)] > last))
    if empty.size:
        raise ValueError(f"row {empty[0]} holds no token but pads; there is nothing to score")
    h, body = transformer_forward(tokens, params["model"], config, first, recompute)
    scores, head = scalar_head_forward(np.ascontiguousarray(h[rows, last]), params["reward_head"])
    return scores, (h.shape, last, body, head, params)


def reward_backward(dscores, cache):
    """reward_forward in reverse.  Shapes:  dscores (B,) -> {"model", "reward_head"}"""
    shape, last, body, head, params = cache
    dh_last, d_head = scalar_head_backward(dscores, head)
    dh = np.zeros(shape, dh_last.dtype)
    dh[np.arange(len(last)), last] = dh_last
    grads = transformer_backward(dh, body)
    if "head" in params["model"]:
        grads["head"] = {"weight": np.zeros_like(params["model"]["head"]["weight"])}    # not read by a reward
    return {"model": grads, "reward_head": d_head}
