"""Fifty steps on one thread and on two: the same bits."""

from functools import partial

import numba
import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.phases.pretrain import PretrainConfig
from minillm.training.loop import train
from minillm.objectives.next_token import next_token_objective


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="this process may use one thread only")
@pytest.mark.parametrize("preset", ["llama", "gpt2"])
def test_fifty_steps_do_not_depend_on_the_number_of_threads(preset):
    config, ends = tiny.config(preset), []
    batches = [tiny.batch(config, seed) for seed in range(5)]
    settings = PretrainConfig(steps=50, warmup_share=0, lr=1e-2)
    before = numba.get_num_threads()
    try:
        for threads in (1, 2):
            numba.set_num_threads(threads)
            params = tiny.params(config, dtype=np.float32)
            train(params, settings, lambda step: [batches[step % 5]], partial(next_token_objective, config=config))
            ends.append(dict(tree.named_leaves(params)))
    finally:
        numba.set_num_threads(before)
    for name, leaf in ends[0].items():
        assert leaf.tobytes() == ends[1][name].tobytes(), name
