"""Attention kernels: twins, gradients, and what is hidden: the future, other documents, pads."""

import numpy as np
import pytest
from gradcheck import gradcheck
from twins import assert_threads_change_nothing, assert_twins_agree

from minillm.kernels.attention import attention_backward, attention_forward

# B, T, H, G, D; a block is 128 keys, a panel up to 32 queries
SIZES = [(5, 37, 6, 3, 5), (5, 1, 1, 1, 1), (5, 18, 4, 4, 8), (5, 131, 2, 1, 12), (2, 260, 3, 3, 4)]


def visibility(B, T, rng):
    """Rows in turn: causal, padded on the left, packed documents, blind queries in between, all blind."""
    visible_from = np.zeros((B, T), dtype=np.int32)
    for b in range(B):
        if b % 5 == 1:
            visible_from[b] = T // 3
        if b % 5 == 2:
            for cut in np.sort(rng.integers(0, T + 1, 3)):
                visible_from[b, cut:] = cut
        if b % 5 == 3:
            starts = rng.integers(0, T + 2, T) * np.arange(T) // T
            visible_from[b] = np.maximum.accumulate(starts)
            visible_from[b, T // 2:] = T
        if b % 5 == 4:
            visible_from[b] = T
    return visible_from


def case(B, T, H, G, D, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    q, k, v, dout = (rng.standard_normal((B, T, heads, D)).astype(dtype) for heads in (H, G, G, H))
    return q, k, v, dout, visibility(B, T, rng)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", SIZES)
def test_twins_agree(size, dtype):
    q, k, v, dout, visible_from = case(*size, dtype)
    assert_twins_agree(attention_forward, q, k, v, visible_from)
    out, lse = attention_forward.plain(q, k, v, visible_from)
    assert_twins_agree(attention_backward, dout, q, k, v, out, lse, visible_from)


def test_equals_a_masked_softmax_written_out():
    q, k, v, _, visible_from = case(5, 9, 6, 2, 3)
    k, v = (np.repeat(x, 3, axis=2) for x in (k, v))
    scores = np.einsum("bthd,bshd->bhts", q, k) / np.sqrt(3)
    s = np.arange(9)
    visible = (visible_from[:, :, None] <= s) & (s <= s[:, None])  # (B, T, S)
    weights = np.where(visible[:, None], np.exp(scores), 0)
    total = weights.sum(axis=-1)
    blind = total == 0
    expected = np.einsum("bhts,bshd->bthd", weights / np.where(blind, 1, total)[..., None], v)
    _, k, v, _, _ = case(5, 9, 6, 2, 3)
    out, lse = attention_forward(q, k, v, visible_from)
    np.testing.assert_allclose(out, expected, atol=1e-12)
    np.testing.assert_allclose(lse, np.log(np.where(blind, 1, total)), atol=1e-12)
    assert blind.any() and (out[np.moveaxis(blind, 1, 2)] == 0).all() and (lse[blind] == 0).all()


@pytest.mark.parametrize("size", [(5, 11, 6, 3, 5), (3, 6, 2, 2, 4)])
def test_gradient(size):
    q, k, v, _, visible_from = case(*size)

    def forward(q, k, v):
        out, lse = attention_forward(q, k, v, visible_from)
        return out, (q, k, v, out, lse, visible_from)

    gradcheck(forward, lambda dout, cache: attention_backward(dout, *cache), [q, k, v],
              label="attention kernel")


def run(q, k, v, dout, visible_from):
    out, lse = attention_forward(q, k, v, visible_from)
    return out, *attention_backward(dout, q, k, v, out, lse, visible_from)


def test_nan_at_an_invisible_key_does_not_leak():
    """Two packed documents: NaN in the keys and values of one does not change the other's results."""
    q, k, v, dout, visible_from = case(1, 40, 4, 2, 6, np.float32)
    visible_from[0] = np.where(np.arange(40) < 17, 0, 17)
    clean = run(q, k, v, dout, visible_from)
    for poison in (slice(3, 4), slice(0, 17)):
        for spoilt in (k, v):
            kept = spoilt.copy()
            spoilt[0, poison] = np.nan
            results = run(q, k, v, dout, visible_from)
            assert np.isnan(results[0][0, 3:17]).all()  # NaN only where it is visible
            for expected, got in zip(clean, results):
                np.testing.assert_allclose(got[0, 17:], expected[0, 17:], atol=1e-5)
            spoilt[:] = kept


def test_what_is_visible_stays_visible():
    """Scores that overflow to -inf are not hidden, nor is a NaN key or query beside a factor of 0."""
    big = np.full((1, 3, 1, 2), 1e20, np.float32)
    visible_from = np.zeros((1, 3), np.int32)
    with np.errstate(all="ignore"):
        for kernel in (attention_forward, attention_forward.loops, attention_forward.plain):
            out, lse = kernel(big, -big, big, visible_from)
            assert np.isnan(out).all() and not np.isfinite(lse).any()
        rng = np.random.default_rng(0)
        for spoilt in range(2):
            q, k, v, dout = rng.standard_normal((4, 1, 3, 1, 2))
            q[..., 1], k[..., 1] = 0, 0
            (q, k)[spoilt][0, 1, 0, 0] = np.nan
            out, lse = attention_forward.plain(q, k, v, visible_from)
            plain = attention_backward.plain(dout, q, k, v, out, lse, visible_from)
            for kernel in (attention_backward, attention_backward.loops):
                results = kernel(dout, q, k, v, out, lse, visible_from)
                for got, expected in zip(results, plain, strict=True):
                    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))


def test_nan_in_the_future_does_not_leak():
    q, k, v, dout, visible_from = case(1, 20, 2, 2, 4, np.float32)
    visible_from[:] = 0
    out = attention_forward(q, k, v, visible_from)[0]
    k[0, 13], v[0, 13] = np.nan, np.inf
    spoilt = attention_forward(q, k, v, visible_from)[0]
    np.testing.assert_allclose(spoilt[0, :13], out[0, :13], atol=1e-6)


def test_blind_rows_take_and_give_nothing():
    """A pad's query may hold anything: its output and gradients are 0, and it changes no others."""
    q, k, v, dout, visible_from = case(1, 12, 2, 1, 4)
    visible_from[0] = 5
    clean = run(q, k, v, dout, visible_from)
    for pads in (q, k, v, dout):
        pads[0, :5] = np.nan
    for expected, got in zip(clean, run(q, k, v, dout, visible_from)):
        assert (got[0, :5] == 0).all()
        np.testing.assert_array_equal(got[0, 5:], expected[0, 5:])


def test_packed_documents_equal_separate_ones():
    q, k, v, dout, visible_from = case(1, 30, 4, 2, 6)
    visible_from[0] = np.where(np.arange(30) < 13, 0, 13)
    packed = run(q, k, v, dout, visible_from)
    for part in (slice(0, 13), slice(13, 30)):
        alone = [x[:, part].copy() for x in (q, k, v, dout)]
        separate = run(*alone, np.zeros((1, alone[0].shape[1]), dtype=np.int32))
        for whole, piece in zip(packed, separate):
            np.testing.assert_allclose(whole[:, part], piece, atol=1e-12)


def test_an_overflowed_score_does_not_outlast_the_next_key():
    """A visible score of -inf has the weight 0 once a finite score comes, in whichever order."""
    for order in ([0, 1, 1], [1, 0, 1], [1, 1, 0]):
        q = np.full((1, 3, 1, 2), 1e20, np.float32)
        k = np.where(np.array(order).reshape(1, 3, 1, 1), np.float32(1e-20), np.float32(-1e20))
        v = np.random.default_rng(0).standard_normal((1, 3, 1, 2)).astype(np.float32)
        k = np.broadcast_to(k, v.shape).copy()
        visible_from = np.zeros((1, 3), np.int32)
        with np.errstate(all="ignore"):
            expected = attention_forward.plain(q, k, v, visible_from)[0]
            for kernel in (attention_forward, attention_forward.loops):
                np.testing.assert_allclose(kernel(q, k, v, visible_from)[0], expected, atol=1e-6)


def test_large_scores_do_not_overflow():
    q, k, v, dout, visible_from = case(1, 10, 1, 1, 4, np.float32)
    for result in run(q * 1000, k * 1000, v, dout, np.zeros_like(visible_from)):
        assert np.isfinite(result).all()


def test_no_tokens():
    q, k, v, _, _ = case(2, 0, 2, 1, 4)
    assert_twins_agree(attention_forward, q, k, v, np.zeros((2, 0), dtype=np.int32))


def test_threads_change_nothing():
    q, k, v, dout, visible_from = case(5, 40, 6, 3, 8, np.float32)
    assert_threads_change_nothing(attention_forward, q, k, v, visible_from)
    out, lse = attention_forward(q, k, v, visible_from)
    assert_threads_change_nothing(attention_backward, dout, q, k, v, out, lse, visible_from)
