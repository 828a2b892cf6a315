"""A tiny model of each family that transformers saved: minillm gives the logits, ids and answers that it gave.

Made by make_fixtures.py; nothing but minillm is needed here.
"""

import json
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import minillm
from minillm import tree
from minillm.model.decoding import generate_tokens

HERE = Path(__file__).parent / "fixtures"
NAMES = ("gpt2", "llama", "mixtral", "gpt_neo")


@cache
def model(name):
    return minillm.load(HERE / name)


@cache
def answers(name):
    """What transformers computed."""
    arrays = load_file(HERE / "answers.safetensors")
    return {"tokens": arrays[f"{name}.tokens"], "logits": arrays[f"{name}.logits"],
            **json.loads((HERE / "answers.json").read_text(encoding="utf-8"))[name]}


def agrees(ours, expected):
    """Within 1e-5 of the largest logit."""
    return np.abs(ours - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("name", NAMES)
def test_the_logits_are_those_of_transformers(name):
    assert agrees(model(name).logits(answers(name)["tokens"]), answers(name)["logits"])


@pytest.mark.parametrize("name", NAMES)
def test_the_likeliest_continuations_are_those_of_transformers(name):
    ours, expected = model(name), answers(name)
    prompts = [np.array(ids, np.int32) for ids in expected["prompts"]]
    new = generate_tokens(ours.params, ours.config, prompts, np.random.default_rng(0), max_new_tokens=20,
                          temperature=0.0, end_id=ours.tokenizer.end_ids, pad_id=ours.tokenizer.pad_id)
    assert [ids.tolist() for ids in new] == expected["continued"]
    assert set(ours.tokenizer.end_ids) == set(expected["ends"])


def test_any_of_several_end_tokens_ends_an_answer():
    ours, expected = model("llama"), answers("llama")
    prompt, whole = np.array(expected["prompts"][0], np.int32), expected["continued"][0]
    for first in (3, 5):
        ends = (ours.tokenizer.end_id, whole[first])
        new, = generate_tokens(ours.params, ours.config, [prompt], np.random.default_rng(0), max_new_tokens=20,
                               temperature=0.0, end_id=ends, pad_id=ours.tokenizer.pad_id)
        assert new.tolist() == whole[:first + 1]


@pytest.mark.parametrize("name", NAMES)
def test_texts_and_conversations_have_the_ids_of_transformers(name):
    ours, expected = model(name).tokenizer, answers(name)
    for item in expected["texts"]:
        assert ours.encode(item["text"]).tolist() == item["ids"]
        assert ours.decode(np.array(item["ids"], np.int32)) == item["text"]
    for item in expected["talks"]:
        assert ours.encode_chat(item["messages"], ask=True).tolist() == item["ids"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_saved_again_is_the_same_model(name, tmp_path):
    model(name).save(tmp_path / "again")
    again = minillm.load(tmp_path / "again")
    assert again.config == model(name).config and again.tokenizer == model(name).tokenizer
    tree.tree_map(np.testing.assert_array_equal, again.params, model(name).params)


@pytest.fixture
def copied(tmp_path):
    """A copy of a fixture, in one file, whose tensors and settings a test may change."""
    def make(name, tensors=lambda tensors: None, config=lambda data: None):
        folder = tmp_path / name
        shutil.copytree(HERE / name, folder)
        found = {}
        for path in sorted(folder.glob("*.safetensors")):
            found.update(minillm_tensors(path))
            path.unlink()
        (folder / "model.safetensors.index.json").unlink(missing_ok=True)
        data = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        tensors(found)
        config(data)
        save_file({key: np.ascontiguousarray(array) for key, array in found.items()}, folder / "model.safetensors",
                  metadata={"format": "pt"})
        (folder / "config.json").write_text(json.dumps(data), encoding="utf-8")
        return folder
    return make


def minillm_tensors(path):
    """A file's tensors, widened to float32, and masks as they are."""
    from minillm.formats.tensors import read_table, read_tensor
    stored = read_table(path, ("F32", "BF16", "F16", "BOOL"))
    return {name: np.ones(item.shape, bool) if item.dtype == "BOOL" else read_tensor(item) for name, item in stored.items()}


def same_logits(folder, name):
    tokens = answers(name)["tokens"]
    return np.array_equal(minillm.load(folder).logits(tokens), model(name).logits(tokens))


def test_gpt2_with_the_prefix_without_buffers_and_with_a_head_that_is_the_table(copied):
    def change(tensors):
        for name in [name for name in tensors if name.endswith((".attn.bias", ".attn.masked_bias"))]:
            tensors.pop(name)
        tensors.update({f"transformer.{name}": tensors.pop(name) for name in list(tensors)})
        tensors["lm_head.weight"] = tensors["transformer.wte.weight"]
    assert same_logits(copied("gpt2", change), "gpt2")


def test_llama_in_one_file_without_prefix_and_with_rotary_frequencies(copied):
    def change(tensors):
        tensors.update({name.removeprefix("model."): tensors.pop(name) for name in list(tensors)})
        tensors["layers.1.self_attn.rotary_emb.inv_freq"] = np.ones(4, np.float32)
    assert same_logits(copied("llama", change), "llama")


def test_gpt_neo_with_the_masks_that_older_files_have(copied):
    def change(tensors):
        for layer in range(3):
            tensors[f"transformer.h.{layer}.attn.attention.bias"] = np.ones((1, 1, 48, 48), np.float32)
            tensors[f"transformer.h.{layer}.attn.attention.masked_bias"] = np.array(-1e9, np.float32)
    assert same_logits(copied("gpt_neo", change), "gpt_neo")


def test_queries_of_gpt_neo_are_rounded_once_where_the_root_of_their_size_is_no_power_of_two():
    theirs = load_file(HERE / "gpt_neo" / "model.safetensors")["transformer.h.1.attn.attention.q_proj.weight"]
    ours = model("gpt_neo").params["blocks"][1]["attention"]["query"]["weight"]
    assert np.array_equal(ours, (theirs.astype(np.float64) * np.sqrt(12)).astype(np.float32))


def test_float16_is_read_as_float32(copied):
    folder = copied("gpt2", lambda tensors: tensors.update(
        {name: array.astype(np.float16) for name, array in tensors.items() if array.dtype == np.float32}))
    for _, ours, full in tree.zipped(minillm.load(folder).params, model("gpt2").params):
        assert np.array_equal(ours, full.astype(np.float16).astype(np.float32)) and ours.dtype == np.float32


def test_rows_without_a_token_are_left_out(copied):
    def pad(tensors):
        tensors["wte.weight"] = np.pad(tensors["wte.weight"], ((0, 30), (0, 0)), constant_values=0.5)
    folder = copied("gpt2", pad, lambda data: data.update(vocab_size=320))
    assert same_logits(folder, "gpt2") and minillm.load(folder).config.vocab_size == 290


def refused(folder, *words):
    with pytest.raises(ValueError) as caught:
        minillm.load(folder)
    message = str(caught.value)
    assert message.isprintable() and all(word in message for word in words), message


@pytest.mark.parametrize("name,change,words", [
    ("gpt2", lambda t: t.update({"lm_head.weight": t["wte.weight"] * 2}), ("lm_head.weight is not the embedding",)),
    ("gpt2", lambda t: t.update({"transformer.wte.weight": t["wte.weight"]}), ("with and without 'transformer.'",)),
    ("gpt2", lambda t: t.pop("h.1.mlp.c_fc.bias"), ("transformer.h.1.mlp.c_fc.bias is missing",)),
    ("gpt2", lambda t: t.update({"h.0.ln_1.weight": t["h.0.ln_1.weight"][:-1]}), ("ln_1.weight has shape (39,)",)),
    ("gpt2", lambda t: t.update({"h.0.attn.q_norm.weight": np.ones(8, np.float32)}), ("q_norm.weight is not part",)),
    ("gpt2", lambda t: t.update({"ln_f.bias": t["ln_f.bias"].astype(np.float64)}), ("ln_f.bias has dtype F64",)),
    ("llama", lambda t: t.pop("lm_head.weight"), ("lm_head.weight is missing",)),
    ("llama", lambda t: t.update({"model.layers.0.self_attn.q_proj.bias": np.ones(48, np.float32)}),
     ("q_proj.bias is not part",)),
    ("llama", lambda t: t.update({"score.weight": np.ones((2, 48), np.float32)}), ("score.weight is not part",)),
    ("mixtral", lambda t: t.pop("model.layers.1.block_sparse_moe.experts.3.w2.weight"), ("experts.3.w2.weight is missing",)),
    ("mixtral", lambda t: t.update({"model.layers.0.block_sparse_moe.gate.weight": np.ones((5, 24), np.float32)}),
     ("block_sparse_moe.gate.weight has shape (5, 24), expected (4, 24)",)),
    ("mixtral", lambda t: t.update({"model.layers.0.block_sparse_moe.experts.4.w1.weight": np.ones((20, 24), np.float32)}),
     ("experts.4.w1.weight is not part",)),
    ("gpt_neo", lambda t: t.update({"transformer.h.0.attn.attention.q_proj.bias": np.ones(24, np.float32)}),
     ("q_proj.bias is not part",)),
])
def test_weights_of_another_model_are_refused_by_name(copied, name, change, words):
    refused(copied(name, change), *words)


@pytest.mark.parametrize("name,change,words", [
    ("llama", {"model_type": "mistral"}, ("model_type is 'mistral'; minillm reads llama, mixtral, gpt2, gpt_neo",)),
    ("mixtral", {"sliding_window": 4096}, ("sliding_window is 4096", "attention to a window")),
    ("mixtral", {"model_type": "llama"}, ("unknown key num_experts_per_tok",)),
    ("mixtral", {"num_local_experts": 0}, ("its keys describe a model of type 'llama'",)),
    ("mixtral", {"num_local_experts": 1}, ("experts is 1, fewer than active_experts",)),
    ("mixtral", {"num_experts_per_tok": 0}, ("active_experts is 0",)),
    ("mixtral", {"num_local_experts": 5}, ("gate.weight has shape (4, 24), expected (5, 24)",)),
    ("mixtral", {"attention_bias": True}, ("unknown key attention_bias",)),
    ("gpt_neo", {"attention_types": [[["global"], 3]], "attention_layers": ["global"] * 3},
     ("attention_types is [[['global'], 3]]", "every second block sees a window")),
    ("gpt_neo", {"attention_layers": ["local", "global", "local"]}, ("attention_layers is ['local'",)),
    ("gpt_neo", {"attention_types": None}, ("attention_types is missing, which means",)),
    ("gpt_neo", {"window_size": 0}, ("its keys describe a model of type 'minillm'",)),
    ("gpt_neo", {"activation_function": "gelu"}, ("exact form, with erf",)),
    ("llama", {"rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, ("rope_scaling.factor is 8.0", "positions stretched")),
    ("llama", {"rope_parameters": {"rope_theta": 1e4, "rope_type": "yarn", "factor": 4.0}}, ("rope_parameters.factor",)),
    ("llama", {"quantization_config": {"quant_method": "gptq"}}, ("quantization_config.quant_method is 'gptq'", "few bits")),
    ("llama", {"hidden_act": "gelu"}, ("hidden_act is 'gelu'; minillm computes only 'silu'",)),
    ("llama", {"head_dim": 16}, ("head_dim is 16; minillm computes only 8",)),
    ("llama", {"attention_bias": True}, ("attention_bias is True", "biases in the projections of attention alone")),
    ("llama", {"sliding_window": 4096}, ("attention to a window",)),
    ("llama", {"auto_map": {"AutoModel": "x.Y"}}, ("auto_map.AutoModel", "Python code")),
    ("gpt2", {"activation_function": "gelu"}, ("activation_function is 'gelu'", "exact form, with erf")),
    ("gpt2", {"vocab_size": 289}, ("289 rows", "290 tokens")),
    ("gpt2", {"vocab_size": 5000}, ("5,000 rows", "only 290 tokens")),
])
def test_settings_that_cannot_be_run_are_refused_by_name(copied, name, change, words):
    refused(copied(name, config=lambda data: data.update(change)), *words)


HARMLESS = {
    "llama": {"is_llama_config": True, "rope_interleaved": False, "rope_scaling": None, "torch_dtype": "bfloat16",
              "transformers.js_config": {"kv_cache_dtype": {"fp16": "float16"}}, "sliding_window": None,
              "pad_token_id": -1, "eos_token_id": [2, 0], "rope_theta": 10000, "use_sliding_window": False,
              "max_length": 20, "temperature": 0.6, "_attn_implementation_autoset": True, "hidden_act": "swish"},
    "gpt2": {"n_ctx": 48, "n_special": 0, "predict_special_tokens": True, "task_specific_params":
             {"text-generation": {"do_sample": True, "max_length": 50}}, "_num_labels": 1, "id2label": {"0": "LABEL_0"},
             "activation_function": "gelu_pytorch_tanh", "gradient_checkpointing": False, "pruned_heads": {}},
    "mixtral": {"router_aux_loss_coef": 0.02, "router_jitter_noise": 0.1, "output_router_logits": True, "head_dim": 4,
                "rope_theta": 1e6, "torch_dtype": "bfloat16"},
    "gpt_neo": {"classifier_dropout": 0.1, "resid_dropout": 0.1, "embed_dropout": 0.1, "summary_type": "cls_index",
                "gradient_checkpointing": False, "activation_function": "gelu_pytorch_tanh"},
}


@pytest.mark.parametrize("name", NAMES)
def test_keys_of_the_wild_that_change_no_logit_are_read_over(copied, name):
    assert same_logits(copied(name, config=lambda data: data.update(HARMLESS[name])), name)


def sharded(tmp_path):
    folder = tmp_path / "llama"
    shutil.copytree(HERE / "llama", folder)
    return folder, json.loads((folder / "model.safetensors.index.json").read_text(encoding="utf-8"))


def test_a_missing_shard_is_named(tmp_path):
    folder, _ = sharded(tmp_path)
    (folder / "model-00002-of-00002.safetensors").unlink()
    refused(folder, "model.safetensors.index.json: model-00002-of-00002.safetensors is missing")


@pytest.mark.parametrize("change,words", [
    (lambda index: index["weight_map"].update({"lm_head.weight": "../x.safetensors"}), ("'../x.safetensors'",)),
    (lambda index: index["weight_map"].update({"lm_head.weight": 3}), ("is in 3",)),
    (lambda index: index["weight_map"].update(more="model-00001-of-00002.safetensors"),
     ("model-00001-of-00002.safetensors: tensor more is missing",)),
    (lambda index: index.pop("weight_map"), ("weight_map",)), (lambda index: index.update(weight_map={}), ("weight_map",)),
])
def test_a_broken_index_is_refused(tmp_path, change, words):
    folder, index = sharded(tmp_path)
    change(index)
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    refused(folder, *words)


@pytest.mark.parametrize("size", [0, 7, 100, 5000, -1])
def test_a_shard_that_was_cut_is_refused(tmp_path, size):
    folder, _ = sharded(tmp_path)
    path = folder / "model-00001-of-00002.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    refused(folder, "model-00001-of-00002.safetensors", "not a whole safetensors file")


def test_a_tensor_in_two_shards_is_refused(tmp_path):
    folder, _ = sharded(tmp_path)
    shutil.copy(folder / "model-00001-of-00002.safetensors", folder / "model-00003.safetensors")
    index = json.loads((folder / "model.safetensors.index.json").read_text(encoding="utf-8"))
    index["weight_map"]["model.embed_tokens.weight"] = "model-00003.safetensors"
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    refused(folder, "is in another file too")


def test_other_formats_of_weights_are_refused_by_name(tmp_path):
    folder = tmp_path / "gpt2"
    shutil.copytree(HERE / "gpt2", folder, ignore=shutil.ignore_patterns("*.safetensors"))
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04")
    refused(folder, "pytorch_model.bin is in a format that minillm does not read")
