"""Conversations that fine-tuning reads first: of the user or two others, then four, eight, all.

"My brother is called Max." "What is my sister called?" Whether that was told shows only when the
two words are compared. From conversations about all relatives and pets at once a small model does
not learn to compare them; with two of them it soon does, and goes on from there.
Source:  Bengio et al. 2009, Curriculum Learning (easy examples first).
"""

from minillm.world.kinds.kind import pick
from minillm.world.kinds.memory import OF_THE_USER, question_on
from minillm.world.kinds.told import OWN
from minillm.world.kinds.told_of_others import OTHERS
from minillm.world.kinds.told_turns import Telling, draw, turn

WHOSE = ("sister", "brother", "dog", "cat", "mother", "father", "friend", "wife")
STAGES = (WHOSE[:2], WHOSE[:4], WHOSE, None)  # whom conversations are about; None: everybody
OWN_SHARE = 0.3  # of what is told: it is about the user
TWO_SHARE = 0.25  # of the conversations: two facts are told
TOLD_SHARE = 0.5  # of the questions: for what was told
QUESTIONS = 4
MOST_WORDS = 80  # of a conversation


def make_curriculum(n, rng):
    """Draw n conversations or a few more, as many for each stage: a list of messages each.

    Returns a list for each stage, in their order.
    """
    each = -(-n // len(STAGES))
    return [[_conversation(whose, rng) for _ in range(each)] for whose in STAGES]


def _conversation(whose, rng):
    """The user tells one fact or two, and asks for them and for the same of somebody else."""
    told = [_some_fact(whose, rng)]
    if rng.random() < TWO_SHARE and not (other := _some_fact(whose, rng)).clashes(told[0]):
        told.append(other)
    turns = [turn(rng, telling, False) for telling in told]
    for _ in range(QUESTIONS):
        turns.append(_asked(told, whose, rng))
        if sum(len(text.split()) for said in turns for text in said) > MOST_WORDS:
            turns.pop()
            break
    return [{"role": role, "content": text} for said in turns
            for role, text in zip(("user", "assistant"), said)]


def _some_fact(whose, rng):
    """A fact about the user, or about one of these."""
    facts = OWN if rng.random() < OWN_SHARE else OTHERS
    while not _is_about(telling := draw(rng, facts, False), whose):
        pass
    return telling


def _is_about(telling, whose):
    return not telling.about or whose is None or telling.about in whose


def _asked(told, whose, rng):
    """A question for what was told, or for the same of somebody else, and its answer."""
    if rng.random() < TOLD_SHARE:
        telling = pick(rng, told)
        return question_on(rng, telling, telling.fact.forms[0])
    twins = [twin for telling in told for twin in telling.twins()
             if _is_about(twin, whose) and not any(map(twin.clashes, told))]
    # a meal is told by nobody but the user: then for something else
    twins = twins or [Telling(fact, fact.values[0], "") for fact in OWN if fact is not told[0].fact]
    own = [twin for twin in twins if not twin.about]
    twin = pick(rng, own if own and rng.random() < OF_THE_USER else twins)
    return question_on(rng, twin, twin.fact.missing[0])
