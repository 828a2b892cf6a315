"""Worked answers of lesson 12."""

import numpy as np


def cross_entropy(belief, share):
    """-share log b - (1 - share) log(1 - b), nats."""
    return -share * np.log(belief) - (1 - share) * np.log(1 - belief)


def calibration_gap(beliefs, truths):
    """mean over n of ( sum_j b_nj^2 - b_n,truth(n) ): a drawn answer is j with probability b_j, and is believed at b_j."""
    beliefs = np.asarray(beliefs, float)
    return float(np.mean((beliefs ** 2).sum(axis=1) - beliefs[np.arange(len(beliefs)), truths]))


def check_calibration_gap(function):
    """Two questions by hand, then a calibrated model, a boaster and a doubter."""
    got = function(np.array([[0.5, 0.3, 0.2], [1.0, 0.0, 0.0]]), np.array([1, 0]))
    assert np.isclose(got, 0.04), f"((0.38 - 0.3) + (1 - 1)) / 2 is 0.04, got {got}"
    rng = np.random.default_rng(0)
    beliefs = rng.dirichlet(np.ones(4), 20_000)
    truths = (beliefs.cumsum(axis=1) < rng.random((len(beliefs), 1))).sum(axis=1)            # drawn from the beliefs
    gap = function(beliefs, truths)
    assert abs(gap) < 0.01, f"where the truth is drawn from the beliefs the gap is about 0, got {gap}"
    sharper = beliefs ** 3 / (beliefs ** 3).sum(axis=1, keepdims=True)
    assert function(sharper, truths) > 0.05, "sharper beliefs than the truth's own distribution are too sure: the gap is above 0"
    flat = np.full_like(beliefs, 1 / 4)
    assert function(flat, truths) < 0.01, "beliefs of 1/4 each are not too sure"


def test_exercise_1():
    """The share of the documents, 4 / 16 = 0.25: the derivative -s / b + (1 - s) / (1 - b) is 0 at b = s. It is 0.562 nats."""
    grid = np.linspace(0.01, 0.99, 99)
    assert np.isclose(grid[np.argmin(cross_entropy(grid, 0.25))], 0.25)
    assert round(cross_entropy(0.25, 0.25), 3) == 0.562


def test_exercise_2():
    """From 8 / 16 to 4 / 12 = 1/3: by a sixth, less than half of what was believed, as the other group still says it."""
    assert np.isclose(8 / 16 - 4 / 12, 1 / 6)


def test_exercise_3():
    """The solution passes, and a gap that takes the largest belief for the drawn one does not."""
    check_calibration_gap(calibration_gap)
    try:
        check_calibration_gap(lambda b, t: float(np.mean(b.max(axis=1) - b[np.arange(len(b)), t])))
    except AssertionError:
        return
    raise RuntimeError("the wrong solution passed")


def test_exercise_4():
    """The missing control is a calibrated model. For it the measure is 0.5 - (0.25 + 0.09 + 0.04) = 0.12, not 0: the truth is
    believed at 0.38 on average, the likeliest answer at 0.5. So a part of the 0.26 is the measure's own. Compare the belief in
    drawn answers with the share of them that is right, or the largest belief with the share of likeliest answers that are."""
    belief = np.array([0.5, 0.3, 0.2])
    assert np.isclose(belief.max() - (belief * belief).sum(), 0.12)
    hits = belief[0]                                                   # how often the likeliest answer is right
    assert np.isclose(belief.max() - hits, 0)
