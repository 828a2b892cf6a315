"""A batch in parts is the batch: averages of averages were the best-known bug of 2024."""

from functools import partial

import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.model.heads import scalar_head_init
from minillm.phases.reward import RankingBatch
from minillm.model.transformer import one_document
from minillm.text.batches import Batch, micro_batches
from minillm.objectives.next_token import next_token_objective
from minillm.objectives.objective import Objective
from minillm.objectives.ranking import ranking_objective
from minillm.training.loop import accumulate


def rows_of_unequal_weight(config, rows, seed=0):
    """Rows with 1 to T counted tokens each, the first with 1 and the last with all."""
    rng, T = np.random.default_rng(seed), config.context
    tokens, targets = rng.integers(0, config.vocab_size, (2, rows, T)).astype(np.int32)
    counts = np.concatenate([[1], rng.integers(1, T + 1, rows - 2), [T]])
    weights = np.array([rng.permutation(np.arange(T) < n) for n in counts], np.float32)
    return Batch(tokens, targets, weights, *one_document(tokens))


def assert_same(whole, parts):
    assert abs(whole.loss - parts.loss) < 1e-12 and abs(whole.weight - parts.weight) < 1e-12
    for (name, leaf), other in zip(tree.named_leaves(whole.grads), tree.leaves(parts.grads)):
        np.testing.assert_allclose(leaf, other, rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("rows,parts", [(8, 8), (8, 2), (6, 4)])    # 6 in 4: the last windows hold 1 row of 2
def test_tokens_weigh_alike_in_parts_of_any_length(rows, parts):
    config = tiny.config(context=30)
    params, step = tiny.params(config), partial(next_token_objective, config=config)
    batch = rows_of_unequal_weight(config, rows)
    whole = accumulate(step, params, [batch])
    in_parts = accumulate(step, params, micro_batches(batch, parts))
    assert whole.weight == batch.weights.sum()
    assert_same(whole, in_parts)


def test_pairs_weigh_alike_where_rankings_differ_in_length_and_ties():
    config, rng = tiny.config(), np.random.default_rng(0)
    params = {"model": tiny.params(config), "reward_head": tiny.lively(scalar_head_init(rng, config.width, False), rng)}
    ranks = np.array([[1, 2, 3], [1, 1, 2], [1, 2, 0]])             # 3, 2 and 1 pairs
    tokens = rng.integers(0, config.vocab_size, (8, 7)).astype(np.int32)         # none for the missing response
    batch = RankingBatch(tokens, *one_document(tokens), np.full(8, 6), ranks)
    parts = [RankingBatch(*(field[3 * p:3 * p + 3] for field in batch[:4]), ranks[p:p + 1]) for p in range(3)]
    step = partial(ranking_objective, config=config)
    assert accumulate(step, params, [batch]).weight == 6
    assert_same(accumulate(step, params, [batch]), accumulate(step, params, parts))


def test_metrics_are_means_over_what_counts():
    class Part:
        def __init__(self, weight, value):
            self.weight, self.value = weight, value

    def step(params, part):
        return Objective(part.value, {"w": np.full(2, part.value)}, part.weight, {"seen": part.value})
    joined = accumulate(step, None, [Part(1, 4.0), Part(3, 8.0)])
    assert (joined.loss, joined.weight, joined.metrics) == (7.0, 4, {"seen": 7.0})
    assert np.array_equal(joined.grads["w"], [7.0, 7.0])
