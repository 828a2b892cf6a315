"""Embedding: a table of vectors, one row per token; learned positions use such a table too."""

from typing import NamedTuple

import numpy as np

from minillm.kernels.embedding import embedding_backward as scatter_add
from minillm.kernels.int8 import Int8, dequantize_plain
from minillm.tree import brief


class EmbeddingCache(NamedTuple):
    """What embedding_backward needs."""
    ids: np.ndarray     # (N,) int32
    rows: int           # number of rows in the table

    __repr__ = brief


def embedding_init(rng, rows, width, std):
    """A table of normally distributed numbers.  Shapes:  -> (rows, C)"""
    return (std * rng.standard_normal((rows, width))).astype(np.float32)


def embedding_forward(ids, table):
    """Look up one row of the table per id.

        y[b, t] = table[ids[b, t]]

    Shapes:  ids (B, T) int, table (V, C) -> y (B, T, C)
    Raises:  ValueError for an id outside the table. NumPy would silently wrap a negative id, and
             the backward kernel would write out of bounds.
    """
    rows, _ = table.shape
    if ids.size and (ids.min() < 0 or ids.max() >= rows):
        b, t = np.argwhere((ids < 0) | (ids >= rows))[0]
        raise ValueError(f"id {ids[b, t]} at [{b}, {t}] is outside the table of {rows} rows; "
                         "was the text encoded with another tokenizer.json?")
    return rows_of(table, ids), EmbeddingCache(ids.reshape(-1).astype(np.int32), rows)


def rows_of(table, ids):
    """table[ids] as floats, also of an Int8.  Shapes:  table (V, C), ids (...) int -> (..., C)"""
    if not isinstance(table, Int8):
        return table[ids]
    flat = ids.reshape(-1)
    rows = dequantize_plain(table.q[flat], table.scales[flat])      # (N, C)
    return rows.reshape(*ids.shape, -1)


def embedding_backward(dy, cache, into=None):
    """dtable[v] = sum of dy over the positions that hold id v; added to `into` if given.

    Shapes:  dy (B, T, C) -> (V, C)
    """
    ids, rows = cache
    into = np.zeros((rows, dy.shape[-1]), dy.dtype) if into is None else into
    return scatter_add(dy.reshape(ids.size, -1), ids, into)
