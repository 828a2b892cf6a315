"""Worked answers of lesson 05."""

import numpy as np
import pytest

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


def squared_relu_backward(dy, x, up, down):
    """The chain rule from y back to x: linear, activation, linear. The derivative of max(0, z)^2 is 2 max(0, z)."""
    z = x @ up.T
    h = np.maximum(0, z) ** 2
    dh, ddown = dy @ down, dy.T @ h
    dz = dh * 2 * np.maximum(0, z)
    return dz @ up, dz.T @ x, ddown


def check_squared_relu_backward(function):
    """Shapes first, then each gradient against central differences along random directions."""
    rng = np.random.default_rng(6)
    dy, x, up, down = (rng.standard_normal(shape) for shape in ((4, 3), (4, 3), (5, 3), (3, 5)))
    given = [dy, x, up, down]
    gradients = function(*(array.copy() for array in given))
    assert isinstance(gradients, tuple) and len(gradients) == 3, "expected three gradients: dx, dup, ddown"

    def s(x, up, down):
        return np.sum(dy * (np.maximum(0, x @ up.T) ** 2 @ down.T))
    for i, (name, gradient) in enumerate(zip(("dx", "dup", "ddown"), gradients)):
        at = given[1:]
        assert np.shape(gradient) == at[i].shape, f"{name} has shape {np.shape(gradient)}, expected {at[i].shape}"
        v = rng.standard_normal(at[i].shape)
        ends = [s(*at[:i], at[i] + h * v, *at[i + 1:]) for h in (1e-5, -1e-5)]
        measured, claimed = (ends[0] - ends[1]) / 2e-5, float(np.sum(gradient * v))
        assert abs(claimed - measured) < 1e-6 * abs(measured), \
            f"{name}, along a random direction: expected {measured:.6f} (measured), got {claimed:.6f}"


def test_exercise_6():
    """The activation function's derivative is 2 max(0, z): 0 where z is negative. The rest are two linear layers."""
    check_squared_relu_backward(squared_relu_backward)

    def without_the_two(dy, x, up, down):
        dx, dup, ddown = squared_relu_backward(dy, x, up, down)
        return dx / 2, dup / 2, ddown
    with pytest.raises(AssertionError, match="dx, along"):
        check_squared_relu_backward(without_the_two)


def test_exercise_7():
    """The first knows nothing: in float32, with about 7 digits, the quotient is off by about 1e-7 / 1e-12. Step 1e-5 in float64
    would decide. The second knows nothing either: if the outputs sum to a constant, as a LayerNorm's do, every multiple of the
    right gradient, and also 0, passes under ones. A random dy would decide."""
    f = np.float32
    measured = (np.exp(f(1) + f(1e-12)) - np.exp(f(1) - f(1e-12))) / f(2e-12)
    assert measured == 0                                    # both ends are the same float32: the right gradient looks wrong
    x, ones = np.random.default_rng(0).standard_normal((4, 6)), np.ones((4, 6))
    _, cache = norm_forward(x, {"gain": np.ones(6)}, "layernorm", 1e-5)
    assert np.abs(norm_backward(ones, cache)[0]).max() < 1e-12      # so 2 dx, or 0, agrees with it as well
    assert np.abs(norm_backward(np.random.default_rng(1).standard_normal((4, 6)), cache)[0]).max() > 0.1
