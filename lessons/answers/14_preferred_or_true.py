"""Worked answers of lesson 14."""

import numpy as np


def test_exercise_1():
    """s^2 / (s^2 + t^2) with t = 2 s: one fifth."""
    assert 1 / (1 + 2 ** 2) == 0.2


def test_exercise_2():
    """log 32 - 31/32 = 2.50 nats. Checked on many equally likely responses without ties."""
    n, V = 32, 200_000
    p = np.diff(np.arange(V + 1) / V) * 0 + np.diff((np.arange(V + 1) / V) ** n)
    seen = p > 0
    assert round(np.log(n) - (n - 1) / n, 2) == 2.5
    assert abs(np.sum(p[seen] * np.log(p[seen] * V)) - (np.log(n) - (n - 1) / n)) < 1e-3
