"""Reading a prompt keeps keys and values alone; the tables of angles are made once."""

import weakref

import numpy as np
import pytest
import tiny

from minillm.layers import rotary
from minillm.model import decoding, size
from minillm.model.decoding import generate_tokens, pick, prefill


def arrays_of(part):
    """All arrays in nested tuples, but those of the parameters, which are in dicts; of views, the array behind."""
    if isinstance(part, np.ndarray):
        while isinstance(part.base, np.ndarray):
            part = part.base
        yield part
    elif isinstance(part, tuple):
        for each in part:
            yield from arrays_of(each)


@pytest.mark.parametrize("preset", ["llama", "gpt2"])
def test_a_block_is_dropped_before_the_next_one_begins(preset, monkeypatch):
    model, before, forward = tiny.model(preset, layers=3), [], decoding.block_forward

    def block_forward(x, *rest, **wanted):
        root, = arrays_of(x)
        assert all(ref() is None or ref() is root for ref in before), "a block before still holds its activations"
        y, cache = forward(x, *rest, **wanted)
        before[:] = [weakref.ref(array) for array in arrays_of(tuple(cache)) if array.dtype == np.float32]
        return y, cache
    tokens = np.array([tiny.prompts()[1]])
    prefill(model.params, model.config, tokens, np.zeros(1, np.int32), 20)      # numba holds arguments while it compiles
    monkeypatch.setattr(decoding, "block_forward", block_forward)
    logits, layers = prefill(model.params, model.config, tokens, np.zeros(1, np.int32), 20)
    assert len(before) > 3 and len(layers) == 3
    np.testing.assert_allclose(logits[0], model.logits(tokens[0])[-1], rtol=0, atol=1e-5)


def test_the_last_block_goes_on_with_the_last_tokens_alone(monkeypatch):
    model, outputs, forward = tiny.model(layers=3), [], decoding.block_forward

    def block_forward(*args, **wanted):
        y, cache = forward(*args, **wanted)
        outputs.append(y.shape)
        return y, cache
    monkeypatch.setattr(decoding, "block_forward", block_forward)
    prefill(model.params, model.config, np.ones((2, 5), np.int32), np.zeros(2, np.int32), 9)
    assert outputs == [(2, 5, model.config.width)] * 2 + [(2, model.config.width)]


def test_rows_of_the_cache_are_picked_layer_by_layer():
    layers = [(np.arange(4.0)[:, None] + layer, -np.arange(4.0)[:, None]) for layer in range(3)]
    first, same = weakref.ref(layers[0][0]), layers
    pick(layers, np.array([2, 2, 0]))
    assert first() is None and same is layers
    assert [keys[:, 0].tolist() for keys, _ in layers] == [[2 + i, 2 + i, i] for i in range(3)]
    assert all(values[:, 0].tolist() == [-2, -2, 0] for _, values in layers)


def test_the_estimate_counts_one_block_of_the_prompt():
    shape = tiny.config(layers=2)
    deep = tiny.config(layers=20)
    cache = 2 * shape.kv_heads * shape.head_size * size.FLOAT * 100
    more = size.decoding_bytes(deep, 1, 1, 100, 100) - size.decoding_bytes(shape, 1, 1, 100, 100)
    assert more == 18 * cache


def test_a_table_of_angles_is_made_once_for_each_power_of_two(monkeypatch):
    """Decoding asks for one position more with every token."""
    made, cosine = [], np.cos
    monkeypatch.setattr(rotary.np, "cos", lambda angle: made.append(len(angle)) or cosine(angle))
    for length in range(1, 70):
        cos, sin = rotary.rotary_table(length, 8, 321.5, np.float32)
        assert length <= len(cos) == len(sin) < 2 * length
    assert made == [1, 2, 4, 8, 16, 32, 64, 128]


def test_equal_prompts_share_one_reading_and_keep_their_order():
    model, prompts = tiny.model(), tiny.prompts()
    asked = [prompts[i] for i in (1, 0, 1, 3, 0)]
    settings = dict(end_id=-1, pad_id=0, max_new_tokens=4, temperature=0.0)
    together = generate_tokens(model.params, model.config, asked, np.random.default_rng(0), **settings)
    for prompt, answer in zip(asked, together, strict=True):
        alone, = generate_tokens(model.params, model.config, [prompt], np.random.default_rng(0), **settings)
        assert alone.tolist() == answer.tolist()
