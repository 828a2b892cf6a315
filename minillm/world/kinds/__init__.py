"""The kinds of requests that users make; each kind is a table of phrasings and items."""

from minillm.world.kinds import (animals, causes, coding, creative, events, following, greetings,
                                 harm, letters, lists, memory, moods, myself, numbers, people,
                                 pets, places, puzzling, riddles, things, towns, unknown, words)
from minillm.world.kinds.kind import Item, Kind, pick

TABLES = (places, people, pets, things, animals, words, letters, numbers, towns, events, causes,
          puzzling, lists, coding, greetings, moods, harm, unknown, creative, myself,
          memory, following, riddles)
KINDS = tuple(kind for table in TABLES for kind in table.KINDS)
BY_NAME = {kind.name: kind for kind in KINDS}

__all__ = ["BY_NAME", "KINDS", "Item", "Kind", "pick"]
