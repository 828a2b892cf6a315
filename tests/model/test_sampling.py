"""What temperature, top-k and top-p leave of a distribution, and how one token is drawn from it."""

import numpy as np
import pytest

from minillm.model.sampling import draw, likeliest, next_token_probs, sample

P = np.array([[0.1, 0.4, 0.2, 0.3]])
LOGITS = np.log(P)


def test_temperature():
    np.testing.assert_allclose(next_token_probs(LOGITS), P, atol=1e-15)
    np.testing.assert_allclose(next_token_probs(LOGITS, 0.5), P ** 2 / np.sum(P ** 2), atol=1e-15)
    assert np.array_equal(next_token_probs(LOGITS, 0.0), [[0, 1, 0, 0]])
    assert np.array_equal(next_token_probs(np.zeros((1, 3)), 0.0), [[1, 0, 0]])


def test_a_sample_is_the_likeliest_token_or_one_that_is_drawn():
    assert sample(np.repeat(LOGITS, 3, axis=0), None, temperature=0).tolist() == [1, 1, 1]
    many = sample(np.repeat(LOGITS, 20_000, axis=0), np.random.default_rng(0))
    np.testing.assert_allclose(np.bincount(many) / len(many), P[0], atol=0.02)
    with pytest.raises(ValueError, match="top_k is -1"):
        sample(LOGITS, None, temperature=0, top_k=-1)


def test_what_is_not_cut_is_drawn_as_from_its_probabilities():
    """The kernel and the two functions that lay the probabilities out take the same token for the same number."""
    logits = (3 * np.random.default_rng(1).standard_normal((200, 50))).astype(np.float32)
    assert np.array_equal(sample(logits, np.random.default_rng(2), 0.6),
                          draw(next_token_probs(logits, 0.6), np.random.default_rng(2)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("setting", [{}, dict(temperature=0), dict(top_k=1), dict(top_p=0.5)])
def test_logits_without_a_distribution_are_refused_however_they_are_sampled(setting, bad):
    row = np.full(3, bad) if bad == -np.inf else np.array([0, bad, 1])
    with pytest.raises(FloatingPointError, match="logits are not finite"):
        sample(np.array([[0.0, 1, 2], row], np.float32), np.random.default_rng(0), **setting)
    one_possible = np.array([[0, -np.inf, -np.inf]], np.float32)
    assert sample(one_possible, np.random.default_rng(0), **setting) == [0]


def test_a_tiny_temperature_goes_to_the_likeliest_token():
    """Division by 1e-300 overflows; subtracting the largest logit afterwards is inf - inf."""
    assert np.array_equal(next_token_probs(LOGITS, 1e-300), [[0, 1, 0, 0]])
    assert np.array_equal(next_token_probs(300 - LOGITS, 5e-324), [[1, 0, 0, 0]])


@pytest.mark.parametrize("k,kept", [(1, [1]), (2, [1, 3]), (3, [1, 2, 3]), (4, [0, 1, 2, 3]), (9, [0, 1, 2, 3])])
def test_top_k_keeps_the_k_likeliest(k, kept):
    expected = np.where(np.isin(np.arange(4), kept), P, 0)
    np.testing.assert_allclose(next_token_probs(LOGITS, top_k=k), expected / expected.sum(), atol=1e-15)


@pytest.mark.parametrize("row,k,kept", [([0, 0, 0, 0], 2, [0, 1]), ([1, 0, 2, 0, 0], 3, [0, 1, 2]),
                                        ([0, 1, 1, 1, 2], 3, [1, 2, 4]), ([-np.inf, 0, -np.inf], 2, [0, 1])])
def test_top_k_keeps_k_of_equals_the_lowest_ids(row, k, kept):
    other = np.arange(len(row), dtype=float)                        # a row without equals beside it
    probs = likeliest(np.array([row, other], float), k)
    assert np.flatnonzero(probs[0]).tolist() == kept and np.flatnonzero(probs[1]).tolist() == list(other[-k:])


@pytest.mark.parametrize("mass,kept", [(0.05, [1]), (0.39, [1]), (0.41, [1, 3]), (0.69, [1, 3]), (0.71, [1, 2, 3]),
                                       (0.95, [0, 1, 2, 3]), (1.0, [0, 1, 2, 3])])
def test_top_p_keeps_the_fewest_that_hold_the_mass(mass, kept):
    """The token that crosses the limit belongs to them; without it, a sure model has no token left."""
    expected = np.where(np.isin(np.arange(4), kept), P, 0)
    np.testing.assert_allclose(next_token_probs(LOGITS, top_p=mass), expected / expected.sum(), atol=1e-15)


def test_top_p_is_applied_to_what_temperature_and_top_k_left():
    probs = next_token_probs(LOGITS, temperature=1.0, top_k=2, top_p=0.5)
    np.testing.assert_allclose(probs, [[0, 1, 0, 0]], atol=1e-15)       # 0.4 / 0.7 > 0.5


def test_rows_are_independent():
    rows = np.random.default_rng(0).standard_normal((5, 9))
    together = next_token_probs(rows, 0.8, 4, 0.7)
    for row, probs in zip(rows, together):
        assert np.array_equal(next_token_probs(row[None], 0.8, 4, 0.7)[0], probs)


@pytest.mark.parametrize("setting", [dict(temperature=-1), dict(temperature=float("nan")), dict(top_k=-1),
                                     dict(top_p=0), dict(top_p=1.1)])
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        next_token_probs(LOGITS, **setting)


class Fixed:
    """A generator that always draws the same number."""
    def __init__(self, u):
        self.u = u

    def random(self, shape):
        return np.full(shape, self.u)


def test_draw_inverts_the_cumulative_distribution():
    edges = [(0.0, 0), (0.0999, 0), (0.1001, 1), (0.4999, 1), (0.5001, 2), (0.6999, 2), (0.7001, 3), (1 - 2 ** -53, 3)]
    for u, token in edges:
        assert draw(P, Fixed(u)) == [token]


def test_draw_never_takes_what_has_no_probability():
    probs = np.array([[0.0, 0.7, 0.0, 0.3, 0.0]])
    assert [int(draw(probs, Fixed(u))[0]) for u in (0.0, 0.5, 0.75, 1 - 2 ** -53)] == [1, 1, 3, 3]
