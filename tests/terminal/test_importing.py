"""`minillm import`: a run whose pretrained model others trained; every verb works on it, or says why not in one line."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import minillm
from minillm import tree
from minillm.cli import main
from minillm.model.adapter import new_adapter
from minillm.model.saving import write_adapter
from minillm.runs.folder import imported_from
from minillm.runs.imported import read_source

FIXTURES = Path(__file__).parents[1] / "interop" / "fixtures"
TALKS = "".join(json.dumps({"prompt": f"Cat {n}?", "completion": "On the mat."}) + "\n" for n in range(8))


def run(capsys, *words):
    """(exit status, what was printed, what went to stderr) of a command."""
    status = main([str(word) for word in words])
    said = capsys.readouterr()
    return status, said.out, said.err


def refused(capsys, *words):
    """The one line of a command that is refused."""
    status, _, line = run(capsys, *words)
    assert status == 2 and line.startswith("minillm: ") and line.count("\n") == 1, line
    return line


@pytest.fixture
def root(tmp_path, capsys):
    """A folder with the runs `llama` and `gpt2`, and conversations."""
    (tmp_path / "talks.jsonl").write_text(TALKS, encoding="utf-8")
    for name in ("llama", "gpt2"):
        assert run(capsys, "import", FIXTURES / name, "--name", name, "--root", tmp_path)[0] == 0
    return tmp_path


def test_the_model_of_the_run_is_the_one_that_was_imported(root, capsys):
    for name in ("llama", "gpt2"):
        ours, theirs = minillm.load(root / name), minillm.load(FIXTURES / name)
        assert ours.config == theirs.config and ours.tokenizer == theirs.tokenizer
        tree.tree_map(np.testing.assert_array_equal, ours.params, theirs.params)
        assert imported_from(root / name) == name
    made = json.loads((root / "llama" / "results.json").read_text(encoding="utf-8"))["made"]["pretrain"]
    assert sorted(made["files"]) == ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]


def test_it_says_what_it_imported(tmp_path, capsys):
    status, said, _ = run(capsys, "import", FIXTURES / "llama", "--name", "a", "--root", tmp_path, "--context", "40")
    assert status == 0 and "57,456 parameters, 2 blocks of width 48, 6 heads" in said
    assert "300 tokens, a context of 40 of its 64 (--context)" in said and "<|endoftext|>, <|im_end|>" in said
    assert f"next: minillm chat {tmp_path / 'a'}" in said and minillm.load(tmp_path / "a").config.context == 40
    status, said, _ = run(capsys, "import", FIXTURES / "gpt2", "--root", tmp_path, "--context", "40")
    assert status == 0 and f'next: minillm generate {tmp_path / "run-001"} "Once upon a time"' in said
    assert minillm.load(tmp_path / "run-001").params["embedding"]["position"].shape == (40, 40)


def test_next_generate_eval_and_report(root, capsys):
    for name in ("llama", "gpt2"):
        status, said, _ = run(capsys, "next", root / name, "The cat")
        assert status == 0 and "%" in said
        assert run(capsys, "generate", root / name, "The cat", "--max-new-tokens", "5")[0] == 0
        assert run(capsys, "generate", root / name, "", "--max-new-tokens", "5")[0] == 0
        status, said, _ = run(capsys, "eval", root / name)
        assert status == 0 and "pretrain.parameters" in said
    assert run(capsys, "report", root / "gpt2")[0] == 0
    page = (root / "gpt2" / "report.html").read_text(encoding="utf-8")
    assert "a language model that others trained, imported from gpt2: 53,040 parameters." in page and "It read" not in page


def test_chat_needs_a_template(root, capsys, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda _: next(lines))
    lines = iter(["The cat?", "/base", "/quit"])
    status, said, _ = run(capsys, "chat", root / "llama", "--max-new-tokens", "4")
    assert status == 0 and "model> " in said and "(the base model answers)" in said
    assert "has no chat template" in refused(capsys, "chat", root / "gpt2")


def test_finetune_on_own_conversations_and_the_loss_of_held_out_ones(root, capsys):
    llama = root / "llama"
    status, said, _ = run(capsys, "finetune", llama, "--data", root / "talks.jsonl", "--steps", "6", "--lr", "1e-3", "--quiet")
    assert status == 0
    measured = json.loads((llama / "results.json").read_text(encoding="utf-8"))["finetune"]["held_out_loss"]
    assert measured["finetuned"] < measured["base"] - 0.5
    status, said, _ = run(capsys, "eval", llama)
    assert status == 0 and "finetune.held_out_loss.finetuned" in said
    assert run(capsys, "report", llama)[0] == 0
    again = minillm.load(llama)                 # the fine-tuned model
    assert again.tokenizer == minillm.load(FIXTURES / "llama").tokenizer
    assert run(capsys, "finetune", llama, "--data", root / "talks.jsonl", "--name", "more", "--root", root, "--steps", "1",
               "--quiet")[0] == 0 and imported_from(root / "more") == "llama"


def test_conversations_too_long_for_it_name_what_gives_it_a_longer_context(root, capsys):
    """Not `pretrain`, which is refused for such a model."""
    long = "".join(json.dumps({"prompt": "cat " * 99, "completion": "On."}) + "\n" for _ in range(3))
    (root / "long.jsonl").write_text(long, encoding="utf-8")
    for name in ((), ("--name", "new", "--root", root)):
        line = refused(capsys, "finetune", root / "llama", "--data", root / "long.jsonl", *name)
        assert "import the model again with --context" in line and "pretrain" not in line


def test_a_name_that_is_taken_cannot_be_resumed(root, capsys):
    line = refused(capsys, "import", FIXTURES / "llama", "--name", "llama", "--root", root)
    assert line.endswith("never overwrites another; choose another --name\n")


@pytest.mark.parametrize("name, family", [("mixtral", "mixtral"), ("gpt_neo", "minillm")])
def test_the_other_families(name, family, tmp_path, capsys):
    (tmp_path / "talks.jsonl").write_text(TALKS, encoding="utf-8")
    assert run(capsys, "import", FIXTURES / name, "--name", name, "--root", tmp_path)[0] == 0
    kept = tmp_path / name / "pretrain" / "step-000000"
    assert json.loads((kept / "config.json").read_text(encoding="utf-8"))["model_type"] == family
    tree.tree_map(np.testing.assert_array_equal, minillm.load(kept).params, minillm.load(FIXTURES / name).params)
    assert run(capsys, "next", tmp_path / name, "The cat")[0] == 0
    assert run(capsys, "generate", tmp_path / name, "The cat", "--max-new-tokens", "5")[0] == 0
    if name == "mixtral":
        assert run(capsys, "finetune", tmp_path / name, "--data", tmp_path / "talks.jsonl", "--steps", "2", "--lora", "2",
                   "--quiet")[0] == 0


def test_an_adapter_with_its_base(root, capsys):
    """Of a folder, of a run by its name, and of its own run."""
    assert run(capsys, "finetune", root / "llama", "--data", root / "talks.jsonl", "--steps", "6", "--lora", "4", "--quiet")[0] == 0
    settings = json.loads((root / "llama" / "finetune" / "step-000006" / "training.json").read_text(encoding="utf-8"))["settings"]
    assert (settings["lr"], settings["lora"]) == (5e-4, 4)
    adapter = root / "llama" / "finetune" / "step-000006" / "adapter"
    expected = minillm.load(root / "llama")
    # A run's pretrained model is meant: the fine-tuned one has the adapter already.
    for name, base in (("a", FIXTURES / "llama"), ("b", "llama"), ("c", root / "llama"), ("d", root / "llama" / "pretrain")):
        status, said, _ = run(capsys, "import", adapter, "--base", base, "--name", name, "--root", root)
        assert status == 0 and f"the adapter {adapter} is added to the weights of {base}" in said
        tree.tree_map(np.testing.assert_array_equal, minillm.load(root / name).params, expected.params)
        assert imported_from(root / name) == "adapter"
    made = json.loads((root / "a" / "results.json").read_text(encoding="utf-8"))["made"]["pretrain"]["files"]
    assert sorted(made) == ["adapter_model.safetensors", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    again, _ = read_source(root / "llama" / "finetune" / "step-000006")
    tree.tree_map(np.testing.assert_array_equal, again.params, expected.params)


def test_an_adapter_that_fits_no_base_is_one_line(root, capsys):
    adapter = root / "adapter"
    model = minillm.load(FIXTURES / "llama")
    write_adapter(adapter, new_adapter(model.params, 2, 4.0, "all", np.random.default_rng(0)), model.params, model.config)
    for words, said in (((adapter,), "is an adapter; add the model that it was trained beside"),
                        ((adapter, "--base", "gpt2"), "is beside no matrix of this model's blocks"),
                        ((adapter, "--base", "lama"), "did you mean"), ((adapter, "--base", root / "nowhere"), "not a folder"),
                        ((FIXTURES / "gpt2", "--base", "llama"), "is no adapter: it has no adapter_config.json"),
                        ((adapter, "--base", adapter), "is an adapter; add the model")):
        assert said in refused(capsys, "import", *words, "--name", "x", "--root", root)
        assert not (root / "x").exists()
    (adapter / "adapter_model.safetensors").unlink()
    assert "adapter_model.safetensors" in refused(capsys, "import", adapter, "--base", "llama", "--root", root)


def test_what_an_imported_model_cannot_be_taught_is_refused(root, capsys):
    llama = root / "llama"
    before = sorted((path, path.stat().st_mtime_ns) for path in llama.rglob("*"))
    for words in (("finetune", llama), ("run", llama, "--resume")):
        assert "knows nothing of the embedded world; give conversations" in refused(capsys, *words)
    assert "the simulated raters know only the embedded world" in refused(capsys, "rank", llama)
    for verb, what in (("reward", "pairs"), ("rlhf", "prompts")):
        assert f"knows nothing of the embedded world; give {what}: minillm {verb} {llama} --data" in refused(capsys, verb, llama)
    assert "has no chat template" in refused(capsys, "finetune", root / "gpt2", "--data", root / "talks.jsonl")
    for verb in ("tokenizer", "pretrain"):
        assert f"has its {verb} already" in refused(capsys, verb, llama)
    assert sorted((path, path.stat().st_mtime_ns) for path in llama.rglob("*")) == before


def test_a_mistake_is_one_line_and_leaves_no_folder(tmp_path, capsys):
    (tmp_path / "x").mkdir()
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    (tmp_path / "cut.gguf").write_bytes(b"GGUF\x03\x00")
    broken = tmp_path / "broken"
    shutil.copytree(FIXTURES / "llama", broken)
    (broken / "model-00002-of-00002.safetensors").unlink()
    root = tmp_path / "runs"
    for path, words in ((tmp_path / "nowhere", "no such file or folder"), (tmp_path / "x", "is not a checkpoint"),
                        (tmp_path / "notes.txt", "is no GGUF file"), (tmp_path / "cut.gguf", "cut.gguf: "),
                        (broken, "model-00002-of-00002.safetensors is missing")):
        assert words in refused(capsys, "import", path, "--name", "a", "--root", root)
    assert not root.exists() or not list(root.iterdir())
    for words, said in ((("--name", "a/b"), "must be made of letters"), (("--context", "3"), "context is 3"),
                        (("--nme", "a"), "unknown flag --nme")):
        assert said in refused(capsys, "import", FIXTURES / "gpt2", "--root", root, *words)
    assert run(capsys, "import", FIXTURES / "gpt2", "--name", "a", "--root", root)[0] == 0
    assert "never overwrites" in refused(capsys, "import", FIXTURES / "gpt2", "--name", "a", "--root", root)
    assert "is the folder of a run already" in refused(capsys, "import", root / "a", "--name", "b", "--root", root)


def test_a_reward_model_is_not_imported(tmp_path, capsys):
    """It has learned to score, not to write."""
    folder = tmp_path / "reward"
    shutil.copytree(FIXTURES / "gpt2", folder)
    (folder / "training.json").write_text('{"step": 3}', encoding="utf-8")
    from minillm.formats.tensors import write_tensors
    write_tensors(folder / "training.safetensors", {"heads.reward_head.weight": np.ones((1, 40), np.float32)})
    assert "is a reward model" in refused(capsys, "import", folder, "--name", "a", "--root", tmp_path / "runs")
