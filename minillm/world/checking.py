"""Check whether the content of an answer is right.

The rules look at the words of a response and at the truth that its request carries. A kind of
request may have a check or right answers of its own (kinds/kind.py).
"""

from minillm.world.kinds import BY_NAME
from minillm.world.kinds.kind import short_texts
from minillm.world.likeness import resembles, says, words

LONGEST = 60  # words in an answer; no right answer is longer


def is_correct(request, response):
    """Whether the content of a response is right, whatever its style.

    A right response gives the right answer in a sentence that fits the question. It contains no
    wrong answer, no negation and no other subject. Kinds with a check of their own differ.
    """
    check = BY_NAME[request.kind].right or _right_answer
    return len(response.split()) <= LONGEST and check(request, response)


def true_forms(request, response=""):
    """The full texts that are right answers to a request; `response` chooses if there are many."""
    forms = BY_NAME[request.kind].forms
    return forms(request, response) if forms else (request.sentence, *request.also)


def _right_answer(request, response):
    """The text gives the right answer, nothing wrong, and does not speak of something else."""
    text, forms = words(response), true_forms(request, response)
    if not says(text, request.answer) or _strays(request, text, forms):
        return False
    return resembles(response, forms + short_texts(request.answer))


def _strays(request, text, forms):
    """Whether a text repeats the question, or has a wrong answer or another item's name.

    What a right answer contains may stand in the text; so may a name that the question contains.
    """
    said = tuple(words(form) for form in forms)
    asked = words(request.question)

    def strange(phrase, allowed):
        return says(text, phrase) and not any(says(form, phrase) for form in allowed)
    return (strange(request.question, said) or
            any(strange(wrong, said[:1]) for wrong in request.wrong) or
            any(strange(rival, (*said, asked)) for rival in request.rivals))
