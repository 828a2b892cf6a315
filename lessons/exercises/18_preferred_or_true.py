"""Exercise of lesson 18. Check it with:  minillm lesson 18 --check"""

import numpy as np


def calibration_error(confidence, right, bins=10):
    """How far the confidence in some answers is from the share of them that are right.

        error = sum over bins B of  |B| / N  *  |mean right in B - mean confidence in B|

    The bins divide the interval from 0 to 1 in equal parts; a confidence of 1 belongs to the last one. Empty bins count nothing.
    Shapes:  confidence (N,) from 0 to 1, right (N,) of 0 and 1  ->  a number
    """
    raise NotImplementedError






























# hints, shown one at a time by --check
HINTS = (
    "Number each request's bin first: with ten bins, confidences from 0.3 to just below 0.4 belong to bin 3. Where does 1.0 go?",
    "|B| times the difference of two means over B is the difference of two sums over B. So no bin needs its own mean, and an "
    "empty bin adds 0.",
    "which = np.minimum((bins * confidence).astype(int), bins - 1); np.bincount(which, confidence - right) then has a sum for "
    "each bin.",
)
