"""Who sees whom: causality, padding, grouped heads."""

import numpy as np
import pytest
import tiny

from minillm.config import ModelConfig
from minillm.layers.attention import attention_backward, attention_forward, attention_init
from minillm.text.batches import positions_from

B, T, C = 4, 7, 60
VISIBLE_FROM = tiny.visible_from_of_each_kind()
SEES_NOTHING = VISIBLE_FROM > np.arange(T)


def setting(**changes):
    config, rng = tiny.config(**changes), np.random.default_rng(0)
    return config, tiny.lively(attention_init(rng, config, 1.0), rng), rng.standard_normal((B, T, C))


def forward(x, params, config, visible_from=VISIBLE_FROM):
    return attention_forward(x, params, config, positions_from(visible_from), visible_from)


def test_a_row_that_sees_nothing_gives_zero_and_learns_nothing():
    """A softmax over nothing is 0 / 0: elsewhere such rows became NaN, or attended to everything."""
    config, params, x = setting()
    y, cache = forward(x, params, config)
    assert (y[SEES_NOTHING] == 0).all() and (y[~SEES_NOTHING] != 0).any(axis=-1).all()
    dy = np.where(SEES_NOTHING[..., None], np.random.default_rng(1).standard_normal(y.shape), 0)
    dx, grads = attention_backward(dy, cache)
    assert not dx.any()
    assert not any(grads[name]["weight"].any() for name in ("query", "key", "value"))


@pytest.mark.parametrize("preset", ["llama", "gpt2"])
def test_nan_at_a_masked_place_does_not_leak(preset):
    """0 * NaN is NaN: masking by multiplication lets one bad pad spoil the batch."""
    config, params, x = setting(preset=preset, bias=False)
    clean, _ = forward(x, params, config)
    spoiled = np.where(SEES_NOTHING[..., None], np.nan, x)
    np.testing.assert_array_equal(forward(spoiled, params, config)[0], clean)


def test_the_future_cannot_be_seen():
    config, params, x = setting()
    whole, _ = forward(x, params, config, np.zeros((B, T), np.int32))
    for t in range(1, T):
        cut, _ = forward(np.ascontiguousarray(x[:, :t]), params, config, np.zeros((B, t), np.int32))
        np.testing.assert_allclose(cut, whole[:, :t], rtol=0, atol=1e-12)


def test_packed_documents_do_not_see_each_other():
    config, params, x = setting()
    packed, _ = forward(x, params, config)
    for part in (slice(0, 3), slice(3, 7)):
        alone, _ = forward(np.ascontiguousarray(x[1:2, part]), params, config,
                           np.zeros((1, part.stop - part.start), np.int32))
        np.testing.assert_allclose(packed[1, part], alone[0], rtol=0, atol=1e-12)


def test_grouped_heads_are_full_heads_that_share():
    """Query head h reads key/value head h // (H / G); an interleaved order would train, and load wrongly."""
    config, params, x = setting()
    shared, _ = forward(x, params, config)
    copies = config.heads // config.kv_heads
    repeated = dict(params)
    for name in ("key", "value"):
        weight = params[name]["weight"].reshape(config.kv_heads, config.head_size, C)
        repeated[name] = {"weight": np.repeat(weight, copies, axis=0).reshape(-1, C)}
    full = tiny.config("a key for each head")
    np.testing.assert_allclose(forward(x, repeated, full)[0], shared, rtol=0, atol=1e-12)


def test_the_output_begins_as_the_transposed_values_of_each_heads_group():
    config = ModelConfig(vocab_size=9, width=24, heads=4, kv_heads=2)
    params = attention_init(np.random.default_rng(0), config, 0.5)
    values = params["value"]["weight"].reshape(2, 6, 24)                # (G, D, C)
    for head in range(4):
        mine = params["output"]["weight"][:, 6 * head:6 * head + 6]     # (C, D)
        np.testing.assert_array_equal(mine, np.float32(0.5) * values[head // 2].T)
    read = np.random.default_rng(1).standard_normal(24).astype(np.float32)
    written = sum(params["output"]["weight"][:, 6 * head:6 * head + 6] @ (values[head // 2] @ read) for head in range(4))
    assert written @ read > 0.3 * np.linalg.norm(written) * np.linalg.norm(read)    # it points the way of what was read
