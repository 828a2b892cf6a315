"""Which validation loss do AdamW and Muon reach in the pretraining of `minillm run`, in how many steps and seconds?

    python benchmarks/optimizers.py --json optimizers.json --plot optimizers.png

The default model learns the embedded world of seed 0, with three seeds of the first weights and of the order of the
text. Before a learning rate has come down, the loss hides what a model has learned. So no loss is taken from the middle
of a training: each length is a training of its own, with its whole schedule. The loss is that of the whole held-out
text. AdamW has one learning rate for all parameters; or the tables (embedding and head) learn faster; or Muon takes
the matrices of the blocks. Each has the learning rates and the momentum (beta1) that were the best of a few. All take
turns, length by length. Seconds are those of the steps alone, in a process that has compiled its kernels before.
"""

from dataclasses import replace

import numpy as np
from common import Report, flags, grouped, parse, progress
from pictures import curves
from turns import Apart, Here

from minillm.config import ModelConfig
from minillm.evaluate.likelihood import stream_loss
from minillm.phases.pretrain import new_model, pretrain
from minillm.phases.tokenizer import learn_vocabulary
from minillm.runs import data
from minillm.runs.config import RunConfig
from minillm.runs.run import Run
from minillm.training.recorder import MemoryRecorder

BASE = "AdamW"
DIALS = {BASE: dict(optimizer="adamw", lr=6e-3, beta1=0.9, table_lr=1.0),
         "AdamW, faster tables": dict(optimizer="adamw", lr=6e-3, beta1=0.8, table_lr=4.0),
         "Muon": dict(optimizer="muon", lr=1.5e-2, beta1=0.8, table_lr=2.0)}
LENGTHS = (300, 600, 1150)
WARM = 3            # steps before the clock starts
SMALL = ModelConfig(layers=1, width=16, heads=2, hidden=24)     # for --quick
COLUMNS = [("optimizer", "optimizer", ""), ("steps", "steps", ",d"), ("loss", "validation loss", ".4f"),
           ("lowest", "lowest of a seed", ".4f"), ("highest", "highest", ".4f"), ("seconds", "seconds", ",.1f"),
           ("ms", "ms a step", ",.2f"), ("slower", "a step / AdamW's", ".3f")]
REACHED_COLUMNS = [("optimizer", "optimizer", ""), ("steps", "AdamW's steps", ",d"), ("loss", "AdamW's loss", ".4f"),
                   ("needed", "steps to it", ",.0f"),
                   ("share", "share of the steps", ".2f"), ("share_seconds", "share of the seconds", ".2f")]


class Pretraining:
    """The text of the embedded world, and trainings on it."""

    def __init__(self, quick):
        config = RunConfig()
        if quick:
            config = replace(config, model=SMALL, tokenizer=replace(config.tokenizer, vocab_size=300),
                             pretrain=replace(config.pretrain, megabytes=0.05, rows=2))
        training, held_out = data.documents(Run(None, config))
        self.tokenizer, self.config = learn_vocabulary(training, held_out, config.tokenizer), config
        self.stream, self.held_out = map(self.tokenizer.encode_documents, (training, held_out))

    def train(self, dials, steps, seed):
        """(validation loss after the last step, seconds of all steps)"""
        self.fit(dials, WARM, seed)
        model, records = self.fit(dials, steps, seed)
        return stream_loss(model, self.held_out)[0], sum(record["seconds"] for record in records)

    def fit(self, dials, steps, seed):
        """A model that was trained for so many steps, and the records of the steps."""
        settings = replace(self.config.pretrain, steps=steps, validation_every=steps, **dials)
        model, recorder = new_model(self.config.model, self.tokenizer, seed), MemoryRecorder()
        pretrain(model, self.stream, self.held_out, settings, seed, recorder)
        return model, recorder.records


def train_all(lengths, seeds, args):
    """One row a training."""
    side, rows = (Here if args.quick else Apart)("optimizers:Pretraining", args.quick), []
    for steps in lengths:
        for seed in seeds:
            for name, dials in DIALS.items():
                progress(f"{name}, {steps:,} steps, seed {seed}")
                loss, seconds = side.ask("train", dials, steps, seed)
                rows.append({"optimizer": name, "steps": steps, "seed": seed, "loss": loss, "seconds": seconds})
    side.close()
    return rows


def summed_up(rows):
    """One row for each optimizer and length: the mean loss of all seeds, the seconds of the fastest of them."""
    found, fastest = [], {}
    for (name, steps), chosen in grouped(rows, "optimizer", "steps").items():
        losses, seconds = [row["loss"] for row in chosen], min(row["seconds"] for row in chosen)
        fastest[name, steps] = seconds
        found.append({"optimizer": name, "steps": steps, "loss": float(np.mean(losses)), "lowest": min(losses),
                      "highest": max(losses), "seconds": seconds, "ms": 1e3 * seconds / steps})
    return [{**row, "slower": row["seconds"] / fastest[BASE, row["steps"]]} for row in found]


def steps_to(loss, points):
    """Steps after which a loss is reached, on a line through the logarithms of steps between two lengths; None outside.

    points: [(steps, loss)], shortest first
    """
    for (few, above), (many, below) in zip(points, points[1:]):
        if below <= loss <= above:
            return float(few * (many / few) ** ((above - loss) / (above - below)))
    return None


def reached(found):
    """What the others need for the loss that AdamW ends with, at each of its lengths."""
    groups = grouped(found, "optimizer")
    for (name,), others in groups.items():
        slower = min(row["slower"] for row in others)
        for row in groups[BASE,] if name != BASE else ():
            needed = steps_to(row["loss"], [(other["steps"], other["loss"]) for other in others])
            share = needed and needed / row["steps"]
            yield {"optimizer": name, "steps": row["steps"], "loss": row["loss"], "needed": needed, "share": share,
                   "share_seconds": share and share * slower}


def main(argv=None):
    """Train every length with each optimizer and all seeds, one after the other."""
    parser = flags(__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many (3)")
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS, help="steps of the trainings (300 600 1150)")
    args = parse(parser, argv)
    report = Report(__file__, __doc__, args)
    rows = train_all((2, 4) if args.quick else sorted(args.lengths), range(2 if args.quick else args.seeds), args)
    found = summed_up(rows)
    report.table("Validation loss at the end of the schedule", COLUMNS, found)
    report.table("What reaches the loss that AdamW ends with", REACHED_COLUMNS, list(reached(found)))

    def draw(axes):
        lines = {name: ([row["seconds"] for row in chosen], [row["loss"] for row in chosen])
                 for (name,), chosen in grouped(found, "optimizer").items()}
        curves(axes, lines, "seconds of training, each point a training of its own", "validation loss, nats a token",
               log=False)
    report.finish(draw, trainings=rows)


if __name__ == "__main__":
    main()
