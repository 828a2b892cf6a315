"""bfloat16: rounding by its definition, and products whose every sum is known to the bit."""

import numba
import numpy as np
import pytest
from twins import assert_threads_change_nothing, assert_twins_agree

from minillm.kernels import steps
from minillm.kernels.bfloat16 import as_factor, to_bfloat16, to_bfloat16_plain, to_float32
from minillm.kernels.lanes import load, store
from minillm.kernels.matmul import matmul_nn, matmul_nt, matmul_tn
from minillm.kernels.matmul_blocks import add_product

PRODUCTS = (matmul_nt, matmul_nn, matmul_tn)
# M, K, N as in test_matmul_kernel.py: edges of tiles, odd numbers of k, several blocks of k and of columns
SHAPES = [(270, 385, 130), (60, 1601, 65), (53, 100, 801), (1, 1, 1), (3, 5, 7), (13, 2, 36), (20, 70, 67)]


def all_kinds():
    """Numbers of every size, ties, both zeros, infinities, NaN with several payloads, and any bits at all."""
    rng = np.random.default_rng(0)
    any_bits = rng.integers(0, 2**32, 20_000, dtype=np.uint32)
    ties = (rng.integers(0, 2**16, 5_000, dtype=np.uint32) << 16) + np.uint32(0x8000)
    special = np.array([0x7F800001, 0xFFFFFFFF, 0x7FFFFFFF, 0x7F800000, 0xFF800000, 0x80000000, 0x7F7FFFFF], np.uint32)
    return np.concatenate([any_bits, ties, special]).view(np.float32)


def test_rounds_to_the_nearest_and_ties_to_even():
    x = all_kinds()
    got = to_float32(to_bfloat16(x)).astype(np.float64)
    below = (x.view(np.uint32) & np.uint32(0xFFFF0000))             # towards 0
    finite = np.isfinite(x) & (np.abs(x) < 3.38e38)                 # what is larger may round to infinity
    low, exact = below.view(np.float32)[finite].astype(np.float64), x[finite].astype(np.float64)
    high = (below[finite] + np.uint32(0x10000)).view(np.float32).astype(np.float64)
    nearer = np.where(np.abs(exact - low) < np.abs(high - exact), low, high)
    tie, even = np.abs(exact - low) == np.abs(high - exact), below[finite] >> 16 & 1 == 0
    np.testing.assert_array_equal(got[finite], np.where(tie & even, low, nearer))
    assert tie.sum() > 4_000
    np.testing.assert_array_equal(np.isnan(got), np.isnan(x))
    np.testing.assert_array_equal(got[np.isinf(x)], x[np.isinf(x)])
    ordinary = finite & (np.abs(x) > 1e-37)
    assert np.all(np.abs(got[ordinary] - x[ordinary]) <= 2.0**-8 * np.abs(x[ordinary]))


def test_rounding_agrees_with_its_twin_on_any_number_of_threads():
    x = all_kinds()
    np.testing.assert_array_equal(to_bfloat16(x), to_bfloat16_plain(x))
    np.testing.assert_array_equal(to_bfloat16(x[:6].reshape(2, 3).T), to_bfloat16_plain(x[:6].reshape(2, 3).T))
    assert to_bfloat16(np.empty((0, 3), np.float32)).shape == (0, 3)
    assert_threads_change_nothing(to_bfloat16, x)


def test_a_factor_is_rounded_once_and_only_from_float32():
    x = np.float32([1.00390625, 3.14159])
    once = as_factor(x, "bfloat16")
    assert as_factor(x, "float32") is x and as_factor(once, "bfloat16") is once and once.dtype == np.uint16
    with pytest.raises(ValueError, match="float64"):
        as_factor(x.astype(np.float64), "bfloat16")


def operands(product, M, K, N, seed=0):
    rng = np.random.default_rng(seed)
    shapes = {matmul_nt: ((M, K), (N, K)), matmul_nn: ((M, K), (K, N)), matmul_tn: ((K, M), (K, N))}
    return [to_bfloat16(rng.standard_normal(shape).astype(np.float32)) for shape in shapes[product]]


def step_by_step(product, a, b, start):
    """The sums in float32, one k after the other: of each pair of k the second first."""
    a, b = to_float32(a), to_float32(b)
    a, b = a.T if product is matmul_tn else a, b.T if product is matmul_nt else b
    sums = start.copy()
    for k in range(0, a.shape[1], 2):
        for place in (k + 1, k):
            if place < a.shape[1]:
                sums += np.outer(a[:, place], b[place])
    return sums


@pytest.mark.parametrize("product", PRODUCTS)
def test_agrees_with_numpy(product):
    for shape in SHAPES:
        assert_twins_agree(product, *operands(product, *shape))


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_sum_is_that_of_plain_float32_loops(product):
    """To the bit, whatever instruction the processor has: a product of two bfloat16 is exact in float32."""
    if product is product.plain or product is product.loops:
        pytest.skip("another rung adds in another order")
    for M, K, N in [(37, 51, 70), (9, 800, 33), (130, 9, 4)]:
        a, b = operands(product, M, K, N)
        into = np.random.default_rng(1).standard_normal((M, N)).astype(np.float32)
        expected = step_by_step(product, a, b, into)
        assert product(a, b, into.copy()).tobytes() == expected.tobytes()


def test_dot_products_of_a_few_columns_beyond_the_last_panel():
    a, b = operands(matmul_nt, 40, 77, 65)
    np.testing.assert_allclose(matmul_nt(a, b), matmul_nt.plain(a, b), atol=1e-5)


@pytest.mark.parametrize("native", [True, False])
def test_one_instruction_and_plain_loops_give_the_same_bytes(monkeypatch, native):
    """multiply_add of pairs, compiled in both ways, is what its Python body says."""
    if native and not steps.DOT_OF_PAIRS:
        pytest.skip("this processor has no instruction for pairs")
    monkeypatch.setattr(steps, "DOT_OF_PAIRS", native)

    def add(sums, x, y):
        store(sums, 0, steps.multiply_add(load(sums, 0), load(x, 0), load(y, 0)))
    rng = np.random.default_rng(2)
    n = steps.VECTOR_BYTES // 4
    for _ in range(200):
        scales = np.float32(10) ** rng.integers(-6, 7, 3).astype(np.float32)
        x, y = (as_factor(s * rng.standard_normal(2 * n).astype(np.float32), "bfloat16").view(np.uint32)
                for s in scales[:2])
        sums = scales[2] * rng.standard_normal(n).astype(np.float32)
        expected, got = sums.copy(), sums.copy()
        add(expected, x, y)
        compiled = add if numba.config.DISABLE_JIT else _compiled(add, native)
        compiled(got, x, y)
        assert got.tobytes() == expected.tobytes()


_COMPILED = {}


def _compiled(add, native):
    return _COMPILED.setdefault(native, numba.njit(add))


@pytest.mark.parametrize("product", PRODUCTS)
def test_threads_change_nothing(product):
    assert_threads_change_nothing(product, *operands(product, 70, 45, 300))
    assert_threads_change_nothing(product, *operands(product, 40, 150, 300))


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_parts_of_any_number_of_threads_are_the_same(threads):
    for M, K, N in [(49, 120, 36), (17, 120, 17), (20, 50, 67)]:
        a, b = operands(matmul_nt, M, K, N)
        results = [np.full((M, N), np.nan, np.float32) for _ in range(2)]
        for c, parts in zip(results, (1, threads), strict=True):
            add_product(c, a, False, b, True, c[:0], True, parts)
        np.testing.assert_array_equal(*results)


def test_begins_as_the_residual_and_adds_to_what_is_there():
    for M, K, N in [(70, 45, 65), (60, 0, 50)]:
        a, b = operands(matmul_nt, M, K, N)
        residual = np.random.default_rng(1).standard_normal((M, N)).astype(np.float32)
        assert_twins_agree(matmul_nt, a, b, None, residual)
        into = residual.copy()
        assert matmul_nt(a, b, into) is into
        np.testing.assert_allclose(into, residual + matmul_nt.plain(a, b), atol=1e-4)


@pytest.mark.parametrize("product", PRODUCTS)
def test_infinity_stays_in_its_row_and_column(product):
    a, b = operands(product, 57, 7, 71)
    a[(5, 3) if product is matmul_tn else (3, 5)] = to_bfloat16(np.float32([np.inf]))[0]    # A[3, 5]
    b[(9, 2) if product is matmul_nt else (2, 9)] = to_bfloat16(np.float32([np.nan]))[0]    # B[2, 9]
    finite = np.isfinite(product(a, b))
    assert not finite[3].any() and not finite[:, 9].any()
    assert np.delete(np.delete(finite, 3, axis=0), 9, axis=1).all()
