"""Exercise of lesson 01. Check it with:  minillm lesson 01 --check"""

HINTS = (
    "Go from left to right and build a new list; look at the current token and the one after it.",
    "After a match, both tokens are used up: continue two places further. The last token has no neighbour.",
    "i = 0; while i < len(ids): if tuple(ids[i:i + 2]) == pair, append new and add 2 to i; else append ids[i] and add 1.",
)


def merge(ids, pair, new):
    """Replace each occurrence of two neighbouring tokens by one, from left to right.

    Of overlapping occurrences the left one counts: the pair (a, a) in a a a gives new, a.
    ids: a list of ints; pair: (int, int); new: int.  Returns a new list; ids stays as it is.
    """
    raise NotImplementedError
