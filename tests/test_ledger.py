"""The gradient ledger: every parameter of every layer, model and objective against central differences.

All in float64, under random upstream gradients, to a relative error of 1e-7. The batch holds a plain row,
a packed one, one padded left and one padded right; all sizes differ.
"""

from functools import partial

import numpy as np
import pytest
import tiny
from gradcheck import gradcheck

from minillm import tree
from minillm.phases.rlhf import RLHFConfig
from minillm.kernels.categorical import categorical_backward, categorical_forward
from minillm.layers import (attention, block, embedding, experts, feed_forward, linear, lora, norm,
                            rotary)
from minillm.losses import next_token, policy, ranking
from minillm.model import heads, transformer
from minillm.model.adapter import new_adapter
from minillm.text.batches import positions_from
from minillm.phases.rollout import Rollout
from minillm.phases.reward import RankingBatch
from minillm.objectives.adapter import adapter_objective
from minillm.objectives.next_token import next_token_objective
from minillm.objectives.policy import policy_objective
from minillm.objectives.ranking import ranking_objective

B, T, C, V, N = 4, 7, 60, 13, 9
VISIBLE_FROM = tiny.visible_from_of_each_kind()
POSITIONS = positions_from(VISIBLE_FROM)
PLACES = POSITIONS, VISIBLE_FROM


def ledger(label, forward, backward, params, *inputs):
    """Check forward(params, *inputs) -> (y, cache) and backward(dy, cache) -> (*dinputs, grads)."""
    names = [name for name, _ in tree.named_leaves(params)]

    def rebuilt(arrays):
        return tree.from_named(params, dict(zip(names, arrays)))

    def on_arrays(*arrays):
        return forward(rebuilt(arrays[:len(names)]), *arrays[len(names):])

    def to_arrays(dy, cache):
        *dinputs, grads = backward(dy, cache)
        assert [name for name, _ in tree.named_leaves(grads)] == names, "gradients must have the parameters' keys"
        return [*tree.leaves(grads), *dinputs]
    gradcheck(on_arrays, to_arrays, [*tree.leaves(params), *inputs], label=label,
              names=names + [f"input {i}" for i in range(len(inputs))])


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def layer_params(init, config, *args):
    rng = np.random.default_rng(1)
    return tiny.lively(init(rng, config, *args), rng)


# Layers

@pytest.mark.parametrize("bias", [False, True])
def test_linear(bias):
    params = tiny.lively(linear.linear_init(np.random.default_rng(0), C, 11, bias, 1.0), np.random.default_rng(1))
    ledger(f"linear, bias {bias}", lambda p, x: linear.linear_forward(x, p), linear.linear_backward, params,
           normal(B, T, C))


@pytest.mark.parametrize("bias", [False, True])
def test_lora(bias):
    """Rank 3 and alpha 7; the frozen weight's gradient is not among the gradients."""
    rng = np.random.default_rng(2)
    frozen = tiny.lively(linear.linear_init(rng, C, 11, bias, 1.0), rng)
    params = tree.tree_map(lambda leaf: rng.standard_normal(leaf.shape), lora.lora_init(rng, C, 11, 3))

    def backward(dy, cache):
        dx, grads = linear.linear_backward(dy, cache)
        assert grads.keys() == {"lora"}
        return dx, grads["lora"]
    ledger(f"LoRA, bias {bias}", lambda p, x: linear.linear_forward(x, {**frozen, "lora": {**p, "alpha": 7.0}}),
           backward, params, normal(B, T, C))


@pytest.mark.parametrize("kind,bias", [("rmsnorm", False), ("layernorm", False), ("layernorm", True)])
def test_norm(kind, bias):
    params = tiny.lively(norm.norm_init(C, kind, bias), np.random.default_rng(1))
    ledger(f"{kind}, bias {bias}", lambda p, x: norm.norm_forward(x, p, kind, 1e-5), norm.norm_backward, params,
           normal(B, T, C))


def test_embedding():
    ids = tiny.batch(tiny.config()).tokens
    gradcheck(lambda table: embedding.embedding_forward(ids, table),
              lambda dy, cache: [embedding.embedding_backward(dy, cache)], [normal(V, C)], label="embedding")


def test_rotary():
    gradcheck(lambda x: rotary.rotary_forward(x, POSITIONS, 100.0),
              lambda dy, cache: [rotary.rotary_backward(dy, cache)], [normal(B, T, 6, 10)], label="rotary")


@pytest.mark.parametrize("preset", ["llama", "gpt2", "one key for all heads", "layernorm, rope, gelu"])
def test_attention(preset):
    config = tiny.config(preset, bias=preset == "llama")        # with RoPE even the keys' bias has a gradient
    params = layer_params(attention.attention_init, config, 1.0)
    ledger(f"attention, {preset}", lambda p, x: attention.attention_forward(x, p, config, *PLACES),
           attention.attention_backward, params, normal(B, T, C))


@pytest.mark.parametrize("kind", ["gelu", "swiglu"])
@pytest.mark.parametrize("bias", [False, True])
def test_feed_forward(kind, bias):
    params = layer_params(feed_forward.feed_forward_init, tiny.config(activation=kind, bias=bias), 1.0)
    ledger(f"feed-forward, {kind}, bias {bias}", lambda p, x: feed_forward.feed_forward_forward(x, p),
           feed_forward.feed_forward_backward, params, normal(B, T, C))


def on_edge(scores, active):
    """The smallest distance between the last expert that a token chooses and the next one."""
    ordered = np.sort(scores, axis=1)[:, ::-1]
    return (ordered[:, active - 1] - ordered[:, active]).min()


@pytest.mark.parametrize("preset,active", [("experts", 2), ("experts", 3), ("one expert of three, gelu, bias, window", 1)])
def test_experts(preset, active):
    """The choice has no gradient: no token may lie so near its edge that a step of 1e-5 changes it."""
    config = tiny.config(preset, active_experts=active)
    params, x = layer_params(experts.experts_init, config, 1.0), normal(B, T, C)
    assert on_edge(x.reshape(-1, C) @ params["router"]["weight"].T, active) > 1e-3
    if active == 1:                     # the weight of a single expert is 1, whatever its score
        assert not experts.experts_backward(x, experts.experts_forward(x, params, 1)[1])[1]["router"]["weight"].any()
        return
    ledger(f"experts, {active} of {config.experts}", lambda p, x: experts.experts_forward(x, p, active),
           experts.experts_backward, params, x)


@pytest.mark.parametrize("preset", ["experts", "one expert of three, gelu, bias, window"])
def test_the_balancing_loss(preset):
    """Through the router alone: what the experts give does not move it."""
    config = tiny.config(preset)
    params, x = layer_params(experts.experts_init, config, 1.0), normal(B, T, C)

    def forward(p, x):
        _, cache = experts.experts_forward(x, {**params, "router": p}, config.active_experts, VISIBLE_FROM)
        return cache.balance, cache

    def backward(dloss, cache):
        dx, grads = experts.experts_backward(np.zeros_like(x), cache, dloss)
        assert not any(leaf.any() for leaf in tree.leaves(grads["experts"]))
        return dx, grads["router"]
    ledger(f"balance, {config.active_experts} of {config.experts}", forward, backward, params["router"], x)


@pytest.mark.parametrize("preset", ["llama", "gpt2 without biases"])
def test_block(preset):
    config = tiny.config(preset)
    params = layer_params(block.block_init, config)
    ledger(f"block, {preset}", lambda p, x: block.block_forward(x, p, config, *PLACES),
           block.block_backward, params, normal(B, T, C))


# Models

def without_vanishing(params, config):
    """(params without the keys' biases where their gradient is 0, a function that puts them back).

    Without rotation a bias of the keys adds the same q . b to all scores of a query: softmax does not move.
    """
    if config.position == "rope" or not config.bias:
        return params, lambda p: p
    vanishing = {f"blocks.{n}.attention.key.bias" for n in range(config.layers)}
    named = dict(tree.named_leaves(params))
    kept = {name: leaf for name, leaf in named.items() if name not in vanishing}
    return kept, lambda p: tree.from_named(params, {**named, **p})


def model_ledger(label, preset, wanted=None):
    """Every parameter of a whole model, under a random gradient of the logits of the wanted tokens."""
    config = tiny.config(preset)
    tokens, whole = tiny.batch(config).tokens, tiny.params(config)
    params, complete = without_vanishing(whole, config)

    def forward(p):
        p = complete(p)
        h, body = transformer.transformer_forward(tokens, p, config, *PLACES, wanted=wanted)
        logits, head = transformer.head_forward(h, p)
        return logits, (body, head, p)

    def backward(dlogits, cache):
        body, head, p = cache
        dh, d_head = transformer.head_backward(dlogits, head)
        grads = transformer.transformer_backward(dh, body, d_head)
        assert grads.keys() == whole.keys()
        named = dict(tree.named_leaves(grads))
        for name in named.keys() - dict(tree.named_leaves(params)).keys():
            other = name.replace("key", "query")
            assert np.linalg.norm(named[name]) <= 1e-12 * np.linalg.norm(named[other]), name
        return ({name: named[name] for name in params},) if params is not whole else (grads,)
    ledger(label, forward, backward, params)


@pytest.mark.parametrize("preset", tiny.PRESETS)
def test_model(preset):
    model_ledger(preset, preset)


@pytest.mark.parametrize("preset", ["llama", "gpt2", "gpt3", "untied", "experts"])
def test_model_of_which_few_tokens_are_read(preset):
    """Tokens of each kind of row: the others still get a gradient, through their keys and values."""
    model_ledger(f"{preset}, 9 tokens of {B * T}", preset, np.array([0, 2, 6, 9, 11, 18, 20, 21, 24]))


# Losses

def test_next_token_loss():
    weights, targets = np.array([1, 0, 1, 1, 0, 1, 1, 1, 0.0]), np.arange(N) % V
    ledger("next token", lambda p: next_token.next_token_forward(p["logits"].copy(), targets, weights),
           lambda dy, cache: [{"logits": next_token.next_token_backward(dy, cache)}], {"logits": normal(N, V)})


@pytest.mark.parametrize("ranks", [[[1, 2], [2, 1], [1, 1]], [[1, 2, 3, 4], [2, 1, 1, 3], [1, 3, 0, 2]]])
def test_ranking_loss(ranks):
    ranks = np.array(ranks)
    gradcheck(lambda scores: ranking.ranking_forward(scores, ranks),
              lambda dy, cache: [ranking.ranking_backward(dy, cache)], [normal(*ranks.shape)],
              label=f"ranking, K = {ranks.shape[1]}")


SHIFTS = {"below the clip": -0.5, "inside the clip": 0.05, "above the clip": 0.5}


@pytest.mark.parametrize("side", SHIFTS)
@pytest.mark.parametrize("sign", [-1, 1])
def test_ppo_loss(side, sign):
    old, weights = normal(N) - 2, np.array([1, 0, 1, 1, 1, 0, 1, 1, 1.0])
    advantage = sign * (0.1 + np.abs(normal(N, seed=1)))
    gradcheck(lambda logprob: policy.ppo_forward(logprob, old, advantage, weights, 0.2),
              lambda dy, cache: [policy.ppo_backward(dy, cache)], [old + SHIFTS[side]],
              label=f"PPO {side}, advantage {sign:+}")


@pytest.mark.parametrize("name", ["reinforce", "value", "kl"])
def test_policy_loss(name):
    other, weights = normal(N, seed=1), np.array([1, 0, 1, 1, 1, 0, 1, 1, 1.0])
    forward, backward = getattr(policy, f"{name}_forward"), getattr(policy, f"{name}_backward")
    gradcheck(lambda x: forward(x, other, weights), lambda dy, cache: [backward(dy, cache)], [normal(N)], label=name)


def test_log_probability_and_entropy():
    actions = (np.arange(N) * 5 % V).astype(np.int32)

    def forward(logits):
        logprob, entropy, lse = categorical_forward(logits, actions)
        return np.stack([logprob, entropy]), (logits.copy(), lse, entropy)

    def backward(dy, cache):
        logits, lse, entropy = cache
        return [categorical_backward(logits, actions, lse, entropy, dy[0].copy(), dy[1].copy())]
    gradcheck(forward, backward, [normal(N, V)], label="log-probability and entropy")


# Objectives: whole training steps

def objective_ledger(label, loss_and_grads, params, batch):
    def forward(p):
        part = loss_and_grads(p, batch)
        return part.loss, part.grads
    ledger(label, forward, lambda dy, grads: [tree.tree_map(lambda leaf: dy * leaf, grads)], params)


@pytest.mark.parametrize("preset", ["llama", "gpt2 without biases", "untied", "experts"])
def test_next_token_objective(preset):
    config = tiny.config(preset)
    objective_ledger(f"next token, {preset}", partial(next_token_objective, config=config),
                     tiny.params(config, seed=1), tiny.batch(config))       # seed 0 has a gradient that rounding hides


@pytest.mark.parametrize("preset", ["llama", "gpt2", "untied"])
def test_adapter(preset):
    """All that LoRA trains, in every layer of a model; the head and the tables are frozen."""
    config, rng = tiny.config(preset), np.random.default_rng(4)
    base = tiny.params(config)
    made = new_adapter(base, 3, 7.0, "all", rng)
    params = {"adapter": tree.tree_map(lambda leaf: 0.1 * rng.standard_normal(leaf.shape), made.params)}
    whole = partial(next_token_objective, config=config)
    objective_ledger(f"adapter, {preset}", partial(adapter_objective, base=base, adapter=made, objective=whole),
                     params, tiny.batch(config))


def test_reward_model():
    config, rng = tiny.config(), np.random.default_rng(3)
    params = {"model": tiny.params(config),
              "reward_head": tiny.lively(heads.scalar_head_init(rng, config.width, bias=False), rng)}
    tokens, _, _, *places = tiny.batch(config)
    batch = RankingBatch(tokens, *places, np.array([6, 6, 5, 3]), np.array([[1, 2], [2, 1]]))
    objective_ledger("reward model", partial(ranking_objective, config=config), params, batch)


def rollout(config, params, temperature):
    """Sampled tokens whose ratio is inside, below and above the clip, with advantages of both signs."""
    rng = np.random.default_rng(4)
    tokens, targets, mask, *places = tiny.batch(config)
    h, _ = transformer.transformer_forward(tokens, params["model"], config, *places)
    logits = transformer.head_forward(h, params["model"])[0].reshape(-1, config.vocab_size) / temperature
    logprob = categorical_forward(logits, targets.reshape(-1))[0].reshape(mask.shape)
    old = logprob - rng.choice(list(SHIFTS.values()), mask.shape)
    return Rollout(tokens, targets, mask, *places, old, logprob + 0.3 * rng.standard_normal(mask.shape),
                   rng.standard_normal(mask.shape), rng.standard_normal(mask.shape))


@pytest.mark.parametrize("algorithm", ["ppo", "reinforce"])
@pytest.mark.parametrize("kl_form", ["reward", "loss"])
def test_policy_objective(algorithm, kl_form):
    config, rng = tiny.config("untied"), np.random.default_rng(3)
    params = {"model": tiny.params(config),
              "value_head": tiny.lively(heads.scalar_head_init(rng, config.width, bias=True), rng)}
    settings = RLHFConfig(algorithm=algorithm, kl_form=kl_form, kl=0.3, temperature=0.7, entropy_coefficient=0.2)
    objective_ledger(f"{algorithm}, KL in the {kl_form}", partial(policy_objective, config=config, settings=settings), params,
                     rollout(config, params, settings.temperature))
