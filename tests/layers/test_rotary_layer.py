"""Rotary positions are a multiplication by e^(i angle), and only distances matter."""

import numpy as np

from minillm.layers.rotary import rotary_forward

B, T, H, D, THETA = 2, 7, 3, 10, 100.0


def vectors(seed=0):
    return np.random.default_rng(seed).standard_normal((B, T, H, D))


def places(start=0):
    return (np.arange(T, dtype=np.int32) + start) * np.ones((B, 1), np.int32)


def test_channel_pairs_turn_like_complex_numbers():
    """Trainers disagree on which channels form a pair (i with i + D/2, or 2 i with 2 i + 1)."""
    x = vectors()
    angle = places()[:, :, None, None] * THETA ** (-2 * np.arange(D // 2) / D)
    turned = (x[..., :D // 2] + 1j * x[..., D // 2:]) * np.exp(1j * angle)
    expected = np.concatenate([turned.real, turned.imag], axis=-1)
    np.testing.assert_allclose(rotary_forward(x, places(), THETA)[0], expected, rtol=0, atol=1e-12)


def test_scores_do_not_change_when_all_positions_shift():
    def scores(start):
        q, k = rotary_forward(vectors(1), places(start), THETA)[0], rotary_forward(vectors(2), places(start), THETA)[0]
        return np.einsum("bthd,bshd->bhts", q, k)
    np.testing.assert_allclose(scores(0), scores(23), rtol=0, atol=1e-11)


def test_position_zero_leaves_a_vector_as_it_is():
    x = vectors()
    assert np.array_equal(rotary_forward(x, np.zeros((B, T), np.int32), THETA)[0], x)
