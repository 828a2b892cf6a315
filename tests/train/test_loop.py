"""The loop learns, says so at the start and at the end, and leaves the weights alone where a step goes wrong."""

from functools import partial

import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.config import OptimizerConfig
from minillm.model.transformer import transformer_init
from minillm.train.loop import train
from minillm.objectives.next_token import next_token_objective


@pytest.mark.parametrize("preset", tiny.PRESETS)
def test_the_first_loss_is_ln_v(preset):
    """Anything else at the first step is a wrong scale of the first weights or a wrong mean."""
    config = tiny.config(preset, vocab_size=97)
    params = transformer_init(config, np.random.default_rng(0))
    loss = partial(next_token_objective, config=config)(params, tiny.batch(config)).loss
    assert abs(loss / np.log(97) - 1) < 0.02


@pytest.mark.parametrize("preset", ["llama", "gpt2", "untied"])
def test_one_batch_is_learned_by_heart(preset):
    config, losses = tiny.config(preset), []
    params, batch = transformer_init(config, np.random.default_rng(0)), tiny.batch(config)
    settings = OptimizerConfig(steps=150, lr=1e-2, warmup_share=10 / 150, weight_decay=0.0)
    train(params, settings, lambda step: [batch], partial(next_token_objective, config=config),
          watch=lambda state, record: losses.append(record["loss"]))
    assert abs(losses[0] / np.log(config.vocab_size) - 1) < 0.02 and losses[-1] < 0.01


@pytest.mark.parametrize("where", ["loss", "gradient"])
def test_a_step_that_is_not_finite_leaves_the_parameters_untouched(where):
    """Checked after the update, one NaN has already spread through all weights and moments."""
    config = tiny.config()
    params, sound = tiny.params(config, dtype=np.float32), partial(next_token_objective, config=config)
    before, seen = [], []

    def step_with_fault(params, batch):
        part = sound(params, batch)
        if len(seen) < 2:
            return part
        before.append(tree.copy(params))
        if where == "loss":
            return part._replace(loss=float("nan"))
        part.grads["blocks"][1]["norm2"]["gain"][3] = np.inf
        return part
    with pytest.raises(FloatingPointError) as caught:
        train(params, OptimizerConfig(), lambda step: [tiny.batch(config)], step_with_fault,
              watch=lambda state, record: seen.append(record["step"]))
    assert seen == [0, 1]
    tree.tree_map(np.testing.assert_array_equal, params, before[0])
    assert "step 2" in str(caught.value)
    assert ("blocks.1.norm2.gain" if where == "gradient" else "only the loss") in str(caught.value)


def test_the_record_of_a_step():
    config, records = tiny.config(), []
    batch = tiny.batch(config)
    settings = OptimizerConfig(steps=3, lr=0.01, warmup_share=2 / 3)
    train(tiny.params(config, dtype=np.float32), settings, lambda step: [batch], partial(next_token_objective, config=config),
          watch=lambda state, record: records.append((record["step"], state.optimizer["step"], record)))
    assert [(step, done) for step, done, _ in records] == [(0, 1), (1, 2), (2, 3)]
    for step, _, record in records:
        assert record["step"] == step and record["weight"] == batch.weights.sum()
        assert {"loss", "lr", "grad_norm", "seconds"} <= record.keys()
    assert [record["lr"] for *_, record in records][:2] == [0.005, 0.01]
