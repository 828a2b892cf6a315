"""Where does the time of a training step go, and why do plain loops lose?

    python lessons/16_speed.py [--full]
"""

# %% A product of two matrices, four ways, timed in turn in one run.
import time

import numba
import numpy as np
import workbench as w

from minillm.kernels.attention import attention_forward
from minillm.kernels.matmul import matmul_nn
from minillm.kernels.norm import rmsnorm_forward

N = w.pick(48, 512)
a, b = np.random.default_rng(0).standard_normal((2, N, N)).astype(np.float32)


def loops(a, b):
    """Three loops in Python, for the first row of the product alone."""
    return [sum(a[0, k] * b[k, j] for k in range(len(b))) for j in range(b.shape[1])]


def rows(a, b):
    """A row of the product at a time, in NumPy: c_i = sum_k a_ik b_k."""
    return np.array([(row[:, None] * b).sum(axis=0) for row in a[:8]])


WAYS = {"loops in Python": (loops, 1), "rows in NumPy": (rows, 8), "minillm": (matmul_nn, N), "BLAS": (np.matmul, N)}


def gflops(call, rows):
    """2 N^2 floating-point operations a row, over the fastest of a few calls."""
    call(a, b)
    taken = []
    for _ in range(w.pick(2, 9)):
        began = time.perf_counter()
        call(a, b)
        taken.append(time.perf_counter() - began)
    return 2 * N * N * rows / min(taken) / 1e9


speeds = {name: gflops(*way) for name, way in WAYS.items()}
w.show([(name, speed) for name, speed in speeds.items()], ("a product of " + str(N), "GFLOP/s"))
ratio = speeds["minillm"] / speeds["rows in NumPy"]
print(f"  predicted: minillm's product is at least 20 times faster than rows in NumPy; found {ratio:.0f} times: "
      + ("holds" if ratio >= 20 else "fails"))

# %% Arithmetic intensity: operations a byte decide whether a kernel waits for the memory or for the arithmetic.
x, gain = np.random.default_rng(1).standard_normal((w.pick(64, 8192), 512)).astype(np.float32), np.ones(512, np.float32)
rmsnorm_forward(x, gain, 1e-5)
began = time.perf_counter()
rmsnorm_forward(x, gain, 1e-5)
taken = time.perf_counter() - began
print(f"  RMSNorm: {5 * x.size / (8 * x.size):.2f} operations a byte, {8 * x.size / taken / 1e9:.1f} GB/s; "
      f"a product of {N}: {2 * N ** 3 / (12 * N * N):.0f} operations a byte")

# %% The same numbers on any number of threads: each element is summed by one thread, in a fixed order.
q, k, v = np.random.default_rng(2).standard_normal((3, 2, 40, 4, 16)).astype(np.float32)
first, most, seen = np.zeros((2, 40), np.int32), numba.get_num_threads(), []
for threads in (1, most):
    numba.set_num_threads(threads)
    seen.append((matmul_nn(a, b), attention_forward(q, k, v, first)[0]))
numba.set_num_threads(most)
same = all(np.array_equal(one, other) for one, other in zip(*seen))
print(f"  predicted: bit-equal on 1 and {most} threads; found: {same}")


def draw(axes):
    """The four ways, on a logarithmic axis."""
    axes.barh(list(speeds), list(speeds.values()))
    axes.set_xscale("log")
    axes.invert_yaxis()
    axes.set_xlabel("GFLOP/s")


w.picture("16_ladder", draw)
