"""What surprises the base model, and where a head looks."""

import numpy as np
import pytest
import tiny

from minillm.report.reading import attention_map, attention_weights, looks_back, surprise

TEXT = "a cat and a dog met."


@pytest.fixture(scope="module")
def model():
    return tiny.model()


def test_surprise_is_the_negative_logarithm_of_each_tokens_probability(model):
    found, ids = surprise(model, TEXT), model.prompt_ids(TEXT)
    assert "".join(token["text"] for token in found) == TEXT
    for t in (0, 5, len(ids) - 2):
        probs = model.predict_next(ids[:t + 1]).probs
        assert found[t]["nats"] == pytest.approx(-np.log(probs[ids[t + 1]]), rel=1e-4)
        assert found[t]["p"] == pytest.approx(probs.max(), rel=1e-4)
        assert found[t]["likeliest"] == model.tokenizer.decode([probs.argmax()], controls=True)


def test_texts_that_cannot_be_read_give_nothing(model):
    assert surprise(model, "Ä") is None and surprise(model, "") is None
    assert attention_map(model, "Ä") is None and attention_map(model, "ca") is None
    assert len(surprise(model, TEXT * 9)) == model.config.context - 1


@pytest.mark.parametrize("preset", ["llama", "gpt2", "one key for all heads", "window and rope"])
def test_attention_weights_are_what_the_layer_averages_with(preset):
    from minillm.layers.attention import attention_forward
    from minillm.layers.norm import norm_forward
    from minillm.model.transformer import embed, one_document

    model, block = tiny.model(preset), 0
    ids = model.prompt_ids(TEXT)[None]
    weights = attention_weights(model, ids[0])
    assert weights.shape == (model.config.layers, model.config.heads, ids.size, ids.size)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-5)
    assert np.all(np.triu(weights, 1) == 0)
    params, (positions, visible_from) = model.params["blocks"][block], one_document(ids)
    x = embed(ids, model.params["embedding"], positions)[0]
    n, _ = norm_forward(x, params["norm1"], model.config.norm, model.config.norm_eps)
    _, cache = attention_forward(n, params["attention"], model.config, positions, visible_from)
    v = np.repeat(cache.v[0], model.config.heads // model.config.kv_heads, axis=1)
    np.testing.assert_allclose(np.einsum("hts,shd->thd", weights[block], v), cache.out[0], rtol=1e-3, atol=1e-5)


def test_a_head_that_looks_back_counts_no_start_no_neighbour_and_not_itself():
    weights = np.zeros((1, 4, 6, 6))
    for t in range(6):
        weights[0, 0, t, 0] = weights[0, 1, t, t] = weights[0, 2, t, max(t - 1, 0)] = 1
        weights[0, 3, t, 1 if t >= 3 else 0] = 0.5
    np.testing.assert_allclose(looks_back(weights), [[0, 0, 0, 0.5]])


def test_the_map_is_that_of_the_head_that_looks_back_most(model):
    found, ids = attention_map(model, TEXT), model.prompt_ids(TEXT)[:21]
    weights = attention_weights(model, ids)
    chosen = weights[found["block"] - 1, found["head"] - 1]
    assert found["share"] == pytest.approx(looks_back(weights).max())
    assert looks_back(chosen[None, None])[0, 0] == pytest.approx(found["share"])
    assert found["tokens"][:3] == ["(start)", "a", " "] and [len(row) for row in found["weights"]] == list(range(1, 22))
    np.testing.assert_allclose(found["weights"][5], chosen[5, :6], atol=1e-4)
