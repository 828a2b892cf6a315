"""Categorical kernels: twins, gradient through log-probability and entropy, actions that are ruled out."""

import numpy as np
import pytest
from gradcheck import gradcheck
from twins import assert_threads_change_nothing, assert_twins_agree

from minillm.kernels.categorical import categorical_backward, categorical_forward


def case(N, V, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    logits = (2 * rng.standard_normal((N, V))).astype(dtype)
    dlogprob, dentropy = rng.standard_normal((2, N)).astype(dtype)
    return logits, rng.integers(0, V, N).astype(np.int32), dlogprob, dentropy


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("N, V", [(1, 1), (0, 5), (7, 13), (21, 300)])
def test_twins_agree(N, V, dtype):
    logits, actions, dlogprob, dentropy = case(N, V, dtype)
    if V > 1:
        logits[:, 0] = -np.inf
        actions[:] = np.maximum(actions, 1)
    assert_twins_agree(categorical_forward, logits, actions)
    _, entropy, lse = categorical_forward.plain(logits, actions)
    assert_twins_agree(categorical_backward, logits, actions, lse, entropy, dlogprob, dentropy)


def test_gradient():
    logits, actions, _, _ = case(6, 11)

    def forward(logits):
        logprob, entropy, lse = categorical_forward(logits, actions)
        return np.stack([logprob, entropy]), (logits, lse, entropy)

    def backward(dy, cache):
        logits, lse, entropy = cache
        return categorical_backward(logits.copy(), actions, lse, entropy, dy[0].copy(), dy[1].copy())

    gradcheck(forward, backward, [logits], label="categorical kernel")


def test_known_values():
    """Uniform: entropy log V; certain: entropy 0, whatever the level of the logits."""
    logits = np.array([[7, 7, 7, 7], [500, 0, 0, 0], [-np.inf, 3, 3, -np.inf]], dtype=np.float32)
    logprob, entropy, _ = categorical_forward(logits, np.array([2, 0, 1], dtype=np.int32))
    np.testing.assert_allclose(logprob, [-np.log(4), 0, -np.log(2)], atol=1e-6)
    np.testing.assert_allclose(entropy, [np.log(4), 0, np.log(2)], atol=1e-6)


def test_the_logits_are_overwritten_and_returned():
    logits, actions, dlogprob, dentropy = case(3, 5)
    _, entropy, lse = categorical_forward(logits, actions)
    dlogits = categorical_backward(logits, actions, lse, entropy, dlogprob, dentropy)
    assert np.shares_memory(dlogits, logits)
    np.testing.assert_allclose(dlogits.sum(axis=1), 0, atol=1e-12)


def test_threads_change_nothing():
    logits, actions, dlogprob, dentropy = case(33, 70, np.float32)
    assert_threads_change_nothing(categorical_forward, logits, actions)
    _, entropy, lse = categorical_forward(logits, actions)
    assert_threads_change_nothing(categorical_backward, logits, actions, lse, entropy, dlogprob, dentropy)
