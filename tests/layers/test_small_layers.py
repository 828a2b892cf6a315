"""Embedding, linear layer, norms and feed-forward against their definitions."""

import numpy as np
import pytest
import tiny

from minillm.layers.embedding import embedding_backward, embedding_forward
from minillm.layers.feed_forward import feed_forward_forward, feed_forward_init
from minillm.layers.linear import linear_forward
from minillm.layers.norm import norm_backward, norm_forward

RNG = np.random.default_rng(0)
X = RNG.standard_normal((4, 7, 60))
GAIN, BIAS = 1 + 0.1 * RNG.standard_normal(60), RNG.standard_normal(60)


def test_linear_layer_is_a_product_with_the_transpose():
    weight, bias = RNG.standard_normal((11, 60)), RNG.standard_normal(11)
    y, _ = linear_forward(X, {"weight": weight, "bias": bias})
    np.testing.assert_allclose(y, X @ weight.T + bias, rtol=0, atol=1e-12)


def test_rmsnorm():
    y, _ = norm_forward(X, {"gain": GAIN}, "rmsnorm", 1e-5)
    np.testing.assert_allclose(y, GAIN * X / np.sqrt((X ** 2).mean(-1, keepdims=True) + 1e-5), atol=1e-12)


@pytest.mark.parametrize("bias", [None, BIAS])
def test_layernorm_uses_the_biased_variance(bias):
    params = {"gain": GAIN} if bias is None else {"gain": GAIN, "bias": bias}
    y, _ = norm_forward(X, params, "layernorm", 1e-5)
    expected = GAIN * (X - X.mean(-1, keepdims=True)) / np.sqrt(X.var(-1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(y, expected + (0 if bias is None else bias), atol=1e-12)


def test_layernorm_of_a_large_offset_keeps_its_digits():
    """var = mean(x^2) - mean(x)^2 cancels: at an offset of 1e4, float32 then has no digit left."""
    x = X.astype(np.float32) + np.float32(1e4)
    params = {"gain": np.ones(60, np.float32)}
    wide, _ = norm_forward(x.astype(np.float64), {"gain": np.ones(60)}, "layernorm", 1e-5)
    np.testing.assert_allclose(norm_forward(x, params, "layernorm", 1e-5)[0], wide, atol=2e-3)


@pytest.mark.parametrize("kind", ["rmsnorm", "layernorm"])
def test_no_gradient_along_what_the_norm_removes(kind):
    _, cache = norm_forward(X, {"gain": GAIN}, kind, 0.0)
    dx, _ = norm_backward(RNG.standard_normal(X.shape), cache)
    centered = X - X.mean(-1, keepdims=True) if kind == "layernorm" else X
    assert np.abs((dx * centered).sum(-1)).max() < 1e-12
    if kind == "layernorm":
        assert np.abs(dx.sum(-1)).max() < 1e-12


def test_feed_forward_definitions():
    for kind in ("gelu", "swiglu"):
        params = tiny.lively(feed_forward_init(RNG, tiny.config(activation=kind), 1.0), RNG)
        y, _ = feed_forward_forward(X, params)
        up = X @ params["up"]["weight"].T
        if kind == "gelu":
            hidden = 0.5 * up * (1 + np.tanh(np.sqrt(2 / np.pi) * (up + 0.044715 * up ** 3)))
        else:
            gate = X @ params["gate"]["weight"].T
            hidden = gate / (1 + np.exp(-gate)) * up
        np.testing.assert_allclose(y, hidden @ params["down"]["weight"].T, rtol=0, atol=1e-12)


def test_embedding_adds_up_the_gradients_of_a_token_that_occurs_twice():
    ids = np.array([[3, 5, 3]], np.int32)
    _, cache = embedding_forward(ids, RNG.standard_normal((13, 60)))
    dy = RNG.standard_normal((1, 3, 60))
    dtable = embedding_backward(dy, cache)
    np.testing.assert_allclose(dtable[3], dy[0, 0] + dy[0, 2], atol=1e-15)
    assert not dtable[[i for i in range(13) if i not in (3, 5)]].any()


@pytest.mark.parametrize("wrong", [-1, 13])
def test_an_id_outside_the_table_is_refused_by_name_and_place(wrong):
    ids = np.zeros((2, 3), np.int32)
    ids[1, 2] = wrong
    with pytest.raises(ValueError, match=rf"id {wrong} at \[1, 2\] .* 13 rows"):
        embedding_forward(ids, np.zeros((13, 60)))
