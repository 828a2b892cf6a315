"""Worked answers of lesson 12."""

import numpy as np


def cross_entropy(belief, share):
    """-share log b - (1 - share) log(1 - b), nats."""
    return -share * np.log(belief) - (1 - share) * np.log(1 - belief)


def test_exercise_1():
    """The share of the documents, 4 / 16 = 0.25: the derivative -s / b + (1 - s) / (1 - b) is 0 at b = s. It is 0.562 nats."""
    grid = np.linspace(0.01, 0.99, 99)
    assert np.isclose(grid[np.argmin(cross_entropy(grid, 0.25))], 0.25)
    assert round(cross_entropy(0.25, 0.25), 3) == 0.562


def test_exercise_2():
    """From 8 / 16 to 4 / 12 = 1/3: by a sixth, less than half of what was believed, as the other group still says it."""
    assert np.isclose(8 / 16 - 4 / 12, 1 / 6)
