import re
from collections import Counter

import numpy as np
import pytest

from minillm.world.facts import make_world
from minillm.world.kinds import KINDS
from minillm.world.manners import MANNERS
from minillm.world.requests import _tables, make_requests


@pytest.fixture(scope="module")
def world():
    return make_world(0)


@pytest.fixture(scope="module")
def train(world):
    return make_requests(world, 6000, np.random.default_rng(0))


@pytest.fixture(scope="module")
def held_out(world):
    return make_requests(world, 3000, np.random.default_rng(1), "held_out")


def test_same_seed_same_requests(world):
    first, second = (make_requests(world, 50, np.random.default_rng(3)) for _ in range(2))
    assert first == second


def test_every_kind_has_phrasings_of_both_sorts(world):
    assert len(KINDS) >= 14
    for kind in KINDS:
        for item in kind.items(world):
            known, new = item.phrasings or kind.phrasings, item.held_phrasings or kind.held_phrasings
            assert len(set(known)) >= 5 and len(set(new)) >= 2 and not set(known) & set(new), kind.name


def test_kinds_are_balanced(train):
    shares = Counter(request.kind for request in train)
    assert len(shares) == len(KINDS)
    assert max(shares.values()) < 0.08 * len(train) and min(shares.values()) > 0.01 * len(train)


def test_share_of_system_prompts(train):
    assert 0.42 < np.mean([request.system is not None for request in train]) < 0.48
    assert all((request.system is None) == (request.style is None) for request in train)


def test_one_word_is_only_asked_where_one_word_answers(train):
    assert all(len(request.answer.split()) == 1 for request in train if request.style == "word")


def test_training_uses_no_held_out_entity_or_phrasing(train):
    assert not any(request.held_out_entity or request.held_out_phrasing for request in train)


def test_each_kind_holds_out_other_entities(train):
    """A question about a held-out country is never asked in training; its name is, in other kinds."""
    asked = {kind: {request.sentence for request in train if request.kind == kind}
             for kind in ("capital", "language")}
    held = {name: {item.slots["n"] for item in items if item.held_out}
            for (name, items) in ((kind.name, items) for kind, items, _, _ in _tables(make_world(0)))
            if name in asked}
    for kind, names in held.items():
        assert len(names) == 6
        assert not any(name in sentence.split() for name in names for sentence in asked[kind])
    assert not held["capital"] & held["language"]


def test_held_out_is_half_new_phrasings_half_new_entities(held_out):
    assert sum(request.held_out_phrasing for request in held_out) == len(held_out) // 2
    assert all(request.held_out_phrasing or request.held_out_entity for request in held_out)


def test_splits_share_no_question(train, held_out):
    assert not {request.question for request in train} & {request.question for request in held_out}


def test_held_out_phrasings_use_known_words(train, held_out):
    def words(request):
        return re.findall(r"[a-z]+", f"{request.question} {request.system}".lower())

    known = {word for request in train for word in words(request)}
    new = Counter(word for request in held_out if not request.held_out_entity
                  for word in words(request) if word not in known)
    assert sum(new.values()) < 0.005 * sum(len(request.question.split()) for request in held_out)


def test_truths_are_not_among_the_wrong_answers(train, held_out):
    for request in train + held_out:
        assert request.answer not in request.wrong and request.sentence not in request.wrong_sentences
        assert request.harmful == (request.answer == "")


def test_true_sentences_hold_the_answer(train):
    for request in train:
        if request.kind not in ("code", "harmful"):
            assert request.answer.lower() in request.sentence.lower()


def test_a_few_truths(world):
    wanted = {"What is the capital of France?": "Paris", "What is a spoon made of?": "metal",
              "Which is larger, 6 or 5?": "6", "What is a young owl called?": "owlet"}
    found = {}
    for seed in range(40):
        for request in make_requests(world, 1000, np.random.default_rng(seed),
                                     ("train", "held_out")[seed % 2]):
            found[request.question] = request.answer
    for question, answer in wanted.items():
        assert found.get(question) == answer


def test_all_text_is_plain_ascii_and_filled_in(train, held_out):
    for request in train + held_out:
        for text in (request.question, request.system or "", request.sentence, request.answer, *request.also):
            assert text.isascii() and "{" not in text and "  " not in text.replace("\n    ", "")


def test_closings_belong_to_manners(train):
    closings = {manner.closing for manner in MANNERS}
    assert {request.closing for request in train} == closings


def test_answers_are_short(train):
    assert max(len(request.sentence.split()) for request in train) <= 20
    assert max(request.sentence.count("\n") for request in train) <= 2


def test_unknown_split_is_refused(world):
    with pytest.raises(ValueError, match="held_out"):
        make_requests(world, 1, np.random.default_rng(0), "test")
