"""Pieces: joined they are the text, and they are cut where the pattern says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minillm.text.pieces import replace_surrogates, split_pieces


@given(st.text())
def test_pieces_join_to_the_text(text):
    pieces = list(split_pieces(text))
    assert "".join(pieces) == text
    assert all(pieces)


@pytest.mark.parametrize("text, pieces", [
    ("The mill isn't far.", ["The", " mill", " isn", "'t", " far", "."]),
    ("in 1987, 250g", ["in", " ", "19", "87", ",", " ", "25", "0", "g"]),
    ("def f(x):\n    return x\n", ["def", " f", "(", "x", "):", "\n", "   ", " return", " x", "\n"]),
    ("end. \n\n  New", ["end", ".", " \n\n", " ", " New"]),
    ("a\r\nb  ", ["a", "\r\n", "b", "  "]),
    ("naïve हिन्दी 漢字", ["naïve", " हिन्दी", " 漢字"]),
    ("!? 🎉🎉", ["!?", " 🎉🎉"]),
    ("", []),
])
def test_pieces_of(text, pieces):
    assert list(split_pieces(text)) == pieces


def test_half_a_surrogate_pair_becomes_the_replacement_character():
    assert replace_surrogates("a\ud83db\udfff") == "a\ufffdb\ufffd"
    assert replace_surrogates("a😀b") == "a😀b"
