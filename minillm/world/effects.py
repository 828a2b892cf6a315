"""What happens to things: a glass that falls breaks, ice in the sun melts."""

from typing import NamedTuple


class Effect(NamedTuple):
    """A cause and what it does to a subject, in the present and in the past."""

    subject: str
    cause: str
    caused: str
    effect: str
    effected: str


EFFECTS = tuple(Effect(*row) for row in (
    ("a glass", "falls on the floor", "fell on the floor", "break", "broke"),
    ("ice", "lies in the sun", "lay in the sun", "melt", "melted"),
    ("a stone", "falls into the river", "fell into the river", "sink", "sank"),
    ("a plant", "gets sun and water", "got sun and water", "grow", "grew"),
    ("water", "stands in the cold all night", "stood in the cold all night", "freeze", "froze"),
    ("dry wood", "falls into the fire", "fell into the fire", "burn", "burned"),
    ("an old apple", "lies in the grass for weeks", "lay in the grass for weeks", "rot", "rotted"),
    ("a wet shirt", "hangs in the wind", "hung in the wind", "dry", "dried"),
    ("a rubber ball", "falls on a stone", "fell on a stone", "bounce", "bounced"),
    ("cold water", "stays on a hot fire", "stayed on a hot fire", "boil", "boiled"),
    ("a metal nail", "lies in the rain", "lay in the rain", "rust", "rusted"),
    ("a balloon", "touches a needle", "touched a needle", "pop", "popped"),
    ("a wooden boat", "lies on the lake", "lay on the lake", "float", "floated"),
    ("a thin dress", "catches on a nail", "caught on a nail", "tear", "tore"),
    ("a small bird", "sees a cat", "saw a cat", "hide", "hid"),
    ("a tired child", "lies in bed", "lay in bed", "sleep", "slept"),
))
