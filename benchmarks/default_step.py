"""How long does a step of the default run take, in float32 and with factors in bfloat16?

    python benchmarks/default_step.py --json default_step.json --plot default_step.png

A step is what training.loop does in `minillm run`: forward, backward, clipping and Muon, of the default model on batches
of its size. Pretraining predicts every token; in fine-tuning the words of the answers are predicted, some two fifths of
a conversation's tokens, and all of those of the rows of text that are replayed. Three processes take turns: one compiles
for this processor as it is, one for the same without AVX512-BF16, and one for the same with AVX2 alone, which is what
many laptops have. The ratios are of turns that followed each other.
"""

import time
from dataclasses import replace
from functools import partial

import numpy as np
from common import Report, flags, median, pair_ratios, parse, progress
from llvmlite.binding import get_host_cpu_features
from pictures import bars
from turns import open_sides, take_turns

from minillm.config import PRECISIONS
from minillm.model.transformer import one_document, transformer_init
from minillm.objectives.next_token import next_token_objective
from minillm.runs.config import DEFAULT, PRESETS
from minillm.text.batches import Batch
from minillm.training.loop import train

STAGES = {"pretrain": 1.0, "finetune": 0.42}    # share of a row's tokens that are predicted: all; those of answers
STEPS = 5           # of a turn
COLUMNS = [("side", "processor", ""), ("stage", "stage", ""), ("float32", "float32, ms a step", ",.1f"),
           ("bfloat16", "bfloat16, ms a step", ",.1f"), ("ratio", "bfloat16 / float32", ".2f"), ("low", "lowest turn", ".2f"),
           ("high", "highest", ".2f")]


class Steps:
    """The default run's steps of pretraining and fine-tuning, on random tokens: what they are does not change the time."""

    def __init__(self):
        preset, rng = PRESETS[DEFAULT], np.random.default_rng(0)
        self.config = replace(preset.model, vocab_size=preset.tokenizer.vocab_size)
        self.settings, self.batches = {}, {}
        for stage, predicted in STAGES.items():
            settings = getattr(preset, stage)
            rows = settings.rows + getattr(settings, "replay_rows", 0)
            tokens = rng.integers(0, self.config.vocab_size, (2, rows, self.config.context), np.int32)
            weights = (rng.random(tokens[0].shape) < predicted).astype(np.float32)
            weights[settings.rows:] = 1         # of the text that is replayed, all
            self.settings[stage], self.batches[stage] = settings, Batch(*tokens, weights, *one_document(tokens[0]))
        self.params = transformer_init(self.config, rng)

    def seconds(self, stage, precision, steps):
        """Seconds a step, after one that is not timed."""
        objective = partial(next_token_objective, config=self.config, precision=precision)
        for count in (1, steps):
            began = time.perf_counter()
            train(self.params, replace(self.settings[stage], steps=count), lambda step: [self.batches[stage]], objective)
        return (time.perf_counter() - began) / steps


def without(word):
    """The environment in which numba compiles for this processor without the features whose names begin so."""
    features = [f"-{feature[1:]}" if feature[1:].startswith(word) else feature
                for feature in get_host_cpu_features().flatten().split(",")]
    return {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ",".join(features)}


def main(argv=None):
    """Time both stages in both precisions, on each side."""
    args = parse(flags(__doc__), argv)
    report, here = Report(__file__, __doc__, args), "default_step:Steps"
    targets = {"as it is": (here, None)}
    if not args.quick:
        targets |= {"without AVX512-BF16": (here, without("avx512bf16")), "AVX2 alone": (here, without("avx512"))}
    rows, steps = [], 1 if args.quick else STEPS
    with open_sides(targets, apart=not args.quick) as sides:
        for stage in STAGES:
            progress(stage)
            for precision in PRECISIONS:        # compiles
                take_turns(sides, 1, "seconds", stage, precision, 1)
            taken = [{precision: take_turns(sides, 1, "seconds", stage, precision, steps) for precision in PRECISIONS}
                     for _ in range(args.rounds)]
            for side in targets:
                full, half = ([turn[precision][side][0] for turn in taken] for precision in ("float32", "bfloat16"))
                ratios = pair_ratios(half, full)
                rows.append({"side": side, "stage": stage, "float32": 1e3 * median(full), "bfloat16": 1e3 * median(half),
                             "ratio": median(ratios), "low": min(ratios), "high": max(ratios)})
    report.table("A step of the default run", COLUMNS, rows)
    for row in rows:
        report.headline(f"{row['side']}, {row['stage']}: a step in bfloat16 / in float32", row["ratio"], ".2f")
    report.finish(lambda axes: bars(axes, [f"{row['stage']}, {row['side']}" for row in rows],
                                    {precision: [row[precision] for row in rows] for precision in PRECISIONS}, "ms a step"),
                  rows=rows)


if __name__ == "__main__":
    main()
