"""Blocks that are computed again in the backward: the same gradients, to the bit, from less memory."""

from functools import partial

import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.model.transformer import BlockInput, one_document, transformer_forward
from minillm.objectives.next_token import next_token_objective


@pytest.mark.parametrize("preset", ["llama", "gpt2", "gpt3", "experts"])
def test_gradients_are_the_same_to_the_bit(preset):
    config = tiny.model(preset).config
    params, batch = tiny.params(config), tiny.batch(config)
    kept, again = (partial(next_token_objective, config=config, recompute=recompute)(params, batch) for recompute in (False, True))
    assert kept.loss == again.loss
    for (name, one), (_, two) in zip(tree.named_leaves(kept.grads), tree.named_leaves(again.grads), strict=True):
        np.testing.assert_array_equal(one, two, err_msg=name)


def held_bytes(cache):
    """Bytes of all distinct arrays that a cache holds, parameters aside."""
    arrays = {}

    def visit(item):
        if isinstance(item, np.ndarray):
            arrays[item.ctypes.data] = item.nbytes      # a reshaped array is the same memory
        elif isinstance(item, (tuple, list)):
            for part in item:
                visit(part)
    visit(cache)
    return sum(arrays.values())


def test_a_block_keeps_its_input_alone():
    model = tiny.model("llama")
    tokens = np.zeros((4, 16), np.int32)
    caches = [transformer_forward(tokens, model.params, model.config, *one_document(tokens), recompute)[1]
              for recompute in (False, True)]
    assert all(isinstance(block, BlockInput) for block in caches[1].blocks)
    assert held_bytes(caches[1].blocks) < held_bytes(caches[0].blocks) / 4
