"""Worked answers of lesson 05."""

import numpy as np

from minillm.config import PretrainConfig
from minillm.optim.adamw import adamw_init, adamw_update
from minillm.optim.clipping import clip_scale


def identify(last_loss, healthy_loss, steps, stops):
    """The exhibit that a curve's end, its length and its texts give away."""
    if steps == 0:
        return "all labels masked"
    if last_loss < healthy_loss - 0.1:
        return "no causal mask"
    return "end token masked out" if not stops else "another"


def test_exercise_1():
    """(a) no causal mask: nothing else makes prediction easier. (b) end token masked out: the loss hardly knows of one
    token in forty; only the texts, which go on for ever, do. (c) all labels masked: the first step is refused."""
    assert identify(0.1, 0.4, 150, True) == "no causal mask"
    assert identify(0.4, 0.4, 150, False) == "end token masked out"
    assert identify(np.nan, 0.4, 0, False) == "all labels masked"


def test_exercise_2():
    """Exactly 1: the corrections make m_hat = g and v_hat = g^2, so the step is eta g / |g|, whatever g is."""
    for gradient in (1e-3, 50.0):
        params = {"weight": np.zeros((1, 1), np.float64)}
        settings = PretrainConfig(weight_decay=0.0)
        adamw_update(params, {"weight": np.full((1, 1), gradient)}, adamw_init(params), 0.01, settings, 1.0)
        np.testing.assert_allclose(params["weight"], -0.01, rtol=1e-4)


def test_exercise_3():
    """1, and still 0.5: clipping shortens, it never lengthens."""
    assert np.isclose(8 * clip_scale(8.0, 1.0), 1, rtol=1e-4) and 0.5 * clip_scale(0.5, 1.0) == 0.5
