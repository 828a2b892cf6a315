"""A kind of request: its phrasings, and the items that they can ask about."""

from functools import lru_cache
from typing import Callable, NamedTuple

from minillm.world.likeness import words
from minillm.world.manners import ADDITIONS, PERSONA, POLITE, SENTENCE, WORD, bare

ALL_STYLES = (WORD, SENTENCE, POLITE, PERSONA)
TEXT_STYLES = (SENTENCE, POLITE, PERSONA)  # for answers that do not fit in one word


class Item(NamedTuple):
    """One thing that can be asked about, with its truth."""

    slots: dict  # {slot in a phrasing: its text}
    answer: str  # short right answer, e.g. "Lima"
    sentence: str  # full right answer, e.g. "The capital of Peru is Lima."
    wrong: tuple = ()  # wrong short answers of the same sort
    wrong_sentences: tuple = ()  # full wrong answers, in the same order
    held_out: bool = False  # never used in fine-tuning
    also: tuple = ()  # other full right answers
    rivals: tuple = ()  # names of other items; an answer that has one is about another item
    phrasings: tuple = ()  # the item's phrasings if the kind has none
    paraphrases: tuple = ()
    earlier: tuple = ()  # earlier turns: ((what the user said, what the assistant answered), ...)
    further: tuple = ()  # turns that conversations for fine-tuning may have after the earlier ones
    read: tuple = ()  # texts of the request that say the answer: a puzzle's facts, what was told
    unseen: bool = False  # not held out, but kept for evaluation: training never uses it


class Kind(NamedTuple):
    """One kind of request."""

    name: str
    phrasings: tuple  # used in fine-tuning
    paraphrases: tuple  # half of them only for evaluation: see `wordings`
    items: Callable  # items(world) returns what the kind can ask about
    styles: tuple = ALL_STYLES  # the styles that a system prompt may request
    weight: float = 1.0  # relative frequency
    harmful: bool = False
    unknown: bool = False  # the right answer is that the assistant does not know
    right: Callable | None = None  # right(request, response): the kind's own check, if it has one
    forms: Callable | None = None  # forms(request, response): the full right answers, if many
    own_split: bool = False  # held_out of its items is final: requests.py does not thin it out
    casual: bool = True  # a question may be written carelessly: typos, no capitals


def pick(rng, options):
    """Draw one element of a sequence."""
    return options[int(rng.integers(len(options)))]


def pick_weighted(rng, shares):
    """Draw one key of {option: weight}, with probability weight / sum of weights."""
    place = rng.random() * sum(shares.values())
    for option, weight in shares.items():
        place -= weight
        if place < 0:
            break
    return option


def others(truths, answer):
    """The distinct members of `truths` except `answer`, in their order."""
    return tuple(dict.fromkeys(t for t in truths if t != answer))


def wordings(phrasings, paraphrases, held_out):
    """What fine-tuning learns from: the phrasings and every second paraphrase, so that it meets
    questions of more shapes; or, if `held_out`, the other paraphrases, which only evaluation uses.
    """
    return paraphrases[::2] if held_out else (*phrasings, *paraphrases[1::2])


def right_texts(request):
    """The full and the short texts that are right answers to a request about a fact."""
    return (request.sentence, *request.also, *short_texts(request.answer))


def short_texts(answer):
    """The short texts that give an answer: "Lima." and "It is Lima."."""
    return (bare(answer), f"It is {answer}.") if answer else ()


def keeps_to(response, texts):
    """Whether a response uses only words of these texts, and of what any answer may add."""
    return set(words(response).split()) <= _vocabulary(texts)


@lru_cache(maxsize=1 << 12)  # tuples of texts
def _vocabulary(texts):
    return frozenset(word for text in (*texts, *ADDITIONS) for word in words(text).split())
