"""How well do raters agree, with each other and with the truth?

    python lessons/15_ranking.py [--full]
"""

# %% Answers sampled from the assistant: four to a prompt, as a rater sees them.
from dataclasses import replace

import numpy as np
import workbench as w

from minillm.phases.rank import RankConfig, sample_responses
from minillm.world.raters import SimulatedRater, gold_score
from minillm.world.requests import make_requests

SEEDS = w.pick((0,), (1,), (1, 2, 3, 4))
NOISES = w.pick((0.4,), (0.05, 0.1, 0.2, 0.4))
PROMPTS, REDRAWS = w.pick(4, 150), w.pick(4, 600)
SETTINGS = replace(RankConfig(), max_new_tokens=w.pick(4, 24))


def pairs(ranks):
    """Which of each pair (i < j) was ranked better: 1 the first, -1 the second, 0 neither.  Shapes:  (K,) -> (K (K-1) / 2,)"""
    ranks = np.asarray(ranks)
    first, second = np.triu_indices(len(ranks), 1)
    return np.sign(ranks[second] - ranks[first])


# %% Two at a time: a rater sees one pair, draws a noise for each of its answers, and calls a small difference a tie.
def ordered(apart, noise, tie, rng, common=0.0):
    """How two raters order pairs whose true scores are `apart`, in each of REDRAWS draws of their noise.

    common: the share of the noise's variance that both raters have in common, such as a taste for long answers.
    Shapes:  apart (N,) -> (2, REDRAWS, N), each 1, -1, or 0 for a tie
    """
    spread = noise * np.sqrt(2)                                                 # of the difference of two noises
    own = rng.standard_normal((2, REDRAWS, len(apart)))
    shared = rng.standard_normal((1, REDRAWS, len(apart)))
    seen = apart + spread * (np.sqrt(1 - common) * own + np.sqrt(common) * shared)
    return np.where(np.abs(seen) > tie, np.sign(seen), 0)


def agreement(judged, truth):
    """(Raters with each other, a rater with the truth), both on the pairs that both raters ordered; and the latter on its own.

    Shapes:  judged (2, ..., N), truth (N,), never 0 -> (3,); NaN where no pair counts
    """
    one, other = judged
    truth = np.broadcast_to(truth, one.shape)
    both = (one != 0) & (other != 0)
    if not both.any():
        return np.full(3, np.nan)
    right = (np.mean(one[both] == truth[both]) + np.mean(other[both] == truth[both])) / 2
    return np.array([np.mean(one[both] == other[both]), right, np.mean(one[one != 0] == truth[one != 0])])


def ranked(rater, requests, responses, truth, rng):
    """agreement of two raters who rank all four answers of a prompt at once."""
    lists = [[np.concatenate([pairs(rater.rank(r, texts, rng)) for r, texts in zip(requests, responses)])
              for _ in range(w.pick(1, 3))] for _ in range(2)]
    return agreement(np.array(lists)[:, :, truth != 0], truth[truth != 0])


# %% For every seed: the same answers, and the pairs among them whose true scores differ.
ARMS = ("two at a time", "without ties", "noise half in common", "four at a time")
found = {(arm, noise): [] for arm in ARMS for noise in NOISES}
for seed in SEEDS:
    world, _, assistant = w.base_and_assistant(seed)
    rng = np.random.default_rng([seed, 15])
    requests = make_requests(world, PROMPTS, rng, "train")
    responses = sample_responses(assistant, [request.messages() for request in requests], SETTINGS, rng)
    gold = np.array([[gold_score(r, text) for text in texts] for r, texts in zip(requests, responses)])     # (P, K)
    if seed == SEEDS[0]:
        ranks = SimulatedRater().rank(requests[0], responses[0], rng)
        w.show(sorted(zip(ranks, responses[0])), ("rank", requests[0].question))
    first, second = np.triu_indices(gold.shape[1], 1)
    apart = (gold[:, first] - gold[:, second]).ravel()                                                      # (P K (K-1) / 2,)
    differ = apart[apart != 0]
    differ = differ if len(differ) else np.array([0.1])                 # with --smoke, an untrained model's are all alike
    for noise in NOISES:
        for arm, tie, common in zip(ARMS, (2 * noise, 0, 2 * noise), (0, 0, 0.5)):
            found[arm, noise].append(agreement(ordered(differ, noise, tie, rng, common), np.sign(differ)))
        rater = SimulatedRater(noise, tie=2 * noise)
        found["four at a time", noise].append(ranked(rater, requests, responses, np.sign(apart), rng))
found = {key: np.array(rows) for key, rows in found.items()}                                                # (seeds, 3)
gaps = {key: w.interval(rows[:, 1] - rows[:, 0]) for key, rows in found.items()}
w.show([(*key, *map(float, rows.mean(axis=0)), *gaps[key]) for key, rows in found.items()],
       ("raters judge", "noise", "agree", "right, same pairs", "right, its own pairs", "right less agree", "from", "to"))


def draw(axes):
    """Agreement against noise."""
    for panel, arm in zip(axes, ("two at a time", "noise half in common")):
        rows = np.array([found[arm, noise].mean(axis=0) for noise in NOISES])
        for column, mark in enumerate("os^"):
            panel.plot(NOISES, rows[:, column], f"{mark}-", label=("two raters agree", "one is right, on the same pairs",
                                                                   "one is right, on all his pairs")[column])
        panel.set_title("each rater's noise is his own" if arm == ARMS[0] else "half of the noise is common")
        panel.set_xlabel("noise of a rater, in points of the gold score")
    axes[0].set_ylabel("share of pairs ordered alike")
    axes[0].legend(frameon=False, fontsize=8)


# %% The claim, at the largest noise: two noises come between two raters, one between a rater and the truth.
noise = NOISES[-1]
gap, common = gaps["two at a time", noise], gaps["noise half in common", noise]
rows, lists = found["two at a time", noise], found["four at a time", noise]
agree, right = rows[:, 0].mean(), rows[:, 1].mean()
formula = (1 + np.sqrt(max(2 * agree - 1, 0))) / 2
crosswise = w.interval(lists[:, 2] - lists[:, 0])
w.outcome(__file__, "7a raters agree with each other less than with the truth",
          f"at a noise of {noise}, on the same pairs, judged two at a time with ties, a rater agrees with the truth more often "
          "than with another rater",
          f"by {gap[0]:+.3f} ({gap[1]:+.3f} to {gap[2]:+.3f}): {right:.3f} against {agree:.3f}; pairs of one difficulty would "
          f"give {formula:.3f}; control, half of the noise common: {common[0]:+.3f} ({common[1]:+.3f} to {common[2]:+.3f}); four "
          f"at a time, each share on its own pairs: {crosswise[0]:+.3f} ({crosswise[1]:+.3f} to {crosswise[2]:+.3f}); {REDRAWS} "
          f"redraws, {len(SEEDS)} seeds", w.verdict(gap[1], gap[2]),
          {"gap": list(gap), "noise half in common": list(common), "each share on its own pairs": list(crosswise),
           **{f"{arm}, noise {n}": list(gaps[arm, n]) for arm in ARMS for n in NOISES}},
          w.picture("15_agreement", draw, size=(9, 4), grid=(1, 2)),
          plainly={"holds": "A rater agrees with the truth more often than with another rater, because the other rater errs "
                            "too.",
                   "fails": "A rater does not agree with the truth more often than with another rater.",
                   "undecided": "Whether a rater agrees more often with the truth or with another rater cannot be told from so "
                                "few seeds."})
