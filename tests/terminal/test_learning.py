"""The verbs of a reader."""

import dataclasses
import io
import json
import os
import sys
from functools import partial

import numpy as np
import pytest
import tiny

from minillm.cli import main
from minillm.config import ModelConfig
from minillm.evaluate import scale
from minillm.model import size
from minillm.runs.config import PRESETS
from minillm.model.transformer import transformer_init
from minillm.terminal import guesses, learning
from minillm.objectives.next_token import next_token_objective
from minillm.training.tracing import PACKAGE, traced
from minillm import tree


def test_lessons_are_listed_and_their_texts_found(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(["lesson"]) == 0
    listed = capsys.readouterr().out
    assert "00  read" in listed and "16  read" in listed and "guessed" not in listed
    assert all(len(line) <= 80 for line in listed.split("\nread: ")[0].splitlines())
    assert main(["lesson", "3", "--text"]) == 0
    assert capsys.readouterr().out.strip().endswith("03_next_token.md")


def test_a_lesson_that_is_not_there_is_refused(capsys, monkeypatch, tmp_path):
    for flags in ([], ["--check"], ["--guess", "1"]):
        assert main(["lesson", "77", *flags]) == 2
        assert "there is no lesson 77; the lessons are 00 to 22" in capsys.readouterr().err
    for flags, line in ((["--check"], "give the number"), (["--guess", "1"], "give the number"), (["03", "--check", "--full"], "not both"),
                        (["03", "--guess", "two"], "invalid int")):
        assert main(["lesson", *flags]) == 2
        assert line in capsys.readouterr().err
    monkeypatch.setattr(learning, "LESSONS", tmp_path / "lessons")
    assert main(["lesson"]) == 2
    assert "beside the package" in capsys.readouterr().err


TEXT = """# 03. Small

*Is it small?* 5 minutes.

## Your guess

A lamp is lit. Then

1. nothing;
2. **light**, as
   a lamp gives;
3. noise.

1. another list

## Run it

<details><summary>The answer to the guess</summary>

**Guess 2:** the [lamp](glossary.md#lamp) *was* lit. <!-- after
the run -->
![](pictures/lamp.png)

More of it.

</details>
"""
EXERCISE = '''"""Functions to write."""

import numpy as np

HINTS = ("think", "think of a sum",
         "np.sum")


def total(x):
    """sum_i x_i.  Shapes:  x (N,) -> ()"""
    raise NotImplementedError


def largest(x):
    """max_i x_i.  Shapes:  x (N,) -> ()"""
    raise NotImplementedError
'''
ANSWERS = """import numpy as np
import pytest

@pytest.mark.parametrize("n", (1, 2))
def test_total(n):
    check_total(total)

def total(x):
    return np.sum(x)

def check_total(function):
    assert function(np.ones(3)) == 3, "three ones make 3"

def check_largest(function):
    assert function(np.arange(3)) == 2
"""


@pytest.fixture()
def reader(tmp_path, monkeypatch):
    """The folder of a reader who has one lesson with two functions to write, and one without."""
    lessons = tmp_path / "lessons"
    for folder in ("exercises", "answers"):
        (lessons / folder).mkdir(parents=True)
    (lessons / "03_small.md").write_text(TEXT)
    (lessons / "04_none.md").write_text("# 04. None\n\n*What?* 5 minutes.\n")
    for name in ("03_small", "04_none"):
        (lessons / f"{name}.py").write_text("print('it ran')\n")
    (lessons / "exercises" / "03_small.py").write_text(EXERCISE)
    (lessons / "answers" / "03_small.py").write_text(ANSWERS)
    monkeypatch.setattr(learning, "LESSONS", lessons)
    monkeypatch.setattr("sys.path", list(sys.path))
    monkeypatch.setattr("sys.argv", list(sys.argv))
    monkeypatch.setitem(sys.modules, "pytest", None)        # a reader has none
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checked(capsys, status):
    """What a check of lesson 03 prints, in lines without their indents."""
    assert main(["lesson", "3", "--check"]) == status
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_exercises_are_copied_once_and_checked(reader, capsys):
    mine = reader / "runs" / "lessons" / "exercises" / "03_small.py"
    first = checked(capsys, 1)
    assert first[0].startswith("copied to runs/lessons/exercises/03_small.py".replace("/", os.sep))
    assert first[1:] == ["total: not written yet", "largest: not written yet", f"0 of 2 right: {mine.relative_to(reader)}"]
    assert "HINTS" not in mine.read_text() and "def largest" in mine.read_text() and "import numpy" in mine.read_text()
    mine.write_text("def total(x):\n    return 4\n\ndef largest(x):\n    return max(x)\n")
    assert checked(capsys, 1)[:3] == ["total: three ones make 3", "hint 1 of 3: think", "largest: ok"]
    mine.write_text("def total(x):\n    return x.nothing\n")
    second = checked(capsys, 1)
    assert second[0].startswith("total: line 2: AttributeError: ") and second[1:3] == ["hint 1 of 3: think", "hint 2 of 3: think of a sum"]
    assert second[3].startswith("largest: not there: ") and second[4] == "hint 1 of 3: think", "it was right: it starts again"
    mine.write_text("def total(x):\n    return 4\n")
    third = checked(capsys, 1)
    assert third[0] == "total: three ones make 3" and third[3] == "hint 3 of 3: np.sum"
    mine.write_text("def total(x):\n    return 3\n\ndef largest(x):\n    return 1\n")
    fourth = checked(capsys, 1)
    assert fourth[0] == "total: ok" and fourth[1] == "largest: assert function(np.arange(3)) == 2 (line 15 of the check)"
    mine.write_text("def total(x):\n    return 3\n\ndef largest(x):\n    return 3\n")       # changed in the same second, as long
    fifth = checked(capsys, 1)
    assert fifth[1].startswith("largest: assert") and "a solution is in" in " ".join(fifth)
    mine.write_text("def total(x):\n    return 3\n\ndef largest(x):\n    return 2\n")
    assert checked(capsys, 0) == ["total: ok", "largest: ok", f"2 of 2 right: {mine.relative_to(reader)}"]
    assert "return 2" in mine.read_text()


@pytest.mark.parametrize("written,problem", [
    ("def total(x)\n    return 3\n", "total: line 1: expected ':'"),
    ("def total(x):\nreturn 3\n", "total: line 2: expected an indented block after function definition on line 1"),
    ("import numpy\ndef total(x):\n    return np.sum(x)\n", "total: line 3: NameError: name 'np' is not defined"),
    ("total = nothing\n", "total: line 1: NameError: name 'nothing' is not defined")])
def test_a_slip_of_the_pen_spends_no_hint(reader, capsys, written, problem):
    """What Python itself tells needs no hint; those that were earned before are told again."""
    mine = reader / "runs" / "lessons" / "exercises" / "03_small.py"
    checked(capsys, 1)
    mine.write_text(written)
    for _ in range(2):
        printed = checked(capsys, 1)
        assert printed[0].startswith(problem) and not printed[1].startswith("hint")
    mine.write_text("def total(x):\n    return 4\n")
    assert checked(capsys, 1)[1] == "hint 1 of 3: think"
    mine.write_text(written)
    again = checked(capsys, 1)
    assert again[0].startswith(problem) and again[1] == "hint 1 of 3: think" and not again[2].startswith("hint")


def test_hints_may_belong_to_functions(reader, capsys):
    path = reader / "lessons" / "exercises" / "03_small.py"
    path.write_text(EXERCISE.replace('("think", "think of a sum",\n         "np.sum")', '{"total": ("add",), "largest": ("compare",)}'))
    checked(capsys, 1)
    assert "hint 1 of 1: compare" in checked(capsys, 1)


def test_a_lesson_with_nothing_to_write_says_which_have(reader, capsys):
    assert main(["lesson", "4", "--check"]) == 2
    assert capsys.readouterr().err == "minillm: lesson 04 has no function to write; these lessons have: 03\n"
    assert not (reader / "runs").exists()


def test_a_guess_is_kept_compared_and_listed(reader, capsys):
    assert main(["lesson", "3", "--guess", "4"]) == 2
    assert "there is no guess 4 in lesson 03; the guesses are 1: nothing; 2: light, as a lamp gives; 3: noise" in capsys.readouterr().err
    assert main(["lesson", "4", "--guess", "1"]) == 2 and "nothing to guess" in capsys.readouterr().err
    assert main(["lesson", "3", "--guess", "1"]) == main(["lesson", "3", "--guess", "3"]) == 0
    assert json.loads((reader / "runs" / "lessons" / "guesses.json").read_text())["03_small"]["guess"] == 3
    assert main(["lesson"]) == 0 and "guessed 3  Is it small?" in capsys.readouterr().out
    assert main(["lesson", "3"]) == 0
    printed = capsys.readouterr().out
    assert printed.endswith('\nYou guessed 3, "noise"; it is 2, "light, as a lamp gives": the lamp was lit.\n')
    assert main(["lesson"]) == 0 and "guessed 3, it is 2  Is it small?" in capsys.readouterr().out
    assert main(["lesson", "3", "--guess", "2"]) == 2 and "has shown you its answer already" in capsys.readouterr().err
    (reader / "runs" / "lessons" / "guesses.json").unlink()
    assert main(["lesson", "3", "--guess", "2"]) == main(["lesson", "3"]) == main(["lesson"]) == 0
    printed = capsys.readouterr().out
    assert 'You guessed 2, "light, as a lamp gives"; and you are right: the lamp was lit.' in printed and "guessed 2, right" in printed


@pytest.mark.parametrize("typed,guess", [(["x", "0", "2"], 2), ([""], None), ([], None)])
def test_a_run_asks_for_a_guess_at_a_terminal(reader, capsys, monkeypatch, typed, guess):
    def answer(prompt):
        if not typed:
            raise EOFError
        return typed.pop(0)
    monkeypatch.setattr("builtins.input", answer)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert main(["lesson", "3"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("A lamp is lit. Then\n  1. nothing\n  2. light, as a lamp gives\n") and not typed
    assert printed.index("3. noise") < printed.index("it ran") and ("You guessed" in printed) == (guess is not None)
    assert guesses.kept().get("03_small", {}).get("guess") == guess
    if guess:
        assert main(["lesson", "3"]) == 0 and "A lamp" not in capsys.readouterr().out


@pytest.mark.parametrize("content", ["[", "[]", '{"03_small": 2}', '{"03_small": {"guess": "2", "total": "2"}}'])
def test_files_of_a_readers_that_hold_something_else_are_named(reader, capsys, content):
    checked(capsys, 1)
    for name, flags in (("guesses.json", ["3"]), ("exercises/hints.json", ["3", "--check"])):
        path = reader / "runs" / "lessons" / name
        path.write_text(content)
        assert main(["lesson", *flags]) == 2
        assert path.name in capsys.readouterr().err
        path.unlink()


def test_without_a_terminal_nothing_is_asked(reader, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("2\n"))
    assert main(["lesson", "3"]) == 0
    assert "A lamp" not in capsys.readouterr().out and not (reader / "runs").exists()


def test_a_trace_has_the_step_in_order(capsys):
    config = tiny.config()
    objective, params, batch = partial(next_token_objective, config=config), tiny.params(config, dtype=np.float32), tiny.batch(config)
    rows = traced(lambda: objective(params, batch), params)
    names = [row.name.split()[0] for row in rows]
    assert names[0] == "embedding_forward" and names.index("transformer_forward") < names.index("next_token_forward")
    assert names.index("next_token_backward") < names.index("block_backward") < names.index("embedding_backward")
    made = {row.name.split()[0]: row for row in rows}
    assert made["transformer_forward"].shape == (np.count_nonzero(batch.weights), config.width)
    lines = (PACKAGE / "layers" / "norm.py").read_text(encoding="utf-8").splitlines()
    computed = [lines[int(row.place.rpartition(":")[2]) - 1] for row in rows if row.name.startswith("norm_forward")]
    assert len(computed) == 2 * config.layers + 1 and all("rmsnorm_forward(" in line for line in computed)
    assert made["block_forward"].place.startswith("minillm/layers/block.py:")
    for part in ("query", "key", "value", "output"):
        told = [row for row in rows if row.name == f"linear_forward blocks.1.attention.{part}"]
        assert len(told) == 1
        assert [row.shape for row in rows if row.name.strip() == f"d blocks.1.attention.{part}.weight"] == [
            params["blocks"][1]["attention"][part]["weight"].shape]
    linear = (PACKAGE / "layers" / "linear.py").read_text(encoding="utf-8").splitlines()
    assert "product(flat, weight" in linear[int(told[0].place.rpartition(":")[2]) - 1]
    assert main(["trace", "--rows", "1"]) == 0 and "nats per token" in capsys.readouterr().out
    assert main(["trace", "--rows", "0"]) == 2


@pytest.mark.parametrize("preset", tiny.PRESETS)
def test_parameters_are_counted_as_a_model_has_them(preset):
    config = tiny.config(preset)
    assert size.parameters(config) == tree.count(transformer_init(config, np.random.default_rng(0)))


def test_published_models_are_near_their_published_sizes():
    for model in scale.PUBLISHED:
        if model.verified:
            assert abs(size.parameters(model.config) / model.parameters - 1) < 0.04, model.name
        else:
            assert (model.parameters, model.flops, model.gpu_hours) == (None, None, None), model.name
    assert size.training_flops(ModelConfig(vocab_size=7), 10) == 60 * size.parameters(ModelConfig(vocab_size=7))


@pytest.mark.parametrize("full", scale.FULL_SIZE, ids=lambda full: full.name)
def test_families_of_full_size_have_the_published_number_of_parameters(full):
    """GPT-2 and Llama 2: every parameter of the tensors on Hugging Face. GPT-3: Brown et al. 2020, table D.1, in millions.
    Mixtral: every parameter of its tensors; active ones: Jiang et al. 2024, section 1. GPT-4: nobody published a size."""
    assert full.outcome == {"GPT-3 175B": "equal, rounded", "GPT-4 *": "none is published"}.get(full.name, "equal")
    one = dataclasses.replace(full.config, layers=full.config.layers - 1)
    assert full.published is None or dataclasses.replace(full, config=one).outcome == "differs"
    assert full.active is None or round(size.active_parameters(full.config) / 1e9) == full.active / 1e9
    assert (full.config.window > 0) == (full.family == "gpt3") and (full.config.experts > 0) == (full.family == "moe")
    twin = PRESETS[full.family].model
    assert (twin.window > 0, twin.experts > 0) == (full.config.window > 0, full.config.experts > 0)
    assert 0.9e6 < size.parameters(dataclasses.replace(twin, vocab_size=2560)) < 1.5e6


@pytest.mark.parametrize("millions,layers,width,heads", [(125, 12, 768, 12), (356, 24, 1024, 16), (760, 24, 1536, 16),
                                                         (2650, 32, 2560, 32), (6660, 32, 4096, 32), (174_600, 96, 12_288, 96)])
def test_sizes_of_gpt_3_are_those_of_its_table(millions, layers, width, heads):
    """Brown et al. 2020, table D.1, which rounds to millions or tens of them; its shapes are those of table 2.1. (XL and 13B
    are left out: there the heads of table 2.1 do not make up the width.)"""
    shape = dataclasses.replace(scale.GPT3, layers=layers, width=width, heads=heads, kv_heads=heads, hidden=4 * width)
    unit = 1 if millions < 1000 else 10
    assert round(size.parameters(shape) / 1e6 / unit) * unit == millions


def test_a_window_and_idle_experts_take_no_operations():
    dense = tiny.config("gpt2", layers=4, context=16)
    every, none = (size.attention_flops(dataclasses.replace(dense, window=window), 10) for window in (16, 0))
    assert every == none
    half = size.attention_flops(dataclasses.replace(dense, window=8), 10)
    assert half == pytest.approx(none * (0.5 + 0.5 * (8 - 64 / 32) / 8))
    routed = tiny.config("experts")
    assert size.training_flops(routed, 1) == 6 * size.active_parameters(routed)
    assert size.parameters(routed) - size.active_parameters(routed) == 2 * 2 * 3 * 60 * 11


def test_told_figures_stand_beside_computed_ones():
    told = {(figure.model, figure.what): figure for figure in scale.told_figures()}
    assert round(told["GPT-3 175B", "cost"].computed / 1e6, 1) == 4.7
    assert told["Llama 2 70B", "cost"].computed == 1_720_320 * 1.5
    assert [figure.outcome for figure in told.values()] == [
        "agrees", "differs", "agrees", "unknown", "unknown", "unknown", "agrees", "agrees", "agrees"]
    assert all(figure.computed is None for (model, _), figure in told.items() if model == "GPT-4")
    half = scale.Told("a", "cost", 2e6, 1e6, "dollars", 1.5, "")
    assert half.outcome == "differs" and dataclasses.replace(half, within=2).outcome == "agrees"


def test_gpu_hours_of_llama_2_follow_from_its_shapes():
    for model in scale.PUBLISHED:
        if model.gpu_hours:
            hours = scale.gpu_hours(model.config, model.tokens, 0.4 * 312e12)
            assert abs(hours / model.gpu_hours - 1) < 0.2, model.name


@pytest.mark.training
def test_scale_prints_them_beside_what_this_machine_would_need(capsys):
    assert main(["scale"]) == 0
    printed = capsys.readouterr().out
    assert "GPT-4 *" in printed and "unverified" in printed and "arXiv:2307.09288" in printed
    gpt4 = next(line for line in printed.splitlines() if line.startswith("GPT-4 *"))
    assert gpt4.split().count("unknown") == 3
    assert "told 570 GB" in printed and "computed 1,200 GB" in printed and "computed 4.68 M dollars" in printed
    assert main(["scale", "--utilization", "0"]) == 2
