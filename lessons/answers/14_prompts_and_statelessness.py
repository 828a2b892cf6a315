"""Worked answers of lesson 14."""

import numpy as np

from minillm.config import ModelConfig


def test_exercise_1():
    """As many as the context has, 128 here, the answer included; and every remembered token is read again in each call."""
    assert ModelConfig().context == 128


def test_exercise_2():
    """log(0.5 / 0.5) - log(0.02 / 0.98) = 3.89 nats."""
    def odds(p):
        return np.log(p / (1 - p))
    assert round(odds(0.5) - odds(0.02), 2) == 3.89
