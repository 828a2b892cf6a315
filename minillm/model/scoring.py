"""Log-probabilities of given tokens, for evaluation, rollouts and KL divergences."""

from typing import NamedTuple

import numpy as np

from minillm.kernels.categorical import categorical_forward
from minillm.kernels.cross_entropy import cross_entropy_forward
from minillm.layers.rows import counted, scatter
from minillm.model.finite import require_finite
from minillm.model.transformer import head_forward, transformer_forward
from minillm.tree import brief


class Scored(NamedTuple):
    """Log-probabilities of a batch's targets, and the vectors that they were read from."""
    logprob: np.ndarray     # (B, T) nats; 0 where the target's weight is 0
    rows: np.ndarray        # (N, C) vectors at the N positions that count: a value head reads them
    index: np.ndarray       # (N,) those positions, in B T

    __repr__ = brief


def token_logprobs(params, config, batch, temperature=None, precision="float32"):
    """log p(target) at every position that counts; nothing is kept for a backward pass.

        log p = logit_target / temperature - log sum_v exp(logit_v / temperature)

    The result must equal, to the bit, what the training objective computes. So without a
    temperature the arithmetic is that of the next-token loss; with one it is that of the policy
    objective. A rollout's first probability ratio is then exactly 1, if precision is that of the
    training.
    Shapes:  Batch of (B, T) -> Scored
    Raises:  FloatingPointError if one is not finite.
    """
    index = counted(batch.weights)
    h, _ = transformer_forward(batch.tokens, params, config, batch.positions, batch.visible_from,
                               recompute=True, precision=precision, wanted=index)   # (N, C)
    logits, _ = head_forward(h, params, precision)                          # (N, V)
    targets = batch.targets.reshape(-1)[index]
    if temperature is None:
        logprob = -cross_entropy_forward(logits, targets)[0]
    else:
        logits /= logits.dtype.type(temperature)
        logprob = categorical_forward(logits, targets)[0]
    require_finite(logprob, "the log-probabilities of the tokens")
    return Scored(scatter(logprob, index, batch.tokens.shape), h, index)
