"""Two runs side by side."""

import pytest

from minillm.cli import main
from minillm.report import write_comparison
from made_up_run import HOSTILE, RESULTS, SAMPLES, write_run
from test_page import NO_SAMPLES, Balance

CONFIG = {"seed": 3, "model": {"layers": 2}, "data": {"pretrain": f"/home/{HOSTILE[:8]}.txt"}}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    results = {**RESULTS, "reward": {"pair_accuracy": 0.75}, "seconds": {"pretrain": 300.0}}
    return write_run(root / "one"), write_run(root / "two", results=results, config=CONFIG)


def test_the_page_shows_what_differs_and_what_both_answer(runs):
    path = write_comparison(*runs)
    text = path.read_text(encoding="utf-8")
    found, plain = Balance(text), " ".join(text.split())
    assert path == runs[0] / "report-two.html" and found.tags.count("svg") == 3 and found.tags.count("script") == 1
    assert "model.<wbr>layers" not in text and "&lt;script&gt;.txt</td>" in text and "/home" not in text
    assert "Reward model: order of two answers</td><td>83%</td><td>75%</td><td>−8 points</td>" in plain
    assert "Alignment: distance</td><td>3.25</td><td>3.25</td><td>+0.00</td>" in plain
    assert "reward.<wbr>pair_<wbr>accuracy</td><td>0.83</td><td>0.75</td><td>−0.08</td>" in plain
    assert "I am aligned." in text and "I am base." not in text and "made.<wbr>" not in text
    assert text.index("What came out") < text.index("The same prompts") < text.index("seconds.<wbr>pretrain")


def test_runs_that_share_no_model_and_no_losses(tmp_path, runs):
    other = write_run(tmp_path / "empty", (), {}, NO_SAMPLES)
    text = write_comparison(runs[0], other).read_text(encoding="utf-8")
    Balance(text)
    assert "The same prompts" not in text and "<svg" not in text and "Nothing has been trained" in text


def test_prompts_are_matched_by_what_they_say(tmp_path, runs):
    rows = [{**row, "answers": {"base": row["answers"]["base"]}} for row in SAMPLES["everyday"]]
    other = write_run(tmp_path / "base", ("pretrain",), {}, {**SAMPLES, "everyday": rows, "answers": None})
    text = write_comparison(runs[0], other).read_text(encoding="utf-8")
    assert text.count("I am base.") == 2 and text.count('class="prompt"') == 1


def test_runs_of_one_name_are_told_apart(tmp_path, runs):
    other = write_run(tmp_path / "one", (), {}, NO_SAMPLES)
    text = write_comparison(runs[0], other).read_text(encoding="utf-8")
    assert str(other.resolve()) in text and str(runs[0].resolve()) in text


@pytest.mark.parametrize("other, said", [("one", "are the same run"), ("three", "no run of that name"),
                                         (".", "has no run.json"), ("", "RUN is empty")])
def test_what_cannot_be_compared_is_one_line(runs, capsys, other, said):
    root, words = runs[0].parent, [str(runs[0]), other if other != "." else str(runs[0].parent)]
    assert main(["report", *words, "--root", str(root)]) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1


def test_the_verb_prints_the_path(runs, capsys):
    assert main(["report", "one", "two", "--root", str(runs[0].parent)]) == 0
    assert capsys.readouterr().out == f"report: {runs[0] / 'report-two.html'}\n"
