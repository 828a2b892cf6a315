"""A kind of request: its phrasings, and the items that they can ask about."""

from typing import Callable, NamedTuple

from minillm.world.facts import a_an, capitalized

WORD, SENTENCE, POLITE, PERSONA = "word", "sentence", "polite", "persona"  # styles of an answer
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
    held_phrasings: tuple = ()


class Kind(NamedTuple):
    """One kind of request."""

    name: str
    phrasings: tuple  # used in fine-tuning
    held_phrasings: tuple  # paraphrases, only for evaluation
    items: Callable  # items(world) returns what the kind can ask about
    styles: tuple = ALL_STYLES  # the styles that a system prompt may request
    weight: float = 1.0  # relative frequency
    harmful: bool = False


def pick(rng, options):
    """Draw one element of a sequence."""
    return options[int(rng.integers(len(options)))]


def others(truths, answer):
    """The distinct members of `truths` except `answer`, in their order."""
    return tuple(dict.fromkeys(t for t in truths if t != answer))


def table_items(rows, forms, say=str):
    """Items for rows (name, answer, held out).

    The forms are sentences that give the answer, with slots: {n} is the name, {x} the name with its
    article, and {y} is say(answer). The first form is the full right answer, and the others are
    accepted too. The wrong answers of a row are the answers of the other rows.
    """
    names, truths = [name for name, _, _ in rows], [answer for _, answer, _ in rows]
    items = []
    for name, answer, held_out in rows:
        slots = {"x": a_an(name), "n": name}
        wrong = tuple(w for w in others(truths, answer) if w != name)
        said = tuple(capitalized(forms[0].format(y=say(w), **slots)) for w in wrong)
        true = [capitalized(form.format(y=say(answer), **slots)) for form in forms]
        items.append(Item(slots, answer, true[0], wrong, said, held_out, tuple(true[1:]),
                          others(names, name)))
    return items
