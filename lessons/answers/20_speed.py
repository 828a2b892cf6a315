"""Worked answers of lesson 20."""

import numpy as np
import pytest


def tiled_product(a, b, rows, columns):
    """Exercise 3: as micro_kernel and macro_kernel do it, without the packing."""
    c = np.zeros((a.shape[0], b.shape[1]), np.result_type(a, b))
    for i in range(0, a.shape[0], rows):
        for j in range(0, b.shape[1], columns):
            tile = np.zeros_like(c[i:i + rows, j:j + columns])
            for k in range(a.shape[1]):
                tile += np.outer(a[i:i + rows, k], b[k, j:j + columns])
            c[i:i + rows, j:j + columns] = tile
    return c


def check_tiled_product(function):
    """Against NumPy's product, for tiles that fit and tiles that do not."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((8, 5)), rng.standard_normal((5, 6))
    kept = a.copy(), b.copy()
    for rows, columns in ((4, 3), (8, 6), (1, 1)):
        c = function(a, b, rows, columns)
        assert np.shape(c) == (8, 6), f"a (8, 5) times b (5, 6) should give (8, 6), not {np.shape(c)}"
        assert np.allclose(c, a @ b), f"tiles of {rows} x {columns}, which fit exactly, should give a @ b"
    assert np.array_equal(a, kept[0]) and np.array_equal(b, kept[1]), "a and b should stay as they are"
    for rows, columns in ((3, 4), (16, 16)):
        c = function(a, b, rows, columns)
        assert np.allclose(c, a @ b), f"tiles of {rows} x {columns} are cut at the edges of C; the result should still be a @ b"


def test_exercise_1():
    """n / 6 = 10: at 60. Below it even a perfect product may wait for the memory, unless its numbers are in the cache."""
    assert 2 * 60 ** 3 / (12 * 60 ** 2) == 10


def test_exercise_2():
    """8 of A and 32 of B, so 40, for 256 products: 6.4 for each number loaded, against one half in the plain loops."""
    assert 8 * 32 == 256 and 256 / (8 + 32) == 6.4


def test_exercise_3():
    """The solution passes; one that forgets the edges does not."""
    check_tiled_product(tiled_product)

    def whole_tiles_only(a, b, rows, columns):
        c = np.zeros((a.shape[0], b.shape[1]))
        for i in range(0, a.shape[0] - rows + 1, rows):
            for j in range(0, b.shape[1] - columns + 1, columns):
                c[i:i + rows, j:j + columns] = a[i:i + rows] @ b[:, j:j + columns]
        return c
    with pytest.raises(AssertionError, match="cut at the edges"):
        check_tiled_product(whole_tiles_only)


def test_exercise_4():
    """First, turns: a laptop heats up and slows down, or another program starts, and all of Y is measured after all of X. Second,
    the spread: without it 12% may be less than X differs from itself. Time X against X first: that difference is nothing.
    """
    rng = np.random.default_rng(0)
    drift = np.linspace(1.0, 0.76, 20)                          # the machine gets 24% faster while it is measured
    seconds = drift * (1 + 0.01 * rng.standard_normal(20))      # X and Y are one and the same kernel
    one_after_the_other = seconds[10:].mean() / seconds[:10].mean()
    in_turn = seconds[1::2].mean() / seconds[::2].mean()
    assert one_after_the_other < 0.89 and abs(in_turn - 1) < 0.03


def test_exercise_5():
    """Compiled rows fuse a multiplication and its addition into one instruction, and broadcasting takes a fresh array of n^2
    numbers for each row, which the system has to find and to clear. np.multiply(..., out=kept) takes the second away: the
    products are written and read as before, only the array is not new. What is left of the lead is then not the allocation's.
    """
    a, b = np.random.default_rng(0).standard_normal((2, 6, 6))
    kept, rows = np.empty_like(b), []
    for row in a:
        np.multiply(row[:, None], b, out=kept)
        rows.append(kept.sum(axis=0))
    np.testing.assert_allclose(rows, a @ b)
