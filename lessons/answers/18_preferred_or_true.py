"""Worked answers of lesson 18."""

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


def test_exercise_3():
    """The derivative, a - b log d - b, is 0 at log d = a / b - 1; there d (a - b log d) = b d."""
    a, b = 0.05, 0.04
    d = np.linspace(0.1, 5, 100_001)
    gained = d * (a - b * np.log(d))
    peak = np.exp(a / b - 1)
    assert abs(d[gained.argmax()] - peak) < 1e-4 and abs(gained.max() - b * peak) < 1e-9


def test_exercise_4():
    """All are in the last bin, whose confidence is 1 and whose share of right ones is 0.3: 0.7."""
    confidence, right = np.ones(10), np.arange(10) < 3
    bins = np.minimum((10 * confidence).astype(int), 9)
    assert np.isclose(np.abs(np.bincount(bins, confidence - right)).sum() / 10, 0.7)
