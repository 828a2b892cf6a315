"""Worked answers of lesson 06."""

import numpy as np
import pytest

from minillm.config import ModelConfig
from minillm.kernels.attention import attention_forward_plain


def case(T=5):
    """Random queries, keys and values of one head."""
    return np.random.default_rng(0).standard_normal((3, 1, T, 1, 4))


def test_exercise_1():
    """It sees itself alone, so its one weight is 1 and its output is its own value."""
    q, k, v = case()
    out, _ = attention_forward_plain(q, k, v, np.zeros((1, 5), np.int32))
    np.testing.assert_allclose(out[0, 0], v[0, 0])


def test_exercise_2():
    """A key and a value of kv_heads * head size = 2 * 32 numbers each: 128."""
    config = ModelConfig(heads=4, kv_heads=2, width=128)
    assert 2 * config.kv_heads * config.head_size == 128


def test_exercise_3():
    """Nothing: e^(score + c) is e^c e^score above and below. Here all keys move along the query of one token."""
    q, k, v = case()
    moved = k + 2.0 * q[:, 4:5] / np.sum(q[:, 4:5] ** 2)          # adds the same 2 / sqrt(D) to each score of token 4
    visible_from = np.zeros((1, 5), np.int32)
    same = attention_forward_plain(q, moved, v, visible_from)[0][0, 4]
    np.testing.assert_allclose(same, attention_forward_plain(q, k, v, visible_from)[0][0, 4])


def causal_attention(q, k, v):
    """Scores, mask, softmax, mean of the values."""
    T, D = q.shape
    scores = np.where(np.tri(T, dtype=bool), q @ k.T / np.sqrt(D), -np.inf)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True) @ v


def check_causal_attention(function):
    """The first token, the future, the scale, large scores: each with a message of its own; then the kernel."""
    q, k, v = (x[0, :, 0] for x in case(6))
    out = function(q.copy(), k.copy(), v.copy())
    assert np.shape(out) == v.shape, f"the output has shape {np.shape(out)}, expected {v.shape}"
    assert np.allclose(out[0], v[0]), f"token 0 sees itself alone: expected its own value {v[0]}, got {out[0]}"
    later = v.copy()
    later[4:] += 10
    assert np.allclose(function(q, k, later)[:4], out[:4]), "tokens 0 to 3 changed with values 4 and 5: expected a causal mask"
    large = function(100 * q, 100 * k, v)
    assert np.isfinite(large).all(), "scores in the thousands gave NaN or infinity: expected the row's maximum to be subtracted"
    expected, _ = attention_forward_plain(*(x[None, :, None] for x in (q, k, v)), np.zeros((1, 6), np.int32))
    worst = np.abs(out - expected[0, :, 0]).max()
    assert worst < 1e-9, f"expected the kernel's output, the largest difference is {worst:.2e}; is the score divided by sqrt(D)?"


def test_exercise_4():
    """Without the division, or without the mask, the checks must fail."""
    check_causal_attention(causal_attention)
    with pytest.raises(AssertionError, match="sqrt"):
        check_causal_attention(lambda q, k, v: causal_attention(q * 2, k, v))
    with pytest.raises(AssertionError, match="causal mask|itself"):
        check_causal_attention(lambda q, k, v: np.exp(q @ k.T) / np.exp(q @ k.T).sum(axis=1, keepdims=True) @ v)


def test_exercise_5():
    """(a) It counts three places back: a word of four letters tells, as in the lesson. (b) It counts from the beginning of
    the text, where the map's only text begins: put other words before it, so that the same pair stands later. (A third: it
    looks for letters that have not yet been repeated.) Shown here: in a word of three letters, the letter after the earlier
    one and the letter three back are the same; in a word of four they are not."""
    for word, same in (("bmo", True), ("bmud", False)):
        text = f"{word} {word}"
        read = len(word) + 2                                        # the second letter of the second word
        after_the_earlier, three_back = text[text.index(text[read]) + 1], text[read - 3]
        assert (after_the_earlier == three_back) is same
