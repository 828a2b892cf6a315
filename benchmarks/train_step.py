"""How fast is a whole training step, beside PyTorch and the machine's limit, and how much memory does it take?

    python benchmarks/train_step.py --against torch --json train_step.json --plot train_step.png

A step is forward, backward, clipping by the global norm and AdamW, of four models of the GPT-2 family: in float32,
and with the factors of matrix products in bfloat16. PyTorch is timed as its users would run it: eager, compiled, and
eager with bfloat16 autocast. Each side has a process of its own and they are timed in turn; the ratios are taken turn
by turn, to the quickest of PyTorch's sides in the same precision. Before that, all sides take three steps from the
same weights on the same tokens, and their losses must agree.

The limit is the multiply-adds of the registers in the precision of the side (machine.py), measured in the same
turns. Operations are counted as 6 N + 12 L C T a token, N without the table of positions. Memory is measured in
further processes: `idle` is held after the imports and a step of a tiny model; `model` are the parameters; `step` is
what the first steps add at their peak: activations, gradients, moments. Both sides run with minillm's setting of the
allocator.
"""

import math
import shutil
from typing import NamedTuple

from common import Report, flags, geometric_mean, median, pair_ratios, parse, progress, spread
from models import MODELS, TINY, flops_a_token
from peaks import limits
from pictures import bars
from turns import memory_of, open_sides, take_turns

TURN = 0.5          # seconds of a turn, or one step where it takes longer
COLUMNS = [("model", "model", ""), ("side", "side", ""), ("ms", "ms a step", ",.1f"), ("spread", "spread", ".1%"),
           ("tokens", "tokens/s", ",.0f"), ("gflops", "GFLOP/s", ",.1f"), ("share", "of the limit", ".1%"),
           ("speed", "speed / quickest PyTorch's", ".3f"), ("slowest", "lowest turn", ".3f"),
           ("fastest", "highest", ".3f"), ("times", "/ float32's", ".3f"),
           ("idle", "idle MB", ",.0f"), ("built", "model MB", ",.0f"), ("work", "step MB", ",.0f")]


class Side(NamedTuple):
    """A way to take training steps."""
    target: str                     # "module:Class"
    precision: str = "float32"
    environment: dict = None
    memory: bool = True             # whether its memory says something

    @property
    def torch(self):
        """Whether it is one of PyTorch's."""
        return self.target.startswith("pytorch:")


OURS = "minillm"
SIDES = {OURS: Side("models:Training"), f"{OURS}, bfloat16": Side("models:BFloat16Training", "bfloat16")}
# BLAS has threads of its own: ours, spinning, would take the cores from them
BLAS = {f"{OURS}, BLAS": Side("models:Training", environment={"MINILLM_MATMUL": "blas", "GOMP_SPINCOUNT": "0"})}
TORCH = {"PyTorch": Side("pytorch:Training"),
         "PyTorch, compiled": Side("pytorch:CompiledTraining", memory=False),       # its peak is the compiler's
         "PyTorch, bfloat16": Side("pytorch:AutocastTraining", "bfloat16")}
TOLERANCE = {"float32": 1e-4, "bfloat16": 1e-2}     # relative, of the loss of the same weights


def sides_of(args):
    """The sides that were asked for."""
    sides = {**SIDES, **(BLAS if args.matmul == "blas" else {}), **(TORCH if args.against == "torch" else {})}
    if not any(map(shutil.which, ("c++", "g++", "clang++"))):
        sides.pop("PyTorch, compiled", None)        # torch.compile writes C++
    return sides


def check_losses(sides, asked):
    """Refuse to time sides that compute different things.

    The first loss is that of the same weights. The third follows two updates, in which Adam divides rounding
    errors by gradients that may be as small, so it may differ by more.
    """
    losses = {name: side.ask("steps", 3) for name, side in asked.items()}
    for name, found in losses.items():
        for step, factor in ((0, 1), (2, 10)):
            if not math.isclose(found[step], losses[OURS][step], rel_tol=factor * TOLERANCE[sides[name].precision]):
                raise SystemExit(f"{name}: loss {found[step]} at step {step}, {OURS} has {losses[OURS][step]}; "
                                 "the sides do not compute the same thing, so there is nothing to time")
    return {name: found[0] for name, found in losses.items()}


def time_model(sides, asked, shape, args):
    """({side: [seconds a step of each round]}, {precision: operations a second at the limit}, first losses)"""
    for side in asked.values():
        side.ask("build", shape)
    losses = check_losses(sides, asked)
    slowest = max(side.ask("seconds", 1) for side in asked.values())
    steps, seconds, found = 1 if args.quick else max(1, round(TURN / slowest)), {name: [] for name in sides}, []
    for _ in range(args.rounds):
        found.append(limits(args.quick))
        for name, taken in take_turns(asked, 1, "seconds", steps).items():
            seconds[name] += taken
    return seconds, {name: median([limit[name] for limit in found]) for name in found[0]}, losses


def time_models(sides, shapes, args):
    """(rows of the table, first losses) of all models, one by one."""
    rows, losses = [], {}
    targets = {name: (side.target, side.environment) for name, side in sides.items()}
    with open_sides(targets, not args.quick or len(sides) > 1) as asked:
        for name, shape in shapes.items():
            progress(f"{name}: {', '.join(sides)} in turn")
            seconds, limit, losses[name] = time_model(sides, asked, shape, args)
            rows += [row_of(name, shape, side, sides, seconds, limit) for side in sides]
    return rows, losses


def row_of(model, shape, name, sides, seconds, limit):
    """What the table says of one model and side."""
    taken, precision = median(seconds[name]), sides[name].precision
    flops = flops_a_token(shape) * shape.B * shape.T
    row = {"model": model, "side": name, "precision": precision, "ms": 1e3 * taken, "spread": spread(seconds[name]),
           "tokens": shape.B * shape.T / taken, "gflops": flops / taken / 1e9,
           "share": flops / taken / limit[precision], "limit": limit[precision], "seconds": seconds[name]}
    if name in SIDES and precision != "float32":
        row["times"] = median(pair_ratios(seconds[OURS], seconds[name]))
    rivals = [other for other, side in sides.items() if side.torch and side.precision == precision]
    if rivals:
        quickest = min(rivals, key=lambda other: median(seconds[other]))
        ratios = pair_ratios(seconds[quickest], seconds[name])
        row.update(speed=median(ratios), slowest=min(ratios), fastest=max(ratios))
    return row


def headlines(report, sides, rows):
    """minillm's figures for the table of processors."""
    for name in (name for name in sides if name in SIDES):
        found = [row for row in rows if row["side"] == name]
        for row in found:
            report.headline(f"{row['model']}, {row['precision']}: of the limit", row["share"], ".1%")
        for row in found:
            if "times" in row:
                report.headline(f"{row['model']}, {row['precision']}: speed / float32's", row["times"], ".2f")
        if "speed" in found[0]:
            for row in found:
                report.headline(f"{row['model']}, {row['precision']}: speed / PyTorch's", row["speed"], ".2f")
            mean = geometric_mean([row["speed"] for row in found])
            report.headline(f"{found[0]['precision']}: speed / PyTorch's, geometric mean", mean, ".2f")


def main(argv=None):
    """Time the models one after the other."""
    parser = flags(__doc__, against=("torch",))
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS), help="which of the four")
    parser.add_argument("--matmul", choices=("loops", "blas"), default="loops",
                        help="blas: time minillm with NumPy's matrix product beside the one written here")
    args = parse(parser, argv)
    report, sides = Report(__file__, __doc__, args), sides_of(args)
    if args.against and "PyTorch, compiled" not in sides:
        report.note("There is no C++ compiler here, which torch.compile needs: PyTorch, compiled is left out.")
    shapes = {"tiny": TINY} if args.quick else {name: MODELS[name] for name in args.models}
    rows, losses = time_models(sides, shapes, args)
    for row in rows:
        side = sides[row["side"]]
        if side.memory:
            progress(f"{row['model']}: memory of {row['side']}")
            row.update(memory_of(side.target, (TINY,), (shapes[row["model"]],), side.environment))
    report.table("A training step", COLUMNS, rows)
    known = {row["precision"]: row["limit"] for row in rows}
    told = ", ".join(f"{limit / 1e9:,.1f} GFLOP/s in {name}" for name, limit in known.items())
    report.note(f"The limit: {told}.")
    headlines(report, sides, rows)

    def draw(axes):
        bars(axes, list(shapes), {name: [row["gflops"] for row in rows if row["side"] == name] for name in sides},
             "GFLOP/s (higher is better)")
    report.finish(draw, losses=losses)


if __name__ == "__main__":
    main()
