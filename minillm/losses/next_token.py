"""The loss of pretraining and fine-tuning: how surprised the model is by the next token."""

from typing import NamedTuple

import numpy as np

from minillm.kernels.cross_entropy import cross_entropy_backward, cross_entropy_forward
from minillm.tree import brief


class NextTokenCache(NamedTuple):
    """What next_token_backward needs. It overwrites the logits, so memory holds (N, V) once."""
    logits: np.ndarray      # (N, V)
    targets: np.ndarray     # (N,) int32
    weights: np.ndarray     # (N,) divided by their sum
    lse: np.ndarray         # (N,) log of the softmax's denominator

    __repr__ = brief


def next_token_forward(logits, targets, weights):
    """Cross-entropy, a weighted mean over the targets, in nats per token.

        loss = sum_n w_n (log sum_v exp(logits_nv) - logits_n,target) / sum_n w_n

    weights: 1 where a target counts, 0 where not, a smaller share in replayed rows
    (finetune.with_replay).
    Shapes:  logits (N, V), targets (N,) int, weights (N,) -> ()
    Raises:  ValueError if no target counts, or a target is outside the vocabulary.
    """
    total = weights.sum(dtype=np.float64)
    if total == 0:
        raise ValueError("no target of this batch counts towards the loss: every label is masked; "
                         "has each conversation an assistant turn that fits the context?")
    if targets.min() < 0 or targets.max() >= logits.shape[1]:
        raise ValueError(f"targets range from {targets.min()} to {targets.max()}, outside the "
                         f"vocabulary of {logits.shape[1]}; was the text encoded with another "
                         "tokenizer.json?")
    targets = targets.astype(np.int32)
    nll, lse = cross_entropy_forward(logits, targets)
    weights = (weights / total).astype(logits.dtype)
    # A masked row may hold NaN, and 0 * NaN is NaN: so np.where, not only the product.
    loss = np.sum(np.where(weights > 0, nll * weights, 0), dtype=np.float64)
    return loss, NextTokenCache(logits, targets, weights, lse)


def next_token_backward(dloss, cache):
    """dlogits = dloss w (softmax(logits) - onehot(target)) / sum w.  Shapes:  () -> (N, V)

    The logits of the cache are overwritten, so a cache can be used only once.
    """
    logits, targets, weights, lse = cache
    return cross_entropy_backward(logits, targets, lse, (dloss * weights).astype(logits.dtype))
