"""A model whose weights hold NaN, or have grown without bounds, says nothing: it is refused."""

import numpy as np


def require_finite(values, what):
    """Refuse numbers that a model computed if one is NaN or infinite.

    Shapes:  values (...), of `what` the message speaks
    Raises:  FloatingPointError
    """
    if not np.isfinite(values).all():
        raise FloatingPointError(f"{what} are not finite; the model's weights hold NaN, or have "
                                 "grown without bounds in its training")


def require_logits(logits):
    """Refuse logits that define no distribution; single ones of -inf (probability 0) are fine.

    Shapes:  logits (B, V)
    Raises:  FloatingPointError
    """
    require_finite(logits.max(axis=1), "the logits")    # the maximum of a row with a NaN is NaN
