"""Worked answers of lesson 03."""

import numpy as np

from minillm.layers.linear import linear_backward, linear_forward
from minillm.layers.norm import norm_backward, norm_forward


def test_exercise_1():
    """dW has the shape of W, (3, 5), and only dy^T x gives it: (3, 6) times (6, 5)."""
    rng = np.random.default_rng(0)
    x, dy, weight = rng.standard_normal((6, 5)), rng.standard_normal((6, 3)), rng.standard_normal((3, 5))
    _, cache = linear_forward(x, {"weight": weight})
    _, grads = linear_backward(dy, cache)
    assert grads["weight"].shape == (3, 5)
    np.testing.assert_allclose(grads["weight"], dy.T @ x)


def test_exercise_2():
    """dx . x = r dx . x_hat = u . x_hat - (x_hat . x_hat / C) (u . x_hat), and x_hat . x_hat = C: it is 0."""
    rng = np.random.default_rng(1)
    x, dy = rng.standard_normal((4, 9)), rng.standard_normal((4, 9))
    _, cache = norm_forward(x, {"gain": rng.standard_normal(9)}, "rmsnorm", 1e-14)
    dx, _ = norm_backward(dy, cache)
    np.testing.assert_allclose((dx * x).sum(axis=1), 0, atol=1e-12)


def test_exercise_3():
    """Its error is about h + 1e-16 / h, smallest near h = 1e-8, where about 1e-8 is left: half of the digits."""
    steps = np.logspace(-14, -1, 27)
    errors = np.array([abs((np.exp(1 + h) - np.exp(1)) / h / np.exp(1) - 1) for h in steps])
    assert 1e-10 < steps[errors.argmin()] < 1e-6 and 1e-11 < errors.min() < 1e-7
