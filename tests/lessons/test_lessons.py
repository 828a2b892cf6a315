"""The lessons: what they include is what the package has, what they say is printed is printed, and every script runs."""

import contextlib
import importlib.util
import io
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
LESSONS = ROOT / "lessons"
NAMES = ("00_tour", "01_tokens", "03_next_token", "05_layers", "06_attention", "09_training_loop", "10_sampling",
         "11_what_was_learned", "12_cutoff_and_hallucination", "13_fine_tuning", "14_prompts_and_statelessness", "15_ranking",
         "16_reward_model", "17_policy_gradient", "18_preferred_or_true", "19_scale", "20_speed")
SLOW = os.environ.get("MINILLM_KERNELS") == "plain" or os.environ.get("NUMBA_DISABLE_JIT") == "1"
BLOCK = re.compile(r"^```(python run|output)(?: tol=(\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def load(path, name):
    """A Python file as a module, which is not on the path."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


refresh = load(LESSONS / "refresh.py", "lessons_refresh")


def test_every_lesson_is_there_whole():
    assert sorted(path.stem for path in LESSONS.glob("[0-9][0-9]_*.md")) == list(NAMES)
    for name in NAMES:
        assert (LESSONS / f"{name}.py").is_file() and (LESSONS / "answers" / f"{name}.py").is_file(), name


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_begins_with_its_question_and_asks_for_a_guess(name):
    text = (LESSONS / f"{name}.md").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert lines[0].startswith(f"# {name[:2]}. ") and re.fullmatch(r"\*.+\?\* \d+ minutes\.", lines[2]), lines[:3]
    for heading in ("## Your guess", "## Run it", "## Exercises", "## Break it"):
        assert heading in text, heading


def test_sources_results_and_the_table_are_up_to_date():
    differ = [path.name for path, text, wanted in refresh.texts() if text != wanted]
    assert not differ, f"run: python lessons/refresh.py; these differ: {differ}"


@pytest.mark.parametrize("name", NAMES)
def test_records_are_what_the_script_would_make(name):
    old = list(refresh.old_records((LESSONS / f"{name}.py").read_text(encoding="utf-8"), refresh.results_of(name)))
    assert not old, f"run: python lessons/refresh.py --run --full --only {name[:2]}; {old}"


@pytest.mark.parametrize("before,after", [("at least", "at most"), ("= 2", "= 3"), ("(0, 1, 2)", "(0, 1)"), ("{gain", "gain {gain"),
                                          ("1 a claim", "2 another")])
def test_an_old_record_is_seen(before, after):
    script = ("BAR, SEEDS = 2, w.pick((0,), (0,), (0, 1, 2))\n"
              "gain = measured(SEEDS)\n"
              "w.outcome(__file__, '1 a claim', f'at least {BAR:.1f} ' 'more', f'{gain:.2f}' + f' ({len(SEEDS)} seeds)', 'holds')\n")
    rows = [{"claim": "1 a claim", "prediction": "at least 2.0 more", "found": "3.14 (3 seeds)"}]
    assert not list(refresh.old_records(script, rows))
    assert before in script and list(refresh.old_records(script.replace(before, after), rows))


def test_a_symbol_that_is_gone_is_named():
    with pytest.raises(ValueError, match="has no no_such"):
        refresh.source_of("minillm/layers/norm.py", "no_such")
    assert refresh.source_of("minillm/text/tokenizer.py", "Tokenizer").startswith("@dataclass(frozen=True)\nclass Tokenizer")


def assert_same_output(printed, wanted, tolerance):
    """Words exactly, numbers within a relative tolerance."""
    assert NUMBER.sub("#", printed).split() == NUMBER.sub("#", wanted).split(), f"printed:\n{printed}\nthe text has:\n{wanted}"
    ours, theirs = ([float(x) for x in NUMBER.findall(text)] for text in (printed, wanted))
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=1e-12)


def test_an_output_that_differs_is_seen():
    assert_same_output("loss 1.0001 a", "loss 1.0 a", 1e-3)
    for printed in ("loss 1.1 a", "loss 1.0 b", "loss 1.0"):
        with pytest.raises(AssertionError):
            assert_same_output(printed, "loss 1.0 a", 1e-3)


@pytest.mark.skipif(SLOW, reason="the snippets are timed for compiled kernels")
@pytest.mark.parametrize("name", NAMES)
def test_snippets_print_what_the_text_says(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    names, printed = {}, ""
    for kind, tolerance, body in BLOCK.findall((LESSONS / f"{name}.md").read_text(encoding="utf-8")):
        if kind == "output":
            assert_same_output(printed, body, float(tolerance or 1e-6))
            continue
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(body, f"{name}.md", "exec"), names)     # a lesson's own snippet
        printed = out.getvalue()


@pytest.fixture(scope="module")
def readers(tmp_path_factory):
    """The folder of one reader, where the models that many scripts ask are trained once."""
    return tmp_path_factory.mktemp("reader")


@pytest.mark.skipif(SLOW, reason="the scripts train models")
@pytest.mark.parametrize("name", NAMES)
def test_scripts_run_in_their_smoke_size(name, readers, monkeypatch):
    """In this process: kernels that are loaded already need not be loaded seventeen times."""
    monkeypatch.chdir(readers)
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--smoke"])
    monkeypatch.setitem(sys.modules, "workbench", load(LESSONS / "workbench.py", "workbench"))
    runpy.run_path(str(LESSONS / f"{name}.py"), run_name="__main__")
    assert not (readers / "lessons").exists()


@pytest.mark.skipif(SLOW, reason="the script trains models")
def test_a_script_finds_what_it_needs_by_itself(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    done = subprocess.run([sys.executable, str(LESSONS / "01_tokens.py"), "--smoke"], cwd=tmp_path, env=environment,
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert list(tmp_path.iterdir()) == []


def answers():
    """(lesson, function) of every worked answer."""
    for name in NAMES:
        path = LESSONS / "answers" / f"{name}.py"
        if path.is_file():
            found = re.findall(r"^def (test_exercise_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
            yield from ((name, function) for function in found)


@pytest.mark.skipif(SLOW, reason="the answers train models")
@pytest.mark.parametrize("name,function", list(answers()))
def test_answers_hold(name, function, monkeypatch):
    monkeypatch.syspath_prepend(str(LESSONS))
    monkeypatch.setattr(sys, "argv", ["pytest"])
    getattr(load(LESSONS / "answers" / f"{name}.py", f"answers_{name}"), function)()


def test_every_exercise_has_an_answer():
    for name in NAMES:
        text = (LESSONS / f"{name}.md").read_text(encoding="utf-8")
        exercises = re.search(r"## Exercises\n(.*?)\n## ", text, re.DOTALL)[1]
        asked = len(re.findall(r"^\d+\. ", exercises, re.MULTILINE))
        assert asked >= 2 and asked == sum(lesson == name for lesson, _ in answers()), name


def test_recorded_outcomes_are_whole():
    claims = [row["claim"] for path in (LESSONS / "results").glob("[0-9]*.json") for row in json.loads(path.read_text())]
    assert {int(re.match(r"\d+", claim)[0]) for claim in claims} == set(range(1, 14)) and len(claims) == len(set(claims))
    for path in (LESSONS / "results").glob("[0-9]*.json"):
        for row in json.loads(path.read_text()):
            assert row["size"] == "full" and row["outcome"] in ("holds", "fails", "undecided")
            assert row["picture"] is None or (LESSONS / "pictures" / row["picture"]).is_file()
