"""Vectors as values: compiled, they do what their Python bodies say."""

import numba
import numpy as np
import pytest

from minillm.kernels.lanes import VECTOR_BYTES, lanes, load, store


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
    expected = np.concatenate([(numbers[0] * x + y)[:-3], np.full(3, 7, dtype)])
    for out in results:
        np.testing.assert_allclose(out, expected, rtol=1e-6 if dtype is np.float32 else 1e-14)


def test_vectors_start_anywhere_in_a_row():
    x, out = np.arange(200, dtype=np.float32), np.zeros(200, np.float32)

    @numba.njit
    def copy(out, x):
        store(out, 3, load(x, 5))
    copy(out, x)
    n = lanes(x)
    assert (out[3:3 + n] == x[5:5 + n]).all() and out[:3].sum() == 0 == out[3 + n:].sum()
