"""Categorical kernels: twins, gradient through log-probability and entropy, actions that are ruled out."""

import numpy as np
import pytest
from gradcheck import gradcheck
from twins import assert_threads_change_nothing, assert_twins_agree

from minillm.kernels.categorical import categorical_backward, categorical_draw, categorical_forward


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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("N, V", [(1, 1), (0, 5), (7, 13), (40, 300)])
def test_both_draws_take_the_same_action(N, V, dtype):
    """Rounding may decide for a number at the edge of two actions; none of these is so near."""
    logits, _, _, _ = case(N, V, dtype)
    assert_twins_agree(categorical_draw, logits, np.random.default_rng(1).random(N), 0.7)


def test_a_draw_inverts_the_cumulative_distribution():
    logits = np.log(np.array([[0.1, 0.4, 0.0, 0.2, 0.3]], np.float32), where=[True, True, False, True, True],
                    out=np.full((1, 5), -np.inf, np.float32))
    edges = [(0.0, 0), (0.0999, 0), (0.1001, 1), (0.4999, 1), (0.5001, 3), (0.6999, 3), (0.7001, 4),
             (1 - 2 ** -53, 4)]
    for draw in (categorical_draw, categorical_draw.plain):
        assert [int(draw(logits, np.array([u]), 1.0)[0]) for u, _ in edges] == [action for _, action in edges]


def test_draws_come_as_often_as_their_probability():
    """At temperature 0.5 probabilities are squared."""
    p = np.array([0.5, 0.3, 0.2])
    logits = np.repeat(np.log(p)[None].astype(np.float32), 20_000, axis=0)
    drawn = categorical_draw(logits, np.random.default_rng(0).random(20_000), 0.5)
    np.testing.assert_allclose(np.bincount(drawn) / 20_000, p ** 2 / (p ** 2).sum(), atol=0.012)


def test_the_coldest_draw_is_the_likeliest_and_no_distribution_is_marked():
    rows = np.array([[1, 3, 2], [np.nan, 0, 1], [-np.inf] * 3, [5, -np.inf, 4]], np.float32)
    for draw in (categorical_draw, categorical_draw.plain):
        assert draw(rows, np.full(4, 0.99), 5e-324).tolist() == [1, -1, -1, 0]


def test_threads_change_no_draw():
    logits, _, _, _ = case(64, 300, np.float32)
    assert_threads_change_nothing(categorical_draw, logits, np.random.default_rng(1).random(64), 0.7)
