"""The ten lines: train, finetune, chat, generate, save and load, from an empty folder."""

import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest
import tiny

import minillm
from minillm import tree
from minillm.formats.tensors import read_tensors
from minillm.model.adapter import new_adapter
from minillm.model.saving import write_adapter
from minillm.phases.reward import reward_heads
from minillm.training.checkpoint import save_checkpoint

README = Path(__file__).parents[1] / "README.md"
FIXTURES = Path(__file__).parent / "interop" / "fixtures"
SMALL = dict(layers=1, width=16, heads=2, kv_heads=1, hidden=16, rows=2, quiet=True)
TEXTS = ["The cat sat on the mat.", "The dog sat on the log.\n", "caf\u00e9"]
TALKS = [("Where is the cat?", "On the mat."),
         [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"},
          {"role": "assistant", "content": "Hello!"}]]


def small(texts=TEXTS, steps=2, **dials):
    return minillm.train(texts, steps=steps, **{**SMALL, **dials})


def weights(model):
    return b"".join(leaf.tobytes() for leaf in tree.leaves(model.params))


def readme_blocks():
    """The Python of README's section about the library."""
    section = README.read_text(encoding="utf-8").split("## What a reader imports")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


def test_readmes_lines_run_from_an_empty_folder(tmp_path, monkeypatch, capsys):
    """As they are, but for the size of the model and the number of steps."""
    monkeypatch.chdir(tmp_path)
    first, second = readme_blocks()
    few = ", ".join(f"{name}={value}" for name, value in SMALL.items())
    assert "steps=200)" in first
    seen = {}
    exec(first.replace("steps=200)", f"steps=2, {few})").replace('"On the log.")])', '"On the log.")], steps=2)'), seen)
    back = minillm.load("my-model")
    assert weights(back) == weights(seen["model"]) and back.config == seen["model"].config
    capsys.readouterr()
    exec(second.replace("runs/run-001", "my-model"), seen)
    losses = [float(loss) for loss in re.findall(r"reading \d: ([\d.]+) nats", capsys.readouterr().out)]
    assert len(losses) == 5 and losses == sorted(losses, reverse=True) and losses[-1] < 0.95 * losses[0]


def test_what_is_learned_can_be_said_again():
    """Three short lines are enough to learn them, and the answers of two conversations."""
    model = minillm.train("red roses grow. blue birds fly. old men sit.", steps=40, **SMALL, lr=0.03)
    assert model.generate("red", temperature=0).startswith(" roses grow.")
    base = weights(model)
    assert minillm.finetune(model, [("Who?", "me."), ("Where?", "here.")], steps=30, lr=0.03, rows=2, quiet=True) is model
    assert [model.chat("Who?"), model.chat("Where?")] == ["me.", "here."] and weights(model) != base
    assert "".join(model.chat("Who?", stream=True)) == "me.", "without the space that the answer's first token has"


def test_the_seed_alone_decides():
    one, two, other = small(), small(), small(seed=1)
    assert weights(one) == weights(two) != weights(other)
    for model in (one, two):
        minillm.finetune(model, TALKS, steps=2, quiet=True, seed=3)
    assert weights(one) == weights(two)


def test_a_short_text_gets_a_small_vocabulary_and_context():
    assert small("a").config.context == 32, "the shortest"
    model = small(TEXTS)
    assert model.config.vocab_size < 270 and model.config.context == 32
    lines = [f"Line {number} of {number * number % 97} is here, and says {number % 7}." for number in range(300)]
    longer = small(["\n".join(lines[:4]), *lines])
    assert 270 < longer.config.vocab_size < 1000 and 32 < longer.config.context < 128
    assert small("\n".join(lines)).config.context == 128
    assert small(TEXTS, context=50, vocab_size=265).config.context == 50, "what is asked for, counts"


def test_dials_go_to_their_sections_and_unknown_ones_are_named():
    model = small(vocab_size=264, position="learned", context=16, short_share=0.0)
    assert (model.tokenizer.vocab_size, model.config.position, model.config.context) == (264, "learned", 16)
    for call, message in ((lambda: small(widht=3), "unknown setting widht; did you mean width?"),
                          (lambda: small(megabytes=3), "unknown setting megabytes"),
                          (lambda: small(lr=0), "lr is 0"), (lambda: small(seed=-1), "seed is -1"),
                          (lambda: small(steps=0), "steps is 0"), (lambda: small(steps=None), "steps is None"),
                          (lambda: small(heads=3), "not a multiple of heads"),
                          (lambda: minillm.finetune(model, TALKS, step=3, width=3), "step; did you mean steps?"),
                          (lambda: minillm.finetune(model, TALKS, conversation=3), "unknown setting conversation")):
        with pytest.raises(ValueError, match=re.escape(message)):
            call()


def test_forms_of_texts(tmp_path):
    (tmp_path / "a.txt").write_text("The cat sat.", encoding="utf-8")
    assert weights(small(tmp_path / "a.txt")) == weights(small("The cat sat.")) == weights(small(iter(["The cat sat.", " "])))
    for texts, message in (([], "no text to train on"), ("  ", "no text to train on"), (["a", 3], "number 2 is a int"),
                           (str(tmp_path / "a.txt"), "name of a file or folder"), (tmp_path / "b.txt", "no such file")):
        with pytest.raises(ValueError, match=message):
            small(texts)


def test_forms_of_conversations(tmp_path):
    model = small()
    before = weights(model)
    for talks, message in (([], "no conversation to learn from"), ("Hi", "is a string"), ([("Hi",)], "number 1: no message of the"),
                           ([TALKS[0], [{"role": "you"}]], "number 2: message 1 has no 'content'"),
                           ([("a", 3)], "number 1: message 1 must be"), (tmp_path / "talk.jsonl", "no such file"),
                           (str(tmp_path), "name of a file or folder")):
        with pytest.raises(ValueError, match=message):
            minillm.finetune(model, talks, quiet=True)
    assert weights(model) == before
    with pytest.raises(ValueError, match="validation: number 1"):
        minillm.finetune(model, TALKS, validation=[()], quiet=True)


def test_a_long_conversation_lengthens_the_context_of_rotary_positions(capsys):
    long = ("Say it. " * 10, "It.")
    for position, context in (("rope", 128), ("learned", 32)):
        model = small(position=position)
        minillm.finetune(model, [("A cat?", "On the mat."), ("A dog?", "On the log."), long], steps=1)
        assert model.config.context == context
        said = capsys.readouterr().out
        assert ("grows from 32 to 128" in said, "1 of 3 conversations did not fit" in said) == (context == 128, context == 32)
        model.chat(long[0] if context == 128 else "Hi", max_new_tokens=3)
    with pytest.raises(ValueError, match="none of 1 conversations fits the context of 32"):
        minillm.finetune(model, [long], quiet=True)


def test_progress_is_short_and_can_be_quiet(capsys):
    model = small(steps=40, quiet=False, validation=["The cat sat on the log."])
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert said.out.startswith("train: 3 texts, a vocabulary of ") and len(lines) == 11
    assert re.match(r"train: step 1/40, loss \d\.\d{3}, ", lines[0])
    assert re.match(r"train: step 40/40, loss \d\.\d{3}, val loss \d\.\d{3}, ", lines[-1])
    minillm.finetune(model, TALKS, steps=3, validation=TALKS)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3 and all("val loss" in line for line in lines)
    small()
    minillm.finetune(model, TALKS, steps=1, quiet=True)
    assert capsys.readouterr() == ("", "")


def test_names_are_found_before_anything_is_imported():
    assert {"train", "finetune", "load", "LanguageModel"} <= set(dir(minillm))
    assert inspect.isfunction(minillm.train), "not a package of that name"


def test_lora_is_a_dial_of_finetune():
    model = small()
    table, other = weights(model), model.params["head"]["weight"].tobytes()
    minillm.finetune(model, TALKS, steps=2, lora=2, lora_alpha=4.0, rows=2, quiet=True)
    assert weights(model) != table and model.params["head"]["weight"].tobytes() == other
    assert isinstance(model.chat("Hi", max_new_tokens=2), str)
    with pytest.raises(ValueError, match="unknown setting lorra; did you mean lora?"):
        minillm.finetune(model, TALKS, steps=1, lorra=2)
    with pytest.raises(ValueError, match="lora_layers is attention, but lora is 0"):
        minillm.finetune(model, TALKS, steps=1, lora_layers="attention")
    with pytest.raises(ValueError, match="active_experts is 2, but experts is 0"):
        small(active_experts=2)


@pytest.mark.parametrize("dials, lr", [({}, 2e-5), ({"lora": 2}, 5e-4), ({"lora": 2, "lr": 1e-3}, 1e-3),
                                       ({"lora": 2, "lora_lr": 1e-4}, 1e-4), ({"lr": 1e-3}, 1e-3)])
def test_a_model_of_others_is_fine_tuned_in_small_steps(dials, lr, monkeypatch):
    model, found = minillm.load(FIXTURES / "llama"), []
    monkeypatch.setattr("minillm.phases.finetune.fit", lambda model, settings, *rest, **more: found.append(settings))
    minillm.finetune(model, TALKS, quiet=True, **dials)
    assert (found[0].lr, found[0].optimizer, found[0].rows) == (lr, "adamw", 2)


def test_an_adapter_is_added_to_a_model_that_stays_as_it_was(tmp_path):
    model = tiny.model()
    adapter = new_adapter(model.params, 2, 4.0, "query_value", np.random.default_rng(0))
    adapter.params["blocks"][1]["attention"]["query"]["lora"]["b"][:] = 0.1
    write_adapter(tmp_path / "adapter", adapter, model.params, model.config)
    before = weights(model)
    ours = minillm.load_adapter(model, tmp_path / "adapter")
    assert weights(model) == before and ours.params["embedding"]["token"] is model.params["embedding"]["token"]
    query = ours.params["blocks"][1]["attention"]["query"]["weight"] - model.params["blocks"][1]["attention"]["query"]["weight"]
    np.testing.assert_allclose(query, 0.2 * np.tile(adapter.params["blocks"][1]["attention"]["query"]["lora"]["a"].sum(0),
                                                    (60, 1)), atol=1e-6)
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match="adapter: it has no peft_type"):
        minillm.load_adapter(model, tmp_path / "adapter")
    with pytest.raises(OSError, match="adapter_config.json"):
        minillm.load_adapter(model, tmp_path)


def test_the_reward_model_is_saved_as_a_classifier_of_one_label(tmp_path):
    model = tiny.model()
    heads = reward_heads(model, 0)
    save_checkpoint(tmp_path / "run" / "reward", 1, model, {"heads": heads}, {})
    save_checkpoint(tmp_path / "other" / "pretrain", 1, model, {}, {})
    minillm.save_reward_model(tmp_path / "run", tmp_path / "judge")
    config = json.loads((tmp_path / "judge" / "config.json").read_text())
    assert config["architectures"] == ["LlamaForSequenceClassification"] and config["id2label"] == {"0": "reward"}
    assert config["pad_token_id"] == model.tokenizer.pad_id
    tensors = read_tensors(tmp_path / "judge" / "model.safetensors")
    assert (tensors["score.weight"] == heads["reward_head"]["weight"]).all() and "lm_head.weight" not in tensors
    with pytest.raises(ValueError, match="minillm reward"):
        minillm.save_reward_model(tmp_path / "other" / "pretrain", tmp_path / "no")
    mixed = tiny.model("rmsnorm, learned, swiglu")
    save_checkpoint(tmp_path / "mixed" / "reward", 1, mixed, {"heads": reward_heads(mixed, 0)}, {})
    with pytest.raises(ValueError, match="no class in the transformers library"):
        minillm.save_reward_model(tmp_path / "mixed", tmp_path / "no")
    assert not (tmp_path / "no").exists()
