"""The facts of the embedded world: real geography and everyday things, invented people and towns.

The seed draws the towns, people, pets and events. Countries, things, animals and words are the same
in every world. Documents, probes, conversations and raters all use this one record of the truth.
"""

from dataclasses import dataclass
from string import Formatter

import numpy as np

from minillm.world import invented, real

FIRST_YEAR, LAST_YEAR = 2018, 2024  # the years in which events happen, both included
PEOPLE, TOWNS, EVENTS_PER_TOWN = 24, 10, 3  # how many of each a world has
HELD_OUT_SHARE = 0.25  # of the rows of every table


@dataclass(frozen=True)
class Country:
    """A real country with one capital, one continent and one main language."""

    name: str
    capital: str
    continent: str
    language: str


@dataclass(frozen=True)
class Town:
    """An invented town on an invented river."""

    name: str
    river: str
    landmark: str  # "clock tower"
    famous_for: str  # a product: "cheese"


@dataclass(frozen=True)
class Person:
    """An invented person with a unique first name."""

    name: str
    pronoun: str  # "he" or "she"
    trade: str
    town: str  # the name of the home town
    pet: str  # a species: "dog"
    pet_name: str
    food: str  # the favourite food


@dataclass(frozen=True)
class Event:
    """Something that a town did once: the pair (town, what) is unique."""

    year: int
    month: int  # 1 to 12
    town: str  # the town's name
    what: str  # "a new library"
    past: str  # "opened a new library"
    base: str  # "open a new library"


@dataclass(frozen=True)
class Thing:
    """An everyday thing."""

    name: str
    use: str  # "cut bread"
    place: str  # where people keep it: "kitchen"
    material: str


@dataclass(frozen=True)
class Animal:
    """An animal."""

    name: str
    young: str  # what its young is called: "calf"
    sound: str  # a verb: "moo"
    home: str  # where it lives: "barn"


@dataclass(frozen=True)
class World:
    """Everything that is true. The first quarter of every table is its held-out part."""

    seed: int
    countries: tuple
    towns: tuple
    people: tuple
    events: tuple
    things: tuple
    animals: tuple
    opposites: tuple  # ("hot", "cold")
    plurals: tuple  # ("box", "boxes")
    pasts: tuple  # ("go", "went")

    def __hash__(self):
        """The seed's: it decides all the rest, and a cache of a world's texts asks often."""
        return hash(self.seed)


def make_world(seed=0):
    """The world of this seed; the same seed gives the same world in every process."""
    rng = np.random.default_rng(seed)
    towns = _draw_towns(rng)
    return World(
        seed=seed,
        countries=tuple(Country(*row) for row in real.COUNTRIES),
        towns=towns,
        people=_draw_people(rng, towns),
        events=_draw_events(rng, towns),
        things=tuple(Thing(*row) for row in real.THINGS),
        animals=tuple(Animal(*row) for row in real.ANIMALS),
        opposites=real.OPPOSITES,
        plurals=real.PLURALS,
        pasts=real.PASTS,
    )


def held_out_part(table):
    """The held-out part of a table of the world: its first quarter."""
    return table[: round(HELD_OUT_SHARE * len(table))]


def split(world):
    """Return the function is_held_out(entity) -> bool for this world.

    An entity is a record (Country, Town, Person, Event, Thing, Animal) or a pair of words from
    world.opposites, world.plurals or world.pasts. The corpus tells facts about every entity; for
    the held-out ones it leaves out the phrasing that the probes use (reserved.py). Each kind of
    request holds out questions about another quarter, derived from this one (requests.py).
    """
    tables = (world.countries, world.towns, world.people, world.events, world.things, world.animals,
              world.opposites, world.plurals, world.pasts)
    held_out = frozenset(entity for table in tables for entity in held_out_part(table))
    return held_out.__contains__


def _shuffled(rng, pool, count):
    """`count` different members of a pool in random order."""
    return [pool[i] for i in rng.permutation(len(pool))[:count]]


def _dealt(rng, pool, count):
    """`count` members of a pool, dealt like cards from shuffled decks.

    Each deck holds the whole pool and is used up before the next one is opened. So all members are
    about equally frequent, and the first len(pool) are all different.
    """
    cards = []
    while len(cards) < count:
        cards += _shuffled(rng, pool, len(pool))
    return cards[:count]


def _draw_towns(rng):
    pools = (invented.TOWNS, invented.RIVERS, invented.LANDMARKS, invented.FAMOUS_FOR)
    columns = (_shuffled(rng, pool, TOWNS) for pool in pools)
    return tuple(Town(*row) for row in zip(*columns))


def _draw_people(rng, towns):
    names = [(name, "she") for name in _shuffled(rng, invented.WOMEN, PEOPLE // 2)]
    names += [(name, "he") for name in _shuffled(rng, invented.MEN, PEOPLE // 2)]
    names = _shuffled(rng, names, PEOPLE)
    trades = _dealt(rng, invented.TRADES, PEOPLE)
    homes = _dealt(rng, [town.name for town in towns], PEOPLE)
    pets = _dealt(rng, invented.PETS, PEOPLE)
    pet_names = _shuffled(rng, invented.PET_NAMES, PEOPLE)
    foods = _dealt(rng, invented.FOODS, PEOPLE)
    rows = zip(names, trades, homes, pets, pet_names, foods)
    return tuple(Person(name, pronoun, *rest) for (name, pronoun), *rest in rows)


def _draw_events(rng, towns):
    """EVENTS_PER_TOWN different events for every town.

    They are shuffled so that the held-out first quarter comes from many towns.
    """
    events = []
    for town in towns:
        for base, past, what in _shuffled(rng, invented.HAPPENINGS, EVENTS_PER_TOWN):
            year = int(rng.integers(FIRST_YEAR, LAST_YEAR + 1))
            month = int(rng.integers(1, 13))
            events.append(Event(year, month, town.name, what, f"{past} {what}", f"{base} {what}"))
    return tuple(_shuffled(rng, events, len(events)))


def a_an(noun):
    """The noun with its article: "a knife", "an owl"."""
    return ("an " if noun[0].lower() in "aeiou" else "a ") + noun


def he(person):
    """"he" or "she"."""
    return person.pronoun


def his(person):
    """"his" or "her"."""
    return "his" if person.pronoun == "he" else "her"


def him(person):
    """"him" or "her"."""
    return "him" if person.pronoun == "he" else "her"


def capitalized(text):
    """The text with its first letter in upper case and the rest unchanged."""
    return text[0].upper() + text[1:]


def plural(noun):
    """The plural of a noun: "boxes", "berries", "knives"."""
    irregular = dict(real.PLURALS)
    irregular["sheep"] = "sheep"
    if noun in irregular:
        return irregular[noun]
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def joined(words):
    """The words as a list in prose: "a, b and c"."""
    words = list(words)
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def slots_in(text):
    """The names of the slots of a text: {"n"} of "Who is {n}?"."""
    return {slot for _, slot, _, _ in Formatter().parse(text) if slot}
