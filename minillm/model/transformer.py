"""The decoder-only transformer: tokens in, one vector a token out, and the gradients all the way back."""

from typing import NamedTuple

import numpy as np

from minillm.layers.block import block_backward, block_forward, block_init
from minillm.layers.embedding import embedding_backward, embedding_forward, embedding_init
from minillm.layers.linear import linear_backward, linear_forward, linear_init
from minillm.layers.norm import norm_backward, norm_forward, norm_init

TIED_STD = 0.02         # of a table that is the head too: the first logits stay near 0, the first loss near ln V
EMBEDDING_STD = 0.5     # of a table of its own: large beside an optimizer step, so that tokens stay distinct


class TransformerCache(NamedTuple):
    """What transformer_backward needs."""
    token: tuple
    position: tuple     # or None with rotary positions
    blocks: list        # a cache a block, or its BlockInput
    norm: tuple
    tied: bool


class BlockInput(NamedTuple):
    """All that is kept of a block which the backward computes again: the arguments of block_forward."""
    x: np.ndarray       # (B, T, C)
    params: dict
    config: object
    first: np.ndarray   # (B, T)
    positions: np.ndarray


def transformer_init(config, rng):
    """First weights, all normal: matrices with standard deviation 1 / sqrt(C_in), so that a layer's output
    has the size of its input; what adds to the residual stream is scaled by 1 / sqrt(2 L) more, so that the
    stream's size does not grow with the number of layers.

    Source:  LeCun et al. 1998, "Efficient BackProp", eq. 16; Radford et al. 2019 (GPT-2), section 2.3.
    """
    assert config.vocab_size > 0, "the vocabulary's size comes from the tokenizer"
    std = TIED_STD if config.tied else EMBEDDING_STD
    embedding = {"token": embedding_init(rng, config.vocab_size, config.width, std)}
    if config.position == "learned":
        embedding["position"] = embedding_init(rng, config.context, config.width, std)
    params = {"embedding": embedding,
              "blocks": [block_init(rng, config) for _ in range(config.layers)],
              "norm": norm_init(config.width, config.norm, config.bias)}
    if not config.tied:
        params["head"] = linear_init(rng, config.width, config.vocab_size, False, TIED_STD)
    return params


def causal(tokens):
    """`first` for plain causal attention: every token sees all before it.  Shapes:  (B, T) -> (B, T) int32"""
    return np.zeros(tokens.shape, np.int32)


def positions_of(first):
    """Place of each token in its own document: t - first[t].  Shapes:  first (B, T) -> (B, T) int32"""
    return np.maximum(np.arange(first.shape[1], dtype=np.int32) - first, 0).astype(np.int32)


def transformer_forward(tokens, params, config, first, recompute=False):
    """One vector a token, which knows the token and what it may see before it.

        x = embedding(tokens);   x = block(x), L times;   h = norm(x)

    recompute: keep no more of a block than its input. The backward then computes each block once more; where
    there is no backward, it saves memory for nothing.
    Shapes:  tokens (B, T) int, first (B, T) int32: the first place each token may see -> h (B, T, C)
    Raises:  ValueError for a sequence longer than the context, or an id outside the vocabulary.
    Source:  Chen et al. 2016, arXiv:1604.06174 (recomputation).
    """
    B, T = tokens.shape
    if T > config.context:
        raise ValueError(f"a sequence of {T} tokens is longer than the model's context of {config.context}")
    positions = positions_of(first)
    x, token = embedding_forward(tokens, params["embedding"]["token"])          # (B, T, C)
    position = None
    if config.position == "learned":
        where, position = embedding_forward(positions, params["embedding"]["position"])
        x = x + where
    blocks = []
    for block in params["blocks"]:
        arguments = BlockInput(x, block, config, first, positions)
        x, cache = block_forward(*arguments)
        blocks.append(arguments if recompute else cache)
    h, norm = norm_forward(x, params["norm"], config.norm, config.norm_eps)
    return h, TransformerCache(token, position, blocks, norm, config.tied)


def transformer_backward(dh, cache, d_head=None):
    """transformer_forward in reverse.  Shapes:  dh (B, T, C) -> gradients with the keys of the parameters

    d_head: the head's gradient, if there is a head. A tied head shares its table with the lookup of tokens: so
    do their gradients, which are added up in place. A head of its own is passed on as it is.
    """
    dx, d_norm = norm_backward(dh, cache.norm)
    d_blocks = []
    for block in reversed(cache.blocks):
        if isinstance(block, BlockInput):
            _, block = block_forward(*block)
        dx, d_block = block_backward(dx, block)
        d_blocks.insert(0, d_block)
    tied = d_head is not None and cache.tied
    embedding = {"token": embedding_backward(dx, cache.token, d_head["weight"] if tied else None)}
    if cache.position is not None:
        embedding["position"] = embedding_backward(dx, cache.position)
    grads = {"embedding": embedding, "blocks": d_blocks, "norm": d_norm}
    return grads if tied or d_head is None else {**grads, "head": d_head}


def head_forward(h, params):
    """Score every token of the vocabulary; a tied head is the embedding table, read the other way.

        logits = h Wᵀ

    Shapes:  h (..., C) -> logits (..., V)
    Source:  Press & Wolf 2016, arXiv:1608.05859 (tying).
    """
    weight = params["head"] if "head" in params else {"weight": params["embedding"]["token"]}
    return linear_forward(h, weight)


def head_backward(dlogits, cache):
    """dh = dlogits W,  dW = dlogitsᵀ h.  Shapes:  dlogits (..., V) -> dh (..., C), {"weight": (V, C)}"""
    return linear_backward(dlogits, cache)
