"""How near do the hand-written matrix products come to BLAS, for every linear layer of four models?

    python benchmarks/matmul.py --json matmul.json --plot matmul.png

A linear layer takes three products: y = x W^T forward, dx = dy W and dW = dy^T x backward. The table has all of
them for the shapes of each model, the head included: minillm's, NumPy's BLAS, and three plain loops compiled by
numba. The loops run on one thread and compute the first rows of C alone, as many as they can in a moment.

The ladder builds the product up on one square size: the three loops; the same in the order in which rows are
read; blocks that stay in the cache; tiles that stay in registers; all threads.
"""

import time

import numba
import numpy as np
from common import Report, alternate, flags, geometric_mean, median, pair_ratios, parse, progress, spread
from models import MODELS, TINY
from pictures import bars

from minillm.kernels.matmul import matmul_nn, matmul_nt, matmul_tn
from minillm.kernels.twin import FASTMATH

COLUMNS = [("model", "model", ""), ("layer", "layer", ""), ("product", "product", ""), ("n", "rows", ",d"),
           ("k", "summed", ",d"), ("m", "columns", ",d"), ("ours", "minillm GFLOP/s", ",.1f"),
           ("blas", "BLAS", ",.1f"), ("loops", "plain loops", ",.2f"), ("ratio", "minillm / BLAS", ".3f"),
           ("spread", "spread", ".1%")]
STEP_COLUMNS = [("model", "model", ""), ("ours", "minillm ms", ",.2f"), ("blas", "BLAS ms", ",.2f"),
                ("ratio", "minillm / BLAS, speed", ".3f")]
LADDER_COLUMNS = [("rung", "rung", ""), ("gflops", "GFLOP/s", ",.2f"), ("times", "times the rung before", ",.1f")]
compiled = numba.njit(cache=True, fastmath=FASTMATH, error_model="numpy")       # as the package compiles


@compiled
def plain_loops(a, b):
    """C = A B as it is defined: each element a sum over k."""
    c = np.zeros((a.shape[0], b.shape[1]), a.dtype)
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            for k in range(b.shape[0]):
                c[i, j] += a[i, k] * b[k, j]
    return c


@compiled
def add_scaled_row(c, x, b):
    """c += x b, over rows that lie in one piece: this loop runs in vectors."""
    for j in range(c.size):
        c[j] += x * b[j]


@compiled
def row_by_row(a, b):
    """The same sums with k before j: rows of B and C are read in the order in which they lie in memory."""
    c = np.zeros((a.shape[0], b.shape[1]), a.dtype)
    for i in range(a.shape[0]):
        for k in range(b.shape[0]):
            add_scaled_row(c[i], a[i, k], b[k])
    return c


@compiled
def in_blocks(a, b):
    """row_by_row on blocks of B, each of which stays in the cache while all rows of A pass by."""
    c = np.zeros((a.shape[0], b.shape[1]), a.dtype)
    for k0 in range(0, b.shape[0], 64):
        for j0 in range(0, b.shape[1], 128):
            for i in range(a.shape[0]):
                for k in range(k0, min(k0 + 64, b.shape[0])):
                    add_scaled_row(c[i, j0:j0 + 128], a[i, k], b[k, j0:j0 + 128])
    return c


def on_one_thread(call):
    """The call with numba held to one thread."""
    def held():
        numba.set_num_threads(1)
        call()
        numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
    return held


def linear_layers(shape):
    """(name, C_in, C_out, how many of them) of the linear layers of a model."""
    return [("attention", shape.C, shape.C, 4 * shape.layers), ("up", shape.C, 4 * shape.C, shape.layers),
            ("down", 4 * shape.C, shape.C, shape.layers), ("head", shape.C, shape.V, 1)]


def products(rng, rows, c_in, c_out):
    """(name, our kernel, its arguments, A and B of C = A B) of a layer's three products."""
    x, dy, w = (rng.standard_normal(size, np.float32) for size in ((rows, c_in), (rows, c_out), (c_out, c_in)))
    return [("x W^T", matmul_nt, (x, w), x, w.T), ("dy W", matmul_nn, (dy, w), dy, w),
            ("dy^T x", matmul_tn, (dy, x), dy.T, x)]


def loops_gflops(a, b, most):
    """Speed of the plain loops on so many rows that they take `most` multiply-adds."""
    a = np.ascontiguousarray(a[:max(1, most // b.size)])
    plain_loops(a[:0], b)       # compiles
    began = time.perf_counter()
    plain_loops(a, b)
    return 2 * a.shape[0] * b.size / (time.perf_counter() - began) / 1e9


def measure(model, layer, product, kernel, args, a, b, options):
    """One row of the table."""
    error = np.abs(kernel(*args) - kernel.plain(*args)).max() / np.sqrt(b.shape[0])
    if not error < 1e-4:
        raise SystemExit(f"{model}, {layer}, {product}: the products differ by {error:.1e}")
    seconds = alternate({"ours": lambda: kernel(*args), "blas": lambda: kernel.plain(*args)},
                        options.rounds, options.quick)
    flops = 2 * a.shape[0] * b.size
    return {"model": model, "layer": layer, "product": product, "n": a.shape[0], "k": b.shape[0], "m": b.shape[1],
            "ours": flops / median(seconds["ours"]) / 1e9, "blas": flops / median(seconds["blas"]) / 1e9,
            "loops": loops_gflops(a, b, 1 << (16 if options.quick else 24)), "seconds": seconds,
            "ratio": median(pair_ratios(seconds["blas"], seconds["ours"])), "spread": spread(seconds["ours"])}


def whole_step(model, shape, rows):
    """The products of a whole training step: each as often as the model has the layer."""
    count = {name: number for name, _, _, number in linear_layers(shape)}
    total = {side: sum(count[row["layer"]] * 1e3 * median(row["seconds"][side]) for row in rows
                       if row["model"] == model) for side in ("ours", "blas")}
    return {"model": model, **total, "ratio": total["blas"] / total["ours"]}


def ladder(size, args):
    """Speed of each rung on one square product."""
    a, b = np.random.default_rng(0).standard_normal((2, size, size), np.float32)
    rungs = {"three plain loops": lambda: plain_loops(a, b), "row by row": lambda: row_by_row(a, b),
             "in blocks": lambda: in_blocks(a, b),
             "register tiles (minillm, one thread)": on_one_thread(lambda: matmul_nn(a, b)),
             "register tiles (minillm, all threads)": lambda: matmul_nn(a, b),
             "BLAS (all threads)": lambda: a @ b}
    seconds = alternate(rungs, min(args.rounds, 3), args.quick)
    speeds = {name: 2 * size**3 / median(taken) / 1e9 for name, taken in seconds.items()}
    return [{"rung": name, "gflops": speed, "times": speed / before if before else None}
            for (name, speed), before in zip(speeds.items(), [None, *speeds.values()])]


def main(argv=None):
    """The table of products, the whole steps, the ladder."""
    args = parse(flags(__doc__, against=("numpy",), default="numpy"), argv)
    report, rng = Report(__file__, __doc__, args), np.random.default_rng(0)
    if matmul_nt is matmul_nt.plain:
        raise SystemExit("MINILLM_MATMUL or MINILLM_KERNELS puts NumPy's product in place of ours; unset it")
    shapes, rows = {"tiny": TINY} if args.quick else MODELS, []
    for model, shape in shapes.items():
        for layer, c_in, c_out, _ in linear_layers(shape):
            progress(f"{model}: {layer}")
            for product in products(rng, shape.B * shape.T, c_in, c_out):
                rows.append(measure(model, layer, *product, args))
    report.table("Every product of every linear layer", COLUMNS, rows)
    ratios = [row["ratio"] for row in rows]
    report.note(f"minillm / BLAS: geometric mean {geometric_mean(ratios):.3f}, minimum {min(ratios):.3f}.")
    report.table("All products of a training step", STEP_COLUMNS,
                 [whole_step(model, shape, rows) for model, shape in shapes.items()])
    size = 64 if args.quick else 768
    report.table(f"The ladder, {size} x {size} x {size}", LADDER_COLUMNS, ladder(size, args))
    labels = [f"{row['model']} {row['layer']} {row['product']}" for row in rows]
    report.finish(lambda axes: bars(axes, labels, {"minillm": [row["ours"] for row in rows],
                                                   "BLAS": [row["blas"] for row in rows]}, "GFLOP/s"),
                  geometric_mean=geometric_mean(ratios), minimum=min(ratios))


if __name__ == "__main__":
    main()
