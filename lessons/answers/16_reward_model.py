"""Worked answers of lesson 16."""

import numpy as np

from minillm.losses.ranking import ranking_backward, ranking_forward


def test_exercise_1():
    """The loss depends on differences alone: adding c to all scores changes nothing, so the derivative along ones is 0."""
    rng = np.random.default_rng(0)
    scores, ranks = rng.standard_normal((3, 4)), np.array([rng.permutation(4) + 1 for _ in range(3)])
    loss, cache = ranking_forward(scores, ranks)
    np.testing.assert_allclose(ranking_backward(1.0, cache).sum(axis=1), 0, atol=1e-15)
    np.testing.assert_allclose(ranking_forward(scores + 7.0, ranks)[0], loss)


def test_exercise_2():
    """sigma(1) = 0.731."""
    assert round(1 / (1 + np.exp(-(1.5 - 0.5))), 3) == 0.731


def test_exercise_3():
    """log n - (n - 1) / n is 1.77 for n = 15 and 1.84 for n = 16: the best of 15 or 16."""
    kl = [np.log(n) - (n - 1) / n for n in range(1, 33)]
    assert np.argmin(np.abs(np.array(kl) - 1.8)) + 1 == 15 and round(kl[14], 2) == 1.77 and round(kl[15], 2) == 1.84
