"""Cross-entropy kernels: twins, gradient, the in-place contract, extreme logits."""

import numpy as np
import pytest
from gradcheck import gradcheck
from twins import assert_threads_change_nothing, assert_twins_agree

from minillm.kernels.cross_entropy import cross_entropy_backward, cross_entropy_forward


def case(N, V, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    logits = (3 * rng.standard_normal((N, V))).astype(dtype)
    return logits, rng.integers(0, V, N).astype(np.int32), rng.standard_normal(N).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("N, V", [(1, 1), (0, 5), (7, 13), (21, 300)])
def test_twins_agree(N, V, dtype):
    logits, targets, dnll = case(N, V, dtype)
    dnll[::3] = 0
    assert_twins_agree(cross_entropy_forward, logits, targets)
    lse = cross_entropy_forward.plain(logits, targets)[1]
    assert_twins_agree(cross_entropy_backward, logits, targets, lse, dnll)


def test_gradient():
    logits, targets, _ = case(6, 11)

    def forward(logits):
        nll, lse = cross_entropy_forward(logits, targets)
        return nll, (logits, lse)

    def backward(dnll, cache):
        logits, lse = cache
        return cross_entropy_backward(logits.copy(), targets, lse, dnll)

    gradcheck(forward, backward, [logits], label="cross-entropy kernel")


def test_the_logits_are_overwritten_and_returned():
    logits, targets, dnll = case(3, 5)
    lse = cross_entropy_forward(logits, targets)[1]
    dlogits = cross_entropy_backward(logits, targets, lse, dnll)
    assert dlogits is logits or np.shares_memory(dlogits, logits)
    np.testing.assert_allclose(dlogits.sum(axis=1), 0, atol=1e-12)


def test_a_row_that_does_not_count_has_exact_zeros():
    logits, targets, dnll = case(4, 6, np.float32)
    lse = cross_entropy_forward(logits, targets)[1]
    logits[2], dnll[2] = np.inf, 0
    dlogits = cross_entropy_backward(logits, targets, lse, dnll)
    assert (dlogits[2] == 0).all() and (dlogits[[0, 1, 3]] != 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_logits(dtype):
    """Far apart, all large, one ruled out: exact values are known."""
    logits = np.array([[1e4, 0, 0], [1e4, 1e4, 1e4], [-np.inf, 0, 0]], dtype=dtype)
    targets = np.array([1, 0, 2], dtype=np.int32)
    nll, lse = cross_entropy_forward(logits, targets)
    np.testing.assert_allclose(nll, [1e4, np.log(3), np.log(2)], rtol=1e-3)
    dlogits = cross_entropy_backward(logits, targets, lse, np.ones(3, dtype=dtype))
    np.testing.assert_allclose(dlogits, [[1, -1, 0], [-2 / 3, 1 / 3, 1 / 3], [0, 0.5, -0.5]], atol=1e-3)


def test_nan_stays_visible():
    logits, targets, _ = case(3, 40, np.float32)
    logits[1, 17] = np.nan
    assert np.isnan(cross_entropy_forward(logits, targets)[1]).tolist() == [False, True, False]


def test_threads_change_nothing():
    logits, targets, dnll = case(33, 70, np.float32)
    assert_threads_change_nothing(cross_entropy_forward, logits, targets)
    assert_threads_change_nothing(cross_entropy_backward, logits, targets,
                                  cross_entropy_forward(logits, targets)[1], dnll)
