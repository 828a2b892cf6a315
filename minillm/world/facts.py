"""The facts of the embedded world: real geography and everyday knowledge, invented people and towns.

A seed draws towns, people, pets and events; countries, things, animals and words are the same in
every world. Documents, probes, conversations and raters all speak of this one record of the truth.
"""

from dataclasses import dataclass

import numpy as np

from minillm.world import invented, real

FIRST_YEAR, LAST_YEAR = 2018, 2024
PEOPLE, TOWNS, EVENTS_PER_TOWN = 36, 14, 3
HELD_OUT_SHARE = 0.25


@dataclass(frozen=True)
class Country:
    """A real country with a capital, continent and main language of one name each."""

    name: str
    capital: str
    continent: str
    language: str


@dataclass(frozen=True)
class Town:
    """An invented town on an invented river."""

    name: str
    river: str
    landmark: str
    famous_for: str


@dataclass(frozen=True)
class Person:
    """An invented person, known by one first name that nobody else has."""

    name: str
    pronoun: str  # "he" or "she"
    trade: str
    town: str
    pet: str  # a species: "dog"
    pet_name: str
    food: str


@dataclass(frozen=True)
class Event:
    """Something that a town did once: no other event has the same (town, what)."""

    year: int
    month: int  # 1 to 12
    town: str
    what: str  # "a new library"
    past: str  # "opened a new library"
    base: str  # "open a new library"


@dataclass(frozen=True)
class Thing:
    """An everyday thing: its use ("cut bread"), the place where it is kept, what it is made of."""

    name: str
    use: str
    place: str
    material: str


@dataclass(frozen=True)
class Animal:
    """An animal, the name of its young, its sound (a verb), and where it lives."""

    name: str
    young: str
    sound: str
    home: str


@dataclass(frozen=True)
class World:
    """Everything that is true. In every table the first quarter is held out of fine-tuning."""

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


def make_world(seed=0):
    """The world of this seed: the same record in every process."""
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
    """The rows of a table of the world that fine-tuning never sees: its first quarter."""
    return table[: round(HELD_OUT_SHARE * len(table))]


def split(world):
    """A function is_held_out(entity) for this world.

    An entity is a record (Country, Town, Person, Event, Thing, Animal) or a pair of words out of
    world.opposites, world.plurals or world.pasts. Pretraining speaks of every entity; conversations
    for training use only those for which this is False.
    """
    tables = (world.countries, world.towns, world.people, world.events, world.things, world.animals,
              world.opposites, world.plurals, world.pasts)
    held_out = frozenset(entity for table in tables for entity in held_out_part(table))
    return held_out.__contains__


def _shuffled(rng, pool, count):
    """count different members of a pool in random order."""
    return [pool[i] for i in rng.permutation(len(pool))[:count]]


def _dealt(rng, pool, count):
    """count cards dealt from shuffled decks of the pool: each deck is used up before the next is opened,
    so that all members are about equally common and the first few are all different."""
    cards = []
    while len(cards) < count:
        cards += _shuffled(rng, pool, len(pool))
    return cards[:count]


def _draw_towns(rng):
    columns = (_shuffled(rng, pool, TOWNS)
               for pool in (invented.TOWNS, invented.RIVERS, invented.LANDMARKS, invented.FAMOUS_FOR))
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
    """EVENTS_PER_TOWN different happenings a town, shuffled so that the held-out ones are of all towns."""
    events = []
    for town in towns:
        for base, past, what in _shuffled(rng, invented.HAPPENINGS, EVENTS_PER_TOWN):
            year, month = int(rng.integers(FIRST_YEAR, LAST_YEAR + 1)), int(rng.integers(1, 13))
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
    """The text with its first letter in upper case and the rest as it is."""
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
    """A list in words: "a, b and c"."""
    words = list(words)
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
