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

SEEDS = w.pick((0,), (0, 1, 2), (0, 1, 2, 3, 4))
NOISES = w.pick((0.05,), (0.0, 0.05, 0.1, 0.2, 0.4))
SETTINGS = replace(RankConfig(), max_new_tokens=24)


def pairs(ranks):
    """Which of each pair (i < j) was ranked better: 1 the first, -1 the second, 0 neither.  Shapes:  (K,) -> (K (K-1) / 2,)"""
    ranks = np.asarray(ranks)
    first, second = np.triu_indices(len(ranks), 1)
    return np.sign(ranks[second] - ranks[first])


# %% Two raters rank the same answers, each with a noise of its own. A pair counts where both decided.
def agreement(one, other):
    """Share of pairs that two raters order alike, of those that both ordered."""
    decided = (one != 0) & (other != 0)
    return float(np.mean(one[decided] == other[decided])) if decided.any() else float("nan")


together, with_truth = {noise: [] for noise in NOISES}, {noise: [] for noise in NOISES}
for seed in SEEDS:
    world, _, assistant = w.base_and_assistant(seed)
    rng = np.random.default_rng([seed, 11])
    requests = make_requests(world, w.pick(4, 150), rng, "train")
    responses = sample_responses(assistant, [request.messages() for request in requests], SETTINGS, rng)
    truth = np.concatenate([pairs([-gold_score(r, text) for text in texts]) for r, texts in zip(requests, responses)])
    if seed == SEEDS[0]:
        ranks = SimulatedRater().rank(requests[0], responses[0], rng)
        w.show(sorted(zip(ranks, responses[0])), ("rank", requests[0].question))
    for noise in NOISES:
        rater = SimulatedRater(noise, tie=2 * noise)
        judged = [np.concatenate([pairs(rater.rank(r, texts, rng)) for r, texts in zip(requests, responses)]) for _ in range(2)]
        together[noise].append(agreement(*judged))
        with_truth[noise].append(agreement(judged[0], truth))
w.show([(noise, w.interval(together[noise])[0], w.interval(with_truth[noise])[0]) for noise in NOISES],
       ("noise", "raters agree", "agree with the truth"))


def draw(axes):
    """Agreement against noise."""
    axes.plot(NOISES, [np.mean(together[n]) for n in NOISES], "o-", label="two raters")
    axes.plot(NOISES, [np.mean(with_truth[n]) for n in NOISES], "s-", label="a rater and the truth")
    axes.axhline(0.5, color="grey", linewidth=0.8)
    axes.set_xlabel("noise of a rater, in points of the gold score")
    axes.set_ylabel("share of pairs ordered alike")
    axes.legend(frameon=False)


# %% The claim: noisy raters agree with each other less than with the truth, as two noises come between them.
noise = NOISES[-1]
gap = w.interval(np.subtract(with_truth[noise], together[noise]))
least = w.interval(together[noise])
w.outcome(__file__, "7a raters agree with each other less than with the truth",
          f"at a noise of {noise}, two raters agree on more than 0.5 of the pairs, and each agrees more with the truth than "
          "with the other", f"two raters {least[0]:.3f} ({least[1]:.3f} to {least[2]:.3f}); with the truth {gap[0]:.3f} more "
          f"({gap[1]:.3f} to {gap[2]:.3f} over {len(SEEDS)} seeds)",
          w.verdict(min(gap[1], least[1] - 0.5), min(gap[2], least[2] - 0.5)), {"gap": list(gap), "raters": list(least)},
          w.picture("15_agreement", draw))
