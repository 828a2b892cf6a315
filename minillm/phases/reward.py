"""Phase 3, step 3: a reward model learns to predict the rankings."""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from minillm.config import OptimizerConfig, knob
from minillm.losses.ranking import pair_accuracy, placed
from minillm.model.at_once import parts, tokens_scored
from minillm.model.finite import require_finite
from minillm.model.heads import reward_forward, scalar_head_init
from minillm.objectives.ranking import ranking_objective
from minillm.text.batches import pad_batch
from minillm.text.chat import last_answer, render_chat
from minillm.text.fitting import that_fit
from minillm.training.trainer import fit
from minillm.tree import brief


@dataclass(frozen=True)
class RewardConfig(OptimizerConfig):
    """Phase 3, second half: learn to predict the rankings."""
    steps: int = knob(180, "optimizer steps", within="[1, inf)")
    rows: int = knob(16, "prompts per step, each with its K responses", within="[1, inf)")
    lr: float = knob(5e-4, "peak learning rate", within="(0, inf)")
    warmup_share: float = knob(0.11, "linear warm-up, as a share of the steps", within="[0, 1]")
    unfinished: float = knob(0.25, "share of rankings that get one more response, ranked last: one "
                                   "of theirs, cut before its end token", within="[0, 1]")


class RankingBatch(NamedTuple):
    """P prompts with up to K responses each, N in all; rank 0 marks a missing response."""
    tokens: np.ndarray          # (N, T)
    positions: np.ndarray       # (N, T)
    visible_from: np.ndarray    # (N, T)
    last: np.ndarray            # (N,) column of the last real token
    ranks: np.ndarray           # (P, K); row by row, the ranks above 0 are those of the N responses

    __repr__ = brief


def reward_heads(model, seed):
    """The only new part of a reward model: a head that turns the last token into one number."""
    rng = np.random.default_rng(seed)
    return {"reward_head": scalar_head_init(rng, model.config.width, bias=False)}


def rendered_ranking(tokenizer, ranking):
    """Each response after its prompt, as the assistant's turn.

    All end with the end token, even one that was cut at max_new_tokens: a rater judges the text
    alone, as if the answer ended there.
    """
    rows = [render_chat(tokenizer, [*ranking.prompt, {"role": "assistant", "content": text}])
            for text in ranking.responses]
    # What a template writes after the last end token is not part of an answer that is sampled.
    return [ids[:np.flatnonzero(said)[-1] + 1] for ids, said in rows]


def fitting(model, rankings):
    """(sequences, ranks) of the rankings whose responses all fit the context."""
    rendered = [(rendered_ranking(model.tokenizer, ranking), ranking.ranks)
                for ranking in rankings]
    (fit,) = that_fit({"rankings": rendered}, lambda item: item[0], model.config.context)
    return fit


def evened(rendered):
    """Rankings of unequal K as one list of N responses and ranks (P, K), 0 where one is missing."""
    width = max(len(ranks) for _, ranks in rendered)
    return ([ids for sequences, _ in rendered for ids in sequences],
            np.array([[*ranks, *[0] * (width - len(ranks))] for _, ranks in rendered]))


def ranking_batch(rendered, pad_id):
    """Rankings as one batch."""
    sequences, ranks = evened(rendered)
    batch = pad_batch(sequences, "right", pad_id)
    last = np.array([len(ids) - 1 for ids in sequences])
    return RankingBatch(batch.tokens, batch.positions, batch.visible_from, last, ranks)


def cut_before_end(tokenizer, ids, rng):
    """A conversation without its end token, its last answer cut at a random place.

    At least one token of the answer stays, if it has any: generation draws one or more.
    """
    answer = last_answer(tokenizer, ids)
    return ids[:rng.integers(min(answer + 1, len(ids) - 1), len(ids))]


def with_unfinished(tokenizer, rendered, rng):
    """A ranking with one more response, ranked last: one of its own, cut before its end token.

    Without it, every score that is learned is read off an end token; how an answer without one is
    scored, which a policy may well sample, is left to chance.
    """
    sequences, ranks = rendered
    cut = cut_before_end(tokenizer, sequences[rng.integers(len(sequences))], rng)
    return [*sequences, cut], [*ranks, max(ranks) + 1]


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

    def example(n, place):
        rng = np.random.default_rng([seed, n, 1])       # of the n-th ranking through all epochs
        cut = rng.random() < settings.unfinished
        return with_unfinished(model.tokenizer, rendered[place], rng) if cut else rendered[place]

    def batch_at(step):
        numbers = range(step * settings.rows, (step + 1) * settings.rows)
        orders = {epoch: epoch_order(lengths, settings.rows, np.random.default_rng([seed, epoch]))
                  for epoch in {n // len(rendered) for n in numbers}}
        chosen = [example(n, orders[n // len(rendered)][n % len(rendered)]) for n in numbers]
        parts = np.array_split(np.arange(len(chosen)), settings.micro_batches)
        return [ranking_batch([chosen[i] for i in part], model.tokenizer.pad_id)
                for part in parts]

    objective = partial(ranking_objective, config=model.config, recompute=settings.recompute,
                        precision=settings.precision)
    fit(model, settings, batch_at, objective, recorder, heads)


def reward_scores(model, heads, sequences, rows=128):
    """Score whole sequences (prompt and response).  Shapes:  list of (T_i,) -> (N,)

    Raises:  FloatingPointError if a score is not finite.
    """
    lengths = np.array([len(ids) for ids in sequences])
    order = np.argsort(lengths, kind="stable")
    scores, params = np.empty(len(sequences), np.float32), {"model": model.params, **heads}
    for part in parts(lengths[order], rows, tokens_scored(model.config)):
        chosen = order[part]
        batch = pad_batch([sequences[i] for i in chosen], "right", model.tokenizer.pad_id)
        last = np.array([len(sequences[i]) - 1 for i in chosen])
        scores[chosen], _ = reward_forward(params, model.config, batch.tokens, batch.positions,
                                           batch.visible_from, last, recompute=True)
    require_finite(scores, "the scores")
    return scores


def held_out_accuracy(model, heads, rankings):
    """Share of pairs in held-out rankings that the reward model orders as the rater did.

    Returns (accuracy, scores (P, K), 0 where a response is missing)
    """
    sequences, ranks = evened(fitting(model, rankings))
    scores = placed(reward_scores(model, heads, sequences), ranks)
    return pair_accuracy(scores, ranks), scores


def cut_above_finished(model, heads, rankings):
    """Share of held-out responses that score higher without their end token than with it."""
    finished, _ = evened(fitting(model, rankings))
    cut = [ids[:-1] for ids in finished]
    return float(np.mean(reward_scores(model, heads, cut) > reward_scores(model, heads, finished)))
