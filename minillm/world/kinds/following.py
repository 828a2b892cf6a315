"""Follow-ups, which are understood only with the turn before: "And of Spain?", "Say it shorter"."""

import numpy as np

from minillm.world.facts import slots_in
from minillm.world.kinds import animals, people, pets, places, reactions, things, words
from minillm.world.kinds.follow_wordings import OTHER, SAME
from minillm.world.kinds.kind import Kind, pick
from minillm.world.kinds.unknown import strange_names
from minillm.world.manners import bare

EACH = 12  # items for each row of the tables below; every fourth is held out
SMALL_SHARE = 0.35  # of the questions before, and of the names of others: in small letters

SOURCES = {kind.name: kind for kind in (*places.KINDS, *people.KINDS, *pets.KINDS, *things.KINDS,
                                        *animals.KINDS, *words.KINDS)}


def _half(kind, world, held_out):
    """{name: item} of every second item of a kind.

    Those at odd places are for fine-tuning: requests.py never holds out a question about them.
    """
    return {item.slots["n"]: item for item in kind.items(world)[0 if held_out else 1::2]}


def _turn(rng, kind, item):
    """A turn about an item of a kind: (question, right answer)."""
    asked = pick(rng, item.phrasings or kind.phrasings).format(**item.slots)
    return _typed(rng, asked), item.sentence


def _typed(rng, asked):
    """The question, or the question in small letters."""
    return asked.lower() if rng.random() < SMALL_SHARE else asked


def _strange_turn(rng, kind, strange, forms):
    """A turn about a name that the world does not have: (question, it does not know)."""
    name, slots = pick(rng, list(strange.items()))
    asked = [p for p in kind.phrasings if slots_in(p) <= {"n", *slots}]
    return _typed(rng, pick(rng, asked).format(n=name, **slots)), forms[0]


def _same(rng, kind, half, held_out, strange=None):
    """The same question about another item, or about one that is known after a strange one."""
    first, second = (list(half.values())[i] for i in rng.permutation(len(half))[:2])
    before = _strange_turn(rng, kind, *strange) if strange else _turn(rng, kind, first)
    return _asked_of(rng, kind, second, held_out, before)


def _asked_of(rng, kind, second, held_out, *before):
    """The question that was just answered, asked about another item; `before` are the turns."""
    slot = "{x}" if any("{x}" in wording for wording in SAME[kind.name]) else "{n}"
    another, asked = (tuple(wording.replace("{n}", slot) for wording in some)
                      for some in (reactions.ANOTHER, reactions.ANOTHER_PARAPHRASES))
    slots = second.slots
    if rng.random() < SMALL_SHARE:
        slots = {key: text.lower() for key, text in slots.items()}
    return second._replace(slots=slots, held_out=held_out, phrasings=SAME[kind.name] + another,
                           paraphrases=asked, earlier=before)


def _other(rng, before, half_before, half_after, wordings, held_out):
    """Another question about the same item."""
    name = pick(rng, [name for name in half_after if name in half_before])
    return half_after[name]._replace(held_out=held_out, phrasings=wordings[0],
                                     paraphrases=wordings[1],
                                     earlier=(_turn(rng, before, half_before[name]),))


def _chain(rng, before, after, half_before, half_after, wordings, held_out):
    """Another question about the same item, and then that question about a third one."""
    other = _other(rng, before, half_before, half_after, wordings, held_out)
    asked = _typed(rng, pick(rng, other.phrasings).format(**other.slots))
    third = pick(rng, [item for name, item in half_after.items() if name != other.slots["n"]])
    return _asked_of(rng, after, third, held_out, *other.earlier, (asked, other.sentence))


def _to_the_answer(rng, kind, half, held_out):
    """What can be said to any answer: say it shorter, are you sure, say it again, thanks."""
    item = pick(rng, list(half.values()))
    item = item._replace(held_out=held_out, earlier=(_turn(rng, kind, item),))
    full = item.sentence
    shorter = item._replace(
        sentence=bare(item.answer), wrong=(full.rstrip("."), *item.wrong), wrong_sentences=(full,),
        also=tuple(form for form in item.also if len(form.split()) < len(full.split()) - 1),
        phrasings=reactions.SHORTER, paraphrases=reactions.SHORTER_PARAPHRASES)
    sure = item._replace(
        answer="yes", sentence=f"Yes, I am sure. {full}", also=("Yes, I am sure.", f"Yes. {full}"),
        phrasings=reactions.SURE, paraphrases=reactions.SURE_PARAPHRASES)
    again = item._replace(phrasings=reactions.AGAIN, paraphrases=reactions.AGAIN_PARAPHRASES)
    welcome, *also = reactions.WELCOME
    thanks = item._replace(answer="welcome", sentence=welcome, also=tuple(also),
                           phrasings=reactions.THANKS, paraphrases=reactions.THANKS_PARAPHRASES)
    return [shorter, sure, again, thanks]


def _items(world):
    rng, items = np.random.default_rng([world.seed, 93]), []
    halves = {(name, held_out): _half(SOURCES[name], world, held_out)
              for name in (*SAME, "pet's name") for held_out in (False, True)}
    strange = {kind.name: (names, forms) for kinds, names, forms in strange_names(world)
               for kind in kinds}
    for number in range(EACH):
        held_out = number % 4 == 0
        for name in SAME:
            kind, half = SOURCES[name], halves[name, held_out]
            items.append(_same(rng, kind, half, held_out))
            if number % 3 == 1 and name in strange:
                items.append(_same(rng, kind, half, held_out, strange[name]))
            if number % 3 == 0:
                items += _to_the_answer(rng, kind, half, held_out)
        for before, after, *wordings in OTHER * 2:
            both = halves[before, held_out], halves[after, held_out]
            items.append(_other(rng, SOURCES[before], *both, wordings, held_out))
        for before, after, *wordings in OTHER:
            if after in SAME:
                both = halves[before, held_out], halves[after, held_out]
                items.append(_chain(rng, SOURCES[before], SOURCES[after], *both, wordings,
                                    held_out))
    return items


# no manners: the earlier answers do not follow any system prompt
KINDS = (Kind("follow-up", (), (), _items, (), 8.4, own_split=True, casual=False),)
