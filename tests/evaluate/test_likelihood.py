"""Likelihoods against a slow sum over tokens, and what counting alone achieves."""

import numpy as np
import pytest
import tiny

from minillm.evaluate.entropy import bigram_loss, unigram_loss
from minillm.evaluate.judging import win_rate
from minillm.evaluate.likelihood import (bits_per_byte, choice_accuracy, ending_likelihoods, examples_loss, stream_loss,
                                         batch_nll)
from minillm.text.batches import pad_batch


def log_p(model, ids):
    """log p(ids[t + 1] | ids[..t]) of one sequence.  Shapes:  (T,) -> (T - 1,)"""
    logits = model.logits(ids[:-1]).astype(np.float64)
    return logits[np.arange(len(ids) - 1), ids[1:]] - np.log(np.exp(logits).sum(axis=1))


def test_batch_nll_is_minus_log_p_where_a_target_counts():
    model, rows = tiny.model(), tiny.prompts()
    masks = [np.random.default_rng(len(row)).random(len(row)) < 0.6 for row in rows]
    nll = batch_nll(model, pad_batch(rows, "left", 0, masks))
    for row, mask, found in zip(rows, masks, nll):
        expected = np.zeros(len(found))
        if len(row) > 1:
            expected[len(found) - len(row):-1] = np.where(mask[1:], -log_p(model, row), 0)
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)


def test_stream_loss_counts_every_target_once():
    """A validation loss over windows that overlap, or drop the rest, is a loss of other text."""
    model = tiny.model(context=8)
    stream = np.concatenate([[1], tiny.tokenizer().encode(tiny.TEXT), [2]] * 2).astype(np.int32)
    loss, targets = stream_loss(model, stream, rows=3)
    assert targets == len(stream) - 2       # nothing predicts the first token, nothing before it the second begin
    terms = []
    for start in range(0, len(stream) - 1, 8):
        window = stream[start:start + 9]
        cut = np.flatnonzero(window[1:] == 1)
        pieces = [window] if not cut.size else [window[:cut[0] + 1], window[cut[0] + 1:]]
        terms += [log_p(model, piece) for piece in pieces if len(piece) > 1]
    assert abs(loss + np.concatenate(terms).mean()) < 1e-5


def test_examples_loss_is_a_mean_over_tokens_of_all_examples():
    model, rows = tiny.model(), tiny.prompts(lengths=(3, 9, 6))
    masks = [np.arange(len(row)) >= 2 for row in rows]
    terms = np.concatenate([log_p(model, row)[1:] for row in rows])
    assert abs(examples_loss(model, list(zip(rows, masks)), rows=2) + terms.mean()) < 1e-5


def test_an_ending_is_as_likely_as_the_product_of_its_tokens():
    model = tiny.model()
    context, *endings = tiny.prompts(lengths=(5, 1, 4, 2))
    found = ending_likelihoods(model, [(context, endings), (endings[1], [context])], rows=2)
    assert [len(scores) for scores in found] == [3, 1]
    for ending, score in zip(endings, found[0]):
        whole = np.concatenate([context, ending])
        assert abs(score - log_p(model, whole)[len(context) - 1:].sum()) < 1e-4


def test_choices_are_scored_by_the_likeliest_ending_and_ties_share():
    model = tiny.model()
    begin, encode = [model.tokenizer.begin_id], model.tokenizer.encode
    scores = ending_likelihoods(model, [(np.concatenate([begin, encode("the ")]), [encode("cat"), encode("dog")])])[0]
    best, worst = ("cat", "dog") if scores[0] > scores[1] else ("dog", "cat")
    assert choice_accuracy(model, [("the ", (best, worst))]) == 1
    assert choice_accuracy(model, [("the ", (worst, best))]) == 0
    assert choice_accuracy(model, [("the ", ("cat", "cat"))]) == 0.5
    assert choice_accuracy(model, [("the ", (best, worst)), ("the ", (worst, best))]) == 0.5


def test_bits_per_byte():
    assert abs(bits_per_byte(8 * np.log(2) * 5, 5) - 8) < 1e-12


def test_counting_losses_are_those_of_distributions():
    """Both must be proper: over all continuations the probabilities add up to one."""
    rng, V = np.random.default_rng(0), 6
    train = rng.integers(0, V - 1, 200)
    alone = [np.exp(-unigram_loss(train, np.array([v]), V)) for v in range(V)]
    assert abs(sum(alone) - 1) < 1e-12 and abs(alone[2] - (np.sum(train == 2) + 1) / (200 + V)) < 1e-12
    for a in range(V):
        pairs = [np.exp(-bigram_loss(train, np.array([a, b]), V)) for b in range(V)]
        assert abs(sum(pairs) - 1) < 1e-12


def test_bigrams_beat_unigrams_where_order_matters():
    stream = np.tile([0, 1, 2, 3], 100)
    assert bigram_loss(stream, stream, 4) < 0.1 < 1.3 < unigram_loss(stream, stream, 4)


def test_win_rate_counts_ties_as_half():
    ours, theirs = np.array([1.0, 2, 3, 4]), np.array([0.0, 2, 5, 1])
    rate, low, high = win_rate(ours, theirs)
    assert rate == 0.625
    half = 1.96 * np.std([1, 0.5, 0, 1], ddof=1) / 2
    np.testing.assert_allclose([low, high], [0.625 - half, 0.625 + half])
    assert win_rate(theirs, ours)[0] == pytest.approx(1 - rate)


@pytest.mark.parametrize("gain", [np.nan, 3e38])
def test_broken_weights_have_no_likelihood(gain):
    model = tiny.model()
    model.params["norm"]["gain"][:] = gain
    stream = model.tokenizer.encode_documents([tiny.TEXT])
    with pytest.raises(FloatingPointError, match="log-probabilities of the tokens are not finite"), np.errstate(all="ignore"):
        stream_loss(model, stream)
