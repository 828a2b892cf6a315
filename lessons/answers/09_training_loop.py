"""Worked answers of lesson 09, and the key to its quiz."""

import contextlib
import importlib.util
import io
import json
from pathlib import Path

import numpy as np

from minillm.optim.adamw import adamw_init, adamw_update
from minillm.optim.clipping import clip_scale
from minillm.phases.pretrain import PretrainConfig

LESSONS = Path(__file__).resolve().parents[1]
KEY = {"a": "no 1/sqrt(D)", "b": "labels shifted twice", "c": "gradients not cleared", "d": "end token masked out",
       "e": "no causal mask", "f": "KL with the wrong sign", "g": "all labels masked", "h": "reward not normalized",
       "i": "temperature missing in the ratio"}
# What gives each away: the bounds that its recorded symptom, beside the healthy run, lies between.
TELLS = {"no 1/sqrt(D)": (-0.1, 0.1),                   # held-out loss: as the healthy one's. Nothing gives it away
         "labels shifted twice": (5, np.inf),           # held-out loss: surely wrong about nearly every token
         "gradients not cleared": (0.5, np.inf),        # training loss: stays high
         "end token masked out": (0.8, 1.1),            # share of texts that go on for ever: nearly all
         "no causal mask": (0.1, 5),                    # held-out loss: worse, but not absurd
         "KL with the wrong sign": (1, np.inf),         # KL, nats: runs away, and its value loss does not
         "all labels masked": (0.5, np.inf),            # refused at the first step: no curve
         "reward not normalized": (50, np.inf),         # first value loss: explodes
         "temperature missing in the ratio": (0.1, np.inf)}     # distance of the first ratios from 1


def museum():
    """The lesson's script, run in its smallest size for the sake of its functions."""
    import workbench

    size, workbench.SIZE = workbench.SIZE, "smoke"
    spec = importlib.util.spec_from_file_location("museum", LESSONS / "09_training_loop.py")
    module = importlib.util.module_from_spec(spec)
    with contextlib.redirect_stdout(io.StringIO()):
        spec.loader.exec_module(module)
    workbench.SIZE = size
    return module


def test_exercise_1():
    """The key is above, and with it what gives each away. (a) falls a little faster at first and ends as the healthy run:
    nothing gives it away, it is what is left. (d) has the healthy curve, but its texts go on for ever. (b) and (e) end near
    it and have bad held-out losses: (b) is sure of the wrong letter, as it learned the one after the next; (e) looked ahead,
    so it falls more slowly until it finds the answer there, and then comes level. (f) and (h) run away from the start; (h)
    has the rewards that its value head cannot follow. (i) moves more slowly, ends nearer to the start than the healthy run
    does, and its first ratios are not 1. (c) swings, (g) never begins.
    """
    script = museum()
    names = list(script.symptoms)
    assert list(KEY.values()) == [names[place] for place in script.ORDER] and sorted(KEY.values()) == sorted(TELLS)
    recorded = json.loads((LESSONS / "results" / "09_training_loop.json").read_text(encoding="utf-8"))[0]["figures"]
    for name, (low, high) in TELLS.items():
        assert low < recorded[name][1] <= recorded[name][2] < high, name
    (healthy, _), (ahead, _) = (script.run(name, 0, steps=150) for name in ("healthy", "no causal mask"))
    assert ahead[30:70].mean() > healthy[30:70].mean() + 0.05 and abs(ahead[-10:].mean() - healthy[-10:].mean()) < 0.1


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
