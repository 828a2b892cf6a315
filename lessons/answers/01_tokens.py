"""Worked answers of lesson 01."""

import pytest

from minillm.text.learning import train_tokenizer


def merge(ids, pair, new):
    """Exercise 4: a match uses up two tokens."""
    merged, i = [], 0
    while i < len(ids):
        match = tuple(ids[i:i + 2]) == pair
        merged.append(new if match else ids[i])
        i += 2 if match else 1
    return merged


def check_merge(function):
    """Pairs anywhere, overlapping ones, none, and ids that stay as they are."""
    for ids, pair, wanted in (([1, 1, 2, 1, 2], (1, 2), [1, 9, 9]), ([1, 1, 1], (1, 1), [9, 1]), ([1, 1, 1, 1], (1, 1), [9, 9]),
                              ([2, 1], (1, 2), [2, 1]), ([1, 2], (1, 2), [9]), ([3], (3, 3), [3]), ([], (1, 2), [])):
        given = list(ids)
        found = list(function(given, pair, 9))
        assert found == wanted, f"merging {pair} to 9 in {ids} should give {wanted}, not {found}"
        assert given == ids, f"the list that was passed should stay {ids}; it became {given}"


def test_exercise_1():
    """The pairs are aa, ab, ba, ab: (a, b) comes twice. Merged to X: a X X, three tokens."""
    text, pair = "aabab", "ab"
    pairs = [text[i:i + 2] for i in range(len(text) - 1)]
    assert max(set(pairs), key=pairs.count) == pair
    assert len(text.replace(pair, "X")) == 3


def test_exercise_2():
    """256 + 6 + 100 = 362; asked for 362, training makes 100 merges of a text that has enough pairs."""
    tokenizer = train_tokenizer(["the quick brown fox jumps over the lazy dog while many other words are written here "
                                 "and there to have enough different pairs of letters for a hundred merges at least"] * 2, 362)
    assert tokenizer.vocab_size == 362 == 256 + 6 + 100


def test_exercise_3():
    """Letters outside ASCII have two to four bytes, and without merges each byte is a token."""
    tokenizer = train_tokenizer(["plain text"], 262)
    assert len(tokenizer.encode("東京")) == 6 > len("東京")


def test_exercise_4():
    """The solution passes; one that goes on by one place after a match, and one that merges to the right, do not."""
    check_merge(merge)

    def overlapping(ids, pair, new):
        merged = []
        for i, token in enumerate(ids):
            if tuple(ids[i:i + 2]) == pair:
                merged.append(new)
            elif not (i and tuple(ids[i - 1:i + 1]) == pair):
                merged.append(token)
        return merged

    def from_the_right(ids, pair, new):
        return merge(ids[::-1], pair[::-1], new)[::-1]
    for wrong in (overlapping, from_the_right):
        with pytest.raises(AssertionError):
            check_merge(wrong)
