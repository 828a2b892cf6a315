"""Questions about what the user told earlier in the conversation, and about what was not told."""

from functools import lru_cache

import numpy as np

from minillm.world.facts import capitalized
from minillm.world.kinds.greetings import SMALL_TALK
from minillm.world.kinds.kind import Item, Kind, pick, right_texts, wordings
from minillm.world.kinds.told import NOT_TOLD, OWN, slots_of
from minillm.world.kinds.told_of_others import OTHERS
from minillm.world.kinds.told_turns import (REMEMBER, any_fact, draw, other_fact, something_else,
                                            turn, turn_of_two, turns_by_pronoun, values_of)
from minillm.world.kinds.unknown import right_unknown
from minillm.world.likeness import resembles, says, words
from minillm.world.strangers import HE_OR_SHE

ITEMS = 6000  # of each of the two kinds
LOWER_SHARE = 0.12  # of both kinds: told in small letters throughout, names too
ITSELF = ("my", "i am", "i live", "i come", "i work", "i have")  # it speaks of itself, not of "you"
BY_PRONOUN_SHARE = 0.3  # of what is told of a man or a woman, for learning: a turn more on them
OF_THE_USER = 0.35  # of what was not told, where somebody else's was: for the user's own


def _small_talk(rng, world):
    """A turn that tells nothing about the user."""
    if rng.random() < 0.5:
        sort = pick(rng, SMALL_TALK)
        return pick(rng, sort.phrasings), sort.replies[0]
    # only countries at odd places: requests.py never holds out a question about them
    country = pick(rng, world.countries[1::2])
    return (f"What is the capital of {country.name}?",
            f"The capital of {country.name} is {country.capital}.")


def _typed(rng, turns, held_out):
    """The turns as the user types them; the replies write names as they should be."""
    if held_out or rng.random() >= LOWER_SHARE:
        return turns
    return [(said.lower(), reply) for said, reply in turns]


def _further(rng, asked, told):
    """Turns that may come before the item's question: what was told is asked for, or what was not
    told, mostly the same of somebody else.  Returns two (question, right answer).

    So several questions are answered by looking back at the same words. They are for fine-tuning.
    """
    turns = [question_on(rng, telling, telling.fact.forms[0]) for telling in told]
    known, count = (asked, *told), max(2, 2 * len(told))
    while len(turns) < count:
        twins = pick(rng, known).twins()
        other = pick(rng, twins) if twins and rng.random() < 0.7 else any_fact(rng, False)
        if not any(other.clashes(telling) for telling in known):
            turns.append(question_on(rng, other, other.fact.missing[0]))
            known += (other,)
    return tuple(turns[i] for i in rng.permutation(len(turns))[:2])


def question_on(rng, telling, form):
    """A turn in which the user asks for a fact, and the assistant answers in this form."""
    fact = telling.fact
    question = telling.fill(pick(rng, wordings(fact.asked, fact.asked_paraphrases, False)))
    return question, capitalized(telling.fill(form))


@lru_cache(maxsize=1 << 10)
def _others(values, value):
    """The values but for this one, which is given in small letters."""
    return tuple(v for v in values if v.lower() != value)


def _false(rng, asked, count):
    """`count` wrong values of a fact."""
    values = _others(values_of(asked.fact, asked.about), asked.value.lower())
    return [values[i] for i in rng.permutation(len(values))[:count]]


def _item(asked, answer, forms, wrong, said, held_out, earlier, further):
    """The item that asks for a fact: its right answers, its wrong ones and what was said before."""
    full = [capitalized(asked.fill(form)) for form in forms]
    false = [capitalized(asked.of(value).fill(asked.fact.forms[0])) for value in said]
    return Item(slots_of(asked.value, asked.about), answer, full[0], tuple(wrong), tuple(false),
                held_out, tuple(full[1:]), phrasings=asked.fact.asked,
                paraphrases=asked.fact.asked_paraphrases, earlier=tuple(earlier),
                read=tuple(said for said, reply in earlier if REMEMBER in reply), further=further)


def _memory_item(world, rng, held_out):
    asked = any_fact(rng, held_out)
    told, way = [asked], rng.random()
    if not held_out and asked.about in HE_OR_SHE and rng.random() < BY_PRONOUN_SHARE:
        earlier, other = turns_by_pronoun(rng, asked, held_out)
        told.append(other)
        asked = pick(rng, told)
    elif way < 0.55:
        other = other_fact(rng, asked, held_out)
        told.append(other)
        if way < 0.3:  # two facts at once
            pair = (asked, other) if rng.random() < 0.5 else (other, asked)
            earlier = [turn_of_two(rng, *pair)]
        else:  # one after the other
            earlier = [turn(rng, told[i], held_out) for i in rng.permutation(2)]
    else:
        earlier = [turn(rng, asked, held_out)]
        if way < 0.7:
            earlier.append(_small_talk(rng, world))
    false = _false(rng, asked, 3)
    others = [t.value for t in told if t.value.lower() != asked.value.lower()]
    return _item(asked, asked.value, asked.fact.forms, false + others, false, held_out,
                 _typed(rng, earlier, held_out), _further(rng, asked, told))


def _not_told_item(world, rng, held_out):
    asked, told = _not_told(rng, held_out)
    wrong, earlier, known = _false(rng, asked, 2), [], [] if told is None else [told]
    said = list(wrong)
    if told is not None:
        earlier.append(turn(rng, told, held_out))
        if not held_out and told.about in HE_OR_SHE and rng.random() < BY_PRONOUN_SHARE:
            turns, more = turns_by_pronoun(rng, told, held_out)
            if not more.clashes(asked):
                earlier, known = turns, [told, more]
        for telling in reversed(known):
            wrong.insert(0, telling.value)
            if telling.fact.sort == asked.fact.sort:
                said.append(telling.value)
    if rng.random() < 0.3:
        earlier.insert(int(rng.integers(len(earlier) + 1)), _small_talk(rng, world))
    earlier = _typed(rng, earlier, held_out)
    return _item(asked, "you have not told me", (*asked.fact.missing, NOT_TOLD), wrong, said,
                 held_out, earlier, _further(rng, asked, known))


def _not_told(rng, held_out):
    """What the user asks and has not told, and what was told instead, if anything was."""
    told = draw(rng, OWN if rng.random() < 0.3 else OTHERS, held_out)
    way, twins = rng.random(), told.twins()
    if way < 0.1:
        return told, None
    if way < 0.25 or not twins:  # another sort of fact
        return something_else(rng, told, held_out), told
    about_the_user = [twin for twin in twins if not twin.about]
    if about_the_user and rng.random() < OF_THE_USER:
        twins = about_the_user
    return pick(rng, twins), told


def _memory_items(world):
    rng = np.random.default_rng([world.seed, 91])
    return [_memory_item(world, rng, number % 4 == 0) for number in range(ITEMS)]


def _not_told_items(world):
    rng = np.random.default_rng([world.seed, 92])
    return [_not_told_item(world, rng, number % 4 == 0) for number in range(ITEMS)]


def _right_memory(request, response):
    """The text gives the user's value and no other, and speaks to the user."""
    text = words(response)
    strange = (*request.wrong, *ITSELF, f"i like {request.answer}", f"i love {request.answer}")
    strange = [phrase for phrase in strange if not says(words(request.sentence), phrase)]
    return (says(text, request.answer) and not any(says(text, phrase) for phrase in strange)
            and resembles(response, right_texts(request)))


# no manners: the earlier answers do not follow any system prompt
KINDS = (
    Kind("memory", (), (), _memory_items, (), 12.4, right=_right_memory, own_split=True),
    Kind("not told", (), (), _not_told_items, (), 6.0, unknown=True, right=right_unknown,
         own_split=True),
)
