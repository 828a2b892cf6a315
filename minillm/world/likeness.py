"""Measure how alike two sentences are, word by word."""

import re
from difflib import SequenceMatcher


def tokens(text):
    """The words and punctuation marks of a text."""
    return tuple(re.findall(r"[A-Za-z0-9']+|[^\sA-Za-z0-9']", text))


def sentences(text):
    """The sentences of a text, or the lines of code, each as a tuple of tokens."""
    return [tokens(sentence) for sentence in re.split(r"(?<=[.!?])\s+|\n", text)
            if sentence.strip()]


def overlap(a, b):
    """How many tokens two sequences have in common, in the same order."""
    blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks)


def likeness(sentence, known):
    """Likeness of a sentence to the nearest known sentence.

        max over k of  2 overlap(sentence, k) / (len(sentence) + len(k)),   from 0 to 1
    """
    if sentence in known:
        return 1.0
    return max(2 * overlap(sentence, k) / (len(sentence) + len(k)) for k in sorted(known))
