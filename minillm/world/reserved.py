"""What the probes keep for themselves: combinations that no document may say.

A probe item joins a phrasing and an entity that the corpus shows apart but never together. Facts
about the held-out quarter of the world are told in every phrasing but one, which the other three
quarters show. Grammar, logic and code keep back a fifth of the combinations of words.
"""

import zlib

from minillm.world.effects import EFFECTS
from minillm.world.facts import split



def is_reserved(*words, one_in=5):
    """True for one in so many combinations of words, the same ones in every process and for every seed."""
    return zlib.crc32("/".join(words).encode()) % one_in == 0


def reserved_entities(world):
    """The entities of which the corpus does not use the reserved phrasing, by subject of the phrasing.

    Things and animals take turns: one half keeps back one phrasing, the other half another.
    """
    held_out = split(world)
    kept = {topic: frozenset(filter(held_out, table)) for topic, table in
            (("country", world.countries), ("person", world.people), ("opposite", world.opposites))}
    kept["opposite"] |= frozenset(pair[::-1] for pair in kept["opposite"])
    kept["use"] = kept["material"] = frozenset(world.things[0::2])
    kept["place"] = frozenset(world.things[1::2])
    kept["young"] = kept["home"] = frozenset(world.animals[0::2])
    kept["sound"] = frozenset(world.animals[1::2])
    kept["effect"] = frozenset(EFFECTS[:8])
    return kept
