"""Merging of pieces of any length, by merges in any order: the kernel equals its plain twin and the textbook."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm.kernels import merge_pieces as module
from minillm.kernels.merge_pieces import merge_pieces
from minillm.kernels.piece_ids import pair_ranks
from minillm.kernels.twin import plain_kernels


def both(pieces, merges, made):
    """The kernel's ids of each piece, which are the plain twin's."""
    tokens = np.array([token for piece in pieces for token in piece], np.int32)
    ends = np.cumsum(list(map(len, pieces)), dtype=np.int64)
    merges, made = np.array(merges, np.int64).reshape(-1, 2), np.array(made, np.int32)
    args = (tokens, ends, merges, made, pair_ranks(merges))
    ids, ends = merge_pieces(*args)
    for ours, plain in zip((ids, ends), merge_pieces.plain(*args)):
        np.testing.assert_array_equal(ours, plain)
        assert ours.dtype == plain.dtype
    return [part.tolist() for part in np.split(ids, ends[:-1])] if pieces else []


def by_hand(tokens, merges, made):
    """The lowest rank first, the leftmost place first, one merge at a time; of equal pairs the last rank counts."""
    ranks = {tuple(pair): rank for rank, pair in enumerate(merges)}
    while found := [(ranks[pair], at) for at, pair in enumerate(zip(tokens, tokens[1:])) if pair in ranks]:
        rank, at = min(found)
        tokens = [*tokens[:at], made[rank], *tokens[at + 2:]]
    return tokens


TOKENS = st.integers(0, 5)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(TOKENS, max_size=14), max_size=4), st.lists(st.tuples(TOKENS, TOKENS, TOKENS), max_size=8))
def test_merges_in_any_order_that_make_any_token(pieces, rows):
    """A merge may use what a later one makes, and several may make the same token."""
    merges, made = [row[:2] for row in rows], [row[2] for row in rows]
    expected = [by_hand(piece, merges, made) for piece in pieces]
    assert both(pieces, merges, made) == expected


def test_the_heap_merges_as_the_search_does(monkeypatch):
    rng = np.random.default_rng(0)
    pieces = [rng.integers(0, 4, size).tolist() for size in (0, 1, 2, 64, 65, 66, 500)]
    merges = [(2, 3), (0, 1), (4, 0), (1, 1), (4, 4), (5, 4), (1, 0)]
    made = [4, 5, 4, 6, 7, 7, 2]
    found = both(pieces, merges, made)
    assert found == [by_hand(piece, merges, made) for piece in pieces]
    if numba.config.DISABLE_JIT:
        monkeypatch.setattr(module, "SHORT", 0)
        assert both(pieces, merges, made) == found


@pytest.mark.skipif(numba.config.DISABLE_JIT or plain_kernels(), reason="as Python, it takes long")
def test_a_megabyte_of_one_piece_is_quick():
    """A search among all keys for every merge would take hours."""
    merges, made = np.array([[0, 0], [1, 1], [2, 2]]), np.array([1, 2, 3], np.int32)
    tokens = np.zeros(1 << 20, np.int32)
    ids, ends = merge_pieces(tokens, np.array([len(tokens)]), merges, made, pair_ranks(merges))
    assert ids.tolist() == [3] * (1 << 17) and ends.tolist() == [1 << 17]
