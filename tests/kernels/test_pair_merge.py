"""The kernel that learns merges equals its plain twin, and stays linear where scanning would not."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textbook import textbook_merges

from minillm.kernels.pair_merge import apply_merges, learn_merges, merge_pair
from minillm.kernels.twin import plain_kernels

FIRST_ID = 20

# Few distinct tokens, so that runs, overlaps and ties are common.
pieces = st.lists(st.lists(st.integers(6, 9), min_size=1, max_size=12), min_size=1, max_size=8)


def lay_out(pieces):
    ids = np.array([token for piece in pieces for token in piece], dtype=np.int32)
    return ids, np.repeat(np.arange(len(pieces), dtype=np.int32), [len(piece) for piece in pieces])


def by_piece(ids, piece, count):
    return [ids[piece == p].tolist() for p in range(count)]


@settings(max_examples=200, deadline=None)
@given(pieces, st.integers(0, 12), st.data())
def test_learning_equals_the_plain_twin(pieces, limit, data):
    ids, piece = lay_out(pieces)
    weights = np.array(data.draw(st.lists(st.integers(1, 3), min_size=len(pieces), max_size=len(pieces))))
    merges = learn_merges(ids, piece, weights, FIRST_ID, limit)
    np.testing.assert_array_equal(merges, learn_merges.plain(ids, piece, weights, FIRST_ID, limit))


@settings(max_examples=100, deadline=None)
@given(pieces)
def test_applying_equals_merging_the_lowest_rank_that_stands_first(pieces):
    """The textbook encoder: find the lowest rank in the piece, merge its first place, look again."""
    ids, piece = lay_out(pieces)
    merges = learn_merges(ids, piece, np.ones(len(pieces), np.int64), FIRST_ID, 10)
    ranks = {tuple(pair): rank for rank, pair in enumerate(merges.tolist())}
    expected = [textbook_merges(tokens, ranks, FIRST_ID) for tokens in pieces]
    assert by_piece(*apply_merges(ids, piece, merges, FIRST_ID), len(pieces)) == expected


def test_merges_worked_by_hand():
    ids, piece = lay_out([[6, 7, 6, 7], [7, 6, 6]])
    merges = learn_merges(ids, piece, np.array([3, 2]), FIRST_ID, 5)
    # (6, 7) stands 6 times, (7, 6) 5 times, (6, 6) twice; then (20, 20) 3 times; then (6, 6) and
    # (7, 6) twice each, and the smaller ids win; then (7, 22).
    assert merges.tolist() == [[6, 7], [20, 20], [6, 6], [7, 22]]
    assert by_piece(*apply_merges(ids, piece, merges, FIRST_ID), 2) == [[21], [23]]


def test_overlapping_pairs_merge_from_the_left():
    ids, piece = lay_out([[6] * 5, [6] * 4])
    assert by_piece(*merge_pair(ids, piece, 6, 6, 20), 2) == [[20, 20, 6], [20, 20]]


def test_pairs_do_not_span_pieces():
    ids, piece = lay_out([[6], [7], [6], [7]])
    assert len(learn_merges(ids, piece, np.full(4, 9), FIRST_ID, 5)) == 0
    assert apply_merges(ids, piece, np.array([[6, 7]], np.int32), FIRST_ID)[0].tolist() == [6, 7, 6, 7]


def test_a_pair_that_occurs_once_is_not_learned():
    ids, piece = lay_out([[6, 7, 8]])
    assert len(learn_merges(ids, piece, np.array([1]), FIRST_ID, 5)) == 0


def test_nothing_to_merge():
    none, no_merges = np.empty(0, np.int32), np.empty((0, 2), np.int32)
    two = np.array([6, 7], np.int32)
    assert len(learn_merges(none, none, np.empty(0, np.int64), FIRST_ID, 5)) == 0
    assert len(apply_merges(none, none, no_merges, FIRST_ID)[0]) == 0
    assert apply_merges(two, np.zeros(2, np.int32), no_merges, FIRST_ID)[0].tolist() == [6, 7]


def test_the_input_is_left_alone():
    ids, piece = lay_out([[6, 7, 6, 7]])
    before = ids.copy()
    apply_merges(ids, piece, learn_merges(ids, piece, np.array([2]), FIRST_ID, 3), FIRST_ID)
    np.testing.assert_array_equal(ids, before)


@pytest.mark.skipif(plain_kernels() or numba.config.DISABLE_JIT, reason="the plain twins rescan the text")
@pytest.mark.parametrize("letters", [1, 26])
def test_a_piece_of_a_megabyte(letters):
    """Anything quadratic would need hours for this."""
    ids = np.random.default_rng(0).integers(6, 6 + letters, 1_000_000).astype(np.int32)
    piece = np.zeros(len(ids), np.int32)
    merges = learn_merges(ids, piece, np.array([1]), 40, 1000)
    assert len(merges) == (18 + 1 if letters == 1 else 1000)  # 2, 4, 8, ... 2^18 and what is left over
