"""Ids of pieces: the kernel equals its plain twin and the textbook's encoder."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textbook import textbook_merges

from minillm.kernels import piece_ids as module
from minillm.kernels.pair_merge import learn_merges
from minillm.kernels.piece_ids import pair_ranks, piece_ids
from minillm.kernels.split import characters_of

FIRST_ID = 256
BYTE_IDS = np.arange(256, dtype=np.int32)
NONE = -1


def learned(pieces, limit):
    """Merges of these pieces' bytes."""
    encoded = [piece.encode("utf-8", "surrogateescape") for piece in pieces]
    piece = np.repeat(np.arange(len(encoded), dtype=np.int32), list(map(len, encoded)))
    ids = BYTE_IDS[np.frombuffer(b"".join(encoded), np.uint8)]
    return learn_merges(ids, piece, np.ones(len(pieces), np.int64), FIRST_ID, limit).astype(np.int64)


def arguments(texts, merges, frames=None):
    """The arguments of the kernel for texts that are lists of pieces."""
    pieces = [piece for text in texts for piece in text]
    ends = np.cumsum(list(map(len, pieces)), dtype=np.int64)
    stops = np.cumsum([sum(map(len, text)) for text in texts], dtype=np.int64)
    frames = np.full((len(texts), 2), NONE, np.int32) if frames is None else np.array(frames, np.int32)
    return (characters_of("".join(pieces)), ends, stops, frames, BYTE_IDS, merges,
            np.arange(FIRST_ID, FIRST_ID + len(merges), dtype=np.int32), pair_ranks(merges))


def both(*args):
    """The kernel's ids, which are the plain twin's."""
    ids = piece_ids(*args)
    np.testing.assert_array_equal(ids, piece_ids.plain(*args))
    assert ids.dtype == piece_ids.plain(*args).dtype == np.int32
    return ids.tolist()


# Few distinct characters, so that runs, overlaps and pieces that come again are common; one to four bytes each, and a byte
characters = st.sampled_from(["a", "a", "b", "\xe9", "\u6f22", "\U0001f600", "\udc80"])
texts_of_pieces = st.lists(st.lists(st.text(characters, min_size=1, max_size=12), max_size=6), min_size=1, max_size=4)


@settings(max_examples=200, deadline=None)
@given(texts_of_pieces, st.integers(0, 12), st.data())
def test_the_kernel_equals_its_plain_twin_and_the_textbook(texts, limit, data):
    pieces = [piece for text in texts for piece in text]
    merges = learned(pieces, limit) if pieces else np.empty((0, 2), np.int64)
    ids = st.sampled_from([NONE, 700, 800])
    frames = data.draw(st.lists(st.tuples(ids, ids), min_size=len(texts), max_size=len(texts)))
    ranks = {tuple(pair): rank for rank, pair in enumerate(merges.tolist())}
    meant = []
    for text, (before, after) in zip(texts, frames):
        inside = [id for piece in text for id in
                  textbook_merges(list(piece.encode("utf-8", "surrogateescape")), ranks, FIRST_ID)]
        meant += [id for id in (before, *inside, after) if id != NONE]
    assert both(*arguments(texts, merges, frames)) == meant


def test_overlapping_pairs_merge_from_the_left():
    assert both(*arguments([["aaaaa", "aaaa"]], np.array([[97, 97]]))) == [256, 256, 97, 256, 256]


def test_the_lowest_rank_comes_first_wherever_it_is():
    merges = np.array([[98, 99], [97, 98], [256, 100]])     # bc, ab, bcd
    assert both(*arguments([["abcd", "abab", "xabcab"]], merges)) == [97, 258, 257, 257, 120, 97, 256, 257]


def test_pairs_do_not_span_pieces_or_texts():
    merges = np.array([[97, 98]])
    assert both(*arguments([["a", "b"], ["a"], ["b"]], merges)) == [97, 98, 97, 98]


def test_pieces_of_one_row_of_the_table_replace_each_other(monkeypatch):
    """A piece that is not in its row is merged again; one that is there is copied."""
    words = [f"w{n % 40}" for n in range(200)]
    merges = learned(words, 20)
    together = both(*arguments([words], merges))
    monkeypatch.setattr(module, "row_of", lambda characters, start, end, rows: 0)     # of the loops as Python
    if numba.config.DISABLE_JIT:
        assert both(*arguments([words], merges)) == together
    assert together == [id for word in words for id in both(*arguments([[word]], merges))]


def test_nothing_to_merge():
    none = np.empty((0, 2), np.int64)
    assert both(*arguments([[]], none)) == []
    assert both(*arguments([[], ["ab"], []], none, [(1, 2), (1, NONE), (NONE, 2)])) == [1, 2, 1, 97, 98, 2]


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="as Python, it takes a minute")
@pytest.mark.parametrize("letters", ["a", "abcdefgh", "\U0001f600\U0001f601"])
def test_a_piece_of_two_thousand_bytes(letters):
    text = "".join(np.random.default_rng(0).choice(list(letters), 2000 // len(letters[0].encode())))
    ids = both(*arguments([[text, text]], learned([text], 100)))
    assert ids[:len(ids) // 2] == ids[len(ids) // 2:]


def test_the_arguments_are_left_alone():
    args = arguments([["abab", "abab"]], learned(["abab"], 3), [(1, 2)])
    before = [np.array(arg) for arg in args]
    piece_ids(*args)
    for arg, old in zip(args, before):
        np.testing.assert_array_equal(arg, old)
