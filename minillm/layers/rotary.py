"""Rotary positions (RoPE): rotate pairs of channels by an angle that grows with the position."""

import functools
from typing import NamedTuple

import numpy as np

from minillm.kernels.rotary import rotate
from minillm.tree import brief


class RotaryCache(NamedTuple):
    """What rotary_backward needs."""
    positions: np.ndarray   # (B, T) int32
    theta: float            # base of the frequencies

    __repr__ = brief


def rotary_table(length, head_size, theta, dtype):
    """Cosines and sines of position * frequency, frequency_i = theta^(-2i / D).

    The table has at least `length` positions. It is made once for each power of two and kept, as
    decoding asks for one position more with every token.
    Shapes:  -> cos (P, D/2), sin (P, D/2), P >= length
    Source:  Su et al. 2021, arXiv:2104.09864, eq. 15 and 34.
    """
    return _table(1 << (length - 1).bit_length(), head_size, theta, dtype)


@functools.lru_cache(maxsize=32)
def _table(length, head_size, theta, dtype):
    frequency = theta ** (-np.arange(0, head_size, 2) / head_size)      # (D/2,) radians per token
    angle = np.arange(length)[:, None] * frequency                      # (length, D/2)
    return np.cos(angle).astype(dtype), np.sin(angle).astype(dtype)


def rotary_forward(x, positions, theta):
    """Rotate channel pairs (i, i + D/2) of each head: the "half" layout.

        y_i        = x_i cos a - x_{i+D/2} sin a
        y_{i+D/2}  = x_{i+D/2} cos a + x_i sin a,     a = position * theta^(-2i / D)

    The inner product of a query and a key then depends only on the distance of their positions.
    Shapes:  x (B, T, H, D), positions (B, T) int32 -> y (B, T, H, D)
    """
    table = rotary_table(int(positions.max()) + 1, x.shape[-1], theta, x.dtype)
    return rotate(x, *table, positions), RotaryCache(positions, theta)


def rotary_backward(dy, cache):
    """The transpose of a rotation is the inverse rotation: the same with -sin.

    Shapes:  dy (B, T, H, D) -> dx (B, T, H, D)
    """
    positions, theta = cache
    cos, sin = rotary_table(int(positions.max()) + 1, dy.shape[-1], theta, dy.dtype)
    return rotate(dy, cos, -sin, positions)
