"""The decoder-only transformer: tokens in, one vector per token out, and the gradients back."""

from typing import NamedTuple

import numpy as np

from minillm.kernels.bfloat16 import as_factor
from minillm.layers.block import block_backward, block_forward, block_init
from minillm.layers.embedding import (EmbeddingCache, embedding_backward, embedding_forward,
                                      embedding_init)
from minillm.layers.linear import linear_backward, linear_forward
from minillm.layers.norm import NormCache, norm_backward, norm_forward, norm_init
from minillm.tree import brief

# Initial standard deviations. A tied table is small, so that the initial logits are near 0 and the
# initial loss is near ln V. An untied embedding is large compared with an optimizer step, so that
# tokens stay distinct; its output head begins as the same table, scaled down. So attention that
# brings a token's vector to another place raises the logit of this token from the first step on,
# and a model learns sooner to copy from its context.
TIED_STD = 0.02
EMBEDDING_STD = 0.5
HEAD_STD = 0.05


class TransformerCache(NamedTuple):
    """What transformer_backward needs."""
    token: EmbeddingCache       # None if the tables are frozen, beside an adapter
    position: EmbeddingCache    # None with rotary positions
    blocks: list                # for each block a BlockCache, or a BlockInput
    norm: NormCache
    tied: bool
    balance: float              # sum of the blocks' balancing losses (layers/experts.py)

    __repr__ = brief


class BlockInput(NamedTuple):
    """block_forward's arguments: all that is kept of a block that the backward pass recomputes."""
    x: np.ndarray               # (B, T, C)
    params: dict
    config: object
    positions: np.ndarray       # (B, T)
    visible_from: np.ndarray    # (B, T)
    precision: str
    wanted: np.ndarray          # (N,) tokens that have an output; None: all

    __repr__ = brief


def transformer_init(config, rng):
    """Initial parameters. A matrix in a block has standard deviation 1 / sqrt(C_in), so that its
    output has the size of its input. If its output is added to the residual stream, the deviation
    is scaled by a further 1 / sqrt(2 L), so that the stream does not grow with the number of
    layers. Embeddings and the output head have the fixed deviations above; gains are 1, biases 0.

    Source:  LeCun et al. 1998, "Efficient BackProp", eq. 16; Radford et al. 2019 (GPT-2),
             section 2.3.
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
        params["head"] = {"weight": embedding["token"] * np.float32(HEAD_STD / std)}
    return params


def one_document(tokens):
    """(positions, visible_from) of rows that hold one document each, from its start.

    Shapes:  tokens (B, T) -> (B, T) int32, (B, T) int32
    """
    B, T = tokens.shape
    positions = np.tile(np.arange(T, dtype=np.int32), (B, 1))
    return positions, np.zeros(tokens.shape, np.int32)


def visible_in(layer, visible_from, config, column=None):
    """The first column that each token may see in one block: every second block has the window.

        blocks 0, 2, 4, ...   visible_from
        blocks 1, 3, 5, ...   max(visible_from, column - window + 1)

    A pad, whose visible_from lies after its column, sees nothing in either.
    column: the one of all tokens, in decoding; by default they stand in columns 0 to T - 1.
    Shapes:  visible_from (B, T), or (B,) with a column -> as visible_from, int32
    Source:  Child et al. 2019, arXiv:1904.10509 (local attention); Brown et al. 2020 (GPT-3),
             arXiv:2005.14165, section 2.1 (dense and locally banded layers in turn; the width of
             the band was not published).
    """
    if config.window == 0 or layer % 2 == 0:
        return visible_from
    columns = np.arange(visible_from.shape[1], dtype=np.int32) if column is None else column
    return np.maximum(visible_from, columns - (config.window - 1))


def embed(tokens, params, positions):
    """The token's vector, plus that of its position if positions are learned.

    Shapes:  tokens and positions (B, T) -> x (B, T, C), what embedding_backward needs of each
    """
    x, token = embedding_forward(tokens, params["token"])
    token = None if "lora" in params else token
    if "position" not in params:
        return x, token, None
    place, position = embedding_forward(positions, params["position"])
    return x + place, token, position


def transformer_forward(tokens, params, config, positions, visible_from, recompute=False,
                        precision="float32", wanted=None):
    """One vector per token, computed from the token and the tokens before it that it may see.

        x = embedding(tokens);   x = block(x), L times;   h = norm(x)

    positions: position of each token in its document (counted from the start of the window if the
    window cuts the document off). The table of positions or RoPE reads it.
    visible_from: the first column that each token may see; the last is its own. Each packed
    document starts at position 0 and does not see the others. An attention window narrower than
    the document changes the first column, not the positions.
    recompute: keep only each block's input. The backward pass then computes each block a second
    time; without a backward pass, this costs nothing and saves memory.
    precision: "bfloat16" rounds the factors of all linear layers, here and in the backward pass;
    parameters, sums, norms, attention and gradients stay float32.
    wanted: indices of the tokens whose output is read, ascending; None: all. The last block skips,
    for the others, the output projection and all that follows (with experts, nothing). An earlier
    block computes every token fully, because the next block makes keys and values from its output.
    Shapes:  tokens (B, T) int, positions and visible_from (B, T) int32,
             wanted (N,): b T + t of each token -> h (B, T, C), or (N, C) with wanted
    Raises:  ValueError for a sequence longer than the context, or an id outside the vocabulary.
    Source:  Chen et al. 2016, arXiv:1604.06174 (recomputation); Micikevicius et al. 2017,
             arXiv:1710.03740 (mixed precision).
    """
    B, T = tokens.shape
    if T > config.context:
        raise ValueError(f"a sequence of {T} tokens is longer than the model's context of "
                         f"{config.context}")
    x, token, position = embed(tokens, params["embedding"], positions)
    blocks, balance = [], 0.0
    for layer, block in enumerate(params["blocks"]):
        seen = visible_in(layer, visible_from, config)
        rows = wanted if layer == config.layers - 1 else None
        arguments = BlockInput(x, block, config, positions, seen, precision, rows)
        x, cache = block_forward(*arguments)
        blocks.append(arguments if recompute else cache)
        balance += cache.balance
    h, norm = norm_forward(x, params["norm"], config.norm, config.norm_eps)
    return h, TransformerCache(token, position, blocks, norm, config.tied, balance)


def transformer_backward(dh, cache, d_head=None, d_balance=0.0):
    """transformer_forward in reverse.

    d_balance: d loss / d cache.balance, for an objective that has it as a term.
    d_head: the head's gradient, if the head was used. A tied head and the token embedding are one
    table, so their gradients are added; the gradient of an untied head is returned unchanged.
    Beside an adapter (model/adapter.py) only the blocks have gradients.
    Shapes:  dh as h -> gradients with the keys of the parameters
    """
    dx, d_norm = norm_backward(dh, cache.norm)
    d_blocks = []
    for block in reversed(cache.blocks):
        if isinstance(block, BlockInput):
            _, block = block_forward(*block)
        dx, d_block = block_backward(dx, block, d_balance)
        d_blocks.insert(0, d_block)
    if cache.token is None:
        return {"blocks": d_blocks}
    tied = d_head is not None and cache.tied
    d_token = embedding_backward(dx, cache.token, into=d_head["weight"] if tied else None)
    d_embedding = {"token": d_token}
    if cache.position is not None:
        d_embedding["position"] = embedding_backward(dx, cache.position)
    grads = {"embedding": d_embedding, "blocks": d_blocks, "norm": d_norm}
    return grads if tied or d_head is None else {**grads, "head": d_head}


def tied_head(embedding):
    """The head that is the table of the tokens, frozen if the table is.  Shapes:  weight (V, C)"""
    frozen = {"lora": embedding["lora"]} if "lora" in embedding else {}
    return {"weight": embedding["token"], **frozen}


def head_forward(h, params, precision="float32"):
    """Score every token of the vocabulary; a tied head is the embedding table, transposed.

        logits = h Wᵀ

    Shapes:  h (..., C) -> logits (..., V)
    Source:  Press & Wolf 2016, arXiv:1608.05859 (tying).
    """
    head = params["head"] if "head" in params else tied_head(params["embedding"])
    return linear_forward(as_factor(h, precision), head)


def head_backward(dlogits, cache):
    """dh = dlogits W,  dW = dlogitsᵀ h.

    Shapes:  dlogits (..., V) -> dh (..., C), {"weight": (V, C)}
    """
    return linear_backward(dlogits, cache)
