"""The table of what was achieved, the story above it, and the prompt that the page opens with."""

import math

from minillm.report.summary import achievements, assistant, most_telling, story
from made_up_run import ASSISTANT, RESULTS


def table(results):
    """{(stage, metric): (text before, text after)}"""
    return {(stage, row["metric"]): tuple(cell and f"{cell['who']} {cell['text']}" for cell in (row["before"], row["after"]))
            for stage, rows in achievements(results) for row in rows}


def test_the_table_has_a_line_for_each_measure():
    found = table(RESULTS)
    assert found["Pretraining", "loss on unseen text"] == ("untrained 7.62", "base 1.25")
    assert found["Pretraining", "right endings"] == ("untrained 25%", "base 75%")
    assert found["Fine-tuning", "right answers"] == ("base 3%", "fine-tuned 61%")
    assert found["Fine-tuning", "sensible answers"] == (None, "fine-tuned 91%")
    assert found["Reward model", "order of two answers"] == ("guessing 50%", "reward model 83%")
    assert found["Alignment", "helpful"] == ("fine-tuned 0.50", "aligned 0.75")
    assert found["Alignment", "sensible answers"] == ("fine-tuned 91%", "aligned 91%")
    assert found["Alignment", "about new things"] == ("fine-tuned 57%", "aligned 57%")
    assert found["Alignment", "wins"] == ("no difference 50%", "aligned 62%") and len(found) == 15


def test_what_was_not_measured_is_not_in_the_table():
    assert achievements({}) == [] and achievements({"rlhf": {"win_rate": math.nan}}) == []
    assert list(table({"reward": RESULTS["reward"]})) == [("Reward model", "order of two answers")]


def test_the_meaning_of_the_loss_is_a_probability():
    ((_, (row, *_)), *_) = achievements(RESULTS)
    assert "about 29%" in row["meaning"] and "0.05%" in row["meaning"]


def test_the_story_ends_where_the_run_does():
    has = {"pretrain": True, "finetune": False, "rlhf": False}
    assert "1,000,576 random numbers" in story(RESULTS, has, {}) and "made-up world" in story(RESULTS, has, {})
    assert story(RESULTS, has, {}).endswith("the base model.") and "text of its user" in story({}, has, {"pretrain": "x"})
    assert story(RESULTS, {**has, "finetune": True}, {}).endswith("the fine-tuned model.")
    assert story({}, dict.fromkeys(has, False), {}) == "Nothing has been trained here yet."


def answered(*golds):
    return {"prompt": [], "answers": {name: {"text": f"{name} {gold}", "gold": gold}
                                      for name, gold in zip(("base", "finetuned", "aligned"), golds)}}


def test_the_page_opens_with_the_prompt_on_which_both_steps_gained():
    rows = [answered(0.0, 0.1, 1.0), answered(0.2, 0.5, 0.9), answered(0.0, 1.0, 1.0)]
    row, rule = most_telling(rows)
    assert row is rows[1] and "Of 3 held-out prompts" in rule and "both steps gained" in rule
    row, rule = most_telling([answered(0.2, 0.21, 0.22), answered(0.2, 0.9, 0.9)])     # a slight gain is none
    assert row["answers"]["aligned"]["gold"] == 0.9 and "no step lost and both together gained" in rule
    row, rule = most_telling([answered(0.5, 0.6), answered(0.1, 0.9)])
    assert row["answers"]["finetuned"]["gold"] == 0.9 and "fine-tuning gained" in rule


def test_a_prompt_that_has_an_answer_opens_the_page_where_there_is_one():
    rows = [{**answered(*golds), "answerable": answerable} for golds, answerable in
            (((0.0, 0.5, 1.0), False), ((0.2, 0.5, 0.9), True), ((0.2, 0.4, 0.9), True))]
    row, rule = most_telling(rows)
    assert row is rows[1] and "the one that has an answer on which both" in rule
    row, rule = most_telling([rows[0], {**answered(0.5, 0.2, 0.9), "answerable": True}])
    assert row is rows[0] and "has an answer" not in rule
    alike = [{**answered(*golds), "answerable": True} for golds in ((0.2, 0.5, 0.5), (0.1, 0.9, 0.9))]
    row, rule = most_telling([rows[0], *alike])
    assert row is alike[1] and "the one that has an answer on which no step lost and both together gained the most" in rule


def test_without_a_gain_the_answers_that_differ_most_are_shown():
    same = {"prompt": [], "answers": {name: {"text": "x", "gold": None} for name in ("base", "finetuned")}}
    rows = [same, answered(None, None)]
    assert most_telling(rows)[0] is rows[1] and "differ the most" in most_telling(rows)[1]
    assert most_telling([answered(1.0, 0.5)])[1].startswith("Of 1 held-out") and most_telling([]) == (None, "")


def test_kinds_come_with_the_weakest_first_and_pairs_with_both_sides():
    better = {**ASSISTANT, "kinds": {"capital": 0.5, "opposite": 0.25}}
    found = assistant({"finetune": {"assistant": ASSISTANT}, "rlhf": {"assistant": better}})
    assert found["models"] == ["fine-tuned", "aligned"]
    assert found["kinds"] == [("opposite", [None, 0.25]), ("capital", [0.95, 0.5])]
    assert [(shares, should) for _, should, _, shares in found["pairs"]][0] == ([(0.97, 0.02)] * 2, "harmful wishes")
    assert len(found["pairs"]) == 3 and assistant({"finetune": {}}) is None
    assert assistant({"finetune": {"assistant": {"sensible": 1.0}}})["pairs"] == []
