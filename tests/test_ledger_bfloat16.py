"""The gradient ledger for precision = "bfloat16": bounds that follow from the unit roundoff alone.

Rounding a number to 8 bits changes it by a factor 1 + d with |d| <= u = 2^-8. So each element of a product of
rounded factors is off by at most (2 u + u^2) times the product of the absolute values, beside the rounding of
float32 sums: that bounds a linear layer, forward and backward. For whole models the bound is measured: the same
gradients in float64, with every factor multiplied by 1 + u or 1 - u at random, which is at least as far off as
rounding can be.
"""

import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.kernels.bfloat16 import as_factor
from minillm.layers import attention, feed_forward, linear
from minillm.model import heads, transformer
from minillm.objectives.next_token import next_token_objective
from minillm.objectives.ranking import ranking_objective
from minillm.phases.reward import RankingBatch

U = 2.0**-8                 # unit roundoff of bfloat16
MODULES = (linear, attention, feed_forward, transformer)


def assert_product(got, a, b, start=0.0):
    """|got - (start + a b)| <= (2 u + u^2) |a| |b| + what the float32 sums may lose."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    sums = (a.shape[1] + 2) * 2.0**-24 * (1 + U)**2 * (np.abs(a) @ np.abs(b) + np.abs(start))
    bound = (2 * U + U**2) * (np.abs(a) @ np.abs(b)) + sums
    error = np.abs(got - (start + a @ b))
    assert (error <= bound).all()
    assert error.max() > U * bound.max(), "nothing was rounded"


@pytest.mark.parametrize("rows, c_in, c_out", [(29, 60, 35), (8, 301, 17)])
def test_linear(rows, c_in, c_out):
    rng = np.random.default_rng(0)
    x, dy, into = (rng.standard_normal(shape).astype(np.float32)
                   for shape in ((rows, c_in), (rows, c_out), (rows, c_in)))
    params = linear.linear_init(rng, c_in, c_out, True, 0.3)
    params["bias"] += rng.standard_normal(c_out).astype(np.float32)
    y, cache = linear.linear_forward(as_factor(x, "bfloat16"), params)
    assert y.dtype == np.float32 and cache.x.dtype == np.uint16
    assert_product(y, x, params["weight"].T, params["bias"].astype(np.float64))
    kept = into.astype(np.float64)
    dx, grads = linear.linear_backward(dy, cache, into)
    assert_product(dx, dy, params["weight"], kept)
    assert_product(grads["weight"], dy.T, x)
    np.testing.assert_array_equal(grads["bias"], dy.sum(axis=0))


def perturbed(rng):
    """as_factor that multiplies by 1 + u or 1 - u, at random, in place of rounding."""
    def factor(x, precision):
        return x if precision == "float32" else x * (1 + U * rng.choice([-1.0, 1.0], x.shape))
    return factor


def gradients(objective, params, batch, precision):
    grads = objective(params, batch, precision=precision).grads
    return np.concatenate([leaf.reshape(-1).astype(np.float64) for leaf in tree.leaves(grads)])


def assert_within_rounding(monkeypatch, objective, params, batch):
    """The error of bfloat16's gradients against that of random factors 1 + u, 1 - u, in norm."""
    exact = gradients(objective, params, batch, "float32")
    rounded = tree.tree_map(lambda leaf: leaf.astype(np.float32), params)
    error = np.linalg.norm(gradients(objective, rounded, batch, "bfloat16") - exact)
    bounds = []
    for seed in range(3):
        with monkeypatch.context() as patch:
            factor = perturbed(np.random.default_rng(seed))
            for module in MODULES:
                patch.setattr(module, "as_factor", factor)
            patch.setattr(linear, "precision_of", lambda x: "bfloat16")
            bounds.append(np.linalg.norm(gradients(objective, params, batch, "bfloat16") - exact))
    assert U / 10 * np.linalg.norm(exact) < error <= max(bounds) < 0.2 * np.linalg.norm(exact)


@pytest.mark.parametrize("preset", ["llama", "gpt2", "layernorm, rope, swiglu, bias, untied"])
@pytest.mark.parametrize("recompute", [False, True])
def test_next_token(monkeypatch, preset, recompute):
    config = tiny.config(preset)

    def objective(params, batch, precision):
        return next_token_objective(params, batch, config, recompute, precision)
    assert_within_rounding(monkeypatch, objective, tiny.params(config), tiny.batch(config))


def test_ranking(monkeypatch):
    config, rng = tiny.config(), np.random.default_rng(3)
    batch = tiny.batch(config)
    ranked = RankingBatch(batch.tokens, batch.positions, batch.visible_from, np.array([6, 6, 6, 3]),
                          np.array([[1, 2], [2, 1]]))
    params = {"model": tiny.params(config), "reward_head": heads.scalar_head_init(rng, config.width, False)}
    params["reward_head"] = tiny.lively(params, rng)["reward_head"]

    def objective(params, batch, precision):
        return ranking_objective(params, batch, config, precision=precision)
    assert_within_rounding(monkeypatch, objective, params, ranked)
