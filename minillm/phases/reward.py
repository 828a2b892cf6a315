"""Phase 3, step 3: a reward model learns to predict the rankings."""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from minillm.config import OptimizerConfig, knob
from minillm.losses.ranking import pair_accuracy
from minillm.model.finite import require_finite
from minillm.model.heads import reward_forward, scalar_head_init
from minillm.objectives.ranking import ranking_objective
from minillm.text.batches import pad_batch
from minillm.text.chat import render_chat
from minillm.text.fitting import that_fit
from minillm.train.trainer import fit
from minillm.tree import brief


@dataclass(frozen=True)
class RewardConfig(OptimizerConfig):
    """Phase 3, second half: learn to predict the rankings."""
    steps: int = knob(180, "optimizer steps", within="[1, inf)")
    rows: int = knob(16, "prompts per step, each with its K responses", within="[1, inf)")
    lr: float = knob(5e-4, "peak learning rate", within="(0, inf)")
    warmup_share: float = knob(0.11, "linear warm-up, as a share of the steps", within="[0, 1]")


class RankingBatch(NamedTuple):
    """P prompts with K responses each; rank 0 marks a missing response."""
    tokens: np.ndarray          # (P K, T)
    positions: np.ndarray       # (P K, T)
    visible_from: np.ndarray    # (P K, T)
    last: np.ndarray            # (P K,) column of the last real token
    ranks: np.ndarray           # (P, K)

    __repr__ = brief


def reward_heads(model, seed):
    """The only new part of a reward model: a head that turns the last token into one number."""
    rng = np.random.default_rng(seed)
    return {"reward_head": scalar_head_init(rng, model.config.width, bias=False)}


def rendered_ranking(tokenizer, ranking):
    """Each response after its prompt, as the assistant's turn."""
    return [render_chat(tokenizer, [*ranking.prompt, {"role": "assistant", "content": text}])[0]
            for text in ranking.responses]


def fitting(model, rankings):
    """(sequences, ranks) of the rankings whose responses all fit the context."""
    rendered = [(rendered_ranking(model.tokenizer, ranking), ranking.ranks)
                for ranking in rankings]
    (fit,) = that_fit({"rankings": rendered}, lambda item: item[0], model.config.context)
    return fit


def evened(rendered):
    """Pad rankings to the largest K: a missing response repeats the first one, with rank 0.

    Returns P K sequences and ranks (P, K).
    """
    width = max(len(ranks) for _, ranks in rendered)
    sequences = [ids[k] if k < len(ids) else ids[0] for ids, _ in rendered for k in range(width)]
    return sequences, np.array([[*ranks, *[0] * (width - len(ranks))] for _, ranks in rendered])


def ranking_batch(rendered, pad_id):
    """Rankings as one batch."""
    sequences, ranks = evened(rendered)
    batch = pad_batch(sequences, "right", pad_id)
    last = np.array([len(ids) - 1 for ids in sequences])
    return RankingBatch(batch.tokens, batch.positions, batch.visible_from, last, ranks)


def epoch_order(lengths, rows, rng):
    """A random order in which most batches hold prompts of similar length, for little padding.

    Shapes:  lengths (N,) tokens -> (N,), every number once
    """
    shuffled = rng.permutation(len(lengths))
    near = shuffled[np.argsort(lengths[shuffled], kind="stable")]
    whole = len(near) // rows * rows
    batches = near[:whole].reshape(-1, rows)
    return np.concatenate([batches[rng.permutation(len(batches))].reshape(-1), near[whole:]])


def train_reward_model(model, heads, rankings, settings, seed, recorder):
    """Fit model and heads so that in every ranked pair the better response scores higher.

        minimize -log sigmoid(score(prompt, better) - score(prompt, worse))

    rankings: [Ranking]; model and heads are changed in place.
    """
    rendered = fitting(model, rankings)
    lengths = np.array([max(map(len, ids)) for ids, _ in rendered])

    def batch_at(step):
        numbers = range(step * settings.rows, (step + 1) * settings.rows)
        orders = {epoch: epoch_order(lengths, settings.rows, np.random.default_rng([seed, epoch]))
                  for epoch in {n // len(rendered) for n in numbers}}
        chosen = [rendered[orders[n // len(rendered)][n % len(rendered)]] for n in numbers]
        parts = np.array_split(np.arange(len(chosen)), settings.micro_batches)
        return [ranking_batch([chosen[i] for i in part], model.tokenizer.pad_id)
                for part in parts]

    objective = partial(ranking_objective, config=model.config, recompute=settings.recompute)
    fit(model, settings, batch_at, objective, recorder, heads)


def reward_scores(model, heads, sequences, rows=128):
    """Score whole sequences (prompt and response).  Shapes:  list of (T_i,) -> (N,)

    Raises:  FloatingPointError if a score is not finite.
    """
    order = np.argsort([len(ids) for ids in sequences], kind="stable")
    scores, params = np.empty(len(sequences), np.float32), {"model": model.params, **heads}
    for start in range(0, len(order), rows):
        chosen = order[start:start + rows]
        batch = pad_batch([sequences[i] for i in chosen], "right", model.tokenizer.pad_id)
        last = np.array([len(sequences[i]) - 1 for i in chosen])
        scores[chosen], _ = reward_forward(params, model.config, batch.tokens, batch.positions,
                                           batch.visible_from, last, recompute=True)
    require_finite(scores, "the scores")
    return scores


def held_out_accuracy(model, heads, rankings):
    """Share of pairs in held-out rankings that the reward model orders as the rater did.

    Returns (accuracy, scores (P, K))
    """
    sequences, ranks = evened(fitting(model, rankings))
    scores = reward_scores(model, heads, sequences).reshape(ranks.shape)
    return pair_accuracy(scores, ranks), scores
