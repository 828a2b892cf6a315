"""Batches without a gradient are cut where they would take too much, and nothing else about them changes."""

from dataclasses import replace

import numpy as np
import pytest
import tiny

from minillm.evaluate.likelihood import examples_loss
from minillm.model import at_once
from minillm.model.at_once import AT_ONCE, parts, rows_answered, tokens_scored
from minillm.model.size import decoding_bytes, scoring_bytes
from minillm.phases.reward import reward_heads, reward_scores
from minillm.phases.rlhf import RLHFConfig
from minillm.phases.rollout import divergence, respond
from minillm.runs import memory
from minillm.runs.config import PRESETS


@pytest.mark.parametrize("lengths, rows, tokens, expected", [
    ([3, 4, 5, 6], 9, 100, [4]), ([3, 4, 5, 6], 2, 100, [2, 2]), ([3, 4, 5, 6], 9, 12, [2, 2]),
    ([3, 9, 1, 1], 9, 18, [2, 2]), ([50, 1, 1], 9, 10, [1, 2]), ([5], 1, 1, [1]), ([], 3, 9, []),
])
def test_parts_are_consecutive_and_within_the_limits(lengths, rows, tokens, expected):
    found = list(parts(lengths, rows, tokens))
    assert [len(lengths[part]) for part in found] == expected
    assert [length for part in found for length in lengths[part]] == lengths


@pytest.mark.parametrize("name", PRESETS)
def test_no_batch_of_the_embedded_world_is_cut(name):
    """A batch that was cut would draw other samples: the default run would leave other bytes."""
    model = memory.shape(PRESETS[name])
    context = model.context
    for rows, targets in ((memory.ROWS_SCORED, 0.0), (memory.ROWS_JUDGED, 1.0)):
        assert rows * context <= tokens_scored(model, targets)
    assert rows_answered(model, memory.HELD_OUT, context, context) == memory.HELD_OUT


def test_a_batch_of_a_large_model_stays_within_the_limit():
    large = replace(PRESETS["llama"].model, vocab_size=49152, context=1024, layers=30, width=576, heads=9, kv_heads=3, hidden=1536)
    rows = rows_answered(large, 256, 960, 64)
    assert 1 < rows < 20 and decoding_bytes(large, rows, rows, 960, 1024) <= AT_ONCE
    tokens = tokens_scored(large, 1.0)
    assert 0.99 * AT_ONCE < scoring_bytes(large, tokens, tokens) <= AT_ONCE
    assert rows_answered(replace(large, layers=3000), 256, 960, 64) == 1


def test_scores_and_losses_do_not_depend_on_it(monkeypatch):
    model, other = tiny.model(), tiny.model(seed=1)
    heads = reward_heads(model, 0)
    rows = tiny.prompts(lengths=(3, 9, 2, 6, 9, 9))
    masks = [np.arange(len(ids)) > 0 for ids in rows]

    def numbers():
        return (*reward_scores(model, heads, rows), examples_loss(model, [*zip(rows, masks)]),
                divergence(model, other, rows, masks, 0.7))
    whole, settings = numbers(), RLHFConfig(max_new_tokens=4)
    cut = scoring_bytes(model.config, 9, 0)
    monkeypatch.setattr(at_once, "AT_ONCE", cut)
    assert tokens_scored(model.config) == 9
    np.testing.assert_allclose(numbers(), whole, rtol=1e-5)
    monkeypatch.setattr(at_once, "AT_ONCE", 2 * decoding_bytes(model.config, 1, 1, 9, 13))
    sequences, marks = respond(model, rows, settings, np.random.default_rng(0))
    assert all(np.array_equal(ids[:len(row)], row) for ids, row in zip(sequences, rows))
    assert [int(mask.sum()) for mask in marks] == [len(ids) - len(row) for ids, row in zip(sequences, rows)]
    together = model._continue(rows, np.random.default_rng(0), max_new_tokens=4, temperature=0.0)
    monkeypatch.undo()
    for one, many in zip(together, model._continue(rows, np.random.default_rng(0), max_new_tokens=4, temperature=0.0)):
        np.testing.assert_array_equal(one, many)
