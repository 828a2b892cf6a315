"""Fine-tuning's first conversations: about few relatives, then more; each question is answered by what was told."""

import re

import numpy as np
import pytest

from minillm.world.curriculum import STAGES, WHOSE, make_curriculum
from minillm.world.kinds.told import OWN
from minillm.world.kinds.told_of_others import OTHERS
from minillm.world.strangers import RELATIVES, SPECIES

REPLIED = {"name": r"[Yy]our (\w+) is called ([A-Z][a-z]+)", "home": r"[Yy]our (\w+) lives in ([A-Z][a-z]+)",
           "user": r"[Yy]our (name) is ([A-Z][a-z]+)"}
MISSING = {"name": r"Your (\w+)'s name\? You have not told me that\.", "home": r"Your (\w+)'s home\? You have not told me that\.",
           "user": r"Your (name)\? You have not told me that\."}


@pytest.fixture(scope="module")
def curriculum():
    return make_curriculum(2400, np.random.default_rng(0))


def said(talk, role):
    return [message["content"] for message in talk if message["role"] == role]


def spoken_of(talk):
    words = set(re.findall(r"\w+", " ".join(said(talk, "assistant"))))
    return words & {*RELATIVES, *SPECIES} - {"fish"}        # which is a food, too


def test_more_and_more_relatives_and_pets_are_spoken_of(curriculum):
    of_each = [set().union(*map(spoken_of, talks)) for talks in curriculum]
    assert len(of_each) == len(STAGES) and of_each[:3] == [set(WHOSE[:2]), set(WHOSE[:4]), set(WHOSE)]
    assert of_each[3] > set(WHOSE) and len(of_each[3]) > 20


def test_what_was_told_is_known_and_nothing_else(curriculum):
    """Read back from the replies, not from how the conversations are made."""
    told, missing = 0, 0
    for talk in (talk for talks in curriculum for talk in talks):
        known = {}
        for question, answer in zip(said(talk, "user"), said(talk, "assistant")):
            for sort in REPLIED:
                if match := re.fullmatch(MISSING[sort], answer):
                    assert (sort, match[1]) not in known, (question, answer, known)
                    missing += 1
                for about, value in re.findall(REPLIED[sort], answer):
                    if "I will remember" in answer:
                        known[sort, about] = value
                    else:
                        assert known[sort, about] == value, (question, answer, known)
                        told += 1
    assert min(told, missing) > 1500


def test_who_is_asked_for_does_not_tell_whether_it_was_told(curriculum):
    """For relatives and pets, and for the user, both are right often enough, at each stage."""
    for talks in curriculum:
        answers = [answer for talk in talks for answer in said(talk, "assistant") if "I will remember" not in answer]
        of_others = [answer for answer in answers if re.match(r"Your \w+('s| is called| lives)", answer)]
        of_the_user = [answer for answer in answers if re.match(r"Your name|You ", answer)]
        assert len(of_others) + len(of_the_user) == len(answers) and 3 < len(answers) / len(talks) <= 4
        for group in (of_others, of_the_user):
            assert 0.3 < np.mean(["You have not told me" in answer for answer in group]) < 0.7


@pytest.mark.parametrize("fact", [*OWN, *OTHERS], ids=lambda fact: f"{fact.sort} of {'another' if fact.about else 'the user'}")
def test_no_telling_is_of_several_people(fact):
    """"My family and I live in York", "our home is in York": then the mother's home is told, too."""
    tellings = (*fact.clauses, *fact.told, *fact.told_paraphrases[1::2])
    if fact.sort == "town":
        assert not [text for text in tellings if re.search(r"\b(we|our|us|with my)\b|\band I\b", text, re.IGNORECASE)]
    assert not [text for text in tellings if re.search(r"\bmy (son|daughter|sister|brother) (has|got)\b", text, re.IGNORECASE)]


def test_each_asks_for_something(curriculum):
    assert min(len(said(talk, "user")) - sum("I will remember" in text for text in said(talk, "assistant"))
               for talks in curriculum for talk in talks) >= 1


def test_the_seed_decides_and_draws_differ(curriculum):
    assert curriculum == make_curriculum(2400, np.random.default_rng(0))
    assert len({str(talk) for talk in curriculum[0]}) > 590
