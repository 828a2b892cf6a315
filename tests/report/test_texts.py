"""Texts made fit for the page, and the four steps on one example."""

import math

import pytest

from minillm.report.words import agreement, factor, map_view, one_example, probability, readable, visible
from made_up_run import SAMPLES


def test_readable_leaves_nothing_that_a_browser_refuses():
    assert readable("a\n\tb") == "a\n\tb"
    assert readable("\x00\x1b\r\x7f\x85") == "␀␛␍␡\ufffd"
    assert readable("a\ud800b").encode("utf-8")
    assert readable("\N{GRINNING FACE}é") == "\N{GRINNING FACE}é"


@pytest.mark.parametrize("token, shown", [(" mat", "␣mat"), ("  a b", "␣␣a b"), ("\n", "⏎"), (" ", "␣"),
                                          ("\n    ", "⏎    "), ("", "(nothing)"), ("<|end|>", "<|end|>")])
def test_visible(token, shown):
    assert visible(token) == shown


@pytest.mark.parametrize("logprob, shown", [(0.0, "100%"), (math.log(0.5), "50%"), (math.log(0.0123), "1.2%"),
                                            (math.log(0.0996), "10%"), (math.log(0.0004), "4·10⁻⁴"),
                                            (math.log(0.00096), "1·10⁻³"),
                                            (-900.0, "1·10⁻³⁹¹")])
def test_probability(logprob, shown):
    assert probability(logprob) == shown


@pytest.mark.parametrize("difference, shown", [(0.0, "×1.00"), (math.log(3.4), "×3.40"),
                                               (-math.log(2), "÷2.00"), (math.log(9.999), "×10"),
                                               (math.log(1234), "×1,234"),
                                               (-math.log(2e6), "÷2·10⁶")])
def test_factor(difference, shown):
    assert factor(difference) == shown


def test_agreement_counts_unequal_ranks_only():
    assert agreement([2, 1, 3, 3], [0.5, 1.5, 0.75, -1.0]) == (4, 5)
    assert agreement([1, 1], [0.0, 1.0]) == (0, 0)


def test_one_example_puts_each_number_beside_its_response():
    example = one_example(SAMPLES["steps"])
    by_letter = {item["letter"]: item for item in example["responses"]}
    assert [item["letter"] for item in example["by_rank"]] == ["B", "A", "C", "D"]
    assert [item["letter"] for item in example["by_score"]] == ["B", "C", "A", "D"]
    assert by_letter["B"]["bar"] == 100 and by_letter["D"]["bar"] == 6
    assert by_letter["B"]["moved"]["up"] and by_letter["B"]["moved"]["factor"] == "×7.39"
    assert not by_letter["A"]["moved"]["up"] and by_letter["A"]["moved"]["after"] == "8.2%"
    assert by_letter["D"]["moved"]["bar"] == 50
    assert (example["agreed"], example["pairs"]) == (4, 5)


def test_one_example_before_the_policy_gradient():
    steps = {**SAMPLES["steps"], "logprobs": {"finetuned": [-1.0, -2.0, -3.0, -4.0]}}
    assert all(item["moved"] is None for item in one_example(steps)["responses"])
    assert one_example(None) is None


def test_a_map_names_the_strongest_looks_that_are_further_back():
    view = map_view(SAMPLES["attention"])
    assert view["looks"][0][0] == "her" and view["looks"][0][2] == 0.7 and len(view["looks"]) == 1
    assert len(view["cells"]) == 10 and view["cells"][-1]["tip"] == "her looks at her: 10%"
    assert map_view(None) is None
