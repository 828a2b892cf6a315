"""Causes and their effects on things: a glass that falls breaks, ice in the sun melts."""

from typing import NamedTuple


class Effect(NamedTuple):
    """Something that happens to a subject, and its effect, each in the present and the past."""

    subject: str  # "a glass"
    cause: str  # present tense: "falls on the floor"
    caused: str  # past tense: "fell on the floor"
    effect: str  # base form: "break"
    effected: str  # past tense: "broke"


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
    ("a pot of water", "stands on a hot stove", "stood on a hot stove", "boil", "boiled"),
    ("an iron nail", "lies in the rain", "lay in the rain", "rust", "rusted"),
    ("a balloon", "touches a needle", "touched a needle", "pop", "popped"),
    ("a wooden boat", "is put into the water", "was put into the water", "float", "floated"),
    ("a thin dress", "catches on a nail", "caught on a nail", "tear", "tore"),
    ("a small bird", "sees a cat", "saw a cat", "fly away", "flew away"),
    ("a dog", "hears a stranger", "heard a stranger", "bark", "barked"),
))
