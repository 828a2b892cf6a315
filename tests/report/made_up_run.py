"""A made-up run for the page to show: its files without its models."""

import json
import math

HOSTILE = "<script>alert(1)</script> & $\\frac{1}{2}$ \x00\x1b[31m \u202eleft \ud800 {{ 7 * 7 }}"

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
                 "domain_bits_per_byte": {"base": 2.2, "finetuned": 0.9}},
    "reward": {"pair_accuracy": 0.83},
    "rlhf": {"win_rate": 0.625, "win_rate_low": 0.55, "kl": 3.25, "stopped": 0.97,
             "gold": {mark: {"finetuned": 0.5, "aligned": 0.75} for mark in ("helpful", "accurate", "safe")}},
}

SAMPLES = {
    "next": [{"context": HOSTILE, "words": [{"text": "mat", "p": 0.5}, {"text": "\\n", "p": 0.25}]}],
    "texts": [{"prompt": "", "text": HOSTILE}],
    "answers": [{"prompt": [{"role": "system", "content": "Be brief."},
                            {"role": "user", "content": f"{n}? " + HOSTILE}],
                 "answers": {name: {"text": HOSTILE, "gold": 0.25}
                             for name in ("base", "finetuned", "aligned")}} for n in range(20)],
    "steps": {"prompt": [{"role": "user", "content": HOSTILE}], "responses": ["one", HOSTILE, "", "four"],
              "ranks": [2, 1, 3, 3], "rater": "simulated", "scores": [0.5, 1.5, 0.75, -1.0],
              "logprobs": {"finetuned": [-2.0, -3.0, -4.0, -900.0], "aligned": [-2.5, -1.0, -4.0, -950.0]}},
}

PHASES = ("pretrain", "finetune", "task", "domain", "reward", "rlhf")


def records(phase, steps=60):
    """Metrics of a phase; one pair accuracy is NaN, as where all ranks of a step are ties."""
    made = [{"step": step, "loss": 7 - step / 10, "seconds": 0.1, "weight": 10.0} for step in range(steps)]
    for record in made:
        x = record["step"] / steps
        if phase in ("pretrain", "finetune") and record["step"] % 20 == 19:
            record["validation_loss"] = record["loss"] + 0.1
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
