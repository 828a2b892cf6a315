"""The compiled splitter gives exactly the pieces of the regular expression that defines them."""

import random

import numba
import numpy as np
import pytest

from minillm.kernels.split import (ASCII, LONGEST, UNICODE, characters_of, compiled, kinds_of_characters, piece_ends)
from minillm.kernels.twin import plain_kernels

# One or more characters of each kind, what the rules name, and characters that `regex` and `unicodedata` may see differently
LETTERS = ["a", "b", "s", "d", "l", "e", "v", "\xe9", "\u0301", "\u6f22", "\U0001d44e", "\u0903"]
BLANKS = [" ", "  ", "\n", "\r", "\r\n", "\t", "\xa0", "\u3000", "\u2028", "\x85", "\x1c", "\x0b"]
OTHERS = ["1", "23", "\xb2", "\u0663", "\u2167", "!", "'", "\U0001f600", "\ufffd", "\0", "\u200b", "\u0378", "\udc80", "\udcff"]
ENDS = ["'s", "'d", "'m", "'t", "'ll", "'ve", "'re", "'x", "'l", "'v", "'S"]
WORDS = [LETTERS + BLANKS + OTHERS + ENDS, BLANKS, LETTERS + [" "], ["'", *"sdmtlver "], [" ", "\n", "1", "a"], OTHERS + [" "]]


def assert_ends_are_those_of_the_pattern(text, ends, kinds):
    found = piece_ends(characters_of(text), ends, kinds)
    np.testing.assert_array_equal(found, piece_ends.plain(characters_of(text), ends, kinds), err_msg=repr(text[:80]))
    assert found.dtype == np.int64


def test_thousands_of_odd_strings():
    rng, kinds = random.Random(0), kinds_of_characters(UNICODE)
    for _ in range(4000):
        text = "".join(rng.choices(rng.choice(WORDS), k=rng.randint(0, 25)))
        ends = np.array(sorted(rng.choices(range(len(text) + 1), k=rng.randint(0, 2))) + [len(text)])
        assert_ends_are_those_of_the_pattern(text, ends, kinds)
        if text.isascii():
            assert_ends_are_those_of_the_pattern(text, ends, kinds_of_characters(ASCII))


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="as Python, it takes a minute")
def test_runs_about_as_long_as_the_longest_piece():
    rng, kinds = random.Random(1), kinds_of_characters(UNICODE)
    counts = [1, 1, 2, *(n + more for n in (LONGEST, 2 * LONGEST) for more in (-2, -1, 0, 1, 2))]
    for _ in range(500):
        words = rng.choice([BLANKS, LETTERS + BLANKS + OTHERS])
        text = "".join(rng.choice(words) * rng.choice(counts) for _ in range(rng.randint(1, 5)))
        assert_ends_are_those_of_the_pattern(text, np.array([len(text)]), kinds)


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="as Python, it takes a minute")
def test_every_character_of_unicode():
    every = list(map(chr, range(UNICODE)))
    random.Random(2).shuffle(every)
    text = "".join(every)
    assert_ends_are_those_of_the_pattern(text, np.array([len(text)]), kinds_of_characters(UNICODE))


def test_the_kinds_are_those_of_regex():
    kinds, text = kinds_of_characters(UNICODE), "".join(map(chr, range(UNICODE)))
    for number, group in enumerate((r"[\p{L}\p{M}]+", r"\p{N}+", r"[\r\n]+", r"[^\S\r\n]+", r"[^\s\p{L}\p{M}\p{N}]+")):
        meant = np.concatenate([np.arange(*run.span()) for run in compiled(group).finditer(text)])
        np.testing.assert_array_equal(np.flatnonzero(kinds == 1 << number), meant)
    np.testing.assert_array_equal(kinds_of_characters(ASCII), kinds[:ASCII])


def test_a_piece_ends_where_its_text_does():
    text, ends = "a b.b  c", np.array([3, 3, 6, 8])
    found = piece_ends(characters_of(text), ends, kinds_of_characters(ASCII))
    assert found.tolist() == [1, 3, 4, 5, 6, 8]     # "a", " b" | | ".", "b", " " | " c"


@pytest.mark.skipif(plain_kernels(), reason="the pattern itself")
def test_nothing_to_split():
    assert len(piece_ends(characters_of(""), np.array([0, 0]), kinds_of_characters(ASCII))) == 0
