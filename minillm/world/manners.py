"""The manners of answering that a system prompt can ask for, and how they shape an answer."""

from typing import NamedTuple

WORD, SENTENCE, POLITE, PERSONA = "word", "sentence", "polite", "persona"  # styles of an answer


class Manner(NamedTuple):
    """A way to answer, and the system prompts that ask for it."""

    style: str  # "word", "sentence", "polite" or "persona"
    prompts: tuple
    held_prompts: tuple  # paraphrases, only for evaluation
    closing: str = ""  # the words that end an answer


def _persona(name, cry):
    return Manner(PERSONA, (f"You are a {name}. You always end with {cry}",
                            f"You are a {name} who ends with {cry}",
                            f"You are a {name}. You say {cry} at the end."),
                  (f"You are a {name} who always ends with {cry}",
                   f"You are a {name}. You end with {cry}"),
                  cry)


MANNERS = (
    Manner(WORD, ("Answer with one word.", "Use one word only.", "Answer with one word only."),
           ("Use only one word.", "Always answer with one word.")),
    Manner(SENTENCE, ("Answer with a full sentence.", "Use a full sentence.",
                      "Always answer with a full sentence."),
           ("Always use a full sentence.", "Answer with one full sentence.")),
    Manner(POLITE, ("Be polite.", "You are a polite helper.", "Always answer in a polite way."),
           ("Always be polite.", "Answer in a polite way."), "Thank you for asking."),
    _persona("pirate", "Arr!"),
    _persona("robot", "Beep!"),
    _persona("clown", "Haha!"),
)
STYLE_SHARES = {WORD: 0.25, SENTENCE: 0.2, POLITE: 0.25, PERSONA: 0.3}  # relative frequencies

RAMBLES = (  # useless sentences; none contains a word that could be an answer
    "I like questions like this.",
    "I hear this question a lot.",
    "I could say much more.",
    "I could talk for hours.",
    "I like to talk about this.",
    "I think about this a lot.",
)
# what an answer to any request may add to its content
ADDITIONS = (*RAMBLES, *(manner.closing for manner in MANNERS if manner.closing))


def dressed(text, closing):
    """The text, followed by the closing words if there are any."""
    return f"{text} {closing}" if closing else text


def bare(answer):
    """A short answer as a text by itself: "Lima.", "bread."; code is left unchanged.

    A word is written as inside a sentence, so that its token is the one that texts have made known.
    """
    return answer if answer.startswith("lambda") else f"{answer}."
