"""What the assistant replies to remarks: the same reply fits all remarks of a sort."""

from functools import lru_cache
from typing import NamedTuple

from minillm.world.kinds.kind import Item
from minillm.world.likeness import likeness, resembles, sentences
from minillm.world.manners import ADDITIONS

NEAR = 0.75  # from 0 to 1; a right sentence is more like a known one than this


class Sort(NamedTuple):
    """Remarks that all get the same reply."""

    answer: str  # the short reply: "hello"
    replies: tuple  # full replies that fit; fine-tuning teaches the first
    phrasings: tuple
    paraphrases: tuple  # half of them only for evaluation


def with_more(sort, in_front, behind):
    """The sort, with every second remark once more: with other words in front or behind."""
    more = []
    for number, remark in enumerate(sort.phrasings[::2]):
        in_turn = number // 2
        if number % 2:
            more.append(in_front[in_turn % len(in_front)] + remark)
        else:
            more.append(remark.rstrip(".!") + behind[in_turn % len(behind)])
    return sort._replace(phrasings=(*sort.phrasings, *more))


def sort_items(sorts):
    """One item for each sort; its wrong replies share no sentence with those that fit."""
    items = []
    for sort in sorts:
        fitting = _sentences(sort.replies)
        strange = {reply: other.answer for other in sorts for reply in other.replies
                   if other is not sort and not _sentences((reply,)) & fitting}
        items.append(Item({}, sort.answer, sort.replies[0], tuple(strange.values()),
                          tuple(strange), also=sort.replies[1:], phrasings=sort.phrasings,
                          paraphrases=sort.paraphrases))
    return items


def right_reply(request, response):
    """Some sentence of the text fits the remark, and none fits other remarks better."""
    pairs = likenesses(request, response)
    strange = any(wrong > NEAR and wrong >= right for right, wrong in pairs)
    return says_what_fits(request, response) and not strange


def says_what_fits(request, response):
    """Some sentence of the text fits the remark better than others, and no word denies it."""
    replies = (request.sentence, *request.also, request.answer + ".")
    return (any(right > max(NEAR, wrong) for right, wrong in likenesses(request, response))
            and resembles(response, replies))


def likenesses(request, response):
    """For each sentence its likeness to the replies that fit, and to those that fit others only."""
    fitting = _sentences((request.sentence, *request.also, request.answer + "."))
    strange = _sentences(request.wrong_sentences) - fitting - _sentences(ADDITIONS)
    return [(likeness(sentence, fitting), likeness(sentence, strange))
            for sentence in sentences(response.lower())]


@lru_cache(maxsize=256)  # tuples of texts
def _sentences(texts):
    """The different sentences of some texts, in lower case."""
    return frozenset(sentence for text in texts for sentence in sentences(text.lower()))
