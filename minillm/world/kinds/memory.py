"""Questions about what the user told earlier in the conversation, and about what was not told."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from minillm.world.facts import capitalized
from minillm.world.kinds.asides import (BEHIND_ANY, BEHIND_OWN, BEHIND_PET, BEHIND_RELATIVE,
                                        IN_FRONT)
from minillm.world.kinds.greetings import SMALL_TALK
from minillm.world.kinds.kind import Item, Kind, pick, right_texts, wordings
from minillm.world.kinds.told import NOT_TOLD, OWN, Fact, slots_of
from minillm.world.kinds.told_of_others import OTHERS
from minillm.world.kinds.unknown import right_unknown
from minillm.world.likeness import resembles, says, words
from minillm.world.reserved import is_reserved
from minillm.world.strangers import MEN, WOMEN, may_be_called

ITEMS = 6000  # of each of the two kinds
NAME_SHARE = 0.3  # of what is told: people give a name first
ABOUT_OTHERS = 0.35  # of what is told and asked later
LOWER_SHARE = 0.12  # of both kinds: told in small letters throughout, names too
REMEMBER = "I will remember"  # in each reply to something that the user tells
ITSELF = ("my", "i am", "i live", "i come", "i work", "i have")  # it speaks of itself, not of "you"
JOINED = ("{one} and {other}.", "{one} and {other}", "{one}. {Other}.", "hi, {one} and {other}",
          "Hello, {one} and {other}.", "{one}, {other}", "Hi! {One}. {Other}.",
          "{one} btw, {other}")
MORE_SHARE = 0.3  # of the tellings: something stands behind them that is not to be kept
ANY_SHARE = 0.3  # of what stands behind: what fits behind anything
LEAD_SHARE = 0.16  # of the others: something stands in front of them
PRONOUNS = {"he": ("he", "his", "him"), "she": ("she", "her", "her")}
BY_PRONOUN_SHARE = 0.3  # of what is told of a man or a woman, for learning: a turn more on them
TWO_PEOPLE = ("live with", "grandmother", "and i ")  # tellings that "she" or "he" does not follow
BY_PRONOUN = {  # what that turn says
    "name": ("{his} name is {v}", "{He} is called {v}.", "{His} name is {v}.", "{he}'s called {v}",
             "and {his} name is {v}", "{his} name is {v} by the way", "oh, and {he} is called {v}",
             "{v} is {his} name", "By the way, {his} name is {v}.", "we call {him} {v}",
             "{His} name's {v}, I forgot to say that.", "{v}, that is what {he} is called"),
    "town": ("{he} lives in {v}", "{He} lives in {v}.", "{he} is from {v}", "{His} home is in {v}.",
             "and {he} lives in {v}", "oh, and {he} moved to {v}", "{he} went to live in {v}",
             "By the way, {he} lives in {v}.", "{His} house is in {v}.", "{he} comes from {v}")}


class Telling(NamedTuple):
    """A fact with its value, told by the user."""

    fact: Fact
    value: str
    about: str  # "sister"; "" if it is about the user

    def fill(self, wording):
        """A wording of the fact, filled in."""
        return wording.format(**slots_of(self.value, self.about))

    def of(self, value):
        """The same sort of fact about the same person, with another value."""
        return self._replace(value=value)

    def clashes(self, other):
        """Whether the question about one fact could mean the other."""
        return (self.fact, self.about) == (other.fact, other.about)

    def twins(self):
        """The same, told of everybody else of whom it can be told."""
        whose = [(fact, about) for fact in (*OWN, *OTHERS) if fact.sort == self.fact.sort
                 for about in fact.about or ("",)]
        return [Telling(fact, self.value, about) for fact, about in whose
                if (fact, about) != (self.fact, self.about)]


def _values(fact, about):
    """The values that a fact may have of this person or animal."""
    return may_be_called(about) if fact.sort == "name" else fact.values


@lru_cache(maxsize=64)  # the values of every fact, of men, women and others, twice
def _part(values, held_out):
    """The values that are held out, about a sixth, or the others."""
    return tuple(value for value in values if is_reserved("told", value, one_in=6) == held_out)


def _told_of(rng, fact, about, held_out):
    """Some value of the fact."""
    return Telling(fact, pick(rng, _part(_values(fact, about), held_out)), about)


def _draw(rng, facts, held_out):
    """Some value of one of the facts."""
    fact = facts[0] if rng.random() < NAME_SHARE else pick(rng, facts)
    return _told_of(rng, fact, pick(rng, fact.about) if fact.about else "", held_out)


def _any(rng, held_out):
    """Some fact about the user or about others."""
    return _draw(rng, OTHERS if rng.random() < ABOUT_OTHERS else OWN, held_out)


def _something_else(rng, told, held_out):
    """Some fact that cannot be confused with what was told."""
    while (telling := _any(rng, held_out)).clashes(told):
        pass
    return telling


def _other(rng, asked, held_out):
    """Something else that is told in the same conversation: often the same of somebody else."""
    twins = asked.twins()
    if not twins or rng.random() < 0.6:
        return _something_else(rng, asked, held_out)
    twin = pick(rng, twins)
    return _told_of(rng, twin.fact, twin.about, held_out)


def _turn(rng, telling, held_out):
    """The turn in which the user tells a fact: (what the user said, the assistant's reply)."""
    fact = telling.fact
    said = telling.fill(pick(rng, wordings(fact.told, fact.told_paraphrases, held_out)))
    if not held_out and rng.random() < MORE_SHARE:
        said = _with_more(rng, said, telling)
    elif not held_out and rng.random() < LEAD_SHARE:
        said = _with_lead(rng, said, telling)
    return said, _reply(telling)


def _with_more(rng, said, telling):
    """What was said, with more about the one who was told of, or about the day."""
    about = (BEHIND_PET if telling.fact.sort == "pet's name" else
             BEHIND_RELATIVE if telling.about else BEHIND_OWN)
    more = pick(rng, BEHIND_ANY if rng.random() < ANY_SHARE else about)
    sex = "he" if telling.about in MEN else "she" if telling.about in WOMEN else None
    he, his, him = PRONOUNS[sex or pick(rng, tuple(PRONOUNS))]
    more = more.format(he=he, his=his, him=him, He=capitalized(he))
    if said[-1] in "!?":        # a sentence that has ended
        return said + more[1:] if more.startswith(". ") else said
    if ": " in said and more.startswith(" and "):  # "my name: Ada" has no verb that "and" goes on
        more = "," + more
    return said.rstrip(".") + more


def _with_lead(rng, said, telling):
    """What was said, with words in front; behind "and" stands a clause that goes on from it."""
    lead, own = pick(rng, IN_FRONT), ("I ", "I'", telling.value)  # these keep their capital letter
    if lead.endswith(" and "):
        said = telling.fill(pick(rng, telling.fact.clauses))
    if not lead.endswith((". ", "! ")) and not said.startswith(own):
        said = said[0].lower() + said[1:]
    return lead + said


def _turns_by_pronoun(rng, first, held_out):
    """Two turns in which the user tells of a relative, of the second fact with "he" or "she".

    Returns the turns and the second fact.
    """
    sort = "town" if first.fact.sort == "name" else "name"
    fact = next(fact for fact in OTHERS if fact.sort == sort and first.about in fact.about)
    second = _told_of(rng, fact, first.about, held_out)
    he, his, him = PRONOUNS["he" if first.about in MEN else "she"]
    said = pick(rng, BY_PRONOUN[sort]).format(v=second.value, he=he, his=his, him=him,
                                              He=capitalized(he), His=capitalized(his))
    turn = _turn(rng, first, held_out)
    while any(word in turn[0] for word in TWO_PEOPLE):
        turn = _turn(rng, first, held_out)
    return [turn, (said, _reply(second))], second


def _turn_of_two(rng, first, second):
    """One turn in which the user tells two facts."""
    one, other = (telling.fill(pick(rng, telling.fact.clauses)) for telling in (first, second))
    said = JOINED[0] if rng.random() < 0.5 else pick(rng, JOINED)
    said = said.format(one=one, other=other, One=capitalized(one), Other=capitalized(other))
    return capitalized(said), _reply(first, second)


def _reply(*told):
    """The reply to what was told: it says the facts as the later answer will.

    So an answer repeats words that stand in the conversation, which is what attention learns first.
    """
    facts = [telling.fill(telling.fact.forms[0]).removesuffix(".") for telling in told]
    reply = f"{REMEMBER} that " + " and ".join(f"y{fact[1:]}" for fact in facts) + "."
    return f"Nice to meet you, {told[0].value}! {reply}" if told[0].fact is OWN[0] else reply


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
    turns = [_question(rng, telling, telling.fact.forms[0]) for telling in told]
    known, count = (asked, *told), max(2, 2 * len(told))
    while len(turns) < count:
        twins = pick(rng, known).twins()
        other = pick(rng, twins) if twins and rng.random() < 0.7 else _any(rng, False)
        if not any(other.clashes(telling) for telling in known):
            turns.append(_question(rng, other, other.fact.missing[0]))
            known += (other,)
    return tuple(turns[i] for i in rng.permutation(len(turns))[:2])


def _question(rng, telling, form):
    """A turn in which the user asks for a fact, and the assistant answers in this form."""
    fact = telling.fact
    question = telling.fill(pick(rng, wordings(fact.asked, fact.asked_paraphrases, False)))
    return question, capitalized(telling.fill(form))


def _false(rng, asked, count):
    """`count` wrong values of a fact."""
    values = [v for v in _values(asked.fact, asked.about) if v.lower() != asked.value.lower()]
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
    asked = _any(rng, held_out)
    told, way = [asked], rng.random()
    if not held_out and asked.about in MEN + WOMEN and rng.random() < BY_PRONOUN_SHARE:
        earlier, other = _turns_by_pronoun(rng, asked, held_out)
        told.append(other)
        asked = pick(rng, told)
    elif way < 0.55:
        other = _other(rng, asked, held_out)
        told.append(other)
        if way < 0.3:  # two facts at once
            pair = (asked, other) if rng.random() < 0.5 else (other, asked)
            earlier = [_turn_of_two(rng, *pair)]
        else:  # one after the other
            earlier = [_turn(rng, told[i], held_out) for i in rng.permutation(2)]
    else:
        earlier = [_turn(rng, asked, held_out)]
        if way < 0.7:
            earlier.append(_small_talk(rng, world))
    false = _false(rng, asked, 3)
    others = [t.value for t in told if t.value.lower() != asked.value.lower()]
    return _item(asked, asked.value, asked.fact.forms, false + others, false, held_out,
                 _typed(rng, earlier, held_out), _further(rng, asked, told))


def _not_told_item(world, rng, held_out):
    asked, told = _not_told(rng, held_out)
    wrong, earlier = _false(rng, asked, 2), []
    said = list(wrong)
    if told is not None:
        earlier.append(_turn(rng, told, held_out))
        if not held_out and told.about in MEN + WOMEN and rng.random() < BY_PRONOUN_SHARE:
            turns, more = _turns_by_pronoun(rng, told, held_out)
            earlier = earlier if more.clashes(asked) else turns
        wrong.insert(0, told.value)
        if told.fact.sort == asked.fact.sort:
            said.append(told.value)
    if rng.random() < 0.3:
        earlier.insert(int(rng.integers(len(earlier) + 1)), _small_talk(rng, world))
    earlier = _typed(rng, earlier, held_out)
    return _item(asked, "you have not told me", (*asked.fact.missing, NOT_TOLD), wrong, said,
                 held_out, earlier, _further(rng, asked, [told] if told is not None else []))


def _not_told(rng, held_out):
    """What the user asks and has not told, and what was told instead, if anything was."""
    told = _draw(rng, OWN if rng.random() < 0.3 else OTHERS, held_out)
    way, twins = rng.random(), told.twins()
    if way < 0.1:
        return told, None
    if way < 0.25 or not twins:  # another sort of fact
        return _something_else(rng, told, held_out), told
    about_the_user = [twin for twin in twins if not twin.about]
    return pick(rng, about_the_user if about_the_user and rng.random() < 0.7 else twins), told


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
    Kind("memory", (), (), _memory_items, (), 15.4, right=_right_memory, own_split=True),
    Kind("not told", (), (), _not_told_items, (), 12.3, unknown=True, right=right_unknown,
         own_split=True),
)
