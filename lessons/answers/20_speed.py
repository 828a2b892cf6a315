"""Worked answers of lesson 20."""


def test_exercise_1():
    """n / 6 = 10: at 60. Below it even a perfect product may wait for the memory, unless its numbers are in the cache."""
    assert 2 * 60 ** 3 / (12 * 60 ** 2) == 10


def test_exercise_2():
    """4 of A and 32 of B, for 128 multiply-adds: 3.6 a number, against one half of one in the plain loops."""
    assert 4 * 32 == 128 and round(128 / (4 + 32), 1) == 3.6
