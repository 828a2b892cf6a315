"""What counts in the loss, and that a target is the next token: not this one, not the one after it."""

from functools import partial

import numpy as np
import pytest
import tiny

from minillm.losses.next_token import next_token_backward, next_token_forward
from minillm.text.batches import pad_batch, window_batch
from minillm.objectives.next_token import next_token_objective

V, BEGIN = 13, 1
RNG = np.random.default_rng(0)


def oracle(stream_rows, ahead):
    """Logits of +50 on the token `ahead` places later and -50 on all others.  Shapes:  (B, S) -> (B T, V)"""
    later = stream_rows[:, ahead:ahead + stream_rows.shape[1] - 2]
    return np.where(np.arange(V) == later[..., None], 50.0, -50.0).reshape(-1, V)


@pytest.mark.parametrize("kind", ["windows", "padded rows"])
def test_targets_are_the_next_token(kind):
    """A label shifted twice predicts x[t+2]; the loss still falls, to the wrong place."""
    if kind == "windows":
        stream = RNG.integers(2, V, 400).astype(np.int32)
        batch = window_batch(stream, 0, 5, 8, 0, BEGIN)
        starts = [next(s for s in range(len(stream) - 10) if np.array_equal(stream[s:s + 8], row))
                  for row in batch.tokens]
        rows = np.stack([stream[s:s + 10] for s in starts])
    else:
        rows = RNG.integers(2, V, (5, 9)).astype(np.int32)
        batch = pad_batch(list(rows), "right", 0)
        rows = np.pad(rows, ((0, 0), (0, 2)))
    targets, weights = batch.targets.reshape(-1), batch.weights.reshape(-1)
    assert next_token_forward(oracle(rows, 1), targets, weights)[0] < 1e-6
    assert next_token_forward(oracle(rows, 2), targets, weights)[0] > 5


def masked_case():
    return RNG.standard_normal((9, V)), np.arange(9) % V, np.array([1, 0, 1, 1, 0, 1, 0, 1, 1.0])


def test_what_is_masked_changes_nothing():
    """Labels of prompts and pads must not move the loss by one bit, even where the logits are NaN."""
    logits, targets, weights = masked_case()
    loss, cache = next_token_forward(logits.copy(), targets, weights)
    grad = next_token_backward(1.0, cache)
    other_targets = np.where(weights > 0, targets, (targets + 3) % V)
    other_logits = np.where(weights[:, None] > 0, logits, np.nan)
    other_loss, cache = next_token_forward(other_logits.copy(), other_targets, weights)
    assert other_loss == loss
    assert np.array_equal(next_token_backward(1.0, cache), grad)
    assert not grad[weights == 0].any()


def test_the_loss_is_the_mean_surprise_of_what_counts():
    logits, targets, weights = masked_case()
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    expected = -log_p[np.arange(9), targets][weights > 0].mean()
    assert abs(next_token_forward(logits, targets, weights)[0] - expected) < 1e-12


def test_large_logits_do_not_overflow():
    logits = np.array([[1e4, -1e4, 0.0], [0.0, 1e4, 1e4]])
    loss, _ = next_token_forward(logits, np.array([0, 1]), np.ones(2))
    assert abs(loss - np.log(2) / 2) < 1e-12


def test_a_batch_without_a_target_is_refused():
    logits, targets, _ = masked_case()
    with pytest.raises(ValueError, match="every label is masked"):
        next_token_forward(logits, targets, np.zeros(9))


@pytest.mark.parametrize("wrong", [-1, V])
def test_a_target_outside_the_vocabulary_is_refused(wrong):
    logits, targets, weights = masked_case()
    targets[3] = wrong
    with pytest.raises(ValueError, match=f"outside the vocabulary of {V}"):
        next_token_forward(logits, targets, weights)


def test_the_objective_refuses_a_batch_without_a_target():
    """0 / 0 must not pass for a loss of 0."""
    config = tiny.config()
    batch = tiny.batch(config)
    with pytest.raises(ValueError, match="none of the 28 targets of this batch counts"):
        partial(next_token_objective, config=config)(tiny.params(config), batch._replace(weights=np.zeros_like(batch.weights)))
