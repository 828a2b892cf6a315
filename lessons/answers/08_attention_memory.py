"""Worked answers of lesson 08."""

import numpy as np
import pytest

from minillm.kernels.attention import attention_backward_plain, attention_forward, attention_forward_plain


def one_head(T, seed=0, D=4):
    """Random queries, keys, values and an upstream gradient.  Shapes:  four of (1, T, 1, D)"""
    return np.random.default_rng(seed).standard_normal((4, 1, T, 1, D))


def test_exercise_1():
    """sum_s p_s dp_s - (sum_s p_s) sum_s' p_s' dp_s' = 0, as the weights sum to 1. A constant added to all scores of a query
    changes nothing (exercise 3 of lesson 06), so the loss has no slope in that direction; any other sum would claim one."""
    rng = np.random.default_rng(1)
    p, dp = rng.random(7), rng.standard_normal(7)
    p /= p.sum()
    assert abs((p * (dp - (p * dp).sum())).sum()) < 1e-12


def test_exercise_2():
    """Never after the first key: the largest comes first. m, l and a end the same: only the order of the sums is another one."""
    m, total, a, corrections = -np.inf, 0.0, 0.0, 0
    for z, v in ((np.log(3), 8.0), (0.0, 4.0), (0.0, 0.0)):
        corrections += m > -np.inf and z > m
        larger = max(m, z)
        total, a, m = total * np.exp(m - larger) + np.exp(z - larger), a * np.exp(m - larger) + v * np.exp(z - larger), larger
    assert corrections == 0 and np.isclose(total, 5 / 3) and np.isclose(a, 28 / 3)


def test_exercise_3():
    """q and out hold 128 numbers for each token, k and v 64, lse 4: 388 numbers, 198,656 bytes for 128 tokens. The matrix has
    4 T^2 numbers, 262,144 bytes. It is the larger one where 4 T^2 > 388 T, from T = 98 on."""
    numbers = 2 * 128 + 2 * 64 + 4
    assert numbers * 128 * 4 == 198_656 and 4 * 128 ** 2 * 4 == 262_144
    assert 4 * 98 ** 2 > numbers * 98 and 4 * 97 ** 2 <= numbers * 97


def merged(out1, lse1, out2, lse2):
    """Each part weighs as much as its share of the sum of exponentials."""
    lse = np.logaddexp(lse1, lse2)
    return np.exp(lse1 - lse)[:, None] * out1 + np.exp(lse2 - lse)[:, None] * out2, lse


def check_merged(function):
    """By hand, with a large score, and against the kernel on keys that are cut in two."""
    out, lse = function(np.array([[4.0]]), np.array([0.0]), np.array([[6.0]]), np.array([np.log(4)]))
    assert np.allclose(out, 5.6), f"one key of weight 1 and value 4, a part of weight 4 and mean 6: expected 5.6, got {out}"
    assert np.allclose(lse, np.log(5)), f"weights of 1 and 4: expected lse = log 5 = {np.log(5):.4f}, got {lse}"
    out, lse = function(np.array([[4.0]]), np.array([1000.0]), np.array([[8.0]]), np.array([1000.0]))
    assert np.allclose(out, 6) and np.allclose(lse, 1000 + np.log(2)), \
        f"two parts with lse = 1000: expected 6 and 1000.69, got {out} and {lse}; exp(1000) overflows"
    q, k, v, _ = one_head(9)
    first, second = [], []
    for t in range(4, 9):                           # queries that see keys of both parts: 0 to 3, and 4 to t
        for part, keys in ((first, slice(0, 4)), (second, slice(4, t + 1))):
            z = k[0, keys, 0] @ q[0, t, 0] / 2
            part.append((np.exp(z) @ v[0, keys, 0] / np.exp(z).sum(), np.log(np.exp(z).sum())))
    (out1, lse1), (out2, lse2) = (tuple(map(np.array, zip(*part))) for part in (first, second))
    out, lse = function(out1, lse1, out2, lse2)
    expected, expected_lse = attention_forward_plain(q, k, v, np.zeros((1, 9), np.int32))
    assert np.allclose(out, expected[0, 4:, 0]) and np.allclose(lse, expected_lse[0, 0, 4:]), \
        "keys cut in two: expected what the kernel gives for all of them"


def test_exercise_4():
    """The mean of the two outputs, and exponentials that overflow, must fail."""
    check_merged(merged)
    with pytest.raises(AssertionError, match="5.6"):
        check_merged(lambda out1, lse1, out2, lse2: ((out1 + out2) / 2, np.logaddexp(lse1, lse2)))

    def overflows(out1, lse1, out2, lse2):
        with np.errstate(all="ignore"):
            z1, z2 = np.exp(lse1)[:, None], np.exp(lse2)[:, None]
            return (out1 * z1 + out2 * z2) / (z1 + z2), np.log(np.exp(lse1) + np.exp(lse2))
    with pytest.raises(AssertionError, match="overflows"):
        check_merged(overflows)


def test_exercise_5():
    """One key: its weight is always 1, so dq = dk = 0 and dv = dout. Equal values: out is that value whatever the weights
    are, so again dq = dk = 0, and dv_s = sum_t p_ts dout_t. Both are 0 because the softmax does not move the output. A
    backward that returned 0 for dq and dk would pass: the inputs of a check must not be special."""
    q, k, v, dout = one_head(1)
    visible_from = np.zeros((1, 1), np.int32)
    out, lse = attention_forward_plain(q, k, v, visible_from)
    dq, dk, dv = attention_backward_plain(dout, q, k, v, out, lse, visible_from)
    assert np.abs(dq).max() < 1e-12 and np.abs(dk).max() < 1e-12 and np.allclose(dv, dout)
    q, k, v, dout = one_head(6)
    v, visible_from = np.broadcast_to(v[:, :1], v.shape).copy(), np.zeros((1, 6), np.int32)
    out, lse = attention_forward_plain(q, k, v, visible_from)
    dq, dk, dv = attention_backward_plain(dout, q, k, v, out, lse, visible_from)
    assert np.abs(dq).max() < 1e-12 and np.abs(dk).max() < 1e-12 and np.abs(dv).max() > 0.1


def test_exercise_6():
    """The distance of each from the truth is missing: both round, so compare both with float64. The two errors are of one size.
    The forgotten correction goes unnoticed where the largest score comes first, in keys sorted by their score, or where all
    scores are equal: the maximum never rises. Random keys, in random order, show it."""
    q, k, v, _ = one_head(300, seed=2, D=32)
    visible_from = np.zeros((1, 300), np.int32)
    exact, _ = attention_forward_plain(q, k, v, visible_from)
    q32, k32, v32 = (x.astype(np.float32) for x in (q, k, v))
    streamed, _ = attention_forward.loops(q32, k32, v32, visible_from)
    z = np.where(np.tri(300, dtype=bool), q32[0, :, 0] @ k32[0, :, 0].T / np.sqrt(np.float32(32)), -np.inf)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    whole = p / p.sum(axis=1, keepdims=True) @ v32[0, :, 0]
    errors = [np.abs(x - exact[0, :, 0]).mean() for x in (streamed[0, :, 0], whole)]
    assert 1 / 4 < errors[0] / errors[1] < 4 and max(errors) < 1e-6, errors

    def uncorrected(scores, values):
        top, total, a = -np.inf, 0.0, 0.0
        for z, v in zip(scores, values):
            top = max(top, z)
            total, a = total + np.exp(z - top), a + v * np.exp(z - top)
        return a / total
    values = np.array([4.0, 8.0, 0.0])
    for scores, noticed in (([2.0, 1.0, 0.0], False), ([1.0, 1.0, 1.0], False), ([0.0, 2.0, 1.0], True)):
        right = np.exp(scores) @ values / np.exp(scores).sum()
        assert np.isclose(uncorrected(scores, values), right) != noticed
