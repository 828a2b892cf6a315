"""Worked answers of lesson 01."""

from minillm.text.tokenizer import train_tokenizer


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
