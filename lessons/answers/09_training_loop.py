"""Worked answers of lesson 09, and the key to its quiz."""

import contextlib
import importlib.util
import io
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from minillm.optim.adamw import adamw_init, adamw_update
from minillm.optim.clipping import clip_scale
from minillm.phases.pretrain import PretrainConfig

LESSONS = Path(__file__).resolve().parents[1]
KEY = {"a": "no 1/sqrt(D)", "b": "labels shifted twice", "c": "gradients not cleared", "d": "end token masked out",
       "e": "no causal mask", "f": "KL with the wrong sign", "g": "all labels masked", "h": "reward not normalized",
       "i": "temperature missing in the ratio"}
# What gives each away: the bounds that its recorded symptom, beside the healthy run, lies between.
TELLS = {"no 1/sqrt(D)": (0.02, 1),                      # training loss at step 50: above, and nothing worse
         "labels shifted twice": (3, np.inf),           # held-out loss: surely wrong about nearly every token
         "gradients not cleared": (0.3, np.inf),        # training loss at the end: stays high
         "end token masked out": (0.5, 1.1),            # share of texts that go on for ever: nearly all
         "no causal mask": (0.3, 10),                   # held-out loss: bad, while the training loss is better than healthy
         "KL with the wrong sign": (0.1, np.inf),       # KL, nats: runs away, and its value loss does not
         "all labels masked": (0.5, np.inf),            # refused at the first step: no curve
         "reward not normalized": (50, np.inf),         # first value loss: explodes
         "temperature missing in the ratio": (0.1, np.inf)}     # distance of the first ratios from 1


@cache
def museum():
    """The lesson's script, run once in its smallest size for the sake of its functions."""
    import workbench

    size, workbench.SIZE = workbench.SIZE, "smoke"
    spec = importlib.util.spec_from_file_location("museum", LESSONS / "09_training_loop.py")
    module = importlib.util.module_from_spec(spec)
    with contextlib.redirect_stdout(io.StringIO()):
        spec.loader.exec_module(module)
    workbench.SIZE = size
    return module


def look_at_controls(script):
    """Without the mask the answer is in view, in its control it is not. In that of the reward the price counts as before."""
    batch = script.window_batch(script.STREAM, 0, 8, script.LENGTH, 0, script.TOKENIZER.begin_id)
    leak, control = script.unmasked(batch), script.another_in_front(batch)
    for ours, theirs in zip(leak[1:3] + leak[4:], control[1:3] + control[4:]):          # targets, weights, visible_from
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(leak.tokens[:, script.LENGTH:], control.tokens[:, script.LENGTH:])
    assert (leak.tokens[:, :script.LENGTH] != control.tokens[:, :script.LENGTH]).any(axis=1).all()
    start, paid = np.array([0.2, 0.5, 0.3]), np.array([1.0, 0.0, 0.0])

    def best(reward, price):                            # in proportion to start * exp(reward / price)
        p = start * np.exp(reward / price)
        return p / p.sum()
    np.testing.assert_allclose(best(100 * paid, 30.0), best(paid, 0.3))
    assert best(100 * paid, 0.3)[0] > best(paid, 0.3)[0]


def test_exercise_1():
    """The key is above, and with it what gives each away. (a) learns, but falls behind the healthy run after some twenty steps
    and stays above it. (d) has the healthy curve, but its texts go on for ever. (b) and (e) have good curves and bad held-out
    losses: (b) is sure of the wrong letter, as it learned the one after the next; (e) looked ahead, and so its training loss
    even ends below the healthy one. (f) runs as far from the start as it can, and stays there. (h) leaves the healthy curve as
    well, but has rewards that its value head cannot follow. (i) ends nearer to the start than the healthy run does, and its first
    ratios are not 1. (c) swings, (g) never begins.
    """
    script = museum()
    names = list(script.symptoms)
    assert list(KEY.values()) == [names[place] for place in script.ORDER] and sorted(KEY.values()) == sorted(TELLS)
    recorded = json.loads((LESSONS / "results" / "09_training_loop.json").read_text(encoding="utf-8"))[0]["figures"]
    for name, (low, high) in TELLS.items():
        assert low < recorded[name][1] <= recorded[name][2] < high, name
    (healthy, _), (ahead, _), (long, _) = (script.run(name, 0, steps=100)
                                           for name in ("healthy", "no causal mask", "no 1/sqrt(D)"))
    assert ahead[-10:].mean() < healthy[-10:].mean() < long[-10:].mean()
    look_at_controls(script)


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


# Exercise 4, the function to write.
def accumulated(parts):
    """Sums, from means; a part without tokens is left out."""
    parts = [part for part in parts if part[2] > 0]
    tokens = sum(n for _, _, n in parts)
    grads = {name: sum(n * grads[name] for _, grads, n in parts) / tokens for name in parts[0][1]}
    return sum(n * loss for loss, _, n in parts) / tokens, grads


def check_accumulated(function):
    """Asserts on two parts of unequal length, on a part without tokens, and that the parts stay as they were."""
    parts = [(1.0, {"w": np.array([1.0, 0.0])}, 1), (2.0, {"w": np.array([0.0, 4.0])}, 3)]
    loss, grads = function(parts)
    assert np.isclose(loss, 1.75), f"losses 1 over one token and 2 over three: expected 7 / 4 = 1.75, got {loss}"
    assert np.allclose(grads["w"], [0.25, 3.0]), f"expected the gradient [0.25, 3.0], got {grads['w']}"
    assert parts[0][1]["w"].tolist() == [1.0, 0.0], "the parts' gradients were changed: expected [1.0, 0.0] as before"
    empty = (float("nan"), {"w": np.full(2, np.nan)}, 0)
    loss, grads = function([empty, *parts])
    assert np.isclose(loss, 1.75), f"a part in which no token counts: expected 1.75 as without it, got {loss}"
    assert np.allclose(grads["w"], [0.25, 3.0]), f"a part in which no token counts: expected [0.25, 3.0], got {grads['w']}"


def test_exercise_4():
    """The solution passes; the mean of the parts' means, which was in a widely used library, does not."""
    check_accumulated(accumulated)

    def mean_of_means(parts):
        return np.mean([loss for loss, _, _ in parts]), {"w": np.mean([grads["w"] for _, grads, _ in parts], axis=0)}
    with pytest.raises(AssertionError, match="expected 7 / 4"):
        check_accumulated(mean_of_means)


def test_exercise_5():
    """With W = 0 the logits are 0, so the guess is uniform. The head's gradient is dW = dlogits h^T, and h, the normalized output
    of blocks of zeros over an embedding of zeros, is 0: dW = 0. What goes back is dh = W^T dlogits, and W is 0: dh = 0, so
    everything below has no gradient either. No weight ever moves.
    """
    script = museum()
    curve, held = script.failing("all weights start at zero", 0, steps=3)
    np.testing.assert_allclose(curve, np.log(script.TOKENIZER.vocab_size), rtol=1e-6)
    np.testing.assert_allclose(held[-1, 1], np.log(script.TOKENIZER.vocab_size), rtol=1e-6)


def test_exercise_6():
    """The same seeds in both arms, and several of them. Two healthy runs of different seeds differ too: the script's table of
    symptoms has that distance in the column "two runs without it apart". Only a difference that it cannot reach says anything.
    """
    script = museum()
    (one, _), (other, _) = (script.run("healthy", seed, steps=30) for seed in (0, 1))
    assert abs(one[-5:].mean() - other[-5:].mean()) > 0.005


def test_exercise_7():
    """Clipping and the learning rate both changed. The missing arms: clipping at the old rate, and the doubled rate without
    clipping, with the same seeds, and several of them. If it was clipping alone, the first arm ends at 0.40 and the second at
    0.50. If it was the rate alone, it is the other way round. If each needs the other, both end near 0.50, or the second even
    above: clipping then is worth something, but only because it allows the higher rate.
    """
    def effects(loss):                                  # loss[clipped, doubled]
        return loss[0, 0] - loss[1, 0], loss[0, 0] - loss[0, 1], loss[0, 1] + loss[1, 0] - loss[0, 0] - loss[1, 1]
    before, after = 0.50, 0.40                          # all that he has: the same under all three explanations
    for clip_only, rate_only, wanted in ((0.40, 0.50, (0.1, 0, 0)), (0.50, 0.40, (0, 0.1, 0)), (0.50, 0.50, (0, 0, 0.1))):
        np.testing.assert_allclose(effects(np.array([[before, rate_only], [clip_only, after]])), wanted, atol=1e-12)


def test_exercise_8():
    """The second run also read four times as many tokens. The arm: 32 rows for 38 steps, which are as many tokens. But then it
    has a quarter of the updates, and warm-up and cosine are as much shorter. Rows, steps and tokens hang together (tokens = rows
    x steps x length), so no arm changes the rows alone. One holds the steps fixed or the tokens, and says which: the first
    answers what larger batches give if text and time cost nothing, the second what they give for as much reading.

    What the larger batch surely does is known: the noise of a mean of 32 rows is half that of 8.
    """
    tokens = {(rows, steps): rows * steps * 64 for rows, steps in ((8, 150), (32, 150), (32, 38))}
    assert tokens[32, 150] == 4 * tokens[8, 150] and abs(tokens[32, 38] / tokens[8, 150] - 1) < 0.02
    rows = np.random.default_rng(0).standard_normal((4000, 32))
    assert abs(rows.mean(axis=1).std() / rows[:, :8].mean(axis=1).std() - 0.5) < 0.03
