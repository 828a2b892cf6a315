"""Exercise of lesson 13: mix old text into a batch of conversations."""

import numpy as np


def replay_mix(batch, old, share):
    """Conversations and old text as one batch, in which the old text has `share` of the total weight.

        s M' / (M + s M') = share        M, M' the sums of the weights of batch and of old

    The rows of `batch` come first, with their weights as they are; every other field is as it was. Neither argument is changed.

    batch, old: minillm.text.batches.Batch; share: in [0, 1).
    Shapes:  Batch of (B, T), Batch of (R, T) -> Batch of (B + R, T), weights float32
    """
    raise NotImplementedError


# Hints: shown one at a time by  minillm lesson 13 --check












HINTS = (
    "The loss is a weighted mean over all targets, so a part's share of the gradient is its share of the sum of weights. Only the "
    "weights of the old text need to change.",
    "Let M be the sum of batch.weights and M' that of old.weights. Find the factor s for which s M' / (M + s M') is the share.",
    "s = share / (1 - share) * M / M'. Then old._replace(weights=(old.weights * s).astype(np.float32)), and concatenate the two "
    "batches field by field: type(batch)(*(np.concatenate(pair) for pair in zip(batch, old))).",
)
