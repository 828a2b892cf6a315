"""Worked answers of lesson 07."""

import numpy as np
import pytest

from minillm.layers.rotary import rotary_backward, rotary_forward, rotary_table


def test_exercise_1():
    """By 0, and no: both are turned by the same angle, so the score is that of the unturned vectors, wherever it stands."""
    q, k = np.random.default_rng(1).standard_normal((2, 1, 6, 2, 8))
    positions = np.array([[0, 1, 2, 40, 41, 99]], np.int32)
    turned = [rotary_forward(x, positions, 500.0)[0] for x in (q, k)]
    np.testing.assert_allclose((turned[0] * turned[1]).sum(axis=-1), (q * k).sum(axis=-1))
    np.testing.assert_allclose(np.linalg.norm(turned[0], axis=-1), np.linalg.norm(q, axis=-1))


def test_exercise_2():
    """It turns by 500^(-30/32) = 0.00295 radians a token, so once in 2 pi / 0.00295 = 2,130 tokens. A context of 128 sees
    less than a sixteenth of a turn, so no: of two distances, the farther one always has the larger angle."""
    speed = 500.0 ** (-30 / 32)
    assert round(2 * np.pi / speed) == 2130 and 128 * speed < 2 * np.pi / 16
    cos, sin = rotary_table(2131, 32, 500.0, np.float64)
    assert len(cos) >= 2131 and np.isclose(cos[2130, -1], 1, atol=1e-6)


def rotate(x, positions, theta):
    """An angle for each position and pair; the halves are the coordinates."""
    half = x.shape[1] // 2
    angle = positions[:, None] * theta ** (-np.arange(half) / half)
    cos, sin = np.cos(angle), np.sin(angle)
    x1, x2 = x[:, :half], x[:, half:]
    return np.concatenate([x1 * cos - x2 * sin, x2 * cos + x1 * sin], axis=-1)


def check_rotate(function):
    """Position 0, one radian, lengths, distances; then the package's layer."""
    x = np.random.default_rng(3).standard_normal((5, 8))
    positions = np.array([0, 1, 2, 7, 40])
    y = function(x.copy(), positions, 500.0)
    assert np.shape(y) == x.shape, f"the result has shape {np.shape(y)}, expected {x.shape}"
    assert np.allclose(y[0], x[0]), "at position 0 nothing is turned: expected y[0] to be x[0]"
    one = function(np.array([[1.0, 0.0]]), np.array([1]), 500.0)[0]
    assert np.allclose(one, [np.cos(1), np.sin(1)]), f"(1, 0) at position 1, one radian: expected (cos 1, sin 1), got {one}"
    assert np.allclose(np.linalg.norm(y, axis=1), np.linalg.norm(x, axis=1)), "a rotation keeps lengths: expected those of x"

    def score(t, s):
        a, b = function(x[:1], np.array([t]), 500.0), function(x[1:2], np.array([s]), 500.0)
        return float((a * b).sum())
    assert np.isclose(score(9, 6), score(103, 100)), "expected the same score at the same distance, 9 - 6 and 103 - 100"
    expected = rotary_forward(x[None, :, None], positions[None].astype(np.int32), 500.0)[0][0, :, 0]
    worst = np.abs(y - expected).max()
    assert worst < 1e-9, (f"expected the package's rotation, the largest difference is {worst:.2e}; do the pairs go together as "
                          "i and i + D/2, and are the speeds theta^(-2i/D)?")


def test_exercise_3():
    """The other way round, and with neighbours as pairs, the checks must fail."""
    check_rotate(rotate)
    with pytest.raises(AssertionError, match="cos 1"):
        check_rotate(lambda x, positions, theta: rotate(x, -positions, theta))

    def neighbours(x, positions, theta):
        order = np.r_[0:x.shape[1]:2, 1:x.shape[1]:2]
        y = np.empty_like(x)
        y[:, order] = rotate(x[:, order], positions, theta)
        return y
    with pytest.raises(AssertionError, match="the package's rotation"):
        check_rotate(neighbours)


def test_exercise_4():
    """Texts of 256 tokens have new positions and new distances at once. The lesson's test has new positions and only the old
    distances: a short text that begins late. With RoPE its scores are those that were trained; distances beyond the training are
    new to RoPE too. To separate the two: short texts at late positions, beside long texts at early ones."""
    x = np.random.default_rng(4).standard_normal((1, 8))

    def score(t, s):
        return float((rotate(x, np.array([t]), 500.0) * rotate(x, np.array([s]), 500.0)).sum())
    assert np.isclose(score(250, 247), score(3, 0))                 # a late position, an old distance
    assert not np.isclose(score(250, 0), score(3, 0))               # an old position, a new distance


def test_exercise_5():
    """At position 0, where the angle is 0 and sin is 0. No: a check of inputs that all stand at position 0 passes. The ledger's
    inputs have many positions, and a random direction there finds the mistake."""
    dy = np.random.default_rng(5).standard_normal((1, 4, 2, 6))
    positions = np.array([[0, 1, 2, 3]], np.int32)
    _, cache = rotary_forward(dy, positions, 500.0)
    right, wrong = rotary_backward(dy, cache), rotary_forward(dy, positions, 500.0)[0]
    np.testing.assert_allclose(right[:, 0], wrong[:, 0])
    assert (np.abs(right - wrong)[:, 1:].max(axis=(0, 2, 3)) > 0.1).all()


def test_exercise_6():
    """(1/4 + 1/3 + 1/2 + 1) / 4 = 0.52. For words of three letters, the model of seed 1 gave 0.29, 0.35 and 0.99: it is right at
    the last letter, where only one is left. At the second it should reach 1/2, and hardly does better than 1/3. So it does not
    leave out the first letter there, or gives some of its probability to letters of other words."""
    def mean_of(length):
        return np.mean([1 / left for left in range(length, 0, -1)])
    assert round(mean_of(4), 2) == 0.52 and round(mean_of(3), 2) == 0.61
