"""The kinds of requests that users make, each a table of phrasings and items."""

from minillm.world.kinds import coding, copying, harm, numbers, people, places, talk, things, words
from minillm.world.kinds.kind import Item, Kind, pick

KINDS = (*places.KINDS, *people.KINDS, *things.KINDS, *words.KINDS, *numbers.KINDS, *copying.KINDS,
         *talk.KINDS, *coding.KINDS, *harm.KINDS)

__all__ = ["KINDS", "Item", "Kind", "pick"]
