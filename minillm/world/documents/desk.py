"""The desk at which all writers of documents sit: the world, a generator, and decks of entities."""

from minillm.world.reserved import reserved_entities


class Desk:
    """The world, the generator, and decks from which entities are dealt in turn, so that every
    entity comes up about equally often.

    `until` is the latest (year, month) that news may have; None for all.
    """

    def __init__(self, world, rng, until=None):
        self.world, self.rng, self.until = world, rng, until
        self.reserved = reserved_entities(world)
        self.decks = {}
        self.last_told = {}  # topic: the phrasing told last, so that no phrasing comes twice running

    def pick(self, options):
        """One of the options, all equally likely."""
        return options[int(self.rng.integers(len(options)))]

    def some(self, options, count):
        """count different options in random order."""
        return [options[int(i)] for i in self.rng.permutation(len(options))[:count]]

    def chance(self, share):
        """True with this probability."""
        return self.rng.random() < share

    def deal(self, table):
        """The next entity of a table of the world (by name), or of a tuple, from a shuffled deck."""
        deck = self.decks.setdefault(table, [])
        if not deck:
            options = getattr(self.world, table) if isinstance(table, str) else table
            deck += self.some(options, len(options))
        return deck.pop()
