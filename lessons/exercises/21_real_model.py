"""Exercise of lesson 21: four bits back to a weight."""

import numpy as np


def weights_of(d, m, packed):
    """The weights of Q4_1 blocks, 32 in each:  w = d q + m

    q is a whole number from 0 to 15. Byte i of a block holds two of them: its low half is q of weight i, its high half q of
    weight i + 16.
    Shapes:  d and m (N,) floats, packed (N, 16) uint8 -> (N, 32) float32
    """
    raise NotImplementedError


# Hints: shown one at a time by  minillm lesson 21 --check












HINTS = (
    "A byte is 16 times its high half plus its low half. The 16 low halves of a block come first, the 16 high halves after them.",
    "The halves are `packed & 15` and `packed >> 4`, both (N, 16); np.concatenate along axis 1 puts them in order, (N, 32).",
    "d and m need an axis to be used for all 32 weights of their block: d[:, None] * q + m[:, None], as float32.",
)
