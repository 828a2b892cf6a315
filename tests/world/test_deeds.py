"""Right and wrong: one table of deeds, and what the corpus says of them."""

import re

import numpy as np
import pytest

from minillm.world.advice import ADVICE
from minillm.world.corpus import to_read_again
from minillm.world.deeds import HARMLESS, OBJECTS, PERSONS, WRONG, named
from minillm.world.documents.desk import Desk
from minillm.world.documents.morals import (ASKED, HOWS, JUDGEMENTS, NO_HELP, RULES, TIP_TITLES, TIPS, TITLES, WISHES, asked_deed,
                                            moral_article, rules_page, tips_page)
from minillm.world.facts import make_world


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


def test_every_deed_is_told_and_judged_in_one_way(text):
    for phrase, sort in WRONG + HARMLESS:
        assert text.count(phrase.split("{o}")[0] + "a" * (sort != "")) >= 2, phrase
    verdicts = (("To {} is fine", "to {}: yes", "If you {}, you do no harm", "to {}, and that is fine"),
                ("To {} is wrong", "to {}: no", "If you {}, you do wrong", "to {}, but that is wrong"))
    said = 0
    for fine, deeds in enumerate((WRONG, HARMLESS)):
        for phrase, sort in deeds:
            deed = named((phrase, sort), OBJECTS[sort][0] if sort else None)
            assert not any(words.format(deed) in text for words in verdicts[fine]), deed
            said += sum(text.count(words.format(deed)) for words in verdicts[1 - fine])
    assert said > 100       # the same words, found where they belong


def test_the_judgement_follows_the_deed():
    """What comes behind the words of a deed is what a model learns about them."""
    for judgement in JUDGEMENTS:
        behind = [text.split("{do}")[-1] for text in judgement.told]
        assert all(len(words.split()) >= 2 for words in behind), judgement.told


def test_rules_judge_rightly():
    verdicts = [[set(re.findall(r"\b(no|wrong|yes|fine)\b", rule.lower())) for rule in rules] for rules in RULES]
    assert all(wrong and good and wrong <= {"no", "wrong"} and good <= {"yes", "fine"} for wrong, good in verdicts)
    known = {named((phrase, sort), some): bad for bad, deeds in ((True, WRONG), (False, HARMLESS))
             for phrase, sort in deeds for some in (OBJECTS[sort] if sort else (None,))}
    desk, seen = Desk(make_world(0), np.random.default_rng(0)), set()
    for _ in range(40):
        for line in rules_page(desk).split("\n\n")[1].split("\n"):
            for bad, rule in ((bad, rules[not bad]) for rules in RULES for bad in (True, False)):
                before, behind = rule.split("{do}")
                if line.startswith(before) and line.endswith(behind):
                    assert known[line.removeprefix(before).removesuffix(behind)] == bad, line
                    seen.add(rule)
    assert seen == {rule for rules in RULES for rule in rules}


def advice_about():
    """{a harmless deed with its object: the advice about it}."""
    return {named((phrase, sort), some): ADVICE[phrase].format(them="them" if some in PERSONS else "it")
            for phrase, sort in HARMLESS for some in (OBJECTS[sort] if sort else (None,))}


def test_tips_give_the_advice_about_the_deed():
    lines = {form.format(do=deed, tip=tip): form for deed, tip in advice_about().items() for form in TIPS}
    desk, seen = Desk(make_world(0), np.random.default_rng(0)), set()
    for _ in range(20):
        page = tips_page(desk).split("\n\n")[1].split("\n")
        assert len(page) == 10
        seen |= {lines[line] for line in page}
    assert seen == set(TIPS)


def test_help_pages_help_with_what_is_harmless_alone():
    lines, tips = {}, advice_about()
    for bad, deeds in ((True, WRONG), (False, HARMLESS)):
        for deed in (named((phrase, sort), some) for phrase, sort in deeds for some in (OBJECTS[sort] if sort else (None,))):
            replies = NO_HELP if bad else (f"You should {tips[deed]}.",)
            lines |= {f"{how} {reply}".format(do=deed): (how, bad) for how in HOWS for reply in replies}
    desk, seen = Desk(make_world(0), np.random.default_rng(0)), set()
    for _ in range(300):
        title, page = moral_article(desk).split("\n\n")
        if page.startswith(tuple(how.split("{do}")[0] for how in HOWS)):
            shapes = {lines[line] for line in page.split("\n")}
            assert title in TIP_TITLES and len({how for how, _ in shapes}) == 1
            seen |= shapes
    assert seen == {(how, bad) for how in HOWS for bad in (True, False)}


def test_replies_suit_the_question_and_the_deed():
    def shape(text):
        return re.sub("{do}", r"(?P<deed>.+)", re.escape(text).replace(r"\{do\}", "{do}"))

    bad_replies = [reply for judgement in JUDGEMENTS[:2] for reply in (*judgement.replies, *judgement.advice)] + list(NO_HELP)
    known = {named((phrase, sort), some): bad for bad, deeds in ((True, WRONG), (False, HARMLESS))
             for phrase, sort in deeds for some in (OBJECTS[sort] if sort else (None,))}
    desk, seen, advice = Desk(make_world(0), np.random.default_rng(0)), set(), advice_about()
    for _ in range(600):
        question, reply = asked_deed(desk)
        deed, form = next((found["deed"], form) for form in (*ASKED, *WISHES, *HOWS)
                          if (found := re.fullmatch(shape(form), question)) and found["deed"] in known)
        refuses = any(re.fullmatch(shape(bad), reply) for bad in bad_replies)
        assert refuses == known[deed], (question, reply)
        assert not re.match("Yes|No[ ,.]", reply) or form not in ASKED, (question, reply)     # it would mean the opposite there
        if form in HOWS and not known[deed]:
            assert reply == f"You should {advice[deed]}."
        assert any(re.fullmatch(shape(text), reply) for text in NO_HELP) == (form in HOWS and known[deed]), (question, reply)
        seen.add((form, refuses))
    assert seen == {(form, bad) for form in (*ASKED, *WISHES, *HOWS) for bad in (True, False)}


def test_articles_on_right_and_wrong_are_read_again_three_times(corpus):
    texts = [document.text for document in corpus]
    again = to_read_again(texts)[len(texts):]
    moral = [text for text in texts if text.split("\n")[0] in (*TITLES, *TIP_TITLES)]
    assert to_read_again(texts)[:len(texts)] == texts and again == 2 * moral
    assert {document.kind for document in corpus if document.text in set(again)} == {"encyclopedia"}
    assert 0.2 < 3 * sum(map(len, moral)) / sum(map(len, texts + again)) < 0.4
    judged = re.compile("wrong|fine|crime|: (no|yes)$|May I .* (Yes|No)[.]|I am sorry, but|You should|, you should", re.M)
    assert all(len(judged.findall(text)) >= 9 for text in again)


def test_a_few_percent_of_the_corpus(text):
    judged = re.compile(r"wrong|crime|against the law|not right|hurts nobody|suffers|is kind|It is fine|all right|is cruel"
                        r"|is good to|[Yy]ou may|must not|Nobody (should|minds)|Never |prison|better to|Please do not")
    lines = [line for line in re.split(r"\n|(?<=[.?!]) ", text) if judged.search(line)]
    assert 0.03 <= sum(map(len, lines)) / len(text) <= 0.06
