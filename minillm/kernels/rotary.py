"""Rotary position embedding: the angle of each pair of channels grows with the position."""

import numba
import numpy as np

from minillm.kernels.twin import twin


def rotate_plain(x, cos, sin, positions):
    """Rotate the pair (x1_i, x2_i) of each head by the angle of its position and frequency i.

        y1 = x1 cos - x2 sin,   y2 = x2 cos + x1 sin

    Half layout: x1 is the first half of a head's channels and x2 the second.
    The backward is this function with -sin, since the transpose of a rotation is its inverse.
    Shapes:  x (B, T, H, D), cos and sin (P, D/2), positions (B, T) int32 < P -> y (B, T, H, D)
    Source:  Su et al. 2021, arXiv:2104.09864, eq. 34; half layout as in Llama's published weights.
    """
    half = x.shape[-1] // 2
    x1, x2 = x[..., :half], x[..., half:]
    c, s = cos[positions][:, :, None], sin[positions][:, :, None]  # (B, T, 1, D/2)
    return np.concatenate([x1 * c - x2 * s, x2 * c + x1 * s], axis=-1)


@twin(plain=rotate_plain, parallel=True)
def rotate(x, cos, sin, positions):
    B, T, H, D = x.shape
    half = D // 2
    y = np.empty_like(x)
    for b in numba.prange(B):
        for t in range(T):
            c, s = cos[positions[b, t]], sin[positions[b, t]]
            for h in range(H):
                x1, x2 = x[b, t, h, :half], x[b, t, h, half:]
                y1, y2 = y[b, t, h, :half], y[b, t, h, half:]
                for i in range(half):
                    y1[i] = x1[i] * c[i] - x2[i] * s[i]
                    y2[i] = x2[i] * c[i] + x1[i] * s[i]
    return y
