"""Where does the time of a training step go, and why do plain loops lose?

    python lessons/20_speed.py [--full]
"""

# %% Where the time goes: one training step of the model of lesson 00 under Python's profiler, file by file.
import cProfile
import pstats
import time
from collections import Counter
from functools import partial
from pathlib import Path

import numba
import numpy as np
import workbench as w

from minillm.config import ModelConfig
from minillm.kernels.attention import attention_forward
from minillm.kernels.matmul import matmul_nn
from minillm.kernels.norm import rmsnorm_forward
from minillm.model.transformer import one_document, transformer_init
from minillm.objectives.next_token import next_token_objective
from minillm.optim.adamw import adamw_init
from minillm.phases.pretrain import PretrainConfig
from minillm.text.batches import Batch
from minillm.training.loop import State, train

config, settings = ModelConfig(vocab_size=3072), PretrainConfig(steps=1, rows=w.pick(2, 16))
params = transformer_init(config, np.random.default_rng(0))
shape = (settings.rows, config.context)
tokens, targets = np.random.default_rng(1).integers(0, config.vocab_size, (2, *shape), np.int32)
batch = Batch(tokens, targets, np.ones(shape, np.float32), *one_document(tokens))
step = (params, settings, lambda step: [batch], partial(next_token_objective, config=config))
train(*step)                                        # compiles
profiler, state = cProfile.Profile(), State(params, adamw_init(params))
profiler.runcall(train, *step, state=state)
seconds = Counter()
for (file, _, _), (_, _, own, _, _) in pstats.Stats(profiler).stats.items():
    seconds["built into NumPy and Python" if file == "~" else Path(file).stem] += own
spent = [(name, taken / seconds.total()) for name, taken in seconds.most_common(7)]
w.show([*spent, ("all others", 1 - sum(share for _, share in spent))],
       (f"a step of {1e3 * seconds.total():.0f} ms, by file", "share"))

# %% A product of two matrices, in several ways, timed in one run.
N = w.pick(48, 512)
a, b = np.random.default_rng(0).standard_normal((2, N, N)).astype(np.float32)


def loops(a, b):
    """Three loops in Python, for the first row of the product alone."""
    return [sum(a[0, k] * b[k, j] for k in range(len(b))) for j in range(b.shape[1])]


def broadcast_and_sum(a, b):
    """A row of the product at a time, in NumPy: c_i = sum_k a_ik b_k. All N^2 products are written out and read again."""
    return np.array([(row[:, None] * b).sum(axis=0) for row in a[:8]])


@numba.njit(fastmath=True)
def add_scaled_row(c, x, b):
    """c += x b, over rows that lie in one piece: this loop runs in vectors."""
    for j in range(c.size):
        c[j] += x * b[j]


@numba.njit(fastmath=True)
def row_by_row(a, b):
    """The same sums, compiled, without writing the products out: the rung before the tile."""
    c = np.zeros((a.shape[0], b.shape[1]), a.dtype)
    for i in range(a.shape[0]):
        for k in range(b.shape[0]):
            add_scaled_row(c[i], a[i, k], b[k])
    return c


def alone(a, b):
    """The kernel on one thread."""
    numba.set_num_threads(1)
    c = matmul_nn(a, b)
    numba.set_num_threads(most)
    return c


most = numba.get_num_threads()
WAYS = {"loops in Python": (loops, 1), "broadcast and sum in NumPy": (broadcast_and_sum, 8),
        "row by row, compiled, one thread": (row_by_row, N), "minillm, one thread": (alone, N), "minillm": (matmul_nn, N),
        "BLAS": (np.matmul, N)}


def seconds_of(call, *args):
    """How long one call takes."""
    began = time.perf_counter()
    call(*args)
    return time.perf_counter() - began


def fastest(call, *args):
    """Seconds of the fastest of a few calls, the first of which compiles."""
    return min([seconds_of(call, *args) for _ in range(w.pick(2, 10))][1:])


# %% Every way takes its turn in every round, so that other work on the machine meets them all.
GROUPS, ROUNDS, BAR = 3, w.pick(1, 5, 15), 10       # other work can only add time: of each group of rounds, the fastest counts
for way, _ in WAYS.values():
    way(a, b)                                       # compiles
found = {name: np.zeros((GROUPS, ROUNDS)) for name in WAYS}                     # GFLOP/s
for group, round in np.ndindex(GROUPS, ROUNDS):
    for name, (way, rows) in WAYS.items():
        found[name][group, round] = 2 * N * N * rows / seconds_of(way, a, b) / 1e9
best = {name: speeds.max(axis=1) for name, speeds in found.items()}             # (GROUPS,)
speeds = {name: float(groups.max()) for name, groups in best.items()}
w.show([(name, speeds[name], float(best[name].min())) for name in WAYS],
       ("a product of " + str(N), "GFLOP/s, the fastest round", f"of the slowest of {GROUPS} groups"))


def times_faster(one, other):
    """(middle, least, most) over the groups of how many times faster one way is than another."""
    ratios = np.sort(best[one] / best[other])
    return ratios[GROUPS // 2], ratios[0], ratios[-1]


middle, least, most_of_all = times_faster("minillm, one thread", "broadcast and sum in NumPy")
outcome = "holds" if least >= BAR else "fails" if most_of_all < BAR else "undecided: other work on the machine decides it"
print(f"  predicted: on one thread, minillm's product is at least {BAR} times faster than broadcast and sum; found {middle:.0f} "
      f"times ({least:.0f} to {most_of_all:.0f} over {GROUPS} groups of {ROUNDS} rounds): {outcome}")
ROWS, SUMS = "row by row, compiled, one thread", "broadcast and sum in NumPy"
for what, one, other in (("of that, compiled rows against broadcasting", ROWS, SUMS),
                         ("of that, the tile against compiled rows", "minillm, one thread", ROWS),
                         (f"beside it, {most} threads against one", "minillm", "minillm, one thread")):
    print(f"    {what}: " + "{:.1f} times ({:.1f} to {:.1f})".format(*times_faster(one, other)))

# %% Arithmetic intensity: operations a byte decide whether a kernel waits for the memory or for the arithmetic.
@numba.njit(parallel=True)
def copied(x):
    """A new array with the numbers of x, by all threads: what the memory alone takes."""
    y = np.empty_like(x)
    for i in numba.prange(len(x)):
        y[i] = x[i]
    return y


x, gain = np.random.default_rng(1).standard_normal((w.pick(64, 8192), 512)).astype(np.float32), np.ones(512, np.float32)
norm, copy = (8 * x.size / taken / 1e9 for taken in (fastest(rmsnorm_forward, x, gain, 1e-5), fastest(copied, x)))
print(f"  RMSNorm: {5 * x.size / (8 * x.size):.2f} operations a byte, {norm:.1f} GB/s; a copy of as many bytes: {copy:.1f} GB/s; "
      f"a product of {N}: {2 * N ** 3 / (12 * N * N):.0f} operations a byte")

# %% The same numbers on any number of threads: each element is summed by one thread, in a fixed order.
q, k, v = np.random.default_rng(2).standard_normal((3, 2, 40, 4, 16)).astype(np.float32)
visible_from, seen = np.zeros((2, 40), np.int32), []
for threads in (1, most):
    numba.set_num_threads(threads)
    seen.append((matmul_nn(a, b), attention_forward(q, k, v, visible_from)[0]))
numba.set_num_threads(most)
same = all(np.array_equal(one, other) for one, other in zip(*seen))
print(f"  predicted: bit-equal on 1 and {most} threads; found: {same}" if most > 1 else
      "  one thread is all there is here: nothing to compare (NUMBA_NUM_THREADS asks for more)")


def draw(axes):
    """The ways, on a logarithmic axis."""
    axes.barh(list(speeds), list(speeds.values()))
    axes.set_xscale("log")
    axes.invert_yaxis()
    axes.set_xlabel("GFLOP/s")


w.picture("20_ladder", draw)
