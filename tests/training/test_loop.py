"""The loop learns, says so at the start and at the end, and leaves the weights alone where a step goes wrong."""

from functools import partial

import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.config import OptimizerConfig
from minillm.layers import feed_forward
from minillm.model import transformer
from minillm.model.transformer import transformer_init
from minillm.objectives.next_token import next_token_objective
from minillm.optim.adamw import adamw_init
from minillm.text.batches import micro_batches
from minillm.training.loop import State, train


def first_logits(params, batch, config):
    """The logits of the targets that count.  Shapes:  (N, V)"""
    h, _ = transformer.transformer_forward(batch.tokens, params, config, batch.positions, batch.visible_from)
    return transformer.head_forward(h[batch.weights > 0], params)[0]


@pytest.mark.parametrize("preset", tiny.PRESETS)
def test_the_first_loss_is_ln_v(preset):
    """Anything else at the first step is a wrong scale of the first weights or a wrong mean.

    Logits of variance s² add s²/2, as E[log sum exp] = ln V + s²/2. An untied head begins as the embedding, so they
    spread by its deviation times the length of a normed vector, and a little more by what attention copies.
    """
    config = tiny.config(preset, vocab_size=97, balance=0.0)
    params, batch = transformer_init(config, np.random.default_rng(0)), tiny.batch(config)
    loss = partial(next_token_objective, config=config)(params, batch).loss
    spread = 0 if config.tied else first_logits(params, batch, config).std()
    assert abs(loss / (np.log(97) + spread**2 / 2) - 1) < 0.02
    assert config.tied or 1 < spread / (transformer.HEAD_STD * np.sqrt(config.width)) < 1.2


@pytest.mark.parametrize("preset", ["llama", "gpt2", "untied"])
def test_one_batch_is_learned_by_heart(preset):
    config, losses = tiny.config(preset), []
    params, batch = transformer_init(config, np.random.default_rng(0)), tiny.batch(config)
    settings = OptimizerConfig(steps=150, lr=1e-2, warmup_share=10 / 150, weight_decay=0.0)
    train(params, settings, lambda step: [batch], partial(next_token_objective, config=config),
          watch=lambda state, record: losses.append(record["loss"]))
    assert losses[0] > 0.9 * np.log(config.vocab_size) and losses[-1] < 0.01


def overflow_forward(params, monkeypatch):
    params["blocks"][1]["feed_forward"]["up"]["weight"][:] = 3e38


def overflow_backward(params, monkeypatch):
    real = feed_forward.kernels.swiglu_backward

    def broken(dhidden, gate, up):
        dgate, dup = real(dhidden, gate, up)
        return dgate, np.full_like(dup, np.inf)
    monkeypatch.setattr(feed_forward.kernels, "swiglu_backward", broken)


def broken_parameter(params, monkeypatch):
    params["blocks"][0]["norm1"]["gain"][3] = np.nan


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("fault,first", [
    (overflow_forward, r"linear_forward blocks\.1\.feed_forward\.up \(\d+, 11\), minillm/layers/linear\.py:"),
    (overflow_backward, r"linear_backward blocks\.1\.feed_forward\.up \(\d+, 60\), minillm/layers/linear\.py:"),
    (broken_parameter, r"parameter blocks\.0\.norm1\.gain"),
], ids=["forward", "backward", "parameter"])
def test_the_first_tensor_that_became_not_finite_is_named(fault, first, parts, monkeypatch):
    """In the gradient's tree the embedding comes first, and everything has spread to it."""
    config = tiny.config()
    params, objective = tiny.params(config, dtype=np.float32), partial(next_token_objective, config=config)
    fault(params, monkeypatch)
    state = State(params, adamw_init(params))
    before = tree.copy([params, state.optimizer["mean"], state.optimizer["square"]])
    with pytest.raises(FloatingPointError, match=f"step 0: .*learning rate .*first tensor that is not finite: {first}"):
        train(params, OptimizerConfig(), lambda step: micro_batches(tiny.batch(config), parts), objective,
              state=state)
    tree.tree_map(np.testing.assert_array_equal, [params, state.optimizer["mean"], state.optimizer["square"]], before)


def test_rewards_that_are_not_finite_are_named():
    config, batch = tiny.config(), tiny.batch(tiny.config())
    batch = batch._replace(weights=batch.weights * np.float32(np.nan))
    with pytest.raises(FloatingPointError, match="not finite: weights of the batch"):
        train(tiny.params(config, dtype=np.float32), OptimizerConfig(), lambda step: [batch],
              partial(next_token_objective, config=config))


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
    assert "none that a layer or a loss returned" in str(caught.value)


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
