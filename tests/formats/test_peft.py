"""An adapter in PEFT's layout; tests/interop/test_peft.py has PEFT itself read it."""

import json

import numpy as np
import pytest
import tiny

from minillm.formats.peft import to_peft
from minillm.model.adapter import new_adapter
from minillm.model.saving import write_adapter


def adapter_for(params, layers="all"):
    rng = np.random.default_rng(1)
    adapter = new_adapter(params, 3, 7.0, layers, rng)
    for block in adapter.params["blocks"]:
        for part in block.values():
            for layer in part.values():
                layer["lora"]["b"][...] = rng.standard_normal(layer["lora"]["b"].shape)
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
