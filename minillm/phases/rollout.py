"""A rollout: the policy answers prompts, its answers are scored, scores become advantages."""

from typing import NamedTuple

import numpy as np

from minillm.layers.rows import scatter
from minillm.losses.advantage import token_rewards
from minillm.losses.policy import kl_estimates
from minillm.model.at_once import parts, rows_answered, tokens_scored
from minillm.model.decoding import generate_tokens
from minillm.model.heads import scalar_head_forward
from minillm.model.scoring import token_logprobs
from minillm.objectives.algorithms import ALGORITHMS
from minillm.text.batches import pad_batch
from minillm.tree import brief


class Rollout(NamedTuple):
    """Sampled responses, and what the update needs to know about them; all (B, T).

    Column t describes the next token: `targets[t]`, sampled from the policy's logits at t. mask is
    1 where that token is part of a response.
    """
    tokens: np.ndarray
    targets: np.ndarray
    mask: np.ndarray
    positions: np.ndarray
    visible_from: np.ndarray
    old_logprob: np.ndarray         # of the policy that sampled, nats
    reference_logprob: np.ndarray   # of the frozen fine-tuned model, nats
    advantages: np.ndarray
    returns: np.ndarray             # targets of the value head

    __repr__ = brief


def respond(model, prompts, settings, rng):
    """Sample one response to each prompt.

    Returns whole sequences, and masks that mark the response's tokens.
    """
    rows = rows_answered(model.config, len(prompts), max(map(len, prompts)),
                         settings.max_new_tokens)
    new = [response for start in range(0, len(prompts), rows) for response in
           generate_tokens(model.params, model.config, prompts[start:start + rows], rng,
                           end_id=model.tokenizer.end_ids, pad_id=model.tokenizer.pad_id,
                           max_new_tokens=settings.max_new_tokens,
                           temperature=settings.temperature)]
    sequences = [np.concatenate([prompt, response]) for prompt, response in zip(prompts, new)]
    return sequences, [np.arange(len(ids)) >= len(prompt)
                       for ids, prompt in zip(sequences, prompts)]


def make_rollout(policy, value_head, reference, sequences, masks, scores, settings):
    """Make a batch that the update can learn from, out of sampled sequences and their scores.

    scores (B,): from the reward model, in units of their spread. The log-probabilities of policy
    and reference are taken at the sampling temperature.
    Returns (Rollout, KL(policy || reference) in nats per response).
    """
    batch = pad_batch(sequences, "right", policy.tokenizer.pad_id, masks)
    ours, theirs = (token_logprobs(model.params, model.config, batch, settings.temperature,
                                   settings.precision) for model in (policy, reference))
    old, frozen = ours.logprob, theirs.logprob
    values = scatter(scalar_head_forward(ours.rows, value_head)[0], ours.index, old.shape)
    rewards = token_rewards(scores, old - frozen, batch.weights, settings.kl_in_reward)
    advantages, returns = ALGORITHMS[settings.algorithm].advantages(
        rewards.astype(old.dtype), values, batch.weights, settings)
    kl = kl_estimates(old, frozen)[0].sum(axis=1).mean()
    return Rollout(batch.tokens, batch.targets, batch.weights, batch.positions,
                   batch.visible_from, old, frozen, advantages.astype(old.dtype),
                   returns.astype(old.dtype)), float(kl)


def sample_rollout(number, value_head, policy, reference, prompts, score, settings, seed,
                   measure=None):
    """Rollout number `number` of a run: choose prompts, respond, score.

    A response without an end token (it reached max_new_tokens or filled the context) loses
    `missing_end` points of its score.
    A variant that compares responses gets `group` of them per prompt, in adjacent rows.
    prompts, score, measure: as in phases.rlhf.rlhf.
    Returns (Rollout, numbers for the log).
    """
    rng = np.random.default_rng([seed, number])
    group = settings.responses_a_prompt
    numbers = np.repeat(rng.choice(len(prompts), settings.rows // group), group)
    sequences, masks = respond(policy, [prompts[n] for n in numbers], settings, rng)
    scores = score(sequences, numbers)
    ended = np.array([ids[-1] in policy.tokenizer.end_ids for ids in sequences])
    scores = scores - np.float32(settings.missing_end) * ~ended
    rollout, kl = make_rollout(policy, value_head, reference, sequences, masks, scores, settings)
    return rollout, {"reward": float(np.mean(scores)), "kl": kl, "stopped": float(np.mean(ended)),
                     "response_tokens": float(np.mean([mask.sum() for mask in masks])),
                     **(measure(sequences, masks, numbers) if measure else {})}


def divergence(policy, reference, sequences, masks, temperature, rows=64):
    """KL(policy || reference): the mean of log pi - log pi_ref over sampled responses.

    Returns nats per response.
    """
    total = 0.0
    for part in parts(list(map(len, sequences)), rows, tokens_scored(policy.config, 1.0)):
        batch = pad_batch(sequences[part], "right", policy.tokenizer.pad_id, masks[part])
        ours = token_logprobs(policy.params, policy.config, batch, temperature)
        theirs = token_logprobs(reference.params, reference.config, batch, temperature)
        total += float((ours.logprob - theirs.logprob).sum(dtype=np.float64))
    return total / len(sequences)
