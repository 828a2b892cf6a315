"""The lessons: what they include is what the package has, what they say is printed is printed, and every script runs."""

import ast
import contextlib
import functools
import importlib.util
import inspect
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

from minillm.terminal import exercises, guesses

ROOT = Path(__file__).resolve().parents[2]
LESSONS = ROOT / "lessons"
NAMES = tuple(sorted(path.stem for path in LESSONS.glob("[0-9][0-9]_*.md")))
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


def text_of(name):
    """The text of a lesson."""
    return (LESSONS / f"{name}.md").read_text(encoding="utf-8")


def prose_of(text):
    """A text without its code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def part_of(text, heading):
    """What stands under a heading."""
    return re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)[1]


def test_every_lesson_is_there_whole():
    assert [name[:2] for name in NAMES] == [f"{n:02d}" for n in range(23)]
    for name in NAMES:
        assert (LESSONS / f"{name}.py").is_file() and (LESSONS / "answers" / f"{name}.py").is_file(), name
    for folder in ("answers", "exercises", "results"):
        for path in (LESSONS / folder).glob("[0-9][0-9]_*"):
            assert path.suffix == ".txt" or path.stem in NAMES, f"{folder}/{path.name} is of no lesson"


# The parts that every lesson has, in this order; what the lesson teaches stands between the guess and "Run it".
FORM = ("# {number}. ", "![](diagram/{number}.svg)", "## Your guess", "## Run it",
        "<details><summary>The answer to the guess</summary>", "</details>", "## Does this hold at scale?", "## Exercises",
        "## Break it", "## Further reading")


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_has_all_parts_of_the_form_in_order(name):
    lines = prose_of(text_of(name)).splitlines()
    places = []
    for part in (part.format(number=name[:2]) for part in FORM):
        at = [n for n, line in enumerate(lines) if line.startswith(part) and (n > max(places, default=-1))]
        assert at, f"{part!r} is missing, or does not come after what should be before it"
        places.append(at[0])
    assert re.fullmatch(r"\*.+\?\* \d+ minutes\.", lines[2]), f"the third line should be the question and the minutes: {lines[2]}"
    first = " ".join(lines[3:places[1]])
    assert len(re.findall(r"[.?!](?=\s|$)", first)) >= 2, "two to five sentences on why one should care should come first"
    headings = [line for line in lines if line.startswith("## ")]
    assert headings[0] == "## Your guess" and headings[-4:] == list(FORM[-4:]), headings
    assert headings.index("## Run it") >= 2, f"the lesson itself should stand before its run: {headings}"


@pytest.mark.parametrize("name", NAMES)
def test_a_guess_has_its_options_and_an_answer_by_number(name):
    question = guesses.question_of(text_of(name))
    assert 3 <= len(question.options) <= 4, question
    assert 1 <= question.answer <= len(question.options), "the folded answer should begin with: Guess N: ..."
    assert question.because.endswith(".") and len(question.because) > 20, question.because


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_has_its_results_in_the_text_and_tells_them_plainly(name):
    said, _ = refresh.outcomes_of((LESSONS / f"{name}.py").read_text(encoding="utf-8"))
    assert bool(said) == ("```results" in part_of(text_of(name), "Run it")), "a results block goes with outcomes, in Run it"
    for claim, parts in said.items():
        plainly = parts["plainly"]
        assert not isinstance(plainly, ast.Constant) or plainly.value, f"claim {claim} is not told in a plain sentence"


@pytest.mark.parametrize("name", (*NAMES, *(name for name in ("README", "CLAIMS", "glossary") if (LESSONS / f"{name}.md").is_file())))
def test_links_lead_somewhere(name):
    """To a term of the glossary, a heading, a file; what a reader would click on is there."""
    targets = set(re.findall(r"\]\(([^)\s]+)\)", prose_of(text_of(name))))
    dead = sorted(target for target in targets if not re.match(r"https?:", target) and not leads_somewhere(target, f"{name}.md"))
    assert not dead, ", ".join(dead)


def leads_somewhere(target, here):
    """Whether a link of a lesson's text has a file, and in it what stands behind the #."""
    file, _, anchor = target.partition("#")
    path = LESSONS / (file or here)
    return path.is_file() and (not anchor or anchor in anchors_of(path))


@functools.cache
def anchors_of(path):
    """What links into a text can lead to: its headings, in lower case with hyphens, and anchors of its own."""
    text = prose_of(path.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+?)\s*$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r"(?:id|name)=\"([^\"]+)\"", text))


@pytest.mark.parametrize("name", NAMES)
def test_terms_are_linked_to_the_glossary(name):
    assert re.search(r"\]\(glossary\.md#[\w-]+\)", prose_of(text_of(name)))


def test_sources_results_and_the_table_are_up_to_date():
    differ = [path.name for path, text, wanted in refresh.texts() if text != wanted]
    assert not differ, f"run: python lessons/refresh.py; these differ: {differ}"


@pytest.mark.parametrize("name", NAMES)
def test_records_are_what_the_script_would_make(name):
    old = list(refresh.old_records((LESSONS / f"{name}.py").read_text(encoding="utf-8"), refresh.results_of(name)))
    assert not old, f"run: python lessons/refresh.py --run --full --only {name[:2]}; {old}"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_waits_for_a_run(name):
    """A reader meets no empty results, and no sentence that was to be checked against them."""
    waits = [words for words in ("not recorded yet", "<!-- after the run") if words in text_of(name)]
    assert not waits, waits


@pytest.mark.parametrize("before,after", [("at least", "at most"), ("= 2", "= 3"), ("(0, 1, 2)", "(0, 1)"), ("{gain", "gain {gain"),
                                          ("1 a claim", "2 another")])
def test_an_old_record_is_seen(before, after):
    script = ("BAR, SEEDS = 2, w.pick((0,), (0,), (0, 1, 2))\n"
              "gain = measured(SEEDS)\n"
              "w.outcome(__file__, '1 a claim', f'at least {BAR:.1f} ' 'more', f'{gain:.2f}' + f' ({len(SEEDS)} seeds)', 'holds')\n")
    rows = [{"claim": "1 a claim", "prediction": "at least 2.0 more", "found": "3.14 (3 seeds)", "outcome": "holds"}]
    assert not list(refresh.old_records(script, rows))
    assert before in script and list(refresh.old_records(script.replace(before, after), rows))


@pytest.mark.parametrize("plainly,recorded,is_old", [
    ("'It is so.'", "It is so.", False), ("'It is so.'", "It was so.", True), ("''", "It was so.", True),
    ("{'holds': 'Yes.', 'fails': 'No.', 'undecided': '?'}", "No.", False),
    ("{'holds': 'Yes.', 'fails': 'No.', 'undecided': '?'}", "Yes.", True),
    ("f'It is {gain:.1f} of {BAR}.'", "It is 0.3 of 2.", False), ("f'It is {gain:.1f} of {BAR}.'", "It is 0.3 of 3.", True)])
def test_a_sentence_other_than_the_scripts_is_seen_and_told_again(plainly, recorded, is_old):
    script = f"BAR = 2\ngain = measured()\nw.outcome(__file__, '1 a claim', 'p', 'f', judged, plainly={plainly})\n"
    rows = [{"claim": "1 a claim", "prediction": "p", "found": "f", "outcome": "fails", "plainly": recorded}]
    assert not list(refresh.retold(script, [{**rows[0], "claim": "a claim that is no more"}]))
    assert bool(list(refresh.old_records(script, rows))) == is_old
    again = list(refresh.retold(script, rows))
    assert bool(list(refresh.old_records(script, again))) == (is_old and "gain" in plainly), "what a run alone can tell stays"


def test_the_table_of_claims_has_its_own_text_that_the_first_page_links():
    rows = {path: wanted for path, _, wanted in refresh.texts()}
    assert "| claim | lesson |" in rows[LESSONS / "CLAIMS.md"] and LESSONS / "README.md" not in rows
    first = (LESSONS / "README.md").read_text(encoding="utf-8")
    assert "](CLAIMS.md)" in first and "| claim | lesson |" not in first, "the table is for a reader who knows the lessons"


def test_a_results_block_names_its_command():
    row = {"claim": "1 a claim", "lesson": "03_x", "prediction": "p", "found": "f", "outcome": "holds", "size": "full"}
    told = refresh.as_text([{**row, "plainly": "It is so."}, {**row, "claim": "2 b"}])
    assert told.startswith("python lessons/03_x.py --full --record\nclaim 1 a claim\n") and told.count("--record") == 1
    assert "  plainly    It is so.\n\nclaim 2 b" in told and told.count("plainly") == 1
    assert refresh.as_text([{**row, "size": "default"}]).startswith("python lessons/03_x.py --record\n")


@pytest.mark.parametrize("name", NAMES)
def test_a_table_is_printed_by_its_script_and_shown_in_its_text(name):
    shown = refresh.LOG.findall(text_of(name))
    printed = re.findall(r'^with w\.table\("(\w+)"\):$', (LESSONS / f"{name}.py").read_text(encoding="utf-8"), re.MULTILINE)
    kept = [path.stem for path in (LESSONS / "results").glob(f"{name[:2]}_*.txt")]
    assert set(shown) == set(printed) == set(kept) and len(shown) == len(set(shown))


def test_a_table_is_what_its_run_printed(tmp_path, monkeypatch):
    monkeypatch.setattr(refresh, "LESSONS", tmp_path)
    text = "Before.\n\n```text log=03_gain\nan old one\n```\n\n```text\nwritten by hand\n```\n"
    assert refresh.filled(text, "03_x") == text.replace("an old one", "not recorded yet")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "03_gain.txt").write_text("  gain  \\1\n  0.5\n")
    new = refresh.filled(text, "03_x")
    assert new == text.replace("an old one", "  gain  \\1\n  0.5") and refresh.filled(new, "03_x") == new

# A figure of a run stands in a block that the run, or a test, fills. Prose beside it may repeat the figure, digit for digit.
SHOWN = re.compile(r"^```(?:python (?:run|source=)|output|results|text log=).*?^```$", re.DOTALL | re.MULTILINE)
FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$]+\$", re.DOTALL)
FIGURE = re.compile(r"(?<![\w.])(?<![A-Za-z]-)\d+(?:\.\d+%?|%)(?![\w.]*\d)")
NO_FIGURE = re.compile(r"`[^`]*`|arXiv:[\d.]+|(?:[Ss]ection|[Tt]able|[Ff]igure|eq\.)s? \d[\d.]*(?:(?:,| and) \d[\d.]*)*"
                       r"|\b(?:0|100)%|95% interval")
SUPPOSED = ("Your guess", "Exercises", "Further reading")        # what a question or a made-up case says, and no run
CITED = re.compile(r"arXiv:|et al\.")
# What no block shows: what the printed result of a change would be, and what the lesson's formula gives for the guess.
WORKED_OUT = {"04": {"0.004"}, "15": {"85%"}, "19": {"175.2"}}


def unprinted(text, script):
    """Decimals and percentages in a lesson's prose that neither its blocks, its formulas, its guess nor its script have.

    Digit for digit: 0.22 is not 0.221. Whole numbers are not looked at, nor what a paragraph cites, unless it tells of the run.
    """
    parts = [(part.partition("\n")[0], part) for part in re.split(r"^## ", prose_of(text), flags=re.MULTILINE)]
    known = [*SHOWN.findall(text), *FORMULA.findall(prose_of(text)), script, *(part for heading, part in parts if heading == "Your guess")]
    said = [NO_FIGURE.sub(" ", FORMULA.sub(" ", paragraph)) for heading, part in parts if heading not in SUPPOSED
            for paragraph in re.split(r"\n\s*\n", part) if heading == "Run it" or not CITED.search(paragraph)]
    return set(FIGURE.findall("\n".join(said))) - set(FIGURE.findall("\n".join(known)))


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_in_the_prose_is_one_that_is_printed(name):
    found = unprinted(text_of(name), (LESSONS / f"{name}.py").read_text(encoding="utf-8"))
    assert found == WORKED_OUT.get(name[:2], set()), "no block of the lesson has these: point at the block, or copy its digits"


@pytest.mark.parametrize("prose,found", [
    ("It gained 0.221 (-0.5 to 1.3), or 22%.", set()), ("It gained 0.22.", {"0.22"}), ("It gained 0.221%.", {"0.221%"}),
    ("In 23% of\nthe cases.", {"23%"}), ("- one\n- 1.96", {"1.96"}), ("| a | 1.96 |", {"1.96"}), ("As $e^{0.7} = 2.01$, 0.7.", set()),
    ("(Section 3.2, table 4.1 and arXiv:2204.02311: `0.9`, a 95% interval.)", set()), ("GPT-3.5 has 1.96.", {"1.96"}),
    ("It found 1.96 (Doe et al. 2020).", {"1.96"}), ("```text\n1.96\n```\n", set()), ("```text\n1.96\n```\n\n1.96", {"1.96"}),
    ("## At scale\n\nIt found 1.96 (Doe et al. 2020).\n\nOurs 1.97.", {"1.97"}), ("## Exercises\n\n1. If it is 1.96?", set())])
def test_a_figure_that_nothing_prints_is_seen(prose, found):
    lesson = "## Run it\n\n```results\nfound 0.221 (-0.5 to 1.3), 22%\n```\n\n" + prose
    assert unprinted(lesson, "BAR = 0.4") == found


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
@pytest.mark.parametrize("name", (*NAMES, "README"))
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
    """In this process: kernels that are loaded already need not be loaded for each script again."""
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


@functools.cache
def answers_of(name):
    """The worked answers of a lesson, loaded once: what they share is made once."""
    return load(LESSONS / "answers" / f"{name}.py", f"answers_{name}")


@pytest.mark.skipif(SLOW, reason="the answers train models")
@pytest.mark.parametrize("name,function", list(answers()))
def test_answers_hold(name, function, monkeypatch):
    monkeypatch.syspath_prepend(str(LESSONS))
    monkeypatch.setattr(sys, "argv", ["pytest"])
    getattr(answers_of(name), function)()


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_has_an_answer(name):
    exercises = part_of(text_of(name), "Exercises")
    asked = len(re.findall(r"^\d+\. ", exercises, re.MULTILINE))
    assert asked >= 1 and asked == sum(lesson == name for lesson, _ in answers())
    written = (LESSONS / "exercises" / f"{name}.py").is_file()
    assert written == (f"exercises/{name}.py" in exercises or f"lesson {name[:2]} --check" in exercises), "what is to be written has a file"


WRITTEN = tuple(sorted(path.stem for path in (LESSONS / "exercises").glob("[0-9][0-9]_*.py")))


def spoilt(value):
    """Something of the same form that is wrong everywhere."""
    if isinstance(value, dict):
        return {key: spoilt(part) for key, part in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_replace"):
        return type(value)(*map(spoilt, value))
    if isinstance(value, (tuple, list)):
        return type(value)(map(spoilt, value))
    if isinstance(value, (bool, np.bool_)):
        return not value
    if isinstance(value, np.ndarray) and value.dtype == bool:
        return ~value
    return value * 1.1 + 1 if isinstance(value, (float, np.ndarray)) and np.asarray(value).dtype.kind == "f" else value + 1


@pytest.mark.skipif(SLOW, reason="a check may train")
@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_to_be_written_can_be_and_what_is_wrong_fails(name, monkeypatch):
    """The exercise as it is given, the solution, and two wrong ones."""
    monkeypatch.syspath_prepend(str(LESSONS))
    monkeypatch.setattr(sys, "argv", ["pytest"])
    given, solved = (exercises.module_of(LESSONS / folder / f"{name}.py", exercises.without_tests) for folder in ("exercises", "answers"))
    functions = [value for value in vars(given).values() if inspect.isfunction(value)]
    checks = [key.removeprefix("check_") for key in vars(solved) if key.startswith("check_")]
    assert functions and sorted(function.__name__ for function in functions) == sorted(checks)
    for function in functions:
        hints = given.HINTS[function.__name__] if isinstance(given.HINTS, dict) else given.HINTS
        assert 2 <= len(hints) <= 4 and all(isinstance(hint, str) and hint for hint in hints), "hints in tiers"
        solution, check = getattr(solved, function.__name__), getattr(solved, f"check_{function.__name__}")
        assert inspect.signature(function) == inspect.signature(solution) and len(function.__doc__) > 40
        assert exercises.problem_of(check, function, given.__file__) == "not written yet"
        assert exercises.problem_of(check, solution, given.__file__) == ""
        for wrong in (lambda *args, **named: None, lambda *args, **named: spoilt(solution(*args, **named))):
            assert exercises.problem_of(check, wrong, given.__file__), f"{function.__name__}: a wrong solution passes"


def test_recorded_outcomes_are_whole():
    claims = [row["claim"] for path in (LESSONS / "results").glob("[0-9]*.json") for row in json.loads(path.read_text())]
    assert {int(re.match(r"\d+", claim)[0]) for claim in claims} == set(range(1, 16)) and len(claims) == len(set(claims))
    for path in (LESSONS / "results").glob("[0-9]*.json"):
        for row in json.loads(path.read_text()):
            assert row["size"] == "full" and row["outcome"] in ("holds", "fails", "undecided") and row["plainly"], row["claim"]
            assert row["picture"] is None or (LESSONS / "pictures" / row["picture"]).is_file()


def test_the_default_runs_are_timed_and_short():
    """What `minillm lesson` tells of each, and a quarter of an hour for all of them together."""
    seconds = json.loads((LESSONS / "results" / "seconds.json").read_text())
    assert set(seconds) == set(NAMES), "run: python lessons/refresh.py --run"
    assert sum(taken["default"] for taken in seconds.values()) <= 15 * 60
