"""The verbs that use a model: which model is meant, what its flags may be, and a model that is broken."""

import io
import re

import numpy as np
import pytest
import tiny

from minillm.cli import main
from minillm.phases.reward import reward_heads
from minillm.training.checkpoint import save_checkpoint

FLAGS = {"--temperature": ["-1", "nan", "inf", "1e400", "", "abc"], "--top-k": ["-1", "nan", "1.5", ""],
         "--top-p": ["-1", "0", "1.1", "nan", ""], "--max-new-tokens": ["-1", "0", "100000", "1e400", ""],
         "--seed": ["-1", "nan", "9" * 5000, ""]}
OF_LEARNING = {"trace": {"--rows": ["-1", "0", "nan", "1e25", ""]},
               "scale": {"--utilization": ["-1", "0", "2", "inf", ""], "--gpu-flops": ["0", "1e400", "1e-300"],
                         "--dollars-per-gpu-hour": ["-1", "nan", "1e30"]}}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The folder of one run: a base model, a reward model, and a model whose logits overflow."""
    root, model = tmp_path_factory.mktemp("runs"), tiny.model(fresh=True)
    save_checkpoint(root / "run" / "pretrain", 1, model, {}, {})
    save_checkpoint(root / "run" / "reward", 1, model, {"heads": reward_heads(model, 0)}, {})
    model.params["norm"]["gain"][:] = 3e38
    save_checkpoint(root / "broken" / "pretrain", 1, model, {}, {})
    return root


def said(capsys, *argv, status=2):
    """The one line on stderr of a command that is refused."""
    capsys.readouterr()
    assert main([str(word) for word in argv]) == status
    out, err = capsys.readouterr()
    assert re.fullmatch(r"minillm: [^\n]+\n", err) and "model>" not in out, (out, err)
    return err


@pytest.mark.parametrize("flag,value", [(flag, value) for flag in FLAGS for value in FLAGS[flag]],
                         ids=lambda text: text[:12] or "empty")
def test_flags_of_sampling_are_checked_before_the_first_answer(flag, value, root, capsys, monkeypatch):
    """In chat, what was wrong with them was once printed as the model's answer."""
    monkeypatch.setattr("sys.stdin", io.StringIO("the cat\n"))
    for verb, words in (("generate", ["the cat"]), ("chat", [])):
        assert flag.strip("-").replace("-", "_") in said(capsys, verb, "run", *words, "--root", root, f"{flag}={value}"
                                                         ).replace("-", "_")


@pytest.mark.parametrize("verb,flag,value", [(verb, flag, value) for verb, flags in OF_LEARNING.items()
                                             for flag in flags for value in flags[flag]])
def test_flags_of_the_verbs_for_learning(verb, flag, value, capsys):
    assert flag in said(capsys, verb, f"{flag}={value}")


@pytest.mark.parametrize("argv,fix", [
    (["generate", "", "a"], "RUN is empty"), (["chat", ""], "RUN is empty"), (["next", "a", "--root", ""], "--root is empty"),
    (["eval", ""], "RUN is empty"), (["report", ""], "RUN is empty"), (["lesson", ""], "there is no lesson"),
    (["lesson", "--text"], "give the number of a lesson"), (["scale", "words"], "one word too many; see: minillm scale"),
    (["generate", "a", "--root", __file__], "is a file; give a folder"), (["chat", "run", "--root", __file__], "is a file"),
    (["site", "--out", __file__ + "/below"], "is a file; give a folder to write to"), (["site", "--out", ""], "is empty"),
    (["next", "a", "--count", "0"], "count is 0"), (["generate", "a", "--count", "-1"], "count is -1"),
])
def test_words_that_mean_nothing(argv, fix, capsys):
    assert fix in said(capsys, *argv)


def test_which_model_is_meant(root, capsys):
    there = ["--root", root, "--max-new-tokens", "2"]
    assert "is a reward model: it scores" in said(capsys, "generate", root / "run" / "reward", "a", *there)
    assert "no --stage pretrain" in said(capsys, "generate", root / "run" / "pretrain", "a", "--stage", "pretrain", *there)
    assert "has no stage rlhf" in said(capsys, "generate", "run", "a", "--stage", "rlhf", *there)
    for word in ("run", root / "run" / "pretrain", root / "run" / "pretrain" / "step-000001"):
        assert main(["generate", str(word), "a", *map(str, there)]) == 0


@pytest.mark.parametrize("flags", [[], ["--temperature", "0"], ["--top-k", "2"], ["--top-p", "0.5"], "next", "chat"], ids=str)
def test_a_model_whose_numbers_overflow_is_named(flags, root, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("the cat\n"))
    verb = ["generate", "broken", "a", *flags] if isinstance(flags, list) else [flags, "broken", *["a"] * (flags == "next")]
    with np.errstate(all="ignore"):
        line = said(capsys, *verb, "--root", root, status=1)
    assert "broken/pretrain/step-000001: the logits are not finite" in line.replace("\\", "/")


def test_a_prompt_is_printed_as_typed_and_goes_on_without_a_second_space(root, capsys):
    def shown(text, seed):
        flags = ["--root", str(root), "--temperature", "1", "--max-new-tokens", "4", "--seed", str(seed)]
        assert main(["generate", "run", text, *flags]) == 0
        return capsys.readouterr().out
    seed = next(seed for seed in range(300) if re.match("the cat [^ ]", shown("the cat", seed)))
    assert shown("the cat ", seed) == shown("the cat", seed)


def test_a_line_that_cannot_be_read_does_not_end_the_conversation(root, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("the caf\u00e9\nthe cat\n"))
    assert main(["chat", "run", "--root", str(root), "--max-new-tokens", "2"]) == 0
    answers = re.findall("model> (.*)", capsys.readouterr().out)
    assert len(answers) == 2 and ['not in this vocabulary' in answer for answer in answers] == [True, False]


def test_without_a_run_it_is_told_which_of_several_was_taken(tmp_path, capsys):
    model, argv = tiny.model(), ["next", "a", "--root", str(tmp_path)]
    for name, told in (("one", ""), ("two", f"minillm: the newest of 2 runs: {tmp_path / 'two' / 'pretrain' / 'step-000001'}\n")):
        save_checkpoint(tmp_path / name / "pretrain", 1, model, {}, {})
        (tmp_path / name / "run.json").touch()
        assert main(argv) == 0 and capsys.readouterr().err == told
    assert main([argv[0], "one", *argv[1:]]) == 0 and capsys.readouterr().err == ""
