"""Policy-gradient losses: make tokens that earned more than expected more likely.

Every array has N entries, one per sampled token; `weights` is 1 where the token is part of a
response, else 0. All losses are means over the tokens of weight 1.
"""

from typing import NamedTuple

import numpy as np

from minillm.tree import brief


def shares(weights, dtype):
    """Weights divided by their sum, so that a sum is a mean.

    Raises:  ValueError if all weights are 0.
    """
    total = weights.sum(dtype=np.float64)
    if total == 0:
        raise ValueError("no token of this rollout belongs to a response; "
                         "were all responses empty?")
    return (weights / total).astype(dtype)


def reinforce_forward(logprob, advantage, weights):
    """REINFORCE with a baseline:  loss = -mean(advantage * log pi(token)).

    Shapes:  logprob, advantage, weights (N,) -> ()
    Source:  Williams 1992, doi:10.1007/BF00992696; the baseline is inside the advantage.
    """
    share = shares(weights, logprob.dtype)
    return -np.sum(share * advantage * logprob), ReinforceCache(share, advantage)


def reinforce_backward(dloss, cache):
    """dlogprob = -advantage / N.  Shapes:  () -> (N,)"""
    share, advantage = cache
    return -dloss * share * advantage


class ReinforceCache(NamedTuple):
    """What reinforce_backward needs."""
    share: np.ndarray       # (N,) weights that sum to 1
    advantage: np.ndarray   # (N,)

    __repr__ = brief


class PPOCache(NamedTuple):
    """What ppo_backward needs."""
    ratio: np.ndarray       # (N,) pi(token) / pi_old(token)
    advantage: np.ndarray   # (N,)
    share: np.ndarray       # (N,)
    clipped: np.ndarray     # (N,) bool: the clipped branch is the smaller one; its gradient is 0

    __repr__ = brief


class ErrorCache(NamedTuple):
    """What the backward of a weighted mean of squares needs."""
    share: np.ndarray       # (N,) weights that sum to 1
    error: np.ndarray       # (N,)

    __repr__ = brief


def ppo_forward(logprob, old_logprob, advantage, weights, clip_ratio):
    """PPO's clipped objective: nothing is gained by moving a probability beyond the clip.

        loss = -mean(min(ratio A, clip(ratio, 1 - c, 1 + c) A)),     ratio = pi / pi_old

    Shapes:  logprob, old_logprob, advantage, weights (N,) -> ()
    Source:  Schulman et al. 2017, arXiv:1707.06347, eq. 7.
    """
    share = shares(weights, logprob.dtype)
    ratio = np.exp(logprob - old_logprob)
    free = ratio * advantage
    bounded = np.clip(ratio, 1 - clip_ratio, 1 + clip_ratio) * advantage
    loss = -np.sum(share * np.minimum(free, bounded))
    return loss, PPOCache(ratio, advantage, share, bounded < free)


def ppo_backward(dloss, cache):
    """dlogprob = -ratio A / N where `free` is the minimum, else 0.  Shapes:  () -> (N,)"""
    ratio, advantage, share, clipped = cache
    return np.where(clipped, 0, -dloss * share * ratio * advantage).astype(ratio.dtype)


def value_forward(values, returns, weights):
    """Half the mean squared error of the value head:  loss = mean((V - R)^2) / 2.

    Shapes:  values, returns, weights (N,) -> ()
    """
    share = shares(weights, values.dtype)
    error = values - returns
    return 0.5 * np.sum(share * error * error), ErrorCache(share, error)


def value_backward(dloss, cache):
    """dvalues = (V - R) / N.  Shapes:  () -> (N,)"""
    share, error = cache
    return dloss * share * error


def kl_forward(logprob, reference_logprob, weights):
    """KL divergence from the reference as a term of the loss, by the estimator k2.

        loss = mean(d^2) / 2,     d = log pi_ref(token) - log pi(token)

    The tokens were drawn from pi, so the gradient of an estimate need not be the gradient of what
    it estimates. On average k2's is that of KL(pi || pi_ref), while k3's is that of
    KL(pi_ref || pi) and k1's is 0.
    Shapes:  logprob, reference_logprob, weights (N,) -> ()
    Source:  Schulman 2020, "Approximating KL divergence".
    """
    share = shares(weights, logprob.dtype)
    d = reference_logprob - logprob
    return 0.5 * np.sum(share * d * d), ErrorCache(share, d)


def kl_backward(dloss, cache):
    """dlogprob = -d / N.  Shapes:  () -> (N,)"""
    share, d = cache
    return -dloss * share * d


def kl_estimates(logprob, reference_logprob):
    """Three estimates of KL(pi || pi_ref) from tokens sampled from pi, one per token.

        k1 = -d,   k2 = d^2 / 2,   k3 = exp(d) - d - 1,     d = log pi_ref - log pi

    k1 and k3 have the right mean; k3 is never negative and varies less; k2 is slightly biased.
    Shapes:  S, S -> (3, *S) for any shape S
    Source:  Schulman 2020, "Approximating KL divergence".
    """
    d = reference_logprob - logprob
    return np.stack([-d, d * d / 2, np.expm1(d) - d])
