"""Advantages: GAE against a loop, groups against themselves, and where the reward lands."""

import numpy as np
import pytest

from minillm.losses.advantage import gae, group_advantages, token_rewards, whiten

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("masked_value", [100.0, np.nan])
def test_gae_does_not_read_beyond_the_response(masked_value):
    """A value of the pad behind a response, used as V_{t+1}, shifts every advantage before it."""
    rewards, mask = np.array([[0, 1, 0.0]]), np.array([[1, 1, 0.0]])
    values = np.array([[0, 0, masked_value]])
    advantages, returns = gae(rewards, values, mask, gamma=1.0, lam=0.95)
    np.testing.assert_allclose(advantages, [[0.95, 1, 0]], atol=1e-15)
    np.testing.assert_allclose(returns, [[0.95, 1, 0]], atol=1e-15)


def test_gae_equals_a_double_sum():
    """A_t = sum_l (gamma lambda)^l delta_{t+l}, straight from the paper's equation 16."""
    B, T, gamma, lam = 5, 8, 0.97, 0.9
    rewards, values = RNG.standard_normal((2, B, T))
    start, stop = RNG.integers(0, 4, B), RNG.integers(4, T + 1, B)
    mask = ((np.arange(T) >= start[:, None]) & (np.arange(T) < stop[:, None])).astype(float)
    advantages, returns = gae(rewards, values, mask, gamma, lam)
    for b in range(B):
        delta = {t: rewards[b, t] + gamma * (values[b, t + 1] if t + 1 < stop[b] else 0) - values[b, t]
                 for t in range(start[b], stop[b])}
        for t in range(T):
            expected = sum((gamma * lam) ** (s - t) * delta[s] for s in delta if s >= t) if t in delta else 0
            assert abs(advantages[b, t] - expected) < 1e-12
            assert abs(returns[b, t] - (expected + values[b, t] if t in delta else 0)) < 1e-12


def test_with_lambda_1_the_return_is_the_sum_of_rewards():
    rewards, values = RNG.standard_normal((2, 3, 6))
    _, returns = gae(rewards, values, np.ones((3, 6)), 1.0, 1.0)
    np.testing.assert_allclose(returns, np.cumsum(rewards[:, ::-1], axis=1)[:, ::-1], atol=1e-12)


def test_the_score_lands_on_the_last_token_of_the_response():
    """On the last column it lands on a pad, and nobody learns from it."""
    mask = np.array([[0, 1, 1, 0, 0], [0, 0, 1, 1, 1], [0, 0, 0, 0, 0.0]])
    kl = np.where(mask > 0, RNG.standard_normal(mask.shape), np.nan)
    rewards = token_rewards(np.array([2.0, -3.0, 7.0]), kl, mask, 0.1)
    expected = np.where(mask > 0, -0.1 * kl, 0)
    expected[0, 2] += 2
    expected[1, 4] -= 3
    np.testing.assert_allclose(rewards, expected, atol=1e-15)


@pytest.mark.parametrize("gamma, lam", [(1.0, 0.95), (0.97, 0.9), (1.0, 1.0), (0.9, 1.0), (0.8, 0.0)])
def test_a_score_one_later_differs_by_the_value_there_and_the_discount(gamma, lam):
    """TRL adds the score one column after the last token and reads the value there, V_end, as after one more action.

    Its A_t - ours = (gamma lambda)^(n-1-t) (gamma V_end (1 - lambda) + (gamma lambda - 1) score), n tokens, t from 0.
    So the two agree for gamma = lambda = 1, whatever V_end is, and 0^0 = 1.
    """
    B, T = 4, 9
    start, stop = np.array([0, 1, 3, 2]), np.array([8, 5, 4, 7])        # the last column is free for the later score
    columns = np.arange(T)
    mask, later = ((columns >= start[:, None]) & (columns < end[:, None]) for end in (stop, stop + 1))
    scores, (values, kl) = RNG.standard_normal(B), RNG.standard_normal((2, B, T))
    ours, our_returns = gae(token_rewards(scores, kl, mask, 0.3), values, mask, gamma, lam)
    theirs, their_returns = gae(token_rewards(scores, np.where(mask, kl, 0), later, 0.3), values, later, gamma, lam)
    end_values = values[np.arange(B), stop][:, None]
    left = np.where(mask, stop[:, None] - 1 - columns, 0)               # n - 1 - t
    gap = (gamma * lam) ** left * (gamma * end_values * (1 - lam) + (gamma * lam - 1) * scores[:, None])
    np.testing.assert_allclose((theirs - ours)[mask], gap[mask], rtol=0, atol=1e-12)
    np.testing.assert_allclose((their_returns - our_returns)[mask], gap[mask], rtol=0, atol=1e-12)
    np.testing.assert_allclose(theirs[np.arange(B), stop], scores - end_values[:, 0], rtol=0, atol=1e-12)


def test_equal_rewards_have_no_advantage_at_all():
    """The mean of eight float32(0.35) is not 0.35 in float32; the difference, whitened, looks like a signal."""
    rewards = np.full((3, 8), 0.35, np.float32)
    assert not group_advantages(rewards).any()
    assert group_advantages(rewards).dtype == np.float32


def test_permuting_prompts_permutes_advantages_only():
    rewards, order = RNG.standard_normal((5, 4)), np.array([3, 0, 4, 1, 2])
    assert np.array_equal(group_advantages(rewards[order]), group_advantages(rewards)[order])
    assert np.abs(group_advantages(rewards).sum(axis=1)).max() < 1e-12


def test_a_group_of_one_is_refused():
    with pytest.raises(ValueError, match="2 or more"):
        group_advantages(np.zeros((4, 1)))


def test_whitened_advantages_have_mean_0_and_spread_1_over_what_counts():
    advantages, mask = 3 + 2 * RNG.standard_normal((4, 6)), (RNG.random((4, 6)) < 0.6).astype(float)
    white = whiten(np.where(mask > 0, advantages, np.nan), mask)
    assert abs(white[mask > 0].mean()) < 1e-12 and abs(white[mask > 0].std() - 1) < 1e-6
    assert not white[mask == 0].any()
