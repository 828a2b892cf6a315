"""The verbs of a reader: lesson, site, trace and scale."""

import json
import re
import runpy
import sys
import time
from pathlib import Path

from minillm.config import PRESETS, require

LESSONS = Path(__file__).resolve().parents[2] / "lessons"      # beside the package, in a checkout


def lessons():
    """[(number, name, question, minutes)] of all lessons.  Raises:  ValueError where they are not installed."""
    require(LESSONS.is_dir(), "the lessons are not here; they are in the repository, beside the package: "
                              "clone it and use pip install -e .")
    found = []
    for path in sorted(LESSONS.glob("[0-9][0-9]_*.md")):
        lines = path.read_text(encoding="utf-8").splitlines()
        question, minutes = re.fullmatch(r"\*(.+)\* (\d+) minutes\.", lines[2]).groups()
        found.append((path.stem[:2], path.stem, question, int(minutes)))
    return found


def lesson(args):
    """`minillm lesson`: list them; `minillm lesson 05`: run one; --text: the path of its text."""
    every = lessons()
    if args.number is None:
        noted = LESSONS / "results" / "seconds.json"
        seconds = json.loads(noted.read_text(encoding="utf-8")) if noted.exists() else {}
        for number, name, question, minutes in every:
            taken = seconds.get(name, {}).get("default")
            ran = "" if taken is None else f"runs {taken} s"
            print(f"  {number}  read {minutes:>2} min  {ran:<10}  {question}")
        print(f"\nread: {LESSONS / 'README.md'}; run: minillm lesson 05")
        return
    wanted = args.number.zfill(2)
    chosen = next((name for number, name, *_ in every if wanted in (number, name)), None)
    require(chosen is not None, f"there is no lesson {args.number}; the lessons are {every[0][0]} to {every[-1][0]}")
    path = LESSONS / f"{chosen}.py"
    if args.text:
        print(path.with_suffix(".md"))
        return
    sys.argv = [str(path), *(["--full"] if args.full else [])]
    sys.path.insert(0, str(LESSONS))
    began = time.perf_counter()
    runpy.run_path(str(path), run_name="__main__")
    print(f"\n{chosen}: {time.perf_counter() - began:.0f} s; its text: {path.with_suffix('.md')}")


def site(args):
    """`minillm site`: the lessons as pages, with the source beside the text."""
    lessons()
    sys.path.insert(0, str(LESSONS))
    import pages

    print(pages.write_site(Path(args.out)))


def trace(args):
    """`minillm trace`: one training step of a fresh model as a table, a row a tensor, in the order in which it is made."""
    import numpy as np

    from minillm.phases.pretrain import new_model
    from minillm.report.tracing import traced
    from minillm.text.batches import window_batch
    from minillm.text.tokenizer import train_tokenizer
    from minillm.train.objectives import next_token
    from minillm.world.documents import write_corpus
    from minillm.world.facts import make_world

    require(args.rows >= 1, f"--rows is {args.rows}; it must be 1 or more")
    config = PRESETS[args.preset]
    texts = [document.text for document in write_corpus(make_world(0), 0.03)]
    tokenizer = train_tokenizer(texts, 400, config.tokenizer.kind)
    model = new_model(config.model, tokenizer, 0)
    batch = window_batch(tokenizer.encode_documents(texts), 0, args.rows, model.config.context, 0, tokenizer.begin_id)
    objective, steps = next_token(model.config), []
    rows = traced(lambda: steps.append(objective(model.params, batch)))
    print(f"{'tensor':<34}{'shape':<20}{'mean':>11}{'spread':>11}  made by")
    for row in rows:
        print(f"{'  ' * row.depth + row.name:<34}{str(row.shape):<20}{row.mean:>11.2e}{row.spread:>11.2e}  {row.place}")
    print(f"\nloss {steps[0].loss:.4f} nats a token; ln V = {np.log(tokenizer.vocab_size):.4f}")


def scale(args):
    """`minillm scale`: what published models took to train, from their shapes, and what it would take here."""
    from minillm.evaluate import scale as scaling

    for name, value in (("--gpu-flops", args.gpu_flops), ("--utilization", args.utilization),
                        ("--dollars-per-gpu-hour", args.dollars_per_gpu_hour)):
        require(value > 0, f"{name} is {value}; it must be above 0")
    here = scaling.measured_flops_per_second()
    rate = args.gpu_flops * args.utilization
    print(f"{'model':<14}{'parameters':>12}{'published':>11}{'tokens':>9}{'6 N D FLOPs':>13}{'published':>11}"
          f"{'attention':>11}{'GPU hours':>12}{'published':>11}{'dollars':>10}{'years here':>12}")
    for model in scaling.PUBLISHED:
        flops = scaling.training_flops(model.config, model.tokens)
        hours = flops / rate / 3600
        told = f"{model.gpu_hours:,.0f}" if model.gpu_hours else "-"
        print(f"{model.name + ('' if model.verified else ' *'):<14}{scaling.parameters(model.config) / 1e9:>10.1f} B"
              f"{model.parameters / 1e9:>9.0f} B{model.tokens / 1e12:>7.1f} T{flops:>13.2e}{model.flops:>11.2e}"
              f"{scaling.attention_flops(model.config, model.tokens) / flops:>11.1%}{hours:>12,.0f}{told:>11}"
              f"{hours * args.dollars_per_gpu_hour / 1e6:>8.1f} M{flops / here / 3600 / 24 / 365:>12,.0f}")
    print(f"\nGPU: {args.gpu_flops:.3g} FLOP/s at {args.utilization:.0%} utilization, {args.dollars_per_gpu_hour} dollars an "
          f"hour (assumed; A100 bfloat16: 312e12).\nhere: {here / 1e9:.0f} GFLOP/s, measured now in a training step of the "
          "micro model.\n* GPT-4: an unverified estimate from press reports; its makers published no size.\nsources: "
          + "; ".join(f"{model.name}: {model.source}" for model in scaling.PUBLISHED))
