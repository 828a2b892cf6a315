"""Worked answers of lesson 19."""

from dataclasses import replace

from minillm.evaluate.scale import LLAMA_2_70B
from minillm.model.size import parameters


def test_exercise_1():
    """Attention 2 * 8192^2 + 2 * 8192 * 1024, feed-forward 3 * 8192 * 28672, two gains: 856 million."""
    one_less = replace(LLAMA_2_70B, layers=79)
    block = parameters(LLAMA_2_70B) - parameters(one_less)
    assert block == 2 * 8192 ** 2 + 2 * 8192 * 1024 + 3 * 8192 * 28672 + 2 * 8192
    assert round(block / 1e6) == 856


def test_exercise_2():
    """6 * 1.08e6 * 1150 * 2048 = 1.53e13, so 117 seconds."""
    work = 6 * 1.08e6 * 1150 * 2048
    assert round(work / 1e13, 2) == 1.53 and round(work / 130e9) == 117


def test_exercise_3():
    """20 * 1.08 million = 22 million, nine times as many as 1,150 steps read."""
    assert round(20 * 1.08) == 22 and round(20 * 1.08e6 / (1150 * 2048)) == 9


def test_exercise_4():
    """100 * 6,000 tokens in steps of 768: 781 steps."""
    assert round(100 * 1000 * 6 / (16 * 48)) == 781
