"""What a verb ends with."""

import json

import pytest

from minillm.terminal.outcome import beginnings, progress_made, quoted, table

KINDS = {f"kind_{n:02d}": (n * 7 % 30) / 30 for n in range(30)}


@pytest.mark.parametrize("records, line", [
    ([{"loss": 5.0}, {"loss": 3.0, "validation_loss": 3.5}, {"loss": 2.0, "validation_loss": 2.25}],
     "loss 5.000 -> 2.000, val loss 3.500 (step 2) -> 2.250"),
    ([{"loss": 5.0, "validation_loss": 4.0}], "loss 5.000, val loss 4.000"),
    ([{"loss": 0.7, "pair_accuracy": 0.5}, {"loss": 0.2, "pair_accuracy": 0.9}],
     "loss 0.700 -> 0.200, pairs right 0.500 -> 0.900"),
    ([{"loss": 0.1, "ratio_distance": 0.0, "reward": 0.1, "kl": 0.0}, {"loss": 0.2, "ratio_distance": 0.1},
      {"loss": 0.3, "ratio_distance": 0.0, "reward": 0.9, "kl": 0.75}], "reward 0.100 -> 0.900, KL 0.000 -> 0.750"),
])
def test_the_first_and_the_last_value_of_each_figure(tmp_path, records, line):
    (tmp_path / "stage").mkdir()
    lines = [json.dumps({"step": step, **record}) + "\n" for step, record in enumerate(records)]
    (tmp_path / "stage" / "metrics.jsonl").write_text("".join(lines), encoding="utf-8")
    (said,) = progress_made(tmp_path / "stage")
    assert said == "stage: " + line


def test_a_stage_without_a_log_made_no_progress(tmp_path):
    (tmp_path / "rank").mkdir()
    assert progress_made(tmp_path / "rank") == progress_made(tmp_path / "tokenizer.json") == []


def test_numbers_stand_in_groups_and_many_are_sorted():
    lines = table("finetune", {"accuracy": {"base": 0.25, "finetuned": 0.9231}, "tokens": 1234,
                               "assistant": {"sensible": 0.9, "kinds": KINDS}})
    assert lines[:3] == ["  finetune: tokens 1,234", "  finetune.accuracy: base 0.25, finetuned 0.9231",
                         "  finetune.assistant: sensible 0.9"]
    assert lines[3].startswith("  finetune.assistant.kinds, lowest first: kind_00 0, kind_13 0.03333,")
    assert len(lines) < 12 and max(map(len, lines)) <= 80
    assert sum(line.count("kind_") for line in lines) == 30


def test_a_sample_is_one_line_that_cannot_move_the_cursor():
    assert quoted("a\n\tb \x1b[2J") == '"a b \ufffd[2J"'
    assert len(quoted("x" * 999)) == 302


def test_a_beginning_ends_between_words():
    assert beginnings(["one two " * 9, "short", "third"]) == ["one two one two one two one two one two", "short"]
