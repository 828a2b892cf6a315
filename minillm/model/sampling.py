"""From logits to the next token: temperature, top-k, top-p, and one draw."""

import numpy as np

from minillm.config import check_range
from minillm.kernels.categorical import categorical_draw
from minillm.model.finite import require_logits


def check_settings(temperature, top_k, top_p):
    """Refuse settings out of range.  Raises:  ValueError"""
    check_range("temperature", temperature, "[0, inf)")
    check_range("top_k", top_k, "[0, inf)")
    check_range("top_p", top_p, "(0, 1]")


def next_token_probs(logits, temperature=1.0, top_k=0, top_p=1.0):
    """The distribution that the next token is drawn from.

        p = softmax(logits / temperature),
        cut to the k likeliest tokens, then to the fewest that together have probability top_p

    Temperature 0 gives the likeliest token probability 1. Of equals, the lowest ids are kept.
    Shapes:  logits (B, V) -> (B, V), rows sum to 1
    Raises:  ValueError for a temperature below 0, a top_k below 0, a top_p outside (0, 1];
             FloatingPointError if the logits define no distribution.
    Source:  Fan et al. 2018, arXiv:1805.04833 (top-k); Holtzman et al. 2019, arXiv:1904.09751
             (top-p).
    """
    check_settings(temperature, top_k, top_p)
    require_logits(logits)
    if temperature == 0:
        return (np.arange(logits.shape[1]) == logits.argmax(axis=1)[:, None]).astype(np.float64)
    logits = logits.astype(np.float64)                              # a copy, changed in place below
    with np.errstate(over="ignore"):                                # a tiny temperature gives -inf
        logits -= logits.max(axis=1, keepdims=True)
        logits /= temperature
    if 0 < top_k < logits.shape[1]:
        logits[~likeliest(logits, top_k)] = -np.inf
    probs = np.exp(logits, out=logits)                              # the largest is exp(0)
    probs /= probs.sum(axis=1, keepdims=True)
    if top_p < 1:
        order = np.argsort(-probs, axis=1, kind="stable")
        ranked = np.take_along_axis(probs, order, axis=1)
        ranked[np.cumsum(ranked, axis=1) - ranked >= top_p] = 0     # earlier ones reach top_p
        np.put_along_axis(probs, order, ranked, axis=1)
        probs /= probs.sum(axis=1, keepdims=True)
    return probs


def likeliest(logits, k):
    """Which are the k largest of every row; of equals, those with the lowest ids.

    Shapes:  logits (B, V), 1 <= k <= V -> (B, V) bool, k a row
    """
    kth = -np.partition(-logits, k - 1, axis=1)[:, k - 1:k]         # (B, 1)
    kept = logits >= kth
    if np.count_nonzero(kept) > k * len(kept):                      # several equal the k-th
        above = logits > kth
        room = k - np.count_nonzero(above, axis=1)[:, None]         # (B, 1)
        kept = above | (kept & (np.cumsum(kept & ~above, axis=1) <= room))
    return kept


def draw(probs, rng):
    """One token per row: the first whose cumulative probability exceeds a uniform number.

    Shapes:  probs (B, V) -> (B,) int32
    """
    cumulative = np.cumsum(probs, axis=1)
    u = rng.random((len(probs), 1)) * cumulative[:, -1:]
    tokens = np.argmax(cumulative > u, axis=1)
    assert (probs[np.arange(len(probs)), tokens] > 0).all(), "a token of probability 0 was drawn"
    return tokens.astype(np.int32)


def sample(logits, rng, temperature=1.0, top_k=0, top_p=1.0):
    """The next token of every row; at temperature 0, the likeliest.

    Without top-k and top-p, a kernel draws from the same distribution without storing its
    probabilities.
    Shapes:  logits (B, V) -> (B,) int32
    Raises:  ValueError for settings out of range; FloatingPointError if the logits define no
             distribution.
    """
    check_settings(temperature, top_k, top_p)
    if temperature == 0:
        require_logits(logits)
        return logits.argmax(axis=1).astype(np.int32)
    if top_k or top_p < 1:
        return draw(next_token_probs(logits, temperature, top_k, top_p), rng)
    tokens = categorical_draw(logits, rng.random(len(logits)), float(temperature))
    if (tokens < 0).any():
        require_logits(logits)
    return tokens
