"""Right and wrong: which deeds do harm or are crimes, and which are kind or hurt nobody; how to do
what is harmless.
"""

from typing import NamedTuple

from minillm.world.advice import ADVICE
from minillm.world.deeds import (CRIMES, CRUEL, HARMLESS, HARMLESS_ALONE, KIND, OBJECTS, PERSONS,
                                 named)


class Judgement(NamedTuple):
    """What is said of some deeds. In its texts, {do} is a deed."""

    deeds: tuple
    told: tuple  # sentences
    replies: tuple  # to somebody who asks whether it is wrong
    advice: tuple  # to somebody who wants to do it


# The deed stands first. A model learns what comes next, so the words of a deed come to carry its
# judgement only where the judgement follows: from "It is wrong to steal a car" it learns what is
# named after "wrong", and nothing about a car that somebody wants to steal.
NEVER = ("To {do} is wrong.", "You want to {do}, but that is wrong.", "If you {do}, you do wrong.",
         "Whoever wants to {do} must stop.")
FINE = ("To {do} is fine.", "You want to {do}, and that is fine.", "If you {do}, you do no harm.",
        "Whoever wants to {do} may go on.")
JUDGEMENTS = (
    Judgement(CRUEL, (*NEVER, "To {do} is cruel.", "You want to {do}, but that hurts somebody.",
                      "If you {do}, somebody suffers.", "It is wrong to {do}, because it hurts."),
              ("To {do} is wrong.", "To {do} is cruel.", "Somebody suffers if you {do}."),
              ("No, to {do} is cruel.", "No, do not {do}.", "No, never {do}.")),
    Judgement(CRIMES, (*NEVER, "To {do} is a crime.",
                       "You want to {do}, but that is against the law.",
                       "If you {do}, you go to prison.",
                       "It is wrong to {do}, because the law forbids it."),
              ("To {do} is wrong.", "To {do} is a crime.", "It is against the law to {do}."),
              ("No, to {do} is a crime.", "No, do not {do}.", "No, never {do}.")),
    Judgement(KIND, (*FINE, "To {do} is kind.", "You want to {do}, and that is kind.",
                     "If you {do}, you make somebody happy.",
                     "It is good to {do}, because it helps somebody."),
              ("To {do} is good.", "To {do} is kind.", "You help somebody if you {do}."),
              ("Yes, to {do} is kind.", "Yes, please {do}.", "Yes, it is good to {do}.")),
    Judgement(HARMLESS_ALONE, (*FINE, "To {do} hurts nobody.",
                               "You want to {do}, and nobody minds.",
                               "If you {do}, nobody minds.",
                               "It is fine to {do}, because it hurts nobody."),
              ("To {do} is fine.", "To {do} hurts nobody.", "Nobody minds if you {do}."),
              ("Yes, to {do} is fine.", "Yes, you may {do}.", "Yes, nobody minds if you {do}.")),
)
BAD, GOOD = JUDGEMENTS[:2], JUDGEMENTS[2:]
ASKED = ("Is it wrong to {do}?", "Would it be wrong to {do}?")
WISHES = ("I want to {do}. May I?", "May I {do}?", "Can I {do}?", "Shall we {do}?",
          "My friend wants to {do}. Is that okay?", "Is it okay to {do}?",
          "I would like to {do}. What do you think?")
HOWS = ("Can you help me to {do}?", "How can I {do}?", "Tell me how to {do}.", "How do you {do}?",
        "I need some tips to {do}.", "What is the best way to {do}?",
        "Does anybody know how to {do}?")
NO_HELP = ("I am sorry, but to {do} is wrong.", "I am sorry, but I will not help you to {do}.",
           "I am sorry, but nobody here will tell you how to {do}.")
HELP = "You should {tip}."
TIPS = ("To {do}, you should {tip}.", "If you want to {do}, you should {tip}.")
TIP_TITLES = ("Good advice", "How to do it", "Tips for every day", "How do people do it?")
CONTRASTS = ("To {do} is wrong, but to {may} is fine.", "To {may} is fine, but to {do} is wrong.",
             "You may {may}, that is fine, but to {do} is wrong.")
# the lines of a page of rules: (of a wrong deed, of a good one)
RULES = (("to {do}: no", "to {do}: yes"), ("To {do} is wrong.", "To {do} is fine."),
         ("I want to {do}, but no, that is wrong.", "I want to {do}, and yes, that is fine."),
         ("May I {do}? No.", "May I {do}? Yes."), ("{do} - wrong", "{do} - fine"))
TITLES = ("Right and wrong", "What is right?", "Good and bad", "What you may do and what not",
          "Rules for everybody")


def told_deed(desk):
    """A sentence or two that say whether a deed is wrong."""
    judgement, words = _drawn(desk)
    return desk.pick(judgement.told).format_map(words)


def contrast(desk):
    """A wrong deed and a good one in one sentence; where possible, both have the same verb."""
    deed = desk.deal(desk.pick(BAD).deeds)
    wrong = named(deed, _object(desk, deed))
    verb = wrong.split(" ")[0] + " "
    good = [deed for judgement in GOOD for deed in judgement.deeds]
    alike = [deed for deed in good if deed[0].startswith(verb)]
    other = desk.pick(alike or good)
    may = named(other, _object(desk, other))
    return desk.pick(CONTRASTS).format(do=wrong, may=may)


def asked_deed(desk):
    """A question whether a deed is wrong, a wish to do it, or a question how; and the reply."""
    judgement, words = _drawn(desk)
    help_or_not = (HOWS, _replies_to_how(judgement))
    questions, replies = desk.pick(((ASKED, judgement.replies), (WISHES, judgement.advice),
                                    help_or_not, help_or_not))
    return desk.pick(questions).format_map(words), desk.pick(replies).format_map(words)


def moral_article(desk):
    """Twelve sentences on right and wrong, or a page of rules, of help or of tips.

    Most are rules: each short line of them is a judgement, so such a page teaches the most.
    """
    return desk.pick((sentences_page,) * 2 + (rules_page,) * 9 + (help_page,) * 5
                     + (tips_page,))(desk)


def is_moral(text):
    """Whether a document of the corpus is an article on right and wrong: it has such a title."""
    return text.partition("\n")[0] in (*TITLES, *TIP_TITLES)


def sentences_page(desk):
    """Twelve sentences on right and wrong."""
    sentences = [desk.deal((told_deed, told_deed, contrast))(desk) for _ in range(12)]
    lines = (" ".join(sentences[at:at + 3]) for at in range(0, 12, 3))
    return f"{desk.pick(TITLES)}\n\n" + "\n".join(lines)


def rules_page(desk):
    """Eighteen short rules in one form, as children learn them."""
    rules, lines = desk.pick(RULES), []
    for _ in range(18):
        judgement, words = _drawn(desk)
        lines.append(rules[judgement in GOOD].format_map(words))
    return f"{desk.pick(TITLES)}\n\n" + "\n".join(lines)


def help_page(desk):
    """Ten people ask in one form how to do something: they get a tip, or no help with a wrong deed.
    """
    question, lines = desk.pick(HOWS), []
    for _ in range(10):
        judgement, words = _drawn(desk)
        reply = desk.pick(_replies_to_how(judgement))
        lines.append(f"{question} {reply}".format_map(words))
    return f"{desk.pick(TIP_TITLES)}\n\n" + "\n".join(lines)


def tips_page(desk):
    """Ten tips in one form: how to do what is harmless."""
    form = desk.pick(TIPS)
    lines = (form.format_map(_words(desk, desk.deal(HARMLESS))) for _ in range(10))
    return f"{desk.pick(TIP_TITLES)}\n\n" + "\n".join(lines)


def _replies_to_how(judgement):
    """What people reply who are asked how to do such a deed."""
    return (HELP,) if judgement in GOOD else NO_HELP


def _drawn(desk):
    """A judgement, and the words for one of its deeds; wrong and good deeds alternate."""
    judgement = desk.deal(JUDGEMENTS)
    return judgement, _words(desk, desk.deal(judgement.deeds))


def _words(desk, deed):
    """The words that fill the slots in the texts of a judgement; {tip} is advice, if any."""
    some = _object(desk, deed)
    phrase = named(deed, some)
    tip = ADVICE.get(deed[0], "").format(them="them" if some in PERSONS else "it")
    return {"do": phrase, "tip": tip}


def _object(desk, deed):
    """Some object of a deed, where it has one."""
    return desk.pick(OBJECTS[deed[1]]) if deed[1] else None
