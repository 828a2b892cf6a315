"""An adapter in PEFT's layout; tests/interop/test_peft_agrees.py has PEFT itself read and write it."""

import json

import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.formats.peft import from_peft, to_peft
from minillm.model.adapter import added, attach, merge, new_adapter, plain
from minillm.model.saving import write_adapter


def adapter_for(params, layers="all"):
    rng = np.random.default_rng(1)
    adapter = new_adapter(params, 3, 7.0, layers, rng)
    for block in adapter.params["blocks"]:
        for name, leaf in tree.named_leaves(block):
            if name.endswith("lora.b"):
                leaf[...] = rng.standard_normal(leaf.shape)
    return adapter


def test_llama_has_one_module_for_each_layer(tmp_path):
    config = tiny.config()
    params = tiny.params(config, dtype=np.float32)
    adapter = adapter_for(params, "query_value")
    settings, tensors = to_peft(adapter, params, config)
    assert settings["r"] == 3 and settings["lora_alpha"] == 7 and settings["rank_pattern"] == {}
    assert settings["target_modules"] == ["self_attn.q_proj", "self_attn.v_proj"] and not settings["fan_in_fan_out"]
    lora = adapter.params["blocks"][1]["attention"]["value"]["lora"]
    name = "base_model.model.model.layers.1.self_attn.v_proj.lora_{}.weight"
    np.testing.assert_array_equal(tensors[name.format("A")], lora["a"])
    np.testing.assert_array_equal(tensors[name.format("B")], lora["b"])
    assert len(tensors) == 2 * 2 * config.layers
    write_adapter(tmp_path / "adapter", adapter, params, config)
    assert json.loads((tmp_path / "adapter" / "adapter_config.json").read_text()) == settings


@pytest.mark.parametrize("layers, parts", [("all", ["query", "key", "value"]), ("query_value", ["query", "value"])])
def test_the_three_adapters_of_gpt2s_one_matrix_become_one_of_the_sum_of_their_ranks(layers, parts):
    config = tiny.config("gpt2")
    params = tiny.params(config, dtype=np.float32)
    adapter = adapter_for(params, layers)
    settings, tensors = to_peft(adapter, params, config)
    rank = 3 * len(parts)
    assert settings["rank_pattern"] == {"attn.c_attn": rank} and settings["alpha_pattern"] == {"attn.c_attn": 7 * len(parts)}
    assert settings["fan_in_fan_out"] and settings["target_modules"] == (
        ["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"] if layers == "all" else ["attn.c_attn"])
    a, b = (tensors[f"base_model.model.transformer.h.0.attn.c_attn.lora_{which}.weight"] for which in "AB")
    assert a.shape == (rank, config.width) and b.shape == (3 * config.width, rank)
    layers = adapter.params["blocks"][0]["attention"]
    apart = [layers[name]["lora"]["b"] @ layers[name]["lora"]["a"] if name in layers else np.zeros((60, 60))
             for name in ("query", "key", "value")]
    np.testing.assert_allclose(b @ a, np.concatenate(apart), rtol=0, atol=1e-6)


def test_a_mix_of_parts_is_written_under_its_own_names():
    config = tiny.config("rmsnorm, learned, swiglu")
    params = tiny.params(config, dtype=np.float32)
    settings, tensors = to_peft(adapter_for(params), params, config)
    assert "base_model.model.blocks.0.attention.query.lora_A.weight" in tensors
    assert "attention.query" in settings["target_modules"]


PRESETS = ["llama", "gpt2", "gpt_neo", "experts", "rmsnorm, learned, swiglu"]


@pytest.mark.parametrize("layers", ["all", "query_value"])
@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_written_is_read_as_the_same_change_of_every_matrix(preset, layers):
    config = tiny.config(preset)
    params = tiny.params(config, dtype=np.float32)
    adapter = adapter_for(params, layers)
    before = dict(tree.named_leaves(params))
    expected = dict(tree.named_leaves(plain(merge(attach(params, adapter)))))
    found = from_peft(*to_peft(adapter, params, config), config, tree.named_shapes(params))
    assert found.keys() >= {name for name in before if not np.array_equal(before[name], expected[name])}
    for name, lora in found.items():
        np.testing.assert_allclose(added(before[name], lora, 1), expected[name], rtol=0, atol=2e-6)


def read(change=lambda settings, tensors: None, preset="llama"):
    """from_peft of an adapter whose files were changed."""
    config = tiny.config(preset)
    params = tiny.params(config, dtype=np.float32)
    settings, tensors = to_peft(adapter_for(params, "query_value"), params, config)
    change(settings, tensors)
    return from_peft(settings, tensors, config, tree.named_shapes(params))


Q = "base_model.model.model.layers.0.self_attn.q_proj.lora_{}.weight"


def test_its_strength_is_that_of_its_module():
    def change(settings, tensors):
        settings.update(alpha_pattern={"layers.0.self_attn.q_proj": 5, ".*v_proj": 8}, rank_pattern={"0.self_attn.q_proj": 2},
                        use_rslora=True)
        for which, end in (("A", np.s_[:2]), ("B", np.s_[:, :2])):
            tensors[Q.format(which)] = tensors[Q.format(which)][end]
    found = read(change)
    scales = {name: lora["alpha"] / len(lora["a"]) for name, lora in found.items()}
    assert scales == {f"blocks.{n}.attention.{layer}.weight": pytest.approx(scale) for n, layer, scale in (
        (0, "query", 5 / 2**0.5), (0, "value", 8 / 3**0.5), (1, "query", 7 / 3**0.5), (1, "value", 8 / 3**0.5))}


def test_what_changes_nothing_is_read_over():
    more = {"peft_version": "0.21.2", "revision": None, "init_lora_weights": "gaussian", "lora_dropout": 0.1, "lora_bias": False,
            "layers_to_transform": [0, 1], "megatron_core": "megatron.core", "qalora_group_size": 16, "loftq_config": {},
            "base_model_name_or_path": "somebody/model", "auto_mapping": None, "eva_config": None, "use_dora": False}
    changed = read(lambda settings, tensors: settings.update(more))
    assert {name: lora["alpha"] for name, lora in changed.items()} == {name: lora["alpha"] for name, lora in read().items()}


@pytest.mark.parametrize("change, said", [
    (lambda s, t: s.update(use_dora=True), "use_dora is True, which means weights whose rows are rescaled"),
    (lambda s, t: s.update(bias="lora_only"), "bias is 'lora_only', which means biases that were trained too"),
    (lambda s, t: s.update(init_lora_weights="pissa_niter_4"), "init_lora_weights is 'pissa_niter_4'"),
    (lambda s, t: s.update(modules_to_save=["lm_head"]), "modules_to_save is"),
    (lambda s, t: s.update(target_parameters=["mlp.experts.gate_up_proj"]), "several matrices in one tensor"),
    (lambda s, t: s.update(what_is_new=3), "what_is_new is 3; minillm reads plain LoRA alone"),
    (lambda s, t: s.update(peft_type="IA3"), "peft_type is 'IA3', which means another kind"),
    (lambda s, t: s.pop("peft_type"), "it has no peft_type"), (lambda s, t: s.pop("r"), "r or lora_alpha is missing"),
    (lambda s, t: s.update(r="3"), "r is '3'; it must be a whole number"), (lambda s, t: s.update(r=0), "r is 0"),
    (lambda s, t: s.update(lora_alpha=float("nan")), "lora_alpha is nan"), (lambda s, t: s.update(r=True), "r is True"),
    (lambda s, t: s.update(rank_pattern=[3]), "rank_pattern is not an object"),
    (lambda s, t: s.update(alpha_pattern={"(": 3}), "alpha_pattern has a key that is no pattern"),
    (lambda s, t: s.update(r=4), r"lora_A.weight has shape \(3, 60\), expected \(4, 60\)"),
    (lambda s, t: t.update({Q.format("B"): np.ones((59, 3), np.float32)}), r"lora_B.weight has shape \(59, 3\), expected \(60, 3\)"),
    (lambda s, t: t.pop(Q.format("B")), "q_proj.lora_B.weight is missing"), (lambda s, t: t.clear(), "it holds no tensors"),
    (lambda s, t: t.update({Q.format("A").replace("layers.0", "layers.9"): np.ones((3, 60))}), "layers.9.* beside no matrix"),
    (lambda s, t: t.update({"base_model.model.lm_head.lora_A.weight": np.ones((3, 60))}), "lm_head.lora_A.weight is beside no"),
])
def test_what_cannot_be_read_is_refused_by_name(change, said):
    with pytest.raises(ValueError, match=said):
        read(change)
