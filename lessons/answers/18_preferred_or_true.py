"""Worked answers of lesson 18."""

import numpy as np
import pytest


def calibration_error(confidence, right, bins=10):
    """Exercise 4: |B| times a difference of means is a difference of sums."""
    confidence, right = np.asarray(confidence, float), np.asarray(right, float)
    which = np.minimum((bins * confidence).astype(int), bins - 1)
    return float(np.abs(np.bincount(which, confidence - right)).sum() / len(right))


def check_calibration_error(function):
    """By hand, where bins cancel nothing, where they do, and at the ends."""
    found = function(np.ones(10), np.arange(10) < 3)
    assert np.isclose(found, 0.7), f"always sure, right in 3 of 10: 0.7, not {found}; a confidence of 1 is in the last bin"
    found = function(np.array([0.95, 0.95, 0.55, 0.55]), np.array([1, 0, 1, 0]))
    assert np.isclose(found, 0.25), f"0.95 and 0.55, each right in half of the cases, give (0.45 + 0.05) / 2 = 0.25, not {found}"
    found = function(np.array([0.62, 0.68, 0.61, 0.69]), np.array([1, 1, 1, 0]))
    assert np.isclose(found, 0.1), f"one bin, of confidence 0.65 with 0.75 right, gives 0.1, not {found}: inside, errors cancel"
    found = function(np.array([0.9, 0.1]), np.array([0, 1]))
    assert np.isclose(found, 0.9), f"too sure in one bin and not sure enough in another gives 0.9, not {found}: bins never cancel"
    found = function(np.array([0.2, 0.9]), np.array([0, 1]), 2)
    assert np.isclose(found, 0.15), f"with two bins, 0.2 and 0.9 give (0.2 + 0.1) / 2 = 0.15, not {found}"


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
    """The solution passes: the model that is sure of everything is off by 1 - 0.3 = 0.7. One that lets bins cancel fails."""
    check_calibration_error(calibration_error)

    def of_the_means(confidence, right, bins=10):
        return abs(np.mean(confidence) - np.mean(right))
    with pytest.raises(AssertionError, match="bins never cancel"):
        check_calibration_error(of_the_means)


def test_exercise_5():
    """A policy gets less random, and its likeliest answer is right more often than a sample: the control is the start at a lower
    temperature. And training on in the same format may shed broken answers, whatever is paid: the control is an arm whose
    raters are paid for nothing. (Also: evasions may have been given up, which the share right among answered tells.) Here a
    model knows nothing more, and gains as much by sharpening alone.
    """
    p = np.array([0.52, 0.16, 0.16, 0.16])          # its belief in the right answer and in three wrong ones
    cool = p ** (1 / 0.85) / (p ** (1 / 0.85)).sum()
    assert cool[0] - p[0] > 0.04 and cool.argmax() == p.argmax()


def test_exercise_6():
    """The share of held-out pairs that the reward model orders right: well above one half, and above that of shuffled labels. At
    one half it knows nothing, so nothing can be over-optimized. Changes: more to learn from (several answers a prompt, so
    that a ranking of four has six pairs, and more steps), on a pilot of other seeds until the share is clear of one half; and
    a policy that goes on until a set divergence is reached, not for a set number of steps. Keep the lower temperature beside
    it.

    How many pairs it takes to tell 65% from 50%: so many that 65% less two standard deviations is above one half.
    """
    pairs = next(n for n in range(10, 1000) if 0.65 - 2 * np.sqrt(0.65 * 0.35 / n) > 0.5)
    assert pairs == 41                              # if pairs are independent; pairs of one prompt are not
