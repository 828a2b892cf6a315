"""Gather the vectors at the positions that count (loss weight above 0), and scatter them back."""

import numpy as np


def counted(mask):
    """Flat indices of the positions with a weight above 0.  Shapes:  mask (B, T) -> (N,)"""
    return np.flatnonzero(mask)


def last_of_each(last, length):
    """Flat indices of one position per row.  Shapes:  last (B,), T = length -> (B,) into B T"""
    return np.arange(len(last)) * length + last


def gather(h, index):
    """The vectors at some positions, so that the head (the widest product) skips the others.

    Shapes:  h (B, T, C), index (N,) into B T -> (N, C)
    """
    flat = h.reshape(-1, h.shape[-1])
    return flat if index.size == len(flat) else flat[index]


def scatter(rows, index, shape):
    """gather in reverse: the rows at their positions, 0 elsewhere.

    Shapes:  rows (N, C) or (N,), index (N,) -> (B, T, C) or (B, T), as `shape` says
    """
    full = np.zeros((shape[0] * shape[1], *shape[2:]), rows.dtype)
    full[index] = rows
    return full.reshape(shape)
