"""The one seam between the phases: each tells the loop its loss and its gradients, and nothing else.

    loss_and_grads(params, batch) -> Objective(loss, grads, weight, metrics)

`weight` is what the loss was averaged over (tokens, pairs): the loop weighs micro-batches by it.
"""

from typing import NamedTuple

import numpy as np

from minillm.kernels.categorical import categorical_backward, categorical_forward
from minillm.losses.next_token import next_token_backward, next_token_forward
from minillm.losses.policy import (kl_backward, kl_estimates, kl_forward, ppo_backward, ppo_forward,
                                   reinforce_backward, reinforce_forward, value_backward, value_forward)
from minillm.losses.ranking import pair_accuracy, ranking_backward, ranking_forward
from minillm.model.heads import reward_backward, reward_forward, scalar_head_backward, scalar_head_forward
from minillm.model.transformer import head_backward, head_forward, transformer_backward, transformer_forward


class Objective(NamedTuple):
    """What one batch says about the parameters."""
    loss: float         # mean over what counts
    grads: dict         # keys of the parameters
    weight: float       # tokens or pairs that the mean was taken over
    metrics: dict       # further numbers for the log


def counted_rows(h, mask):
    """The vectors at the places that count: the head, the widest product, is not spent on others.

    Shapes:  h (B, T, C), mask (B, T) -> (N, C), indices (N,) into the flattened B T
    """
    index = np.flatnonzero(mask)
    flat = h.reshape(-1, h.shape[-1])
    return (flat if index.size == len(flat) else flat[index]), index


def scattered(dh_rows, index, shape):
    """counted_rows in reverse.  Shapes:  (N, C), (N,) -> (B, T, C), 0 elsewhere"""
    dh = np.zeros((shape[0] * shape[1], shape[2]), dh_rows.dtype)
    dh[index] = dh_rows
    return dh.reshape(shape)


def next_token(config, recompute=False):
    """Pretraining and fine-tuning: cross-entropy of the next token where a target counts."""
    def loss_and_grads(params, batch):
        if not batch.weights.any():
            raise ValueError(f"none of the {batch.weights.size} targets of this batch counts: every label is masked")
        h, body = transformer_forward(batch.tokens, params, config, batch.first, recompute)
        rows, index = counted_rows(h, batch.weights)
        logits, head = head_forward(rows, params)                                   # (N, V)
        weights = batch.weights.reshape(-1)[index]
        loss, cache = next_token_forward(logits, batch.targets.reshape(-1)[index], weights)
        dlogits = next_token_backward(1.0, cache)
        drows, d_head = head_backward(dlogits, head)
        grads = transformer_backward(scattered(drows, index, h.shape), body, d_head)
        return Objective(float(loss), grads, float(weights.sum()), {})
    return loss_and_grads


def ranking(config, recompute=False):
    """Reward model: Bradley-Terry over the pairs of every ranked prompt.

    The batch has tokens (P K, T), first (P K, T), last (P K,) and ranks (P, K).
    """
    def loss_and_grads(params, batch):
        scores, cache = reward_forward(params, config, batch.tokens, batch.first, batch.last, recompute)
        scores = scores.reshape(batch.ranks.shape)                                  # (P, K)
        loss, pairs = ranking_forward(scores, batch.ranks)
        grads = reward_backward(ranking_backward(1.0, pairs).reshape(-1), cache)
        return Objective(float(loss), grads, float(pairs.better.sum()),
                         {"pair_accuracy": pair_accuracy(scores, batch.ranks)})
    return loss_and_grads


def policy(config, settings):
    """PPO or REINFORCE with a value loss, an entropy bonus and, if asked for, KL in the loss.

        loss = policy loss + c_v value loss - c_e entropy + [kl_form is "loss"] beta KL

    The batch is a Rollout: tokens, targets, mask, first (B, T) and, where mask is 1, old_logprob,
    reference_logprob, advantages, returns.
    Source:  Schulman et al. 2017, arXiv:1707.06347, eq. 9.
    """
    def loss_and_grads(params, batch):
        h, body = transformer_forward(batch.tokens, params["model"], config, batch.first, settings.recompute)
        rows, index = counted_rows(h, batch.mask)
        logits, head = head_forward(rows, params["model"])                          # (N, V)
        logits /= logits.dtype.type(settings.temperature)
        def pick(x):
            return x.reshape(-1)[index]
        actions, ones = pick(batch.targets), np.ones(len(index), logits.dtype)
        logprob, entropy, lse = categorical_forward(logits, actions)
        values, value_head = scalar_head_forward(rows, params["value_head"])

        advantages, old = pick(batch.advantages), pick(batch.old_logprob)
        ratio = np.exp(logprob - old)
        if settings.algorithm == "ppo":
            loss, cache = ppo_forward(logprob, old, advantages, ones, settings.clip_ratio)
            dlogprob = ppo_backward(1.0, cache)
        else:
            loss, cache = reinforce_forward(logprob, advantages, ones)
            dlogprob = reinforce_backward(1.0, cache)
        value_loss, cache = value_forward(values, pick(batch.returns), ones)
        dvalues = value_backward(settings.value_coefficient, cache)
        kl_loss, cache = kl_forward(logprob, pick(batch.reference_logprob), ones)
        if settings.kl_form == "loss":
            loss = loss + settings.kl * kl_loss
            dlogprob = dlogprob + kl_backward(settings.kl, cache)
        mean_entropy = entropy.mean()
        dentropy = np.full_like(entropy, -settings.entropy_coefficient / len(index))
        loss = loss + settings.value_coefficient * value_loss - settings.entropy_coefficient * mean_entropy

        dlogits = categorical_backward(logits, actions, lse, entropy, dlogprob, dentropy)
        dlogits /= dlogits.dtype.type(settings.temperature)
        drows, d_head = head_backward(dlogits, head)
        drows_value, d_value_head = scalar_head_backward(dvalues, value_head)
        grads = transformer_backward(scattered(drows + drows_value, index, h.shape), body, d_head)
        grads = {"model": grads, "value_head": d_value_head}
        metrics = {"value_loss": float(value_loss), "entropy": float(mean_entropy),
                   "kl_k3": float(kl_estimates(logprob, pick(batch.reference_logprob))[2].mean()),
                   "ratio_distance": float(np.abs(ratio - 1).max()),
                   "clipped": float(np.mean(np.abs(ratio - 1) > settings.clip_ratio))}
        return Objective(float(loss), grads, float(len(index)), metrics)
    return loss_and_grads
