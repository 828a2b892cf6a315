"""Worked answers of lesson 22."""

import numpy as np

from minillm import tree
from minillm.config import ModelConfig
from minillm.layers.linear import linear_backward, linear_forward
from minillm.model.adapter import attach, merge, new_adapter, plain, unmerge
from minillm.model.transformer import transformer_init


def lora_gradients(dy, x, a, b, alpha):
    """Two linear layers, one behind the other, and back through both."""
    s = alpha / len(a)
    ddown = s * dy @ b                              # (N, R)
    return ddown.T @ x, s * dy.T @ (x @ a.T), ddown @ a


class Watched(np.ndarray):
    """An array that notes the shapes of what is computed from it."""
    seen = set()

    def __array_finalize__(self, source):
        Watched.seen.add(self.shape)


def check_lora_gradients(function):
    """Against the package's layer, with five different sizes, and alpha other than the rank."""
    rng = np.random.default_rng(0)
    N, C_in, C_out, R, alpha = 11, 7, 5, 2, 3.0
    x, dy, W = rng.standard_normal((N, C_in)), rng.standard_normal((N, C_out)), rng.standard_normal((C_out, C_in))
    a, b = rng.standard_normal((R, C_in)), rng.standard_normal((C_out, R))
    dx, grads = linear_backward(dy, linear_forward(x, {"weight": W, "lora": {"a": a, "b": b, "alpha": alpha}})[1])
    wanted = grads["lora"]["a"], grads["lora"]["b"], dx - dy @ W
    Watched.seen = set()
    given = tuple(array.copy().view(Watched) for array in (dy, x, a, b))
    found = function(*given, alpha)
    assert isinstance(found, tuple) and len(found) == 3, "three arrays were expected: dA, dB, dx"
    for name, mine, right in zip(("dA", "dB", "dx"), found, wanted):
        assert np.shape(mine) == right.shape, f"{name} should have shape {right.shape}, it has {np.shape(mine)}"
        close = np.allclose(mine, right)
        factor = np.median(np.asarray(mine) / right)
        known = not close and np.allclose(mine, factor * right)
        assert close, f"{name} is not right" + (f": it is {factor:.3g} times what it should be; alpha / R is {alpha / R}" if known else "")
    assert (C_out, C_in) not in Watched.seen and (C_in, C_out) not in Watched.seen, \
        "an array of the shape of W was made; multiply in another order"
    assert all(np.array_equal(one, other) for one, other in zip(given, (dy, x, a, b))), "an argument was changed"


def test_exercise_1():
    """R (C_in + C_out) against C_in C_out. For 128 x 128 and rank 8 it is 2,048 of 16,384, an eighth; for 4,096 x 4,096 it is
    65,536 of 16.8 million, 0.4%. The share is 2 R / C: a wider model needs a smaller one for the same rank. The two are equal at
    R = C_in C_out / (C_in + C_out), half the side of a square matrix; beyond it, LoRA trains more numbers than W has."""
    assert 8 * (128 + 128) / 128**2 == 1 / 8
    assert round(8 * (4096 + 4096) / 4096**2, 4) == 0.0039
    assert 128 * 128 / (128 + 128) == 64


def test_exercise_2():
    """If both are zero, dB = s dy^T (x A^T) = 0 and dA = s (dy B)^T x = 0: it is a stationary point, and neither ever moves. If
    A is zero and B is random, the layer starts unchanged too, and it is A that has a gradient. It works as well. (It is not quite
    the same: Hayou et al. 2024, arXiv:2406.08447, find that a random A allows the larger learning rates.)"""
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((6, 4)), rng.standard_normal((6, 3))
    zero = lora_gradients(dy, x, np.zeros((2, 4)), np.zeros((3, 2)), 2.0)
    assert not zero[0].any() and not zero[1].any()
    other = lora_gradients(dy, x, np.zeros((2, 4)), rng.standard_normal((3, 2)), 2.0)
    assert other[0].any() and not other[1].any()


def test_exercise_3():
    """The solution passes. One without alpha / R does not, and neither does one that goes through dW."""
    check_lora_gradients(lora_gradients)

    def without_scale(dy, x, a, b, alpha):
        return lora_gradients(dy, x, a, b, float(len(a)))

    def through_the_weight(dy, x, a, b, alpha):
        dW = alpha / len(a) * dy.T @ x
        return b.T @ dW, dW @ a.T, alpha / len(a) * dy @ b @ a
    for wrong in (without_scale, through_the_weight):
        try:
            check_lora_gradients(wrong)
        except AssertionError:
            continue
        raise RuntimeError(f"the wrong solution {wrong.__name__} passed")


def test_exercise_4():
    """Take the first adapter out, then put the second one in: W + s B A - s B A + s B' A'. Without the unmerging, both act at
    once. In float32 the weights come back to within rounding, not to the bit, so a server that changes adapters all day should
    keep the base's own bytes, and merge into a copy; the package's `merge` does."""
    config = ModelConfig(vocab_size=11, width=12, heads=2, kv_heads=1, hidden=10, layers=1)
    params = transformer_init(config, np.random.default_rng(0))
    adapter = new_adapter(params, 2, 4.0, "all", np.random.default_rng(1))
    adapter.params["blocks"][0]["attention"]["query"]["lora"]["b"][...] = 1
    merged = merge(attach(params, adapter))
    changed = [name for name, one, other in tree.zipped(plain(merged), params) if not np.array_equal(one, other)]
    assert changed == ["blocks.0.attention.query.weight"]
    for _, one, other in tree.zipped(plain(unmerge(merged)), params):
        assert np.allclose(one, other, atol=1e-5)


def test_exercise_5():
    """Not by the two runs alone: LoRA's learning rate was full training's, and its best one is some ten times as high, because
    B starts at 0 and only A and B together move the weight. Missing are a sweep of the learning rate for each, and a second rank:
    if a higher rank closes the gap, the rank was too low; if all ranks end at the same loss, something else holds them back, such
    as the learning rate or the steps."""
    rng = np.random.default_rng(0)
    a, x, dy = rng.standard_normal((2, 50)) / np.sqrt(50), rng.standard_normal((40, 50)), rng.standard_normal((40, 30))
    lr, b = 1e-3, np.zeros((30, 2))
    b -= lr * np.sign(lora_gradients(dy, x, a, b, 2.0)[1])          # Adam's first step: every number by the learning rate
    full = lr * np.sign(dy.T @ x)
    assert np.abs(b @ a).mean() < 0.3 * np.abs(full).mean(), "the same learning rate moves the weight less through B A"
