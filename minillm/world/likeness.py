"""The words and sentences of a text, and how alike two sentences are, word by word."""

import re
from difflib import SequenceMatcher
from functools import lru_cache

LIKENESS = 0.6  # from 0 to 1; a sentence that resembles another is more alike than this
NEGATIONS = ("not", "never", "no", "cannot", "nobody", "wrong", "false")


@lru_cache(maxsize=1 << 15)  # texts; the same few thousand phrases are sought in every response
def words(text):
    """The lower-case words of a text as one string " like this ", without articles."""
    found = re.findall(r"[a-z0-9]+(?:'[a-z]+)?", text.lower())
    return " " + "".join(word + " " for word in found if word not in ("a", "an", "the"))


def says(text, phrase):
    """Whether a text (in the form that `words` returns) contains a phrase as whole words."""
    inside = words(phrase)
    return inside != " " and inside in text


@lru_cache(maxsize=1 << 14)
def tokens(text):
    """The words and punctuation marks of a text."""
    return tuple(re.findall(r"[A-Za-z0-9']+|[^\sA-Za-z0-9']", text))


@lru_cache(maxsize=1 << 14)  # texts; the right answers are compared with many responses
def sentences(text):
    """The sentences of a text, or the lines of code, each as a tuple of tokens."""
    return tuple(tokens(sentence) for sentence in re.split(r"(?<=[.!?])\s+|\n", text)
                 if sentence.strip())


def overlap(a, b):
    """How many tokens two sequences have in common, in the same order."""
    blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks)


@lru_cache(maxsize=1 << 15)  # sentences
def _numbered(sentence):
    """The tokens of a sentence, each with the count of equal ones before it, as a set."""
    seen = {}
    pairs = []
    for token in sentence:
        seen[token] = seen.get(token, 0) + 1
        pairs.append((token, seen[token]))
    return frozenset(pairs)


def common(a, b):
    """How many tokens two sequences have in common in any order: at least their overlap."""
    return len(_numbered(a) & _numbered(b))


def likeness(sentence, known):
    """Likeness of a sentence to the nearest known sentence.

        max over k of  2 overlap(sentence, k) / (len(sentence) + len(k)),   from 0 to 1
    """
    if sentence in known:
        return 1.0
    best = 0.0
    # Those that share most tokens come first, so that few overlaps must be computed.
    bounds = ((2 * common(sentence, k) / (len(sentence) + len(k)), k) for k in known)
    for bound, k in sorted(bounds, reverse=True):
        if bound <= best:
            break
        best = max(best, 2 * overlap(sentence, k) / (len(sentence) + len(k)))
    return best


def resembles(response, texts):
    """Whether a sentence of a response resembles one of a text, and no word denies it.

    A negation in the response is allowed if one of the texts contains it.
    """
    known = _lower_sentences(texts)
    return not _denies(response, texts) and any(likeness(sentence, known) > LIKENESS
                                                for sentence in sentences(response.lower()))


@lru_cache(maxsize=1 << 12)  # tuples of texts
def _lower_sentences(texts):
    return frozenset(sentence for text in texts for sentence in sentences(text.lower()))


def _denies(response, texts):
    """Whether a response contains a negation that none of the texts contains."""
    said = words(response)
    return any(says(said, negation) and not any(says(words(text), negation) for text in texts)
               for negation in NEGATIONS)
