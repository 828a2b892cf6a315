"""RMSNorm and LayerNorm kernels: twins, gradients, cancellation, threads."""

import numpy as np
import pytest
from gradcheck import gradcheck
from twins import assert_threads_change_nothing, assert_twins_agree

from minillm.kernels.norm import layernorm_backward, layernorm_forward, rmsnorm_backward, rmsnorm_forward

EPS = 1e-5


def case(N, C, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    shapes = (N, C), (N, C), (C,), (C,), (N, C)  # x, dy, gain, bias, residual
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("N, C", [(1, 1), (0, 5), (7, 13), (37, 64), (5, 131)])
def test_twins_agree(N, C, dtype):
    x, dy, gain, bias, residual = case(N, C, dtype)
    assert_twins_agree(rmsnorm_forward, x, gain, EPS)
    assert_twins_agree(rmsnorm_backward, dy, x, gain, rmsnorm_forward.plain(x, gain, EPS)[1], residual)
    assert_twins_agree(layernorm_forward, x, gain, bias, EPS)
    if C > 1:   # one channel is its own mean: inv_std, 1 / sqrt(eps), multiplies rounding errors
        _, mean, inv_std = layernorm_forward.plain(x, gain, bias, EPS)
        assert_twins_agree(layernorm_backward, dy, x, gain, mean, inv_std, residual)


def test_rmsnorm_gradient():
    x, _, gain, _, _ = case(6, 11)

    def forward(x, gain):
        y, inv_rms = rmsnorm_forward(x, gain, EPS)
        return y, (x, gain, inv_rms, np.zeros_like(x))

    gradcheck(forward, lambda dy, cache: rmsnorm_backward(dy, *cache), [x, gain], label="rmsnorm kernel")


def test_layernorm_gradient():
    x, _, gain, bias, _ = case(6, 11)

    def forward(x, gain, bias):
        y, mean, inv_std = layernorm_forward(x, gain, bias, EPS)
        return y, (x, gain, mean, inv_std, np.zeros_like(x))

    gradcheck(forward, lambda dy, cache: layernorm_backward(dy, *cache), [x, gain, bias],
              label="layernorm kernel")


def test_a_large_mean_does_not_cancel_the_variance():
    """E[x^2] - E[x]^2 in float32 loses a unit variance beside a mean of 3,000."""
    x = np.random.default_rng(0).standard_normal((4, 256)) + 3000
    ones, zeros = np.ones(256), np.zeros(256)
    exact = layernorm_forward.plain(x, ones, zeros, EPS)[0]
    got = layernorm_forward(x.astype(np.float32), ones.astype(np.float32), zeros.astype(np.float32), EPS)[0]
    np.testing.assert_allclose(got, exact, atol=2e-2)


def test_threads_change_nothing():
    x, dy, gain, bias, residual = case(45, 19, np.float32)
    _, inv_rms = rmsnorm_forward(x, gain, EPS)
    assert_threads_change_nothing(rmsnorm_backward, dy, x, gain, inv_rms, residual)
    _, mean, inv_std = layernorm_forward(x, gain, bias, EPS)
    assert_threads_change_nothing(layernorm_backward, dy, x, gain, mean, inv_std, residual)
