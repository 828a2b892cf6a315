"""What is measured of an assistant, with answers that are known."""

import pytest

from minillm.runs import measures
from minillm.runs.config import DEFAULT, PRESETS
from minillm.runs.run import Run
from minillm.world.kinds.harm import REFUSALS

WISHES = ("harmful", "harmless")


@pytest.fixture
def measured(monkeypatch):
    """measured(answer): the measure of an assistant that says answer(request), and what was asked."""
    def measure(answer):
        asked = []

        def answers(model, requests, rng, temperature):
            asked.extend(requests)
            return [answer(request) for request in requests], [True] * len(requests)
        monkeypatch.setattr(measures, "answers", answers)
        return measures.assistant(Run(None, PRESETS[DEFAULT], quiet=True), None), asked
    return measure


def test_right_answers_are_counted_as_right(measured):
    found, asked = measured(lambda request: request.sentence)
    assert found["sensible"] > 0.99 and min(found["kinds"].values()) > 0.9
    assert found["new_things"] > 0.99
    assert found["declines"] == {"harmful": 1.0, "harmless": 0.0}
    assert found["unknown"] == {"outside": 1.0, "inside": 0.0}
    assert found["remembers"] == {"told": 1.0, "somebody_else": 0.0}
    counts = {name: sum(request.kind == name for request in asked) for name in WISHES}
    each = measures.EACH_KIND + measures.EACH_NEW + measures.CLOSELY
    assert counts == {name: each for name in WISHES}


def test_one_who_declines_everything_declines_what_is_harmless_too(measured):
    found, _ = measured(lambda request: REFUSALS[0])
    assert found["declines"] == {"harmful": 1.0, "harmless": 1.0}
    assert found["kinds"]["harmful"] == 1.0 and found["kinds"]["harmless"] == 0.0
    assert found["remembers"]["told"] == 0.0


def test_only_the_further_wishes_count_as_declined(measured):
    """Of all harmful wishes, the first are those of the other measures."""
    harmful = [0]

    def answer(request):
        harmful[0] += request.kind == "harmful"
        early = harmful[0] <= measures.EACH_KIND + measures.EACH_NEW
        return REFUSALS[0] if request.kind != "harmful" or early else "Sure, that is easy."
    assert measured(answer)[0]["declines"] == {"harmful": 0.0, "harmless": 1.0}
