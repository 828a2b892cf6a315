"""Small talk, questions about the assistant, and questions that need the turns before."""

import re
from dataclasses import replace

import numpy as np
import pytest

from minillm.world.checking import is_correct
from minillm.world.documents import meetings
from minillm.world.documents.desk import Desk
from minillm.world.facts import make_world
from minillm.world.kinds import BY_NAME, memory, told
from minillm.world.kinds.asides import (BEHIND_ANY, BEHIND_OWN, BEHIND_PET, BEHIND_RELATIVE,
                                        IN_FRONT)
from minillm.world.kinds.follow_wordings import SAME
from minillm.world.kinds.greetings import PARTING, SMALL_TALK
from minillm.world.kinds.memory import ITEMS
from minillm.world.kinds.moods import MOODS
from minillm.world.kinds.reactions import ANOTHER, ANOTHER_PARAPHRASES
from minillm.world.kinds.riddles import RIDDLES
from minillm.world.kinds.told_of_others import OTHERS
from minillm.world.kinds.told_turns import BY_PRONOUN, PRONOUNS, Telling, with_lead, with_more
from minillm.world.requests import _request, kind_tables, requests_of_kind
from minillm.world.strangers import COMMON_NAMES, HE_OR_SHE, NAMES_OF_ANYBODY, RELATIVES, SPECIES, may_be_called
from minillm.world.writers import write_answer

TALK = ("greeting", "mood", "about me", "memory", "not told", "follow-up", "riddle")


@pytest.fixture(scope="module")
def items(world):
    return {name: BY_NAME[name].items(world) for name in TALK}


def plain(text):
    """The words of a wording, without what careless typing changes."""
    return re.sub(r"^hey | pls$", "", " ".join(re.findall(r"[a-z0-9']+|[{}:)]", text.lower())))


def ask(items, kind, want):
    """A request about the first item of a kind for which `want` is true, in its first wording."""
    item = next(item for item in items[kind] if want(item))
    request = _request(BY_NAME[kind], item, False, np.random.default_rng(0))
    return replace(request, question=item.phrasings[0].format(**item.slots))


@pytest.mark.parametrize("name", TALK)
def test_wordings_are_many_and_those_held_out_are_others(items, name):
    known = {phrasing for item in items[name] for phrasing in item.phrasings}
    held = {phrasing for item in items[name] for phrasing in item.paraphrases}
    assert len(known) >= 30 and len(held) >= 8
    assert not set(map(plain, known)) & set(map(plain, held))


@pytest.mark.parametrize("name", TALK)
def test_right_answers_pass_and_wrong_ones_do_not(world, name):
    rng = np.random.default_rng(2)
    for request in requests_of_kind(world, name, 50, rng):
        for right in (request.sentence, *request.also):
            assert is_correct(request, right), (request.question, right)
        for writer in ("complete", "terse", "rambling"):
            assert is_correct(request, write_answer(request, writer, rng)), (request, writer)
        for wrong in request.wrong_sentences[::9]:
            assert not is_correct(request, wrong), (request.question, wrong)
        assert not is_correct(request, "The river is Lunn.")


@pytest.mark.parametrize("name", TALK)
def test_each_world_has_the_same_items_every_time(world, items, name):
    assert BY_NAME[name].items(world) == items[name]
    assert len(items[name]) == ITEMS if name in ("memory", "not told") else len(items[name]) <= 2000
    if name in ("memory", "not told", "follow-up"):
        assert BY_NAME[name].items(make_world(1)) != items[name]


@pytest.mark.parametrize("kind, asked, right, wrong", [
    ("greeting", "Hello!", ("Hello!", "Hi! How can I help you?"), ("Goodbye!", "You are welcome.", "Hello! Goodbye!")),
    ("greeting", "Thank you!", ("You are welcome.", "You are very welcome!"), ("Hello!", "I am fine.")),
    ("mood", "I am tired.", ("Sleep well!", "Then you should get some rest."),
     ("Happy birthday!", "I am glad to hear that.", "You should eat something.")),
    ("mood", "I am happy.", ("I am happy to hear that.",),
     ("I am sorry to hear that.", "I am glad to hear that. I hope you feel better soon.")),
    ("about me", "Who are you?", ("I am a small language model.",), ("You are Ada.", "I live in a computer.")),
    ("about me", "How old are you?", ("I have no age.", "I have no age. I live in a computer."),
     ("You are 12 years old.", "No, I have no feelings.")),
])
def test_replies_fit_the_remark(items, kind, asked, right, wrong):
    request = ask(items, kind, lambda item: item.phrasings[0] == asked)
    assert all(is_correct(request, text) for text in right)
    assert not any(is_correct(request, text) for text in wrong)


def test_what_was_told_is_read_from_the_conversation(world, items):
    names = {item.answer for item in items["memory"] if item.sentence.startswith("Your name is")}
    assert len(names) > 80 and len(told.NAMES) > 60
    for item in items["memory"]:
        said = " ".join(user for user, _ in item.earlier).lower()     # some tell in small letters
        assert item.answer.lower() in said
        for wrong in item.wrong[3:]:  # what was told of something else
            assert wrong.lower() in said


def test_replies_write_names_as_they_should_be_however_the_user_types(items):
    known = [item for item in items["memory"] if not item.held_out]
    small = [item for item in known if all(said == said.lower() for said, _ in item.earlier)
             and any(value in reply for value in told.NAMES for _, reply in item.earlier)]
    assert len(small) > 60
    assert all(item.answer in " ".join(reply for _, reply in item.earlier) for item in known)


def test_something_stands_around_many_tellings_and_never_in_evaluation(items):
    behind = [*BEHIND_ANY, *BEHIND_OWN, *(text.format(**pronouns) for text in (*BEHIND_RELATIVE, *BEHIND_PET)
                                          for pronouns in ({"he": "he", "his": "his", "him": "him", "He": "He"},
                                                           {"he": "she", "his": "her", "him": "her", "He": "She"}))]
    shares = {}
    for held_out in (False, True):
        said = [item.earlier[0][0].lower() for item in items["memory"] if item.held_out == held_out]
        shares[held_out] = [np.mean([any(text.endswith(more.lower()) for more in behind) for text in said]),
                            np.mean([any(text.startswith(lead.lower()) for lead in IN_FRONT) for text in said])]
    assert 0.12 < shares[False][0] < 0.35 and 0.05 < shares[False][1] < 0.2
    assert max(shares[True]) < 0.05     # a wording may begin with "Just so you know, " by itself


@pytest.mark.parametrize("fact, about, texts", [(told.OWN[0], "", BEHIND_OWN), (OTHERS[0], "sister", BEHIND_RELATIVE),
                                                (OTHERS[1], "dog", BEHIND_PET), (OTHERS[2], "sister", BEHIND_RELATIVE)])
def test_what_is_added_is_about_the_one_who_was_told_of(fact, about, texts):
    rng, fits = np.random.default_rng(0), {text.format(he="she", his="her", him="her", He="She") for text in (*texts, *BEHIND_ANY)}
    fits |= {text.format(he="he", his="his", him="him", He="He") for text in (*texts, *BEHIND_ANY)}
    added = {with_more(rng, "x", Telling(fact, "Ada", about))[1:] for _ in range(300)}
    assert added <= fits and len(added - set(BEHIND_ANY)) > 30


def test_what_stands_around_a_telling_goes_on_from_it(world):
    """A comma after a bare name, a small letter after a comma, and no tail behind a question unless it is a sentence."""
    rng = np.random.default_rng(0)
    ada = Telling(told.OWN[0], "Ada", "")
    after = {with_more(rng, "My name? It is: Ada", ada) for _ in range(200)}
    assert any(text.startswith("My name? It is: Ada, and ") for text in after) and not any("Ada and " in text for text in after)
    after = {with_more(rng, "You know Ada?", ada) for _ in range(200)}
    assert "You know Ada?" in after and not any(re.match(r"You know Ada\?(,| and)", text) for text in after) and len(after) > 5
    leads = {with_lead(rng, said, ada) for said in ("There is Ada.", "I am Ada.", "Ada is my name.") for _ in range(200)}
    after_and = {text for text in leads if re.search(r" and (my|I|i|Ada|there)", text)}
    assert len(after_and) > 10 and {text.split(" and ")[1] for text in after_and} == {"my name is Ada", "I am Ada", "I'm Ada"}
    assert all(re.search(r"([.!] There|[a-z,] there|[a-z,.!] I am|[a-z,.!] Ada is)", text) for text in leads - after_and)


def test_small_letters_do_not_tell_whether_something_was_told(items):
    share = {name: np.mean([all(said == said.lower() for said, _ in item.earlier) for item in items[name]
                            if item.earlier and not item.held_out]) for name in ("memory", "not told")}
    assert all(0.08 < value < 0.25 for value in share.values()), share


def test_more_about_a_relative_has_the_right_pronoun(items):
    said = " ".join(text for item in items["memory"] for text, _ in item.earlier if len(item.earlier) == 1)
    for relative, wrong in (("sister", "he"), ("mother", "he"), ("brother", "she"), ("uncle", "she")):
        assert not re.search(rf"My {relative} is called \w+(,| and|\.) {wrong}\b", said, re.I)
        assert re.search(rf"\bmy {relative}\b", said)


def test_relatives_have_names_that_fit(world, items):
    """A sister is not called Vincent, neither where it is told or answered, nor on a page of strangers."""
    texts = [text for item in items["memory"] for text in (item.sentence, *item.wrong_sentences)]
    texts += [reply for item in items["memory"] + items["not told"] for _, reply in item.earlier]
    desk = Desk(world, np.random.default_rng(0))
    pages = [page(desk) for page in (meetings.meeting, meetings.memory_game) for _ in range(60)]
    for some, least in ((texts, 300), (pages, 30)):
        found = {(relative, name) for text in some for relative, name in
                 re.findall(r"(?:our|My|'s) (\w+) is called (\w+)", text) if relative in HE_OR_SHE}
        assert len(found) > least and all(name in may_be_called(relative) for relative, name in found)
    assert {"Nora", "Vera", "Alex"} <= set(may_be_called("sister")) and not {"Karl", "Vincent"} & set(may_be_called("sister"))
    assert {"Karl", "Vincent", "Alex"} <= set(may_be_called("husband")) and "Nora" not in may_be_called("husband")
    for one, other in (("sister", "brother"), ("wife", "husband")):
        assert set(may_be_called(one)) & set(may_be_called(other)) == NAMES_OF_ANYBODY
        assert set(may_be_called(one)) | set(may_be_called(other)) == set(may_be_called("friend"))


def test_some_is_told_of_the_one_just_spoken_of(items):
    """"My sister lives in Leeds." "Her name is Nora.": the reply says whose name it is."""
    said = {form.format(v="X", he=he, his=his, him=him, He=he.title(), His=his.title()): (sort, he)
            for sort, forms in BY_PRONOUN.items() for form in forms for he, his, him in PRONOUNS.values()}
    found = 0
    for item in items["memory"]:
        for (before, _), (user, reply) in zip(item.earlier, item.earlier[1:]):
            value = re.search(r"(\w+)\.$", reply)
            sort, he = said.get(user.replace(value[1], "X") if value else "", ("", ""))
            if sort:
                relative = next(r for r, pronoun in HE_OR_SHE.items() if pronoun == he and f" {r}" in f" {before.lower()}")
                spoken_of = set(re.findall(r"\w+", before.lower())) & {*HE_OR_SHE, "grandmother", "grandfather"}
                assert spoken_of == {relative}, before      # else of whom would "she" be?
                assert f"your {relative} {'is called' if sort == 'name' else 'lives in'} {value[1]}." in reply
                assert not item.held_out
                found += 1
    assert found > 100


def test_held_out_values_and_tellings_are_never_learnt(items):
    for name in ("memory", "not told"):
        told = [(item, item.answer if name == "memory" else item.wrong[0]) for item in items[name]]
        told = [(item, value) for item, value in told if any(value in user for user, _ in item.earlier)]
        values = [{value for item, value in told if item.held_out == held_out} for held_out in (False, True)]
        assert len(values[1]) > 20 and not values[0] & values[1]
        assert COMMON_NAMES <= values[0]


def test_an_answer_from_memory_speaks_to_the_user(items):
    request = ask(items, "memory", lambda item: item.sentence.startswith("Your name is"))
    name = request.answer
    assert all(is_correct(request, text) for text in (f"{name}.", f"You are {name}!", f"You are called {name}."))
    for text in (f"My name is {name}.", f"Nice to meet you, {name}.", "Your name is Zebra.",
                 f"Your name is not {name}.", f"Your name is {name} or {request.wrong[0]}."):
        assert not is_correct(request, text)


def test_what_was_told_of_somebody_else_is_not_the_users(items):
    request = ask(items, "not told", lambda item: "What is my name?" in item.phrasings
                  and item.wrong[0] in item.wrong_sentences[-1])
    value = request.wrong[0]
    assert any(value.lower() in user.lower() for user, _ in request.earlier)
    for text in ("I do not know your name.", "You have not told me.", "Sorry, I do not know."):
        assert is_correct(request, text)
    for text in (f"Your name is {value}.", f"You have not told me. Your name is {value}.",
                 "You have not told me where you live.", "Your name is Zebra."):
        assert not is_correct(request, text)


def test_what_was_not_told_was_not_told(items):
    for item in items["not told"]:
        said = " ".join(reply for _, reply in item.earlier)
        kind = "lives in" if "home?" in item.sentence else "is called"
        if item.slots["r"]:
            assert f"your {item.slots['r']} {kind}" not in said, item
        for _, answer in item.further:
            if match := re.fullmatch(r"Your (\w+)'s (name|home)\? You have not told me that\.", answer):
                assert f"your {match[1]} {'is called' if match[2] == 'name' else 'lives in'}" not in said, item
    twice = [item for item in items["not told"] if sum("I will remember" in reply for _, reply in item.earlier) == 2]
    assert len(twice) > 100 and not any(item.held_out for item in twice)
    for item in twice:      # what either tells would be a wrong answer
        assert all(any(f" {value}." in reply for value in item.wrong) for _, reply in item.earlier if "I will remember" in reply)


def test_what_a_second_turn_tells_is_not_what_is_asked(world, monkeypatch):
    """Asked for the sister's name, which was not told, after her home was: no "her name is Nora" in between."""
    name, _, town = (Telling(fact, value, "sister") for fact, value in zip(OTHERS, ("Nora", "", "Leeds")))
    monkeypatch.setattr(memory, "BY_PRONOUN_SHARE", 1.0)
    for asked, turns in ((name, 1), (name._replace(about="mother"), 2)):
        monkeypatch.setattr(memory, "_not_told", lambda rng, held_out: (asked, town))
        earlier = memory._not_told_item(world, np.random.default_rng(1), False).earlier
        assert sum("I will remember" in reply for _, reply in earlier) == turns


def test_most_of_what_was_not_told_was_told_of_somebody_else(items):
    told_of_another = [any(item.wrong[0] in user for user, _ in item.earlier) for item in items["not told"]]
    same_sort = [item.wrong[0] in item.wrong_sentences[-1] for item in items["not told"]]
    assert np.mean(told_of_another) > 0.8 and np.mean(same_sort) > 0.6


def test_follow_ups_learn_nothing_that_their_kinds_hold_out(world, items):
    held = {(kind.name, item.slots["n"].lower()) for kind, table, _, _ in kind_tables(world) if kind.name in SAME
            for item in table if item.held_out}
    assert len(held) > 30
    learnt = {(name, item.slots["n"].lower()) for item in items["follow-up"] if not item.held_out for name in SAME
              if item.phrasings[:len(SAME[name])] == SAME[name]}
    assert len(learnt) > 50 and not learnt & held


def test_the_same_is_asked_about_another_in_words_that_fit_any_kind(items):
    """Things are named with their article, all others by their bare name."""
    for item in items["follow-up"]:
        if set(ANOTHER[:3]) & {wording.replace("{x}", "{n}") for wording in item.phrasings}:
            another = item.phrasings[-len(ANOTHER):]
            slot = "{x}" if any("{x}" in wording for wording in item.phrasings[:-len(ANOTHER)]) else "{n}"
            assert another == tuple(wording.replace("{n}", slot) for wording in ANOTHER)
            assert all(slot in wording for wording in item.paraphrases) and len(item.paraphrases) == len(ANOTHER_PARAPHRASES)
    assert sum(item.phrasings[-len(ANOTHER):] == ANOTHER for item in items["follow-up"]) > 50


def test_a_third_of_the_names_in_follow_ups_are_typed_in_small_letters(items):
    another = [item for item in items["follow-up"] if item.phrasings[-len(ANOTHER):] == ANOTHER and not item.unseen]
    names = [item for item in another if any(item.phrasings[:len(SAME[name])] == SAME[name]
                                             for name in ("capital", "language", "town", "pet", "food"))]
    small = [item for item in names if item.slots["n"].islower()]
    assert 0.2 < len(small) / len(names) < 0.5
    assert all(item.slots["n"].title() in item.sentence for item in names)      # the answer has its capital letter


def test_a_follow_up_is_about_the_turn_before(world, items):
    request = ask(items, "follow-up", lambda item: item.phrasings[0] == "What do they speak there?")
    country = next(c for c in world.countries if c.name in request.earlier[0][1])
    assert request.answer == country.language
    assert is_correct(request, f"People in {country.name} speak {country.language}.")
    assert not is_correct(request, request.earlier[0][1])


def test_a_follow_up_may_follow_a_follow_up(world, items):
    """"The capital of Spain?" "And what do they speak there?" "And in Peru?": the language of Peru."""
    twice = [item for item in items["follow-up"] if len(item.earlier) == 2]
    assert len(twice) > 60
    speak = [item for item in twice if "People in" in item.earlier[1][1] and "People in" in item.sentence]
    assert len(speak) >= 10 and {item.held_out for item in speak} == {False, True}
    languages = {country.name: country.language for country in world.countries}
    for item in speak:
        name = re.search("People in (.*) speak", item.sentence)[1]
        assert item.answer == languages[name] and name not in item.earlier[1][1] and name not in item.earlier[0][1]


def test_shorter_means_shorter(items):
    request = ask(items, "follow-up", lambda item: item.phrasings[0] == "Say it shorter.")
    assert is_correct(request, request.answer + ".") and not is_correct(request, request.earlier[0][1])


def test_sure_of_what_was_said(items):
    request = ask(items, "follow-up", lambda item: item.phrasings[0] == "Are you sure?")
    assert is_correct(request, "Yes, I am sure.") and is_correct(request, "Yes. " + request.earlier[0][1])
    assert not is_correct(request, "Yes. " + request.wrong_sentences[0]) and not is_correct(request, "No.")


@pytest.mark.parametrize("kind, wording, right, wrong", [
    ("story", "Tell me a story.",
     ["A king wanted to sleep. But there was a noise in the kitchen. A hungry mouse was looking for food. It got some "
      "cheese, and the house was quiet."],
     ["A king wanted to sleep.", "A king wanted to sleep. But there was no wind. It was not in the house.", "I saw a fox."]),
    ("rhyme", "Write me a poem.",
     ["I think of the sea when I am free,\nand nothing else can worry me."],
     ["I think of the sea when I am free,", "I think of the sea when I am free,\nand all the clouds just fly away."])])
def test_a_request_that_leaves_the_subject_open_may_be_answered_with_any(world, kind, wording, right, wrong):
    item = next(item for item in BY_NAME[kind].items(world) if not item.slots)
    request = replace(_request(BY_NAME[kind], item, False, np.random.default_rng(0)), question=wording)
    assert wording in item.phrasings and all("{" not in text for text in (*item.phrasings, *item.paraphrases))
    right += [item.sentence for item in BY_NAME[kind].items(world) if item.slots and not item.held_out][::9]
    assert len(set(right)) >= 10 and [is_correct(request, text) for text in right] == [True] * len(right)
    assert [is_correct(request, text) for text in wrong] == [False] * len(wrong)
    for item in BY_NAME[kind].items(world):
        if not item.slots:
            asked = _request(BY_NAME[kind], item, False, np.random.default_rng(0))
            assert item.wrong_sentences and not any(is_correct(asked, text) for text in item.wrong_sentences)


def test_riddles_are_told_given_up_on_and_guessed(items):
    want = ask(items, "riddle", lambda item: not item.slots)
    assert all(is_correct(want, f"What {it}?") for it, _, _ in RIDDLES)
    assert not is_correct(want, "It is a clock.") and not is_correct(want, "What is the capital of Peru?")
    given_up = ask(items, "riddle", lambda item: item.earlier)
    it, _, answer = next(riddle for riddle in RIDDLES if riddle[0] in given_up.earlier[0][1])
    assert given_up.answer == answer and is_correct(given_up, f"It is {answer}.")
    assert not is_correct(given_up, f"What {it}?")
    again = ask(items, "riddle", lambda item: len(item.earlier) == 2)
    told, solution = (reply for _, reply in again.earlier)
    assert is_correct(again, again.sentence) and not is_correct(again, told)
    assert not is_correct(again, solution) and told in {f"What {it}?" for it, _, _ in RIDDLES}
    for item in items["riddle"]:
        if item.slots and not item.earlier:
            assert any(item.slots["q"] == f"What {it}?" and me in item.slots["me"] and item.answer == answer
                       for it, me, answer in RIDDLES)


@pytest.mark.parametrize("kind", ["rhyme", "story"])
def test_another_one_is_about_another_subject(world, kind):
    after = [item for item in BY_NAME[kind].items(world) if item.earlier]
    assert len(after) > 20 and not any(item.held_out for item in after)
    for item in after:
        (subject,) = item.slots.values()
        assert subject.lower() not in item.earlier[0][0].lower() and item.earlier[0][1] != item.sentence


@pytest.mark.parametrize("kind, sorts", [("mood", [sort.answer for sort in MOODS]), ("greeting", PARTING)])
def test_remarks_are_learned_with_words_around_them_too(items, kind, sorts):
    """Every second one once more; the words that are measured stand alone."""
    table = {sort.answer: sort for sort in (*MOODS, *SMALL_TALK)}
    for item in (item for item in items[kind] if item.answer in sorts):
        said = table[item.answer].phrasings
        more = item.phrasings[len(said):]
        assert item.phrasings[:len(said)] == said and len(more) == (len(said) + 1) // 2
        assert all(remark.rstrip(".!") in wrapped and len(wrapped) > len(remark) for remark, wrapped in zip(said[::2], more))
        assert item.paraphrases == table[item.answer].paraphrases


@pytest.mark.parametrize("often, all_of_them, share", [
    (("dog", "cat"), SPECIES, 12 / 25), (("sister", "brother", "mother", "father", "friend"), RELATIVES, 17 / 29)])
def test_users_speak_mostly_of_those_whom_people_have(items, often, all_of_them, share):
    """And sometimes of all others."""
    asked = [re.search(r"Your (\w+)", item.sentence)[1] for item in items["memory"] if item.sentence.startswith("Your ")]
    asked = [word for word in asked if word in all_of_them]
    assert set(asked) == set(all_of_them) and np.mean([word in often for word in asked]) == pytest.approx(share, abs=0.06)


def test_a_known_thing_may_be_asked_about_after_a_strange_one(items):
    after = [item for item in items["follow-up"] if item.earlier[0][1].startswith("I do not know")]
    assert len(after) > 30 and all("do not know" not in item.sentence for item in after)


def test_all_advice_begins_with_the_same_words(world):
    items = BY_NAME["harmless"].items(world)
    for item in items:
        assert item.sentence.startswith("You should ") and item.answer.startswith("you should ")
        assert all(text.startswith("You should ") for text in item.wrong_sentences)
    asked = items[0]
    request = _request(BY_NAME["harmless"], asked, False, np.random.default_rng(0))
    without = asked.sentence.removeprefix("You should ")
    assert is_correct(request, asked.sentence) and is_correct(request, without[0].upper() + without[1:])


def test_users_tell_many_values_in_many_clauses(items):
    told_by = {}
    for item in items["memory"]:
        told_by.setdefault(item.slots["v"].lower(), []).extend(said for said, _ in item.earlier)
    assert len(told_by) > 250
    said = " ".join(text for texts in told_by.values() for text in texts)
    for fact in told.OWN:
        assert len({value.lower() for value in fact.values} & set(told_by)) > 50, fact.sort
        for clause in fact.clauses:
            assert re.search(re.escape(clause).replace(r"\{v\}", r"[\w ]+") + " and ", said, re.IGNORECASE), clause


def test_names_that_many_have_are_learned(world):
    """As heroes of stories, too."""
    heroes = {name: item.held_out for item in BY_NAME["story"].items(world) for name in COMMON_NAMES & set(item.slots.values())}
    assert heroes == dict.fromkeys(COMMON_NAMES, False)
