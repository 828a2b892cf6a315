"""What a kind of request is: its phrasings, and the items that they can ask about."""

from typing import Callable, NamedTuple

from minillm.world.facts import a_an, capitalized

WORD, SENTENCE, POLITE, PERSONA = "word", "sentence", "polite", "persona"
ALL_STYLES = (WORD, SENTENCE, POLITE, PERSONA)
TEXT_STYLES = (SENTENCE, POLITE, PERSONA)


class Item(NamedTuple):
    """One thing that can be asked about, with its truth."""

    slots: dict  # fills the {names} of a phrasing
    answer: str  # short truth, e.g. "Lima"
    sentence: str  # full correct answer, e.g. "The capital of Peru is Lima."
    wrong: tuple = ()  # wrong short answers of the same sort
    wrong_sentences: tuple = ()  # full sentences that say them, in the same order
    held_out: bool = False  # never used in fine-tuning
    also: tuple = ()  # other full correct answers
    rivals: tuple = ()  # names of the others of its sort: an answer with one of them is about another
    phrasings: tuple = ()  # this item's own phrasings, where the kind has none in common
    held_phrasings: tuple = ()


class Kind(NamedTuple):
    """One kind of request; `items(world)` lists what it can ask about."""

    name: str
    phrasings: tuple  # used in fine-tuning
    held_phrasings: tuple  # paraphrases for evaluation alone
    items: Callable
    styles: tuple = ALL_STYLES  # what a system prompt may ask of the answer
    weight: float = 1.0
    harmful: bool = False


def pick(rng, options):
    """Draw one element of a sequence."""
    return options[int(rng.integers(len(options)))]


def others(truths, answer):
    """The distinct members of `truths` other than `answer`, in their order."""
    return tuple(dict.fromkeys(t for t in truths if t != answer))


def table_items(rows, forms, say=str):
    """Items for rows (name, answer, held out), in sentences "... {x} ... {y} ...".

    {n} is the name, {x} the name with its article, and {y} the answer in the words of `say`. Good answers
    use the first form. The wrong answers of a row are the answers of the other rows.
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
