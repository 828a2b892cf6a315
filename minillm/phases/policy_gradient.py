"""Phase 3, step 4: the fine-tuned model is optimized against the reward model, under a KL penalty."""

from typing import NamedTuple

import numpy as np

from minillm import tree
from minillm.kernels.categorical import categorical_forward
from minillm.losses.advantage import gae, group_advantages, token_rewards, whiten
from minillm.losses.policy import kl_estimates
from minillm.model.decoding import generate_tokens
from minillm.model.heads import scalar_head_forward, scalar_head_init
from minillm.model.transformer import head_forward, transformer_forward
from minillm.text.batches import pad_batch
from minillm.train.objectives import counted_rows, policy as policy_objective


class Rollout(NamedTuple):
    """Sampled responses and what the update must know of them; all (B, T).

    Place t holds what concerns the token after it: `targets[t]` was sampled there, from the policy's
    logits at t. mask is 1 where that token is part of a response.
    """
    tokens: np.ndarray
    targets: np.ndarray
    mask: np.ndarray
    first: np.ndarray
    old_logprob: np.ndarray         # of the policy that sampled
    reference_logprob: np.ndarray   # of the frozen fine-tuned model
    advantages: np.ndarray
    returns: np.ndarray             # what the value head should have said


def value_heads(model, seed):
    """The policy's one new part: the expected reward from each token on."""
    return {"value_head": scalar_head_init(np.random.default_rng(seed), model.config.width, bias=True)}


def spread(rows, index, shape):
    """Numbers at the counted places of a (B, T) array, 0 elsewhere."""
    full = np.zeros(shape[0] * shape[1], rows.dtype)
    full[index] = rows
    return full.reshape(shape)


def logprobs_and_values(params, config, batch, temperature, value_head=None):
    """log pi(target) and value at the places that count.  Shapes:  Batch of (B, T) -> (B, T), (B, T) or None"""
    h, _ = transformer_forward(batch.tokens, params, config, batch.first, recompute=True)
    rows, index = counted_rows(h, batch.weights)
    logits = head_forward(rows, params)[0]
    logits /= logits.dtype.type(temperature)
    logprob = categorical_forward(logits, batch.targets.reshape(-1)[index])[0]
    logprob = spread(logprob, index, batch.tokens.shape)
    if value_head is None:
        return logprob, None
    return logprob, spread(scalar_head_forward(rows, value_head)[0], index, batch.tokens.shape)


def respond(model, prompts, settings, rng):
    """Sample one response to each prompt.  Returns whole sequences and masks over the response's tokens."""
    new = generate_tokens(model.params, model.config, prompts, rng, end_id=model.tokenizer.end_id,
                          pad_id=model.tokenizer.pad_id, max_new_tokens=settings.max_new_tokens,
                          temperature=settings.temperature)
    sequences = [np.concatenate([prompt, response]) for prompt, response in zip(prompts, new)]
    return sequences, [np.arange(len(ids)) >= len(prompt) for ids, prompt in zip(sequences, prompts)]


def make_rollout(policy, value_head, reference, sequences, masks, scores, settings):
    """From sampled sequences and their scores to a batch that the update can learn from.

    scores (B,): the reward model's, in units of their spread. Log-probabilities of policy and reference
    are taken at the temperature that sampled.
    """
    batch = pad_batch(sequences, "right", policy.tokenizer.pad_id, masks)
    old, values = logprobs_and_values(policy.params, policy.config, batch, settings.temperature, value_head)
    frozen, _ = logprobs_and_values(reference.params, reference.config, batch, settings.temperature)
    kl_price = settings.kl if settings.kl_form == "reward" else 0.0
    rewards = token_rewards(scores, old - frozen, batch.weights, kl_price).astype(old.dtype)
    if settings.algorithm == "ppo":
        advantages, returns = gae(rewards, values, batch.weights, settings.gamma, settings.gae_lambda)
        advantages = whiten(advantages, batch.weights)
    else:
        total = rewards.sum(axis=1)
        advantages = group_advantages(total.reshape(-1, settings.group)).reshape(-1, 1) * batch.weights
        returns = total[:, None] * batch.weights
    kl = kl_estimates(old, frozen)[0].sum(axis=1).mean()
    return Rollout(batch.tokens, batch.targets, batch.weights, batch.first, old, frozen,
                   advantages.astype(old.dtype), returns.astype(old.dtype)), float(kl)


def policy_gradient(policy, heads, prompts, score, settings, seed, journal, measure=None):
    """Optimize the policy in place against `score`, not too far from the model it was at the start.

        maximize  E[score(response)] - beta KL(policy || reference)

    prompts: [(T_i,) token ids]; score(sequences, prompt numbers) -> (B,) rewards. REINFORCE compares `group`
    responses to a prompt with each other; PPO compares with its value head, and asks a prompt once.
    One rollout serves `epochs` optimizer steps.
    measure(sequences, masks, prompt numbers), if given, returns numbers for the log alone.
    Source:  Ouyang et al. 2022, arXiv:2203.02155, section 3.5; Ziegler et al. 2019, arXiv:1909.08593.
    """
    reference = type(policy)(tree.copy(policy.params), policy.config, policy.tokenizer)
    group = settings.group if settings.algorithm == "reinforce" else 1
    state = {}

    def batch_at(step, params):
        if step % settings.epochs == 0 or not state:
            rng = np.random.default_rng([seed, step // settings.epochs])
            numbers = np.repeat(rng.choice(len(prompts), settings.rows // group), group)
            sequences, masks = respond(policy, [prompts[n] for n in numbers], settings, rng)
            scores = score(sequences, numbers)
            state["rollout"], kl = make_rollout(policy, params["value_head"], reference, sequences, masks,
                                                scores, settings)
            ended = [ids[-1] == policy.tokenizer.end_id for ids in sequences]
            state["seen"] = {"reward": float(np.mean(scores)), "kl": kl, "stopped": float(np.mean(ended)),
                             "response_tokens": float(np.mean([mask.sum() for mask in masks])),
                             **(measure(sequences, masks, numbers) if measure else {})}
        parts = np.array_split(np.arange(settings.rows), settings.micro_batches)
        return [Rollout(*(field[part] for field in state["rollout"])) for part in parts]

    journal.looking(lambda step: state["seen"], 1)
    journal.fit(policy, settings, batch_at, policy_objective(policy.config, settings), heads)


def divergence(policy, reference, sequences, masks, temperature, rows=64):
    """KL(policy || reference) in nats a response: the mean of log pi - log pi_ref over sampled responses."""
    total = 0.0
    for start in range(0, len(sequences), rows):
        batch = pad_batch(sequences[start:start + rows], "right", policy.tokenizer.pad_id, masks[start:start + rows])
        ours, _ = logprobs_and_values(policy.params, policy.config, batch, temperature)
        theirs, _ = logprobs_and_values(reference.params, reference.config, batch, temperature)
        total += float((ours - theirs).sum(dtype=np.float64))
    return total / len(sequences)
