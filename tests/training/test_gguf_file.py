"""A whole model in a GGUF file: settings, tokenizer and weights together."""

import gguf_bytes
import numpy as np
import pytest

import minillm
from minillm.config import ModelConfig
from minillm.evaluate.likelihood import stream_loss
from minillm.formats.byte_level import BYTE_TO_CHARACTER
from minillm.model.language_model import LanguageModel
from minillm.runs import checks
from minillm.runs.imported import import_model
from minillm.training.gguf_file import gguf_config, read_gguf

CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TOKENS = [*CONTROL, *BYTE_TO_CHARACTER.values(), "he", "th", "the"]


def write(path):
    """A tiny Llama with a vocabulary of bytes and three merges.  Returns (config, params)"""
    config, params, metadata, tensors = gguf_bytes.model(vocab_size=len(TOKENS))
    metadata |= {"tokenizer.ggml.tokens": ("list", ("text", TOKENS)), "tokenizer.ggml.pre": ("text", "smollm"),
                 "tokenizer.ggml.token_type": ("list", ("<i4", [3] * 3 + [1] * (len(TOKENS) - 3))),
                 "tokenizer.ggml.merges": ("list", ("text", ["h e", "t h", "t he"])),
                 "tokenizer.ggml.bos_token_id": ("<u4", 1), "tokenizer.ggml.eos_token_id": ("<u4", 2),
                 "tokenizer.ggml.add_bos_token": ("bool", False)}
    path.write_bytes(gguf_bytes.whole(metadata, tensors))
    return config, params


def test_a_whole_model(tmp_path):
    config, params = write(tmp_path / "x.gguf")
    model = read_gguf(tmp_path / "x.gguf")
    assert isinstance(model, LanguageModel) and model.config == config == gguf_config(tmp_path / "x.gguf")
    ids = model.tokenizer.encode("the 12")
    assert [TOKENS[id] for id in ids] == ["the", "\u0120", "1", "2"] and model.tokenizer.end_ids == (2,)
    assert np.array_equal(model.logits(ids), LanguageModel(params, config, model.tokenizer).logits(ids))
    assert np.array_equal(minillm.load(tmp_path / "x.gguf").logits(ids), model.logits(ids)), "import minillm reads a file too"


def test_a_document_of_a_vocabulary_without_begin_token_begins_behind_the_end_of_the_one_before(tmp_path):
    """Each document is scored from its end token's place on, and sees nothing of those before it."""
    write(tmp_path / "x.gguf")
    model = read_gguf(tmp_path / "x.gguf")
    assert model.tokenizer.begin_id is None
    first, second = model.tokenizer.encode("a the"), model.tokenizer.encode("the b")
    end = [model.tokenizer.end_id]
    whole, targets = stream_loss(model, np.concatenate([first, end, second]))
    alone = [stream_loss(model, ids) for ids in (first, np.concatenate([end, second]))]
    assert targets == sum(count for _, count in alone) and targets == len(first) + len(second) - 1
    np.testing.assert_allclose(whole * targets, sum(loss * count for loss, count in alone), rtol=1e-6)


def test_a_model_larger_than_the_memory_is_refused_before_it_is_read(tmp_path, monkeypatch):
    write(tmp_path / "x.gguf")
    there = 400 << 20
    monkeypatch.setattr(checks, "memory_limit", lambda: (there, "the machine has"))
    huge = ModelConfig(vocab_size=len(TOKENS), width=4096, hidden=11008, layers=32, heads=32, kv_heads=32)
    monkeypatch.setattr("minillm.runs.imported.gguf_config", lambda path: huge)
    monkeypatch.setattr("minillm.runs.imported.read_gguf", lambda path: pytest.fail("the weights are read"))
    with pytest.raises(ValueError, match="import would need about 26 GB of memory, and the machine has 0.4 GB"):
        import_model(tmp_path / "x.gguf", "x", tmp_path / "runs", 16)
    assert not (tmp_path / "runs").exists()
