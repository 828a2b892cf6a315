"""How near does LoRA come to full fine-tuning on the embedded world's three jobs, and what does it save?

    python benchmarks/lora.py --json lora.json --plot lora.png

One base model of the embedded world is fine-tuned for instructions, for one task and for one domain, as `minillm run` does it
(its steps, rows and replay): all parameters, or an adapter beside every linear layer of the blocks. Three things are measured on
what no training used: the loss on the answers, the share of right answers, and what was forgotten, the loss on further text of
pretraining. --run takes the base of a run, such as runs/run-001; without it, one is pretrained first. Full fine-tuning has the
settings of the default run (Muon), or the phase's own (AdamW). Adapters have those of the default run, by AdamW; of a few learning
rates (0.006, 0.01, 0.018) its 0.018 was the best at rank 8 and alpha 16, and alpha 64 did not learn with it. The optimizer's memory
is that of its moments. Seconds are the median of the steps of the instructions.

The second table gives the two short jobs more steps: is it the low rank that a small adapter lacks, or time? There rank 4, whose
adapter adds twice as much for the same weights as that of rank 8 (alpha / rank), has a third of the learning rate: 0.006, the best
of 0.018, 0.006, and 0.018 with alpha 4.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from common import Report, flags, median, parse, progress
from pictures import curves

from minillm import tree
from minillm.config import ModelConfig
from minillm.evaluate.likelihood import examples_loss, stream_loss
from minillm.model.language_model import LanguageModel
from minillm.optim.adamw import adamw_init
from minillm.optim.muon import muon_init
from minillm.phases import finetune as phase
from minillm.phases.pretrain import new_model, pretrain
from minillm.phases.tokenizer import learn_vocabulary
from minillm.runs import data, measures
from minillm.runs.config import DEFAULT, PRESETS, load_config
from minillm.runs.run import Run
from minillm.training.recorder import MemoryRecorder
from minillm.world.corpus import to_read_again
from minillm.world.messages import TASK_PROMPT

RANKS = (1, 2, 4, 8, 16)
TIMES = (1, 4, 12)          # times the steps of the default run
FULL, ADAMW = "full, Muon", "full, AdamW"
DIALS = {FULL: {}, ADAMW: {name: getattr(phase.FinetuneConfig, name)
                           for name in ("optimizer", "lr", "beta1", "table_lr", "weight_decay")}}
LONGER = {ADAMW: DIALS[ADAMW], "rank 4": dict(lora=4, lr=0.006)}
LOOKED_AT = 20_000          # tokens of the held-out text
SMALL = ModelConfig(layers=1, width=16, heads=2, hidden=24)     # for --quick
COLUMNS = [("name", "trained", ""), ("parameters", "parameters", ",d"), ("share", "share", ".1%"),
           ("moments", "moments, kB", ",.0f"), ("loss", "answers, nats a token", ".4f"), ("right", "right", ".1%"),
           ("task", "task right", ".1%"), ("domain", "domain, bits a byte", ".3f"),
           ("old", "old text, nats a token", ".3f"), ("ms", "ms a step", ".1f"), ("faster", "a step / full's", ".2f")]


LONGER_COLUMNS = [("name", "trained", ""), ("share", "share", ".1%"), ("times", "times the steps", ",d"),
                  ("task_steps", "steps of the task", ",d"), ("task", "task right", ".1%"),
                  ("domain_steps", "of the domain", ",d"), ("domain", "domain, bits a byte", ".3f")]


class Jobs:
    """A base model, what it is to learn, and the rulers."""

    def __init__(self, args):
        config = PRESETS[DEFAULT]
        if args.quick:
            config = replace(config, model=SMALL, tokenizer=replace(config.tokenizer, vocab_size=1200),
                             pretrain=replace(config.pretrain, megabytes=0.05, rows=2, steps=2),
                             finetune=replace(config.finetune, conversations=60, rows=2, steps=2, task_steps=2,
                                              domain_steps=2))
        if args.run:
            config = replace(load_config(Path(args.run))[0], finetune=config.finetune)
        if args.steps:
            config = replace(config, finetune=replace(config.finetune, steps=args.steps))
        self.run, self.config = Run(Path(args.run or "."), config, quiet=True), config
        self.training, self.validation = data.documents(self.run)
        self.base = self.run.model("pretrain") if args.run else self.pretrained()
        self.stream, held_out = map(self.base.tokenizer.encode_documents, (to_read_again(self.training), self.validation))
        self.held_out = held_out[:500 if args.quick else LOOKED_AT]
        self.talks, talks = data.conversations(self.run, self.base, data.unsaid)
        self.first = data.first_conversations(self.run)
        few = slice(4 if args.quick else None)
        self.held_talks = phase.rendered(self.base, talks[few], "held-out conversations")
        self.requests = data.requests(self.run)[few]
        (self.messages, messages), (logs, held_logs) = data.task_messages(self.run), data.domain_documents(self.run)
        self.held_messages, self.held_logs = messages[few], held_logs[few]
        self.logs = self.base.tokenizer.encode_documents(logs[:40 if args.quick else None])

    def pretrained(self):
        """The base model of the default run."""
        progress("pretraining the base")
        spoken = data.vocabulary_texts(self.run, self.training)
        tokenizer = learn_vocabulary(spoken, self.validation, self.config.tokenizer)
        model = new_model(self.config.model, tokenizer, self.config.seed)
        settings = replace(self.config.pretrain, validation_every=self.config.pretrain.steps)
        pretrain(model, tokenizer.encode_documents(self.training), tokenizer.encode_documents(self.validation), settings,
                 self.config.seed, MemoryRecorder())
        return model

    def copy(self):
        """The base, to be trained."""
        return LanguageModel(tree.copy(self.base.params), self.base.config, self.base.tokenizer)

    def measure(self, dials):
        """A row: the base fine-tuned for each job with these dials, on its ruler."""
        settings, seed = replace(self.config.finetune, **dials), self.config.seed
        recorder, model = MemoryRecorder(), self.copy()
        phase.finetune(model, self.talks, settings, seed, recorder, replay=self.stream, first=self.first)
        return {**self.sizes(settings), **self.rulers(model, *self.specialists(settings)),
                "ms": 1e3 * median([record["seconds"] for record in recorder.records])}

    def specialists(self, settings):
        """The base fine-tuned for the task, and the base fine-tuned for the domain."""
        task, domain = self.copy(), self.copy()
        phase.finetune_task(task, self.messages, TASK_PROMPT, settings.for_task, self.config.seed, MemoryRecorder())
        phase.finetune_domain(domain, self.logs, settings.for_domain, self.config.seed, MemoryRecorder())
        return task, domain

    def longer(self, dials, times):
        """A row: the task and the domain, with so many times the steps."""
        settings = replace(self.config.finetune, **dials)
        settings = replace(settings, task_steps=times * settings.task_steps, domain_steps=times * settings.domain_steps)
        task, domain = self.specialists(settings)
        return {"share": self.sizes(settings)["share"], "times": times, "task_steps": settings.task_steps,
                "domain_steps": settings.domain_steps, **self.special_rulers(task, domain)}

    def sizes(self, settings):
        """How many parameters are trained, and the kB of their moments."""
        trained = phase.adapter_for(self.base, settings, 0).params if settings.lora else self.base.params
        state = (muon_init if settings.optimizer == "muon" else adamw_init)({"adapter": trained} if settings.lora else trained)
        moments = sum(leaf.nbytes for part in ("mean", "square") for leaf in tree.leaves(state[part]))
        return {"parameters": tree.count(trained), "share": tree.count(trained) / tree.count(self.base.params),
                "moments": moments / 1e3}

    def rulers(self, model, task, domain):
        """What the models do with what no training used."""
        return {"loss": examples_loss(model, self.held_talks), "right": measures.instruction_accuracy(model, self.requests),
                **self.special_rulers(task, domain), "old": stream_loss(model, self.held_out)[0]}

    def special_rulers(self, task, domain):
        """What the models of the task and of the domain do with what no training used."""
        return {"task": measures.task_accuracy(task, self.held_messages),
                "domain": measures.domain_bits_per_byte(domain, self.held_logs)}


def main(argv=None):
    """Train every row, one after the other."""
    parser = flags(__doc__)
    parser.add_argument("--run", metavar="RUN", help="folder of a run whose base model is taken (default: pretrain one)")
    parser.add_argument("--steps", type=int, help="steps of the instructions (default: those of the default run)")
    parser.add_argument("--ranks", type=int, nargs="+", default=RANKS, help="ranks of the adapters (1 2 4 8 16)")
    args = parse(parser, argv)
    report, jobs = Report(__file__, __doc__, args), Jobs(args)
    rows = [{"name": "base", **jobs.rulers(jobs.base, jobs.base, jobs.base)}]
    ranks = args.ranks[:1] if args.quick else args.ranks
    for name, dials in {**DIALS, **{f"rank {rank}": dict(lora=rank) for rank in ranks}}.items():
        progress(name)
        rows.append({"name": name, **jobs.measure(dials)})
        rows[-1]["faster"] = rows[-1]["ms"] / rows[1]["ms"]
        print("   ", rows[-1], flush=True)
    report.table("One base model, fine-tuned", COLUMNS, rows)
    longer = []
    for times in (1,) if args.quick else TIMES:
        for name, dials in LONGER.items():
            progress(f"{name}, {times} times the steps")
            longer.append({"name": name, **jobs.longer(dials, times)})
    report.table("Task and domain, with more steps", LONGER_COLUMNS, longer)
    if 8 in ranks:
        eight, full = next(row for row in rows if row["name"] == "rank 8"), rows[1]
        report.headline("rank 8: share of the parameters", eight["share"], ".1%")
        report.headline("rank 8: loss on answers - full fine-tuning's", eight["loss"] - full["loss"], "+.4f")
        report.headline("rank 8: right answers - full fine-tuning's", eight["right"] - full["right"], "+.1%")
        report.headline("rank 8: moments / full fine-tuning's", eight["moments"] / full["moments"], ".3f")
        report.headline("rank 8: seconds a step / full fine-tuning's", eight["faster"], ".2f")

    def draw(axes):
        lora = [row for row in rows if row["name"].startswith("rank")]
        lines = {"LoRA": ([row["parameters"] for row in lora], [row["loss"] for row in lora]),
                 **{row["name"]: ([row["parameters"]], [row["loss"]]) for row in rows[1:3]}}
        curves(axes, lines, "parameters trained", "loss on held-out answers, nats a token")
    report.finish(draw, rows=rows, longer=longer)


if __name__ == "__main__":
    main()
