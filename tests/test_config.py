"""The configuration refuses what cannot be, and says what was probably meant."""

import json

import numpy as np
import pytest

from minillm.config import ModelConfig, OptimizerConfig, as_dict, updated
from minillm.phases.finetune import FinetuneConfig
from minillm.phases.rank import RankConfig
from minillm.phases.rlhf import RLHFConfig
from minillm.phases.tokenizer import TokenizerConfig
from minillm.runs.config import PRESETS, RunConfig


@pytest.mark.parametrize("make,message", [
    (lambda: ModelConfig(width=10, heads=4), "width 10 is not a multiple of heads 4"),
    (lambda: ModelConfig(width=12, heads=4, kv_heads=3), "heads 4 is not a multiple of kv_heads 3"),
    (lambda: ModelConfig(width=12, heads=4, kv_heads=4), "width / heads is 3"),
    (lambda: ModelConfig(layers=0), "layers is 0"),
    (lambda: ModelConfig(heads=0), "heads is 0"),
    (lambda: ModelConfig(vocab_size=-1), "vocab_size is -1"),
    (lambda: ModelConfig(norm="rmsnrom"), "did you mean rmsnorm?"),
    (lambda: TokenizerConfig(kind="bppe"), "did you mean bpe?"),
    (lambda: OptimizerConfig(rows=6, micro_batches=4), "rows 6 is not a multiple of micro_batches 4"),
    (lambda: OptimizerConfig(steps=0), "steps is 0"),
    (lambda: OptimizerConfig(lr=0.0), "lr is 0.0; it must be above 0"),
    (lambda: OptimizerConfig(clip=-1.0), "clip is -1.0; it must be 1e-6 or more"),
    (lambda: OptimizerConfig(warmup_share=40), "warmup_share is 40; it must lie between 0 and 1"),
    (lambda: RLHFConfig(algorithm="reinforce", rows=6, group=4), "rows 6 is not a multiple of group 4"),
    (lambda: RLHFConfig(algorithm="reinforce", group=1), "group is 1"),
    (lambda: RLHFConfig(algorithm="pppo"), "did you mean ppo?"),
    (lambda: RLHFConfig(gamma=2), "gamma is 2; it must lie between 0 and 1"),
    (lambda: RLHFConfig(clip_ratio=-3), "clip_ratio is -3; it must be 0 or more"),
    (lambda: RLHFConfig(value_coefficient=-1), "value_coefficient is -1; it must lie between 0 and 1000"),
    (lambda: FinetuneConfig(replay_rows=-1), "replay_rows is -1; it must be 0 or more"),
    (lambda: OptimizerConfig(weight_decay=-0.1), "weight_decay is -0.1; it must lie between 0 and 1000"),
    (lambda: OptimizerConfig(beta2=1.0), "beta2 is 1.0; it must be 0 or more and below 1"),
    (lambda: OptimizerConfig(steps=2.5), "steps is 2.5; it must be a whole number"),
    (lambda: OptimizerConfig(recompute=1), "recompute is 1; it must be true or false"),
    (lambda: ModelConfig(norm_eps=0.0), "norm_eps is 0.0; it must lie between 1e-12 and 1"),
    (lambda: ModelConfig(norm_eps=1e30), "norm_eps is 1e+30; it must lie between 1e-12 and 1"),
    (lambda: ModelConfig(rope_theta=0.0), "rope_theta is 0.0; it must lie between 1 and 1e12"),
    (lambda: ModelConfig(rope_theta=1e300), "rope_theta is 1e+300; it must lie between 1 and 1e12"),
    (lambda: OptimizerConfig(clip=1e-300), "clip is 1e-300; it must be 1e-6 or more"),
    (lambda: ModelConfig(rope_theta=float("nan")), "rope_theta is nan; it must be a finite number"),
    (lambda: TokenizerConfig(vocab_size=100), "bytes and control tokens already need 262"),
    (lambda: TokenizerConfig(vocab_size=3, kind="characters"), "vocab_size is 3; it must be 7 or more"),
    (lambda: RLHFConfig(temperature=0.0), "temperature is 0.0"),
    (lambda: RLHFConfig(kl=-0.1), "kl is -0.1"),
    (lambda: RankConfig(responses=1), "responses is 1"),
])
def test_what_cannot_be_is_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message.replace("?", r"\?").replace("+", r"\+")):
        make()


def test_variants_that_compare_responses_ask_each_prompt_several_times():
    assert RLHFConfig(algorithm="ppo", group=4).responses_a_prompt == 1
    assert RLHFConfig(algorithm="reinforce", rows=6, group=3).responses_a_prompt == 3
    assert RLHFConfig(algorithm="reinforce", rows=6, group=2).responses_a_prompt == 2


def test_the_price_of_kl_is_paid_once():
    assert [(RLHFConfig(kl=0.3, kl_form=form).kl_in_reward, RLHFConfig(kl=0.3, kl_form=form).kl_in_loss)
            for form in ("reward", "loss")] == [(0.3, 0.0), (0.0, 0.3)]


def test_one_head_in_three_channels_is_fine_without_rotation():
    assert ModelConfig(width=12, heads=4, kv_heads=4, position="learned").head_size == 3


@pytest.mark.parametrize("changes,message", [
    ({"model": {"widht": 64}}, "unknown key model.widht; did you mean width?"),
    ({"modle": {}}, "unknown key modle; did you mean model?"),
    ({"pretrain": {"short_steps": 400}}, "unknown key pretrain.short_steps; did you mean short_share?"),
    ({"finetune": {"warmup": 20}}, "unknown key finetune.warmup; did you mean warmup_share?"),
    ({"rlhf": {"max_new_tokens": 100_000}}, "rlhf.max_new_tokens is 100000; the model's context has 128 tokens"),
    ({"rank": {"max_new_tokens": 129}}, "rank.max_new_tokens is 129; the model's context has 128 tokens"),
    ({"model": 3}, r"model is a section, not a value; write \[model\]"),
    ({"model": {"width": 64.5}}, "model.width is 64.5; it must be a whole number"),
    ({"model": {"width": "wide"}}, "model.width is 'wide'; it must be a whole number"),
    ({"model": {"width": True}}, "model.width is True; it must be a whole number"),
    ({"model": {"bias": 1}}, "model.bias is 1; it must be true or false"),
    ({"pretrain": {"lr": "nan"}}, "pretrain.lr is 'nan'|pretrain.lr is nan"),
    ({"pretrain": {"lr": None}}, "pretrain.lr is None; it must be a number"),
])
def test_a_change_that_makes_no_sense_names_the_key_and_the_fix(changes, message):
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        updated(RunConfig(), changes)


def test_a_context_below_the_default_answer_is_fine():
    assert updated(RunConfig(), {"model": {"context": 16}}).rlhf.max_new_tokens == 48


def test_text_from_a_command_line_is_read_in_the_type_of_the_field():
    config = updated(RunConfig(), {"seed": "7", "pretrain": {"lr": "1e-2", "steps": "5"}, "model": {"bias": "True"}})
    assert (config.seed, config.pretrain.lr, config.pretrain.steps, config.model.bias) == (7, 0.01, 5, True)
    assert updated(RunConfig(), {"pretrain": {"lr": 1}}).pretrain.lr == 1.0
    assert config.pretrain.rows == RunConfig().pretrain.rows


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_json(name):
    assert updated(RunConfig(), json.loads(json.dumps(as_dict(PRESETS[name])))) == PRESETS[name]


@pytest.mark.parametrize("name", ["llama", "llama2", "moe"])
def test_half_of_the_rotary_pairs_hardly_turn_within_the_context(name):
    """So they compare what two tokens are wherever these stand; the other half tells where."""
    config = PRESETS[name].model
    turned = config.context * config.rope_theta ** (-np.arange(0, config.head_size, 2) / config.head_size)   # radians
    assert sum(turned < 0.5) == len(turned) // 2 and turned[0] == config.context
