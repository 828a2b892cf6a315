"""AdamW against its twin and against numbers worked out by hand; the sum of squares of clipping."""

import numpy as np
import pytest
from twins import assert_threads_change_nothing, assert_twins_agree

from minillm.kernels.adamw import adamw_step, sum_of_squares

NUMBERS = dict(lr=1e-2, beta1=0.9, beta2=0.95, eps=1e-8, decay=0.1, step=3, scale=0.5)


def case(N, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    param, grad, m, v = rng.standard_normal((4, N)).astype(dtype)
    return param, grad, m, v * v


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("N", [0, 1, 17, 40_000])
def test_twins_agree(N, dtype):
    arrays = case(N, dtype)
    assert_twins_agree(adamw_step, *arrays, *NUMBERS.values())
    assert_twins_agree(sum_of_squares, arrays[0].astype(np.float64))


def test_the_first_step_moves_by_the_learning_rate():
    """m_hat = g and v_hat = g^2: the step is lr * sign(g), whatever the size of g."""
    param, grad = np.zeros(3), np.array([1e-3, -5.0, 200.0])
    adamw_step(param, grad, np.zeros(3), np.zeros(3), 0.1, 0.9, 0.999, 1e-12, 0.0, 1, 1.0)
    np.testing.assert_allclose(param, [-0.1, 0.1, -0.1], rtol=1e-6)


def test_decay_is_decoupled():
    """Without a gradient the parameter shrinks by lr * decay, and the moments stay empty."""
    param, m, v = np.full(2, 4.0), np.zeros(2), np.zeros(2)
    adamw_step(param, np.zeros(2), m, v, 0.1, 0.9, 0.999, 1e-8, 0.5, 1, 1.0)
    np.testing.assert_allclose(param, 4.0 * (1 - 0.1 * 0.5))
    assert not m.any() and not v.any()


def test_two_steps_by_hand():
    param, m, v = np.array([1.0]), np.zeros(1), np.zeros(1)
    for step, grad in ((1, 2.0), (2, -1.0)):
        adamw_step(param, np.array([grad]), m, v, 0.1, 0.5, 0.75, 0.0, 0.0, step, 0.5)
    # scaled gradients 1 and -0.5: m = 0.5, then 0; v = 0.25, then 0.25: the second step stands still
    np.testing.assert_allclose([param[0], m[0], v[0]], [0.9, 0.0, 0.25], atol=1e-12)


def test_the_gradient_is_left_alone():
    param, grad, m, v = case(9)
    before = grad.copy()
    adamw_step(param, grad, m, v, *NUMBERS.values())
    np.testing.assert_array_equal(grad, before)


def test_a_numpy_learning_rate_does_not_widen():
    param, grad, m, v = case(9, np.float32)
    numbers = dict(NUMBERS, lr=np.float64(1e-2), scale=np.float64(0.5))
    assert_twins_agree(adamw_step, param, grad, m, v, *numbers.values())


def test_sum_of_squares_accumulates_in_float64():
    """A float32 sum would be off by 1e-7 and more; the square of a large float32 would overflow."""
    x = np.full(100_000, 0.1, dtype=np.float32)
    assert sum_of_squares(x) == pytest.approx(100_000 * float(np.float32(0.1)) ** 2, rel=1e-10)
    assert sum_of_squares(np.array([3e19, 4e19], dtype=np.float32)) == pytest.approx(25e38, rel=1e-6)


def test_threads_change_nothing():
    assert_threads_change_nothing(adamw_step, *case(40_000, np.float32), *NUMBERS.values())
    assert_threads_change_nothing(sum_of_squares, case(40_000, np.float32)[0])
