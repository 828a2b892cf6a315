"""A sort of question that the assistant cannot answer."""

from typing import NamedTuple


class Topic(NamedTuple):
    """Questions of one sort that the assistant cannot answer. {n} stands for one of `names`."""

    phrasings: tuple
    paraphrases: tuple  # half of them only for evaluation
    names: tuple
    forms: tuple  # right answers
    made_up: tuple  # wrong ones, as somebody invents them


SMALL = "I know only my own small world."
