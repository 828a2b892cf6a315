"""Worked answers of lesson 04."""

import numpy as np
import pytest

from minillm.config import OptimizerConfig
from minillm.optim.adamw import adamw_init, adamw_update


def adamw_first_steps(w, gradients, lr, beta1=0.9, beta2=0.95, eps=1e-8):
    """Exercise 3: two running means, each corrected for its start at 0."""
    m = v = 0.0
    for t, g in enumerate(gradients, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        w = w - lr * (m / (1 - beta1**t)) / ((v / (1 - beta2**t)) ** 0.5 + eps)
    return w


def check_adamw_first_steps(function):
    """One step is lr against the sign; more steps are the package's; the gradient's unit does not matter."""
    for gradient in (0.23, -0.01):
        found, wanted = function(1.0, [gradient], 0.01), 1.0 - 0.01 * np.sign(gradient)
        assert np.isclose(found, wanted, atol=1e-6), (f"the first step should move w by lr against the gradient's sign: with "
                                                      f"gradient {gradient}, from 1 to {wanted}, not to {found}")
    gradients, params = [0.5, 0.1, -0.2, 0.3], {"w": np.ones(1, np.float32)}
    state, settings = adamw_init(params), OptimizerConfig(weight_decay=0.0)
    for gradient in gradients:
        adamw_update(params, {"w": np.full(1, gradient, np.float32)}, state, 0.1, settings)
    found = function(1.0, gradients, 0.1)
    wanted = params["w"][0]
    assert np.isclose(found, wanted, atol=1e-5), f"after the gradients {gradients} w should be {wanted:.5f}, not {found:.5f}"
    scaled = function(1.0, [1000 * gradient for gradient in gradients], 0.1)
    assert np.isclose(found, scaled, atol=1e-5), "gradients 1,000 times as large should give the same steps"


def test_exercise_1():
    """The value of "the" is (0, 4), and a quarter of it (0, 1): (1, -1) + (0, 1) = (1, 0)."""
    normed, W_v = np.array([[1.0, 1.0], [1.0, -1.0]]), np.array([[0.0, 0.0], [2.0, 2.0]])
    found = np.array([1.0, -1.0]) + np.array([0.25, 0.75]) @ (normed @ W_v.T)
    np.testing.assert_allclose(found, [1, 0])


def test_exercise_2():
    """Table and head V C = 8 each, attention 4 C^2 = 16 with its output projection, feed-forward 3 C F = 12, three gains of C = 2:
    50. The script says 58: it has 8 more for the positions. With V = 50,000 table and head are 200,000 of 200,034 numbers.
    """
    V, C, F = 4, 2, 2
    rest = 4 * C * C + 3 * C * F + 3 * C
    assert 2 * V * C + rest == 50
    assert round(100_000 * C / (100_000 * C + rest), 4) == 0.9998


def test_exercise_3():
    """The solution passes; without the corrections, or with them before the update, it does not."""
    check_adamw_first_steps(adamw_first_steps)

    def uncorrected(w, gradients, lr, beta1=0.9, beta2=0.95, eps=1e-8):
        m = v = 0.0
        for g in gradients:
            m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
            w = w - lr * m / (v ** 0.5 + eps)
        return w

    def plain(w, gradients, lr, *_):
        return w - lr * sum(gradients)
    for wrong in (uncorrected, plain):
        with pytest.raises(AssertionError):
            check_adamw_first_steps(wrong)


def test_exercise_4():
    """Attention alone must go: it is the only part that looks at other tokens. What is left computes the logits of a token from
    this token, so its table has the row head(norm(x + feed_forward(norm(x)))) for each of the V tokens.
    """
    def norm(x):
        return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True))
    rng = np.random.default_rng(0)
    table, gate, up, down, head = (rng.standard_normal(shape) for shape in ((4, 2), (3, 2), (3, 2), (2, 3), (4, 2)))

    def logits(tokens):
        x = table[tokens]
        z = norm(x) @ gate.T
        return norm(x + (z / (1 + np.exp(-z)) * (norm(x) @ up.T)) @ down.T) @ head.T
    bigram = logits(np.arange(4))                               # (V, V)
    text = np.array([2, 0, 3, 3, 1, 0])
    np.testing.assert_allclose(logits(text), bigram[text])
