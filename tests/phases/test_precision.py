"""precision = "bfloat16" reaches the products of every phase, and only those of training."""

from dataclasses import replace
from functools import partial

import numba
import numpy as np
import pytest
import tiny
from twins import assert_threads_change_nothing

from minillm import tree
from minillm.layers import attention, feed_forward, linear
from minillm.model import transformer
from minillm.objectives.next_token import next_token_objective
from minillm.phases.finetune import FinetuneConfig, finetune, finetune_domain
from minillm.phases.pretrain import PretrainConfig, pretrain
from minillm.phases.rank import Ranking
from minillm.phases.reward import RewardConfig, reward_heads, train_reward_model
from minillm.phases.rlhf import RLHFConfig, rlhf, value_heads
from minillm.runs.config import RunConfig
from minillm.terminal import flags, training
from minillm.cli import training_parser
from minillm.training.recorder import MemoryRecorder

STREAM = np.random.default_rng(0).integers(6, 20, 400).astype(np.int32)
ASKED = [{"role": "user", "content": "a dog"}]
TALK = [[*ASKED, {"role": "assistant", "content": "sat"}]] * 8
RANKED = [Ranking(ASKED, ["the cat", "a log"], [1, 2])] * 4
SHORT = dict(steps=2, rows=4, warmup_share=0, save_every=100)


def run_pretrain(model, precision, recorder):
    pretrain(model, STREAM, STREAM[:50], PretrainConfig(**SHORT, precision=precision), 0, recorder)


def run_finetune(model, precision, recorder):
    finetune(model, TALK, FinetuneConfig(**SHORT, replay_rows=2, precision=precision), 0, recorder, TALK[:2], STREAM)


def run_domain(model, precision, recorder):
    finetune_domain(model, STREAM, FinetuneConfig(**SHORT, precision=precision), 0, recorder)


def run_reward(model, precision, recorder):
    train_reward_model(model, reward_heads(model, 0), RANKED, RewardConfig(**SHORT, precision=precision), 0, recorder)


def run_rlhf(model, precision, recorder):
    settings = RLHFConfig(**SHORT, epochs=2, max_new_tokens=5, precision=precision)
    rlhf(model, value_heads(model, 0), tiny.prompts(),
         lambda sequences, numbers: np.array([len(ids) for ids in sequences], np.float32), settings, 0, recorder)


@pytest.mark.parametrize("run", [run_pretrain, run_finetune, run_domain, run_reward, run_rlhf])
def test_a_phase_trains_in_the_precision_asked_for(monkeypatch, run):
    """Float32 asks for no rounding. bfloat16 gives other weights, but nearly the same losses."""
    ends, losses = {}, {}
    for precision in ("float32", "bfloat16"):
        asked = []
        for module in (linear, attention, feed_forward, transformer):
            original = module.as_factor
            monkeypatch.setattr(module, "as_factor", partial(
                lambda original, x, precision: asked.append(precision) or original(x, precision), original))
        model, recorder = tiny.model(), MemoryRecorder()
        run(model, precision, recorder)
        monkeypatch.undo()
        assert (precision == "bfloat16") == ("bfloat16" in asked)
        ends[precision], losses[precision] = model.params, recorder.records[0]["loss"]
        if run is run_rlhf:     # the rollout's probabilities are those of the update, to the last bits
            assert recorder.records[0]["ratio_distance"] <= 1e-6
    one, other = (np.concatenate([leaf.ravel() for leaf in tree.leaves(ends[p])]) for p in ends)
    assert one.dtype == other.dtype == np.float32 and (one != other).any()
    assert losses["bfloat16"] == pytest.approx(losses["float32"], abs=0.05)


@pytest.mark.parametrize("preset", ["llama", "gpt2"])
@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="this process may use one thread only")
def test_threads_change_no_byte_of_a_step(preset):
    config = tiny.config(preset)
    params, batch = tiny.params(config, dtype=np.float32), tiny.batch(config)

    def gradients(*leaves):
        named = dict(zip([name for name, _ in tree.named_leaves(params)], leaves))
        grads = next_token_objective(tree.from_named(params, named), batch, config, precision="bfloat16").grads
        return tuple(tree.leaves(grads))
    assert_threads_change_nothing(gradients, *tree.leaves(params))


def test_the_rounded_factors_are_what_is_kept():
    """Half the room for what the linear layers keep; parameters and the residual stream stay float32."""
    config = tiny.config()
    params, batch = tiny.params(config, dtype=np.float32), tiny.batch(config)
    _, cache = transformer.transformer_forward(batch.tokens, params, config, batch.positions, batch.visible_from,
                                               precision="bfloat16")
    for block in cache.blocks:
        projections = block.attention.projections
        layers = (*projections[:3], block.attention.output, block.feed_forward.up_layer, block.feed_forward.down_layer)
        assert {layer.x.dtype for layer in layers} == {np.dtype(np.uint16)}
        shared = projections.query.x        # rounded once
        assert np.shares_memory(shared, projections.key.x) and np.shares_memory(shared, projections.value.x)
        assert block.norm1.x.dtype == block.attention.q.dtype == block.feed_forward.up.dtype == np.float32


def test_a_recomputed_block_rounds_the_same():
    """Else the backward pass would be that of another forward pass."""
    config = tiny.config()
    params, batch = tiny.params(config, dtype=np.float32), tiny.batch(config)
    kept, again = (tree.leaves(next_token_objective(params, batch, config, recompute, "bfloat16").grads)
                   for recompute in (False, True))
    assert all(one.tobytes() == other.tobytes() for one, other in zip(kept, again, strict=True))


def test_the_head_rounds_too():
    config = tiny.config("untied")
    params, h = tiny.params(config, dtype=np.float32), np.ones((3, config.width), np.float32) / 3
    exact, cache = transformer.head_forward(h, params)
    rounded, halved = transformer.head_forward(h, params, "bfloat16")
    assert cache.x.dtype == np.float32 and halved.x.dtype == np.uint16 and (exact != rounded).any()


def test_minillm_run_sets_it_in_every_stage_that_trains():
    def config(*words):
        return flags.resolve(flags.parse(training_parser("run"), words))
    stages = ("pretrain", "finetune", "reward", "rlhf")
    assert {getattr(config(), name).precision for name in stages} == {"bfloat16"}
    assert {getattr(config("--preset", "gpt2"), name).precision for name in stages} == {"float32"}
    chosen = config("--precision", "float32", "--rlhf.precision", "bfloat16")
    assert [getattr(chosen, name).precision for name in stages] == ["float32"] * 3 + ["bfloat16"]
    with pytest.raises(ValueError, match="pretrain.precision is 'bf16'"):
        config("--precision", "bf16")


@pytest.mark.parametrize("there", [True, False])
def test_a_line_says_where_bfloat16_saves_no_time(monkeypatch, capsys, there):
    monkeypatch.setattr("minillm.kernels.steps.DOT_OF_PAIRS", there)
    monkeypatch.setattr(training, "kernels_are_cold", lambda: False)
    half = replace(RunConfig(), pretrain=PretrainConfig(precision="bfloat16"))
    for config, names in ((RunConfig(), ["pretrain"]), (half, ["finetune", "tokenizer"]), (half, ["pretrain"])):
        training.compile_first(type("Run", (), {"config": config}), names)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == (0 if there else 1) and all("AVX512-BF16" in line for line in lines)
