"""Worked answers of lesson 06."""

import numpy as np

from minillm.config import ModelConfig
from minillm.kernels.attention import attention_forward_plain
from minillm.layers.rotary import rotary_forward, rotary_table


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


def test_exercise_4():
    """It turns by 500^(-30/32) = 0.00295 radians a token, so once in 2 pi / 0.00295 = 2,130 tokens. A context of 128 sees
    less than a sixteenth of a turn, so no: of two distances, the farther one always has the larger angle."""
    speed = 500.0 ** (-30 / 32)
    assert round(2 * np.pi / speed) == 2130 and 128 * speed < 2 * np.pi / 16
    cos, sin = rotary_table(2131, 32, 500.0, np.float64)
    assert len(cos) >= 2131 and np.isclose(cos[2130, -1], 1, atol=1e-6)


def test_exercise_5():
    """By 0, and no: both are turned by the same angle, so the score is that of the unturned vectors, wherever it stands."""
    q, k = np.random.default_rng(1).standard_normal((2, 1, 6, 2, 8))
    positions = np.array([[0, 1, 2, 40, 41, 99]], np.int32)
    turned = [rotary_forward(x, positions, 500.0)[0] for x in (q, k)]
    np.testing.assert_allclose((turned[0] * turned[1]).sum(axis=-1), (q * k).sum(axis=-1))
    np.testing.assert_allclose(np.linalg.norm(turned[0], axis=-1), np.linalg.norm(q, axis=-1))
