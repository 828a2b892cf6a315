"""The last block works for the wanted tokens alone: the same vectors and gradients, from fewer products."""

from functools import partial

import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.evaluate.next_words import next_probs
from minillm.layers.rows import counted, gather, last_of_each, scatter
from minillm.model.adapter import attach, new_adapter
from minillm.model.heads import scalar_head_init
from minillm.model.scoring import token_logprobs
from minillm.model.transformer import transformer_backward, transformer_forward
from minillm.objectives.next_token import next_token_objective
from minillm.objectives.policy import policy_objective
from minillm.objectives.ranking import ranking_objective
from minillm.phases.reward import RankingBatch
from minillm.phases.rlhf import RLHFConfig
from minillm.phases.rollout import Rollout
from minillm.training.tracing import traced

B, T = tiny.visible_from_of_each_kind().shape
LAST = np.array([6, 6, 5, 3])       # the third row is padded on the left, the fourth on the right
WANTED = {"targets": lambda batch: counted(batch.weights), "last of each row": lambda batch: last_of_each(LAST, T),
          "all": lambda batch: np.arange(B * T)}


def assert_equals_the_whole_pass(params, config, wanted, close, recompute=False, precision="float32"):
    """h and gradients with `wanted` against those of all tokens, of which the others get a gradient of 0."""
    batch = tiny.batch(config)
    run = partial(transformer_forward, batch.tokens, params, config, batch.positions, batch.visible_from, recompute, precision)
    (whole, all_cache), (h, cache) = run(), run(wanted)
    assert whole.shape == (B, T, config.width) and h.shape == (wanted.size, config.width)
    np.testing.assert_allclose(h, whole.reshape(B * T, -1)[wanted], rtol=0, atol=close)
    assert cache.balance == all_cache.balance
    d_whole = np.zeros_like(whole)
    dh = np.random.default_rng(5).standard_normal(h.shape).astype(h.dtype)
    d_whole.reshape(B * T, -1)[wanted] = dh
    expected, grads = (transformer_backward(*each, d_balance=0.3) for each in ((d_whole, all_cache), (dh, cache)))
    for (name, one), (_, two) in zip(tree.named_leaves(grads), tree.named_leaves(expected), strict=True):
        np.testing.assert_allclose(one, two, rtol=0, atol=close * max(1, np.abs(two).max()), err_msg=name)


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("which", WANTED)
@pytest.mark.parametrize("preset", ["llama", "gpt2", "gpt3", "untied", "experts"])
def test_vectors_and_gradients_are_those_of_the_whole_pass(preset, which, recompute):
    config = tiny.config(preset)
    assert_equals_the_whole_pass(tiny.params(config), config, WANTED[which](tiny.batch(config)), 1e-12, recompute)


@pytest.mark.parametrize("preset", ["llama", "gpt2"])
def test_vectors_and_gradients_beside_an_adapter_are_those_of_the_whole_pass(preset):
    config, rng = tiny.config(preset), np.random.default_rng(4)
    params = tiny.params(config)
    adapter = new_adapter(params, 3, 7.0, "all", rng)
    adapter = adapter._replace(params=tree.tree_map(lambda leaf: 0.2 * rng.standard_normal(leaf.shape), adapter.params))
    assert_equals_the_whole_pass(attach(params, adapter), config, counted(tiny.batch(config).weights), 1e-12)


@pytest.mark.parametrize("preset", ["llama", "gpt2"])
def test_rounded_factors_are_those_of_the_whole_pass(preset):
    """Sums of float32 in another order: in bfloat16 a sum that lies on an edge may then be rounded to the other side."""
    config = tiny.config(preset)
    params, wanted = tiny.params(config, dtype=np.float32), counted(tiny.batch(config).weights)
    assert_equals_the_whole_pass(params, config, wanted, 1e-2, precision="bfloat16")


def test_where_all_are_wanted_nothing_is_copied():
    h = np.zeros((B, T, 5))
    rows = gather(h, np.arange(B * T))
    assert rows.shape == (B * T, 5) and np.shares_memory(rows, h) and gather(h, None) is h
    assert np.shares_memory(scatter(rows, np.arange(B * T), h.shape), h) and np.shares_memory(scatter(h, None, h.shape), h)


# ---- wiring: who reads few tokens has few computed

def with_heads(model):
    """The parameters of a model and of both heads."""
    rng, width = np.random.default_rng(3), model.config.width
    return {"model": model.params, "reward_head": scalar_head_init(rng, width, False),
            "value_head": scalar_head_init(rng, width, True)}


def next_token(params, config, batch, recompute):
    next_token_objective(params["model"], batch, config, recompute)
    return np.count_nonzero(batch.weights)


def policy(params, config, batch, recompute):
    tokens, targets, mask, *places = batch
    settings = RLHFConfig(recompute=recompute, kl_form="loss")
    policy_objective(params, Rollout(tokens, targets, mask, *places, *np.zeros((4, B, T), np.float32)), config, settings)
    return np.count_nonzero(mask)


def reward(params, config, batch, recompute):
    tokens, _, _, *places = batch
    ranking_objective(params, RankingBatch(tokens, *places, LAST, np.array([[1, 2], [2, 1]])), config, recompute)
    return B


def scoring(params, config, batch, recompute):
    token_logprobs(params["model"], config, batch)
    return np.count_nonzero(batch.weights)


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("consumer", [next_token, policy, reward, scoring])
@pytest.mark.parametrize("preset", ["llama", "gpt2"])
def test_the_last_block_has_few_rows_after_attention(preset, consumer, recompute):
    """Else the vectors would be right and the saving lost."""
    model, counts = tiny.model(preset), []
    config, params, batch = model.config, with_heads(model), tiny.batch(model.config)
    rows = traced(lambda: counts.append(consumer(params, config, batch, recompute)), params["model"])
    assert 0 < counts[0] < B * T
    size_of = {}
    for row in rows:
        size_of.setdefault(row.name, set()).add(int(np.prod(row.shape[:-1])))
    for way in ("forward",) if consumer is scoring else ("forward", "backward"):
        for name in ("linear_{} blocks.{}.attention.output", "norm_{} blocks.{}.norm2",
                     "linear_{} blocks.{}.feed_forward.up", "linear_{} blocks.{}.feed_forward.down"):
            assert [size_of[name.format(way, block)] for block in (0, 1)] == [{B * T}, {counts[0]}], name
        assert size_of[f"linear_{way} blocks.1.attention.key"] == {B * T}
        assert size_of[f"norm_{way} norm"] == {counts[0]}


def test_next_words_are_read_off_the_last_tokens():
    model, prompts = tiny.model(), tiny.prompts()
    rows = traced(lambda: next_probs(model, prompts), model.params)
    assert [row.shape for row in rows if row.name == "linear_forward blocks.1.feed_forward.down"] == [(len(prompts), 60)]
    for probs, prompt in zip(next_probs(model, prompts), prompts):
        np.testing.assert_allclose(probs, model.predict_next(prompt).probs, rtol=0, atol=1e-5)
