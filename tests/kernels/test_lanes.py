"""Vectors as values: compiled, they do what their Python bodies say."""

import numba
import numpy as np
import pytest

from minillm.kernels.lanes import (VECTOR_BYTES, across, blank, lanes, larger, load, store,
                                   transpose_square)
from minillm.kernels.tile import dot, highest


def scaled_sum(out, numbers, x, y):
    """out = numbers[0] x + y, a vector at a time; two vectors and a rest that stays as it was."""
    for i in range(0, 2 * lanes(x), lanes(x)):
        store(out, i, load(y, i) + numbers[0] * load(x, i))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_compiled_vectors_do_what_the_python_bodies_say(dtype):
    rng = np.random.default_rng(0)
    size = 2 * VECTOR_BYTES // np.dtype(dtype).itemsize + 3
    x, y, numbers = (rng.standard_normal(n).astype(dtype) for n in (size, size, 2))
    results = []
    for run in (scaled_sum, numba.njit(scaled_sum)):
        out = np.full(size, 7, dtype)
        run(out, numbers, x, y)
        results.append(out)
    expected = numbers[0] * x + y
    # Rounding of the sum, and of the product, which a fused multiply-add does not round: half a unit each
    bound = np.finfo(dtype).eps * (np.abs(numbers[0] * x) / 2 + np.abs(expected))
    for out in results:
        assert (np.abs(out - expected)[:-3] <= bound[:-3]).all() and (out[-3:] == 7).all()


def inner_product(x, y):
    """The sum of the products of two rows of whole vectors."""
    return across(load(x, 0) * load(y, 0) + load(x, lanes(x)) * load(y, lanes(y)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_sum_across_a_vector(dtype):
    size = 2 * VECTOR_BYTES // np.dtype(dtype).itemsize
    x, y = np.random.default_rng(1).standard_normal((2, size)).astype(dtype)
    for run in (inner_product, numba.njit(inner_product)):
        np.testing.assert_allclose(run(x, y), x @ y, rtol=1e-5 if dtype is np.float32 else 1e-13)
    assert np.isnan(numba.njit(inner_product)(np.where(x == x[3], dtype(np.nan), x), y))


def test_vectors_start_anywhere_in_a_row():
    x, out = np.arange(200, dtype=np.float32), np.zeros(200, np.float32)

    @numba.njit
    def copy(out, x):
        store(out, 3, load(x, 5))
    copy(out, x)
    n = lanes(x)
    assert (out[3:3 + n] == x[5:5 + n]).all() and out[:3].sum() == 0 == out[3 + n:].sum()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_larger_of_two_vectors_and_zeros(dtype):
    size = VECTOR_BYTES // np.dtype(dtype).itemsize
    x, y = np.random.default_rng(2).standard_normal((2, size)).astype(dtype)

    def clamped(out, x, y):
        store(out, 0, larger(larger(load(x, 0), load(y, 0)), blank(x)))
    for run in (clamped, numba.njit(clamped)):
        out = np.full(size, np.nan, dtype)
        run(out, x, y)
        np.testing.assert_array_equal(out, np.maximum(np.maximum(x, y), 0))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_square_is_transposed_and_nothing_beside_it_is_touched(dtype):
    n = VECTOR_BYTES // np.dtype(dtype).itemsize
    x = np.random.default_rng(3).standard_normal((n + 2, n + 5)).astype(dtype)

    def transpose(target, source, target_step, source_step):
        transpose_square(target, 2 * target_step + 3, target_step, source, source_step + 4, source_step)
    expected = np.full((n + 4, n + 7), 7, dtype)
    expected[2:n + 2, 3:n + 3] = x[1:n + 1, 4:n + 4].T
    for run in (transpose, numba.njit(transpose)):
        out = np.full(expected.shape, 7, dtype)
        run(out.reshape(-1), x.reshape(-1), out.shape[1], x.shape[1])
        np.testing.assert_array_equal(out, expected)


@numba.njit
def highest_and_inner(x, y):
    return highest(x), dot(x, y)        # helpers are for kernels alone: Python cannot call them


@pytest.mark.parametrize("size", [1, 7, 16, 32, 45])
def test_the_highest_and_the_inner_product_of_a_row(size):
    x, y = np.random.default_rng(size).standard_normal((2, size)).astype(np.float32)
    top, inner = highest_and_inner(x, y)
    assert top == x.max() and highest_and_inner(-np.abs(x), y)[0] == (-np.abs(x)).max()
    np.testing.assert_allclose(inner, x @ y, atol=1e-5)
    for place in range(size):
        row = np.zeros(size, np.float32)
        row[place] = 1
        assert highest_and_inner(row, y)[0] == 1
