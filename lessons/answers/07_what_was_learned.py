"""Worked answers of lesson 07."""

import numpy as np

from minillm.world.facts import make_world
from minillm.world.probes import make_probes


def test_exercise_1():
    """sqrt(p (1 - p) / n) = sqrt(0.25 * 0.75 / 96) = 0.044, so 0.25 + 2 * 0.044 = 0.34."""
    assert round(0.25 + 2 * np.sqrt(0.25 * 0.75 / 96), 2) == 0.34


def test_exercise_2():
    """It gives every item of a group the same ending, which is right for exactly one of them."""
    items = make_probes(make_world(0))["common_sense"][:4]
    endings = sorted(items[0].endings)
    assert all(sorted(item.endings) == endings for item in items)
    favourite = endings[2]
    assert sum(item.endings[0] == favourite for item in items) == 1
