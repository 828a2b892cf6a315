"""Muon against the singular value decomposition, a known optimum, and AdamW for what is AdamW's."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import tiny
from twins import assert_threads_change_nothing

from minillm import tree
from minillm.config import OptimizerConfig
from minillm.model.size import FLOAT, block_matrices, training_bytes
from minillm.model.transformer import transformer_init
from minillm.objectives.next_token import next_token_objective
from minillm.objectives.objective import Objective
from minillm.optim import muon
from minillm.optim.adamw import adamw_init, adamw_update
from minillm.optim.muon import (POLYNOMIALS, each_orthogonalized, is_muons, muon_init, muon_update,
                                   orthogonalized)
from minillm.training.loop import train

SETTINGS = OptimizerConfig(optimizer="muon", beta1=0.8, weight_decay=0.3)


def polynomials(s, count=None):
    """What becomes of singular values."""
    for a, b, c in POLYNOMIALS[:count]:
        s = a * s + b * s ** 3 + c * s ** 5
    return s


def with_values(shape, values, seed=0):
    """(U, V, U S Vᵀ) with random U and V and the given singular values."""
    rng = np.random.default_rng(seed)
    u, v = (np.linalg.qr(rng.standard_normal((n, min(shape))))[0] for n in shape)
    return u, v, u * values @ v.T


def test_each_polynomial_is_the_best_of_its_degree():
    """The error of the best quintic on an interval alternates in sign at four places, and is equally large there."""
    low, high = 0.01, 1.0
    for count in (1, 2, 3):
        s = np.linspace(low, high, 20_001)
        a, b, c = POLYNOMIALS[count - 1]
        error = a * s + b * s ** 3 + c * s ** 5 - 1
        turns = [0, *np.flatnonzero(np.diff(np.sign(np.diff(error)))) + 1, len(s) - 1]
        assert [np.sign(error[i]) for i in turns] == [-1, 1, -1, 1]
        np.testing.assert_allclose(np.abs(error[turns]), np.abs(error).max(), rtol=5e-3)
        low, high = 1 + error.min(), 1 + error.max()
    assert (low, high) == pytest.approx((0.73, 1.27), abs=1e-3)


@pytest.mark.parametrize("dtype,tolerance", [(np.float32, 2e-5), (np.float64, 1e-12)])
@pytest.mark.parametrize("shape", [(40, 40), (24, 67), (67, 24), (5, 3)])
def test_singular_values_come_near_1_and_directions_stay(shape, dtype, tolerance):
    values = np.geomspace(1, 1e-2, min(shape)) * 1e-6           # of the size of gradients
    u, v, matrix = with_values(shape, values)
    values = values / np.linalg.norm(values)
    found = u.T @ orthogonalized(matrix.astype(dtype)) @ v
    np.testing.assert_allclose(found, np.diag(polynomials(values)), rtol=0, atol=tolerance)
    near = np.diag(found)[values >= 0.01]
    assert len(near) > 1 and 0.729 < near.min() and near.max() < 1.271


@pytest.mark.parametrize("shape", [(40, 40), (24, 67), (67, 24), (5, 3)])
def test_rounded_factors_change_little(shape):
    u, v, matrix = with_values(shape, np.geomspace(1, 1e-2, min(shape)))
    whole, rounded = (orthogonalized(matrix.astype(np.float32), precision) for precision in ("float32", "bfloat16"))
    assert rounded.dtype == np.float32 and 1e-4 < np.abs(u.T @ (rounded - whole) @ v).max() < 0.05


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_an_update_rounds_as_the_settings_say(precision, monkeypatch):
    seen, real = [], muon.each_orthogonalized
    monkeypatch.setattr(muon, "each_orthogonalized", lambda matrices, which: seen.append(which) or real(matrices, which))
    params = {"blocks": [{"up": np.ones((6, 4), np.float32)}]}
    muon_update(params, tree.copy(params), muon_init(params), 0.1, replace(SETTINGS, precision=precision))
    assert seen == [precision]


@pytest.mark.parametrize("size", [0.0, 1e-30, 1e18])
def test_any_size_of_gradient_has_an_update(size):
    _, _, matrix = with_values((6, 9), np.ones(6))
    update = orthogonalized((size * matrix).astype(np.float32))
    np.testing.assert_allclose(np.linalg.norm(update, 2), polynomials(6 ** -0.5) if size else 0, rtol=1e-5)


@pytest.mark.parametrize("shape", [(4, 9), (9, 4)])
def test_the_products_are_of_the_shorter_side(shape, monkeypatch):
    """The longer side gives the same numbers, for more operations."""
    shapes = []
    for name in ("matmul_nt", "matmul_tn"):
        real = getattr(muon, name)
        monkeypatch.setattr(muon, name, lambda a, b, real=real: shapes.append(real(a, b).shape) or real(a, b))
    orthogonalized(with_values(shape, np.ones(4))[2])
    assert shapes == [(4, 4)] * 3


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("shape", [(40, 40), (24, 136), (136, 24), (24, 67), (67, 24), (5, 3), (34, 70)])
def test_side_by_side_is_as_one_by_one(shape, precision):
    rng = np.random.default_rng(0)
    matrices = [(size * rng.standard_normal(shape)).astype(np.float32) for size in (1.0, 1e-6, 0.0)]
    before = [matrix.copy() for matrix in matrices]
    alone = [orthogonalized(matrix, precision) for matrix in matrices]
    for matrix, old, one, other in zip(matrices, before, each_orthogonalized(matrices, precision), alone, strict=True):
        np.testing.assert_array_equal(matrix, old)
        if any(side % 8 for side in shape):
            np.testing.assert_allclose(one, other, rtol=0, atol=2e-6)
        else:
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("shape,precision,rung,called", [
    ((8, 6), "float32", "compiled", True), ((8, 6), "bfloat16", "compiled", True), ((8, 5), "bfloat16", "compiled", False),
    ((8, 6), "float32", "plain", False), ((8, 6), "float32", "loops", False), ((90, 60), "float32", "compiled", False)])
def test_small_matrices_alone_are_computed_side_by_side(shape, precision, rung, called, monkeypatch):
    """And only where the products are the fast kernel's: a reader of another rung steps through that one."""
    calls, kernel = [], muon.newton_schulz
    monkeypatch.setattr(muon, "newton_schulz", lambda *args: calls.append(args[0].shape) or kernel(*args))
    monkeypatch.setattr(muon, "SMALL", 5000)
    rungs = {"compiled": lambda: None, "plain": lambda: None, "loops": lambda: None}
    for product in rungs.values():
        product.plain, product.loops = rungs["plain"], rungs["loops"]
    monkeypatch.setattr(muon, "matmul_nt", rungs[rung])
    monkeypatch.setattr(muon, "orthogonalized", lambda matrix, _: matrix)
    each_orthogonalized([np.ones(shape, np.float32)] * 2, precision)
    assert calls == ([shape] * 2 if called else [])


def test_matrices_move_together_in_parts_of_bounded_size(monkeypatch):
    config, parts, real, after = tiny.config(), [], muon.each_orthogonalized, []
    monkeypatch.setattr(muon, "each_orthogonalized", lambda means, which: parts.append(len(means)) or real(means, which))
    for most in (1 << 22, 500):
        monkeypatch.setattr(muon, "MOST", most)
        params = tiny.params(config, dtype=np.float32)
        muon_update(params, tree.tree_map(np.cos, params), muon_init(params), 0.1, SETTINGS)
        after.append(params)
    assert parts[0] == sum(parts[1:]) and len(parts) > 3
    tree.tree_map(np.testing.assert_array_equal, *after)


def test_steps_equal_the_formula():
    """Two steps of each rule in plain float64, the orthogonalization by the decomposition."""
    rng, scale, lr = np.random.default_rng(0), 0.7, 0.01
    params = {"embedding": rng.standard_normal((7, 5)),
              "blocks": [{"up": rng.standard_normal((6, 4)), "gain": rng.standard_normal(4)}]}
    other, state = tree.copy(params), muon_init(params)
    w, m, adamw = params["blocks"][0]["up"].copy(), np.zeros((6, 4)), adamw_init(params)
    for _ in range(2):
        grads = tree.tree_map(lambda leaf: rng.standard_normal(leaf.shape), params)
        before = tree.copy(grads)
        muon_update(params, grads, state, lr, SETTINGS, scale)
        tree.tree_map(np.testing.assert_array_equal, grads, before)
        g = scale * grads["blocks"][0]["up"]
        m = 0.8 * m + 0.2 * g
        u, s, vt = np.linalg.svd(0.8 * m + 0.2 * g, full_matrices=False)
        w = w - lr * (0.2 * 6 ** 0.5 * (u * polynomials(s / np.linalg.norm(s)) @ vt) + 0.3 * w)
        adamw_update(other, grads, adamw, lr, SETTINGS, scale)
    np.testing.assert_allclose(params["blocks"][0]["up"], w, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(params["embedding"], other["embedding"])
    np.testing.assert_array_equal(params["blocks"][0]["gain"], other["blocks"][0]["gain"])
    assert state["step"] == adamw["step"] == 2


@pytest.mark.parametrize("preset", ["llama", "gpt2"])
def test_muon_takes_the_matrices_of_blocks_alone(preset):
    config = tiny.config(preset)
    params = {"model": transformer_init(config, np.random.default_rng(0)), "head": {"weight": np.ones((1, 5))}}
    theirs = {name.rpartition(".")[0].rpartition(".")[2]
              for name, leaf in tree.named_leaves(params) if is_muons(name, leaf)}
    assert theirs == {"query", "key", "value", "output", "up", "down"} | ({"gate"} if preset == "llama" else set())
    squares = muon_init(params)["square"]
    left = sum(leaf.size for _, leaf, square in tree.zipped(params, squares) if square.size == 0)
    assert left == block_matrices(config)
    assert tree.count(squares) == tree.count(params) - left


def test_less_memory_is_needed_than_for_adamw():
    """In the training, and once more where its checkpoint is read."""
    config = tiny.config()
    adamw, less = (training_bytes(config, OptimizerConfig(optimizer=name), 10, 10) for name in ("adamw", "muon"))
    assert adamw - less == 2 * FLOAT * block_matrices(config)


def distance(optimizer, lr):
    """Distance from the optimum of a quadratic whose curvature is 1 one way and 1/10,000 another; at the start it is 1."""
    rng = np.random.default_rng(0)
    u = np.linalg.qr(rng.standard_normal((8, 8)))[0]
    curvature, optimum = u * np.geomspace(1, 1e-4, 8) @ u.T, rng.standard_normal((12, 8))

    def objective(params, batch):
        away = params["blocks"][0]["weight"] - optimum
        return Objective(0.5 * float(np.sum(away @ curvature * away)), {"blocks": [{"weight": away @ curvature}]}, 1.0, {})
    settings = OptimizerConfig(optimizer=optimizer, lr=lr, steps=200, warmup_share=0, final_lr=0, weight_decay=0, clip=1e9)
    params = {"blocks": [{"weight": np.zeros((12, 8))}]}
    train(params, settings, lambda step: [None], objective)
    return np.linalg.norm(params["blocks"][0]["weight"] - optimum) / np.linalg.norm(optimum)


def test_a_known_optimum_is_reached_along_flat_directions_too():
    """AdamW at its best learning rate here is still far from it: it knows the axes alone, not the directions."""
    assert distance("muon", 0.2) < 0.01
    assert min(distance("adamw", lr) for lr in (0.2, 0.5, 1.0, 2.0)) > 0.2


def test_frozen_matrices_stay_and_keep_no_momentum():
    config = tiny.config()
    params = tiny.params(config, dtype=np.float32)
    before, frozen = tree.copy(params), ("embedding", "blocks.1.attention", "norm.gain")
    state = train(params, OptimizerConfig(optimizer="muon", steps=2, warmup_share=0), lambda step: [tiny.batch(config)],
                  partial(next_token_objective, config=config), frozen=frozen)
    for name, now, then, mean in tree.zipped(params, before, state.optimizer["mean"]):
        still = any(name == branch or name.startswith(branch + ".") for branch in frozen)
        assert np.array_equal(now, then) == still and mean.any() != still, name


def test_a_large_gradient_is_clipped_before_it_enters_the_momentum():
    config, states = tiny.config(), []
    for clip in (1e9, 1e-3):
        params = tiny.params(config, dtype=np.float32)
        settings = OptimizerConfig(optimizer="muon", steps=1, warmup_share=0, clip=clip)
        states.append((train(params, settings, lambda step: [tiny.batch(config)],
                             partial(next_token_objective, config=config)).optimizer, params))
    (whole, _), (clipped, _) = states
    scale = tree.leaves(clipped["mean"])[0].max() / tree.leaves(whole["mean"])[0].max()
    assert scale < 0.1
    for name, large, small in tree.zipped(whole["mean"], clipped["mean"]):
        np.testing.assert_allclose(small, scale * large, rtol=1e-4, atol=1e-9, err_msg=name)


def test_threads_change_nothing():
    rng = np.random.default_rng(0)
    assert_threads_change_nothing(orthogonalized, rng.standard_normal((96, 264)).astype(np.float32))
    assert_threads_change_nothing(orthogonalized, rng.standard_normal((264, 96)).astype(np.float32))
    several = [rng.standard_normal(shape).astype(np.float32) for shape in ((96, 264), (264, 96), (64, 64))]
    assert_threads_change_nothing(lambda *matrices: tuple(each_orthogonalized(matrices)), *several)


@pytest.mark.parametrize("preset", ["llama", "gpt2"])
def test_one_batch_is_learned_by_heart(preset):
    config, losses = tiny.config(preset), []
    params, batch = transformer_init(config, np.random.default_rng(0)), tiny.batch(config)
    settings = OptimizerConfig(optimizer="muon", steps=100, lr=1e-2, warmup_share=0.1, weight_decay=0.0)
    train(params, settings, lambda step: [batch], partial(next_token_objective, config=config),
          watch=lambda state, record: losses.append(record["loss"]))
    assert losses[-1] < 0.01
