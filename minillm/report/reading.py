"""How the base model reads a text: how much each token surprises it, and where a head looks."""

from functools import partial

import numpy as np

from minillm.model.transformer import one_document, transformer_forward

TOKENS_READ = 96        # tokens of the text that is coloured by surprise
TOKENS_MAPPED = 20      # tokens of the text whose attention is drawn; more would not fit a phone
MOST_SURPRISE = 6.0     # nats; a token that surprises more has the same colour


def surprise(model, text):
    """How unexpected each token of a text is: -log p(token | the tokens before it), in nats.

    Returns [{"text", "nats", "likeliest": the token expected most, "p": its probability}], or None
    if the text cannot be encoded.
    """
    ids = ids_of(model, text, TOKENS_READ)
    if ids is None:
        return None
    logits = model.logits(ids[:-1]).astype(np.float64)                  # (T, V)
    logits -= logits.max(axis=1, keepdims=True)
    logprobs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    decode = partial(model.tokenizer.decode, controls=True)
    return [{"text": decode([token]), "nats": float(-row[token]),
             "likeliest": decode([row.argmax()]), "p": float(np.exp(row.max()))}
            for token, row in zip(ids[1:], logprobs)]


def ids_of(model, text, most):
    """The begin token and the first tokens of a text; None if it cannot be encoded or is empty."""
    try:
        ids = model.prompt_ids(text)[:min(most + 1, model.config.context)]
    except ValueError:                      # a character that the vocabulary does not have
        return None
    return ids if len(ids) > 1 else None


def attention_map(model, text):
    """The attention of one head over a text: the head that looks back the most (see looks_back).

    Returns {"tokens", "weights": rows that sum to 1, "block", "head", "share"}, block and head
    counted from 1; None if the text cannot be encoded or is too short to look back.
    """
    ids = ids_of(model, text, TOKENS_MAPPED)
    if ids is None or len(ids) < 4:
        return None
    weights = attention_weights(model, ids)                             # (L, H, T, T)
    shares = looks_back(weights)                                        # (L, H)
    block, head = np.unravel_index(shares.argmax(), shares.shape)
    tokens = ["(start)", *(model.tokenizer.decode([token]) for token in ids[1:])]
    rows = [row[:t + 1].round(4).tolist() for t, row in enumerate(weights[block, head])]
    return {"tokens": tokens, "weights": rows, "block": int(block) + 1, "head": int(head) + 1,
            "share": float(shares[block, head])}


def attention_weights(model, ids):
    """The softmax weights of every head: how much token t takes from each token s <= t.

        w_ts = exp(q_t . k_s / sqrt(D) - lse_t)

    Shapes:  ids (T,) -> (L, H, T, T)
    """
    tokens = np.asarray(ids)[None]                                      # (1, T)
    _, cache = transformer_forward(tokens, model.params, model.config, *one_document(tokens))
    return np.array([head_weights(block.attention) for block in cache.blocks])


def head_weights(cache):
    """The weights of the heads of one block.  Shapes:  AttentionCache of one row -> (H, T, T)"""
    q, k, lse = cache.q[0], cache.k[0], cache.lse[0]        # (T, H, D), (T, G, D), (H, T)
    T, H, D = q.shape
    k = np.repeat(k, H // k.shape[1], axis=1)               # (T, H, D)
    scores = np.einsum("thd,shd->hts", q, k) / np.sqrt(D)   # (H, T, T)
    seen = np.tri(T, dtype=bool) & (np.arange(T) >= cache.visible_from[0][:, None])
    return np.exp(np.where(seen, scores - lse[..., None], -np.inf))


def looks_back(weights):
    """How much a head looks at one token further back, averaged over the tokens of a text.

        mean over t of  max over 1 <= s <= t - 2 of w_ts

    The start, the token itself and the one before it do not count: many heads rest there.
    Shapes:  (L, H, T, T), T >= 4 -> (L, H)
    """
    T = weights.shape[-1]
    further = np.tril(np.ones((T, T)), -2)
    further[:, 0] = 0
    return (weights * further).max(axis=-1)[..., 3:].mean(axis=-1)
