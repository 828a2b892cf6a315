"""Losses and softmaxes at logits of +-10,000: finite, and within 1e-6 of the same in float64."""

import numpy as np
import pytest
from decoding import attention_alone

from minillm.kernels.attention import attention_backward, attention_forward
from minillm.kernels.categorical import categorical_backward, categorical_draw, categorical_forward
from minillm.kernels.cross_entropy import cross_entropy_backward, cross_entropy_forward
from minillm.kernels.decode import block_decode
from minillm.losses.policy import value_backward, value_forward
from minillm.losses.ranking import ranking_backward, ranking_forward
from minillm.model.sampling import next_token_probs

LARGE, V = 1e4, 50
RNG = np.random.default_rng(0)
# Far apart, anywhere between, all equal, and nearly equal: there float32 cannot hold log sum exp to 0.0005.
LOGITS = np.array([np.where(RNG.random(V) < 0.5, LARGE, -LARGE), RNG.uniform(-LARGE, LARGE, V), np.full(V, LARGE),
                   np.full(V, -LARGE), LARGE - 3 * RNG.random(V), 3 * RNG.random(V) - LARGE,
                   np.where(np.arange(V) == 7, LARGE, -LARGE)], np.float32)
IDS = RNG.integers(0, V, len(LOGITS)).astype(np.int32)
ONES = np.ones(len(LOGITS))


def assert_close(found, exact):
    """Finite, and within 1e-6 of the exact value: of 1 where that is smaller."""
    for mine, true in zip(found, exact, strict=True):
        assert np.isfinite(mine).all()
        np.testing.assert_allclose(mine, true, rtol=1e-6, atol=1e-6)


def rungs(kernel):
    """The kernel as this process runs it, plain, and as readable loops if it has them."""
    return [rung for rung in (kernel, kernel.plain, kernel.loops) if rung is not None]


def next_token(forward, backward, logits):
    nll, lse = forward(logits, IDS)
    return nll, lse, backward(logits.copy(), IDS, lse, ONES.astype(logits.dtype))


def policy(forward, backward, logits):
    logprob, entropy, lse = forward(logits, IDS)
    ones = ONES.astype(logits.dtype)
    return logprob, entropy, lse, backward(logits.copy(), IDS, lse, entropy, ones, ones)


@pytest.mark.parametrize("job, forward, backward", [(next_token, cross_entropy_forward, cross_entropy_backward),
                                                    (policy, categorical_forward, categorical_backward)])
def test_next_token_and_policy(job, forward, backward):
    exact = job(forward.plain, backward.plain, LOGITS.astype(np.float64))
    for pair in zip(rungs(forward), rungs(backward), strict=True):
        assert_close(job(*pair, LOGITS), exact)


def test_sampling():
    exact = np.exp(LOGITS - LOGITS.max(axis=1, keepdims=True).astype(np.float64))
    exact /= exact.sum(axis=1, keepdims=True)
    assert_close([next_token_probs(LOGITS)], [exact])
    places = (np.argmax(np.cumsum(exact, axis=1) > u, axis=1) for u in (0.01, 0.49, 0.99))
    for u, expected in zip((0.01, 0.49, 0.99), places):
        for rung in rungs(categorical_draw):
            assert (rung(LOGITS, u * ONES, 1.0) == expected).all()


def test_ranking():
    scores = np.array([[LARGE, -LARGE, 0], [-LARGE, LARGE, 1], [LARGE, LARGE, LARGE - 1]], np.float32)
    ranks = np.array([[1, 2, 3], [1, 2, 3], [2, 1, 3]])
    both = [ranking_forward(x, ranks) for x in (scores, scores.astype(np.float64))]
    assert_close([both[0][0], ranking_backward(1.0, both[0][1])], [both[1][0], ranking_backward(1.0, both[1][1])])


def test_value():
    values, returns = LOGITS[:, 0], LOGITS[::-1, 1]
    both = [value_forward(values.astype(kind), returns.astype(kind), ONES) for kind in (np.float32, np.float64)]
    assert_close([both[0][0], value_backward(1.0, both[0][1])], [both[1][0], value_backward(1.0, both[1][1])])


def test_attention():
    """Whole numbers, so that float32 holds each score exactly: from -10,000 to 10,000."""
    T, D = 37, 16
    q = RNG.integers(-25, 26, (1, T, 2, D)).astype(np.float32)
    k = RNG.integers(-100, 101, (1, T, 1, D)).astype(np.float32)
    q[..., 0], k[..., 0] = 200, RNG.choice([-200, 200], (1, T, 1))
    v, dout = RNG.standard_normal((2, 1, T, 1, D)).astype(np.float32)[0], RNG.standard_normal(q.shape).astype(np.float32)
    first = np.zeros((1, T), np.int32)

    def run(forward, backward, decode, *arrays):
        q, k, v, dout = arrays
        out, lse = forward(q, k, v, first)
        keys, values = (np.zeros((1, 1, T, D), q.dtype) for _ in range(2))
        keys[0, 0, :-1], values[0, 0, :-1] = k[0, :-1, 0], v[0, :-1, 0]
        new = attention_alone(q[:, -1], k[:, -1], v[:, -1], keys, values, first[:, 0].copy(), T - 1, decode)
        return out, lse, new, *backward(dout, q, k, v, out, lse, first)
    kernels = attention_forward, attention_backward, block_decode
    exact = run(*(kernel.plain for kernel in kernels), *(x.astype(np.float64) for x in (q, k, v, dout)))
    forwards, backwards, (decode, plain) = map(rungs, kernels)
    for chosen in zip(forwards, backwards, (decode, plain, decode), strict=True):
        found = run(*chosen, q, k, v, dout)
        assert_close(found[:3], exact[:3])
        # A gradient multiplies keys and queries of 200 by differences that float32 rounds at 1e-7.
        for mine, true in zip(found[3:], exact[3:], strict=True):
            np.testing.assert_allclose(mine, true, rtol=1e-6, atol=200 * 1e-5)
