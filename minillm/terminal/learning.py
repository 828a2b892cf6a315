"""The verbs for learning: lesson, site, trace and scale."""

import json
import re
import runpy
import sys
import time
from dataclasses import replace
from pathlib import Path

from minillm.config import check_range, require
from minillm.runs.config import PRESETS

VOCABULARY = 400        # tokens, of the model whose step is traced
LESSONS = Path(__file__).resolve().parents[2] / "lessons"      # beside the package, in a checkout


def lessons():
    """[(number, name, question, minutes to read)] of all lessons.

    Raises:  ValueError if the lessons are not installed.
    """
    require(LESSONS.is_dir(),
            "the lessons are not here; they are in the repository, beside the package: clone the "
            "repository and use pip install -e .")
    found = []
    for path in sorted(LESSONS.glob("[0-9][0-9]_*.md")):
        lines = path.read_text(encoding="utf-8").splitlines()
        question, minutes = re.fullmatch(r"\*(.+)\* (\d+) minutes\.", lines[2]).groups()
        found.append((path.stem[:2], path.stem, question, int(minutes)))
    return found


def lesson(args):
    """`minillm lesson`: list the lessons; `minillm lesson 09`: run one; --text: print its path."""
    every = lessons()
    require(args.number is not None or not (args.text or args.full),
            "give the number of a lesson too, such as: minillm lesson 09 --text")
    if args.number is None:
        noted = LESSONS / "results" / "seconds.json"
        seconds = json.loads(noted.read_text(encoding="utf-8")) if noted.exists() else {}
        for number, name, question, minutes in every:
            taken = seconds.get(name, {}).get("default")
            ran = "" if taken is None else f"runs {taken} s"
            print(f"  {number}  read {minutes:>2} min  {ran:<10}  {question}")
        print(f"\nread: {LESSONS / 'README.md'}; run: minillm lesson 09")
        return
    wanted = args.number.zfill(2) if args.number else ""
    chosen = next((name for number, name, *_ in every if wanted in (number, name)), None)
    require(chosen is not None, f"there is no lesson {args.number}; the lessons are "
                                f"{every[0][0]} to {every[-1][0]}")
    path = LESSONS / f"{chosen}.py"
    if args.text:
        print(path.with_suffix(".md"))
        return
    sys.argv = [str(path), *(["--full"] if args.full else [])]
    sys.path.insert(0, str(LESSONS))
    began = time.perf_counter()
    runpy.run_path(str(path), run_name="__main__")
    seconds = time.perf_counter() - began
    print(f"\n{chosen}: {seconds:.0f} s; its text: {path.with_suffix('.md')}")


def site(args):
    """`minillm site`: write the lessons as web pages, with the source beside the text."""
    lessons()
    require(args.out != "", "--out is empty; give a folder to write to")
    out = Path(args.out)
    file = next((path for path in (out, *out.parents) if path.exists() and not path.is_dir()), None)
    require(file is None, f"--out {out}: {file} is a file; give a folder to write to")
    sys.path.insert(0, str(LESSONS))
    import pages

    print(pages.write_site(out))


def trace(args):
    """`minillm trace`: one training step of an untrained model as a table, one row per tensor."""
    import numpy as np

    from minillm.objectives.next_token import next_token_objective
    from minillm.phases.pretrain import new_model
    from minillm.runs import memory
    from minillm.runs.checks import require_memory
    from minillm.training.tracing import traced
    from minillm.runs.data import world_texts
    from minillm.text.batches import window_batch
    from minillm.text.tokenizer import train_tokenizer

    check_range("--rows", args.rows, "[1, inf)")
    config = PRESETS[args.preset]
    model = replace(config.model, vocab_size=VOCABULARY)
    require_memory("this trace", memory.trace(model, args.rows), "lower --rows")
    texts = world_texts(0, 0.03)
    tokenizer = train_tokenizer(texts, VOCABULARY, config.tokenizer.kind)
    model = new_model(config.model, tokenizer, 0)
    batch = window_batch(tokenizer.encode_documents(texts), 0, args.rows, model.config.context, 0,
                         tokenizer.begin_id)
    steps = []
    rows = traced(lambda: steps.append(next_token_objective(model.params, batch, model.config)),
                  model.params)
    print(f"{'tensor':<52}{'shape':<20}{'mean':>11}{'spread':>11}  made by")
    for row in rows:
        print(f"{'  ' * row.depth + row.name:<52}{str(row.shape):<20}{row.mean:>11.2e}"
              f"{row.spread:>11.2e}  {row.place}")
    print(f"\nloss {steps[0].loss:.4f} nats per token; "
          f"ln V = {np.log(tokenizer.vocab_size):.4f}")


COLUMNS = ("model", "parameters", "published", "tokens", "6 N D FLOPs", "published", "attention",
           "GPU hours", "published", "dollars", "years here")
WIDTHS = (14, 12, 11, 9, 13, 11, 11, 12, 11, 10, 12)        # of the columns, in characters


def scale(args):
    """`minillm scale`: what training published models took, and what it would take here."""
    from minillm.evaluate import scale as scaling
    from minillm.model.size import attention_flops, parameters, training_flops

    check_range("--gpu-flops", args.gpu_flops, "[1e6, 1e24]")
    check_range("--utilization", args.utilization, "[1e-6, 1]")
    check_range("--dollars-per-gpu-hour", args.dollars_per_gpu_hour, "[0, 1e6]")
    here = scaling.measured_flops_per_second()
    rate = args.gpu_flops * args.utilization
    print(in_columns(COLUMNS))
    for model in scaling.PUBLISHED:
        flops = training_flops(model.config, model.tokens)
        hours = flops / rate / 3600
        share = attention_flops(model.config, model.tokens) / flops
        print(in_columns((
            model.name + ("" if model.verified else " *"),
            f"{parameters(model.config) / 1e9:.1f} B", f"{model.parameters / 1e9:.0f} B",
            f"{model.tokens / 1e12:.1f} T", f"{flops:.2e}", f"{model.flops:.2e}", f"{share:.1%}",
            f"{hours:,.0f}", f"{model.gpu_hours:,.0f}" if model.gpu_hours else "-",
            f"{hours * args.dollars_per_gpu_hour / 1e6:.1f} M",
            f"{flops / here / 3600 / 24 / 365:,.0f}")))
    print(f"\nGPU: {args.gpu_flops:.3g} FLOP/s at {args.utilization:.0%} utilization, "
          f"{args.dollars_per_gpu_hour} dollars per hour (assumed; A100 bfloat16: 312e12).\n"
          f"here: {here / 1e9:.0f} GFLOP/s, measured now in a training step of the micro model.\n"
          "* GPT-4: an unverified estimate from press reports; its makers published no size.\n"
          "sources: " + "; ".join(f"{model.name}: {model.source}" for model in scaling.PUBLISHED))


def in_columns(cells):
    """A line of the table of scale: the first cell aligned left, the others aligned right."""
    first, *others = (f"{cell:{'<' if at == 0 else '>'}{width}}"
                      for at, (cell, width) in enumerate(zip(cells, WIDTHS)))
    return first + "".join(others)
