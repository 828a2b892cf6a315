"""From rewards to advantages: how much better than expected a token turned out."""

import numpy as np


def token_rewards(scores, kl, mask, kl_coefficient):
    """The score is added at a response's last token; every token has a KL penalty.

        r_t = -beta kl_t + [t is the last token] score

    Shapes:  scores (B,), kl (B, T), mask (B, T) 1 on response tokens -> (B, T)
    Source:  Ouyang et al. 2022, arXiv:2203.02155, eq. 2.
    """
    rewards = np.where(mask > 0, -kl_coefficient * kl, 0)
    last = mask.shape[1] - 1 - np.argmax(mask[:, ::-1] > 0, axis=1)
    rewards[np.arange(len(scores)), last] += np.where(mask.any(axis=1), scores, 0)
    return rewards


def gae(rewards, values, mask, gamma, lam):
    """Generalized advantage estimation, from the last token of each response back to the first.

        delta_t = r_t + gamma V_{t+1} - V_t,     A_t = delta_t + gamma lambda A_{t+1}

    Beyond a response's last token V and A are 0; masked values are never read, not even a NaN.
    The value head learns the return, A + V.
    Shapes:  rewards, values, mask (B, T) -> advantages (B, T), returns (B, T), 0 where masked
    Source:  Schulman et al. 2015, arXiv:1506.02438, eq. 16.
    """
    real = mask > 0
    rewards, values = np.where(real, rewards, 0), np.where(real, values, 0)
    advantages = np.zeros_like(values)
    next_value = next_advantage = np.zeros_like(values[:, 0])
    for t in reversed(range(values.shape[1])):
        delta = rewards[:, t] + gamma * next_value - values[:, t]
        advantages[:, t] = np.where(real[:, t], delta + gamma * lam * next_advantage, 0)
        next_value, next_advantage = values[:, t], advantages[:, t]
    return advantages, np.where(real, advantages + values, 0)


def whiten(advantages, mask):
    """Shift and scale to mean 0 and standard deviation 1 over the unmasked tokens; 0 elsewhere.

    Shapes:  advantages, mask (B, T) -> (B, T)
    """
    real = mask > 0
    mean, spread = advantages[real].mean(), advantages[real].std()
    return np.where(real, (advantages - mean) / (spread + 1e-8), 0).astype(advantages.dtype)


def group_advantages(rewards):
    """REINFORCE's baseline: the mean reward of the responses to the same prompt.

        A_pk = r_pk - mean_k(r_p)

    The mean is taken in float64, so that equal rewards give exactly 0.
    Shapes:  rewards (P, K) -> (P, K)
    Raises:  ValueError for groups of one: a response cannot be compared with itself.
    Source:  Ahmadian et al. 2024, arXiv:2402.14740, section 3.3.
    """
    if rewards.shape[1] < 2:
        raise ValueError(f"a group of {rewards.shape[1]} response has no baseline; "
                         "sample 2 or more per prompt")
    wide = rewards.astype(np.float64)
    return (wide - wide.mean(axis=1, keepdims=True)).astype(rewards.dtype)
