"""What users tell: a fact with its value, and the turns in which it is told and replied to."""

from functools import lru_cache
from typing import NamedTuple

from minillm.world.facts import capitalized
from minillm.world.kinds.asides import (BEHIND_ANY, BEHIND_OWN, BEHIND_PET, BEHIND_RELATIVE,
                                        IN_FRONT)
from minillm.world.kinds.kind import pick, wordings
from minillm.world.kinds.told import OWN, Fact, slots_of
from minillm.world.kinds.told_of_others import OTHERS
from minillm.world.strangers import HE_OR_SHE, is_held_out, may_be_called

NAME_SHARE = 0.3  # of what is told: people give a name first
ABOUT_OTHERS = 0.35  # of what is told and asked later
REMEMBER = "I will remember"  # in each reply to something that the user tells
JOINED = ("{one} and {other}.", "{one} and {other}", "{one}. {Other}.", "hi, {one} and {other}",
          "Hello, {one} and {other}.", "{one}, {other}", "Hi! {One}. {Other}.",
          "{one} btw, {other}")
MORE_SHARE = 0.3  # of the tellings: something stands behind them that is not to be kept
ANY_SHARE = 0.3  # of what stands behind: what fits behind anything
LEAD_SHARE = 0.16  # of the others: something stands in front of them
PRONOUNS = {"he": ("he", "his", "him"), "she": ("she", "her", "her")}
BY_PRONOUN = {  # what is told of a man or a woman who was just spoken of
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
        return [Telling(fact, self.value, about) for fact, about in _of_sort(self.fact.sort)
                if about != self.about or fact is not self.fact]


@lru_cache(maxsize=16)
def _of_sort(sort):
    """The facts of a sort, each with everybody of whom it can be told: pairs (fact, about)."""
    return tuple((fact, about) for fact in (*OWN, *OTHERS) if fact.sort == sort
                 for about in fact.about or ("",))


def values_of(fact, about):
    """The values that a fact may have of this person or animal."""
    return may_be_called(about) if fact.sort == "name" else fact.values


@lru_cache(maxsize=64)  # the values of every fact, of men, women and others, twice
def _part(values, held_out):
    """The values that are held out, about a sixth, or the others."""
    return tuple(value for value in values if is_held_out(value, one_in=6) == held_out)


def told_of(rng, fact, about, held_out):
    """Some value of the fact."""
    return Telling(fact, pick(rng, _part(values_of(fact, about), held_out)), about)


def draw(rng, facts, held_out):
    """Some value of one of the facts."""
    fact = facts[0] if rng.random() < NAME_SHARE else pick(rng, facts)
    return told_of(rng, fact, pick(rng, fact.about) if fact.about else "", held_out)


def any_fact(rng, held_out):
    """Some fact about the user or about others."""
    return draw(rng, OTHERS if rng.random() < ABOUT_OTHERS else OWN, held_out)


def something_else(rng, told, held_out):
    """Some fact that cannot be confused with what was told."""
    while (telling := any_fact(rng, held_out)).clashes(told):
        pass
    return telling


def other_fact(rng, asked, held_out):
    """Something else that is told in the same conversation: often the same of somebody else."""
    twins = asked.twins()
    if not twins or rng.random() < 0.6:
        return something_else(rng, asked, held_out)
    twin = pick(rng, twins)
    return told_of(rng, twin.fact, twin.about, held_out)


def turn(rng, telling, held_out):
    """The turn in which the user tells a fact: (what the user said, the assistant's reply)."""
    fact = telling.fact
    said = telling.fill(pick(rng, wordings(fact.told, fact.told_paraphrases, held_out)))
    if not held_out and rng.random() < MORE_SHARE:
        said = with_more(rng, said, telling)
    elif not held_out and rng.random() < LEAD_SHARE:
        said = with_lead(rng, said, telling)
    return said, _reply(telling)


def with_more(rng, said, telling):
    """What was said, with more about the one who was told of, or about the day."""
    about = (BEHIND_PET if telling.fact.sort == "pet's name" else
             BEHIND_RELATIVE if telling.about else BEHIND_OWN)
    more = pick(rng, BEHIND_ANY if rng.random() < ANY_SHARE else about)
    he, his, him = PRONOUNS[HE_OR_SHE.get(telling.about) or pick(rng, tuple(PRONOUNS))]
    more = more.format(he=he, his=his, him=him, He=capitalized(he))
    if said[-1] in "!?":        # a sentence that has ended
        return said + more[1:] if more.startswith(". ") else said
    if ": " in said and more.startswith(" and "):  # "my name: Ada" has no verb that "and" goes on
        more = "," + more
    return said.rstrip(".") + more


def with_lead(rng, said, telling):
    """What was said, with words in front; behind "and" stands a clause that goes on from it."""
    lead, own = pick(rng, IN_FRONT), ("I ", "I'", telling.value)  # these keep their capital letter
    if lead.endswith(" and "):
        said = telling.fill(pick(rng, telling.fact.clauses))
    if not lead.endswith((". ", "! ")) and not said.startswith(own):
        said = said[0].lower() + said[1:]
    return lead + said


def turns_by_pronoun(rng, first, held_out):
    """Two turns in which the user tells of a relative, of the second fact with "he" or "she".

    Returns the turns and the second fact.
    """
    sort = "town" if first.fact.sort == "name" else "name"
    fact = next(fact for fact in OTHERS if fact.sort == sort and first.about in fact.about)
    second = told_of(rng, fact, first.about, held_out)
    he, his, him = PRONOUNS[HE_OR_SHE[first.about]]
    said = pick(rng, BY_PRONOUN[sort]).format(v=second.value, he=he, his=his, him=him,
                                              He=capitalized(he), His=capitalized(his))
    return [turn(rng, first, held_out), (said, _reply(second))], second


def turn_of_two(rng, first, second):
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
