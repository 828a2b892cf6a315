"""Packed examples: the loss is the token-weighted mean of both, and neither learns from the other."""

from functools import partial

import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.objectives.next_token import next_token_objective
from minillm.text.batches import Batch, positions_from

A, B = 3, 4     # tokens of the two documents


def packed_and_apart(config):
    """One row of two documents without a common token, and each document alone."""
    rng = np.random.default_rng(0)
    tokens = np.concatenate([rng.integers(0, 6, A), rng.integers(6, 13, B)])[None].astype(np.int32)
    targets = rng.integers(0, config.vocab_size, (1, A + B)).astype(np.int32)
    weights = np.array([[1, 0, 1, 1, 1, 0, 1]], np.float32)
    starts = np.array([[0] * A + [A] * B], np.int32)
    whole = Batch(tokens, targets, weights, positions_from(starts), starts)
    parts = [Batch(*(np.ascontiguousarray(field[:, part]) for field in whole))
             for part in (slice(0, A), slice(A, None))]
    return whole, [part._replace(visible_from=np.zeros_like(part.visible_from)) for part in parts]


@pytest.mark.parametrize("preset", ["llama", "gpt2"])
def test_a_packed_row_has_the_token_weighted_loss_and_gradient(preset):
    """Weighing both documents alike, whatever their lengths, lets a short one count more a token."""
    config = tiny.config(preset)
    params, step = tiny.params(config), partial(next_token_objective, config=config)
    whole, parts = packed_and_apart(config)
    together, apart = step(params, whole), [step(params, part) for part in parts]
    weights = [part.weight for part in apart]
    assert weights == [2, 3] and together.weight == 5
    assert abs(together.loss - sum(w * part.loss for w, part in zip(weights, apart)) / 5) < 1e-12
    for name, leaf in tree.named_leaves(together.grads):
        expected = sum(w * dict(tree.named_leaves(part.grads))[name] for w, part in zip(weights, apart)) / 5
        np.testing.assert_allclose(leaf, expected, rtol=0, atol=1e-12, err_msg=name)


def test_the_second_document_sends_no_gradient_into_the_first():
    """Exactly zero: an attention mask of -1e4, or a position that leaks, leaves a trace here."""
    config = tiny.config("untied")
    whole, _ = packed_and_apart(config)
    for document, others in ((slice(A, None), range(0, 6)), (slice(0, A), range(6, 13))):
        weights = np.zeros_like(whole.weights)
        weights[:, document] = whole.weights[:, document]
        grads = partial(next_token_objective, config=config)(tiny.params(config), whole._replace(weights=weights)).grads
        table = grads["embedding"]["token"]
        assert not table[list(others)].any() and table.any()
