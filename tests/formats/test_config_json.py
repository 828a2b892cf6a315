"""config.json says what a model computes: it comes back, in our keys or the family's, or is refused by name."""

import json

import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm.config import ModelConfig
from minillm.formats.config_json import from_json, to_json
from minillm.formats.families import FAMILIES, LLAMA, family

SMALL = st.integers(1, 9)
EPS, THETA = st.floats(1e-12, 1.0), st.floats(1.0, 1e12)


@st.composite
def configs(draw):
    """Any ModelConfig that is valid."""
    kv_heads, groups, half = draw(SMALL), draw(SMALL), draw(SMALL)
    words = {name: draw(st.sampled_from(values)) for name, values in
             dict(norm=("rmsnorm", "layernorm"), position=("rope", "learned"), activation=("swiglu", "gelu"),
                  bias=(True, False), tied=(True, False), qkv_bias=(True, False), window=(0, 7),
                  experts=(0, 3)).items()}
    return ModelConfig(kv_heads=kv_heads, heads=kv_heads * groups, width=2 * half * kv_heads * groups,
                       vocab_size=draw(st.integers(1, 10**9)), context=draw(st.integers(1, 10**9)), layers=draw(SMALL),
                       hidden=draw(SMALL), norm_eps=draw(EPS), rope_theta=draw(THETA), **words)


@settings(max_examples=150, deadline=None, database=None)
@given(configs())
def test_every_config_comes_back(config):
    data = json.loads(json.dumps(to_json(config)))
    assert from_json(data) == config
    del data["minillm"]
    if data["model_type"] == "minillm":
        with pytest.raises(ValueError, match='no section "minillm"'):
            from_json(data)
    else:
        same = from_json(data)
        unused = {} if config.position == "rope" else {"rope_theta": same.rope_theta}
        unused |= {} if config.bias else {"qkv_bias": True}
        assert same == ModelConfig(**{**vars(config), **unused})


@pytest.mark.parametrize("preset,name", [("llama", "llama"), ("untied", "llama"), ("one key for all heads", "llama"),
                                         ("gpt2", "gpt2"), ("gpt2 without biases", "minillm"),
                                         ("experts", "mixtral"), ("gpt_neo", "gpt_neo"), ("gpt3", "minillm"),
                                         ("layernorm, rope, gelu", "minillm")])
def test_the_family_follows_from_the_parts(preset, name):
    assert family(tiny.config(preset)) == name


def saved_by(version, preset):
    """config.json of a tiny model as transformers writes it when it saves the model again."""
    data = to_json(tiny.config(preset, rope_theta=300.0))
    data.update(transformers_version=version, use_cache=True, initializer_range=0.02)
    if preset == "gpt2":
        dropped = {name: 0.1 for name in ("attn_pdrop", "embd_pdrop", "resid_pdrop", "summary_first_dropout")}
        data.update(dropped, summary_activation=None, summary_proj_to_labels=True, summary_type="cls_index",
                    summary_use_proj=True, reorder_and_upcast_attn=False)
        del data["tie_word_embeddings"]                     # what is the default there is left out
    elif version < "5":
        data.update(rope_scaling=None, attention_dropout=0.0)
    else:
        del data["pretraining_tp"]
        data.update(attention_dropout=0.0, rope_parameters={"rope_theta": data.pop("rope_theta"),
                                                            "rope_type": "default"})
    return data


@pytest.mark.parametrize("version", ["4.57.6", "5.24.0"])
@pytest.mark.parametrize("preset", ["llama", "gpt2"])
def test_what_transformers_saves_again_is_the_same_model(version, preset):
    data = saved_by(version, preset)
    assert from_json(data) == tiny.config(preset, rope_theta=300.0)
    del data["minillm"]
    assert to_json(from_json(data)).keys() == to_json(tiny.config(preset)).keys()


LLAMA_CHANGES = [
    ({"rope_theta": 10_000.0}, "rope_theta is 10000.0, but minillm.rope_theta is 300.0; set back"),
    ({"rope_theta": None}, "rope_theta is missing, which means 10000.0, but minillm.rope_theta is 300.0"),
    ({"rms_norm_eps": 1e-6}, "rms_norm_eps is 1e-06, but minillm.norm_eps is 1e-05"),
    ({"rope_scaling": {"type": "linear", "factor": 2.0}}, "rope_scaling.factor"),
    ({"rope_scaling": {"rope_type": "dynamic"}}, "rope_scaling.rope_type is 'dynamic'; minillm computes only 'default'"),
    ({"rope_parameters": {"rope_theta": 300.0, "rope_type": "llama3"}}, "rope_parameters.rope_type is 'llama3'"),
    ({"rope_parameters": {"rope_theta": 500.0, "rope_type": "default"}}, "rope_parameters.rope_theta is 500.0, but"),
    ({"rope_parameters": {"rope_theta": 300.0, "partial_rotary_factor": 0.5}}, "partial_rotary_factor is 0.5"),
    ({"hidden_act": "gelu"}, "hidden_act is 'gelu'; minillm computes only 'silu'"),
    ({"attention_bias": True}, "attention_bias is True"), ({"mlp_bias": True}, "mlp_bias is True"),
    ({"attention_bias": 0}, "attention_bias is 0"),
    ({"head_dim": 20}, "head_dim is 20; minillm computes only 10"),
    ({"num_hidden_layers": 1}, "num_hidden_layers is 1, but minillm.layers is 2"),
    ({"num_key_value_heads": None}, "num_key_value_heads is missing, which means 6, but minillm.kv_heads is 3"),
    ({"vocab_size": 14}, "vocab_size is 14, but minillm.vocab_size is 13"),
    ({"tie_word_embeddings": False}, "tie_word_embeddings is False, but minillm.tied is True"),
    ({"tie_word_embeddings": None}, "tie_word_embeddings is missing, which means False"),
    ({"max_position_embeddings": 99}, "max_position_embeddings is 99, but minillm.context is 16"),
    ({"eos_token_id": 5}, "eos_token_id is 5"), ({"sliding_window": 4096}, "sliding_window is 4096, which means attention to a window"),
    ({"model_type": "gpt2"}, "unknown key hidden_size"), ({"model_type": "mistral"}, "model_type is 'mistral'"),
    ({"model_type": ["llama"]}, "model_type is"), ({"model_type": None}, "model_type is None"),
    ({"minillm": 3}, "not an object"), ({"minillm": []}, "not an object"),
]
GPT2_CHANGES = [
    ({"activation_function": "gelu"}, "activation_function is 'gelu'; minillm computes only 'gelu_new'"),
    ({"scale_attn_weights": False}, "scale_attn_weights is False"),
    ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx is True"),
    ({"layer_norm_epsilon": 1e-6}, "layer_norm_epsilon is 1e-06, but minillm.norm_eps is 1e-05"),
    ({"n_inner": None}, "n_inner is missing, which means 240, but minillm.hidden is 11"),
    ({"n_positions": 1024}, "n_positions is 1024, but minillm.context is 16"),
    ({"n_head": 3}, "n_head is 3, but minillm.heads is 6"), ({"n_layer": "2"}, "n_layer is '2', but"),
    ({"add_cross_attention": True}, "add_cross_attention is True"),
    ({"model_type": "minillm"}, "unknown key n_embd"),
]


MIXTRAL_CHANGES = [
    ({"num_local_experts": 8}, "num_local_experts is 8, but minillm.experts is 4"),
    ({"num_experts_per_tok": 3}, "num_experts_per_tok is 3, but minillm.active_experts is 2"),
    ({"router_aux_loss_coef": 0.02}, "router_aux_loss_coef is 0.02, but minillm.balance is 0.3"),
    ({"num_local_experts": None}, "num_local_experts is missing, which means 8"),
    ({"sliding_window": 4096}, "sliding_window is 4096, which means attention to a window"),
    ({"model_type": "llama"}, "unknown key num_local_experts"), ({"hidden_act": "gelu"}, "computes only 'silu'"),
    ({"rope_parameters": {"rope_theta": 300.0, "rope_type": "yarn"}}, "rope_parameters.rope_type is 'yarn'"),
]
GPT_NEO_CHANGES = [
    ({"attention_types": [[["local", "global"], 1]]}, "attention_types is [[['local', 'global'], 1]]; minillm computes only"),
    ({"attention_layers": ["global", "global"]}, "attention_layers is ['global', 'global']; minillm computes only"),
    ({"attention_types": None}, "attention_types is missing, which means [[['global', 'local'], 12]]"),
    ({"window_size": 256}, "window_size is 256, but minillm.window is 3"), ({"num_heads": 16}, "num_heads is 16, but"),
    ({"activation_function": "relu"}, "activation_function is 'relu'"), ({"model_type": "gpt2"}, "unknown key hidden_size"),
]


@pytest.mark.parametrize("preset,change,words", [("llama", *row) for row in LLAMA_CHANGES] +
                                                [("gpt2", *row) for row in GPT2_CHANGES] +
                                                [("experts", *row) for row in MIXTRAL_CHANGES] +
                                                [("gpt_neo", *row) for row in GPT_NEO_CHANGES])
def test_a_stale_or_foreign_key_is_refused_by_name(preset, change, words):
    """Read on trust, each of these would answer with the numbers of another model, without a word."""
    data = to_json(tiny.config(preset, rope_theta=300.0))
    data.update(change)
    with pytest.raises(ValueError) as error:
        from_json({key: value for key, value in data.items() if value is not None})
    assert words in str(error.value)


@pytest.mark.parametrize("preset", ["llama", "gpt2", "experts", "gpt_neo", "layernorm, rope, gelu"])
def test_every_key_that_is_written_is_compared(preset):
    written = to_json(tiny.config(preset))
    compared = {name for row in FAMILIES[written["model_type"]].keys for name in row.names}
    assert written.keys() - compared == {"model_type", "dtype", "minillm"} | (written.keys() & {"architectures"})
    for key in written.keys() & compared:
        other = not written[key] if isinstance(written[key], bool) else 7777
        with pytest.raises(ValueError, match=f"^{key} is "):
            from_json({**written, key: other})


@pytest.mark.parametrize("change,words", [
    ({"num_attention_heads": "6"}, "num_attention_heads is '6'; it must be a whole number"),
    ({"num_attention_heads": 0}, "heads is 0"), ({"num_attention_heads": 7}, "not a multiple of heads 7"),
    ({"head_dim": 20}, "head_dim is 20; minillm computes only 10"), ({"rope_theta": True}, "rope_theta is True"),
    ({"rope_parameters": {"rope_theta": 300.0}}, "rope_parameters.rope_theta is 300.0, but rope_theta is 10000.0; they"),
    ({"max_position_embeddings": 2**63}, "must have 64 bits"), ({"max_position_embeddings": -1}, "context is -1"),
    ({"vocab_size": 0}, "vocab_size is 0"), ({"hidden_size": 60.0}, "hidden_size is 60.0"),
])
def test_a_family_s_own_keys_are_checked_without_our_section(change, words):
    data = to_json(tiny.config())
    del data["minillm"]
    with pytest.raises(ValueError, match=words):
        from_json({**data, **change})


def test_a_family_s_key_that_is_missing_has_the_family_s_value():
    """transformers leaves out what has its default value there; these are LlamaConfig's."""
    config = from_json({"model_type": "llama"})
    assert (config.vocab_size, config.width, config.kv_heads, config.norm_eps) == (32000, 4096, 32, 1e-6)
    assert config == ModelConfig(**LLAMA.parts, **{name: getattr(config, name) for row in LLAMA.keys
                                                   if (name := row.ours) and name != "head_size"})
    assert from_json({"model_type": "gpt2", "rope_theta": None}).hidden == 3072
    config = from_json({"model_type": "mixtral"})
    assert (config.experts, config.active_experts, config.kv_heads, config.hidden, config.norm_eps, config.rope_theta,
            config.context) == (8, 2, 8, 14336, 1e-5, 1e6, 131_072)
    config = from_json({"model_type": "gpt_neo"})
    assert (config.window, config.layers, config.hidden, config.qkv_bias) == (256, 24, 8192, False)


@pytest.mark.parametrize("layers,pairs", [(1, [[["global"], 1]]), (2, [[["global", "local"], 1]]),
                                          (5, [[["global", "local"], 2], [["global"], 1]])])
def test_the_pattern_of_gpt_neos_blocks(layers, pairs):
    data = to_json(tiny.config("gpt_neo", layers=layers))
    assert data["attention_types"] == pairs and data["attention_layers"] == (["global", "local"] * 3)[:layers]


def test_a_section_of_another_family_is_refused():
    data = to_json(tiny.config())
    data["minillm"]["norm"] = "layernorm"
    with pytest.raises(ValueError, match="model_type is 'llama', but .* a model of type 'minillm'"):
        from_json(data)


def test_a_whole_number_may_stand_for_a_float():
    data = to_json(tiny.config())
    del data["minillm"]
    assert repr(from_json({**data, "rope_theta": 700}).rope_theta) == "700.0"


def test_another_layout_of_rotary_positions_is_refused():
    data = to_json(tiny.config())
    assert data["minillm"]["rope_layout"] == "half"
    data["minillm"]["rope_layout"] = "interleaved"
    with pytest.raises(ValueError, match="rope_layout is 'interleaved'"):
        from_json(data)
