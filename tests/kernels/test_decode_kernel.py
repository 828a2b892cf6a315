"""Decoding: the block's kernel against its twin, its attention against that of the whole, threads, rows."""

import numba
import numpy as np
import pytest
import tiny
from decoding import attention_alone, block_case
from twins import assert_threads_change_nothing, assert_twins_agree, results

from minillm.kernels.attention import attention_forward_plain
from minillm.kernels.decode import FEW, attention_decode_plain, block_decode, threads_for
from minillm.kernels.twin import plain_kernels


@pytest.mark.parametrize("preset", tiny.PRESETS)
@pytest.mark.parametrize("B", [1, 5, FEW, 70])      # dot products; a tile that is not full; several tiles
def test_twins_agree(preset, B):
    assert_twins_agree(block_decode, *block_case(preset, B))


@pytest.mark.parametrize("preset", ["llama", "gpt2", "layernorm, rope, swiglu, bias, untied"])
@pytest.mark.parametrize("B", [1, 5, FEW, 70])
def test_twins_agree_with_int8_weights(preset, B):
    """Rows of less than a block of weights, and of two blocks and a rest."""
    for sizes in ({}, {"width": 132, "hidden": 70}):
        assert_twins_agree(block_decode, *block_case(preset, B, int8=True, **sizes))


@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("B", [1, 5, 20, 70])
def test_threads_change_nothing(B, threads, int8):
    """Neither how many there are, nor into how many parts the work is divided for them."""
    args = block_case("gpt2", B, int8=int8)
    assert_threads_change_nothing(block_decode, *args)
    for two, divided in zip(results(block_decode, args), results(block_decode, (*args[:-1], threads)), strict=True):
        assert two.tobytes() == divided.tobytes()


@pytest.mark.skipif(plain_kernels(), reason="NumPy's products differ in the last bits")
@pytest.mark.parametrize("preset", ["llama", "gpt2"])
def test_a_row_does_not_depend_on_the_rows_beside_it(preset):
    """In tiles, it has the same bits; as one of few rows, the same numbers up to rounding."""
    args = block_case(preset, 70)

    def of_rows(rows):
        by_row = [args[i][rows].copy() for i in (0, 7, 8, 10, 11)]
        return block_decode(by_row[0], *args[1:7], *by_row[1:3], args[9], *by_row[3:], *args[12:])
    every = of_rows(slice(None))
    assert of_rows(slice(30, 60)).tobytes() == every[30:60].tobytes()
    np.testing.assert_allclose(of_rows(slice(40, 42)), every[40:42], rtol=0, atol=1e-5)


def test_weights_of_a_multiple_of_the_tile_and_of_less_than_one():
    """The micro-kernel reads whole register tiles of the weights, and may not read beyond the last."""
    rng, none, B = np.random.default_rng(0), np.empty(0, np.float32), FEW
    for C, F in ((2, 1), (16, 48), (50, 23)):
        weights = tuple(rng.standard_normal(shape).astype(np.float32) for shape in
                        ((C, C), (C, C), (C, C), (C, C), (F, C), (C, F), (F, C)))
        keys, values, x = np.zeros((B, 1, 3, C), np.float32), np.zeros((B, 1, 3, C), np.float32), rng.standard_normal((B, C))
        gains, angles = (np.ones(C, np.float32),) * 2, np.empty((1, 0), np.float32)
        assert_twins_agree(block_decode, x.astype(np.float32), gains, (none,) * 2, weights, (none,) * 7, angles, angles,
                           np.ones(B, np.int32), np.zeros(B, np.int32), 1, keys, values, 1e-5, 2)


@pytest.mark.parametrize("D", [5, 16, 37])      # below a vector, whole vectors, vectors and a rest
def test_attention_equals_the_last_row_of_the_whole(D):
    """Beyond `column` the cache may hold anything, and before visible_from[b] too."""
    rng, column = np.random.default_rng(0), 18
    q, k, v = (rng.standard_normal((4, 23, heads, D)).astype(np.float32) for heads in (6, 3, 3))
    visible_from = np.array([0, 4, 18, 19], np.int32)
    whole = attention_forward_plain(q, k, v, np.repeat(visible_from[:, None], 23, axis=1))[0][:, column]
    keys, values = k.swapaxes(1, 2).copy(), v.swapaxes(1, 2).copy()     # the cache: (B, G, S, D)
    np.testing.assert_allclose(attention_decode_plain(q[:, column], keys, values, visible_from, column), whole, atol=1e-5)
    keys[:, :, column:], values[:, :, column:] = np.nan, np.nan
    keys[1, :, :4], values[1, :, :4] = np.nan, np.nan
    out = attention_alone(*(x[:, column] for x in (q, k, v)), keys, values, visible_from, column)
    np.testing.assert_allclose(out, whole, atol=1e-5)
    assert (out[3] == 0).all()
    assert (keys[:, :, column] == k[:, column]).all() and (values[:, :, column] == v[:, column]).all()


def test_little_work_is_done_by_one_thread():
    before = numba.get_num_threads()
    with threads_for(1000):
        assert numba.get_num_threads() == 1
    with threads_for(1 << 24):
        assert numba.get_num_threads() == before
    with pytest.raises(KeyError), threads_for(1000):
        raise KeyError
    assert numba.get_num_threads() == before
