"""Gather the vectors of the tokens that are used later, and scatter their gradients back."""

import numpy as np


def counted(mask):
    """Flat indices b T + t of the positions with a weight above 0.  Shapes:  mask (B, T) -> (N,)"""
    return np.flatnonzero(mask)


def last_of_each(last, length):
    """Flat indices b T + last[b], one per row.  Shapes:  last (B,), T = length -> (B,)"""
    return np.arange(len(last)) * length + last


def gather(h, index):
    """The vectors of some tokens, so that what reads them skips the others.

    index: ascending, each once, so that an index of all B T tokens needs no copy; None: h as it is.
    Shapes:  h (B, T, C), index (N,): b T + t of each token -> (N, C)
    """
    if index is None:
        return h
    flat = h.reshape(-1, h.shape[-1])
    return flat if index.size == len(flat) else flat[index]


def scatter(rows, index, shape):
    """gather in reverse: the rows at their positions, 0 elsewhere.

    Shapes:  rows (N, C) or (N,), index (N,) -> `shape`: (B, T, C), (B, T, H, D) or (B, T)
    """
    if index is None or index.size == shape[0] * shape[1]:
        return rows.reshape(shape)
    full = np.zeros((shape[0] * shape[1], *shape[2:]), rows.dtype)
    full[index] = rows.reshape(-1, *shape[2:])
    return full.reshape(shape)
