"""How fast is a whole training step, beside PyTorch and the machine's limit, and how much memory does it take?

    python benchmarks/train_step.py --against torch --json train_step.json --plot train_step.png

A step is forward, backward, clipping by the global norm and AdamW, in float32, of four models of the GPT-2
family. Each side has a process of its own and they are timed in turn; the ratios are taken turn by turn. Before
that, both sides take three steps from the same weights on the same tokens, and their losses must agree.

The limit is a product of 2048 x 2048 matrices by NumPy's BLAS, measured in the same turns. Operations are counted
as 6 N + 12 L C T a token, N without the table of positions. Memory is measured in further processes: `idle` is
held after the imports and a step of a tiny model; `model` are the parameters; `step` is what the first steps add
at their peak: activations, gradients, moments. Both sides run with minillm's setting of the allocator.
"""

import math

from common import Report, flags, median, pair_ratios, parse, progress, spread
from models import MODELS, TINY, flops_a_token
from pictures import bars
from turns import memory_of, open_sides, take_turns

OURS, THEIRS, LIMIT = "minillm", "PyTorch", "limit"
TURN = 0.5          # seconds of a turn, or one step where it takes longer
COLUMNS = [("model", "model", ""), ("side", "side", ""), ("ms", "ms a step", ",.1f"), ("spread", "spread", ".1%"),
           ("tokens", "tokens/s", ",.0f"), ("gflops", "GFLOP/s", ",.1f"), ("share", "of the limit", ".1%"),
           ("speed", "speed / PyTorch's", ".3f"), ("slowest", "lowest turn", ".3f"), ("fastest", "highest", ".3f"),
           ("idle", "idle MB", ",.0f"), ("built", "model MB", ",.0f"), ("work", "step MB", ",.0f")]


def targets_of(args):
    """The sides that were asked for."""
    targets = {OURS: ("models:Training", None)}
    if args.against == "torch":
        targets[THEIRS] = ("pytorch:Training", None)
    if args.matmul == "blas":
        # BLAS has threads of its own: ours, spinning, would take the cores from them
        targets[f"{OURS}, BLAS"] = ("models:Training", {"MINILLM_MATMUL": "blas", "GOMP_SPINCOUNT": "0"})
    if args.compile:
        targets[f"{THEIRS}, compiled"] = ("pytorch:CompiledTraining", None)
    return targets


def check_losses(sides):
    """Refuse to time sides that compute different things.

    The first loss is that of the same weights. The third follows two updates, in which Adam divides rounding
    errors by gradients that may be as small, so it may differ by more.
    """
    losses = {name: side.ask("steps", 3) for name, side in sides.items()}
    for name, found in losses.items():
        for step, tolerance in ((0, 1e-4), (2, 1e-3)):
            if not math.isclose(found[step], losses[OURS][step], rel_tol=tolerance):
                raise SystemExit(f"{name}: loss {found[step]} at step {step}, {OURS} has {losses[OURS][step]}; "
                                 "the sides do not compute the same thing, so there is nothing to time")
    return {name: found[0] for name, found in losses.items()}


def time_model(sides, shape, args):
    """Seconds a step of every side in each round, and of an operation at the limit."""
    for side in sides.values():
        side.ask("build", shape)
    models = {name: side for name, side in sides.items() if name != LIMIT}
    losses = check_losses(models)
    slowest = max(side.ask("seconds", 1) for side in models.values())
    steps = 1 if args.quick else max(1, round(TURN / slowest))
    return take_turns(sides, args.rounds, "seconds", steps), losses


def time_models(targets, shapes, args):
    """(rows of the table, first losses, seconds of an operation at the limit) of all models, one by one."""
    rows, losses, limits = [], {}, []
    with open_sides({**targets, LIMIT: ("models:Limit", None)}, not args.quick or len(targets) > 1) as sides:
        for name, shape in shapes.items():
            progress(f"{name}: {', '.join(targets)} in turn")
            seconds, losses[name] = time_model(sides, shape, args)
            limits += seconds[LIMIT]
            rows += [row_of(name, shape, side, seconds) for side in targets]
    return rows, losses, limits


def row_of(model, shape, side, seconds):
    """What the table says of one model and side."""
    taken = median(seconds[side])
    gflops = flops_a_token(shape) * shape.B * shape.T / taken / 1e9
    row = {"model": model, "side": side, "ms": 1e3 * taken, "spread": spread(seconds[side]),
           "tokens": shape.B * shape.T / taken, "gflops": gflops, "share": gflops * 1e9 * median(seconds[LIMIT]),
           "seconds": seconds[side]}
    if THEIRS in seconds:
        ratios = pair_ratios(seconds[THEIRS], seconds[side])
        row.update(speed=median(ratios), slowest=min(ratios), fastest=max(ratios))
    return row


def main(argv=None):
    """Time the models one after the other."""
    parser = flags(__doc__, against=("torch",))
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS), help="which of the four")
    parser.add_argument("--matmul", choices=("loops", "blas"), default="loops",
                        help="blas: time minillm with NumPy's matrix product beside the one written here")
    parser.add_argument("--compile", action="store_true", help="time torch.compile too, which takes a minute")
    args = parse(parser, argv)
    if args.compile and args.against != "torch":
        parser.error("--compile goes with --against torch")
    report, targets = Report(__file__, __doc__, args), targets_of(args)
    shapes = {"tiny": TINY} if args.quick else {name: MODELS[name] for name in args.models}
    rows, losses, limits = time_models(targets, shapes, args)
    for row in rows:
        progress(f"{row['model']}: memory of {row['side']}")
        target, environment = targets[row["side"]]
        if target != "pytorch:CompiledTraining":        # its peak is the compiler's
            row.update(memory_of(target, (TINY,), (shapes[row["model"]],), environment))
    report.table("A training step", COLUMNS, rows)
    report.note(f"The limit, NumPy's BLAS: {1e-9 / median(limits):,.1f} GFLOP/s (spread {spread(limits):.1%}).")

    def draw(axes):
        bars(axes, list(shapes), {side: [row["share"] * 100 for row in rows if row["side"] == side]
                                  for side in targets}, "% of the machine's limit (higher is better)")
    report.finish(draw, limit_gflops=1e-9 / median(limits), losses=losses)


if __name__ == "__main__":
    main()
