"""Worked answers of lesson 04."""

import numpy as np

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
    first = np.zeros((1, 5), np.int32)
    same = attention_forward_plain(q, moved, v, first)[0][0, 4]
    np.testing.assert_allclose(same, attention_forward_plain(q, k, v, first)[0][0, 4])
