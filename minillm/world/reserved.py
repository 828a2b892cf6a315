"""What is reserved for the probes: combinations of words that no document may contain.

A probe item joins a phrasing and an entity that the corpus shows apart but never together. The
corpus tells facts about some entities in every phrasing but one, and uses that one for the other
entities. For grammar and logic, a fifth of the combinations of words is reserved; for code, up to a
third.
"""

import zlib

from minillm.world.effects import EFFECTS
from minillm.world.facts import split


def is_reserved(*words, one_in=5):
    """Whether a combination of words is reserved; about one in `one_in` is.

    A checksum of the words decides, so the answer is the same in every process and for every seed.
    """
    return zlib.crc32("/".join(words).encode()) % one_in == 0


def reserved_entities(world):
    """Return {Topic.keeper: the entities for which the corpus does not use the reserved phrasing}.

    Of countries, people and opposites these are the held-out ones. Of things and animals it is
    every second one, and which half depends on the topic.
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
