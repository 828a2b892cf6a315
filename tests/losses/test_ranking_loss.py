"""Rankings as pairs: ties, missing places, symmetry."""

from itertools import combinations

import numpy as np
import pytest

from minillm.losses.ranking import pair_accuracy, ranking_backward, ranking_forward

RNG = np.random.default_rng(0)


def test_equal_scores_cost_ln_2():
    """An identical pair (margin 0) must cost exactly ln 2; anything else means that its two halves differ."""
    loss, _ = ranking_forward(np.array([[0.7, 0.7]]), np.array([[1, 2]]))
    assert abs(loss - np.log(2)) < 1e-7


def test_swapping_the_labels_negates_the_gradient_of_the_margin():
    scores = np.array([[0.9, -0.4]])
    loss, cache = ranking_forward(scores, np.array([[1, 2]]))
    swapped, other = ranking_forward(scores, np.array([[2, 1]]))
    margin = 1.3
    assert abs(swapped - loss - margin) < 1e-12      # log sigmoid(m) - log sigmoid(-m) = m
    down, up = ranking_backward(1.0, cache)[0, 0], ranking_backward(1.0, other)[0, 0]
    assert abs(up - down - 1) < 1e-12 and down < 0 < up


def test_a_ranking_of_k_is_the_mean_over_its_pairs():
    scores, ranks = RNG.standard_normal((3, 4)), np.array([[1, 2, 3, 4], [2, 1, 1, 3], [1, 3, 0, 2]])
    terms = []
    for row, places in zip(scores, ranks):
        for i, j in combinations(range(4), 2):
            if 0 in (places[i], places[j]) or places[i] == places[j]:
                continue
            better, worse = (i, j) if places[i] < places[j] else (j, i)
            terms.append(np.log1p(np.exp(row[worse] - row[better])))
    assert len(terms) == 6 + 5 + 3
    assert abs(ranking_forward(scores, ranks)[0] - np.mean(terms)) < 1e-12


def test_only_differences_of_a_prompt_count():
    scores, ranks = RNG.standard_normal((3, 4)), np.array([[1, 2, 3, 4]] * 3)
    shifted = scores + np.array([[5.0], [-2.0], [0.5]])
    assert abs(ranking_forward(scores, ranks)[0] - ranking_forward(shifted, ranks)[0]) < 1e-12
    assert np.abs(ranking_backward(1.0, ranking_forward(scores, ranks)[1]).sum(axis=1)).max() < 1e-15


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_margins_stay_finite(dtype):
    scores = np.array([[300, -300], [-300, 300]], dtype)
    loss, cache = ranking_forward(scores, np.array([[1, 2], [1, 2]]))
    grad = ranking_backward(1.0, cache)
    assert loss == 300 and grad.dtype == dtype
    np.testing.assert_allclose(grad, [[0, 0], [-0.5, 0.5]], atol=1e-30)


def test_ties_alone_are_refused():
    with pytest.raises(ValueError, match="tie"):
        ranking_forward(np.zeros((2, 3)), np.ones((2, 3), int))


def test_pair_accuracy():
    ranks = np.array([[1, 2, 3]])
    assert pair_accuracy(np.array([[3.0, 2.0, 1.0]]), ranks) == 1
    assert pair_accuracy(np.array([[1.0, 2.0, 3.0]]), ranks) == 0
    assert pair_accuracy(np.zeros((1, 3)), ranks) == 0.5
    assert np.isnan(pair_accuracy(np.zeros((1, 3)), np.ones((1, 3), int)))
