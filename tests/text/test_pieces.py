"""Pieces: joined they are the text, and they are cut where the pattern says."""

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from minillm.kernels.split import ALTERNATIVES, LONGEST, PATTERN
from minillm.text import pieces as module
from minillm.text.pieces import parts_of, replace_surrogates, split_pieces, text_bytes


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


@given(st.text())
def test_a_longest_piece_changes_no_text_of_ordinary_words(text):
    assert list(split_pieces(text)) == regex.findall(ALTERNATIVES, text)


@example("1  1", 3)     # a cut before the second 1 would make one piece of the blanks
@example("1" + " " * 3000 + "1", 2999)
@example("\n \n" * 20 + "1" * 9, 7)
@given(st.text(st.sampled_from("aa1 \n\u3000!'s\ud800"), max_size=60), st.integers(1, 20))
def test_parts_have_the_pieces_of_the_whole(text, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHARACTERS_A_CALL", size)
        parts = list(parts_of(text))
        assert "".join(parts) == text and len(parts) >= 1
        assert [piece for part in parts for piece in regex.findall(PATTERN, part)] == regex.findall(PATTERN, text)
        assert list(split_pieces(text)) == regex.findall(PATTERN, text)


@pytest.mark.parametrize("letters", ["a", " ", "\n", "!", " \n", "e\u0301"])
def test_a_text_without_a_break_is_many_pieces(letters):
    text = letters * 5000
    pieces = list(split_pieces(text))
    assert "".join(pieces) == text and max(map(len, pieces)) <= 2 * LONGEST


@given(st.text(st.characters()))
def test_bytes_are_counted_as_they_are_encoded(text):
    assert text_bytes(text) == len(replace_surrogates(text).encode())
    assert text_bytes("a\ud83d") == 4
