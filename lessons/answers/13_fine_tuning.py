"""Worked answers of lesson 13."""

import numpy as np

from minillm.losses.next_token import next_token_backward, next_token_forward
from minillm.model.transformer import one_document
from minillm.phases.finetune import with_replay
from minillm.text.batches import Batch


def rows(count, counted, length=128):
    """A batch in which `counted` tokens of every row count."""
    tokens, weights = np.zeros((count, length), np.int32), np.zeros((count, length), np.float32)
    weights[:, :counted] = 1
    return Batch(tokens, tokens, weights, *one_document(tokens))


def test_exercise_1():
    """Rows weigh the same, so the text has 5 rows of 15: a third."""
    weights = with_replay(rows(10, 40), rows(5, 120)).weights
    assert np.isclose(weights[10:].sum() / weights.sum(), 1 / 3)


def test_exercise_2():
    """Its weight is 0, and so is its row of dlogits. A token of replay has a weight above 0, below that of an answer's."""
    logits = np.random.default_rng(0).standard_normal((4, 6))
    _, cache = next_token_forward(logits, np.array([1, 2, 3, 4], np.int32), np.array([0.0, 0.0, 1.0, 1.0]))
    assert (next_token_backward(1.0, cache)[:2] == 0).all()
    weights = with_replay(rows(10, 40), rows(5, 120)).weights
    assert weights[0, 0] == 1 and 0 < weights[10, 0] < 1
