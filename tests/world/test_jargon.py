import numpy as np
import pytest

from minillm.world.corpus import write_corpus
from minillm.world.facts import make_world
from minillm.world.jargon import BOATS, HELD_BOATS, JARGON, domain_documents


@pytest.fixture(scope="module")
def documents():
    return domain_documents(make_world(0), 600, np.random.default_rng(0))


def test_lengths(documents):
    lengths = [len(text.split()) for text in documents]
    assert min(lengths) >= 40 and max(lengths) <= 90


def test_forty_terms_all_in_use(documents):
    assert len(set(JARGON)) == 40
    for term in JARGON:
        assert sum(term in text for text in documents) >= 30, term


def test_jargon_is_rare_in_the_corpus():
    """That is why adapting to the domain lowers its loss."""
    corpus = "\n".join(document.text for document in write_corpus(make_world(0), 0.3))
    absent = [term for term in JARGON if term not in corpus]
    assert len(absent) >= 36


def test_held_out_entries_are_about_other_boats(documents):
    new = domain_documents(make_world(0), 200, np.random.default_rng(1), "held_out")
    assert not set(new) & set(documents)
    assert all(any(boat in text for boat in HELD_BOATS) for text in new)
    assert all(any(boat in text for boat in BOATS) for text in documents)
    assert not any(boat in text for text in documents for boat in HELD_BOATS)


def test_entries_differ(documents):
    assert len(set(documents)) == len(documents)


def test_texts_are_plain(documents):
    assert all(text.isascii() and "{" not in text and "  " not in text for text in documents)


def test_unknown_split_is_refused():
    with pytest.raises(ValueError, match="split"):
        domain_documents(make_world(0), 1, np.random.default_rng(0), "dev")
