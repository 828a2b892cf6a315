"""Lesson 07, exercise 3: the rotation of RoPE to write.  Check it:  minillm lesson 07 --check"""

import numpy as np

HINTS = (
    "Make the angles first: one for each position and each pair of channels, positions times frequencies, as an outer "
    "product. Then rotate each pair as a point in the plane.",
    "The frequencies are theta ** (-2 i / D) for i = 0 ... D/2 - 1. The pair of channel i is channel i + D/2, so x[..., :D "
    "// 2] are all first coordinates and x[..., D // 2:] all second ones. No loop is needed.",
    "angle = positions[:, None] * theta ** (-2 * np.arange(D // 2) / D);  cos, sin = np.cos(angle), np.sin(angle);  with "
    "x1, x2 the two halves, the result is np.concatenate([x1 * cos - x2 * sin, x2 * cos + x1 * sin], axis=-1).",
)


def rotate(x, positions, theta):
    """Rotate the pair (x_i, x_{i + D/2}) of each token by its position times theta^(-2i / D) radians.

        y_i = x_i cos a - x_{i+D/2} sin a,   y_{i+D/2} = x_{i+D/2} cos a + x_i sin a

    Shapes:  x (T, D), positions (T,) int -> y (T, D)
    """
    raise NotImplementedError
