"""The desk at which every document is written: the world, a random generator, decks of entities."""

from minillm.world.reserved import reserved_entities


class Desk:
    """What a writer needs: the world, a random generator, and shuffled decks.

    Entities are dealt from decks, so that every entity occurs about equally often. `until` is the
    latest (year, month) of news; None means no limit.
    """

    def __init__(self, world, rng, until=None):
        self.world = world
        self.rng = rng
        self.until = until
        self.reserved = reserved_entities(world)
        self.decks = {}  # table: the entities not yet dealt
        self.last_told = {}  # topic: index of its last phrasing, which is not used twice in a row

    def pick(self, options):
        """One of the options; all are equally likely."""
        return options[int(self.rng.integers(len(options)))]

    def some(self, options, count):
        """`count` different options in random order."""
        return [options[int(i)] for i in self.rng.permutation(len(options))[:count]]

    def chance(self, share):
        """True with probability `share`."""
        return self.rng.random() < share

    def deal(self, table):
        """The next entity from a shuffled deck.

        `table` is the name of a table of the world, or a tuple of options.
        """
        deck = self.decks.setdefault(table, [])
        if not deck:
            options = getattr(self.world, table) if isinstance(table, str) else table
            deck += self.some(options, len(options))
        return deck.pop()
