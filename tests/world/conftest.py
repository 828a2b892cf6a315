"""Two worlds and their corpora, made once for all tests; a world is immutable, and no test changes a document."""

import pytest

from minillm.world.corpus import write_corpus
from minillm.world.facts import make_world


@pytest.fixture(scope="session")
def world():
    return make_world(0)


@pytest.fixture(scope="session")
def corpus(world):
    return tuple(write_corpus(world))


@pytest.fixture(scope="session")
def two_corpora(world, corpus):
    """The world's text and another one, so that a count is not a matter of one text's luck."""
    return corpus + tuple(write_corpus(world, seed=1))


@pytest.fixture(scope="session")
def texts(corpus):
    return tuple(document.text for document in corpus)


@pytest.fixture(scope="session")
def other_world():
    return make_world(1)


@pytest.fixture(scope="session")
def other_corpus(other_world):
    return tuple(write_corpus(other_world))
