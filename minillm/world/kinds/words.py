"""Requests about words: opposites, plurals, past forms."""

from minillm.world.facts import split
from minillm.world.kinds.kind import Kind, table_items


def _items(world, pairs, forms):
    held_out = split(world)
    return table_items([(word, answer, held_out((word, answer))) for word, answer in pairs], forms)


def _opposite_items(world):
    held_out, pairs = split(world), world.opposites
    rows = [(a, b, held_out((a, b))) for a, b in pairs] + [(b, a, held_out((a, b))) for a, b in pairs]
    return table_items(rows, ("{n} and {y} are opposites.", "The opposite of {n} is {y}.",
                              "{y} is the opposite of {n}.", "{n} is the opposite of {y}."))


def _plural_items(world):
    return _items(world, world.plurals, ("The plural of {n} is {y}.", "One {n}, two {y}."))


def _past_items(world):
    return _items(world, world.pasts, ("The past of {n} is {y}.", "The past tense of {n} is {y}."))


KINDS = (
    Kind("opposite",
         ("What is the opposite of {n}?", "Tell me the opposite of {n}.", "Name the opposite of {n}.",
          "Which word is the opposite of {n}?", "Do you know the opposite of {n}?"),
         ("Can you tell me the opposite of {n}?", "What is the opposite of the word {n}?",
          "Can you name the opposite of {n}?"),
         _opposite_items),
    Kind("plural",
         ("What is the plural of {n}?", "Tell me the plural of {n}.", "Name the plural of {n}.",
          "Which word is the plural of {n}?", "What is the plural of the word {n}?"),
         ("Can you tell me the plural of {n}?", "Do you know the plural of {n}?",
          "Can you name the plural of {n}?"),
         _plural_items),
    Kind("past",
         ("What is the past of {n}?", "Tell me the past of {n}.", "Name the past of {n}.",
          "Which word is the past of {n}?", "What is the past of the word {n}?"),
         ("Can you tell me the past of {n}?", "Do you know the past of {n}?",
          "Can you name the past of {n}?"),
         _past_items),
)
