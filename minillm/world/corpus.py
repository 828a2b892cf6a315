"""The corpus: documents of five kinds, written until each kind has its share, then shuffled."""

from dataclasses import dataclass

import numpy as np

from minillm.world.documents.code import write_page
from minillm.world.documents.desk import Desk
from minillm.world.documents.encyclopedia import write_article
from minillm.world.documents.forum import write_thread
from minillm.world.documents.morals import is_moral
from minillm.world.documents.news import write_news
from minillm.world.documents.stories import write_story

# kind: (writer, share of the bytes)
KINDS = {
    "encyclopedia": (write_article, 0.39),
    "stories": (write_story, 0.15),
    "code": (write_page, 0.10),
    "forum": (write_thread, 0.32),
    "news": (write_news, 0.04),
}


@dataclass(frozen=True)
class Document:
    """One text of the corpus."""

    kind: str  # a key of KINDS
    text: str
    date: tuple | None = None  # (year, month) of news, None for all other kinds


def write_corpus(world, megabytes=2.5, seed=None, kinds=None, until=None):
    """Write the documents of a world, in random order.

    Every kind gets its share of the bytes (the shares of a subset are scaled to add up to 1).

    Args:    megabytes, the size of the text in 10^6 bytes; seed, the world's seed if None;
             kinds, a subset of KINDS; until, the latest (year, month) of news.
    Raises:  ValueError for an unknown kind, a size that is not positive, or a date `until` that
             is before the first news or not (year, month).
    """
    kinds = _checked(kinds, megabytes, until)
    seed = world.seed if seed is None else seed
    scale = 1e6 * megabytes / sum(KINDS[kind][1] for kind in kinds)
    documents = []
    for kind in kinds:
        writer, share = KINDS[kind]
        desk = Desk(world, np.random.default_rng([seed, tuple(KINDS).index(kind)]), until)
        documents += _written(writer, desk, kind, share * scale)
    order = np.random.default_rng([seed, len(KINDS)]).permutation(len(documents))
    return [documents[i] for i in order]


def to_read_again(texts):
    """The texts that fine-tuning reads again: each article on right and wrong three times, all
    others once.

    A wish to do what fine-tuning never names is declined by what the base model knows of it, and
    that knowledge is easily lost.
    """
    moral = [text for text in texts if is_moral(text)]
    return texts + 2 * moral


def _written(writer, desk, kind, size):
    """Documents of one kind, with `size` bytes or slightly more in all."""
    documents, written = [], 0
    while written < size:
        text, date = writer(desk)
        documents.append(Document(kind, text, date))
        written += len(text) + 1  # the text is ASCII, so a character is a byte
    return documents


def _checked(kinds, megabytes, until):
    """The requested kinds in the order of KINDS, after a check of the arguments of write_corpus."""
    unknown = [kind for kind in kinds or () if kind not in KINDS]
    if unknown:
        raise ValueError(f"kinds has {unknown[0]!r}; the corpus has only {', '.join(KINDS)}")
    if not megabytes > 0:
        raise ValueError(f"megabytes is {megabytes}; it must be more than 0")
    if until is not None and not (len(until) == 2 and until[0] >= 2018 and 1 <= until[1] <= 12):
        raise ValueError(f"until is {until}; it must be (year, month) from (2018, 1) on, "
                         "the first month of the news")
    return [kind for kind in KINDS if kinds is None or kind in kinds]
