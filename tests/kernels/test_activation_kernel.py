"""GELU and SwiGLU kernels: twins, gradients, extreme inputs."""

import math

import numpy as np
import pytest
from gradcheck import gradcheck
from twins import assert_threads_change_nothing, assert_twins_agree

from minillm.kernels.activation import gelu_backward, gelu_forward, swiglu_backward, swiglu_forward


def case(N, F, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    return [3 * rng.standard_normal((N, F)).astype(dtype) for _ in range(3)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("N, F", [(1, 1), (0, 3), (5, 7), (9, 130)])
def test_twins_agree(N, F, dtype):
    x, up, dy = case(N, F, dtype)
    assert_twins_agree(gelu_forward, x)
    assert_twins_agree(gelu_backward, dy, x)
    assert_twins_agree(swiglu_forward, x, up)
    assert_twins_agree(swiglu_backward, dy, x, up)


def test_gradients():
    x, up, _ = case(4, 9)
    gradcheck(lambda x: (gelu_forward(x), x), lambda dy, x: gelu_backward(dy.copy(), x), [x], label="gelu kernel")
    gradcheck(lambda gate, up: (swiglu_forward(gate, up), (gate, up)),
              lambda dy, cache: swiglu_backward(dy.copy(), *cache), [x, up], label="swiglu kernel")


def test_gelu_is_close_to_x_times_the_normal_distribution():
    x = np.linspace(-5, 5, 41)[None]
    exact = [t * 0.5 * (1 + math.erf(t / math.sqrt(2))) for t in x[0]]
    np.testing.assert_allclose(gelu_forward(x)[0], exact, atol=1e-3)  # the tanh form differs by up to 5e-4


def test_extreme_inputs_saturate():
    x = np.array([[-1e4, -100, -0.0, 0.0, 100, 1e4]], dtype=np.float32)
    expected = np.maximum(x, 0)
    np.testing.assert_allclose(gelu_forward(x), expected, atol=1e-30)
    np.testing.assert_allclose(swiglu_forward(x, np.ones_like(x)), expected, atol=1e-30)
    slopes = np.array([[0, 0, 0.5, 0.5, 1, 1]], dtype=np.float32)
    np.testing.assert_allclose(gelu_backward(np.ones_like(x), x), slopes, atol=1e-30)
    np.testing.assert_allclose(swiglu_backward(np.ones_like(x), x, np.ones_like(x))[0], slopes, atol=1e-30)


def test_nan_stays_visible():
    x = np.array([[1, np.nan, 2]], dtype=np.float32)
    assert np.isnan(gelu_forward(x)).tolist() == [[False, True, False]]
    assert np.isnan(swiglu_forward(x, np.ones_like(x))).tolist() == [[False, True, False]]


def test_threads_change_nothing():
    x, up, dy = case(33, 17, np.float32)
    for kernel, args in ((gelu_forward, (x,)), (gelu_backward, (dy, x)),
                         (swiglu_forward, (x, up)), (swiglu_backward, (dy, x, up))):
        assert_threads_change_nothing(kernel, *args)
