"""What is measured of an assistant, with answers that are known."""

from types import SimpleNamespace

import pytest

from minillm.phases.finetune import task_conversation
from minillm.runs import data, measures
from minillm.runs.config import DEFAULT, PRESETS
from minillm.runs.run import Run
from minillm.text.learning import train_tokenizer
from minillm.world.kinds import KINDS
from minillm.world.kinds.harm import REFUSALS

WISHES = ("harmful", "harmless")


@pytest.fixture
def measured(monkeypatch):
    """measured(answer): the measure of an assistant that says answer(request), and what was asked."""
    def measure(answer, context=128):
        asked = []

        def answers(model, requests, rng, temperature):
            asked.extend(requests)
            return [answer(request) for request in requests], [True] * len(requests)
        monkeypatch.setattr(measures, "answers", answers)
        return measures.assistant(Run(None, PRESETS[DEFAULT], quiet=True), of_context(context)), asked
    return measure


def of_context(tokens):
    """A model of which only the context is asked for; its tokens are words."""
    count = SimpleNamespace(encode_chat=lambda messages, ask: " ".join(each["content"] for each in messages).split())
    return SimpleNamespace(tokenizer=count, config=SimpleNamespace(context=tokens))


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


def test_what_is_told_and_what_lies_outside_is_measured_on_the_further_requests(measured):
    """Not on those of the table of kinds, which are a few."""
    asked = {"unknown": 0, "memory": 0, "not told": 0}

    def answer(request):
        if request.kind not in asked:
            return request.sentence
        asked[request.kind] += 1
        kept = measures.EACH_KIND + measures.EACH_NEW
        return request.sentence if asked[request.kind] <= kept else "Well."
    found, _ = measured(answer)
    assert found["kinds"]["unknown"] > 0.9 and found["kinds"]["memory"] > 0.9
    assert found["unknown"]["outside"] == found["remembers"]["told"] == 0.0
    assert asked == {name: measures.EACH_KIND + measures.EACH_NEW + measures.CLOSELY for name in asked}


def test_what_does_not_fit_the_context_is_not_asked(measured):
    _, asked = measured(lambda request: request.sentence, context=40)
    lengths = [sum(len(each["content"].split()) for each in request.messages()) for request in asked]
    assert 28 < max(lengths) <= 40 - data.LEAST_ROOM
    assert {request.kind for request in asked} == {kind.name for kind in KINDS}


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


def test_a_label_is_weighed_as_the_model_would_say_it(monkeypatch):
    """Its tokens are those that a conversation with the label has."""
    tokenizer, weighed = train_tokenizer(["spam ham the cat sat on the mat."] * 3, 280), []
    monkeypatch.setattr(measures, "ending_likelihoods", lambda model, items: weighed.extend(items) or [[1.0, 0.0]] * len(items))
    label = measures.LABELS[1]
    assert measures.task_accuracy(SimpleNamespace(tokenizer=tokenizer), [("the cat", label)]) == 1.0
    (asked, endings), = weighed
    for name, ending in zip((label, *(other for other in measures.LABELS if other != label)), endings):
        talk = task_conversation(measures.TASK_PROMPT, "the cat", name)
        assert [*asked, *ending] == tokenizer.encode_chat(talk, ask=False).tolist()
