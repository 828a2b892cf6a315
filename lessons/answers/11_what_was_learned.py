"""Worked answers of lesson 11."""

import numpy as np

from minillm.world.corpus import write_corpus
from minillm.world.corpus import KINDS
from minillm.world.facts import make_world
from minillm.world.probes import make_probes


def test_exercise_1():
    """sqrt(p (1 - p) / n) = sqrt(0.25 * 0.75 / 96) = 0.044, so 0.25 + 2 * 0.044 = 0.34."""
    assert round(0.25 + 2 * np.sqrt(0.25 * 0.75 / 96), 2) == 0.34


def test_exercise_2():
    """It gives every item of a group the same ending, which is right for exactly one of them. A counter of pairs of words
    gives each item of the other kind its own ending: the one whose article it has seen before that letter.
    """
    items = make_probes(make_world(0))["common_sense"][:4]
    endings = sorted(items[0].endings)
    assert all(sorted(item.endings) == endings for item in items)
    favourite = endings[2]
    assert sum(item.endings[0] == favourite for item in items) == 1

    drawn = [item for item in make_probes(make_world(0))["grammar"] if item.context.endswith(" drew")]

    def fits(ending):
        article, noun = ending.split()
        return (article == "an") == (noun[0] in "aeiou")
    assert len(drawn) == 18 and all(fits(item.endings[0]) and not fits(item.endings[1]) for item in drawn)
    assert np.mean([item.endings[0].startswith(" an ") for item in drawn]) == 0.5      # the same article always: chance


def test_exercise_3():
    """Encyclopedia, forum and news. Stories and code have no date in them."""
    world = make_world(0)
    texts = {kind: " ".join(document.text for document in write_corpus(world, 0.3, kinds=[kind])) for kind in KINDS}
    telling = {kind for kind, text in texts.items() if any(event.past in text for event in world.events)}
    assert telling == {"encyclopedia", "forum", "news"}
    assert not any(str(year) in texts[kind] for kind in ("stories", "code") for year in range(2018, 2025))
