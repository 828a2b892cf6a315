"""Requests about countries: capital and language."""

from minillm.world.facts import split
from minillm.world.kinds.kind import ALL_STYLES, Kind, table_items


def _country_items(world, answer, forms):
    """Items about one field of all countries."""
    held_out = split(world)
    return table_items([(c.name, getattr(c, answer), held_out(c)) for c in world.countries], forms)


def _capital_items(world):
    return _country_items(world, "capital",
                          ("The capital city of {n} is {y}.", "The capital of {n} is {y}.",
                           "{y} is the capital of {n}.", "In {n}, the capital is {y}."))


def _language_items(world):
    return _country_items(world, "language",
                          ("Most people in {n} speak {y}.", "People in {n} speak {y}.",
                           "The people of {n} speak {y}.", "In {n}, people speak {y}.",
                           "The main language of {n} is {y}."))


KINDS = (
    Kind("capital",
         ("What is the capital of {n}?", "Which city is the capital of {n}?",
          "Name the capital of {n}.", "Tell me the capital of {n}.",
          "What is the capital city of {n}?", "Do you know the capital of {n}?"),
         ("Can you tell me the capital of {n}?", "Can you name the capital city of {n}?",
          "Which city is the capital city of {n}?"),
         _capital_items, ALL_STYLES, 1.3),
    Kind("language",
         ("Which language do people speak in {n}?", "What language do people speak in {n}?",
          "What is the main language of {n}?", "Tell me the main language of {n}.",
          "Name the main language of {n}.", "Which language do they speak in {n}?"),
         ("What language do they speak in {n}?", "Can you tell me the main language of {n}?",
          "Tell me which language people speak in {n}."),
         _language_items),
)
