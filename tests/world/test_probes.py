"""The probes are fair: nothing of them is in the text, and no scorer blind to the context beats chance."""

import re
from collections import Counter

import numpy as np
import pytest

from minillm.world.facts import held_out_part, make_world
from minillm.world.probes import CHANCE, ProbeItem, leaked_items, make_probes
from minillm.world.reserved import is_reserved


@pytest.fixture(scope="module")
def probes(world):
    return make_probes(world)


def pieces(text):
    return re.findall(r"\w+|[^\w\s]|\n", text)


def accuracy(items, score):
    """The share of items whose right ending scores highest; ties are shared."""
    shares = []
    for item in items:
        scores = np.array([score(item.context, ending) for ending in item.endings])
        best = np.isclose(scores, scores.max())
        shares.append(best[0] / best.sum())
    return float(np.mean(shares))


def test_names_sizes_and_endings(probes):
    assert list(probes) == list(CHANCE) == ["grammar", "facts", "logic", "code", "common_sense"]
    for name, items in probes.items():
        assert 40 <= len(items) <= 120
        assert len({item.context + item.endings[0] for item in items}) == len(items)
        for item in items:
            assert len(item.endings) == len(set(item.endings)) == round(1 / CHANCE[name])
            assert all(ending[0] in " \n" for ending in item.endings) and not item.context.endswith(" ")


def test_equal_in_every_run_and_different_for_other_seeds(world, probes):
    assert make_probes(make_world(0)) == probes
    assert make_probes(make_world(1))["logic"] != probes["logic"]


def test_no_item_is_in_the_text(probes, texts, other_world, other_corpus):
    assert leaked_items(probes, texts) == []
    assert leaked_items(make_probes(other_world), [document.text for document in other_corpus]) == []


def test_a_leak_would_be_seen(probes):
    item = probes["facts"][0]
    assert leaked_items(probes, ["We know: " + item.context + item.endings[0] + "."]) == [item]


def test_endings_are_known_words_of_the_corpus(probes, texts):
    words = Counter(word for text in texts for word in pieces(text))
    for items in probes.values():
        for item in items:
            shown = [word for ending in item.endings for word in pieces(ending) if word != "\n"]
            assert all(words[word] >= 5 for word in shown), item


def test_a_unigram_model_is_at_chance(probes, texts):
    words = Counter(word for text in texts for word in pieces(text))
    total = sum(words.values())

    def unigram(context, ending):
        return sum(np.log((words[word] + 1) / total) for word in pieces(ending))

    for name, items in probes.items():
        assert accuracy(items, unigram) == pytest.approx(CHANCE[name], abs=0.01), name


@pytest.mark.parametrize("place", ["first", "last", "shortest", "longest"])
def test_places_and_lengths_do_not_solve_anything(place, probes):
    scores = {
        "first": lambda context, ending: -context.find(ending.strip(" \n")),
        "last": lambda context, ending: context.rfind(ending.strip(" \n")),
        "shortest": lambda context, ending: -len(ending),
        "longest": lambda context, ending: len(ending),
    }
    for name in ("grammar", "facts", "logic", "common_sense"):
        assert accuracy(probes[name], scores[place]) == pytest.approx(CHANCE[name], abs=0.08), name


def test_a_bag_of_words_does_not_solve_an_order(probes, texts):
    """Co-occurrence of the ending's words with the context's words, in whatever order."""
    orders = [item for item in probes["logic"] if " than " in item.context]
    asked = {word for item in orders for text in (item.context, *item.endings) for word in pieces(text)}
    pairs, single = Counter(), Counter()
    for text in texts:
        for line in re.split(r"\n|(?<=[.?!]) ", text):
            words = asked.intersection(pieces(line))
            single.update(words)
            pairs.update((a, b) for a in words for b in words)

    def bag(context, ending):
        return sum(np.log((pairs[word, other] + 0.1) / (single[word] + 1) / (single[other] + 1))
                   for word in pieces(ending) for other in pieces(context))

    assert accuracy(orders, bag) == pytest.approx(CHANCE["logic"], abs=0.08)


def test_facts_are_taught_in_other_words(world, probes, texts):
    """Each fact of the probe stands in the text in at least ten other sentences."""
    sentences = [sentence for text in texts for sentence in re.split(r"(?<=[.?!]) |\n", text)]
    for item in probes["facts"]:
        names = [word for word in re.findall(r"[A-Z]\w+", item.context) if word not in ("The", "People")]
        right = item.endings[0].strip()
        told = sum(1 for sentence in sentences if names[-1] in sentence and right in sentence)
        assert told >= 10, item


def test_skills_are_taught_with_other_words(two_corpora):
    everything = "\n".join(document.text for document in two_corpora)
    for pattern, least in ((r"is (taller|shorter|older|younger) than", 1500), (r"(?i:every \w+ is|all \w+s are|a \w+ is always) ", 800),
                           (r"Today it .*So", 125),
                           (r"def ", 1000), (r">>> ", 3000), (r"Every day [A-Z]", 200), (r"Yesterday [A-Z]", 200)):
        assert len(re.findall(pattern, everything)) >= 2 * least, pattern


def test_reserved_phrasings_are_used_for_the_others(world, texts):
    everything = "\n".join(texts)
    shown = [f"The capital of {country.name} is {country.capital}" in everything
             for country in world.countries]
    held_out = len(held_out_part(world.countries))
    assert not any(shown[:held_out]) and sum(shown[held_out:]) >= 25


def test_reserved_words_are_a_share_of_all():
    share = np.mean([is_reserved(a, b) for a in map(str, range(60)) for b in map(str, range(60))])
    assert share == pytest.approx(0.2, abs=0.03)
    assert isinstance(ProbeItem("a", (" b", " c")), tuple)
