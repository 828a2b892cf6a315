"""Worked answers of lesson 10."""

import numpy as np

from minillm.model.sampling import next_token_probs

P = np.array([[0.6, 0.3, 0.1]])


def test_exercise_1():
    """exp(log p / tau) = p^(1 / tau), so tau = 1/2."""
    np.testing.assert_allclose(next_token_probs(np.log(P), 0.5), P ** 2 / np.sum(P ** 2))


def test_exercise_2():
    """log p = z / tau - log Z; dp/dtau = -p (z - mean z) / tau^2; dH/dtau = -sum dp/dtau log p
    = sum p (z - mean z) z / tau^3 = Var(z) / tau^3."""
    z, tau, h = np.random.default_rng(0).standard_normal((1, 6)), 0.8, 1e-5

    def entropy(tau):
        p = next_token_probs(z, tau)
        return -np.sum(p * np.log(p))
    p = next_token_probs(z, tau)
    variance = np.sum(p * z ** 2) - np.sum(p * z) ** 2
    np.testing.assert_allclose((entropy(tau + h) - entropy(tau - h)) / (2 * h), variance / tau ** 3, rtol=1e-6)


def test_exercise_3():
    """0.5 is reached by the first alone; 0.7 needs the second, which crosses it and is kept."""
    kept = [np.count_nonzero(next_token_probs(np.log(P), top_p=mass)) for mass in (0.5, 0.7)]
    assert kept == [1, 2]
