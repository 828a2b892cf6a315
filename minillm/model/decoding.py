"""Generation in batches: read the prompts once, then one token at a time with a key/value cache."""

import numpy as np

from minillm.config import require
from minillm.kernels.decode import threads_for
from minillm.layers.block import block_decode, block_forward
from minillm.layers.embedding import rows_of
from minillm.layers.norm import norm_forward
from minillm.layers.rows import last_of_each
from minillm.layers.rotary import rotary_table
from minillm.model.sampling import sample
from minillm.model.transformer import embed, head_forward, visible_in

KEPT = 0.75         # below this share of running rows, ended rows are dropped from the cache


def left_padded(prompts, pad_id):
    """Prompts of unequal lengths, padded on the left, so that all next tokens share a column.

    Shapes:  list of (T_i,) -> tokens (B, T) int32, starts (B,) int32: the column of the first token
    """
    width = max(len(prompt) for prompt in prompts)
    tokens = np.full((len(prompts), width), pad_id, np.int32)
    starts = np.array([width - len(prompt) for prompt in prompts], np.int32)
    for row, prompt in enumerate(prompts):
        tokens[row, starts[row]:] = prompt
    return tokens, starts


def prefill(params, config, tokens, starts, length):
    """Read the prompts in one pass and keep every layer's keys and values.

    The rest of a block is dropped before the next one begins. The last block's output is computed
    for the last tokens alone: they alone get logits.
    The keys of one head are contiguous in memory, in the order in which decoding reads them.
    Shapes:  tokens (B, T), starts (B,)
             -> logits (B, V), [(keys, values) per layer, each (B, G, length, D)]
    """
    B, T = tokens.shape
    visible_from = np.repeat(starts[:, None], T, axis=1)
    positions = np.maximum(np.arange(T, dtype=np.int32) - visible_from, 0)
    x, _, _ = embed(tokens, params["embedding"], positions)
    last, layers = last_of_each(np.full(B, T - 1), T), []
    for layer, block in enumerate(params["blocks"]):
        keys = np.zeros((B, config.kv_heads, length, config.head_size), x.dtype)
        values = np.zeros_like(keys)
        seen = visible_in(layer, visible_from, config)
        x, cache = block_forward(x, block, config, positions, seen,
                                 wanted=last if layer == config.layers - 1 else None)
        keys[:, :, :T] = cache.attention.k.swapaxes(1, 2)
        values[:, :, :T] = cache.attention.v.swapaxes(1, 2)
        layers.append((keys, values))
        del cache       # else it would stay until the next block's is there
    return logits_of(x, params, config), layers


def decode_step(params, config, tokens, starts, column, layers):
    """Logits after one more token per row; its key and value go to `column` of the cache.

    Where a block has a window, the keys before it stay in the cache and are not read.
    Shapes:  tokens (B,), starts (B,) int32 -> logits (B, V)
    """
    x = rows_of(params["embedding"]["token"], tokens)                   # (B, C)
    positions = column - starts
    if config.position == "learned":
        places = np.minimum(positions, config.context - 1)              # an ended row may exceed it
        x = x + params["embedding"]["position"][places]
        table = np.empty((2, 1, 0), x.dtype)                            # no angles
    else:
        table = rotary_table(column + 1, config.head_size, config.rope_theta, x.dtype)
    products = config.layers * (4 * config.width + 3 * config.hidden) + config.vocab_size
    with threads_for(x.size * products) as threads:
        for layer, (block, (keys, values)) in enumerate(zip(params["blocks"], layers)):
            seen = visible_in(layer, starts, config, column)
            x = block_decode(x, block, config, table, positions, seen, column, keys, values,
                             threads)
        return logits_of(x, params, config)


def logits_of(x, params, config):
    """The final norm and the head.  Shapes:  x (B, C) -> logits (B, V)"""
    h, _ = norm_forward(x, params["norm"], config.norm, config.norm_eps)
    return head_forward(h, params)[0]


def pick(layers, rows):
    """Keep these rows of the cache, in place, so that only one layer is there twice at a time."""
    for i, (keys, values) in enumerate(layers):
        layers[i] = keys[rows], values[rows]


def check_prompts(config, prompts, max_new_tokens):
    """Raises:  ValueError for a prompt that is empty or fills the context, or no new tokens."""
    for row, prompt in enumerate(prompts):
        if not 1 <= len(prompt) < config.context:
            raise ValueError(f"prompt {row} has {len(prompt)} tokens; it must have from 1 to "
                             f"{config.context - 1}, to leave room in the context of "
                             f"{config.context}")
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens is {max_new_tokens}; it must be 1 or more")


def generate_tokens(params, config, prompts, rng, **settings):
    """Continue every prompt until its end token, max_new_tokens, or the end of the context.

    settings: the keywords of draw_tokens.
    Shapes:  prompts: list of (T_i,) int -> list of (N_i,) int32, including the end token if it was
             drawn
    Raises:  ValueError for an empty prompt, one that fills the context, or max_new_tokens below 1.
    """
    new = [[] for _ in prompts]
    for rows, drawn in draw_tokens(params, config, prompts, rng, **settings):
        for row, token in zip(rows.tolist(), drawn.tolist()):
            new[row].append(token)
    return [np.array(tokens, np.int32) for tokens in new]


def draw_tokens(params, config, prompts, rng, *, end_id, pad_id, max_new_tokens,
                temperature=1.0, top_k=0, top_p=1.0):
    """Yield the next token of every prompt that has not ended, step by step: (numbers, tokens).

    end_id: the token that ends a row, or a tuple of several.
    Shapes:  prompts: list of (T_i,) int -> pairs of (R,) int, (R,) int32
    """
    check_prompts(config, prompts, max_new_tokens)
    require("lora" not in params["embedding"], "decoding reads one matrix a layer; merge the "
                                               "adapter first (minillm.model.adapter.merge)")
    if not prompts:
        return
    max_new_tokens = min(max_new_tokens, config.context - min(map(len, prompts)))
    tokens, starts = left_padded(prompts, pad_id)
    T = tokens.shape[1]
    # Equal prompts (several responses to the same prompt) are read only once.
    unique, which = np.unique(np.column_stack([starts, tokens]), axis=0, return_inverse=True)
    which = which.reshape(-1)       # NumPy 2.0 alone returns a column
    logits, layers = prefill(params, config, unique[:, 1:], unique[:, 0].copy(), T + max_new_tokens)
    logits = logits[which]
    pick(layers, which)
    rows, running = np.arange(len(prompts)), np.ones(len(prompts), bool)
    for step in range(max_new_tokens):
        drawn = np.where(running, sample(logits, rng, temperature, top_k, top_p), pad_id)
        yield rows[running], drawn[running]
        # A row ends with its end token, or when its tokens (without pads) fill the context.
        running &= ~np.isin(drawn, end_id) & (T + step + 1 - starts < config.context)
        if not running.any() or step == max_new_tokens - 1:
            break
        # Ended rows are fed pads. They are dropped once enough of them repay the copy.
        if running.mean() < KEPT:
            pick(layers, running)
            rows, drawn, starts = rows[running], drawn[running], starts[running]
            running = running[running]
        logits = decode_step(params, config, drawn, starts, T + step, layers)
