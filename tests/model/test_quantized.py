"""A model with int8 weights: what is rounded, that every path reads the same weights, and what it is refused for."""

import io

import numpy as np
import pytest
import tiny

import minillm
from minillm import tree
from minillm.cli import main
from minillm.kernels.int8 import Int8, dequantize_plain
from minillm.model import adapter
from minillm.model.language_model import LanguageModel
from minillm.terminal.chatting import Conversation
from minillm.training.checkpoint import save_checkpoint


def with_floats(model):
    """The model whose float32 weights are what int8 ones stand for."""
    floats = tree.tree_map(lambda leaf: dequantize_plain(*leaf) if isinstance(leaf, Int8) else leaf, model.params)
    return LanguageModel(floats, model.config, model.tokenizer)


def continuations(model, rows):
    prompts = [f"the {word}" for word in ("cat", "dog", "mat", "log")] * rows
    return model.generate(prompts[:rows], max_new_tokens=12, temperature=0)


@pytest.mark.parametrize("preset", tiny.PRESETS)
def test_reading_and_decoding_multiply_the_weights_that_the_numbers_stand_for(preset):
    """One row, few and many: prompts are read in float32 or by the kernel, tokens are decoded."""
    model = tiny.model(preset).quantized()
    same, tokens = with_floats(model), tiny.prompts()[1]
    np.testing.assert_allclose(model.logits(tokens), same.logits(tokens), rtol=0, atol=1e-4)
    np.testing.assert_allclose(model.logits(tokens[:1]), same.logits(tokens[:1]), rtol=0, atol=1e-4)
    np.testing.assert_allclose(model.predict_next(tokens).probs, same.predict_next(tokens).probs, rtol=0, atol=1e-5)
    for rows in (1, 3, 14):
        assert continuations(model, rows) == continuations(same, rows)


def test_every_matrix_is_rounded_but_positions_and_routers():
    for preset in ("gpt2", "experts", "untied"):
        before = tiny.model(preset)
        bytes_before = b"".join(leaf.tobytes() for leaf in tree.leaves(before.params))
        after = before.quantized()
        floats = [name for name, leaf in tree.named_leaves(after.params) if not isinstance(leaf, Int8) and leaf.ndim == 2]
        assert floats == [name for name, _ in tree.named_leaves(before.params)
                          if name == "embedding.position" or "router" in name]
        assert tree.count(after.params) == tree.count(before.params) and "int8 parameters" in repr(after)
        assert b"".join(leaf.tobytes() for leaf in tree.leaves(before.params)) == bytes_before
        for _, leaf, old in tree.zipped(after.params, before.params):
            assert isinstance(leaf, Int8) or leaf is old


def test_a_trained_model_says_the_same():
    model = minillm.train("red roses grow. blue birds fly. old men sit.", steps=40, layers=1, width=68, heads=2, kv_heads=1,
                          hidden=66, rows=2, lr=0.03, quiet=True)
    small, tokens = model.quantized(), model.tokenizer.encode("blue birds fly")
    for first in ("red", "blue", "old"):
        assert small.generate(first, temperature=0) == model.generate(first, temperature=0)
    moved = np.abs(small.predict_next(tokens).probs - model.predict_next(tokens).probs).max()
    assert 0 < moved < 0.02


def test_int8_weights_do_not_learn_and_are_not_saved(tmp_path):
    model = tiny.model()
    small = model.quantized()
    before = [leaf.q.copy() for leaf in tree.leaves(small.params) if isinstance(leaf, Int8)]
    with pytest.raises(ValueError, match="weights are int8: a step of learning is smaller"):
        small.adjust_weights(small.predict_next([6, 7]), 8)
    with pytest.raises(ValueError, match="weights are int8: a step of learning is smaller"):
        minillm.finetune(small, [("the cat", "sat.")], steps=1, quiet=True)
    with pytest.raises(ValueError, match="weights are int8: .*save the float32 model"):
        small.save(tmp_path / "small")
    with pytest.raises(ValueError, match="weights are int8: nothing is left to round"):
        small.quantized()
    assert list(tmp_path.iterdir()) == []
    for was, leaf in zip(before, (leaf for leaf in tree.leaves(small.params) if isinstance(leaf, Int8)), strict=True):
        assert (was == leaf.q).all()


def test_what_cannot_be_rounded():
    model = tiny.model()
    beside = adapter.new_adapter(model.params, 2, 2.0, "all", np.random.default_rng(0))
    with pytest.raises(ValueError, match="an adapter is beside the weights; merge it first"):
        LanguageModel(adapter.attach(model.params, beside), model.config, model.tokenizer).quantized()
    model.params["blocks"][1]["feed_forward"]["down"]["weight"][3, 2] = np.inf
    with pytest.raises(FloatingPointError, match="blocks.1.feed_forward.down.weight are not finite"):
        model.quantized()


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The folder of one run with a base and a fine-tuned model."""
    root = tmp_path_factory.mktemp("runs")
    for seed, stage in enumerate(("pretrain", "finetune")):
        save_checkpoint(root / "run" / stage, 1, tiny.model(seed=seed, context=64))
    return root


def test_the_verbs_that_use_a_model_take_it(root, capsys, monkeypatch):
    model = minillm.load(root / "run" / "pretrain").quantized()
    assert main(["generate", "run", "the cat", "--root", str(root), "--int8", "--temperature", "0", "--max-new-tokens", "9"]) == 0
    assert capsys.readouterr().out == "the cat" + model.generate("the cat", temperature=0, max_new_tokens=9) + "\n"
    shown = []
    for flags in ([], ["--int8"]):
        assert main(["next", "run", "the cat", "--root", str(root), *flags]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] != shown[1]
    models = []
    monkeypatch.setattr(Conversation, "respond", lambda talk, line: models.append(talk.model))
    monkeypatch.setattr("sys.stdin", io.StringIO("the cat\n/base\nthe cat\n"))
    assert main(["chat", "run", "--root", str(root), "--int8"]) == 0
    assert models[0] is not models[1]
    for talked, expected in zip(models, (minillm.load(root / "run").quantized(), model), strict=True):
        assert (talked.params["embedding"]["token"].q == expected.params["embedding"]["token"].q).all()


@pytest.mark.parametrize("verb", ["finetune", "pretrain", "rlhf", "eval", "run"])
def test_no_verb_that_trains_takes_it(verb, root, capsys):
    assert main([verb, "run", "--root", str(root), "--int8"]) == 2
    assert "unknown flag --int8" in capsys.readouterr().err
