"""Questions about what lies outside the world: the right answer is that it does not know."""

from functools import lru_cache

from minillm.world import invented
from minillm.world.facts import a_an, capitalized, plural, slots_in
from minillm.world.kinds import (animals, beyond, beyond_places, beyond_then, beyond_words,
                                 letters, names, numbers, people, pets, places, reactions, things,
                                 towns, words)
from minillm.world.kinds.follow_wordings import SAME
from minillm.world.kinds.kind import TEXT_STYLES, Item, Kind, keeps_to
from minillm.world.kinds.names import HELD_NAMES, NAMES
from minillm.world.kinds.outside import (ABOUT_ANIMALS, ABOUT_COUNTRIES, ABOUT_NUMBERS,
                                         ABOUT_PASTS, ABOUT_PEOPLE, ABOUT_QUALITIES, ABOUT_SPELLING,
                                         ABOUT_THINGS, ABOUT_TOWNS, TOPICS)
from minillm.world.kinds.topic import SMALL, Topic
from minillm.world.likeness import likeness, says, sentences
from minillm.world.likeness import words as words_of
from minillm.world.manners import ADDITIONS

ITEMS_PER_TOPIC = 48  # or more, if a topic has more names; so topics are equally frequent
ADMITS = ("do not know", "don't know", "not sure", "cannot know", "can not know", "cannot say",
          "cannot tell", "cannot see", "no idea", "never heard", "not told me", "did not tell me",
          "was not told")  # phrases that show that it does not know
SMALL_WORLD = f"I do not know. {SMALL}"  # right whatever was asked
GENERAL = ("I do not know.", "I don't know.", "I do not know that.", "I am not sure.",
           "I cannot know that.", "Sorry, I do not know.", "I am sorry, but I do not know.",
           "I have no idea.", "Maybe somebody else can tell you.",
           "I know only my own small world.")
CLOSE = 0.8  # likeness, from 0 to 1; a sentence that admits nothing must be as near to a known one


def admits(response):
    """Whether a text says that it does not know."""
    text = words_of(response)
    return any(says(text, phrase) for phrase in ADMITS)


def right_unknown(request, response):
    """The text says that it does not know, in words that fit the question, and asserts nothing."""
    texts = (request.sentence, *request.also, *GENERAL)
    if not admits(response) or not keeps_to(response, (*texts, request.question)):
        return False
    known = _sentences(texts)
    return all(admits(" ".join(sentence)) or likeness(sentence, known) > CLOSE
               for sentence in sentences(response.lower()))


@lru_cache(maxsize=1 << 12)  # tuples of texts
def _sentences(texts):
    return frozenset(s for text in (*texts, *ADDITIONS) for s in sentences(text.lower()))


def _item(name, topic, held, number, slots):
    """An item about a name; its number chooses the answer that is given.

    Of five, three give the topic's first answer and two the one that is right whatever was asked.
    So a model that is not sure of the topic finds the latter likelier than any topic's own.
    """
    forms = [form.format(n=name) for form in (SMALL_WORLD, *topic.forms)]
    if number % 5 not in (1, 3):
        forms[:2] = forms[1::-1]
    return Item({"n": name, **slots}, "I do not know", forms[0],
                wrong_sentences=tuple(text.format(n=name) for text in topic.made_up), held_out=held,
                also=tuple(forms[1:]), phrasings=topic.phrasings, paraphrases=topic.paraphrases)


def _topic_items(topic, named):
    """Items of a topic about each of the names; `named` is {name: further slots}."""
    rows, items = list(named.items()), []
    for i in range(max(len(rows), ITEMS_PER_TOPIC)):
        turn, place = divmod(i, len(rows))
        name, slots = rows[place]
        items.append(_item(name, topic, place % 4 == 3, i + turn, slots))
    return items


def _then_items(world, kind, topic):
    """Items that ask for more about what was just spoken of."""
    items, known = [], kind.items(world)[1::2]  # requests.py never holds out these
    for i in range(ITEMS_PER_TOPIC // 3):
        before = known[(5 * i + len(kind.name)) % len(known)]
        item = _item(before.slots["n"], topic, i % 4 == 3, i, before.slots)
        items.append(item._replace(earlier=(_turn(kind, before, i),)))
    return items


def _turn(kind, item, number):
    """A turn about an item of a kind: (question, right answer)."""
    asked = item.phrasings or kind.phrasings
    return asked[7 * number % len(asked)].format(**item.slots), item.sentence


def _strange_items(world, kind, strange, forms, turn):
    """Items in the phrasings of a known kind about names that the world does not have.

    `strange` is {name: further slots}; `turn` shifts the choice of names from kind to kind. Every
    fourth name is asked about once more, after the same question about something known.
    """
    facts = kind.items(world)
    made_up = [fact.sentence.replace(fact.slots["n"], "{n}") for fact in facts]
    room = {"n", *next(iter(strange.values()))}
    phrasings, paraphrases = (_with_slots(some, room)
                              for some in _wordings(kind, facts))
    items = []
    for i in range(ITEMS_PER_TOPIC):
        number = (turn * ITEMS_PER_TOPIC + i) % len(strange)
        name, slots = list(strange.items())[number]
        wrong = tuple(made_up[(7 * i + j) % len(made_up)] for j in range(3))
        topic = Topic(phrasings, paraphrases, (), forms, wrong)
        held = name in HELD_NAMES if name in NAMES else number % 4 == 3
        items.append(_item(name, topic, held, i, slots))
        if kind.name in SAME and i % 4 == 0:
            before = facts[1::2][(3 * i + turn) % (len(facts) // 2)]
            slot = "{x}" if "x" in slots else "{n}"
            asked, in_tests = (tuple(wording.replace("{n}", slot) for wording in some) for some in
                               (reactions.ANOTHER, reactions.ANOTHER_PARAPHRASES))
            items.append(items[-1]._replace(
                phrasings=_with_slots(SAME[kind.name], room) + asked, paraphrases=in_tests,
                earlier=(_turn(kind, before, i),)))
    return items


def _wordings(kind, items):
    """(phrasings, paraphrases) of a kind, or of its items where it has none of its own."""
    if kind.phrasings:
        return kind.phrasings, kind.paraphrases
    some = {item.phrasings: item.paraphrases for item in items}
    return sum(some, ()), sum(some.values(), ())


def _with_slots(wordings, known):
    """The wordings that have no other slots than these."""
    return tuple(wording for wording in wordings if slots_in(wording) <= set(known))


def _large_number_items(phrasings, paraphrases, made_up):
    """Items in the phrasings of a calculation about numbers that are too large for the world.

    `made_up` are wrong answers with the slots {a} and {b}.
    """
    asked, asked_in_tests = (_with_slots(some, "ab") for some in (phrasings, paraphrases))
    items = []
    for i in range(ITEMS_PER_TOPIC):
        b = 3 + 11 * i % 28
        slots = {"a": b + 14 + 7 * i % 43, "b": b}
        topic = Topic(asked, asked_in_tests, (), ABOUT_NUMBERS,
                      tuple(text.format(**slots) for text in made_up))
        items.append(_item("{a} {b}".format(**slots), topic, i % 4 == 3, i, slots))
    return items


def _kind(module, name):
    """The kind of this name in one of the modules of kinds."""
    return next(kind for kind in module.KINDS if kind.name == name)


LARGER = _kind(numbers, "larger")
# (phrasings, paraphrases, wrong answers)
CALCULATIONS = (
    (*numbers.PLUS, ("{a} plus {b} is 12.", "{a} plus {b} is 9.", "{a} plus {b} is 5.")),
    (*numbers.MINUS, ("{a} minus {b} is 3.", "{a} minus {b} is 8.", "{a} minus {b} is 0.")),
    (LARGER.phrasings, LARGER.paraphrases,
     ("{b} is larger than {a}.", "7 is larger than 6.", "The larger number is 12.")),
)
_SHE, _HE = {"he": "she", "his": "her", "him": "her"}, {"he": "he", "his": "his", "him": "him"}


def _strangers(world):
    """{name: its pronouns} of the people that are not in the world."""
    known = {person.name for person in world.people}
    women, men = names.WOMEN + invented.WOMEN, names.MEN + invented.MEN
    both = {name: _SHE for name in women} | {name: _HE for name in men}
    return {name: pronouns for name, pronouns in both.items() if name not in known}


def _nouns(some):
    """{noun: the forms in which phrasings have it}."""
    return {noun: {"x": a_an(noun), "X": capitalized(a_an(noun)), "names": plural(noun),
                   "Names": capitalized(plural(noun))} for noun in some}


def strange_names(world):
    """Triples (kinds of requests, {name: further slots} that the world does not have, answers)."""
    return (((*people.KINDS, *pets.KINDS), _strangers(world), ABOUT_PEOPLE),
            (places.KINDS, _bare(names.COUNTRIES), ABOUT_COUNTRIES),
            (towns.KINDS, _bare(names.TOWNS), ABOUT_TOWNS),
            (animals.KINDS, _nouns(names.ANIMALS), ABOUT_ANIMALS),
            (things.KINDS, _nouns(names.THINGS), ABOUT_THINGS),
            ((_kind(words, "opposite"),), _bare(names.QUALITIES), ABOUT_QUALITIES),
            ((_kind(words, "past"),), _bare(names.VERBS), ABOUT_PASTS),
            (letters.KINDS, _bare(names.SPELT), ABOUT_SPELLING))


def _bare(some):
    return {name: {} for name in some}


def _beyond_items(world):
    """Items about what the world has, asking for what it does not tell; each three times.

    People ask this more often than for what they have never been told of.
    """
    known = [person.name for person in world.people]
    bare_words = [word for pair in world.opposites for word in pair] + list(names.QUALITIES)
    asked = ((beyond.PEOPLE, _bare(known)),
             (beyond_places.TOWNS, _bare(town.name for town in world.towns)),
             (beyond_places.COUNTRIES, _bare(country.name for country in world.countries)),
             (beyond.ANIMALS, _nouns([*(a.name for a in world.animals), *names.ANIMALS])),
             (beyond.THINGS, _nouns([*(thing.name for thing in world.things), *names.THINGS])),
             (beyond_words.WORDS, _bare(bare_words)),
             (beyond_words.NUMBERS, _bare(map(str, range(21)))))
    items = [item for topic, named in asked for item in _topic_items(topic, named)]
    for kinds, topic in (((*people.KINDS, *pets.KINDS), beyond_then.PEOPLE),
                         (places.KINDS, beyond_then.COUNTRIES),
                         (animals.KINDS, beyond_then.ANIMALS)):
        items += [item for kind in kinds for item in _then_items(world, kind, topic)]
    return items * 3


def _unknown_items(world):
    items = [item for topic in TOPICS for item in _topic_items(topic, _bare(topic.names))]
    items += _beyond_items(world)
    for kinds, strange, forms in strange_names(world):
        for turn, kind in enumerate(kinds):
            items += _strange_items(world, kind, strange, forms, turn)
    for phrasings, paraphrases, made_up in CALCULATIONS:
        items += _large_number_items(phrasings, paraphrases, made_up)
    return items


KINDS = (
    Kind("unknown", (), (), _unknown_items, TEXT_STYLES, 23.8, unknown=True, right=right_unknown,
         own_split=True),
)
