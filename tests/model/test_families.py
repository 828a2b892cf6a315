"""What windows and experts are for: who sees whom, who works on what, and how evenly."""

import json
from functools import partial

import numpy as np
import pytest
import tiny

import minillm
from minillm import tree
from minillm.config import MODELS, ModelConfig, as_dict, updated
from minillm.formats.config_json import from_json, to_json
from minillm.formats.families import family
from minillm.formats.tensors import write_tensors
from minillm.layers.experts import experts_forward, experts_init
from minillm.model import size
from minillm.model.decoding import generate_tokens
from minillm.model.transformer import one_document, transformer_forward, visible_in
from minillm.objectives.next_token import next_token_objective
from minillm.text.batches import micro_batches
from minillm.training.loop import accumulate


# Windows

def test_every_second_block_has_the_window():
    config, seen = tiny.config(window=3), tiny.visible_from_of_each_kind()
    assert visible_in(0, seen, config) is seen and visible_in(2, seen, config) is seen
    for layer in (1, 3):
        narrow = visible_in(layer, seen, config)
        for t in range(seen.shape[1]):
            assert (visible_in(layer, seen[:, t], config, t) == narrow[:, t]).all(), "decoding, a token at a time"
        assert narrow.dtype == np.int32 and (np.diff(narrow, axis=1) >= 0).all(), "kernels rely on both"
        for (b, t), first in np.ndenumerate(seen):
            keys = {s for s in range(first, t + 1) if t - s < 3}
            assert set(range(narrow[b, t], t + 1)) == keys
    assert visible_in(1, seen, tiny.config()) is seen


def reach(config, T=12):
    """For each layer's worth of depth: which tokens the vector of the last one depends on."""
    rng = np.random.default_rng(0)
    params, tokens = tiny.params(config), rng.integers(0, config.vocab_size, (1, T)).astype(np.int32)
    base = transformer_forward(tokens, params, config, *one_document(tokens))[0][0, -1]
    found = set()
    for t in range(T):
        other = tokens.copy()
        other[0, t] = (other[0, t] + 1) % config.vocab_size
        if (transformer_forward(other, params, config, *one_document(other))[0][0, -1] != base).any():
            found.add(t)
    return found


@pytest.mark.parametrize("preset", ["gpt3", "window and rope"])
def test_a_window_hides_nothing_that_a_dense_block_sees(preset):
    """Dense first: its block sees all. Alone, with the mask of the other block, a token reaches its window."""
    config = tiny.config(preset)
    assert reach(config) == set(range(12))
    first = visible_in(1, np.zeros((1, 12), np.int32), config)
    one = tiny.config(preset, layers=1)
    params, tokens = tiny.params(one), np.arange(12, dtype=np.int32)[None]
    positions, _ = one_document(tokens)
    base = transformer_forward(tokens, params, one, positions, first)[0][0, -1]
    for t in range(12):
        other = tokens.copy()
        other[0, t] = 12
        moved = (transformer_forward(other, params, one, positions, first)[0][0, -1] != base).any()
        assert moved == (t >= 12 - config.window), t


def test_a_window_as_wide_as_the_context_changes_nothing():
    wide, plain = tiny.model("gpt2", window=32), tiny.model("gpt2")
    for prompt in tiny.prompts():
        assert wide.logits(prompt).tobytes() == plain.logits(prompt).tobytes()


@pytest.mark.parametrize("preset", ["gpt3", "window and rope", "experts", "one expert of three, gelu, bias, window"])
def test_the_cache_gives_what_a_pass_over_the_whole_gives_to_the_end_of_the_context(preset):
    """Long enough that every window has left the prompt, in rows that began at different columns."""
    model = tiny.model(preset)
    settings = dict(end_id=-1, pad_id=0, max_new_tokens=40, temperature=0.0)
    prompts = tiny.prompts()
    for prompt, new in zip(prompts, generate_tokens(model.params, model.config, prompts, np.random.default_rng(0), **settings)):
        whole = np.concatenate([prompt, new])
        assert len(whole) == model.config.context
        scores = model.logits(whole[:-1])[len(prompt) - 1:]
        second, best = np.sort(scores, axis=1)[:, -2:].T
        assert ((scores.argmax(axis=1) == new) | (best - second < 1e-4)).all()


# Experts

def experts_of(E, dtype=np.float64, **changes):
    config, rng = tiny.config("experts", experts=E, **changes), np.random.default_rng(1)
    return config, tiny.lively(experts_init(rng, config, 1.0), rng, dtype)


def test_a_token_gets_the_weighted_outputs_of_its_best_experts():
    """Against one token at a time, written out."""
    config, params = experts_of(5)
    x, residual = np.random.default_rng(0).standard_normal((2, 4, 7, 60))
    y, cache = experts_forward(x, params, 2, residual=residual)
    for b, t in np.ndindex(4, 7):
        scores = params["router"]["weight"] @ x[b, t]
        best = np.argsort(-scores)[:2]
        weights = np.exp(scores[best]) / np.exp(scores[best]).sum()
        expected = residual[b, t].copy()
        for e, weight in zip(best, weights):
            up, gate, down = (params["experts"][e][name]["weight"] for name in ("up", "gate", "down"))
            z = gate @ x[b, t]
            expected += weight * (down @ (z / (1 + np.exp(-z)) * (up @ x[b, t])))
        np.testing.assert_allclose(y[b, t], expected, rtol=1e-12, atol=1e-12)
        assert cache.chosen[b * 7 + t].tolist() == best.tolist()


def test_a_tokens_output_does_not_depend_on_the_others():
    """No expert has a limit of tokens, so none is dropped."""
    _, params = experts_of(3)
    x = np.random.default_rng(0).standard_normal((40, 60))
    params["router"]["weight"][0] = 0
    x[:, 0], params["router"]["weight"][0, 0] = 9.0, 9.0        # all choose expert 0
    together, cache = experts_forward(x, params, 1)
    assert cache.work[0].tokens.size == 40 and cache.work[1] is None
    for i in (0, 17, 39):
        np.testing.assert_allclose(experts_forward(x[i:i + 1], params, 1)[0][0], together[i], rtol=1e-12)


def test_as_many_experts_as_all_of_one_kind_are_one_feed_forward():
    """Equal experts: their weights sum to 1, so the choice does not matter."""
    model, rng = tiny.model("llama"), np.random.default_rng(0)
    same = tiny.model("experts", experts=4)
    same.params["blocks"] = [{**block, "feed_forward": {"router": other["feed_forward"]["router"],
                                                        "experts": [block["feed_forward"]] * 4}}
                             for block, other in zip(model.params["blocks"], same.params["blocks"])]
    same.params.update({name: model.params[name] for name in ("embedding", "norm")})
    prompt = rng.integers(6, model.config.vocab_size, 20)
    np.testing.assert_allclose(same.logits(prompt), model.logits(prompt), rtol=0, atol=1e-5)


def test_the_balancing_loss_is_one_where_all_are_used_alike_and_e_where_one_is():
    config, params = experts_of(4)
    x, seen = np.random.default_rng(0).standard_normal((1, 8, 60)), np.zeros((1, 8), np.int32)
    params["router"]["weight"][:] = 0
    x[:, :, 0] = 1
    params["router"]["weight"][2, 0] = 50.0
    assert experts_forward(x, params, 1, seen)[1].balance == pytest.approx(4)
    params["router"]["weight"][:, 0] = 0
    for e in range(4):                  # two tokens choose each, all of them surely
        x[:, :, e + 1] = np.arange(8) // 2 == e
        params["router"]["weight"][e, e + 1] = 50.0
    assert experts_forward(x, params, 1, seen)[1].balance == pytest.approx(1)
    hidden = np.where(np.arange(8) < 6, 0, 8).astype(np.int32)[None]        # pads of the last expert: it is not used
    cache = experts_forward(x, params, 1, hidden)[1]
    assert cache.even.share.tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])


def test_pads_neither_move_the_balance_nor_its_gradient():
    config = tiny.config("experts", balance=1.0)
    params, batch = tiny.params(config), tiny.batch(config)
    alone = next_token_objective(params, type(batch)(*(field[2:3] for field in batch)), config)     # padded left by 2
    cut = next_token_objective(params, batch._replace(**{
        name: getattr(batch, name)[2:3, 2:] for name in batch._fields if name != "visible_from"},
        visible_from=batch.visible_from[2:3, 2:] - 2), config)
    assert alone.metrics["balance"] == pytest.approx(cut.metrics["balance"], rel=1e-12)
    assert alone.loss == pytest.approx(cut.loss, rel=1e-12)
    for (name, one), (_, two) in zip(tree.named_leaves(alone.grads), tree.named_leaves(cut.grads), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("preset", ["gpt3", "experts"])
def test_micro_batches_add_up(preset):
    """Without its balancing loss, exactly; with it, each part balances its own tokens."""
    config = tiny.config(preset, balance=0.0)
    params, batch = tiny.params(config), tiny.batch(config)
    objective = partial(next_token_objective, config=config)
    whole, parts = objective(params, batch), accumulate(objective, params, micro_batches(batch, 4))
    assert whole.loss == pytest.approx(parts.loss, rel=1e-12)
    for (name, one), (_, two) in zip(tree.named_leaves(whole.grads), tree.named_leaves(parts.grads), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-12, err_msg=name)
    if config.experts:
        balanced = partial(next_token_objective, config=tiny.config(preset, balance=0.5))
        found = accumulate(balanced, params, micro_batches(batch, 4))
        assert found.loss == pytest.approx(parts.loss + 0.5 * 2 * found.metrics["balance"], rel=1e-12)


# Files

def test_a_dense_model_has_the_files_that_it_had_before_there_were_windows_and_experts():
    assert not {"window", "experts", "active_experts", "balance"} & (as_dict(ModelConfig()).keys()
                                                                       | to_json(tiny.config())["minillm"].keys())
    assert list(to_json(tiny.config())["minillm"])[-2:] == ["rope_theta", "rope_layout"]


@pytest.mark.parametrize("name,changes,expected", [
    ("llama", {}, "llama"), ("llama2", {}, "llama"), ("gpt2", {}, "gpt2"), ("moe", {}, "mixtral"), ("moe", {"experts": 0}, "llama"),
    ("moe", {"window": 4}, "minillm"), ("gpt2", {"experts": 3}, "minillm"), ("gpt3", {}, "minillm"),
    ("gpt3", {"window": 0}, "gpt2"), ("gpt2", {"qkv_bias": False}, "minillm"),
    ("gpt3", {"qkv_bias": False}, "minillm"),                                                           # D = 32
    ("gpt3", {"qkv_bias": False, "heads": 8, "kv_heads": 8}, "gpt_neo"),                                # D = 16
    ("gpt3", {"qkv_bias": False, "heads": 8, "kv_heads": 4}, "minillm")])
def test_the_family_in_whose_format_a_preset_is_written(name, changes, expected):
    config = updated(MODELS[name], {"vocab_size": 400, **changes})
    assert family(config) == expected and from_json(to_json(config)) == config
    section = to_json(config)["minillm"]
    assert ("window" in section, "experts" in section) == (config.window > 0, config.experts > 0)


@pytest.mark.parametrize("preset", ["experts", "gpt_neo", "llama"])
def test_a_folder_under_minillms_own_names_is_read_whatever_its_parts(preset, tmp_path):
    """As runs with experts were written before they had a family."""
    model = tiny.model(preset)
    model.save(tmp_path / "model")
    write_tensors(tmp_path / "model" / "model.safetensors", dict(tree.named_leaves(model.params)))
    data = {"model_type": "minillm", "minillm": to_json(model.config)["minillm"]}
    (tmp_path / "model" / "config.json").write_text(json.dumps(data), encoding="utf-8")
    (tmp_path / "model" / "SHA256SUMS").unlink()
    tree.tree_map(np.testing.assert_array_equal, minillm.load(tmp_path / "model").params, model.params)


def test_queries_keys_and_values_without_biases():
    config = tiny.config("gpt_neo")
    params = tiny.params(config)
    assert tree.count(params) == size.parameters(config)
    attention = params["blocks"][1]["attention"]
    assert [name for name in attention if "bias" in attention[name]] == ["output"] and "bias" in params["blocks"][1]["norm1"]


@pytest.mark.parametrize("changes,said", [({"experts": 1}, "experts is 1, fewer than active_experts, which is 2"),
                                          ({"experts": 4, "active_experts": 5}, "fewer than active_experts"),
                                          ({"active_experts": 0}, "active_experts is 0"), ({"window": -1}, "window is -1"),
                                          ({"balance": -0.1}, "balance is -0.1")])
def test_what_makes_no_sense_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        ModelConfig(**changes)
