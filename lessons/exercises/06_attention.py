"""Lesson 06, exercise 4: one head of causal attention to write.  Check it:  minillm lesson 06 --check"""

import numpy as np

HINTS = (
    "Three steps: a (T, T) matrix of scores, a softmax along each row, a product with the values. The mask belongs between "
    "the first and the second.",
    "Make hidden scores -inf before the softmax, as exp(-inf) is 0. np.tri(T, dtype=bool) is True where s <= t. Subtract "
    "each row's maximum before np.exp: the scores may be in the thousands.",
    "scores = np.where(np.tri(T, dtype=bool), q @ k.T / np.sqrt(D), -np.inf);  weights = np.exp(scores - scores.max(axis=1,"
    " keepdims=True));  divide weights by their sum over axis 1, and multiply by v.",
)


def causal_attention(q, k, v):
    """One head of causal attention.

        out_t = sum_{s <= t} p_ts v_s,   p_ts = exp(q_t . k_s / sqrt(D)) / sum_{s' <= t} exp(q_t . k_s' / sqrt(D))

    Shapes:  q, k and v (T, D) -> out (T, D)
    """
    raise NotImplementedError
