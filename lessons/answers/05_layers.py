"""Worked answers of lesson 05."""

import numpy as np

from minillm import tree
from minillm.config import ModelConfig
from minillm.kernels.activation import swiglu_backward
from minillm.layers.feed_forward import feed_forward_init
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
    """dx . x = r dx . x_hat = g . x_hat - (x_hat . x_hat / C) (g . x_hat), and x_hat . x_hat = C: it is 0."""
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


def test_exercise_4():
    """1/2 at 0, 1 far to the right, 0 far to the left: there the gate is shut, and hardly any gradient reaches it. Nor does
    much reach the way up, whose gradient is silu itself."""
    gate = np.array([[0.0, 30.0, -30.0]])
    slope, passed = swiglu_backward(np.ones((1, 3)), gate, np.ones((1, 3)))
    np.testing.assert_allclose(slope, [[0.5, 1, 0]], atol=1e-10)
    np.testing.assert_allclose(passed, [[0, 30, 0]], atol=1e-10)


def test_exercise_5():
    """341: three matrices in place of two, 3 C F = 2 C 4 C, so F = 8 C / 3 = 341 1/3. minillm takes 352, a multiple of 32."""
    def size(activation, hidden):
        config = ModelConfig(width=128, hidden=hidden, activation=activation)
        return tree.count(feed_forward_init(np.random.default_rng(0), config, 1.0))
    assert size("gelu", 4 * 128) == 2 * 128 * 512 and size("swiglu", 341) == 3 * 128 * 341
    assert abs(size("swiglu", 341) / size("gelu", 512) - 1) < 1e-2 and ModelConfig().hidden == 352 == -(-341 // 32) * 32
