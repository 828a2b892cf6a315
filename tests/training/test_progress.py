"""What a training says while it runs, into a log and on a terminal."""

import io
import re
import sys
from types import SimpleNamespace

import pytest

from minillm.training import progress
from minillm.training.progress import Progress, wrapped

BIGGEST = {"loss": 17.6312, "weight": 114_200.0, "seconds": 1.0}
OF_EACH_STAGE = {"pretrain": {"validation_loss": 5.4321}, "finetune": {"validation_loss": 5.4321},
                 "reward": {"pair_accuracy": 0.92, "loss": 7.6312, "weight": 9900.0}, "rlhf": {"reward": -1.234, "kl": 12.345}}


@pytest.fixture(autouse=True)
def standing_clock(monkeypatch):
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: 0.0))


def records(steps, **more):
    return [{"step": step, "loss": 7.0 - step, "weight": 100.0, "seconds": 0.5, **more} for step in range(steps)]


def logged(capsys, steps, shown, start=0, quiet=False):
    with Progress("pretrain", steps, start, quiet) as line:
        for record in shown:
            line.step(record)
    return capsys.readouterr().err.splitlines()


def test_a_log_has_the_first_the_last_and_every_tenth_step(capsys):
    lines = logged(capsys, 40, records(40))
    assert [int(re.search(r"step (\d+)/40", line)[1]) for line in lines] == [1, *range(4, 41, 4)]
    assert lines[0] == "pretrain: step 1/40, loss 7.000, 200 tok/s, 00:00 left"
    assert logged(capsys, 40, records(40), quiet=True) == []


def test_a_log_has_the_validation_loss_where_it_was_measured(capsys):
    shown = records(9)
    shown[4]["validation_loss"] = 2.5
    lines = logged(capsys, 90, shown)
    assert lines[1] == "pretrain: step 5/90, loss 3.000, val loss 2.500, 200 tok/s, 00:00 left"
    assert len(lines) == 3 and "val" not in lines[0] + lines[2]


def test_a_log_speaks_after_a_silence_and_says_how_long_it_takes(capsys, monkeypatch):
    clock = iter([0.0, 4.0, 5.0, 8.0, 15.5, 15.5])        # one reading for the start, two for a line that time alone asks for
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    lines = logged(capsys, 1000, records(13)[9:], start=9)
    assert [line.split(",")[0] for line in lines] == ["pretrain: step 10/1000", "pretrain: step 13/1000"]
    assert lines[0].endswith("66:00 left")        # 990 steps of 4 s


class Screen(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_has_one_line_with_the_newest_figures(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Screen())
    shown = records(3)
    shown[0]["validation_loss"] = 2.5
    with Progress("pretrain", 3, 0) as line:
        line.bar.mininterval = line.bar.miniters = 0
        for record in shown:
            line.step(record)
        line.show("a sample")
    said = sys.stderr.getvalue()
    assert "\rpretrain: step 3/3, loss 5.000, val loss 2.500, 200 tok/s, 00:00 left" in said
    assert "    a sample\n" in said


@pytest.mark.parametrize("name", OF_EACH_STAGE)
def test_no_line_of_a_log_is_wider_than_80_columns(capsys, name):
    with Progress(name, 2000, 0) as line:
        line.step({"step": 1999, **BIGGEST, **OF_EACH_STAGE[name]})
    (said,) = capsys.readouterr().err.splitlines()
    assert len(said) <= 80, said


def test_a_long_text_is_wrapped():
    lines = wrapped("word " * 40 + "\n" + "x" * 90, "    ").split("\n")
    assert len(lines) == 5 and max(map(len, lines)) == 80 and all(line.startswith("    ") for line in lines)
