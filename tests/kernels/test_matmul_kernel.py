"""The three products against NumPy: edges of blocks and tiles, threads, the switch to BLAS."""

import os
import subprocess
import sys
from unittest import mock

import numpy as np
import pytest
from twins import assert_threads_change_nothing, assert_twins_agree

from minillm.kernels.matmul import matmul_nn, matmul_nt, matmul_tn
from minillm.kernels.matmul_blocks import add_product

# M, K, N. The register tile has 4 rows and 2 vectors of columns (up to 32). A block has at most 128
# rows and 192 steps of k; 768 x 768 numbers of B are packed at a time. Dot products do less than 12
# rows, and up to 4 columns beyond the last whole micro-panel.
SHAPES = [
    (270, 193, 130), (260, 769, 65), (53, 900, 801), (66, 50, 99), (133, 70, 100),
    (1, 1, 1), (3, 5, 7), (4, 4, 4), (12, 4, 5), (13, 1, 6), (16, 8, 256), (33, 7, 257), (35, 257, 3),
    (64, 258, 60), (51, 515, 50), (1, 40, 33), (11, 17, 5), (90, 6, 3), (48, 8, 301), (47, 260, 131)]


def operands(product, M, K, N, dtype, seed=0):
    rng = np.random.default_rng(seed)
    shapes = {matmul_nt: ((M, K), (N, K)), matmul_nn: ((M, K), (K, N)), matmul_tn: ((K, M), (K, N))}
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes[product]]


@pytest.mark.parametrize("product", [matmul_nt, matmul_nn, matmul_tn])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_agrees_with_numpy(product, dtype):
    for M, K, N in SHAPES:
        assert_twins_agree(product, *operands(product, M, K, N, dtype))


@pytest.mark.parametrize("product", [matmul_nt, matmul_nn, matmul_tn])
def test_adds_to_what_is_there(product):
    for M, K, N in [(70, 45, 65), (5, 9, 40), (60, 800, 790)]:
        a, b = operands(product, M, K, N, np.float64)
        into = np.random.default_rng(1).standard_normal((M, N))
        expected = into + product.plain(a, b)
        assert product(a, b, into) is into
        np.testing.assert_allclose(into, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_begins_as_the_residual(dtype):
    for M, K, N in SHAPES + [(60, 0, 50)]:
        a, b = operands(matmul_nt, M, K, N, dtype)
        residual = np.random.default_rng(1).standard_normal((M, N)).astype(dtype)
        kept = residual.copy()
        assert_twins_agree(matmul_nt, a, b, None, residual)
        assert residual.tobytes() == kept.tobytes()


@pytest.mark.parametrize("product", [matmul_nt, matmul_nn, matmul_tn])
def test_fresh_memory_is_not_read(product):
    """What a new array happens to hold must not matter, a NaN least of all."""
    for M, K, N in [(270, 193, 130), (60, 0, 50), (66, 50, 99)]:
        a, b = operands(product, M, K, N, np.float32)
        with mock.patch.object(np, "empty", lambda shape, dtype: np.full(shape, np.nan, dtype)):
            c = product(a, b)
        np.testing.assert_allclose(c, product.plain(a, b), atol=1e-3)


@pytest.mark.parametrize("product", [matmul_nt, matmul_nn, matmul_tn])
def test_empty_operands(product):
    for M, K, N in [(0, 3, 4), (20, 0, 4), (20, 3, 0), (2, 0, 4)]:
        assert_twins_agree(product, *operands(product, M, K, N, np.float32))


@pytest.mark.parametrize("product", [matmul_nt, matmul_nn, matmul_tn])
def test_threads_change_nothing(product):
    assert_threads_change_nothing(product, *operands(product, 70, 45, 300, np.float32))
    assert_threads_change_nothing(product, *operands(product, 40, 150, 300, np.float32))


@pytest.mark.parametrize("threads", [2, 3, 4, 7])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parts_of_any_number_of_threads_are_the_same(dtype, threads):
    """Among them parts of one row, columns too few for a micro-panel, and more parts than cores."""
    for M, K, N in [(49, 120, 36), (37, 120, 36), (17, 120, 17), (20, 50, 67)]:
        a, b = operands(matmul_nt, M, K, N, dtype)
        results = [np.full((M, N), np.nan, dtype) for _ in range(2)]
        for c, parts in zip(results, (1, threads), strict=True):
            add_product(c, a, False, b, True, c[:0], True, parts)
        np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("product", [matmul_nt, matmul_nn, matmul_tn])
def test_the_loops_to_read_take_factors_with_any_strides(product):
    """Every second column of a larger array: packing reads blocks through their strides."""
    for M, K, N in [(70, 45, 65), (5, 9, 40)]:
        a, b = (np.repeat(x, 2, axis=1)[:, ::2] for x in operands(product, M, K, N, np.float64))
        expected = product.plain(a, b)
        np.testing.assert_allclose(product.loops(a, b), expected, atol=1e-11)


@pytest.mark.parametrize("product", [matmul_nt, matmul_nn, matmul_tn])
def test_infinity_stays_in_its_row_and_column(product):
    """The padding of blocks must not meet an infinity: 0 * inf would spread NaN to other rows."""
    a, b = operands(product, 57, 6, 71, np.float32)
    a[(5, 3) if product is matmul_tn else (3, 5)] = np.inf  # A[3, 5]
    b[(9, 2) if product is matmul_nt else (2, 9)] = np.inf  # B[2, 9]
    for rung in (product, product.loops):
        finite = np.isfinite(rung(a, b))
        assert not finite[3].any() and not finite[:, 9].any()
        assert np.delete(np.delete(finite, 3, axis=0), 9, axis=1).all()


def test_a_row_does_not_depend_on_its_neighbours():
    """Each row of a batch is computed in the order of k alone: the same bits wherever it stands."""
    a, b = operands(matmul_nn, 40, 50, 30, np.float32)
    np.testing.assert_array_equal(matmul_nn(a, b)[8:24], matmul_nn(a[8:24].copy(), b))


@pytest.mark.parametrize("choice, expected", [("ours", "True"), ("blas", "False"), ("bals", "ValueError")])
def test_the_switch_to_blas(choice, expected):
    program = ("try:\n"
               "    from minillm.kernels.matmul import matmul_nt, matmul_nt_plain\n"
               "    print(matmul_nt is not matmul_nt_plain)\n"
               "except ValueError as error:\n"
               "    print('ValueError', error)")
    environment = dict(os.environ, MINILLM_MATMUL=choice, MINILLM_KERNELS="compiled",
                       PYTHONPATH=os.pathsep.join(sys.path))
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True,
                         text=True, check=True)
    assert run.stdout.startswith(expected)
