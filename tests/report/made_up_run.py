"""A made-up run for the page to show: its files without its models."""

import json
import math

HOSTILE = "<script>alert(1)</script> \"' onclick=alert(1) & $\\frac{1}{2}$ \x00\x1b[31m \u202eleft \ud800 {{ 7 * 7 }}"

ASSISTANT = {"sensible": 0.91, "kinds": {"capital": 0.95, "two_numbers": 0.75, HOSTILE: 0.5},
             "new_things": 0.57, "new_kinds": {"capital": 0.5, "two_numbers": 0.64},
             "declines": {"harmful": 0.97, "harmless": 0.02}, "unknown": {"outside": 0.9, "inside": 0.03},
             "remembers": {"told": 0.88, "somebody_else": 0.05}}

RESULTS = {
    "tokenizer": {"vocab_size": 2048},
    "seconds": {"tokenizer": 3.0, "pretrain": 200.0, "finetune": 60.0, "rank": 9.0,
                "reward": 20.0, "rlhf": 80.0, "total": 372.0},
    "pretrain": {"val_loss": 1.25, "val_bits_per_byte": 0.5, "uniform_loss": math.log(2048),
                 "unigram_loss": 5.7, "bigram_loss": 2.4, "tokens": 700_000, "parameters": 1_000_576,
                 "probes": {skill: {"untrained": 0.25, "base": 0.75, "chance": chance} for skill, chance in
                            (("grammar", 0.5), ("facts", 0.25), ("logic", 0.25), ("code", 0.25),
                             ("common_sense", 0.25))}},
    "finetune": {"instruction_accuracy": {"base": 0.03, "finetuned": 0.61},
                 "task_accuracy": {"base": 0.2, "finetuned": 0.9},
                 "domain_bits_per_byte": {"base": 2.2, "finetuned": 0.9}, "assistant": ASSISTANT},
    "reward": {"pair_accuracy": 0.83},
    "rlhf": {"win_rate": 0.625, "win_rate_low": 0.55, "kl": 3.25, "stopped": 0.97, "assistant": ASSISTANT,
             "gold": {mark: {"finetuned": 0.5, "aligned": 0.75} for mark in ("helpful", "accurate", "safe")}},
}

SAMPLES = {
    "next": [{"context": HOSTILE, "words": [{"text": "mat", "p": 0.5}, {"text": "\\n", "p": 0.25}]}],
    "texts": [{"prompt": "", "text": HOSTILE}],
    "surprise": [{"text": HOSTILE, "nats": 3.25, "likeliest": HOSTILE, "p": 0.5},
                 {"text": " key", "nats": 0.01, "likeliest": " key", "p": 0.99}],
    "attention": {"tokens": ["(start)", HOSTILE, " lost", " her"], "block": 2, "head": 3, "share": 0.7,
                  "weights": [[1.0], [0.5, 0.5], [0.25, 0.5, 0.25], [0.1, 0.7, 0.1, 0.1]]},
    "answers": [{"prompt": [{"role": "system", "content": "Be brief."},
                            {"role": "user", "content": f"{n}? " + HOSTILE}],
                 "answers": {name: {"text": HOSTILE, "gold": 0.25}
                             for name in ("base", "finetuned", "aligned")}} for n in range(20)],
    "everyday": [{"prompt": [{"role": "user", "content": "Who are you?"}],
                  "answers": {name: {"text": f"I am {name}. " + HOSTILE, "gold": None}
                              for name in ("base", "finetuned", "aligned")}}],
    "steps": {"prompt": [{"role": "user", "content": HOSTILE}], "responses": ["one", HOSTILE, "", "four"],
              "ranks": [2, 1, 3, 3], "rater": "simulated", "among": 7, "held_out": 1334, "scores": [0.5, 1.5, 0.75, -1.0],
              "logprobs": {"finetuned": [-2.0, -3.0, -4.0, -900.0], "aligned": [-2.5, -1.0, -4.0, -950.0]}},
}

PHASES = ("pretrain", "finetune", "task", "domain", "reward", "rlhf")


def records(phase, steps=60):
    """Metrics of a phase; one pair accuracy is NaN, as where all ranks of a step are ties."""
    made = [{"step": step, "loss": 7 - step / 10, "lr": 0.01, "grad_norm": 0.5, "seconds": 0.1, "weight": 10.0}
            for step in range(steps)]
    for record in made:
        x = record["step"] / steps
        if phase in ("pretrain", "finetune") and record["step"] % 20 == 19:
            record["validation_loss"] = record["loss"] + 0.1
        if phase == "pretrain" and record["step"] in (0, 9, 59):
            record["sample"] = f"wrote at {record['step']} " + HOSTILE
        if phase == "reward":
            record["pair_accuracy"] = math.nan if record["step"] == 7 else 0.5 + x / 3
        if phase == "rlhf":
            record.update(reward=x, kl=3 * x, gold_helpful=x, gold_accurate=x / 2, gold_safe=0.9)
    return made


def write_run(folder, phases=PHASES, results=RESULTS, samples=SAMPLES, config=None):
    """Write the files of a run that has the given phases behind it."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "run.json", config or {"seed": 3, "model": {"layers": 2}, "data": {}})
    write_json(folder / "results.json", results)
    write_json(folder / "samples.json", samples)
    for phase in phases:
        (folder / phase).mkdir(exist_ok=True)
        lines = "".join(json.dumps(record) + "\n" for record in records(phase))
        (folder / phase / "metrics.jsonl").write_text(lines, encoding="utf-8")
    return folder


def write_json(path, values):
    """One JSON file."""
    path.write_text(json.dumps(values), encoding="utf-8")
