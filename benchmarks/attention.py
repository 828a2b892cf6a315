"""How do the time and the memory of attention grow with the context, beside PyTorch's?

    python benchmarks/attention.py --against torch --json attention.json --plot attention.png

Forward and backward of causal attention for T from 128 to 2,048 tokens, once with as many tokens a batch at every
T (a step's work then grows by attention alone) and once with one row a batch. The exponent is the slope through
the logarithms; both sides compute T^2 / 2 scores, so it tends to 1 and to 2. Memory is what the first forward
and backward add to the inputs at their peak: an implementation that keeps the scores would show T^2 here.
PyTorch's side is scaled_dot_product_attention(is_causal=True) on contiguous (B, H, T, D). The limit is that of
machine.py; of forward and backward count 7 products, over the visible half.
"""


import numpy as np
from common import (Report, columns_of, fit_exponent, flags, geometric_mean, grouped, median, pair_ratios, parse,
                    progress, spread)
from host import thread_count
from peaks import limits
from pictures import curves
from turns import Clocked, memory_of, open_sides, take_turns

from minillm.kernels import attention as kernels

H, D = 6, 64
TURN = 0.2      # seconds
OURS, THEIRS = "minillm", "PyTorch"
COLUMNS = [("batch", "batch", ""), ("side", "side", ""), ("B", "B", ",d"), ("T", "T", ",d"), ("ms", "ms", ",.2f"),
           ("spread", "spread", ".1%"), ("gflops", "GFLOP/s", ",.1f"), ("share", "of the limit", ".1%"),
           ("speed", "speed / PyTorch's", ".3f"), ("work", "peak MB", ",.1f")]
EXPONENT_COLUMNS = [("batch", "batch", ""), ("side", "side", ""), ("exponent", "time grows as T^", ".2f"),
                    ("memory", "peak memory as T^", ".2f")]


def inputs(B, T):
    """Queries, keys, values and the gradient of the output.  Shapes:  -> (4, B, T, H, D)"""
    return np.random.default_rng(0).standard_normal((4, B, T, H, D), np.float32)


class Ours(Clocked):
    """minillm's kernels."""

    def build(self, B, T):
        """Make the inputs."""
        self.q, self.k, self.v, self.dout = (np.ascontiguousarray(x) for x in inputs(B, T))
        self.first = np.zeros((B, T), np.int32)

    def once(self):
        """Forward and backward."""
        out, lse = kernels.attention_forward(self.q, self.k, self.v, self.first)
        return out, *kernels.attention_backward(self.dout, self.q, self.k, self.v, out, lse, self.first)

    def results(self):
        """(out, dq, dk, dv), each (B, T, H, D)."""
        return self.once()


class Theirs(Clocked):
    """PyTorch's attention."""

    def __init__(self):
        from pytorch import ready_torch

        ready_torch()

    def build(self, B, T):
        """Make the inputs, (B, H, T, D)."""
        import torch

        self.q, self.k, self.v, self.dout = (torch.from_numpy(x.swapaxes(1, 2).copy()) for x in inputs(B, T))
        for x in (self.q, self.k, self.v):
            x.requires_grad_()

    def once(self):
        """Forward and backward."""
        from torch.nn.functional import scaled_dot_product_attention

        self.q.grad = self.k.grad = self.v.grad = None
        out = scaled_dot_product_attention(self.q, self.k, self.v, is_causal=True)
        out.backward(self.dout)
        return out.detach(), self.q.grad, self.k.grad, self.v.grad

    def results(self):
        """(out, dq, dk, dv), each (B, T, H, D)."""
        return tuple(x.numpy().swapaxes(1, 2).copy() for x in self.once())


def check_results(sides):
    """Refuse to time sides that compute different things."""
    for side in sides.values():
        side.ask("build", 2, 50)
    found = {name: side.ask("results") for name, side in sides.items()}
    for name, results in found.items():
        for what, got, expected in zip(("out", "dq", "dk", "dv"), results, found[OURS], strict=True):
            if not np.allclose(got, expected, atol=1e-4):
                raise SystemExit(f"{name} and {OURS} differ in {what} by {np.abs(got - expected).max():.1e}")


def time_size(sides, batch, B, T, args):
    """One row a side for one size."""
    for side in sides.values():
        side.ask("build", B, T)
    slowest = max(side.ask("seconds", 1) for side in sides.values())
    repeats = 1 if args.quick else max(1, min(100, round(TURN / slowest)))
    seconds = take_turns(sides, args.rounds, "seconds", repeats)
    flops, limit, rows = 7 * B * H * T * (T + 1) * D, limits(args.quick)["float32"], []
    for name, taken in seconds.items():
        speed = median(pair_ratios(seconds[THEIRS], taken)) if THEIRS in seconds else None
        rows.append({"batch": batch, "side": name, "B": B, "T": T, "ms": 1e3 * median(taken), "seconds": taken,
                     "spread": spread(taken), "gflops": flops / median(taken) / 1e9,
                     "share": flops / median(taken) / limit, "speed": speed})
    return rows


def exponents(rows):
    """How time and memory grow, a row for each batch and side."""
    found = []
    for (batch, side), chosen in grouped(rows, "batch", "side").items():
        sizes, taken, peaks = columns_of(chosen, "T", "ms", "work")
        found.append({"batch": batch, "side": side, "exponent": fit_exponent(sizes, taken),
                      "memory": fit_exponent(sizes, peaks) if all(peaks) else None})
    return found


def time_all(targets, lengths, tokens, args):
    """The rows of both kinds of batches, at every length."""
    rows = []
    with open_sides(targets, apart=not args.quick or bool(args.against)) as sides:
        check_results(sides)
        for batch, rows_of in ((f"{tokens:,} tokens", lambda T: tokens // T), ("one row", lambda T: 1)):
            for T in lengths:
                progress(f"{batch}, T = {T}: {', '.join(sides)} in turn")
                rows += time_size(sides, batch, rows_of(T), T, args)
    return rows


def main(argv=None):
    """Time and memory at every size, then the exponents."""
    args = parse(flags(__doc__, against=("torch",)), argv)
    report = Report(__file__, __doc__, args)
    targets = {OURS: ("attention:Ours", None)}
    if args.against:
        targets[THEIRS] = ("attention:Theirs", None)
    lengths, tokens = ((16, 32), 64) if args.quick else ((128, 256, 512, 1024, 2048), 4096)
    rows = time_all(targets, lengths, tokens, args)
    for row in rows:
        if row["batch"] == "one row" and (not args.quick or row["T"] == lengths[-1]):
            progress(f"memory of {row['side']}, T = {row['T']}")
            row["work"] = memory_of(targets[row["side"]][0], (1, 16), (row["B"], row["T"]))["work"]
    report.table(f"Forward and backward of attention, {H} heads of {D}, {thread_count()} threads", COLUMNS, rows)
    report.table("Growth", EXPONENT_COLUMNS, exponents(rows))
    ours = [row for row in rows if row["side"] == OURS]
    report.headline("of the limit, geometric mean", geometric_mean([row["share"] for row in ours]), ".1%")
    if args.against:
        speeds = [row["speed"] for row in ours]
        report.headline("speed / PyTorch's, geometric mean", geometric_mean(speeds), ".2f")

    def draw(axes):
        groups = grouped(rows, "side", "batch")
        curves(axes, {", ".join(key): columns_of(found, "T", "ms") for key, found in groups.items()},
               "tokens (T)", "ms, forward and backward")
    report.finish(draw)


if __name__ == "__main__":
    main()
