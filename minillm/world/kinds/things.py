"""Requests about everyday things and about animals."""

from minillm.world.facts import a_an, split
from minillm.world.kinds.kind import TEXT_STYLES, Kind, table_items


def _items(world, table, field, forms, say=str):
    """Items about one field of all rows of a table."""
    held_out = split(world)
    rows = [(row.name, getattr(row, field), held_out(row)) for row in table]
    return table_items(rows, forms, say)


def _use_items(world):
    return _items(world, world.things, "use",
                  ("You use {x} to {y}.", "{x} is used to {y}.", "With {x} you can {y}."))


def _place_items(world):
    return _items(world, world.things, "place",
                  ("The {n} belongs in the {y}.", "You find the {n} in the {y}.",
                   "You keep the {n} in the {y}.", "The {n} is kept in the {y}."))


def _material_items(world):
    return _items(world, world.things, "material",
                  ("{x} is made of {y}.", "The {n} is made of {y}."))


def _young_items(world):
    return _items(world, world.animals, "young",
                  ("The young of {x} is {y}.", "A young {n} is called {y}.", "A baby {n} is {y}."),
                  a_an)


def _home_items(world):
    return _items(world, world.animals, "home",
                  ("The home of the {n} is the {y}.", "The {n} lives in the {y}.",
                   "You find the {n} in the {y}."))


KINDS = (
    Kind("use",
         ("What is {x} for?", "What do you do with {x}?", "What is {x} used for?",
          "What do you use {x} for?", "Tell me what {x} is for."),
         ("What do people do with {x}?", "Tell me what you do with {x}.",
          "Can you tell me what {x} is used for?"),
         _use_items, TEXT_STYLES),
    Kind("place",
         ("Where do you keep the {n}?", "Where do I find the {n}?", "Where does the {n} belong?",
          "Tell me where you keep the {n}.", "Where do people put the {n}?"),
         ("Where do people keep the {n}?", "What is the place for the {n}?",
          "Can you tell me where I find the {n}?"),
         _place_items),
    Kind("material",
         ("What is {x} made of?", "Tell me what {x} is made of.", "What is the {n} made of?",
          "Do you know what {x} is made of?", "What do you make {x} out of?"),
         ("Can you tell me what {x} is made of?", "What do people make {x} out of?"),
         _material_items),
    Kind("young",
         ("What is a young {n} called?", "What do you call the young of {x}?",
          "What is a baby {n}?", "What do you call a young {n}?",
          "Tell me what a young {n} is called.", "Name the young of {x}."),
         ("What do you call a baby {n}?", "What is the young of {x}?",
          "What is a baby {n} called?"),
         _young_items),
    Kind("home",
         ("Where does {x} live?", "What is the home of {x}?", "Tell me where {x} lives.",
          "Where does {x} sleep?", "Tell me the home of {x}."),
         ("Can you tell me where {x} lives?", "Where is the home of {x}?",
          "Can you tell me the home of {x}?"),
         _home_items),
)
