"""A model in a GGUF file as llama.cpp's converter writes it: the same parameters, or refused by name."""

import gguf_bytes
import numpy as np
import pytest
from gguf_bytes import floats, whole

from minillm import tree
from minillm.formats.gguf import read_header
from minillm.formats.gguf_model import in_halves, read_config, read_params
from minillm.model.transformer import transformer_init

PATH = "model.gguf"


def written(tmp_path, metadata, tensors):
    """The header of a file of these."""
    (tmp_path / PATH).write_bytes(whole(metadata, tensors))
    return read_header(tmp_path / PATH)


@pytest.mark.parametrize("preset,changes", [
    ("llama", {}), ("llama", {"tied": False}), ("llama", {"kv_heads": 6}), ("llama", {"kv_heads": 1, "norm_eps": 1e-6}),
    ("gpt2", {}), ("gpt2", {"tied": False})])
def test_any_model_comes_back(tmp_path, preset, changes):
    config, params, metadata, tensors = gguf_bytes.model(preset, **changes)
    file = written(tmp_path, metadata, tensors)
    back = read_config(file)
    assert back == (config if preset == "llama" else back) and back.tied is config.tied
    read = read_params(file, back)
    assert [name for name, _ in tree.named_leaves(read)] == \
        [name for name, _ in tree.named_leaves(transformer_init(back, np.random.default_rng(0)))]
    for name, theirs, ours in tree.zipped(read, params):
        assert np.array_equal(theirs, ours) and theirs.flags.c_contiguous and theirs.dtype == np.float32, name


def test_the_settings_of_gpt2(tmp_path):
    config, _, metadata, tensors = gguf_bytes.model("gpt2")
    back = read_config(written(tmp_path, metadata, tensors))
    assert (back.context, back.layers, back.width, back.heads, back.kv_heads, back.hidden, back.vocab_size) == \
        (config.context, config.layers, config.width, config.heads, config.heads, config.hidden, config.vocab_size)
    assert (back.norm, back.position, back.activation, back.bias) == ("layernorm", "learned", "gelu", True)


def test_what_may_be_left_out(tmp_path):
    """The settings that llama.cpp has a default for."""
    config, _, metadata, tensors = gguf_bytes.model(kv_heads=6)
    for key in ("attention.head_count_kv", "rope.freq_base", "rope.dimension_count", "vocab_size"):
        del metadata[f"llama.{key}"]
    assert read_config(written(tmp_path, metadata, tensors)) == config


def test_rows_of_a_head_in_pairs():
    """Head 0 has the rows 0 to 5; 0 and 3 are rotated together, and come as neighbours."""
    rows = np.array([0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11], np.float32)[:, None] * [1, 100]
    assert in_halves(rows, 2)[:, 0].tolist() == list(range(12))


def add(key, kind, value):
    return lambda metadata, tensors: metadata.update({key: (kind, value)})


def drop(key):
    return lambda metadata, tensors: (metadata if key in metadata else tensors).pop(key)


def tensor(name, *shape):
    return lambda metadata, tensors: tensors.update({name: floats(np.zeros(shape))})


TOKENS = "tokenizer.ggml.tokens"


@pytest.mark.parametrize("change,words", [
    (add("general.architecture", "text", "qwen2"), "general.architecture is 'qwen2'; minillm reads llama, gpt2"),
    (add("general.architecture", "<u4", 3), "general.architecture is 3;"), (drop("general.architecture"), "is missing;"),
    (add("general.architecture", "list", ("text", ["llama"])), "general.architecture is a list;"),
    (add("general.architecture", "text", "gpt2"), "gpt2.context_length is missing"),
    (add("general.type", "text", "adapter"), "general.type is 'adapter'; minillm reads 'model' alone"),
    (add("split.count", "<u2", 3), "split.count is 3; minillm reads 1 alone"),
    (add("tokenizer.ggml.model", "text", "llama"), "tokenizer.ggml.model is 'llama'; minillm reads 'gpt2' alone"),
    (drop("tokenizer.ggml.model"), "tokenizer.ggml.model is missing"),
    (drop(TOKENS), "tokenizer.ggml.tokens has 0 texts, but token_embd.weight has 13 rows"),
    (add(TOKENS, "list", ("text", ["a"] * 14)), "tokenizer.ggml.tokens has 14 texts, but token_embd.weight has 13 rows"),
    (add(TOKENS, "list", ("<u4", [1] * 13)), "tokenizer.ggml.tokens is a list; it must be a list of texts"),
    (add("llama.rope.scaling.type", "text", "linear"), "llama.rope.scaling.type is 'linear'; minillm computes only 'none'"),
    (add("llama.rope.scaling.factor", "<f4", 8.0), "llama.rope.scaling.factor is 8.0; minillm computes only 1.0"),
    (add("llama.rope.scaling.original_context_length", "<u4", 8), "unknown key llama.rope.scaling.original_context_length"),
    (add("llama.expert_count", "<u4", 8), "llama.expert_count is 8; minillm computes only 0"),
    (add("llama.attention.key_length", "<u4", 12), "llama.attention.key_length is 12; minillm computes only 10"),
    (add("llama.attention.value_length", "<u4", 12), "llama.attention.value_length is 12"),
    (add("llama.rope.dimension_count", "<u4", 4), "llama.rope.dimension_count is 4; minillm computes only 10"),
    (add("llama.attention.sliding_window", "<u4", 4096), "llama.attention.sliding_window is 4096; minillm computes only 0"),
    (add("llama.attention.causal", "bool", False), "llama.attention.causal is False; minillm computes only True"),
    (add("llama.logit_scale", "<f4", 0.5), "unknown key llama.logit_scale, which may change what the model computes"),
    (add("llama.feed_forward_length", "list", ("<u4", [11, 12])), "feed_forward_length is a list; it must be one number"),
    (add("llama.attention.head_count", "text", "6"), "llama.attention.head_count is '6'; it must be one number"),
    (add("llama.block_count", "<f4", 2.0), "llama.block_count is 2.0; it must be a whole number"),
    (add("llama.block_count", "bool", True), "llama.block_count is True; it must be a whole number"),
    (add("llama.block_count", "<u8", 2**63), "tensor blk.2.attn_norm.weight is missing"),
    (add("llama.block_count", "<u4", 1), "tensor blk.1.attn_norm.weight is not part of the models"),
    (add("llama.block_count", "<u4", 0), "layers is 0; it must be 1 or more"),
    (add("llama.attention.head_count", "<u4", 7), "width 60 is not a multiple of heads 7"),
    (add("llama.attention.layer_norm_rms_epsilon", "<f4", np.nan), "epsilon is nan; it must be a finite number"),
    (add("llama.embedding_length", "<u4", 72), "llama.rope.dimension_count is 10; minillm computes only 12"),
    (add("llama.feed_forward_length", "<u4", 12), "tensor blk.0.ffn_gate.weight has shape (11, 60), expected (12, 60)"),
    (add("llama.vocab_size", "<u4", 14), "llama.vocab_size is 14, but token_embd.weight has 13 rows"),
    (drop("llama.attention.layer_norm_rms_epsilon"), "llama.attention.layer_norm_rms_epsilon is missing"),
    (drop("token_embd.weight"), "tensor token_embd.weight is missing"),
    (drop("blk.1.ffn_gate.weight"), "tensor blk.1.ffn_gate.weight is missing"),
    (drop("output_norm.weight"), "tensor output_norm.weight is missing"),
    (tensor("blk.0.attn_k.weight", 60, 60), "tensor blk.0.attn_k.weight has shape (60, 60), expected (30, 60)"),
    (tensor("rope_freqs.weight", 5), "rope_freqs.weight is not part of the models that minillm computes "
                                     "(which scales the rotary frequencies one by one (rope scaling))"),
    (tensor("blk.0.attn_q.bias", 60), "tensor blk.0.attn_q.bias is not part of the models that minillm computes (a bias)"),
    (tensor("blk.0.ffn_gate_exps.weight", 2, 11, 60), "(the matrices of experts)"),
    (tensor("blk.0.ffn_gate_inp.weight", 2, 60), "(which chooses among experts)"),
    (tensor("blk.0.attn_q_norm.weight", 10), "(a norm of the queries)"),
    (tensor("more.weight", 10), "tensor more.weight is not part of the models that minillm computes"),
])
def test_what_minillm_does_not_compute_is_named(tmp_path, change, words):
    _, _, metadata, tensors = gguf_bytes.model()
    change(metadata, tensors)
    file = written(tmp_path, metadata, tensors)
    with pytest.raises(ValueError) as caught:
        read_config(file)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / PATH}: ") and message.isprintable() and words in message, message


def test_a_harmless_value_passes(tmp_path):
    """What says in so many words that nothing special is computed."""
    config, _, metadata, tensors = gguf_bytes.model()
    for key, kind, value in (("rope.scaling.type", "text", "none"), ("expert_count", "<u4", 0), ("rope.scale_linear", "<f4", 1.0),
                             ("attention.key_length", "<u4", 10), ("attention.causal", "bool", True)):
        metadata[f"llama.{key}"] = kind, value
    metadata["general.type"], metadata["split.count"] = ("text", "model"), ("<u2", 0)
    assert read_config(written(tmp_path, metadata, tensors)) == config
