"""Exercise of lesson 03. Check it with:  minillm lesson 03 --check"""

import numpy as np

HINTS = (
    "It is the softmax along the last axis: exponentials divided by their sum.",
    "exp(1000) is inf. The result does not change if the same number is subtracted from all logits of a row; which number makes "
    "the largest exponent 0?",
    "weights = np.exp(logits - logits.max(axis=-1, keepdims=True)), then weights / weights.sum(axis=-1, keepdims=True).",
)


def next_token_probs(logits):
    """Probabilities of the next token, one row for each position.

        p_j = exp(z_j) / sum_i exp(z_i)

    Logits may be as large as 1,000, or minus infinity for a token that cannot come; neither may give nan.
    Shapes:  logits (..., V) -> (..., V), each row sums to 1
    """
    raise NotImplementedError
