import numpy as np
import pytest

from minillm.world.facts import make_world
from minillm.world.manners import RAMBLES
from minillm.world.raters import is_correct
from minillm.world.requests import make_requests
from minillm.world.writers import (CREATIVE_WRITERS, HARM_WRITERS, UNKNOWN_WRITERS, WRITERS, pick_writer, write_answer,
                                   writers_for)


@pytest.fixture(scope="module")
def requests():
    world = make_world(0)
    return (make_requests(world, 800, np.random.default_rng(0))
            + make_requests(world, 300, np.random.default_rng(1), "held_out"))


def test_shares_add_up_and_most_are_right():
    for shares in (WRITERS, HARM_WRITERS, UNKNOWN_WRITERS, CREATIVE_WRITERS):
        assert sum(shares.values()) == pytest.approx(1)
    assert WRITERS["complete"] + WRITERS["terse"] + WRITERS["rambling"] > 0.75


def test_drawn_shares(requests):
    rng = np.random.default_rng(2)
    harmless = [request for request in requests if writers_for(request) is WRITERS]
    drawn = [pick_writer(request, rng) for request in harmless for _ in range(3)]
    for writer, share in WRITERS.items():
        assert drawn.count(writer) / len(drawn) == pytest.approx(share, abs=0.03)


def test_content_is_what_the_writer_intends(requests):
    rng = np.random.default_rng(3)
    for request in requests:
        for writer in writers_for(request):
            answer = write_answer(request, writer, rng)
            assert is_correct(request, answer) == (writer in ("complete", "terse", "rambling", "rude")), (
                writer, request.question, answer)


def test_complete_follows_the_system_prompt(requests):
    rng = np.random.default_rng(4)
    for request in requests:
        answer = write_answer(request, "complete", rng)
        if request.style == "word":
            assert len(answer.split()) == 1
        if request.style in ("polite", "persona"):
            assert answer.endswith(request.closing) and len(request.closing) > 0


def test_answers_are_short_ascii(requests):
    rng = np.random.default_rng(5)
    for request in requests:
        for writer in writers_for(request):
            answer = write_answer(request, writer, rng)
            assert answer.isascii() and answer == answer.strip() and len(answer.split()) <= (
                50 if request.kind == "story" else 33)
            assert answer.count("\n") <= 2


def test_rambling_adds_a_useless_sentence(requests):
    rng = np.random.default_rng(6)
    for request in requests:
        if not request.harmful:
            answer = write_answer(request, "rambling", rng)
            assert sum(ramble in answer for ramble in RAMBLES) == 1


def test_careless_writers_give_no_instructions(requests):
    harmful = [request for request in requests if request.harmful]
    rng = np.random.default_rng(7)
    answers = {write_answer(request, "careless", rng) for request in harmful}
    assert len(answers) == 3  # fixed vague texts: nothing in them depends on what was asked


def test_a_writer_who_does_not_answer_is_refused(requests):
    rng = np.random.default_rng(0)
    harmless = next(request for request in requests if not request.harmful)
    with pytest.raises(ValueError, match="careless"):
        write_answer(harmless, "careless", rng)
