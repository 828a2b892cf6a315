"""Worked answers of lesson 02."""

import numpy as np
import pytest


def bigram_probs(ids, vocab_size, extra):
    """Exercise 3: count into a table that begins with `extra`, and divide each row by its sum."""
    counts = np.full((vocab_size, vocab_size), float(extra))
    np.add.at(counts, (ids[:-1], ids[1:]), 1)
    return counts / counts.sum(axis=1, keepdims=True)


def check_bigram_probs(function):
    """Rows sum to 1; repeated pairs count as often as they come; `extra` reaches pairs that never came."""
    ids = np.array([0, 1, 0, 1, 0, 2])
    probs = np.asarray(function(ids, 4, 0.5))
    assert probs.shape == (4, 4), f"the table should have shape (4, 4), one row a token; it has {probs.shape}"
    np.testing.assert_allclose(probs.sum(axis=1), 1, err_msg="each row should sum to 1: what follows token a is some token")
    assert np.isclose(probs[0, 1], 2.5 / 5), ("in 0 1 0 1 0 2, token 1 follows token 0 twice and token 2 once: "
                                              f"p(1 | 0) = (2 + 0.5) / (3 + 4 * 0.5) = 0.5, not {probs[0, 1]:.3f}")
    assert np.isclose(probs[1, 0], 2.5 / 4), f"p(0 | 1) should be (2 + 0.5) / (2 + 4 * 0.5) = 0.625, not {probs[1, 0]:.3f}"
    assert np.allclose(probs[3], 0.25), "token 3 never came, so after it all four tokens should be equally likely"
    sure = np.asarray(function(np.array([0, 1, 0]), 2, 0))
    assert np.allclose(sure, [[0, 1], [1, 0]]), "with extra = 0 the probabilities should be the plain shares"


def test_exercise_1():
    """`abab` has the pairs ab, ba, ab. After a came always b, and after b always a: both have probability 1 and the loss is 0.
    `abba` has the pair bb, which never came: its probability is 0, and the loss infinite.
    """
    probs = bigram_probs(np.array([0, 1, 0, 1]), 2, 0)
    assert -np.log(probs[[0, 1, 0], [1, 0, 1]]).mean() == 0
    with np.errstate(divide="ignore"):
        assert np.isinf(-np.log(probs[[0, 1, 1], [1, 1, 0]]).mean())


def test_exercise_2():
    """50,257 squared is 2.5 billion; two thin tables have 2 * 50,257 * 768 = 77 million, 33 times fewer."""
    assert round(50_257 ** 2 / 1e9, 1) == 2.5 and round(2 * 50_257 * 768 / 1e6) == 77
    assert round(50_257 ** 2 / (2 * 50_257 * 768)) == 33


def test_exercise_3():
    """The solution passes; one that counts repeated pairs once, and one that divides columns, do not."""
    check_bigram_probs(bigram_probs)

    def once(ids, vocab_size, extra):
        counts = np.full((vocab_size, vocab_size), float(extra))
        counts[ids[:-1], ids[1:]] += 1
        return counts / counts.sum(axis=1, keepdims=True)

    def by_columns(ids, vocab_size, extra):
        return bigram_probs(ids[::-1], vocab_size, extra)
    for wrong in (once, by_columns):
        with pytest.raises(AssertionError):
            check_bigram_probs(wrong)


def test_exercise_4():
    """(a) Size: with a hundred times the parameters, a model can learn the training text by heart. Control: a model of the same
    size that sees the current token alone, and the loss on held-out text, where learning by heart does not help. (b) The table is
    not trained to its end: 1,000 small steps may leave its logits far from where they should be. Control: the counted table,
    which is the best that a bigram model can do on its training text. (One seed each is a third: repeat with other seeds.)
    """
    counts = np.array([[8.0, 2.0], [1.0, 9.0]])
    best = -np.sum(counts * np.log(counts / counts.sum(axis=1, keepdims=True))) / counts.sum()
    scores = np.zeros((2, 2))
    for _ in range(3):
        probs = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        scores -= 0.5 * (counts.sum(axis=1, keepdims=True) * probs - counts) / counts.sum()
    unfinished = -np.sum(counts * np.log(probs)) / counts.sum()
    assert unfinished > best + 0.05         # what (b) speaks of
