"""How long does the micro recipe take on Shakespeare to reach a given validation loss, beside PyTorch?

    python benchmarks/shakespeare.py --data tinyshakespeare.txt --against torch --json s.json --plot s.png

The recipe is `--preset micro`: one token a character, 4 layers of 128 channels, 2,000 steps of 12 x 64 tokens.
Both sides start from the same weights and read the same batches at the same learning rates; they train one after
the other, each in a process of its own. The clock runs through the evaluations, which read the whole held-out
tenth of the text; the seconds of training alone stand beside it. Kernels are compiled before it starts.
The target, 1.88 nats a character, is what the recipe is known to reach (karpathy/nanoGPT, README).
"""

import time
from dataclasses import replace
from functools import partial

import numpy as np
from common import Report, flags, parse, progress
from models import TINY, Training
from pictures import curves
from turns import Apart, Here

from minillm.evaluate.likelihood import stream_loss
from minillm.objectives.next_token import next_token_objective
from minillm.optim.schedule import learning_rate
from minillm.phases.pretrain import new_model
from minillm.runs.config import PRESETS
from minillm.text.batches import window_batch, windows
from minillm.text.corpus import load_documents, split_documents
from minillm.text.learning import train_tokenizer
from minillm.training.loop import train
from minillm.world.corpus import write_corpus
from minillm.world.facts import make_world

OURS, THEIRS = "minillm", "PyTorch"
COLUMNS = [("side", "side", ""), ("steps", "steps", ",d"), ("loss", "last validation loss", ".4f"),
           ("lowest", "lowest", ".4f"), ("wall", "seconds in all", ",.1f"), ("training", "of it training", ",.1f"),
           ("reached", "seconds to the target", ",.1f")]


def documents_of(path):
    """The documents of a file; of None, some of the embedded world's."""
    if path:
        return load_documents(path)
    return [document.text for document in write_corpus(make_world(0), 1.0, 0)]


class Recipe:
    """Data and settings, the same for both sides."""

    def __init__(self, path, steps, every, seed=0, **settings):
        """seed: of the first weights and of the order of the text; settings: fields of PretrainConfig"""
        config = PRESETS["micro"]
        texts, held_out = split_documents(documents_of(path), 0.1, np.random.default_rng(0))
        tokenizer = train_tokenizer(texts + held_out, None, "characters")
        self.stream, self.held_out = (tokenizer.encode_documents(part) for part in (texts, held_out))
        self.settings = replace(config.pretrain, steps=steps, **settings)
        self.model, self.seed, self.every = new_model(config.model, tokenizer, seed), seed, every
        self.began, self.trained, self.curve = None, 0.0, []

    def batch(self, step):
        """Batch number `step`: windows of the text in another order each epoch."""
        return window_batch(self.stream, step, self.settings.rows, self.model.config.context, self.seed,
                            self.model.tokenizer.begin_id)

    def record(self, step, seconds):
        """A point of the curve, now and then: (step, wall seconds, seconds of training, validation loss)"""
        self.trained += seconds
        if (step + 1) % self.every == 0 or step + 1 == self.settings.steps:
            loss = self.evaluate()
            self.curve.append((step + 1, time.perf_counter() - self.began, self.trained, loss))

    def start(self):
        """Note the loss before the first step, which is also what compiles the evaluation, and start the clock."""
        self.curve.append((0, 0.0, 0.0, self.evaluate()))
        self.began = time.perf_counter()


class Ours(Recipe):
    """minillm's training loop."""

    def run(self):
        """Train, and return the curve."""
        warm = Training()
        warm.precision = self.settings.precision
        warm.build(TINY)
        warm.steps(2)

        self.start()
        objective = partial(next_token_objective, config=self.model.config, precision=self.settings.precision)
        train(self.model.params, self.settings, lambda step: [self.batch(step)], objective, watch=self.watch)
        return self.curve

    def watch(self, state, record):
        """What happens after every step."""
        self.record(record["step"], record["seconds"])

    def evaluate(self):
        """Validation loss over the whole held-out text."""
        return stream_loss(self.model, self.held_out)[0]


class Theirs(Recipe):
    """The same in eager PyTorch."""

    def run(self):
        """Train, and return the curve."""
        import pytorch

        warm = pytorch.Training()
        warm.build(TINY)
        warm.steps(2)
        self.network = pytorch.load_params(pytorch.GPT(self.model.config), self.model.params)
        optimizer = pytorch.new_optimizer(self.network, self.settings)
        self.start()
        for step in range(self.settings.steps):
            began = time.perf_counter()
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, self.settings)
            batch = self.batch(step)
            pytorch.training_step(self.network, optimizer, *pytorch.tensors(batch.tokens, batch.targets),
                                  self.settings.clip)
            self.record(step, time.perf_counter() - began)
        return self.curve

    def evaluate(self):
        """Validation loss over the whole held-out text."""
        import pytorch

        total = count = 0.0
        for batch in windows(self.held_out, self.model.config.context, self.model.tokenizer.begin_id, 32):
            losses = pytorch.token_losses(self.network, *pytorch.tensors(batch.tokens, batch.targets))
            total += float((losses * batch.weights.reshape(-1)).sum(dtype=np.float64))
            count += float(batch.weights.sum(dtype=np.float64))
        return total / count


WALL, TRAINING = 1, 2       # places of the seconds in a point of a curve


def reached(curve, target, clock=WALL):
    """Seconds at which the loss crosses the target, on a line between evaluations; None if it does not."""
    for before, after in zip(curve, curve[1:]):
        if after[3] <= target < before[3]:
            return before[clock] + (after[clock] - before[clock]) * (before[3] - target) / (before[3] - after[3])
    return None


def check_starts(found):
    """Refuse to compare sides that do not start from the same loss."""
    starts = [curve[0][3] for curve in found.values()]
    if max(starts) - min(starts) > 1e-4:
        raise SystemExit(f"the sides do not start from the same validation loss: {starts}")


def row_of(name, curve, target):
    """What the table says of one side."""
    steps, wall, training, loss = curve[-1]
    return {"side": name, "steps": steps, "loss": loss, "lowest": min(point[3] for point in curve), "wall": wall,
            "training": training, "reached": reached(curve, target)}


def main(argv=None):
    """Train each side, one after the other."""
    parser = flags(__doc__, against=("torch",))
    parser.add_argument("--data", metavar="FILE", required=True, help="tinyshakespeare.txt, or another text")
    parser.add_argument("--steps", type=int, default=2000, help="optimizer steps (2000)")
    parser.add_argument("--every", type=int, default=250, help="steps between evaluations (250)")
    parser.add_argument("--target", type=float, default=1.88, help="validation loss to reach, in nats (1.88)")
    args = parse(parser, argv)
    report = Report(__file__, __doc__, args)
    steps, every = (4, 2) if args.quick else (args.steps, args.every)
    targets, found = {OURS: "shakespeare:Ours"}, {}
    if args.against:
        targets[THEIRS] = "shakespeare:Theirs"
    for name, target in targets.items():
        progress(f"{name}: {steps:,} steps")
        side = (Apart if not args.quick or args.against else Here)(target, args.data, steps, every)
        found[name] = side.ask("run")
        side.close()
    check_starts(found)
    rows = [row_of(name, curve, args.target) for name, curve in found.items()]
    report.table(f"Training to a validation loss of {args.target}", COLUMNS, rows)
    for row in rows:
        if row["reached"]:
            report.headline(f"{row['side']}: seconds to a validation loss of {args.target}", row["reached"], ",.1f")

    def draw(axes):
        curves(axes, {name: ([point[1] for point in curve], [point[3] for point in curve])
                      for name, curve in found.items()}, "seconds", "validation loss, nats a character", log=False)
        axes.axhline(args.target, color="#666666", linewidth=0.8, linestyle=":")
    report.finish(draw, curves=found)


if __name__ == "__main__":
    main()
