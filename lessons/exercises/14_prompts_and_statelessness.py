"""Exercise of lesson 14: from log-probabilities to a belief."""

import numpy as np


def belief_among(logprobs, index):
    """Belief in one of a few answers, from the log-probability of each.

        b = P(e_index) / sum_i P(e_i)        P(e_i) = exp(logprobs_i), which may be too small for a float

    Shapes:  logprobs (..., K) -> (...), each between 0 and 1
    """
    raise NotImplementedError


# Hints: shown one at a time by  minillm lesson 14 --check












HINTS = (
    "exp(-2000) is 0 in float64, and 0 / 0 is not a number. A ratio does not change when both sides are multiplied by the same.",
    "Subtract the largest log-probability from all of them before exp. Then the largest term is exp(0) = 1, and the sum is at least 1.",
    "weights = np.exp(logprobs - logprobs.max(axis=-1, keepdims=True)); then weights[..., index] / weights.sum(axis=-1).",
)
