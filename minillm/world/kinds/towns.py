"""Requests about the invented towns: the river, what there is to see, what a town is famous for."""

from minillm.world.kinds.kind import Kind
from minillm.world.kinds.telling import fact_items, rows_of
from minillm.world.kinds.town_wordings import FAMOUS_FOR, LANDMARK, OPEN, RIVER


def _town_items(world):
    """Four items for each town."""
    columns = [_items(world, field, forms, wordings) for field, forms, wordings in (
        ("river", ("The river {y} flows through {n}.", "The {y} flows through {n}.",
                   "{n} lies on the {y}.", "It is called the {y}.", "The river is called the {y}.",
                   "{n} is on the river {y}."), RIVER),
        ("landmark", ("You can see the {y} in {n}.", "In {n} you can see the {y}.",
                      "You can see the {y}.", "You should see the {y}.",
                      "People come to {n} to see the {y}."), LANDMARK),
        ("famous_for", ("{n} is famous for its {y}.", "{n} is famous for {y}.",
                        "{n} is known for {y}.", "It is famous for its {y}.",
                        "{n} makes good {y}.", "You can buy {y} in {n}.",
                        "People go there to buy {y}."), FAMOUS_FOR),
        ("landmark", ("You can see the {y} in {n}.", "In {n} you can see the {y}.",
                      "You can see the {y}."), OPEN))]
    return [item for row in zip(*columns) for item in row]


def _items(world, field, forms, wordings):
    """One item for each town, about one field."""
    return [item._replace(phrasings=wordings[0], paraphrases=wordings[1])
            for item in fact_items(field, rows_of(world.towns, field), forms)]


KINDS = (Kind("town fact", (), (), _town_items, weight=3.4),)
