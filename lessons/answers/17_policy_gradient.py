"""Worked answers of lesson 17."""

import numpy as np

from minillm.losses.advantage import gae
from minillm.losses.policy import ppo_backward, ppo_forward

REFERENCE, REWARD, BETA = np.array([0.5, 0.3, 0.2]), np.array([0.0, 1.0, 2.0]), 0.7


def kl(p, q):
    """sum p log(p / q)."""
    return float(np.sum(p * np.log(p / q)))


def test_exercise_1():
    """log pi* = log pi_ref + r / beta - log Z; insert r = beta (log pi* - log pi_ref + log Z) into J."""
    weights = REFERENCE * np.exp(REWARD / BETA)
    Z, best, p = weights.sum(), weights / weights.sum(), np.array([0.2, 0.5, 0.3])
    assert np.isclose(p @ REWARD - BETA * kl(p, REFERENCE), BETA * np.log(Z) - BETA * kl(p, best))


def test_exercise_2():
    """For logits z, d log p_y / dz = onehot(y) - p, whose mean under p is 0, so b times it is 0 on average.

    The mean of a group of two, (r(y) + r(other)) / 2, takes half of r(y) away, and half of the gradient.
    """
    p = REFERENCE
    gradients = np.eye(3) - p
    for b in (0.0, 5.0):
        np.testing.assert_allclose((p * (REWARD - b)) @ gradients, (p * REWARD) @ gradients, atol=1e-12)
    pairs = [p[y] * p[other] * (REWARD[y] - (REWARD[y] + REWARD[other]) / 2) * gradients[y]
             for y in range(3) for other in range(3)]
    np.testing.assert_allclose(np.sum(pairs, axis=0), (p * REWARD) @ gradients / 2, atol=1e-12)


def test_exercise_3():
    """P(best <= y) = P(one <= y)^2: 0.25, 0.64, 1, so 0.25, 0.39, 0.36."""
    best = np.diff(np.concatenate([[0], np.cumsum(REFERENCE)]) ** 2)
    np.testing.assert_allclose(best, [0.25, 0.39, 0.36])


def advantages(rewards, values, gamma, lam):
    """GAE of one response, from the last token back."""
    found, next_value, next_advantage = np.zeros(len(rewards)), 0.0, 0.0
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * next_value - values[t]
        found[t] = delta + gamma * lam * next_advantage
        next_value, next_advantage = values[t], found[t]
    return found


def check_advantages(function):
    """The lesson's three tokens, the two extremes of lambda, a discount, and the package's own gae."""
    rewards, values = np.array([0.0, 0.0, 1.0]), np.array([0.5, 0.2, 0.6])
    for lam, wanted, why in ((0.0, [-0.3, 0.4, 0.4], "with lambda 0 an advantage is its own delta"),
                             (1.0, [0.5, 0.8, 0.4], "with lambda 1 it is the rewards still to come, less the value"),
                             (0.5, [0.0, 0.6, 0.4], "with lambda 0.5 it is delta_t + 0.5 A_{t+1}")):
        found = np.asarray(function(rewards.copy(), values.copy(), 1.0, lam))
        assert found.shape == (3,), f"one advantage a token: the shape should be (3,) and is {found.shape}"
        assert np.allclose(found, wanted), f"rewards {rewards}, values {values}: {wanted} expected, as {why}; got {found}"
    found = function(np.array([1.0, 1.0]), np.zeros(2), 0.5, 1.0)
    assert np.allclose(found, [1.5, 1.0]), f"with gamma 0.5 the next reward counts half: [1.5, 1.0] expected, got {found}"
    rng = np.random.default_rng(0)
    rewards, values = rng.standard_normal(9), rng.standard_normal(9)
    wanted = gae(rewards[None], values[None], np.ones((1, 9)), 0.9, 0.8)[0][0]
    assert np.allclose(function(rewards, values, 0.9, 0.8), wanted), "differs from minillm.losses.advantage.gae"


def test_exercise_4():
    """The solution passes; one that forgets the next value, and one that forgets lambda, do not."""
    check_advantages(advantages)

    def no_next_value(rewards, values, gamma, lam):
        found = np.zeros(len(rewards) + 1)
        for t in reversed(range(len(rewards))):
            found[t] = rewards[t] - values[t] + gamma * lam * found[t + 1]
        return found[:-1]

    def no_lambda(rewards, values, gamma, lam):
        return advantages(rewards, values, gamma, 1.0)
    for wrong in (no_next_value, no_lambda):
        try:
            check_advantages(wrong)
        except AssertionError:
            continue
        raise RuntimeError(f"{wrong.__name__} passed")


def test_exercise_5():
    """First: the number of steps a rollout. With one, the ratio is exactly 1 and no clip can act, on or off.

    The arm that tells: several steps a rollout, with the clip and without, other things equal.
    """
    old, advantage = np.log([0.2, 0.5, 0.3]), np.array([1.0, -1.0, 2.0])
    first = [ppo_backward(1.0, ppo_forward(old, old, advantage, np.ones(3), clip)[1]) for clip in (0.2, 1e6)]
    np.testing.assert_array_equal(*first)                               # the first step on a rollout: no difference
    moved = old + np.array([0.5, -0.5, 0.1])
    later = [ppo_backward(1.0, ppo_forward(moved, old, advantage, np.ones(3), clip)[1]) for clip in (0.2, 1e6)]
    assert later[0][0] == later[0][1] == 0 and (later[1] != 0).all()    # a later one: the clip stops two of three
