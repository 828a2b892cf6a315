"""A reward is read off the last real token, whatever is padded around it."""

import numpy as np
import pytest
import tiny

from minillm.losses.ranking import ranking_forward
from minillm.model.heads import reward_forward, scalar_head_init
from minillm.text.batches import pad_batch


def reward_model(preset="llama", dtype=np.float64):
    config, rng = tiny.config(preset, context=48), np.random.default_rng(0)
    head = tiny.lively(scalar_head_init(rng, config.width, bias=False), rng, dtype)
    return config, {"model": tiny.params(config, dtype=dtype), "reward_head": head}


def scores(config, params, sequences, side="right"):
    batch = pad_batch(sequences, side, 0)
    lengths = np.array([len(ids) for ids in sequences])
    last = batch.tokens.shape[1] - 1 + 0 * lengths if side == "left" else lengths - 1
    return reward_forward(params, config, batch.tokens, batch.positions, batch.visible_from, last)[0]


@pytest.mark.parametrize("preset", ["llama", "gpt2"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_the_score_does_not_change_with_pads(preset, side):
    """Read off the last column, or the first pad, a score depends on the longest row of its batch."""
    config, params = reward_model(preset)
    rng = np.random.default_rng(1)
    row = rng.integers(1, 13, 9).astype(np.int32)
    alone = scores(config, params, [row])[0]
    for pads in range(17):
        longer = rng.integers(1, 13, 9 + pads).astype(np.int32)
        assert abs(scores(config, params, [row, longer], side)[0] - alone) < 1e-12


def test_a_row_of_pads_alone_is_refused():
    config, params = reward_model()
    tokens = np.zeros((2, 3), np.int32)
    visible_from = np.array([[0, 0, 0], [3, 3, 3]], np.int32)
    places = np.zeros_like(visible_from), visible_from
    for last in ([2, 2], [2, -1]):
        with pytest.raises(ValueError, match="row 1 has only pads"):
            reward_forward(params, config, tokens, *places, np.array(last))


def test_an_identical_pair_costs_ln_2():
    config, params = reward_model(dtype=np.float32)
    row = np.array([3, 7, 5, 2], np.int32)
    pair = scores(config, params, [row, row]).reshape(1, 2)
    assert pair[0, 0] == pair[0, 1]
    assert abs(ranking_forward(pair, np.array([[1, 2]]))[0] - np.log(2)) < 1e-7


def test_swapping_the_responses_swaps_the_scores():
    config, params = reward_model()
    a, b = np.array([3, 7, 5, 2], np.int32), np.array([3, 7, 11, 4, 2, 9], np.int32)
    np.testing.assert_allclose(scores(config, params, [a, b]), scores(config, params, [b, a])[::-1], atol=1e-12)
