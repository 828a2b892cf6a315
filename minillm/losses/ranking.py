"""The loss of a reward model: the better response of every ranked pair should score higher."""

from typing import NamedTuple

import numpy as np

from minillm.tree import brief


class RankingCache(NamedTuple):
    """What ranking_backward needs."""
    margin: np.ndarray      # (P, K, K) score of i minus score of j
    better: np.ndarray      # (P, K, K) bool: i was ranked above j

    __repr__ = brief


def ranked_above(ranks):
    """Which response of a prompt was ranked above which.

    Equal ranks make no pair; neither does rank 0, which marks a missing response.
    Shapes:  ranks (P, K) -> (P, K, K) bool
    """
    real = ranks > 0
    return (ranks[:, :, None] < ranks[:, None, :]) & real[:, :, None] & real[:, None, :]


def placed(scores, ranks):
    """The scores of N responses at the places of their ranks; 0 where a response is missing.

    Shapes:  scores (N,), ranks (P, K) with N above 0 -> (P, K)
    """
    spread = np.zeros(ranks.shape, scores.dtype)
    spread[ranks > 0] = scores
    return spread


def ranking_forward(scores, ranks):
    """Bradley-Terry over all pairs of each ranking; equal ranks make no pair.

        loss = -mean over pairs (i better than j) of log sigmoid(score_i - score_j)

    For K = 2 it is the pairwise loss; a constant added to all scores of a prompt changes nothing.
    Shapes:  scores (P, K), ranks (P, K) int, 1 is best -> ()
    Raises:  ValueError if all ranks are equal, so that there is nothing to learn.
    Source:  Ouyang et al. 2022, arXiv:2203.02155, eq. 1: all C(K, 2) pairs of a prompt in one
             batch.
    """
    better = ranked_above(ranks)                                        # (P, K, K)
    if not better.any():
        raise ValueError("every ranking of this batch is a tie; "
                         "the reward model has no pair to learn from")
    margin = scores[:, :, None] - scores[:, None, :]                    # (P, K, K)
    loss = np.logaddexp(0, -margin[better]).mean()
    return loss, RankingCache(margin, better)


def ranking_backward(dloss, cache):
    """d loss / d margin = -sigmoid(-margin) / pairs; each score takes part in many pairs.

    Shapes:  () -> (P, K)
    """
    margin, better = cache
    dmargin = np.where(better, -dloss / (1 + np.exp(np.minimum(margin, 80))) / better.sum(), 0)
    dmargin = dmargin.astype(margin.dtype)
    return dmargin.sum(axis=2) - dmargin.sum(axis=1)


def pair_accuracy(scores, ranks):
    """Share of ranked pairs whose better response scores higher; equal scores count half.

    Shapes:  scores (P, K), ranks (P, K) -> float; NaN where there is no pair.
    """
    better = ranked_above(ranks)
    margin = (scores[:, :, None] - scores[:, None, :])[better]
    return float(np.mean(np.where(margin == 0, 0.5, margin > 0))) if margin.size else float("nan")
