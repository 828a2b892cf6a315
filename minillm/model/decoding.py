"""Generation in batches: read the prompts once, then one token at a time against a key/value cache."""

import numpy as np

from minillm.layers.block import block_decode
from minillm.layers.norm import norm_forward
from minillm.model.sampling import sample
from minillm.model.transformer import head_forward, transformer_forward

KEPT = 0.75         # share of running rows below which the ended ones are dropped from the cache


def left_padded(prompts, pad_id):
    """Prompts of unequal lengths, flush right, so that every next token has the same column.

    Shapes:  list of (T_i,) -> tokens (B, T) int32, first (B,) int32: the number of pads
    """
    width = max(len(prompt) for prompt in prompts)
    tokens = np.full((len(prompts), width), pad_id, np.int32)
    first = np.array([width - len(prompt) for prompt in prompts], np.int32)
    for row, prompt in enumerate(prompts):
        tokens[row, first[row]:] = prompt
    return tokens, first


def prefill(params, config, tokens, first, length):
    """Read the prompts in one pass and keep every layer's keys and values.

    Shapes:  tokens (B, T), first (B,) -> logits (B, V), [(keys, values) a layer, each (B, G, length, D)]

    A head's keys lie together, in the order in which decoding reads them.
    """
    B, T = tokens.shape
    h, cache = transformer_forward(tokens, params, config, np.repeat(first[:, None], T, axis=1))
    layers = []
    for _, attention, _, _ in cache.blocks:
        keys = np.zeros((B, config.kv_heads, length, config.head_size), h.dtype)
        values = np.zeros_like(keys)
        keys[:, :, :T], values[:, :, :T] = attention.k.swapaxes(1, 2), attention.v.swapaxes(1, 2)
        layers.append((keys, values))
    return head_forward(np.ascontiguousarray(h[:, -1]), params)[0], layers


def decode_step(params, config, tokens, first, position, layers):
    """Logits after one more token a row.  Shapes:  tokens (B,), first (B,) -> logits (B, V)"""
    x = params["embedding"]["token"][tokens][:, None]                       # (B, 1, C)
    if config.position == "learned":
        at = np.minimum(position - first, config.context - 1)                  # an ended row may be past it
        x = x + params["embedding"]["position"][at][:, None]
    for block, (keys, values) in zip(params["blocks"], layers):
        x = block_decode(x, block, config, first, position, keys, values)
    h, _ = norm_forward(x, params["norm"], config.norm, config.norm_eps)
    return head_forward(h[:, 0], params)[0]


def generate_tokens(params, config, prompts, rng, *, end_id, pad_id, max_new_tokens, temperature=1.0,
                    top_k=0, top_p=1.0):
    """Continue every prompt until its end token, max_new_tokens, or the end of the context.

    Shapes:  prompts: list of (T_i,) int -> list of (N_i,) int32, the end token included where it was drawn
    Raises:  ValueError for an empty prompt, one that fills the context, or max_new_tokens below 1.
    """
    for row, prompt in enumerate(prompts):
        if not 1 <= len(prompt) < config.context:
            raise ValueError(f"prompt {row} has {len(prompt)} tokens; it must have from 1 to "
                             f"{config.context - 1}, to leave room in the context of {config.context}")
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens is {max_new_tokens}; it must be 1 or more")
    if not prompts:
        return []
    max_new_tokens = min(max_new_tokens, config.context - min(map(len, prompts)))
    tokens, first = left_padded(prompts, pad_id)
    T = tokens.shape[1]
    # Equal prompts, as of several responses to one, are read once.
    unique, which = np.unique(np.column_stack([first, tokens]), axis=0, return_inverse=True)
    logits, layers = prefill(params, config, unique[:, 1:], unique[:, 0].copy(), T + max_new_tokens)
    logits, layers = logits[which], [(keys[which], values[which]) for keys, values in layers]
    new = np.full((len(prompts), max_new_tokens), pad_id, np.int32)
    lengths = np.zeros(len(prompts), int)
    rows, running = np.arange(len(prompts)), np.ones(len(prompts), bool)
    for step in range(max_new_tokens):
        drawn = np.where(running, sample(logits, rng, temperature, top_k, top_p), pad_id)
        new[rows, step] = drawn
        lengths[rows] += running
        # A row ends by itself, or where its own tokens (pads are none) fill the context.
        running &= (drawn != end_id) & (T + step + 1 - first < config.context)
        if not running.any() or step == max_new_tokens - 1:
            break
        # Rows that have ended go on reading pads, which nobody looks at, until dropping them repays the copy.
        if running.mean() < KEPT:
            layers = [(keys[running], values[running]) for keys, values in layers]
            rows, drawn, first, running = rows[running], drawn[running], first[running], running[running]
        logits = decode_step(params, config, drawn, first, T + step, layers)
    return [row[:length] for row, length in zip(new, lengths)]
