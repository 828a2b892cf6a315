"""PPO's clip, and what the KL estimators estimate."""

import numpy as np
import pytest

from minillm.losses.policy import (kl_backward, kl_estimates, kl_forward, ppo_backward, ppo_forward, reinforce_backward,
                                   reinforce_forward, value_forward)

RNG = np.random.default_rng(0)
ONES = np.ones(1)


@pytest.mark.parametrize("ratio,advantage,moves", [(0.5, 1.0, True), (0.5, -1.0, False), (1.0, 1.0, True),
                                                   (1.0, -1.0, True), (1.5, 1.0, False), (1.5, -1.0, True)])
def test_the_clip_stops_what_went_too_far_and_never_the_way_back(ratio, advantage, moves):
    loss, cache = ppo_forward(np.log([ratio]), np.zeros(1), np.array([advantage]), ONES, 0.2)
    bounded = np.clip(ratio, 0.8, 1.2) * advantage
    assert abs(loss + min(ratio * advantage, bounded)) < 1e-12
    expected = -ratio * advantage if moves else 0.0
    assert abs(ppo_backward(1.0, cache)[0] - expected) < 1e-12


def test_at_ratio_1_ppo_is_reinforce():
    logprob, advantage, weights = RNG.standard_normal(9), RNG.standard_normal(9), (RNG.random(9) < 0.7).astype(float)
    ppo = ppo_backward(1.0, ppo_forward(logprob, logprob, advantage, weights, 0.2)[1])
    plain = reinforce_backward(1.0, reinforce_forward(logprob, advantage, weights)[1])
    np.testing.assert_allclose(ppo, plain, rtol=0, atol=1e-15)


def test_means_are_over_the_tokens_that_count():
    weights = np.array([1, 0, 1, 1.0])
    values, returns = RNG.standard_normal((2, 4))
    expected = 0.5 * np.mean((values - returns)[weights > 0] ** 2)
    assert abs(value_forward(values, returns, weights)[0] - expected) < 1e-12
    with pytest.raises(ValueError, match="empty"):
        value_forward(values, returns, np.zeros(4))


def two_policies(V=7):
    logits = 0.4 * RNG.standard_normal((2, V))
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def test_the_estimators_agree_with_the_exact_divergence():
    """k1 and k3 estimate KL(pi || pi_ref) from tokens of pi; mixed up, the sign or the direction is wrong."""
    ours, reference = two_policies()
    exact = np.sum(np.exp(ours) * (ours - reference))
    tokens = RNG.choice(len(ours), 10_000, p=np.exp(ours))
    k1, _, k3 = kl_estimates(ours[tokens], reference[tokens])
    for estimates in (k1, k3):
        assert abs(estimates.mean() - exact) < 3 * estimates.std() / 100
    assert k3.std() < k1.std() / 2      # of policies that are near each other


def test_k3_is_never_negative():
    near = RNG.standard_normal(100_000).astype(np.float32)
    for spread in (1e-8, 1e-4, 1e-2, 1, 10):
        d = (spread * RNG.standard_normal(100_000)).astype(np.float32)
        assert kl_estimates(near, near + d)[2].min() >= -1e-6


def test_the_kl_term_pulls_along_the_true_gradient_of_the_divergence():
    """Over all tokens, weighed by pi, the term's gradient must be that of KL(pi || pi_ref).

    Differentiating the sampled k3 does not give it: that pulls along KL(pi_ref || pi).
    """
    ours, reference = two_policies()
    p = np.exp(ours)
    exact = p * (ours - reference - np.sum(p * (ours - reference)))         # d KL / d logits
    dlogprob = kl_backward(1.0, kl_forward(ours, reference, p)[1])          # p as weights: the expectation
    got = dlogprob - p * dlogprob.sum()                                     # through the softmax
    np.testing.assert_allclose(got, exact, rtol=0, atol=1e-12)
