"""How near do the hand-written matrix products come to BLAS and to the limit, for every linear layer of four models?

    python benchmarks/matmul.py --json matmul.json --plot matmul.png             (--against torch: PyTorch's too)

A linear layer takes three products: y = x W^T forward, dx = dy W and dW = dy^T x backward. The tables have all of
them for the shapes of each model, the head included: minillm's, the libraries', and three plain loops compiled by
numba. In bfloat16 the factors are rounded beforehand. Each side has a process of its own and they are timed in turn;
the libraries run without the environment variables that may slow them. The best of them is the one that is quicker
over all shapes. The limit is that of machine.py. The plain loops run on one thread and compute the first rows of C
alone, as many as they can in a moment.

The ladder builds the product up on one square size: the three loops; the same in the order in which rows are
read; blocks that stay in the cache; tiles of 4 rows that stay in registers; as many rows as the registers hold; all
threads; bfloat16.
"""

import math
import time

import numba
import numpy as np
from common import (LEAST, Report, alternate, flags, geometric_mean, grouped, median, pair_ratios, parse,
                    progress, spread)
from models import MODELS, TINY
from peaks import PRECISIONS, limits, register_peak
from pictures import bars
from products import micro_kernel_speed
from turns import open_sides, take_turns

from minillm.kernels.bfloat16 import to_bfloat16
from minillm.kernels.lanes import MR, lanes
from minillm.kernels.matmul import matmul_nn, matmul_nt
from minillm.kernels.matmul_blocks import KC, MC, pack_b
from minillm.kernels.tile import add_step, load_two, store_two
from minillm.kernels.twin import FASTMATH

OURS, NUMPY, TORCH = "minillm", "NumPy's BLAS", "PyTorch"
SHAPE_COLUMNS = [("model", "model", ""), ("layer", "layer", ""), ("product", "product", ""), ("n", "rows", ",d"),
                 ("k", "summed", ",d"), ("m", "columns", ",d")]
STEP_COLUMNS = [("model", "model", ""), ("precision", "precision", ""), ("ours", "minillm ms", ",.2f"),
                ("best", "best library's ms", ",.2f"), ("ratio", "minillm / best, speed", ".3f"),
                ("share", "of the limit", ".1%")]
BESIDE = {"loops": "plain loops", "float32": "minillm float32"}
MICRO_COLUMNS = [("precision", "precision", ""), ("gflops", "GFLOP/s", ",.1f"), ("share", "of the limit", ".1%")]
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


@compiled
def four_rows(c, ldc, a, row, b, depth):
    """The micro-kernel of tile.py with 4 rows: 8 sums."""
    n = lanes(c)
    c0, c1, c2, c3 = load_two(c, 0), load_two(c, ldc), load_two(c, 2 * ldc), load_two(c, 3 * ldc)
    for k in range(depth):
        some = load_two(b, 2 * k * n)
        c0, c1 = add_step(c0, a, k, some), add_step(c1, a, k + row, some)
        c2, c3 = add_step(c2, a, k + 2 * row, some), add_step(c3, a, k + 3 * row, some)
    store_two(c, 0, c0)
    store_two(c, ldc, c1)
    store_two(c, 2 * ldc, c2)
    store_two(c, 3 * ldc, c3)


@compiled
def tiles_of_four_rows(a, b):
    """Blocks of packed panels of B, tile by tile, where all sides are whole tiles."""
    (M, K), N = a.shape, b.shape[1]
    c, NR, rows = np.zeros((M, N), a.dtype), 2 * lanes(a), a.reshape(a.size)
    panels, flat = np.empty((N // NR, (K + 1) * NR), a.dtype), c.reshape(c.size)
    pack_b(panels, b, False, 0, K, 0, N)
    for k in range(0, K, KC):
        for i0 in range(0, M, MC):
            for p in range(N // NR):
                for i in range(i0, min(i0 + MC, M), 4):
                    four_rows(flat[i * N + p * NR:], N, rows[i * K + k:], K, panels[p, k * NR:], min(KC, K - k))
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


class Table:
    """The products in one precision: minillm's side and the libraries', and what they took."""

    def __init__(self, precision, ours, libraries):
        """ours: "module:Class"; libraries: {name: "module:Class"}"""
        self.precision, self.ours = precision, f"{OURS}, {precision}"
        self.libraries = {f"{name}, {precision}": target for name, target in libraries.items()}
        self.targets = {self.ours: (ours, None), **{name: (target, None) for name, target in self.libraries.items()}}
        self.best, self.rows = None, []

    def add(self, where, flops, seconds, limit):
        """Keep one product.  where: its columns; seconds: {side: [of each round]}; limit: operations a second"""
        row = {**where, "flops": flops, "seconds": {name: seconds[name] for name in self.targets},
               "spread": spread(seconds[self.ours]), "at_limit": flops / limit}
        row.update({name: flops / median(seconds[name]) / 1e9 for name in self.targets})
        row["share"] = row[self.ours] * 1e9 / limit
        self.rows.append(row)

    def choose(self):
        """The library that is quickest over all products, and minillm's speed beside it."""
        if self.libraries:
            self.best = max(self.libraries, key=lambda name: geometric_mean([row[name] for row in self.rows]))
            for row in self.rows:
                row["ratio"] = median(pair_ratios(row["seconds"][self.best], row["seconds"][self.ours]))

    def columns(self):
        """The columns that this precision has."""
        return [*SHAPE_COLUMNS, *((name, f"{name.split(',')[0]} GFLOP/s", ",.1f") for name in self.targets),
                *((key, heading, ",.2f") for key, heading in BESIDE.items() if key in self.rows[0]),
                *([("ratio", f"minillm / {self.best.split(',')[0]}", ".3f")] if self.best else []),
                ("share", "of the limit", ".1%"), ("spread", "spread", ".1%")]

    def mean_shares(self, side):
        """A side's percentage of the limit for each product of each model: the geometric mean of the layers."""
        return [100 * geometric_mean([row["at_limit"] / median(row["seconds"][side]) for row in rows])
                for rows in grouped(self.rows, "model", "product").values()]

    def whole_step(self, model, shape):
        """The products of a whole training step: each as often as the model has the layer."""
        count = {name: number for name, _, _, number in linear_layers(shape)}

        def total(cost):
            return sum(count[row["layer"]] * 1e3 * cost(row) for row in self.rows if row["model"] == model)
        ours = total(lambda row: median(row["seconds"][self.ours]))
        best = total(lambda row: median(row["seconds"][self.best])) if self.best else None
        return {"model": model, "precision": self.precision, "ours": ours, "best": best,
                "ratio": best and best / ours, "share": total(lambda row: row["at_limit"]) / ours}


def tables_of(against):
    """The precisions with their sides."""
    float32, bfloat16 = {NUMPY: "products:NumpyBlas"}, {}
    if against == "torch":
        float32[TORCH], bfloat16[TORCH] = "pytorch:Float32", "pytorch:BFloat16"
    return [Table("float32", "products:Ours", float32), Table("bfloat16", "products:OursBFloat16", bfloat16)]


def loops_gflops(rows, k, columns, most):
    """Speed of the plain loops on so many rows that they take `most` multiply-adds."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal((max(1, min(rows, most // (k * columns))), k), np.float32)
    b = rng.standard_normal((k, columns), np.float32)
    plain_loops(a[:0], b)       # compiles
    began = time.perf_counter()
    plain_loops(a, b)
    return 2 * a.shape[0] * b.size / (time.perf_counter() - began) / 1e9


def time_product(sides, product, sizes, options):
    """{side: [seconds of each round]} of one product, whose result is checked first."""
    for name, side in sides.items():
        side.ask("build", product, *sizes)
        off = side.ask("error")
        if not off <= 1:
            raise SystemExit(f"{name}: {product} of {sizes} is wrong by {off:.1f} times what rounding explains")
    slowest = max(side.ask("seconds", 1) for side in sides.values())
    return take_turns(sides, options.rounds, "seconds", 1 if options.quick else math.ceil(LEAST / slowest))


def time_layers(sides, tables, model, shape, options):
    """Time all products of a model, and add them to the tables."""
    for layer, c_in, c_out, _ in linear_layers(shape):
        progress(f"{model}: {layer}")
        rows, found = shape.B * shape.T, limits(options.quick)
        for product, (n, k, m) in {"x W^T": (rows, c_in, c_out), "dy W": (rows, c_out, c_in),
                                   "dy^T x": (c_out, rows, c_in)}.items():
            seconds = time_product(sides, product, (rows, c_in, c_out), options)
            where = {"model": model, "layer": layer, "product": product, "n": n, "k": k, "m": m}
            for table in tables:
                table.add(where, 2 * n * k * m, seconds, found[table.precision])
            float32, bfloat16 = (table.rows[-1] for table in tables)
            float32["loops"] = loops_gflops(n, k, m, 1 << (16 if options.quick else 24))
            bfloat16["float32"] = float32[tables[0].ours]


def ladder(size, blas, args):
    """Speed of each rung on one square product.  blas: the side that the last rung is"""
    a, b = np.random.default_rng(0).standard_normal((2, size, size), np.float32)
    halves = to_bfloat16(a), to_bfloat16(b)
    for name, product in (("4 rows", tiles_of_four_rows(a, b)), ("bfloat16", matmul_nn(*halves))):
        error = np.abs(product - matmul_nn(a, b)).max() / math.sqrt(size)     # BLAS would start threads here
        if not error < (1e-4 if name == "4 rows" else 0.03):
            raise SystemExit(f"the ladder: the product in {name} is off by {error:.1e}")
    rungs = {"three plain loops": lambda: plain_loops(a, b), "row by row": lambda: row_by_row(a, b),
             "in blocks": lambda: in_blocks(a, b),
             "register tiles of 4 rows": lambda: tiles_of_four_rows(a, b),
             f"register tiles of {MR} rows (minillm, one thread)": on_one_thread(lambda: matmul_nn(a, b)),
             f"register tiles of {MR} rows (minillm, all threads)": lambda: matmul_nn(a, b),
             "bfloat16, rounding left out (minillm, all threads)": lambda: matmul_nn(*halves)}
    seconds = alternate(rungs, min(args.rounds, 3), args.quick)
    blas.ask("build", "dy W", size, size, size)
    seconds["BLAS (all threads)"] = [blas.ask("seconds", 3) for _ in range(args.rounds)]
    speeds = {name: 2 * size**3 / median(taken) / 1e9 for name, taken in seconds.items()}
    return [{"rung": name, "gflops": speed, "times": speed / before if before else None}
            for (name, speed), before in zip(speeds.items(), [None, *speeds.values()])]


def micro_kernels(quick):
    """The micro-kernel alone, on one core, beside the limit of that core."""
    rows = []
    for precision in PRECISIONS:
        progress(f"the micro-kernel, {precision}")
        tries, count = (1, 10) if quick else (20, 20_000)
        peak, speed = register_peak(precision, 1, tries), micro_kernel_speed(precision, tries, count)
        rows.append({"precision": precision, "gflops": speed / 1e9, "share": speed / peak})
    return rows


def main(argv=None):
    """The micro-kernel, the tables of products, the whole steps, the ladder."""
    args = parse(flags(__doc__, against=("torch",)), argv)
    report = Report(__file__, __doc__, args)
    if matmul_nt is matmul_nt.plain:
        raise SystemExit("MINILLM_MATMUL or MINILLM_KERNELS puts NumPy's product in place of ours; unset it")
    shapes, tables = {"tiny": TINY} if args.quick else MODELS, tables_of(args.against)
    targets = {name: target for table in tables for name, target in table.targets.items()}
    size = 64 if args.quick else 768
    report.table(f"The micro-kernel alone: a tile of {MR} rows, one core", MICRO_COLUMNS, micro_kernels(args.quick))
    with open_sides(targets, apart=not args.quick or bool(args.against)) as sides:
        for model, shape in shapes.items():
            time_layers(sides, tables, model, shape, args)
        rungs = ladder(size, sides[f"{NUMPY}, float32"], args)
    for table in tables:
        table.choose()
        report.table(f"Every product of every linear layer, {table.precision}", table.columns(), table.rows)
        if table.best:
            ratios = [row["ratio"] for row in table.rows]
            mean, lowest = geometric_mean(ratios), min(ratios)
            report.note(f"minillm / {table.best}: geometric mean {mean:.3f}, minimum {lowest:.3f}.")
            report.headline(f"{table.precision}: speed / best library's, geometric mean", mean, ".3f")
            report.headline(f"{table.precision}: speed / best library's, lowest", lowest, ".3f")
    report.table("All products of a training step", STEP_COLUMNS,
                 [table.whole_step(model, shape) for model, shape in shapes.items() for table in tables])
    report.table(f"The ladder, {size} x {size} x {size}", LADDER_COLUMNS, rungs)

    def draw(axes):
        shares = {name: table.mean_shares(name) for table in tables for name in (table.ours, table.best) if name}
        labels = [" ".join(key) for key in grouped(tables[0].rows, "model", "product")]
        bars(axes, labels, shares, "% of the machine's limit, mean of the layers (higher is better)")
    report.finish(draw)


if __name__ == "__main__":
    main()
