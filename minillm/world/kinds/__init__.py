"""The kinds of requests that users make; each kind is a table of phrasings and items."""

from minillm.world.kinds import coding, harm, letters, numbers, people, places, talk, things
from minillm.world.kinds.kind import Item, Kind, pick

KINDS = (*places.KINDS, *people.KINDS, *things.KINDS, *numbers.KINDS, *letters.KINDS, *talk.KINDS,
         *coding.KINDS, *harm.KINDS)

__all__ = ["KINDS", "Item", "Kind", "pick"]
