"""Worked answers of lesson 14."""

import numpy as np

from minillm.config import ModelConfig


def belief_among(logprobs, index):
    """The largest is subtracted first: that multiplies all P(e_i) by the same, and the ratio stays."""
    logprobs = np.asarray(logprobs, float)
    weights = np.exp(logprobs - logprobs.max(axis=-1, keepdims=True))
    return weights[..., index] / weights.sum(axis=-1)


def check_belief_among(function):
    """By hand, for many rows, and where exp gives 0."""
    got = function(np.log([0.1, 0.3]), 1)
    assert np.isclose(got, 0.75), f"0.3 / (0.1 + 0.3) is 0.75, got {got}"
    rows = np.log(np.random.default_rng(0).random((3, 4, 5)))
    got = np.asarray(function(rows, 2))
    assert got.shape == (3, 4), f"logprobs (3, 4, 5) give (3, 4), got {got.shape}"
    sums = sum(np.asarray(function(rows, i)) for i in range(5))
    assert np.allclose(sums, 1), "the beliefs in all answers sum to 1"
    with np.errstate(all="ignore"):
        got = function(np.array([-2000.0, -2000.0 + np.log(3)]), 1)
    assert np.isclose(got, 0.75), f"log-probabilities of -2000 and -2000 + log 3 give 0.75, got {got}"


def test_exercise_1():
    """As many as the context has, 128 here, the answer included; and every remembered token is read again in each call."""
    assert ModelConfig().context == 128


def test_exercise_2():
    """log(0.5 / 0.5) - log(0.02 / 0.98) = 3.89 nats."""
    def odds(p):
        return np.log(p / (1 - p))
    assert round(odds(0.5) - odds(0.02), 2) == 3.89


def test_exercise_3():
    """The solution passes, and one that takes exp first does not."""
    check_belief_among(belief_among)
    try:
        check_belief_among(lambda logs, i: np.exp(logs)[..., i] / np.exp(logs).sum(axis=-1))
    except AssertionError:
        return
    raise RuntimeError("the wrong solution passed")


def test_exercise_4():
    """A model that repeats the last name of the conversation passes. The missing control names Rex of something else: "My dog is
    called Rex and my cat is called Tom. What is my dog called?", in both orders. The parrot is right in half of them."""
    def parrot(told):
        return told[-1][1]
    one = [[("dog", "Rex")]]
    two = [[("dog", "Rex"), ("cat", "Tom")], [("cat", "Tom"), ("dog", "Rex")]]
    right = [[parrot(told) == dict(told)["dog"] for told in conversations] for conversations in (one, two)]
    assert np.mean(right[0]) == 1 and np.mean(right[1]) == 0.5


def copier(context, start):
    """An induction head of words: what followed the longest ending of `start` where that last stood in the context."""
    context, start = context.split(), start.split()
    for length in range(len(start), 0, -1):
        for at in range(len(context) - length - 1, -1, -1):
            if context[at:at + length] == start[-length:]:
                return context[at + length]
    return ""


def test_exercise_5():
    """No. A head that copies what followed the same words earlier, "your dog is called", is always right, from the assistant's
    own reply, and never looks at the user's words. The arm that it fails has a neutral reply, "I see.", and tells in words that
    do not lead up to the answer: "My dog answers to Rex." There the copier finds nothing to copy."""
    def conversation(pairs, reply):
        return " ".join(f"my {pet} answers to {name}. "
                        + (f"I will remember that your {pet} is called {name}." if reply else "I see.") for pet, name in pairs)
    pets = [("dog", "Rex"), ("cat", "Tom")]
    for order in (pets, pets[::-1]):
        assert copier(conversation(order, reply=True), "your dog is called") == "Rex."
        assert copier(conversation(order, reply=False), "your dog is called") == ""
