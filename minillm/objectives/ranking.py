"""The reward model: in every ranked pair, the better response should score higher."""

from minillm.losses.ranking import pair_accuracy, placed, ranking_backward, ranking_forward
from minillm.model.heads import reward_backward, reward_forward
from minillm.objectives.objective import Objective


def ranking_objective(params, batch, config, recompute=False, precision="float32"):
    """Bradley-Terry over the pairs of every ranked prompt.

        loss = -mean over pairs log sigmoid(score of the better - score of the worse)

    params: {"model", "reward_head"}
    Shapes:  RankingBatch: tokens, positions, visible_from (N, T), last (N,), ranks (P, K)
             -> Objective, whose weight is the number of pairs
    """
    scores, body = reward_forward(params, config, batch.tokens, batch.positions,
                                  batch.visible_from, batch.last, recompute, precision)
    scores = placed(scores, batch.ranks)                                    # (P, K)
    loss, pairs = ranking_forward(scores, batch.ranks)
    dscores = ranking_backward(1.0, pairs)                                  # (P, K)
    grads = reward_backward(dscores[batch.ranks > 0], body)
    return Objective(float(loss), grads, float(pairs.better.sum()),
                     {"pair_accuracy": pair_accuracy(scores, batch.ranks)})
