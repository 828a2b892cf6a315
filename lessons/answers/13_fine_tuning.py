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
    """The loss on the answers of held-out instructions, with replay and without. If the two are about equal, the model with
    replay has learned as much and forgotten less. (The share of instructions right is measured on too few questions to tell.) If
    it has learned less, the comparison is unfair. The arm that settles it has no replay and a learning rate of 4/5: the
    conversations have the same weight there, 16 rows of 20. (Adam divides by the size of the gradient, so the learning rate
    must carry the factor.) Or plot what is forgotten against the loss on held-out answers, for several numbers of steps, and
    compare the curves."""
    weights = with_replay(rows(16, 40), rows(4, 120)).weights
    assert np.isclose(weights[:16].sum() / weights.sum(), 0.8)


def effects(few_one, all_one, few_other, all_other):
    """(Effect of counting more tokens, effect of the other text), each averaged over both orders of the two changes."""
    return (all_one - few_one + all_other - few_other) / 2, (few_other - few_one + all_other - all_one) / 2


def test_exercise_5():
    """The number of counted tokens. Missing are tickets with every word counted, and rulings with as few tokens counted as
    the tickets have labels. If only the number of tokens matters, the first loses 0.9 and the second 0.3; if only the
    language does, the first loses 0.3 and the second 0.9. With 0.5 and 0.8 found: first the text and then the tokens gives
    0.5 + 0.1, and first the tokens and then the text 0.2 + 0.4. On average the text costs 0.45 and more tokens 0.15. So the
    report is right about most of it, and it had not shown that: its two runs fit either cause. Steps, rows and learning
    rate stay; the loss is a mean over what counts, so fewer tokens do not make it smaller, they make its gradient noisier.
    And four runs of one base model have no interval: it takes several base models to be sure."""
    assert np.allclose(effects(0.3, 0.5, 0.8, 0.9), (0.15, 0.45)) and np.isclose(0.15 + 0.45, 0.9 - 0.3)
    assert np.allclose(effects(0.3, 0.9, 0.3, 0.9), (0.6, 0)) and np.allclose(effects(0.3, 0.3, 0.9, 0.9), (0, 0.6))
    few, many = rows(16, 1), rows(16, 128)
    assert np.isclose((few.weights / few.weights.sum()).sum(), (many.weights / many.weights.sum()).sum())
