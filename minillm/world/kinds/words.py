"""Requests about words: opposites."""

from minillm.world.facts import split
from minillm.world.kinds.kind import Kind, table_items


def _opposite_items(world):
    held_out, pairs = split(world), world.opposites
    rows = [(a, b, held_out((a, b))) for a, b in pairs] + [(b, a, held_out((a, b))) for a, b in pairs]
    return table_items(rows, ("The opposite of {n} is {y}.", "{n} and {y} are opposites.",
                              "{y} is the opposite of {n}.", "{n} is the opposite of {y}."))


KINDS = (
    Kind("opposite",
         ("What is the opposite of {n}?", "Tell me the opposite of {n}.", "Name the opposite of {n}.",
          "Which word is the opposite of {n}?", "Do you know the opposite of {n}?"),
         ("Can you tell me the opposite of {n}?", "What is the opposite of the word {n}?",
          "Can you name the opposite of {n}?"),
         _opposite_items),
)
