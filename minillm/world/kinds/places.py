"""Requests about countries, and about the dated events of towns."""

from minillm.world.facts import FIRST_YEAR, LAST_YEAR, split
from minillm.world.kinds.kind import ALL_STYLES, Item, Kind, others, table_items


def _country_items(world, answer, forms):
    held_out = split(world)
    return table_items([(c.name, getattr(c, answer), held_out(c)) for c in world.countries], forms)


def _capital_items(world):
    return _country_items(world, "capital", ("The capital city of {n} is {y}.", "The capital of {n} is {y}.",
                                             "{y} is the capital of {n}.", "In {n}, the capital is {y}."))


def _language_items(world):
    return _country_items(world, "language", ("Most people in {n} speak {y}.", "People in {n} speak {y}.",
                                              "The people of {n} speak {y}.", "In {n}, people speak {y}.",
                                              "The main language of {n} is {y}."))


def _continent_items(world):
    return _country_items(world, "continent", ("{n} is a country in {y}.", "{n} lies in {y}.",
                                               "{n} is in {y}.", "The continent of {n} is {y}."))


def _event_items(world):
    held_out = split(world)
    years = [str(year) for year in range(FIRST_YEAR, LAST_YEAR + 1)]
    items = []
    for event in world.events:
        year = str(event.year)
        wrong = others(years, year)
        said = tuple(f"{event.town} {event.past} in {w}." for w in wrong)
        items.append(Item({"x": event.town, "base": event.base, "past": event.past}, year,
                          f"{event.town} {event.past} in {year}.", wrong, said, held_out(event),
                          (f"It was in {year}.", f"That was in {year}.",
                           f"In {year}, {event.town} {event.past}."),
                          others([e.town for e in world.events], event.town)))
    return items


KINDS = (
    Kind("capital",
         ("What is the capital of {n}?", "Which city is the capital of {n}?", "Name the capital of {n}.",
          "Tell me the capital of {n}.", "What is the capital city of {n}?",
          "Do you know the capital of {n}?"),
         ("Can you tell me the capital of {n}?", "Can you name the capital city of {n}?",
          "Which city is the capital city of {n}?"),
         _capital_items, ALL_STYLES, 1.3),
    Kind("language",
         ("Which language do people speak in {n}?", "What language do people speak in {n}?",
          "What is the main language of {n}?", "Tell me the main language of {n}.",
          "Name the main language of {n}.",
          "Which language do they speak in {n}?"),
         ("What language do they speak in {n}?", "Can you tell me the main language of {n}?",
          "Tell me which language people speak in {n}."),
         _language_items),
    Kind("continent",
         ("On which continent is {n}?", "Which continent is {n} on?", "What is the continent of {n}?",
          "Tell me the continent of {n}.", "Which continent does {n} belong to?"),
         ("On what continent is {n}?", "Can you tell me the continent of {n}?",
          "What continent does {n} belong to?"),
         _continent_items),
    Kind("event",
         ("In which year did {x} {base}?", "When did {x} {base}?", "Tell me when {x} {past}.",
          "What year did {x} {base}?", "Name the year in which {x} {past}."),
         ("In what year did {x} {base}?", "Tell me the year in which {x} {past}.",
          "Can you tell me when {x} {past}?"),
         _event_items),
)
