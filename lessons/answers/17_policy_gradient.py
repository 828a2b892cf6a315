"""Worked answers of lesson 17."""

import numpy as np

REFERENCE, REWARD, BETA = np.array([0.5, 0.3, 0.2]), np.array([0.0, 1.0, 2.0]), 0.7


def kl(p, q):
    """sum p log(p / q)."""
    return float(np.sum(p * np.log(p / q)))


def test_exercise_1():
    """log pi* = log pi_ref + r / beta - log Z; insert r = beta (log pi* - log pi_ref + log Z) into J."""
    weights = REFERENCE * np.exp(REWARD / BETA)
    Z, best, p = weights.sum(), weights / weights.sum(), np.array([0.2, 0.5, 0.3])
    assert np.isclose(p @ REWARD - BETA * kl(p, REFERENCE), BETA * np.log(Z) - BETA * kl(p, best))


def test_exercise_2():
    """For logits z, d log p_y / dz = onehot(y) - p, whose mean under p is 0, so b times it is 0 on average.

    The mean of a group of two, (r(y) + r(other)) / 2, takes half of r(y) away, and half of the gradient.
    """
    p = REFERENCE
    gradients = np.eye(3) - p
    for b in (0.0, 5.0):
        np.testing.assert_allclose((p * (REWARD - b)) @ gradients, (p * REWARD) @ gradients, atol=1e-12)
    pairs = [p[y] * p[other] * (REWARD[y] - (REWARD[y] + REWARD[other]) / 2) * gradients[y] for y in range(3) for other in range(3)]
    np.testing.assert_allclose(np.sum(pairs, axis=0), (p * REWARD) @ gradients / 2, atol=1e-12)


def test_exercise_3():
    """P(best <= y) = P(one <= y)^2: 0.25, 0.64, 1, so 0.25, 0.39, 0.36."""
    best = np.diff(np.concatenate([[0], np.cumsum(REFERENCE)]) ** 2)
    np.testing.assert_allclose(best, [0.25, 0.39, 0.36])
