"""Worked answers of lesson 13."""

import numpy as np

from minillm.losses.next_token import next_token_backward, next_token_forward
from minillm.model.transformer import one_document
from minillm.phases.finetune import with_replay
from minillm.text.batches import Batch


def rows(count, counted, length=128, token=0):
    """A batch in which `counted` tokens of every row count."""
    tokens, weights = np.full((count, length), token, np.int32), np.zeros((count, length), np.float32)
    weights[:, :counted] = 1
    return Batch(tokens, tokens, weights, *one_document(tokens))


def replay_mix(batch, old, share):
    """s M' / (M + s M') = share, so s = share / (1 - share) M / M'."""
    s = share / (1 - share) * batch.weights.sum() / old.weights.sum()
    old = old._replace(weights=(old.weights * s).astype(np.float32))
    return type(batch)(*(np.concatenate(pair) for pair in zip(batch, old)))


def check_replay_mix(function):
    """The share, the rows, and that nothing else changes."""
    batch, old = rows(10, 40, token=1), rows(5, 120, token=2)
    kept = old.weights.copy()
    for share in (0.0, 0.2, 0.75):
        mixed = function(batch, old, share)
        assert isinstance(mixed, Batch), f"a Batch was expected, got {type(mixed).__name__}"
        assert mixed.tokens.shape == (15, 128), f"10 and 5 rows make (15, 128), got {mixed.tokens.shape}"
        assert mixed.weights.dtype == np.float32, f"weights are float32, got {mixed.weights.dtype}"
        got = mixed.weights[10:].sum() / mixed.weights.sum()
        assert np.isclose(got, share, atol=1e-5), f"the old text should have {share} of the total weight, it has {got:.4f}"
        assert np.array_equal(mixed.weights[:10], batch.weights), "the conversations keep their weights"
        assert (mixed.tokens[:10] == 1).all() and (mixed.tokens[10:] == 2).all(), "the rows of conversations come first"
        assert np.array_equal(mixed.visible_from, np.concatenate([batch.visible_from, old.visible_from])), "other fields stay"
    assert np.array_equal(old.weights, kept), "the argument `old` was changed"
    same = with_replay(batch, old)
    got = function(batch, old, 5 / 15)
    assert np.allclose(got.weights, same.weights), "with a share of R / (B + R) it is the package's with_replay"


def test_exercise_1():
    """Rows weigh the same, so the text has 5 rows of 15: a third. Without the correction, 600 of 1,000 counted tokens: 0.6."""
    batch, old = rows(10, 40), rows(5, 120)
    weights = with_replay(batch, old).weights
    assert np.isclose(weights[10:].sum() / weights.sum(), 1 / 3)
    assert np.isclose(old.weights.sum() / (batch.weights.sum() + old.weights.sum()), 0.6)


def test_exercise_2():
    """Its weight is 0, and so is its row of dlogits. A token of replay has a weight above 0, below that of an answer's."""
    logits = np.random.default_rng(0).standard_normal((4, 6))
    _, cache = next_token_forward(logits, np.array([1, 2, 3, 4], np.int32), np.array([0.0, 0.0, 1.0, 1.0]))
    assert (next_token_backward(1.0, cache)[:2] == 0).all()
    weights = with_replay(rows(10, 40), rows(5, 120)).weights
    assert weights[0, 0] == 1 and 0 < weights[10, 0] < 1


def test_exercise_3():
    """The solution passes. A mix without the correction, and one that takes the share of the conversations' weight, do not."""
    check_replay_mix(replay_mix)

    def uncorrected(batch, old, share):
        return type(batch)(*(np.concatenate(pair) for pair in zip(batch, old)))

    def relative(batch, old, share):
        return replay_mix(batch, old, share / (1 + share))
    for wrong in (uncorrected, relative):
        try:
            check_replay_mix(wrong)
        except AssertionError:
            continue
        raise RuntimeError(f"the wrong solution {wrong.__name__} passed")


def test_exercise_4():
    """The loss on the answers of held-out instructions, with replay and without: 1.12 and 1.11 nats, so it learned about
    as much, and forgot less. (The share of instructions right is measured on too few questions to tell.) Had it learned
    less, that would be unfair; the arm that settles it has no replay and a learning rate of 4/5: the conversations have the
    same weight there, 16 rows of 20. (Adam divides by the size of the gradient, so the learning rate must carry the factor.) Or
    plot what is forgotten against the loss on held-out answers, for several numbers of steps: compare curves."""
    weights = with_replay(rows(16, 40), rows(4, 120)).weights
    assert np.isclose(weights[:16].sum() / weights.sum(), 0.8)


def test_exercise_5():
    """Change one cause at a time. (1) The domain with as few counted tokens as the task: the same logs, and a mask that counts
    one token in every row. (2) The task with as many as the domain: the whole message counts, the user's words too. The first
    reader expects (1) to forget as little as the task and (2) as much as the domain; the second expects each to forget about as
    much as before. Steps, rows and learning rate stay; the loss is a mean over what counts, so fewer tokens do not make it
    smaller. They make its gradient noisier, and each step repeats fewer words: if (1) lies between, both causes count."""
    few, many = rows(16, 1), rows(16, 128)
    assert np.isclose((few.weights / few.weights.sum()).sum(), (many.weights / many.weights.sum()).sum())
