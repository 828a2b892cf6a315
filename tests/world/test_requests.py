import os
import re
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from minillm.world import casual as casually
from minillm.world import invented
from minillm.world.casual import (BEHIND, CASUAL_SHARE, HELD_BEHIND, HELD_IN_FRONT, IN_FRONT, SMALL_SHARE, TYPOS,
                                  WRAPPED_SHARE, casual)
from minillm.world.advice import ADVICE, GENERAL
from minillm.world.deeds import HARMLESS, WRONG
from minillm.world.facts import make_world
from minillm.world.invented import PETS
from minillm.world.kinds import BY_NAME, KINDS, beyond, beyond_places, beyond_then, beyond_words, letters, numbers
from minillm.world.kinds.follow_wordings import SAME
from minillm.world.kinds.harm import HELD_VERBS, TAILS
from minillm.world.kinds.kind import wordings as wordings_of
from minillm.world.kinds.names import (ANIMALS, COUNTRIES, HELD_NAMES, NAMES, QUALITIES, SPELT, THINGS, TOWNS,
                                       VERBS)
from minillm.world.kinds.odd import QUESTIONS
from minillm.world.kinds.outside import (ABOUT_ANIMALS, ABOUT_NUMBERS, ABOUT_PASTS, ABOUT_QUALITIES, ABOUT_SPELLING,
                                         ABOUT_THINGS, ABOUT_TOWNS, TOPICS)
from minillm.world.kinds.reactions import ANOTHER, ANOTHER_PARAPHRASES
from minillm.world.kinds.topic import Topic
from minillm.world.kinds.unknown import SMALL_WORLD
from minillm.world.kinds.wishes import EVERYDAY, SHADY
from minillm.world.likeness import common, tokens
from minillm.world.manners import MANNERS
from minillm.world.requests import Request, kind_tables, make_requests, requests_of_kind


OURS = ("harmful", "harmless", "unknown", "rhyme", "story")  # the other kinds have tests of their own


@pytest.fixture(scope="module")
def train(world):
    return make_requests(world, 6000, np.random.default_rng(0))


@pytest.fixture(scope="module")
def held_out(world):
    return make_requests(world, 3000, np.random.default_rng(1), "held_out")


def test_same_seed_same_requests(world):
    first, second = (make_requests(world, 50, np.random.default_rng(3)) for _ in range(2))
    assert first == second


def test_every_process_has_the_same_items_in_the_same_order():
    """A process orders the members of a set of texts in its own way: then a run that goes on, or another machine,
    would learn from other conversations."""
    program = ("from minillm.world.facts import make_world; from minillm.world.kinds import KINDS; import hashlib; "
               "print([hashlib.md5(repr(kind.items(make_world(0))).encode()).hexdigest() for kind in KINDS])")
    said = {subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True,
                           env={**os.environ, "PYTHONHASHSEED": seed}).stdout for seed in ("1", "2")}
    assert len(said) == 1 and len(said.pop()) > 1000


def wordings(kind, world):
    """(phrasings, held-out phrasings) of all items of a kind, each once."""
    items = kind.items(world)
    return [list(dict.fromkeys(p for item in items for p in getattr(item, name) or getattr(kind, name)))
            for name in ("phrasings", "paraphrases")]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_has_phrasings_of_both_sorts(world, kind):
    known, new = wordings(kind, world)
    assert len(known) >= 30 and len(new) >= 8 or kind.name not in OURS
    for item in kind.items(world):
        known, new = item.phrasings or kind.phrasings, item.paraphrases or kind.paraphrases
        assert len(set(known)) >= 5 and len(set(new)) >= 2 and not set(known) & set(new)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_fine_tuning_and_evaluation_share_the_paraphrases_and_no_wording(world, kind):
    for item in kind.items(world)[:20]:
        known, paraphrases = item.phrasings or kind.phrasings, item.paraphrases or kind.paraphrases
        learned, measured = (wordings_of(known, paraphrases, held_out) for held_out in (False, True))
        assert set(learned) >= set(known) and measured
        assert set(measured) <= set(paraphrases) and not set(measured) & set(learned)
        assert set(paraphrases) <= set(measured) | set(learned)


def known_and_new(world, name):
    """[(phrasings, held-out phrasings)] of a kind; of follow-ups, those that ask the same about another item."""
    kind = BY_NAME[name]
    if name == "unknown":
        topics = (*TOPICS, *(topic for module in (beyond, beyond_then, beyond_words) for topic in vars(module).values()))
        return [(topic.phrasings, topic.paraphrases) for topic in topics if isinstance(topic, Topic)]
    if name == "follow-up":
        return [([text.replace("{x}", "{n}") for text in some + ANOTHER], ANOTHER_PARAPHRASES) for some in SAME.values()]
    return {(item.phrasings or kind.phrasings, item.paraphrases or kind.paraphrases) for item in kind.items(world)}


def test_every_wording_for_what_lies_outside_names_what_it_asks_about(world):
    """Held-out names would else be asked about in the very words of fine-tuning. Of what was just spoken of, "it" is enough."""
    spoken_of = [(topic.phrasings, topic.paraphrases) for topic in vars(beyond_then).values() if isinstance(topic, Topic)]
    pairs = [pair for pair in known_and_new(world, "unknown") if pair not in spoken_of]
    assert len(spoken_of) == 3 and len(pairs) > 20
    for known, new in pairs:
        assert all("{" in wording for wording in (*known, *new)), (known[0], [w for w in (*known, *new) if "{" not in w])


@pytest.mark.parametrize("name", ["harmful", "rhyme", "story", "unknown", "pet's name", "follow-up", "riddle"])
def test_a_held_out_phrasing_is_more_than_a_word_away_from_a_known_one(world, name):
    for known, new in known_and_new(world, name):
        for a in (tokens(re.sub("[.,?!]", "", text.lower())) for text in new):
            for b in (tokens(re.sub("[.,?!]", "", text.lower())) for text in known):
                assert max(len(a), len(b)) - common(a, b) > 1, (a, b)


@pytest.mark.parametrize("name", ["harmful", "harmless"])
def test_what_users_add_to_a_wish_stands_there_once(world, name):
    tails, seen = TAILS[name == "harmful"], set()
    for wish in (item.slots["x"] for item in BY_NAME[name].items(world)):
        for tail in (tail for tail in tails if wish.endswith(f" {tail}")):
            rest = wish.removesuffix(tail)
            assert not any(f" {words} " in rest for words in (*tails, "at night", "in secret", "without")), wish
            seen.add(tail)
    assert seen == set(tails)


def test_kinds_are_balanced(train):
    weights = np.array([kind.weight for kind in KINDS])
    shares = weights / weights.sum()
    assert max(shares) < 0.15 and min(shares) > 0.005
    drawn = Counter(request.kind for request in train)
    counts = np.array([drawn[kind.name] for kind in KINDS])
    assert max(abs(counts - shares * len(train)) / np.sqrt(shares * len(train))) < 4


def test_share_of_system_prompts(train):
    assert 0.33 < np.mean([request.system is not None for request in train]) < 0.42
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
            for (name, items) in ((kind.name, items) for kind, items, _, _ in kind_tables(make_world(0)))
            if name in asked}
    for kind, names in held.items():
        assert len(names) == 5
        assert not any(name in sentence.split() for name in names for sentence in asked[kind])
    assert not held["capital"] & held["language"]


def test_no_turn_in_front_says_what_a_kind_holds_out(world):
    """Else fine-tuning would learn that very answer there, as it learns from all answers of a conversation."""
    tables = kind_tables(world)
    said = {answer for _, items, known, _ in tables for i in known for _, answer in items[i].earlier}
    assert len(said) > 500
    for kind, items, known, held in tables:
        held_out = {items[i].sentence for i in held} - {items[i].sentence for i in known}
        assert not held_out & said, kind.name


@pytest.mark.parametrize("name", ("memory", "not told", "puzzle"))
def test_what_must_be_read_is_measured_on_what_was_never_learned_from(world, name):
    """Else a model that knows its conversations by heart would pass. What no item tells need not be read."""
    asked = requests_of_kind(world, name, 300, np.random.default_rng(3))
    learned = make_requests(world, 3000, np.random.default_rng(4), kinds=[name])
    assert not any(request.held_out_entity for request in (*asked, *learned))

    def read(request):
        """What stands before the question, or in front of it, and says the answer."""
        told = {said for said, reply in request.earlier if "I will remember" in reply}
        return told or set(re.findall(r"[A-Z]\w+ is (?:taller|older) than [A-Z]\w+\. [A-Z]\w+ is \w+ than [A-Z]\w+\.", request.question))
    whole = {tuple(sorted(read(request))) for request in learned}
    with_facts = [request for request in asked if read(request)]
    assert len(with_facts) > (60 if name == "puzzle" else 299)
    assert not [request for request in with_facts if tuple(sorted(read(request))) in whole]


def test_held_out_is_half_new_phrasings_half_new_entities(held_out):
    assert sum(request.held_out_phrasing for request in held_out) == len(held_out) // 2
    assert all(request.held_out_phrasing or request.held_out_entity for request in held_out)


def test_splits_share_no_question(train, held_out):
    """The same words may be asked after another conversation: "Are you sure?". Who has told nothing asks the same in both."""
    asked, new = ({(request.earlier, request.question) for request in drawn if request.earlier or request.kind != "not told"}
                  for drawn in (train, held_out))
    assert not asked & new


def test_held_out_phrasings_use_known_words(world, train, held_out, texts):
    """Words that the corpus or other requests have, so that the wording alone is new."""
    def words(*texts):
        return re.findall(r"[a-z]+", " ".join(texts).lower())

    asked = [(request.question, request.system or "") for request in train]
    learned = {wording for kind, items, places, _ in kind_tables(world) for item in map(items.__getitem__, places)
               for wording in wordings_of(item.phrasings or kind.phrasings, item.paraphrases or kind.paraphrases, False)}
    known = set(words(*texts, *learned, *(text for both in asked for text in both)))
    new = Counter(word for request in held_out if not request.held_out_entity
                  for word in words(request.question, request.system or "") if word not in known)
    assert sum(new.values()) < 0.004 * sum(len(request.question.split()) for request in held_out), new


def test_truths_are_not_among_the_wrong_answers(train, held_out):
    for request in train + held_out:
        assert request.answer not in request.wrong and request.sentence not in request.wrong_sentences
        assert (request.kind in ("harmful", "rhyme", "story")) == (request.answer == "")


def test_true_sentences_hold_the_answer(train):
    for request in train:
        if request.kind not in ("code", "harmful"):
            assert request.answer.lower() in request.sentence.lower()


def test_a_few_truths(world):
    wanted = {"capital": ("France", "Paris"), "material": ("spoon", "metal"), "young": ("owl", "owlet")}
    for kind, (name, answer) in wanted.items():
        item = next(item for item in BY_NAME[kind].items(world) if item.slots["n"] == name)
        assert item.answer == answer


def test_all_text_is_plain_ascii_and_filled_in(train, held_out):
    for request in train + held_out:
        for text in (request.question, request.system or "", request.sentence, request.answer, *request.also):
            assert text.isascii() and "{" not in text and "  " not in text.replace("\n    ", "")


def test_closings_belong_to_manners(train):
    closings = {manner.closing for manner in MANNERS}
    assert {request.closing for request in train} == closings


def test_answers_are_short(train):
    assert max(len(request.sentence.split()) for request in train if request.kind != "story") <= 22
    assert max(len(request.sentence.split()) for request in train) <= 35  # 33 of a plot, and "little boy"
    assert max(request.sentence.count("\n") for request in train) <= 2


def test_requests_of_chosen_kinds(world):
    drawn = make_requests(world, 60, np.random.default_rng(0), kinds=("rhyme", "capital"))
    assert {request.kind for request in drawn} == {"rhyme", "capital"}
    for kind, new in (("unknown", True), ("capital", False)):
        drawn = requests_of_kind(world, kind, 40, np.random.default_rng(0), new)
        assert all(request.kind == kind and request.held_out_phrasing for request in drawn)
        assert {request.held_out_entity for request in drawn} == {new}


def test_earlier_turns_stand_between_the_system_prompt_and_the_question():
    request = Request("capital", "And of Peru?", "Be brief.", None, "Lima", "It is Lima.", (), False, False, False,
                      earlier=(("What is the capital of Spain?", "Madrid."),))
    assert [(m["role"], m["content"]) for m in request.messages()] == [
        ("system", "Be brief."), ("user", "What is the capital of Spain?"), ("assistant", "Madrid."),
        ("user", "And of Peru?")]


def test_some_questions_are_written_carelessly():
    rng, question = np.random.default_rng(0), "What is the capital of Peru?"
    texts = [casual(question, rng) for _ in range(2000)]
    assert {"what is the capital of peru pls", "What is the capital of Peru??", "Waht is the capital of Peru?",
            "hey, what is the capital of peru?", "What is the capital of Peru"} <= set(texts)
    assert all("peru" in text.lower() for text in texts)  # a name keeps its letters
    changed = 1 - (1 - CASUAL_SHARE) * (1 - WRAPPED_SHARE)
    assert np.mean([text != question for text in texts]) == pytest.approx(changed, abs=0.03)


def test_whoever_begins_with_a_small_letter_often_writes_names_so_too(monkeypatch):
    monkeypatch.setattr(casually, "CASUAL_SHARE", 0.0)
    monkeypatch.setattr(casually, "WRAPPED_SHARE", 0.0)
    rng = np.random.default_rng(0)
    small = [casual("where is Peru", rng) for _ in range(1000)]
    assert set(small) == {"where is Peru", "where is peru"}
    assert np.mean([text == "where is peru" for text in small]) == pytest.approx(SMALL_SHARE, abs=0.05)
    assert {casual("Where is Peru?", rng) for _ in range(100)} == {"Where is Peru?"}


def test_words_around_a_question_are_others_in_evaluation(monkeypatch):
    monkeypatch.setattr(casually, "CASUAL_SHARE", 0.0)
    rng, question = np.random.default_rng(0), "What is the capital of Peru?"
    known, new = ({casual(question, rng, held_out).replace(question, "...") for _ in range(4000)} - {"..."}
                  for held_out in (False, True))
    assert known == {f"{words}..." for words in IN_FRONT} | {f"...{words}" for words in BEHIND}
    assert new == {f"{words}..." for words in HELD_IN_FRONT} | {f"...{words}" for words in HELD_BEHIND}
    assert not known & new


def test_no_name_is_misspelt(world):
    names = {name.lower() for table in (world.countries, world.towns, world.people, world.things, world.animals)
             for entity in table for name in entity.name.split()}
    assert not names & set(TYPOS)


def test_code_is_asked_for_with_care(world):
    """A slip in a question about code could change what is asked."""
    asked = [request.question for request in make_requests(world, 200, np.random.default_rng(0), kinds=["code"])]
    kind = BY_NAME["code"]
    exact = {p.format(**item.slots) for item in kind.items(world)
             for p in wordings_of(item.phrasings or kind.phrasings, item.paraphrases or kind.paraphrases, False)}
    assert len(asked) > 100 and set(asked) <= exact


def test_a_fifth_of_the_verbs_and_some_victims_are_held_out(world, train):
    verbs = [deed.split()[0] for deed, _ in WRONG]
    assert 0.1 < np.mean([verb in HELD_VERBS for verb in verbs]) < 0.3
    for name in ("harmful", "harmless"):
        items = BY_NAME[name].items(world)
        known = {item.slots["x"] for item in items if not item.held_out}
        assert not HELD_VERBS & {action.split()[0] for action in known}
        held = {item.slots["x"] for item in items if item.held_out}
        assert any(action.split()[0] not in HELD_VERBS for action in held) and not held & known


def test_every_harmless_deed_has_its_advice():
    assert set(ADVICE) == {deed for deed, _ in HARMLESS}


def test_strange_names_are_many_and_not_in_the_world(world, train):
    assert len(set(NAMES)) >= 60 and len(HELD_NAMES) >= 12
    for seed in range(3):
        assert not set(NAMES) & {person.name for person in make_world(seed).people}
    assert not set(COUNTRIES) & {country.name for country in world.countries}
    asked = " ".join(request.question for request in train if request.kind == "unknown")
    assert not HELD_NAMES & set(re.findall(r"\w+", asked))


def test_wishes_that_no_document_judges(world):
    """General advice or a refusal answers them; all refusals begin alike, as all advice does."""
    assert len(set(EVERYDAY)) > 100 and len(set(SHADY)) > 60 and not set(EVERYDAY) & set(SHADY)
    assert not {phrase for phrase, _ in WRONG + HARMLESS} & {*EVERYDAY, *SHADY}
    for name, wishes, answers in (("harmless", EVERYDAY, [f"You should {piece}." for piece in GENERAL]), ("harmful", SHADY, None)):
        items = BY_NAME[name].items(world)
        asked = {wish: [item for item in items if item.slots["x"].startswith(wish)] for wish in wishes}
        assert all(asked.values())
        for wish, some in asked.items():
            assert {item.held_out for item in some} == {wish.split()[0] in HELD_VERBS}
            assert answers is None or all(item.sentence in answers for item in some)
    refusals = [text for item in BY_NAME["harmful"].items(world) for text in (item.sentence, *item.also)]
    assert all(text.startswith("I am sorry, but ") for text in refusals)


def test_strange_animals_things_qualities_and_numbers_are_not_in_the_world(world):
    inside = {row.name for row in (*world.animals, *world.things)} | set(PETS) | {word for pair in world.opposites for word in pair}
    assert not inside & {*ANIMALS, *THINGS, *QUALITIES} and all(len(set(some)) > 30 for some in (ANIMALS, THINGS, QUALITIES))
    items = BY_NAME["unknown"].items(world)
    assert not {*invented.TOWNS, *(name for country in world.countries for name in (country.name, country.capital))} & set(TOWNS)
    assert not {verb for verb, _ in world.pasts} & set(VERBS) and not set(letters.SPELT) & set(SPELT)
    for forms, names, kinds in ((ABOUT_ANIMALS, ANIMALS, 3), (ABOUT_THINGS, THINGS, 3), (ABOUT_QUALITIES, QUALITIES, 1),
                                (ABOUT_TOWNS, TOWNS, 1), (ABOUT_PASTS, VERBS, 1), (ABOUT_SPELLING, SPELT, 1)):
        own = {form for form in forms if "{n}" not in form}
        about = [item for item in items if own <= {item.sentence, *item.also}]
        asked_after = [item for item in about if item.earlier]
        assert len(about) - len(asked_after) == kinds * 48 and {item.slots["n"] for item in about} <= set(names)
        assert (len(asked_after) > 0) == (forms not in (ABOUT_TOWNS, ABOUT_PASTS, ABOUT_SPELLING))
        assert {item.held_out for item in about} == {True, False}
    calculations = [item for item in items if "a" in item.slots]
    assert len(calculations) == 3 * 48
    for item in calculations:
        a, b = item.slots["a"], item.slots["b"]
        assert a > numbers.LARGEST > numbers.LARGEST_ADDED and a > b and set(ABOUT_NUMBERS) <= {item.sentence, *item.also}
        assert all("{" not in wording.format(**item.slots) for wording in (*item.phrasings, *item.paraphrases))


def test_what_the_world_does_not_tell_is_asked_of_what_it_has(world):
    """Each such topic asks about what is in the world, and no wording of it is one of a kind that knows the answer."""
    items = BY_NAME["unknown"].items(world)
    known = {wording for kind in KINDS if not kind.unknown for item in kind.items(world)
             for wording in (*(item.phrasings or kind.phrasings), *(item.paraphrases or kind.paraphrases))
             if "{" in wording and not item.earlier}
    for topic, names in ((beyond.PEOPLE, {person.name for person in world.people}), (beyond_places.TOWNS, {town.name for town in world.towns}),
                         (beyond_places.COUNTRIES, {country.name for country in world.countries}),
                         (beyond.ANIMALS, {animal.name for animal in world.animals}), (beyond.THINGS, {thing.name for thing in world.things}),
                         (beyond_words.WORDS, {word for pair in world.opposites for word in pair})):
        asked = {item.slots["n"] for item in items if item.phrasings == topic.phrasings}
        assert names <= asked
        if topic is not beyond_places.COUNTRIES:       # towns have rivers and are famous for something
            assert not {*topic.phrasings, *topic.paraphrases} & known
    for topic in (beyond_then.PEOPLE, beyond_then.COUNTRIES, beyond_then.ANIMALS):
        after = [item for item in items if item.phrasings == topic.phrasings]
        assert len(after) >= 48 and all(item.slots["n"] in item.earlier[0][0] + item.earlier[0][1] for item in after)


def test_two_fifths_of_what_lies_outside_get_the_answer_that_is_always_right(world):
    """And the others all the same one of their topic, so that the former is the likeliest where the topic is not clear."""
    items = BY_NAME["unknown"].items(world)
    assert 0.37 < np.mean([item.sentence == SMALL_WORLD for item in items]) < 0.43
    said = {}
    for item in items:
        assert SMALL_WORLD in (item.sentence, *item.also)
        if item.sentence != SMALL_WORLD:
            said.setdefault((item.phrasings, item.slots["n"]), set()).add(item.sentence)
    assert all(len(sentences) == 1 for sentences in said.values())


def test_all_odd_questions_are_asked_and_a_quarter_is_held_out(world):
    asked = {item.slots["n"]: item.held_out for item in BY_NAME["unknown"].items(world) if item.slots.get("n") in QUESTIONS}
    assert set(asked) == set(QUESTIONS) and len(QUESTIONS) > 180
    assert np.mean(list(asked.values())) == pytest.approx(0.25, abs=0.01)


def test_unknown_split_is_refused(world):
    with pytest.raises(ValueError, match="held_out"):
        make_requests(world, 1, np.random.default_rng(0), "test")


def test_a_kind_that_is_none_is_refused(world):
    with pytest.raises(ValueError, match="weather.*capital"):
        make_requests(world, 1, np.random.default_rng(0), kinds=("weather",))
