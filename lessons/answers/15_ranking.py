"""Worked answers of lesson 15."""

import numpy as np

from minillm.losses.ranking import ranked_above


def test_exercise_1():
    """p^2 + (1 - p)^2 = 0.68 has the root p = 0.8 above one half: more often than they agree."""
    p = (1 + np.sqrt(2 * 0.68 - 1)) / 2
    assert np.isclose(p, 0.8) and np.isclose(p ** 2 + (1 - p) ** 2, 0.68)


def test_exercise_2():
    """9 * 8 / 2 = 36; each tie of two takes one pair away: 34."""
    assert ranked_above(np.arange(1, 10)[None]).sum() == 36
    assert ranked_above(np.array([[1, 1, 2, 3, 4, 5, 6, 7, 7]])).sum() == 34
