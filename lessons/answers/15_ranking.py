"""Worked answers of lesson 15."""

import numpy as np

from minillm.losses.ranking import ranked_above


def test_exercise_1():
    """p^2 + (1 - p)^2 = 0.68 has the root p = 0.8 above one half: more often than they agree."""
    p = (1 + np.sqrt(2 * 0.68 - 1)) / 2
    assert np.isclose(p, 0.8) and np.isclose(p ** 2 + (1 - p) ** 2, 0.68)


def test_exercise_2():
    """9 * 8 / 2 = 36; each tie of two takes one pair away: 34."""
    assert ranked_above(np.arange(1, 10)[None]).sum() == 36
    assert ranked_above(np.array([[1, 1, 2, 3, 4, 5, 6, 7, 7]])).sum() == 34


def rank(scores, noise, tie, rng):
    """A rater's ranks: noise on every score, then groups from the best down."""
    seen = scores + noise * rng.standard_normal(len(scores))
    ranks, place, leader = np.zeros(len(scores), int), 0, np.inf
    for i in np.argsort(-seen, kind="stable"):
        if leader - seen[i] > tie:
            place, leader = place + 1, seen[i]
        ranks[i] = place
    return ranks


def check_rank(function):
    """No noise: the order of the scores; ties: against the best of a group, without gaps; noise: a known share is right."""
    def ranks_of(scores, noise, tie, seed=0):
        return np.asarray(function(np.array(scores), noise, tie, np.random.default_rng(seed))).tolist()
    cases = (([0.2, 0.9, 0.5], 0.0, 0.0, [3, 1, 2], "without noise and ties the best score has rank 1, the worst rank K"),
             ([0.5, 0.9, 0.85], 0.0, 0.1, [2, 1, 1], "0.85 lies within 0.1 of 0.9 and shares its rank; then comes 2"),
             ([0.9, 0.82, 0.75], 0.0, 0.1, [1, 1, 2], "0.75 is compared with the best of the group, 0.9, and not with 0.82"))
    for scores, noise, tie, wanted, why in cases:
        found = ranks_of(scores, noise, tie)
        assert found == wanted, f"rank({scores}, {noise}, {tie}) should be {wanted}, as {why}; it is {found}"
    right = np.mean([ranks_of([0.6, 0.4], 0.2, 0.0, seed)[0] == 1 for seed in range(2000)])
    assert 0.72 < right < 0.80, f"with noise 0.2, 0.6 is ranked above 0.4 in about 76% of draws, not in {right:.0%}"


def test_exercise_3():
    """The solution passes; raters that forget the noise, or compare with the neighbour in place of the leader, do not."""
    check_rank(rank)

    def noiseless(scores, noise, tie, rng):
        return rank(scores, 0.0, tie, rng)

    def neighbours(scores, noise, tie, rng):
        seen = scores + noise * rng.standard_normal(len(scores))
        order = np.argsort(-seen)
        ranks = np.empty(len(scores), int)
        ranks[order] = 1 + np.concatenate([[0], np.cumsum(-np.diff(seen[order]) > tie)])
        return ranks
    for wrong in (noiseless, neighbours):
        try:
            check_rank(wrong)
        except AssertionError:
            continue
        raise RuntimeError(f"{wrong.__name__} passed")


def test_exercise_4():
    """Missing: agreement before the discussion, since talking makes errors common; and pairs whose truth is known.

    Here raters agree on everything after they talked (both take one's view), and are right no more often than before.
    """
    rng = np.random.default_rng(0)
    truth = rng.standard_normal(20_000)
    one, other = np.sign(truth + rng.standard_normal((2, truth.size)))
    after = one                                     # the louder one prevails wherever they disagree
    assert np.mean(one == other) < 0.72 and np.mean(after == one) == 1.0
    assert np.mean(after == np.sign(truth)) < 0.76
