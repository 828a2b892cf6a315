"""The loss of pretraining and fine-tuning: how surprised the model is by the token that came next."""

from typing import NamedTuple

import numpy as np

from minillm.kernels.cross_entropy import cross_entropy_backward, cross_entropy_forward


class NextTokenCache(NamedTuple):
    """What next_token_backward needs; it overwrites the logits, so that (N, V) is held once."""
    logits: np.ndarray      # (N, V)
    targets: np.ndarray     # (N,) int32
    weights: np.ndarray     # (N,) in 1 / tokens, summing to 1
    lse: np.ndarray         # (N,) log of the softmax's denominator


def next_token_forward(logits, targets, weights):
    """Cross-entropy, averaged over the tokens that count.

        loss = sum_n w_n (log sum_v exp(logits_nv) - logits_n,target) / sum_n w_n      in nats a token

    Shapes:  logits (N, V), targets (N,) int, weights (N,): 1 where the target counts, else 0 -> ()
    Raises:  ValueError where no target counts, or a target is outside the vocabulary.
    """
    total = weights.sum(dtype=np.float64)
    if total == 0:
        raise ValueError("no target of this batch counts towards the loss: every label is masked; "
                         "has each conversation an assistant turn that fits the context?")
    if targets.min() < 0 or targets.max() >= logits.shape[1]:
        raise ValueError(f"targets range from {targets.min()} to {targets.max()}, outside the "
                         f"vocabulary of {logits.shape[1]}; was the text encoded with another tokenizer.json?")
    targets = targets.astype(np.int32)
    nll, lse = cross_entropy_forward(logits, targets)
    weights = (weights / total).astype(logits.dtype)
    # Where, not multiply alone: a masked row may hold anything, NaN too.
    loss = np.sum(np.where(weights > 0, nll * weights, 0), dtype=np.float64)
    return loss, NextTokenCache(logits, targets, weights, lse)


def next_token_backward(dloss, cache):
    """dlogits = dloss w (softmax(logits) - onehot(target)) / sum w.  Shapes:  () -> (N, V)

    The logits of the cache are overwritten: call it once.
    """
    logits, targets, weights, lse = cache
    return cross_entropy_backward(logits, targets, lse, (dloss * weights).astype(logits.dtype))
