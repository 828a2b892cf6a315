"""A plot of a story: what somebody wishes for, what stands in the way, and how it goes well.

In the texts of a plot, {name} is the hero with {he}, {his}, {him}, {himself}, {pet}, {pet_name} and
{food}; {f} is a friend, with {f_he}, {f_his} and {f_him}. {town}, {river} and {landmark} are the
hero's. A capital letter in a slot, as in {He}, makes a capital letter in the text.
"""

from typing import NamedTuple


class Obstacle(NamedTuple):
    """What stands in the way of a wish, and the turns that overcome it."""

    text: str
    turns: tuple


class Plot(NamedTuple):
    """A wish in several wordings, the obstacles to it, and the ends, which fit all of them."""

    wishes: tuple
    obstacles: tuple
    ends: tuple
    not_for: str  # a trade for which the wish makes no sense


def plot(wishes, obstacles, ends, not_for=""):
    """A plot from its texts; an obstacle is (its text, turn, turn, ...)."""
    ways = tuple(Obstacle(text, tuple(turns)) for text, *turns in obstacles)
    return Plot(wishes, ways, ends, not_for)
