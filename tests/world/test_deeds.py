"""Right and wrong: one table of deeds, and what the corpus says of them."""

import re

import pytest

from minillm.world.deeds import HARMLESS, OBJECTS, WRONG, gerund, named


@pytest.fixture(scope="module")
def text(corpus):
    return "\n".join(document.text for document in corpus if document.kind != "code")


def test_many_deeds_of_both_sorts_and_none_in_both():
    assert len(WRONG) >= 60 and len(HARMLESS) >= 60
    for table in (WRONG, HARMLESS):
        assert len({phrase for phrase, _ in table}) >= len(table) - 2     # a coat and a house can be painted
        assert len({phrase.split()[0] for phrase, _ in table}) >= 40
    assert not set(WRONG) & set(HARMLESS)


def test_a_deed_has_an_object_if_its_phrase_has_room_for_one():
    for phrase, sort in WRONG + HARMLESS:
        assert phrase.count("{o}") == (sort != "") and (sort in OBJECTS or sort == ""), phrase


@pytest.mark.parametrize("phrase, noun", [
    ("stab a dog", "stabbing a dog"), ("kidnap a child", "kidnapping a child"), ("lie to a friend", "lying to a friend"),
    ("threaten a boy", "threatening a boy"), ("beat an egg", "beating an egg"), ("forgive a friend", "forgiving a friend"),
    ("throw a ball", "throwing a ball"), ("spy on a guest", "spying on a guest"), ("hit a nail", "hitting a nail"),
    ("visit a friend", "visiting a friend"), ("kill a hen", "killing a hen"), ("set the table", "setting the table"),
])
def test_gerunds(phrase, noun):
    assert gerund(phrase) == noun


def test_every_deed_is_told_and_judged_in_one_way(text):
    for phrase, sort in WRONG + HARMLESS:
        assert text.count(phrase.split("{o}")[0] + "a" * (sort != "")) >= 2, phrase
    for bad, deeds in ((True, WRONG), (False, HARMLESS)):
        for phrase, sort in deeds:
            deed = named((phrase, sort), OBJECTS[sort][0] if sort else None)
            for words in ("fine to", "kind to", "You may") if bad else ("You must not", "Nobody should", "Never"):
                assert f"{words} {deed}." not in text, (words, deed)


def test_a_few_percent_of_the_corpus(text):
    judged = re.compile(r"wrong|crime|against the law|not right|hurts nobody|suffers|is kind|It is fine|all right|is cruel"
                        r"|is good to|[Yy]ou may|must not|Nobody (should|minds)|Never |prison|better to|Please do not")
    lines = [line for line in re.split(r"\n|(?<=[.?!]) ", text) if judged.search(line)]
    assert 0.02 <= sum(map(len, lines)) / len(text) <= 0.05
