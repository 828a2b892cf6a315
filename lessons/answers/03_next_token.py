"""Worked answers of lesson 03."""

import numpy as np
import pytest

from minillm.config import ModelConfig
from minillm.losses.next_token import next_token_backward, next_token_forward
from minillm.model.transformer import head_forward, one_document, transformer_forward, transformer_init


def next_token_probs(logits):
    """Exercise 4: subtract each row's largest logit, which changes no quotient, and no exponential overflows."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def check_next_token_probs(function):
    """The softmax by row: of small logits, of a batch, of logits of 1,000 and of minus infinity."""
    probs = np.asarray(function(np.log(np.array([0.5, 0.25, 0.25]))))
    assert np.allclose(probs, [0.5, 0.25, 0.25]), f"the logits log 1/2, log 1/4, log 1/4 should give 1/2, 1/4, 1/4, not {probs}"
    logits = np.random.default_rng(0).standard_normal((2, 3, 5))
    probs = np.asarray(function(logits.copy()))
    assert probs.shape == logits.shape, f"logits of shape {logits.shape} should give that shape; it is {probs.shape}"
    assert np.allclose(probs.sum(axis=-1), 1), "each row (the last axis) should sum to 1"
    assert np.allclose(np.log(probs[..., 1:] / probs[..., :1]), logits[..., 1:] - logits[..., :1]), (
        "the ratio of two probabilities should be exp of the difference of their logits")
    with np.errstate(all="ignore"):
        large, masked = np.asarray(function(np.array([1000.0, 1000.0, 0.0]))), np.asarray(function(np.array([0.0, -np.inf])))
        low = np.asarray(function(np.array([[-1000.0, -1000.0], [3.0, 3.0]])))
    assert np.allclose(large, [0.5, 0.5, 0]), f"logits 1000, 1000, 0 should give 1/2, 1/2, 0, not {large}"
    assert np.allclose(masked, [1, 0]), f"a logit of minus infinity should get the probability 0, not {masked}"
    assert np.allclose(low, 0.5), f"two equal logits of -1000 should give 1/2 each, also beside a row of larger ones; not {low}"


def test_exercise_1():
    """-log 0.25 = 1.386 nats, and the perplexity is exp(1.386) = 4: it hesitates between four tokens."""
    loss = -np.log(0.25)
    assert round(loss, 3) == 1.386 and np.isclose(np.exp(loss), 4)


def test_exercise_2():
    """Probabilities sum to 1 and so does the one-hot target: sum_j (p_j - [j = y]) = 1 - 1 = 0."""
    logits = np.random.default_rng(0).standard_normal((5, 7))
    _, cache = next_token_forward(logits, np.arange(5, dtype=np.int32), np.ones(5))
    np.testing.assert_allclose(next_token_backward(1.0, cache).sum(axis=1), 0, atol=1e-15)


def test_exercise_3():
    """About ln 2048 = 7.62: first weights are small, so all tokens are about equally likely. Logits of deviation s make it
    some s^2 / 2 more, here 0.575^2 / 2 = 0.17.
    """
    config = ModelConfig(vocab_size=2048)
    params = transformer_init(config, np.random.default_rng(0))
    tokens, targets = np.random.default_rng(1).integers(0, 2048, (2, 2, 32)).astype(np.int32)
    h, _ = transformer_forward(tokens, params, config, *one_document(tokens))
    logits = head_forward(h.reshape(-1, 128), params)[0]
    loss, _ = next_token_forward(logits, targets.reshape(-1), np.ones(64, np.float32))
    assert abs(loss - np.log(2048) - logits.std() ** 2 / 2) < 0.2


def test_exercise_4():
    """The solution passes; without the subtraction, along another axis, or with one maximum for all rows, it does not."""
    check_next_token_probs(next_token_probs)

    def overflows(logits):
        return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)

    def over_all(logits):
        return np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum(axis=-1, keepdims=True)

    def first_axis(logits):
        weights = np.exp(logits - logits.max(axis=0))
        return weights / weights.sum(axis=0)
    for wrong in (overflows, over_all, first_axis):
        with pytest.raises(AssertionError):
            check_next_token_probs(wrong)


def test_exercise_5():
    """Any: the loss comes from the forward pass alone, so a backward pass that returns twice the gradient, or zeros, leaves it
    as it is. Compare the gradients themselves, each parameter, and let the comparison fail at something that must differ.
    """
    logits = np.random.default_rng(0).standard_normal((5, 7))
    one, cache = next_token_forward(logits.copy(), np.arange(5, dtype=np.int32), np.ones(5))
    right = next_token_backward(1.0, cache).copy()
    other, cache = next_token_forward(logits.copy(), np.arange(5, dtype=np.int32), np.ones(5))
    assert one == other and not np.allclose(right, 2 * next_token_backward(1.0, cache))
