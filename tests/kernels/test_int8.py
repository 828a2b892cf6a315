"""int8 weights: how far rounding moves them, and products with them against floats."""

import numba
import numpy as np
import pytest
from twins import assert_threads_change_nothing, assert_twins_agree

from minillm.kernels.int8 import (BLOCK, Int8, as_int8, dequantize, dequantize_plain, int8_nt, product_of_few, quantize,
                                  widened)
from minillm.kernels.lanes import VECTOR_BYTES, lanes, load, store
from minillm.kernels.matmul import FEW
from minillm.kernels.twin import plain_kernels

# N, K: below a block, whole blocks, blocks and a rest, and more rows than are quantized at a time
SHAPES = [(1, 1), (7, 63), (5, 64), (3, 65), (9, 200), (2, 352), (70_000, 16)]


def matrix(N, K, seed=0):
    """Weights whose blocks differ in size by far."""
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((N, K)) * np.exp(rng.standard_normal((N, K)))).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES)
def test_no_weight_moves_by_more_than_half_a_step(shape):
    w = matrix(*shape)
    q, scales = quantize(w)
    assert q.dtype == np.int8 and q.shape == shape and scales.dtype == np.float32
    assert scales.shape == (shape[0], -(-shape[1] // BLOCK))
    for g in range(scales.shape[1]):
        part, step = slice(g * BLOCK, (g + 1) * BLOCK), scales[:, g, None].astype(np.float64)
        np.testing.assert_allclose(127 * step[:, 0], np.abs(w[:, part]).max(axis=1), rtol=1e-6)
        assert (np.abs(w[:, part] - q[:, part] * step) <= step / 2 * (1 + 1e-4)).all()
        assert (np.abs(q[:, part]).max(axis=1) == 127).all()        # all levels are used


def test_symmetric_about_zero_which_stays_zero():
    w = matrix(4, 130)
    w[1], w[2, 64:128] = 0, 0
    q, scales = quantize(w)
    minus_q, same = quantize(-w)
    assert (minus_q == -q).all() and (same == scales).all()
    assert (q[1] == 0).all() and (q[2, 64:128] == 0).all() and scales[2, 1] == 0 and np.isfinite(scales).all()
    for size in (1e-42, 1e-30, 1e30, 3e38):         # down to where the scale itself is a denormal number
        extreme = np.float32([[size, -size, 0]])
        np.testing.assert_allclose(dequantize(*quantize(extreme)), extreme, rtol=1e-6 if size > 1e-38 else 0.5)
    assert quantize(np.empty((0, 0), np.float32)).shape == (0, 0)
    whole = quantize(w)
    assert as_int8(whole) is whole and (as_int8(w).q == q).all()


def test_a_large_weight_coarsens_its_own_block_alone():
    w = matrix(1, 192)
    before = quantize(w)
    w[0, 70] = 1e4
    after = quantize(w)
    assert (after.q[0, :64] == before.q[0, :64]).all() and (after.q[0, 128:] == before.q[0, 128:]).all()
    assert np.count_nonzero(after.q[0, 64:128]) == 1


@pytest.mark.parametrize("shape", SHAPES[:-1])
def test_twins_agree(shape):
    N, K = shape
    q, scales = quantize(matrix(N, K))
    assert_twins_agree(dequantize, q, scales)
    for M in (1, 3):
        assert_twins_agree(product_of_few, np.random.default_rng(1).standard_normal((M, K)).astype(np.float32), q, scales)


@pytest.mark.skipif(plain_kernels(), reason="NumPy's products differ in the last bits")
@pytest.mark.parametrize("K", [60, 200])
def test_threads_change_nothing(K):
    """Also where one thread alone does it: fewer than 32,768 multiply-adds."""
    q, scales = quantize(matrix(700, K))
    row = np.random.default_rng(1).standard_normal((1, K)).astype(np.float32)
    assert_threads_change_nothing(dequantize, q, scales)
    assert_threads_change_nothing(product_of_few, row, q, scales)
    alone, together = product_of_few(row, q[:30], scales[:30]), product_of_few(row, q, scales)
    assert alone.tobytes() == together[:, :30].tobytes()


@pytest.mark.parametrize("rows", [1, FEW - 1, FEW, 40])
def test_few_rows_and_many_multiply_the_same_weights(rows):
    weight, rng = quantize(matrix(50, 130)), np.random.default_rng(2)
    x, residual = rng.standard_normal((rows, 130)).astype(np.float32), rng.standard_normal((rows, 50)).astype(np.float32)
    expected = x.astype(np.float64) @ dequantize_plain(*weight).astype(np.float64).T
    np.testing.assert_allclose(int8_nt(x, weight), expected, atol=1e-3)
    before = residual.copy()
    np.testing.assert_allclose(int8_nt(x, weight, residual), expected + residual, atol=1e-3)
    assert (residual == before).all()


def test_compiled_vectors_of_int8_do_what_the_python_body_says():
    n = VECTOR_BYTES // 4
    q, out = np.arange(-128, 128, dtype=np.int8), np.zeros(n, np.float32)

    def copy(out, q, i):
        store(out, 0, widened(q, i))
    for run in (copy, numba.njit(copy)):
        for i in (0, 3, 128, q.size - n):
            run(out, q, i)
            np.testing.assert_array_equal(out, q[i:i + n])
    with pytest.raises(IndexError):
        widened(q, q.size - n + 1)
    assert lanes(out) == n and load(out, 0).size == n


def test_a_matrix_shows_its_size_and_not_its_numbers():
    weight = quantize(matrix(5, 100))
    assert (weight.shape, weight.size, weight.nbytes) == ((5, 100), 500, 500 + 5 * 2 * 4)
    assert repr(weight) == "Int8(5 x 100)" and isinstance(weight, Int8)
