"""Requests that work on the letters of a word in the question itself."""

from minillm.world.kinds.kind import ALL_STYLES, TEXT_STYLES, Kind, table_items

WORDS = ("river", "bread", "garden", "house", "apple", "table", "window", "bridge", "water", "kitchen",
         "school", "market", "horse", "flower", "letter", "spoon", "button", "candle", "basket", "hammer",
         "mountain", "library", "chair", "clock", "bottle", "blanket", "pencil", "lamp", "knife", "boat",
         "dog", "cat", "bird", "tree", "road", "shoe", "coat", "door", "book", "milk")
# Few words: a small model sees tokens, not letters, and has to learn by heart how each is spelt.
SPELT = ("river", "bread", "garden", "house", "table", "window", "kitchen", "school", "market", "flower",
         "letter", "spoon", "candle", "hammer", "door", "lamp", "knife", "dog", "cat",
         "tree")


def _repeat_items(world):
    return table_items([(w, w, index % 4 == 3) for index, w in enumerate(WORDS)], ("The word is {y}.",))


def _twice_items(world):
    return table_items([(w, f"{w}, {w}", index % 4 == 3) for index, w in enumerate(WORDS)], ("I say: {y}.",))


def _first_letter_items(world):
    return table_items([(w, w[0], False) for w in SPELT], ("The first letter of {n} is {y}.",))


KINDS = (
    Kind("repeat",
         ("Repeat the word {n}.", "Say the word {n}.", "Repeat this word: {n}.", "Say this word: {n}.",
          "Can you repeat the word {n}?"),
         ("Can you say the word {n}?", "Can you repeat this word: {n}?", "Repeat {n}."),
         _repeat_items),
    Kind("twice",
         ("Say {n} twice.", "Say the word {n} twice.", "Repeat the word {n} twice.", "Repeat {n} twice.",
          "Can you say {n} twice?"),
         ("Can you repeat the word {n} twice?", "Say this word twice: {n}."),
         _twice_items, TEXT_STYLES, 0.5),
    Kind("first letter",
         ("What is the first letter of {n}?", "Tell me the first letter of {n}.",
          "Name the first letter of {n}.", "Which letter is the first in {n}?",
          "What is the first letter of the word {n}?"),
         ("Which letter is the first letter of {n}?", "Tell me the first letter of the word {n}."),
         _first_letter_items, ALL_STYLES, 0.6),
)
