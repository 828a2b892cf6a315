"""The variants of the policy gradient: how rewards become advantages, and which loss takes them.

A variant is a row of ALGORITHMS with three functions: advantages, loss and the loss's gradient. To
add a variant, add its row.
"""

from typing import Callable, NamedTuple

from minillm.losses.advantage import gae, group_advantages, whiten
from minillm.losses.policy import (ppo_backward, ppo_forward, reinforce_backward,
                                   reinforce_forward)


class Algorithm(NamedTuple):
    """One variant of the policy gradient."""
    advantages: Callable    # (rewards, values, mask, settings) -> advantages, returns; all (B, T)
    forward: Callable       # (logprob, old_logprob, advantages, ones, settings) -> loss, cache
    backward: Callable      # (dloss, cache) -> dlogprob
    grouped: bool           # True: it compares several responses to the same prompt


def ppo_advantages(rewards, values, mask, settings):
    """PPO: generalized advantage estimation against the value head, whitened."""
    advantages, returns = gae(rewards, values, mask, settings.gamma, settings.gae_lambda)
    return whiten(advantages, mask), returns


def ppo_loss(logprob, old_logprob, advantages, ones, settings):
    """PPO: the clipped objective."""
    return ppo_forward(logprob, old_logprob, advantages, ones, settings.clip_ratio)


def reinforce_advantages(rewards, values, mask, settings):
    """REINFORCE: a response's total reward minus its group's mean, for each of its tokens."""
    total = rewards.sum(axis=1)                                             # (B,)
    advantages = group_advantages(total.reshape(-1, settings.group)).reshape(-1, 1) * mask
    return advantages, total[:, None] * mask


def reinforce_loss(logprob, old_logprob, advantages, ones, settings):
    """REINFORCE: log-probabilities weighted by advantages; old_logprob is not used."""
    return reinforce_forward(logprob, advantages, ones)


ALGORITHMS = {
    "ppo": Algorithm(ppo_advantages, ppo_loss, ppo_backward, grouped=False),
    "reinforce": Algorithm(reinforce_advantages, reinforce_loss, reinforce_backward, grouped=True),
}
