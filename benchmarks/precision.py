"""How well and how fast does training in bfloat16 learn, and what do float32 master weights matter?

    python benchmarks/precision.py --data tinyshakespeare.txt --json precision.json --plot precision.png

The recipe is that of shakespeare.py, `--preset micro`, with three seeds: of the first weights and of the order of the
text. In bfloat16 the factors of matrix products are rounded to 8 significant bits; weights, moments and sums stay
float32. Without master weights the weights themselves are rounded after every update, to the nearest. An update below
half a unit of the weight's last place, which is between w / 512 and w / 256, then rounds to nothing. AdamW moves a
weight by the learning rate at the most, as a rule, here 1e-3 falling to 1e-4: a gain of 1 never moves, and in the end
no weight does that is larger than 0.05. What share of the updates is lost is counted every 25 steps.
Validation reads the whole held-out tenth in float32. Seconds are those of training alone. Without --data, the text is
a megabyte of the embedded world's.
"""

import numpy as np
from common import Report, flags, grouped, median, parse, progress
from pictures import curves
from shakespeare import TRAINING, Ours, reached
from turns import Apart, Here

from minillm import tree
from minillm.kernels.bfloat16 import to_bfloat16, to_float32

FLOAT32, BFLOAT16, ROUNDED = SIDES = ("float32", "bfloat16", "bfloat16, no master weights")
COUNTED = 25        # steps between counts of lost updates
SHOWN = (0, 0.05, 0.25, 0.5, 0.75, 0.9, 1)      # places in the training whose counts the table has
KINDS = ("gains", "tables", "matrices", "all")
COLUMNS = [("seed", "seed", ""), *((side, side, ".4f") for side in SIDES), ("off", "bfloat16 - float32", "+.4f"),
           ("off_rounded", "no master weights - float32", "+.4f")]
CURVE_COLUMNS = [("steps", "steps", ",d"), *((side, side, ".4f") for side in SIDES),
                 *((f"seconds, {side}", f"seconds: {side}", ",.1f") for side in SIDES)]
LOST_COLUMNS = [("steps", "step", ",d"), ("lr", "learning rate", ".2e"), *((kind, kind, ".1%") for kind in KINDS)]
TARGETS = {FLOAT32: "precision:Master", BFLOAT16: "precision:Master", ROUNDED: "precision:NoMaster"}


def kind_of(name):
    """Which of KINDS a parameter belongs to."""
    if name.endswith("gain"):
        return "gains"
    return "tables" if name.startswith("embedding") else "matrices"


class Master(Ours):
    """The recipe in one precision; the weights that AdamW changes are float32."""

    def __init__(self, path, steps, every, seed, precision):
        super().__init__(path, steps, every, seed, precision=precision)
        self.lost = []

    def run(self):
        """Train.  Returns (the curve, the counts of lost updates)"""
        return super().run(), self.lost


class NoMaster(Master):
    """bfloat16 with weights that are bfloat16 too."""

    def start(self):
        """Round the first weights."""
        self.held = self.round()
        super().start()

    def round(self):
        """Round every parameter in place.  Returns copies"""
        rounded = [to_float32(to_bfloat16(leaf)) for leaf in tree.leaves(self.model.params)]
        for leaf, value in zip(tree.leaves(self.model.params), rounded, strict=True):
            leaf[...] = value
        return rounded

    def watch(self, state, record):
        """After every update, round the weights; now and then, count those that are where they were."""
        counted = record["step"] % COUNTED == 0 or record["step"] + 1 == self.settings.steps
        updated = tree.copy(self.model.params) if counted else None
        before, self.held = self.held, self.round()
        if counted:
            self.lost.append({"steps": record["step"] + 1, "lr": record["lr"], **self.shares(updated, before)})
        super().watch(state, record)

    def shares(self, updated, before):
        """{kind: share of the updates that rounded to nothing}"""
        sums = {kind: [0, 0] for kind in KINDS}
        for (name, new), old, held in zip(tree.named_leaves(updated), before, self.held, strict=True):
            moved = new != old
            for kind in (kind_of(name), "all"):
                sums[kind][0] += int((moved & (held == old)).sum())
                sums[kind][1] += int(moved.sum())
        return {kind: lost / moved if moved else None for kind, (lost, moved) in sums.items()}


def train_all(seeds, steps, every, args):
    """({side: [curve of each seed]}, lost updates of each seed)."""
    found, lost = {side: [] for side in SIDES}, []
    for seed in seeds:
        for side in SIDES:
            progress(f"seed {seed}, {side}: {steps:,} steps")
            precision = FLOAT32 if side == FLOAT32 else BFLOAT16
            trained = (Here if args.quick else Apart)(TARGETS[side], args.data, steps, every, seed, precision)
            curve, counts = trained.ask("run")
            trained.close()
            found[side].append(curve)
            lost += counts
    return found, lost


def last_losses(seeds, found):
    """One row a seed, and their mean."""
    rows = [{"seed": str(seed), **{side: found[side][i][-1][3] for side in SIDES}} for i, seed in enumerate(seeds)]
    rows.append({"seed": "mean", **{side: float(np.mean([row[side] for row in rows])) for side in SIDES}})
    return [{**row, "off": row[BFLOAT16] - row[FLOAT32], "off_rounded": row[ROUNDED] - row[FLOAT32]} for row in rows]


def mean_curves(found):
    """{side: curve}, of which every point is the mean of all seeds'."""
    return {side: np.mean(curves_of, axis=0).tolist() for side, curves_of in found.items()}


def curve_rows(means):
    """Loss at every evaluation, and when each side has reached float32's."""
    rows = []
    for i, (steps, _, seconds, loss) in enumerate(means[FLOAT32]):
        row = {"steps": round(steps), **{side: means[side][i][3] for side in SIDES}}
        if i:
            row.update({f"seconds, {side}": reached(means[side], loss, TRAINING) for side in SIDES})
        rows.append(row)
    return rows


def lost_rows(lost, steps):
    """The shares of lost updates, the mean of all seeds, at some of the steps."""
    groups = grouped(lost, "steps")
    shown = sorted({min(groups, key=lambda key: abs(key[0] - share * steps)) for share in SHOWN})
    return [{"steps": key[0], **{column: mean_of(rows, column) for column in ("lr", *KINDS)}}
            for key, rows in ((key, groups[key]) for key in shown)]


def mean_of(rows, column):
    """The mean of a column, without the rows that lack it."""
    known = [row[column] for row in rows if row[column] is not None]
    return float(np.mean(known)) if known else None


def main(argv=None):
    """Train every seed in each precision, one after the other."""
    parser = flags(__doc__)
    parser.add_argument("--data", metavar="FILE", help="tinyshakespeare.txt, or another text")
    parser.add_argument("--seeds", type=int, default=3, help="how many (3)")
    parser.add_argument("--steps", type=int, default=2000, help="optimizer steps (2000)")
    parser.add_argument("--every", type=int, default=250, help="steps between evaluations (250)")
    args = parse(parser, argv)
    report = Report(__file__, __doc__, args)
    seeds, steps, every = (range(2), 4, 2) if args.quick else (range(args.seeds), args.steps, args.every)
    found, lost = train_all(seeds, steps, every, args)
    means, last = mean_curves(found), last_losses(seeds, found)
    report.table(f"Validation loss after {steps:,} steps", COLUMNS, last)
    largest, between = max(abs(row["off"]) for row in last[:-1]), np.ptp([row[FLOAT32] for row in last[:-1]])
    report.note(f"bfloat16 ends {last[-1]['off']:+.4f} from float32 as the mean of all seeds, {largest:.4f} at the most on "
                f"one; float32 itself differs by {between:.4f} between seeds.")
    report.table("Loss against steps, and seconds until float32's loss is reached; the mean of all seeds",
                 CURVE_COLUMNS, curve_rows(means))
    report.table("Without master weights: updates that round to nothing", LOST_COLUMNS, lost_rows(lost, steps))
    faster = median([own[-1][TRAINING] / other[-1][TRAINING] for own, other in zip(found[FLOAT32], found[BFLOAT16])])
    report.headline("validation loss, bfloat16 - float32, mean of the seeds", last[-1]["off"], "+.4f")
    report.headline("validation loss, bfloat16 - float32, largest of one seed", largest, ".4f")
    report.headline("training in bfloat16: speed / float32's", faster, ".2f")

    def draw(axes):
        curves(axes, {side: ([point[TRAINING] for point in curve], [point[3] for point in curve])
                      for side, curve in means.items()},
               "seconds of training", "validation loss, nats a character", log=False)
    report.finish(draw, curves=found, lost=lost)


if __name__ == "__main__":
    main()
