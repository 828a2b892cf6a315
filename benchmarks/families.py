"""Which family of models learns the most from the same number of operations?

    python benchmarks/families.py --json families.json --plot families.png

Every family of `--preset` learns the embedded world of seed 0, with three seeds of the first weights and of the order
of the text. All do as many floating-point operations as `llama` in 810 steps: 6 for each parameter that
works on a token, and those of attention (model/size.flops_a_token). So a family whose tokens cost less reads more of
them. (Those of the first steps, whose windows are short, count as if they were long.) All take the default's
optimizer, learning rates and batches; lower rates were worse for gpt2 and gpt3. The loss is that of the whole held-out
text; the probes are those of `minillm run`. Experts are also trained without their balancing loss; how evenly they are
used is counted on the held-out text, in the block that uses them least evenly. Seconds are those of the steps alone, in
a process that has compiled its kernels before.
"""

from dataclasses import replace

import numpy as np
from common import Report, flags, grouped, parse, progress
from turns import Apart, Here

from minillm.config import MODELS
from minillm.evaluate.likelihood import stream_loss
from minillm.model.size import active_parameters, flops_a_token, parameters
from minillm.model.transformer import transformer_forward
from minillm.phases.pretrain import new_model, pretrain
from minillm.phases.tokenizer import learn_vocabulary
from minillm.runs import data
from minillm.runs.config import PRESETS
from minillm.runs.measures import probe_accuracies
from minillm.runs.run import Run
from minillm.text.batches import windows
from minillm.training.recorder import MemoryRecorder

BASE = "llama"
# name: the preset, what is changed in its model, what in the settings of the default's training
FAMILIES = {**{name: (name, {}, {}) for name in ("llama", "llama2", "gpt2", "gpt3", "moe")},
            "moe, balance 0": ("moe", {"balance": 0.0}, {})}
WARM = 3            # steps before the clock starts
SMALL = dict(layers=2, width=16, heads=2, hidden=24)        # for --quick
COLUMNS = [("family", "family", ""), ("parameters", "parameters", ",d"), ("active", "active", ",d"),
           ("mega", "MFLOP a token", ",.2f"), ("steps", "steps", ",d"), ("loss", "validation loss", ".4f"),
           ("lowest", "lowest of a seed", ".4f"), ("highest", "highest", ".4f"), ("probes", "probes", ".3f"),
           ("ms", "ms a step", ",.1f"), ("seconds", "seconds", ",.1f")]
USED_COLUMNS = [("family", "family", ""), ("experts", "experts", ",d"), ("active", "a token", ",d"),
                ("balance", "balance (1: even)", ".3f"), ("least", "least used", ".1%"), ("most", "most used", ".1%"),
                ("even", "experts' worth", ".2f"), ("loss", "validation loss", ".4f")]


class Pretraining:
    """The text of the embedded world, and trainings on it."""

    def __init__(self, quick):
        config = PRESETS[BASE]
        if quick:
            config = replace(config, tokenizer=replace(config.tokenizer, vocab_size=300),
                             pretrain=replace(config.pretrain, megabytes=0.05, rows=2))
        training, held_out = data.documents(Run(None, config))
        self.quick, self.config, self.world = quick, config, data.world(Run(None, config))
        self.tokenizer = learn_vocabulary(training, held_out, config.tokenizer)
        self.stream, self.held_out = map(self.tokenizer.encode_documents, (training, held_out))

    def model_of(self, name):
        """The shape of a family's twin."""
        preset, changes, _ = FAMILIES[name]
        kv_heads = {"kv_heads": min(MODELS[preset].kv_heads, 2)}
        return replace(MODELS[preset], vocab_size=self.tokenizer.vocab_size, **changes,
                       **({**SMALL, **kv_heads} if self.quick else {}))

    def steps_of(self, name, budget):
        """Steps in which a family does as many operations as the default in `budget` steps; and the operations."""
        each = flops_a_token(self.model_of(name))
        steps = max(1, round(budget * flops_a_token(self.model_of(BASE)) / each))
        return steps, each * steps * self.config.pretrain.rows * self.model_of(name).context

    def train(self, name, budget, seed):
        """What a family achieves: one row of the table, of one seed."""
        shape, (steps, flops) = self.model_of(name), self.steps_of(name, budget)
        self.fit(name, WARM, seed)
        model, records = self.fit(name, steps, seed)
        probes = probe_accuracies(model, self.world)
        row = {"family": name, "seed": seed, "steps": steps, "flops": flops, "parameters": parameters(shape),
               "active": active_parameters(shape), "mega": flops_a_token(shape) / 1e6,
               "loss": stream_loss(model, self.held_out)[0], "probes": float(np.mean(list(probes.values()))),
               "each": probes, "seconds": sum(record["seconds"] for record in records)}
        return {**row, "used": self.used(model) if shape.experts else None}

    def fit(self, name, steps, seed):
        """A model that was trained for so many steps, and the records of the steps."""
        settings = replace(self.config.pretrain, steps=steps, validation_every=steps, **FAMILIES[name][2])
        model, recorder = new_model(self.model_of(name), self.tokenizer, seed), MemoryRecorder()
        pretrain(model, self.stream, self.held_out, settings, seed, recorder)
        return model, recorder.records

    def used(self, model):
        """Of each block, the share of the held-out text's choices that fell on each expert.  Returns [[E shares]]"""
        counts, config = [np.zeros(model.config.experts) for _ in range(model.config.layers)], model.config
        for batch in windows(self.held_out, config.context, model.tokenizer.begin_id, 32):
            _, cache = transformer_forward(batch.tokens, model.params, config, batch.positions, batch.visible_from)
            for count, block in zip(counts, cache.blocks):
                count += block.feed_forward.even.share * block.feed_forward.even.real.sum()
        return [(count / count.sum()).tolist() for count in counts]


def train_all(names, budget, seeds, args):
    """One row a training; the families take turns."""
    side, rows = (Here if args.quick else Apart)("families:Pretraining", args.quick), []
    for seed in seeds:
        for name in names:
            progress(f"{name}, seed {seed}")
            rows.append(side.ask("train", name, budget, seed))
    side.close()
    return rows


def summed_up(rows):
    """One row a family: the means of all seeds, the seconds of the fastest of them."""
    for chosen in grouped(rows, "family").values():
        losses, seconds = [row["loss"] for row in chosen], min(row["seconds"] for row in chosen)
        yield {**chosen[0], "loss": float(np.mean(losses)), "lowest": min(losses), "highest": max(losses),
               "probes": float(np.mean([row["probes"] for row in chosen])), "seconds": seconds,
               "ms": 1e3 * seconds / chosen[0]["steps"]}


def evenness(shares):
    """How many equally used experts are as even as these: exp of the entropy.  Shapes:  (E,) -> between 1 and E"""
    shares = np.array(shares)
    return float(np.exp(-np.sum(np.where(shares > 0, shares * np.log(np.maximum(shares, 1e-30)), 0))))


def usage(rows, found):
    """One row for each family with experts: the mean over seeds of its least even block."""
    for row in found:
        if not row["used"]:
            continue
        preset, changes, _ = FAMILIES[row["family"]]
        shape = replace(MODELS[preset], **changes)
        worst = [min(one["used"], key=evenness) for one in rows if one["family"] == row["family"]]
        # E sum f^2: what the balancing loss is where the router's probabilities are its choices' shares
        yield {"family": row["family"], "experts": shape.experts, "active": shape.active_experts,
               "balance": float(np.mean([shape.experts * np.sum(np.square(shares)) for shares in worst])),
               "least": float(np.mean([min(shares) for shares in worst])),
               "most": float(np.mean([max(shares) for shares in worst])),
               "even": float(np.mean([evenness(shares) for shares in worst])), "loss": row["loss"]}


def main(argv=None):
    """Train every family with all seeds, one after the other."""
    parser = flags(__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many (3)")
    parser.add_argument("--steps", type=int, default=810,
                        help="steps of `llama`, which set the number of operations (810)")
    parser.add_argument("--only", nargs="+", choices=FAMILIES, default=list(FAMILIES), help="these families alone")
    args = parse(parser, argv)
    report = Report(__file__, __doc__, args)
    rows = train_all(args.only, 4 if args.quick else args.steps, range(1 if args.quick else args.seeds), args)
    found = list(summed_up(rows))
    report.table("Families at equal compute", COLUMNS, found)
    used = list(usage(rows, found))
    if used:
        report.table("How evenly experts are used, in the least even block", USED_COLUMNS, used)
    for row in found:
        report.headline(f"validation loss of {row['family']}", row["loss"], ".4f")

    def draw(axes):
        for row in found:
            axes.plot(row["seconds"], row["loss"], "o")
            axes.annotate(row["family"], (row["seconds"], row["loss"]), xytext=(6, 4), textcoords="offset points")
        axes.set_xlabel("seconds of training, at the same number of operations")
        axes.set_ylabel("validation loss, nats a token")
    report.finish(draw, trainings=rows)


if __name__ == "__main__":
    main()
