"""Requests for the first letter of a word in the question."""

from minillm.world.kinds.kind import ALL_STYLES, Kind, table_items

# Few words, because a model sees tokens, not letters: it must memorize how each word is spelt.
SPELT = ("river", "bread", "garden", "house", "table", "window", "kitchen", "school", "market",
         "flower", "letter", "spoon", "candle", "hammer", "door", "lamp", "knife", "dog", "cat",
         "tree")


def _first_letter_items(world):
    return table_items([(w, w[0], False) for w in SPELT], ("The first letter of {n} is {y}.",))


KINDS = (
    Kind("first letter",
         ("What is the first letter of {n}?", "Tell me the first letter of {n}.",
          "Name the first letter of {n}.", "Which letter is the first in {n}?",
          "What is the first letter of the word {n}?"),
         ("Which letter is the first letter of {n}?", "Tell me the first letter of the word {n}."),
         _first_letter_items, ALL_STYLES, 0.6),
)
