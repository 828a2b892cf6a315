"""The facts are equal for equal seeds, free of contradictions, and a fixed quarter is held out."""

import subprocess
import sys

import pytest

from minillm.world.facts import a_an, capitalized, held_out_part, him, his, joined, make_world, plural, split
from minillm.world.strangers import MEALS, NAMES, PET_NAMES, PLACES, RELATIVES, SPECIES


def test_equal_seeds_give_equal_worlds_in_every_process(world):
    assert make_world(0) == world
    assert make_world(1).people != world.people
    program = "from minillm.world.facts import make_world; print(make_world(0))"
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == str(world)


def test_real_things_are_the_same_in_every_world(world):
    other = make_world(5)
    for table in ("countries", "things", "animals", "opposites", "plurals", "pasts"):
        assert getattr(other, table) == getattr(world, table)


@pytest.mark.parametrize("table, field", [
    ("countries", "name"), ("countries", "capital"), ("towns", "name"), ("towns", "river"),
    ("towns", "landmark"), ("towns", "famous_for"), ("people", "name"), ("people", "pet_name"),
    ("things", "name"), ("things", "use"), ("animals", "name"), ("animals", "home"), ("animals", "sound"),
])
def test_a_name_belongs_to_one_entity(table, field, world):
    for seed in (0, 3):
        values = [getattr(entity, field) for entity in getattr(make_world(seed), table)]
        assert len(values) == len(set(values))


@pytest.mark.parametrize("names", [NAMES, PLACES, MEALS, PET_NAMES, SPECIES, RELATIVES])
def test_what_strangers_are_called_stands_once_in_its_list(names):
    """Strangers and their relatives are called differently, as their names come from different places of it."""
    assert len(names) == len(set(names))


def test_every_question_has_one_answer(world):
    assert len({(event.town, event.what) for event in world.events}) == len(world.events)
    assert all(event.past.endswith(event.what) and event.base.endswith(event.what) for event in world.events)
    assert all(2018 <= event.year <= 2024 and 1 <= event.month <= 12 for event in world.events)
    words = [word for pair in world.opposites for word in pair]
    assert len(words) == len(set(words))
    assert {person.town for person in world.people} <= {town.name for town in world.towns}


def test_sizes(world):
    sizes = [len(table) for table in (world.countries, world.towns, world.people, world.events, world.things,
                                      world.animals, world.opposites)]
    assert sizes == [40, 10, 24, 30, 40, 20, 32]


def test_a_quarter_is_held_out(world):
    is_held_out = split(world)
    for table in (world.countries, world.people, world.events, world.things, world.animals, world.opposites):
        share = sum(map(is_held_out, table)) / len(table)
        assert share == pytest.approx(0.25, abs=0.02)
        assert all(map(is_held_out, held_out_part(table)))
    assert not is_held_out(world.countries[-1])


def test_names_are_plain_ascii_single_words(world):
    for names in ([person.name for person in world.people], [country.name for country in world.countries],
                  [country.capital for country in world.countries], [town.name for town in world.towns]):
        assert all(name.isascii() and name.isalpha() and name[0].isupper() for name in names)


def test_words_about_words(world):
    woman = next(person for person in world.people if person.pronoun == "she")
    man = next(person for person in world.people if person.pronoun == "he")
    assert (his(woman), him(woman), his(man), him(man)) == ("her", "her", "his", "him")
    assert [a_an(noun) for noun in ("owl", "knife", "Elephant")] == ["an owl", "a knife", "an Elephant"]
    plurals = {"knife": "knives", "berry": "berries", "boy": "boys", "box": "boxes", "sheep": "sheep"}
    assert {noun: plural(noun) for noun in plurals} == plurals
    assert joined(["a", "b", "c"]) == "a, b and c" and joined(["a"]) == "a"
    assert capitalized("the river Lunn") == "The river Lunn"
