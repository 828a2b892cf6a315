"""The shapes of weights that are read are those of initialization, which is not run for them."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.config import MODELS
from minillm.model.shapes import parameter_shapes
from minillm.model.transformer import transformer_init

CONFIGS = {**{name: tiny.config(name) for name in tiny.PRESETS},
           **{name: replace(config, vocab_size=31, layers=2) for name, config in MODELS.items()}}


@pytest.mark.parametrize("name", CONFIGS)
def test_the_shapes_are_those_of_initialization(name):
    expected = tree.named_shapes(transformer_init(CONFIGS[name], np.random.default_rng(0)))
    found = tree.named_shapes(parameter_shapes(CONFIGS[name]))
    assert list(found.items()) == list(expected.items())


def test_they_take_the_memory_of_one_block():
    config = tiny.config("untied", vocab_size=10**6, layers=50)
    tracemalloc.start()
    shapes = parameter_shapes(config)
    assert tracemalloc.get_traced_memory()[1] < 2e6 and tree.count(shapes) > 10**8
    tracemalloc.stop()
