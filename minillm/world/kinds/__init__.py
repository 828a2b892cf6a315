"""The kinds of requests that users make; each kind is a table of phrasings and items."""

from minillm.world.kinds import (animals, causes, coding, creative, events, following, harm,
                                 letters, lists, memory, myself, numbers, people, places, puzzling,
                                 talk, things, towns, unknown, words)
from minillm.world.kinds.kind import Item, Kind, pick

TABLES = (places, people, things, animals, words, letters, numbers, towns, events, causes, puzzling,
          lists, coding, talk, harm, unknown, creative, myself, memory, following)
KINDS = tuple(kind for table in TABLES for kind in table.KINDS)
BY_NAME = {kind.name: kind for kind in KINDS}

__all__ = ["BY_NAME", "KINDS", "Item", "Kind", "pick"]
