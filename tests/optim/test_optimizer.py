"""AdamW against ten lines of NumPy, clipping, and the learning rate's way up and down."""

import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.config import OptimizerConfig
from minillm.optim.adamw import adamw_init, adamw_update
from minillm.optim.clipping import clip_scale, global_norm
from minillm.optim.muon import muon_init, muon_update
from minillm.optim.schedule import learning_rate
from minillm.phases.finetune import FinetuneConfig
from minillm.phases.pretrain import PretrainConfig
from minillm.phases.reward import RewardConfig
from minillm.phases.rlhf import RLHFConfig
from minillm.runs.config import PRESETS

SETTINGS = OptimizerConfig(beta1=0.8, beta2=0.95, weight_decay=0.3)


def random_tree(seed):
    rng = np.random.default_rng(seed)
    return {"blocks": [{"weight": rng.standard_normal((5, 3))}, {"weight": rng.standard_normal((3, 7))}],
            "norm": {"gain": rng.standard_normal(4)}}


def test_adamw_equals_the_loop_of_the_paper():
    params, state, scale = random_tree(0), adamw_init(random_tree(0)), 0.7
    matrix, vector = params["blocks"][0]["weight"].copy(), params["norm"]["gain"].copy()
    moments = [np.zeros_like(matrix), np.zeros_like(matrix), np.zeros_like(vector), np.zeros_like(vector)]
    for t in range(1, 6):
        grads, lr = random_tree(t), 0.01 * t
        adamw_update(params, grads, state, lr, SETTINGS, scale)
        for w, g, m, v, decay in ((matrix, grads["blocks"][0]["weight"], *moments[:2], 0.3),
                                  (vector, grads["norm"]["gain"], *moments[2:], 0.0)):
            m += (1 - 0.8) * (scale * g - m)
            v += (1 - 0.95) * (scale ** 2 * g * g - v)
            step = m / (1 - 0.8 ** t) / (np.sqrt(v / (1 - 0.95 ** t)) + 1e-8)
            w -= lr * (step + decay * w)
    assert state["step"] == 5
    np.testing.assert_allclose(params["blocks"][0]["weight"], matrix, rtol=0, atol=1e-13)
    np.testing.assert_allclose(params["norm"]["gain"], vector, rtol=0, atol=1e-13)


def test_matrices_decay_and_vectors_do_not():
    """A decayed gain pulls the norm towards 0, a decayed bias towards nothing in particular."""
    params, before = random_tree(0), random_tree(0)
    zero = {"blocks": [{"weight": np.zeros((5, 3))}, {"weight": np.zeros((3, 7))}], "norm": {"gain": np.zeros(4)}}
    adamw_update(params, zero, adamw_init(params), 0.1, SETTINGS)
    decayed = before["blocks"][1]["weight"] * (1 - 0.1 * 0.3)
    np.testing.assert_allclose(params["blocks"][1]["weight"], decayed, rtol=1e-15)
    assert np.array_equal(params["norm"]["gain"], before["norm"]["gain"])


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_tables_have_a_learning_rate_of_their_own(optimizer):
    config = tiny.config("untied")
    start = {"model": tiny.params(config), "value_head": {"weight": np.ones((1, 5))}}
    grads, moved = tree.tree_map(np.ones_like, start), []
    update, init = (muon_update, muon_init) if optimizer == "muon" else (adamw_update, adamw_init)
    for share in (1.0, 4.0):
        params = tree.copy(start)
        update(params, grads, init(params), 0.01, OptimizerConfig(table_lr=share))
        moved.append(tree.tree_map(np.subtract, params, start))
    for name, one, four in tree.zipped(*moved):
        factor = 4 if name in ("model.embedding.token", "model.head.weight") else 1
        np.testing.assert_allclose(four, factor * one, rtol=1e-9, err_msg=name)


def test_the_first_step_is_the_learning_rate_in_the_sign_of_the_gradient():
    params, before = random_tree(0), random_tree(0)
    adamw_update(params, random_tree(1), adamw_init(params), 0.01, OptimizerConfig(weight_decay=0.0))
    moved = params["blocks"][0]["weight"] - before["blocks"][0]["weight"]
    np.testing.assert_allclose(moved, -0.01 * np.sign(random_tree(1)["blocks"][0]["weight"]), rtol=1e-5)


def test_the_norm_is_taken_over_all_tensors():
    grads = random_tree(3)
    flat = np.concatenate([grads["blocks"][0]["weight"].ravel(), grads["blocks"][1]["weight"].ravel(),
                           grads["norm"]["gain"]])
    assert abs(global_norm(grads) - np.linalg.norm(flat)) < 1e-12


@pytest.mark.parametrize("norm,scale", [(4.0, 0.25), (1.0, 1.0), (0.5, 1.0), (0.0, 1.0)])
def test_clipping_only_shrinks(norm, scale):
    assert clip_scale(norm, 1.0) == scale


def test_the_norm_of_a_gradient_with_nan_shows_it():
    grads = random_tree(0)
    grads["norm"]["gain"][2] = np.nan
    assert np.isnan(global_norm(grads))


def test_learning_rate_up_and_down():
    settings = OptimizerConfig(steps=21, lr=0.5, final_lr=0.1, warmup_share=0.24)
    rates = [learning_rate(step, settings) for step in range(21)]
    np.testing.assert_allclose(rates[:5], [0.1, 0.2, 0.3, 0.4, 0.5])
    assert rates[5] == max(rates) == 0.5
    assert abs(rates[20] - 0.05) < 1e-15 and abs(learning_rate(12, settings) - learning_rate(13, settings)) > 0
    assert all(a > b for a, b in zip(rates[5:], rates[6:]))
    middle = OptimizerConfig(steps=11, lr=1.0, final_lr=0.0, warmup_share=0)
    assert abs(learning_rate(5, middle) - 0.5) < 1e-15
    assert learning_rate(15, middle) == learning_rate(40, middle) == learning_rate(10, middle), "it ends at the last step"


@pytest.mark.parametrize("steps,share", [(1, 0), (1, 1), (5, 1), (6, 0.8)])
def test_short_runs_have_a_learning_rate(steps, share):
    settings = OptimizerConfig(steps=steps, warmup_share=share, lr=0.5)
    assert all(0 < learning_rate(step, settings) <= 0.5 for step in range(steps))


PARTS = {       # steps, of which warm-up, of which with short windows (pretraining alone has them)
    "llama": (PRESETS["llama"].pretrain, 850, 30, 296), "gpt2": (PRESETS["gpt2"].pretrain, 1150, 40, 400),
    "micro": (PRESETS["micro"].pretrain, 2000, 100, 0), "finetune": (FinetuneConfig(), 700, 20, None),
    "llama, finetune": (PRESETS["llama"].finetune, 1400, 41, None),
    "task": (FinetuneConfig().for_task, 100, 20, None), "domain": (FinetuneConfig().for_domain, 60, 20, None),
    "reward": (RewardConfig(), 180, 20, None), "llama, reward": (PRESETS["llama"].reward, 130, 14, None),
    "rlhf": (RLHFConfig(), 40, 5, None)}


@pytest.mark.parametrize("name", PARTS)
def test_the_parts_of_every_default_schedule(name):
    settings, steps, warmup, short = PARTS[name]
    assert (settings.steps, settings.warmup_steps, getattr(settings, "short_steps", None)) == (steps, warmup, short)


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 300, 5000])
@pytest.mark.parametrize("kind", [PretrainConfig, FinetuneConfig, RewardConfig, RLHFConfig])
def test_a_schedule_of_any_length_keeps_its_parts(kind, steps):
    """Shares, so a short run still reaches its peak, falls, and reads long windows."""
    settings = kind(steps=steps)
    assert settings.warmup_steps <= max(1, steps // 5)
    assert getattr(settings, "short_steps", 0) <= (steps + 1) // 2
    if steps >= 10:
        rates = [learning_rate(step, settings) for step in range(steps)]
        assert max(rates) == settings.lr and rates[-1] == pytest.approx(settings.lr * settings.final_lr)
