"""Worked answers of lesson 10."""

import numpy as np
import pytest

from minillm.model.sampling import next_token_probs

P = np.array([[0.6, 0.3, 0.1]])


def test_exercise_1():
    """exp(log p / tau) = p^(1 / tau), so tau = 1/2."""
    np.testing.assert_allclose(next_token_probs(np.log(P), 0.5), P ** 2 / np.sum(P ** 2))


def test_exercise_2():
    """The central difference of the entropy, and Var(z) / tau^3, agree to seven digits or so."""
    z, tau, h = np.random.default_rng(0).standard_normal((1, 6)), 0.8, 1e-5
    p = next_token_probs(z, tau)
    variance = np.sum(p * z ** 2) - np.sum(p * z) ** 2
    change = entropy(next_token_probs(z, tau + h)) - entropy(next_token_probs(z, tau - h))
    np.testing.assert_allclose(change / (2 * h), variance / tau ** 3, rtol=1e-6)


def test_exercise_3():
    """0.5 is reached by the first alone; 0.7 needs the second, which crosses it and is kept."""
    kept = [np.count_nonzero(next_token_probs(np.log(P), top_p=mass)) for mass in (0.5, 0.7)]
    assert kept == [1, 2]


def entropy(p):
    """-sum p log p, nats."""
    p = p[p > 0]
    return -np.sum(p * np.log(p))


# Exercise 4, the function to write.
def solution(logits, temperature=1.0, top_k=0, top_p=1.0):
    """Three stages, each of which leaves rows that sum to 1 after the division."""
    z = logits / temperature
    z = z - z.max(axis=1, keepdims=True)                            # (B, V)
    order = np.argsort(-z, axis=1, kind="stable")                   # token ids, likeliest first
    ranked = np.exp(np.take_along_axis(z, order, axis=1))
    if top_k > 0:
        ranked[:, top_k:] = 0
    ranked /= ranked.sum(axis=1, keepdims=True)
    ranked[np.cumsum(ranked, axis=1) - ranked >= top_p] = 0         # those before it reach top_p already
    ranked /= ranked.sum(axis=1, keepdims=True)
    probs = np.empty_like(ranked)
    np.put_along_axis(probs, order, ranked, axis=1)
    return probs


def check_next_token_probs(function):
    """Asserts on rows small enough to follow by hand, then against the package on random ones."""
    z = np.log(np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]))
    for what, dials, wanted in (
            ("without any cut, the softmax", {}, [[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]),
            ("temperature 0.5 squares the probabilities", {"temperature": 0.5},
             [[0.25 / 0.38, 0.09 / 0.38, 0.04 / 0.38], [0.01 / 0.66, 0.01 / 0.66, 0.64 / 0.66]]),
            ("top-k 2 keeps two tokens, of equals the lower id", {"top_k": 2}, [[0.625, 0.375, 0], [1 / 9, 0, 8 / 9]]),
            ("top-p 0.6 keeps the token that crosses 0.6", {"top_p": 0.6}, [[0.625, 0.375, 0], [0, 0, 1]])):
        got = np.asarray(function(z.copy(), **dials))
        assert got.shape == z.shape, f"{what}: expected the shape {z.shape}, got {got.shape}"
        assert np.allclose(got, wanted), f"{what}: expected {np.round(wanted, 3).tolist()}, got {np.round(got, 3).tolist()}"
    rng = np.random.default_rng(0)
    for dials in ({"temperature": 0.7, "top_k": 5, "top_p": 0.8}, {"top_k": 50}, {"temperature": 2.0, "top_p": 0.3}):
        z = rng.standard_normal((4, 9))
        wanted = next_token_probs(z, **dials)
        assert np.allclose(function(z.copy(), **dials), wanted), f"expected what minillm computes at {dials}"


def test_exercise_4():
    """The solution passes; a softmax without cuts, and one that drops the token that crosses top_p, do not."""
    check_next_token_probs(solution)

    def too_few(logits, temperature=1.0, top_k=0, top_p=1.0):
        probs = next_token_probs(logits, temperature, top_k)
        order = np.argsort(-probs, axis=1, kind="stable")
        ranked = np.take_along_axis(probs, order, axis=1)
        ranked[np.cumsum(ranked, axis=1) > top_p + 1e-9] = 0
        np.put_along_axis(probs, order, ranked, axis=1)
        return probs / np.maximum(probs.sum(axis=1, keepdims=True), 1e-9)
    for wrong in (lambda logits, temperature=1.0, **_: next_token_probs(logits, temperature), too_few):
        with pytest.raises(AssertionError, match="expected"):
            check_next_token_probs(wrong)


def test_exercise_5():
    """What is missing is a comparison at the same variety. Top-p 0.5 is the tighter setting: on the distribution of this lesson
    it leaves one token and an entropy of 0, temperature 1 leaves 1.27 nats. A low enough temperature is as tight, and then
    as often right. So vary both settings, measure the variety too, and compare at equal variety, as the lesson's script does.
    """
    z = np.log(np.array([[0.5, 0.25, 0.15, 0.07, 0.03]]))
    assert entropy(next_token_probs(z, top_p=0.5)) < 1e-9 and round(entropy(next_token_probs(z)), 2) == 1.27
    assert entropy(next_token_probs(z, 0.1)) < 0.02


def test_exercise_6():
    """30 (1 - (29/30)^20) = 14.8 different texts, and from all 36 that are right 15.5. A model that makes no mistake cannot come near
    18, so he compares settings that all make mistakes, at equally many of them: that the dials agree there is half arithmetic.
    Count different right texts, and compare below 14.8, at a variety that every dial reaches.
    """
    rng = np.random.default_rng(0)
    for sentences, wanted in ((30, 14.8), (36, 15.5)):
        assert round(sentences * (1 - (1 - 1 / sentences) ** 20), 1) == wanted
        drawn = rng.integers(0, sentences, (4000, 20))
        assert abs(np.mean([len(set(row)) for row in drawn.tolist()]) - wanted) < 0.15
