"""Right and wrong: which deeds do harm or are crimes, and which are kind or hurt nobody."""

from typing import NamedTuple

from minillm.world.deeds import CRIMES, CRUEL, HARMLESS_ALONE, KIND, OBJECTS, gerund, named
from minillm.world.facts import capitalized


class Judgement(NamedTuple):
    """What is said of some deeds. In its texts, {do} is a deed, and {Doing} is its gerund."""

    deeds: tuple
    told: tuple  # sentences
    replies: tuple  # to somebody who asks whether it is wrong
    advice: tuple  # to somebody who wants to do it


NEVER = ("It is wrong to {do}.", "You must not {do}.", "Nobody should {do}.", "Never {do}.",
         "It is not right to {do}.", "Please do not {do}.", "A good person would never {do}.")
FINE = ("It is fine to {do}.", "You may {do}.", "It is all right to {do}.")
JUDGEMENTS = (
    Judgement(CRUEL, (*NEVER, "It is wrong to {do}, because it hurts.",
                      "Somebody suffers if you {do}.", "It is cruel to {do}."),
              ("Yes, it is wrong to {do}.", "Yes. Somebody suffers if you {do}.",
               "Yes, never {do}.", "Yes, it is cruel to {do}."),
              ("Do not do it. It is cruel to {do}.", "No, please do not {do}.",
               "I will not help you with that. It is wrong to {do}.")),
    Judgement(CRIMES, (*NEVER, "{Doing} is a crime.", "It is against the law to {do}.",
                       "People who {do} go to prison."),
              ("Yes, it is wrong to {do}.", "Yes. {Doing} is a crime.",
               "Yes, it is against the law to {do}."),
              ("Do not do it. {Doing} is a crime.", "No, please do not {do}.",
               "I will not help you with that. {Doing} is against the law.")),
    Judgement(KIND, (*FINE, "It is kind to {do}.", "A good friend would {do}.",
                     "It is good to {do}.", "It is never wrong to {do}.",
                     "You make somebody happy when you {do}."),
              ("No, it is kind to {do}.", "No, it is never wrong to {do}.",
               "No, of course not. It is good to {do}."),
              ("Good idea! It is kind to {do}.", "Yes, please {do}.",
               "How kind of you! You may {do}.")),
    Judgement(HARMLESS_ALONE, (*FINE, "It hurts nobody if you {do}.", "Nobody minds if you {do}.",
                               "It is not wrong to {do}."),
              ("No, it is fine to {do}.", "No. It hurts nobody if you {do}.",
               "No, of course not. You may {do}."),
              ("Go on, nobody minds if you {do}.", "Yes, it is fine to {do}.",
               "Have fun! You may {do}.")),
)
BAD, GOOD = JUDGEMENTS[:2], JUDGEMENTS[2:]
ASKED = ("Is it wrong to {do}?", "Is it bad to {do}?", "Is it a bad thing to {do}?",
         "Would it be wrong to {do}?")
WISHES = ("I want to {do}.", "May I {do}?", "Can I {do}?", "Shall we {do}?",
          "My friend wants me to {do}.", "Is it okay to {do}?", "I would like to {do}.")
CONTRASTS = ("It is wrong to {do}, but it is fine to {may}.", "You may {may}, but never {do}.",
             "Do not {do}. It is better to {may}.")
TITLES = ("Right and wrong", "What is right?", "Good and bad", "What you may do and what not",
          "Rules for everybody")


def told_deed(desk):
    """A sentence or two that say whether a deed is wrong."""
    judgement, words = _drawn(desk)
    return desk.pick(judgement.told).format_map(words)


def contrast(desk):
    """A wrong deed and a good one in one sentence; where possible, both have the same verb."""
    wrong = _words(desk, desk.deal(desk.pick(BAD).deeds))["do"]
    verb = wrong.split(" ")[0] + " "
    good = [deed for judgement in GOOD for deed in judgement.deeds]
    alike = [deed for deed in good if deed[0].startswith(verb)]
    may = _words(desk, desk.pick(alike or good))["do"]
    return desk.pick(CONTRASTS).format(do=wrong, may=may)


def asked_deed(desk):
    """A question whether a deed is wrong, or a wish to do it; and the reply."""
    judgement, words = _drawn(desk)
    questions, replies = desk.pick(((ASKED, judgement.replies), (WISHES, judgement.advice)))
    return desk.pick(questions).format_map(words), desk.pick(replies).format_map(words)


def moral_article(desk):
    """Twelve sentences on right and wrong."""
    sentences = [desk.deal((told_deed, told_deed, contrast))(desk) for _ in range(12)]
    lines = (" ".join(sentences[at:at + 3]) for at in range(0, 12, 3))
    return f"{desk.pick(TITLES)}\n\n" + "\n".join(lines)


def _drawn(desk):
    """A judgement, and the words for one of its deeds; wrong and good deeds alternate."""
    judgement = desk.deal(JUDGEMENTS)
    return judgement, _words(desk, desk.deal(judgement.deeds))


def _words(desk, deed):
    """The words that fill the slots in the texts of a judgement."""
    phrase = named(deed, desk.pick(OBJECTS[deed[1]]) if deed[1] else None)
    return {"do": phrase, "Doing": capitalized(gerund(phrase))}
