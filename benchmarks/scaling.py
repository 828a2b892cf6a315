"""How does the time of a training step grow with the width, the depth, the context, the vocabulary and the batch?

    python benchmarks/scaling.py --json scaling.json --plot scaling.png          (--against torch: beside PyTorch)

One dial at a time is doubled from a small model on, three times, and the exponent of the time is the slope
through the logarithms. Beside it stands the exponent that the count of operations has at the same sizes: a step
that grows faster than its operations loses time to memory, one that grows more slowly had cost that does not grow.
"""

from common import Report, columns_of, fit_exponent, flags, grouped, median, parse, progress, spread
from models import Shape, flops_a_token
from pictures import curves
from turns import open_sides, take_turns

OURS, THEIRS = "minillm", "PyTorch"
BASE = Shape(B=8, T=64, layers=2, heads=4, C=128, V=512)
SMALL = Shape(B=2, T=8, layers=1, heads=2, C=16, V=32)      # for --quick
DIALS = {"width": ("C", "heads"), "depth": ("layers",), "context": ("T",), "vocabulary": ("V",), "batch": ("B",)}
TURN = 0.3      # seconds
COLUMNS = [("dial", "dial", ""), ("size", "size", ",d"), ("side", "side", ""), ("ms", "ms a step", ",.2f"),
           ("spread", "spread", ".1%"), ("gflops", "GFLOP/s", ",.1f")]
EXPONENT_COLUMNS = [("dial", "dial", ""), ("side", "side", ""), ("exponent", "time grows as size^", ".2f"),
                    ("operations", "operations as size^", ".2f")]


def enlarged(base, dial, factor):
    """The model with one dial turned up; a wider one has more heads of the same size."""
    return base._replace(**{field: getattr(base, field) * factor for field in DIALS[dial]})


def time_shape(sides, dial, shape, args):
    """One row a side."""
    for side in sides.values():
        side.ask("build", shape)
    slowest = max(side.ask("seconds", 1) for side in sides.values())
    steps = 1 if args.quick else max(1, min(100, round(TURN / slowest)))
    seconds = take_turns(sides, args.rounds, "seconds", steps)
    flops = flops_a_token(shape) * shape.B * shape.T
    return [{"dial": dial, "size": getattr(shape, DIALS[dial][0]), "side": name, "ms": 1e3 * median(taken),
             "spread": spread(taken), "gflops": flops / median(taken) / 1e9, "flops": flops, "seconds": taken}
            for name, taken in seconds.items()]


def exponents(rows):
    """The slope of every dial and side, and that of the operations."""
    found = []
    for (dial, side), chosen in grouped(rows, "dial", "side").items():
        sizes, taken, flops = columns_of(chosen, "size", "ms", "flops")
        found.append({"dial": dial, "side": side, "exponent": fit_exponent(sizes, taken),
                      "operations": fit_exponent(sizes, flops)})
    return found


def main(argv=None):
    """Turn up every dial, then fit."""
    args = parse(flags(__doc__, against=("torch",)), argv)
    report, rows = Report(__file__, __doc__, args), []
    targets = {OURS: ("models:Training", None)}
    if args.against:
        targets[THEIRS] = ("pytorch:Training", None)
    base, factors = (SMALL, (1, 2)) if args.quick else (BASE, (1, 2, 4, 8))
    with open_sides(targets, apart=not args.quick or bool(args.against)) as sides:
        for dial in DIALS:
            for factor in factors:
                progress(f"{dial} x {factor}")
                rows += time_shape(sides, dial, enlarged(base, dial, factor), args)
    report.table("A training step", COLUMNS, rows)
    fitted = exponents(rows)
    report.table("Growth", EXPONENT_COLUMNS, fitted)

    def draw(axes):
        lines, groups = {}, grouped(rows, "dial", "side")
        for row in sorted(fitted, key=lambda row: row["side"] != OURS):     # one line style a side
            sizes, taken = columns_of(groups[row["dial"], row["side"]], "size", "ms")
            label = f"{row['dial']}, {row['side']}: size^{row['exponent']:.2f}"
            lines[label] = ([size / sizes[0] for size in sizes], taken)
        curves(axes, lines, "times the smallest size", "ms a step")
    report.finish(draw, base=base._asdict())


if __name__ == "__main__":
    main()
