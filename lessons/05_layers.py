"""How do we know that a backward pass is right?

    python lessons/05_layers.py [--full]
"""

# %% A layer, a random input and a random upstream gradient, all in float64.
from unittest.mock import patch

import numpy as np
import workbench as w

from minillm.config import ModelConfig
from minillm.kernels import norm as norm_kernels
from minillm.layers.block import block_backward, block_forward, block_init
from minillm.layers.norm import norm_backward, norm_forward
from minillm.model.transformer import one_document
from minillm.tree import tree_map

SEEDS = w.pick((0,), (0, 1, 2, 3, 4))
CONFIG = ModelConfig(vocab_size=11, width=12, heads=3, kv_heads=1, hidden=10, layers=1)


def without_second_term(dy, x, gain, inv_rms, residual):
    """rmsnorm_backward as somebody would write it who forgot that r depends on x: the control, which must fail."""
    return residual + dy * gain * inv_rms[:, None], np.sum(dy * x * inv_rms[:, None], axis=0)


def block_case(seed):
    """(function of x, dx by the backward, dx by the wrong backward, a point) of one transformer block."""
    rng = np.random.default_rng(seed)
    params = tree_map(lambda leaf: leaf.astype(np.float64), block_init(rng, CONFIG))
    x, dy = rng.standard_normal((2, 2, 5, 12))
    positions, visible_from = one_document(np.zeros((2, 5), np.int32))

    def f(x):
        return np.sum(block_forward(x, params, CONFIG, positions, visible_from)[0] * dy)
    _, cache = block_forward(x, params, CONFIG, positions, visible_from)
    right = block_backward(dy, cache)[0]
    with patch.object(norm_kernels, "rmsnorm_backward", without_second_term):
        return f, right, block_backward(dy, cache)[0], x


# %% The derivative along a random direction, by the backward and by central differences, for many step sizes.
def errors(seed, steps):
    """Relative error between measurement and backward, for each step size: of the right one and of the wrong one."""
    f, right, wrong, x = block_case(seed)
    v = np.random.default_rng([seed, 1]).standard_normal(x.shape)
    measured = np.array([(f(x + h * v) - f(x - h * v)) / (2 * h) for h in steps])
    claimed = np.array([np.sum(right * v), np.sum(wrong * v)])[:, None]
    return np.abs(measured - claimed) / np.abs(claimed)


STEPS = np.logspace(-12, -1, w.pick(4, 23))
found = np.array([errors(seed, STEPS) for seed in SEEDS])                   # (seeds, 2, steps)
typical = np.exp(np.log(found + 1e-16).mean(axis=0))
with w.table("05_central_differences"):
    w.show(list(zip(STEPS[::2], *typical[:, ::2])), ("step", "right backward", "without the second term"))
best = STEPS[typical[0].argmin()]


# %% Why the upstream gradient must be random: the outputs of a LayerNorm sum to 0, so under ones its gradient is 0,
# and a backward that is wrong by a factor of 2 is 0 as well.
def doubled_norm(dy):
    """(size of the right gradient, size of the mistake) where a LayerNorm's backward is wrong by a factor of 2."""
    x = np.random.default_rng(0).standard_normal((4, 6))
    _, cache = norm_forward(x, {"gain": np.ones(6)}, "layernorm", 1e-5)
    right, _ = norm_backward(dy, cache)
    return float(np.linalg.norm(right)), float(np.linalg.norm(2 * right - right))


with w.table("05_central_differences"):
    upstream = {"ones": np.ones((4, 6)), "random": np.random.default_rng(1).standard_normal((4, 6))}
    w.show([(name, *doubled_norm(dy)) for name, dy in upstream.items()],
           ("upstream gradient", "size of the right gradient", "size of the mistake"))


def draw(axes):
    """The error over the step size: a U for the right backward, a flat line for the wrong one."""
    for color, name, lines, line in zip(("tab:blue", "tab:red"), ("right backward", "RMSNorm's second term left out"),
                                        found.transpose(1, 0, 2), typical):
        axes.loglog(STEPS, lines.T, color=color, alpha=0.25, linewidth=1)
        axes.loglog(STEPS, line, "o-", color=color, label=name)
    axes.set_xlabel("step h of the central difference")
    axes.set_ylabel("relative error against the measurement")
    axes.legend(frameon=False)


picture = w.picture("05_central_differences", draw)
near = (STEPS > 1e-7) & (STEPS < 1e-4) if w.SIZE != "smoke" else STEPS > 0
low, control = np.log10(found[:, :, near]).min(axis=2).T
mean, lower, upper = w.interval(low)
with w.table("05_central_differences"):
    print(f"  the best step is about {best:.0e}; between 1e-7 and 1e-4 the error falls to 1e{mean:.1f} "
          f"(1e{lower:.1f} to 1e{upper:.1f}); predicted: below 1e-8: {w.verdict(-8 - upper, -8 - lower)}")
    print(f"  the control, without the second term, comes no nearer than 1e{control.min():.1f}; "
          f"predicted: above 1e-3 with every seed: {'holds' if control.min() > -3 else 'fails'}")
