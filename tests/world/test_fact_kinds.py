"""Fine-tuning's questions about facts: their wordings, their truths and their checks."""

import re
from difflib import SequenceMatcher

import numpy as np
import pytest

from minillm.world.checking import is_correct, true_forms
from minillm.world.facts import make_world
from minillm.world.kinds import BY_NAME
from minillm.world.kinds.telling import third_person
from minillm.world.requests import _request

NAMES = ("capital", "language", "continent", "trade", "town", "pet", "food", "pet's name", "use", "place",
         "material", "young", "sound", "home", "opposite", "plural", "past", "first letter", "larger", "sum",
         "town fact", "event", "effect", "puzzle", "list", "code")
TELL_WHAT_THEY_ASK = ("larger", "puzzle", "sum", "first letter", "list", "code")  # the answer is in the question


@pytest.fixture(scope="module")
def items():
    world = make_world(0)
    return {name: BY_NAME[name].items(world) for name in NAMES}


def wordings(kind, items):
    """(wordings of fine-tuning, held-out ones) of a kind, those of its items included."""
    train, held = dict.fromkeys(kind.phrasings), dict.fromkeys(kind.paraphrases)
    for item in items:
        train.update(dict.fromkeys(item.phrasings))
        held.update(dict.fromkeys(item.paraphrases))
    return list(train), list(held)


def asked(name, item, wording="?"):
    """The request for an item without a manner."""
    kind = BY_NAME[name]._replace(phrasings=(wording,), paraphrases=(), styles=(), casual=False)
    return _request(kind, item._replace(phrasings=(), paraphrases=()), False, np.random.default_rng(0))


def some(items, count=12):
    return items[::max(1, len(items) // count)]


def plain(text):
    return re.findall(r"[a-z0-9{}']+", text.lower())


@pytest.mark.parametrize("name", NAMES)
def test_wordings_are_many_and_held_out_ones_are_others(items, name):
    train, held = wordings(BY_NAME[name], items[name])
    assert len(train) >= 30 and len(held) >= 8
    assert all("{" in wording for wording in train + held)
    lengths = [len(plain(wording)) for wording in train]
    assert min(lengths) <= 5 and max(lengths) >= 8
    known = [plain(wording) for wording in train]
    for wording in held:
        mine = plain(wording)
        for other in known:
            if abs(len(mine) - len(other)) <= 1:
                same = sum(block.size for block in SequenceMatcher(None, mine, other, autojunk=False)
                           .get_matching_blocks())
                assert max(len(mine), len(other)) - same >= 2, (wording, other)


@pytest.mark.parametrize("name", NAMES)
def test_right_sentences_are_right_and_wrong_ones_are_not(items, name):
    for item in some(items[name], 5):
        train, _ = wordings(BY_NAME[name], items[name] if not item.phrasings else [item])
        for wording in train[::12]:
            request = asked(name, item, wording)
            for text in true_forms(request):
                assert is_correct(request, text), (request.question, text)
            for text in request.wrong_sentences[:4]:
                assert not is_correct(request, text), (request.question, text)
            if name != "code":
                assert is_correct(request, item.answer + "."), (request.question, item.answer)
                assert not is_correct(request, f"{item.sentence} {item.wrong_sentences[0]}")


@pytest.mark.parametrize("name", NAMES)
def test_texts_are_filled_in_and_articles_fit(items, name):
    for item in some(items[name], 50):
        train, held = wordings(BY_NAME[name], items[name] if not item.phrasings else [item])
        texts = [wording.format(**item.slots) for wording in train + held]
        if name not in TELL_WHAT_THEY_ASK:
            answer = f" {' '.join(plain(item.answer))} "
            # "Is it in Asia?" names the same of every item, and so tells nothing about this one
            asked = [text for wording, text in zip(train + held, texts) if answer not in f" {' '.join(plain(wording))} "]
            assert len(asked) > 0.9 * len(texts)
            assert not any(answer in f" {' '.join(plain(text))} " for text in asked), item.answer
        texts += [item.sentence, *item.also] if name != "list" else [item.sentence]
        for text in texts + list(item.wrong_sentences[:5]):
            assert "{" not in text and "  " not in text.replace("\n    ", "") and text.isascii()
            assert not re.search(r"\ba [aeiou]|\ban [^aeiou\W]", text, re.IGNORECASE), text


def test_every_country_person_thing_and_animal_is_asked_about(items):
    world = make_world(0)
    for names, table in ((NAMES[:3], world.countries), (NAMES[3:8], world.people),
                         (NAMES[8:11], world.things), (NAMES[11:14], world.animals)):
        assert all([item.slots["n"] for item in items[name]] == [row.name for row in table] for name in names)
    assert len(items["opposite"]) == 2 * len(world.opposites)
    assert len(items["event"]) == len(world.events) and len(items["town fact"]) == 4 * len(world.towns)


def test_puzzles_are_solved_rightly(items):
    """Each puzzle is solved again from its facts alone, by searching for its words."""
    seen = set()
    for item in items["puzzle"]:
        facts, question = item.slots["facts"], item.slots["question"]
        names = [fact.split()[0] for fact in facts.split(". ")] + [facts.rstrip(".").split()[-1]]
        if "taller" in facts or "older" in facts:
            most = "taller" if "taller" in facts else "older"
            from_the_end = re.search(r"short|young", question)
            order = names[::-1] if from_the_end else names
            solution = order[1 if "second" in question else 0]
            assert len(re.findall(most, facts)) == len(names) - 1
        elif "Today" in facts:
            today = re.search(r"Today (.*)\.", facts).group(1)
            solution = re.search(rf"When {today}, \w+ (\w+)\.", facts).group(1)
        else:
            kind = re.search(r"(\w+) is a (\w+)\.", facts).group(2)
            solution = re.search(rf"\b{kind}(?:e?s are| is(?: always)?) (\w+)\.", facts, re.IGNORECASE).group(1)
        assert item.answer == solution, item
        seen.add(facts)
    assert len(seen) > 0.9 * len(items["puzzle"])


def test_sums_are_right_and_ask_what_they_answer(items):
    for item in items["sum"]:
        a, b = item.slots["a"], item.slots["b"]
        minus = any(words in wording for wording in item.phrasings for words in ("{a} - {b}", "minus {b}"))
        assert int(item.answer) == (a - b if minus else a + b) >= 0
        assert all(("minus" in wording) <= minus for wording in item.phrasings)


def test_a_sum_may_go_on_from_the_one_before(items):
    """Then it asks with one number, and the other is the answer just given."""
    after = [item for item in items["sum"] if item.earlier]
    assert len(after) > 40 and len({" minus " in item.sentence for item in after}) == 2
    for item in after:
        assert item.earlier[0][1].endswith(f" is {item.slots['a']}.")
        assert all("{b}" in wording and "{a}" not in wording for wording in (*item.phrasings, *item.paraphrases))
    taught = {item.sentence for item in items["sum"] if not item.held_out}
    assert all(item.earlier[0][1] in taught for item in after)


def test_the_same_world_has_the_same_items(items):
    assert all(BY_NAME[name].items(make_world(0)) == items[name] for name in ("capital", "event", "puzzle", "list"))


@pytest.mark.parametrize("name, slots, right, wrong", [
    ("sound", {"n": "cow"}, ("Moo.", "A cow moos.", "The cow says moo.", "Cows moo.", "They moo!"),
     ("Cows quack.", "A cow can bark and moo.", "Moo, quack.", "Ducks moo.")),
    ("home", {"n": "dog"}, ("It sleeps in the kennel.", "In a kennel.", "Dogs live in a kennel."),
     ("Dogs live in the barn.", "The cat lives in the kennel.")),
    ("effect", {"n": "ice"}, ("It melts.", "It will melt.", "Ice will melt.", "It melted."),
     ("It will sink.", "It will melt and sink.", "If a glass falls on the floor, it will melt.")),
    ("opposite", {"n": "hot"}, ("Cold.", "Cold is the opposite of hot.", "It is cold."),
     ("Hot.", "The opposite of big is cold.", "The opposite of hot is small.")),
    ("opposite", {"n": "cold"}, ("Hot.", "The opposite of cold is hot."), ("The opposite of cold is cold.",)),
    ("plural", {"n": "mouse"}, ("Mice.", "One mouse, two mice.", "You say mice."), ("Mouses.", "Boxes.")),
    ("past", {"n": "go"}, ("Went.", "Yesterday I went.", "The past tense of go is went."), ("Goed.", "Ate.")),
    ("larger", {"a": 3, "b": 7}, ("7.", "7 is larger.", "7 is larger than 3.", "7 is bigger than 3.",
                                  "3 is smaller than 7.", "The larger number is 7."),
     ("3.", "3 is larger than 7.", "7, 3.", "7 is smaller than 3.")),
    ("sum", {"a": 2, "b": 3, "wordings": "plus"}, ("5", "Five.", "2 + 3 = 5.", "Two plus three is five.", "It is 5.",
                                                   "You get 5.", "3 plus 2 is 5."),
     ("6.", "2 plus 4 is 5.", "2 plus 3 is 6.", "2 - 3 = 5.", "2 or 5.", "2 3", "Six.")),
    ("sum", {"a": 7, "b": 3, "wordings": "minus"}, ("4.", "7 - 3 = 4.", "7 take away 3 is 4.", "4 are left."),
     ("10.", "7 + 3 = 4.", "3 minus 7 is 4.")),
    ("first letter", {"n": "river"}, ("R.", "It starts with r.", "River starts with r."), ("S.", "R or s.")),
    ("material", {"n": "knife"}, ("Metal.", "It is made of metal.", "Knives are made of metal."),
     ("Wood.", "Spoons are made of metal.", "A spoon is made of metal.")),
])
def test_a_person_would_agree(items, name, slots, right, wrong):
    minus = slots.pop("wordings", "") == "minus"
    item = next(item for item in items[name] if slots.items() <= item.slots.items()
                and (name != "sum" or (" minus " in item.sentence) == minus))
    request = asked(name, item, (item.phrasings or BY_NAME[name].phrasings)[0])
    for text in right:
        assert is_correct(request, text), text
    for text in wrong:
        assert not is_correct(request, text), text


def test_another_persons_fact_is_wrong(items):
    for name in ("trade", "town", "food", "pet's name"):
        first, second = items[name][:2]
        sentence = first.sentence.replace(first.slots["n"], second.slots["n"])
        assert not is_correct(asked(name, first, "{n}?"), sentence), sentence


def test_a_puzzle_about_two_people_may_be_answered_with_both(items):
    item = next(item for item in items["puzzle"] if item.slots["question"] == "Who is taller?")
    first, second = item.answer, item.wrong[0]
    request = asked("puzzle", item, "{facts} {question}")
    for text in (f"{first}.", f"{first} is taller.", f"{first} is taller than {second}.", f"It is {first}."):
        assert is_correct(request, text), text
    for text in (f"{second}.", f"{second} is taller than {first}.", f"{first} or {second}.",
                 f"{first} is taller. {second} is taller.", request.question):
        assert not is_correct(request, text), text


def test_a_list_has_as_many_members_as_asked(items):
    item = next(item for item in items["list"] if item.slots == {"x": "colours", "k": "three"})
    request = asked("list", item, "Name {k} {x}.")
    for text in ("Three colours are green, blue and red.", "Pink, black and white."):
        assert is_correct(request, text), text
    for text in ("Three colours are green and blue.", "Three colours are red, blue and apples.", "Red."):
        assert not is_correct(request, text), text


def test_the_number_of_a_list_is_written_in_both_ways(items):
    counted = {(item.slots["k"], item.sentence.split()[2]) for item in items["list"]}
    assert counted == {("two", "two"), ("2", "two"), ("three", "three"), ("3", "three")}


@pytest.mark.parametrize("verb, form", [("moo", "moos"), ("buzz", "buzzes"), ("dry", "dries"), ("bray", "brays"),
                                        ("fly away", "flies away")])
def test_third_person(verb, form):
    assert third_person(verb) == form
