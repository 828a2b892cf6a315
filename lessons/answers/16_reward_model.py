"""Worked answers of lesson 16."""

from math import comb

import numpy as np

from minillm.losses.advantage import token_rewards
from minillm.losses.ranking import ranking_backward, ranking_forward


def test_exercise_1():
    """The loss depends on differences alone: adding c to all scores changes nothing, so the derivative along ones is 0."""
    rng = np.random.default_rng(0)
    scores, ranks = rng.standard_normal((3, 4)), np.array([rng.permutation(4) + 1 for _ in range(3)])
    loss, cache = ranking_forward(scores, ranks)
    np.testing.assert_allclose(ranking_backward(1.0, cache).sum(axis=1), 0, atol=1e-15)
    np.testing.assert_allclose(ranking_forward(scores + 7.0, ranks)[0], loss)


def test_exercise_2():
    """sigma(1) = 0.731."""
    assert round(1 / (1 + np.exp(-(1.5 - 0.5))), 3) == 0.731


def test_exercise_3():
    """log n - (n - 1) / n is 1.77 for n = 15 and 1.84 for n = 16: the best of 15 or 16."""
    kl = [np.log(n) - (n - 1) / n for n in range(1, 33)]
    assert np.argmin(np.abs(np.array(kl) - 1.8)) + 1 == 15 and round(kl[14], 2) == 1.77 and round(kl[15], 2) == 1.84


def priced_rewards(scores, logprob, reference_logprob, mask, beta):
    """The price at every token of the response, the score at the last."""
    rewards = np.where(mask > 0, -beta * (logprob - reference_logprob), 0)
    for row in np.flatnonzero((mask > 0).any(axis=1)):
        rewards[row, np.flatnonzero(mask[row])[-1]] += scores[row]
    return rewards


def check_priced_rewards(function):
    """By hand, then against the package's own, then: the sum over a response is its score less beta times its log-ratio."""
    scores, mask = np.array([2.0, -1.0, 5.0]), np.array([[0, 1, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0]])
    ours, theirs = np.log([[0.5] * 4, [0.4] * 4, [0.3] * 4]), np.log([[0.25] * 4, [0.8] * 4, [0.3] * 4])
    found = function(scores.copy(), ours.copy(), theirs.copy(), mask.copy(), 0.1)
    assert np.shape(found) == (3, 4), f"rewards should have the shape (3, 4) of the mask; they have {np.shape(found)}"
    cost = 0.1 * np.log(2)
    assert np.allclose(found[0, [0, 3]], 0), f"outside the response the reward is 0; it is {found[0, [0, 3]]}"
    assert np.isclose(found[0, 1], -cost), f"a token made twice as likely costs 0.1 log 2 = 0.069, got {found[0, 1]:.3f}"
    assert np.isclose(found[0, 2], 2 - cost), f"the last token of the response gets the score 2 as well; it has {found[0, 2]:.3f}"
    assert np.allclose(found[1], [cost, cost, cost, cost - 1]), f"less likely tokens earn 0.069, the last -1 too: {found[1]}"
    assert np.allclose(found[2], 0), f"a row without a response has no rewards; it has {found[2]}"
    rng = np.random.default_rng(0)
    ours, theirs, mask = rng.standard_normal((5, 7)), rng.standard_normal((5, 7)), (rng.random((5, 7)) < 0.6).astype(int)
    scores = rng.standard_normal(5)
    wanted = token_rewards(scores, ours - theirs, mask, 0.3)
    assert np.allclose(function(scores, ours, theirs, mask, 0.3), wanted), "differs from minillm.losses.advantage.token_rewards"


def test_exercise_4():
    """The solution passes; the wrong sign, and the score in the last column, do not."""
    check_priced_rewards(priced_rewards)

    def wrong_sign(scores, logprob, reference_logprob, mask, beta):
        return priced_rewards(scores, logprob, reference_logprob, mask, -beta)

    def last_column(scores, logprob, reference_logprob, mask, beta):
        rewards = np.where(mask > 0, -beta * (logprob - reference_logprob), 0)
        rewards[:, -1] += scores
        return rewards
    for wrong in (wrong_sign, last_column):
        try:
            check_priced_rewards(wrong)
        except AssertionError:
            continue
        raise RuntimeError(f"{wrong.__name__} passed")


def test_exercise_5():
    """A lower temperature at 1.5 nats must gain less, and PPO against shuffled ranks must gain less.

    Why sharpening is a real rival: where the right answer is already the likeliest of each prompt, it wins without a judge.
    """
    p = np.array([0.4, 0.3, 0.3])                   # the first answer is the right one
    cooled = p ** (1 / 0.2) / np.sum(p ** (1 / 0.2))
    wins = cooled[0] * (1 - p[0]) + 0.5 * (cooled[0] * p[0] + (1 - cooled[0]) * (1 - p[0]))
    assert wins > 0.6


def test_exercise_6():
    """A lower temperature, measured by both: it can be sampled (mean log-ratio), and the pool can be reweighted to it (plug-in).
    Or the best of n itself, from pools of 64 and of 256 answers: where the estimate falls as the pool grows, it was too high.

    A plug-in estimate that is too high moves best of n to the right. At a given divergence it is then read off at too small
    an n. Where more draws are better, a lead of best of n is safe, and a lead of the other way may be the yardstick's. Where
    they are worse, it is the other way round.
    """
    def plug_in(n, m):
        q = np.array([comb(i, n - 1) / comb(m, n) for i in range(n - 1, m)])
        return np.sum(q * np.log(q * m))
    formula = np.log(11) - 10 / 11
    assert round(plug_in(11, 64), 2) == 1.57 and round(formula, 2) == 1.49
    assert formula < plug_in(11, 1024) < plug_in(11, 256) < plug_in(11, 64)

    # A third arm: made-up answers whose probabilities are known, so that the true divergence is too. The first is given in a
    # tenth of the cases, some hardly ever. The mean log-ratio is then a little too low, the plug-in estimate too high.
    rng, M, n = np.random.default_rng(0), 64, 4
    p = 1 / np.arange(5, 505) ** 1.5
    p /= p.sum()
    reward = rng.permutation(len(p))
    order = np.argsort(reward)
    best = np.diff(np.concatenate([[0], np.cumsum(p[order])]) ** n)
    truth, estimates = np.sum(best * np.log(best / p[order])), []
    chance = np.array([comb(i, n - 1) / comb(M, n) for i in range(M)])
    sums = np.concatenate([[0], np.cumsum(1 / np.arange(1, M + 2))])
    for _ in range(100):
        pool = rng.choice(len(p), M, p=p)
        pool = pool[np.argsort(reward[pool], kind="stable")]
        mine, (_, which, copies) = p[pool], np.unique(pool, return_inverse=True, return_counts=True)
        others = M - copies[which]
        below = (1 - mine) * np.exp(sums[np.searchsorted(reward[pool], reward[pool])] - sums[others + 1])
        q = np.bincount(which, chance)
        estimates.append((chance @ np.log(((below + mine) ** n - below ** n) / mine),
                          np.sum(q[q > 0] * np.log(q[q > 0] * M / copies[q > 0]))))
    log_ratio, plugged = np.mean(estimates, axis=0)
    assert 0.95 * truth < log_ratio < truth < plugged < 1.05 * truth
