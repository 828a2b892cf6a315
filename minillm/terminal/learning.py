"""The verbs for learning: lesson, site, trace and scale."""

import json
import re
import runpy
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

from minillm.config import check_range, require
from minillm.runs.config import PRESETS
from minillm.terminal import exercises, guesses
from minillm.training.progress import WIDTH

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
    """`minillm lesson`: list the lessons; `minillm lesson 09`: run one.

    --text prints its path; --guess 2 keeps a guess; --check checks the exercises of a reader.
    Returns the exit status, which is 1 if an exercise is not right yet.
    """
    every = lessons()
    asked = [flag for flag in ("--text", "--full", "--check") if getattr(args, flag[2:])]
    asked += ["--guess"] if args.guess is not None else []
    require(args.number is not None or not asked,
            "give the number of a lesson too, such as: minillm lesson 09 --text")
    require(len(asked) < 2, f"give one of {' and '.join(asked)}, not both")
    if args.number is None:
        return list_lessons(every)
    wanted = args.number.zfill(2) if args.number else ""
    chosen = next((name for number, name, *_ in every if wanted in (number, name)), None)
    require(chosen is not None, f"there is no lesson {args.number}; the lessons are "
                                f"{every[0][0]} to {every[-1][0]}")
    text = LESSONS / f"{chosen}.md"
    if args.text:
        print(text)
        return 0
    if args.check:
        return exercises.check(LESSONS, chosen)
    question = guesses.question_of(text.read_text(encoding="utf-8"))
    if args.guess is not None:
        guesses.record(chosen, args.guess, question)
        print(f"kept in {guesses.GUESSES}; to compare it with the answer: minillm lesson {wanted}")
        return 0
    guesses.ask(chosen, question)
    run(text.with_suffix(".py"), args.full)
    told = guesses.compared(chosen, question)
    if told:
        print("\n" + textwrap.fill(told, 100, break_on_hyphens=False))
    return 0


def list_lessons(every):
    """Print for each lesson how long it takes, what was guessed and what it asks."""
    noted = LESSONS / "results" / "seconds.json"
    seconds = json.loads(noted.read_text(encoding="utf-8")) if noted.exists() else {}
    told = {name: guesses.listed(name, guesses.question_of(
        (LESSONS / f"{name}.md").read_text(encoding="utf-8"))) for _, name, *_ in every}
    width = max(map(len, told.values()))
    for number, name, question, minutes in every:
        taken = seconds.get(name, {}).get("default")
        ran = "" if taken is None else f"runs {taken} s"
        mine = f"{told[name]:<{width}}  " if width else ""
        head = f"  {number}  read {minutes:>2} min  {ran:<10}  {mine}"
        lines = textwrap.wrap(question, max(WIDTH - len(head), 30), break_on_hyphens=False)
        print(head + f"\n{'':{len(head)}}".join(lines))
    print(f"\nread: {LESSONS / 'README.md'}; run: minillm lesson 09")


def run(script, full):
    """Run a lesson's script in this process."""
    sys.argv = [str(script), *(["--full"] if full else [])]
    sys.path.insert(0, str(LESSONS))
    began = time.perf_counter()
    runpy.run_path(str(script), run_name="__main__")
    seconds = time.perf_counter() - began
    print(f"\n{script.stem}: {seconds:.0f} s; its text: {script.with_suffix('.md')}")


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
    from minillm.text.learning import train_tokenizer

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
        print(f"{'  ' * row.depth + row.name:<51} {str(row.shape):<20}{row.mean:>11.2e}"
              f"{row.spread:>11.2e}  {row.place}")
    print(f"\nloss {steps[0].loss:.4f} nats per token; "
          f"ln V = {np.log(tokenizer.vocab_size):.4f}")


COLUMNS = ("model", "parameters", "published", "active", "tokens", "6 N D FLOPs", "published",
           "attention", "GPU hours", "published", "dollars", "years here")
WIDTHS = (14, 12, 11, 9, 9, 13, 11, 11, 12, 11, 10, 12)     # of the columns, in characters
FAMILY_COLUMNS = ("family", "full size", "parameters", "published", "", "active", "twin", "active")
FAMILY_WIDTHS = (8, 14, 18, 17, 19, 17, 13, 11)


def scale(args):
    """`minillm scale`: what training published models took, and what it would take here."""
    from minillm.evaluate import scale as scaling
    from minillm.model.size import (active_parameters, attention_flops, parameters,
                                    training_flops)

    check_range("--gpu-flops", args.gpu_flops, "[1e6, 1e24]")
    check_range("--utilization", args.utilization, "[1e-6, 1]")
    check_range("--dollars-per-gpu-hour", args.dollars_per_gpu_hour, "[0, 1e6]")
    here = scaling.measured_flops_per_second()
    rate, sources = args.gpu_flops * args.utilization, {}
    print(in_columns(COLUMNS))
    for model in scaling.PUBLISHED:
        sources.setdefault(model.source, []).append(model.name)
        flops = training_flops(model.config, model.tokens)
        hours = scaling.gpu_hours(model.config, model.tokens, rate)
        share = attention_flops(model.config, model.tokens) / flops
        print(in_columns((
            model.name + ("" if model.verified else " *"),
            f"{parameters(model.config) / 1e9:.1f} B",
            published(model.parameters, 1e9, ".0f", " B"),
            f"{active_parameters(model.config) / 1e9:.1f} B",
            f"{model.tokens / 1e12:.1f} T", f"{flops:.2e}", published(model.flops, 1, ".2e"),
            f"{share:.1%}", f"{hours:,.0f}", published(model.gpu_hours, 1, ",.0f"),
            f"{hours * args.dollars_per_gpu_hour / 1e6:.1f} M",
            f"{flops / here / 3600 / 24 / 365:,.0f}")))
    print(f"\nGPU: {args.gpu_flops:.3g} FLOP/s at {args.utilization:.0%} utilization, "
          f"{args.dollars_per_gpu_hour} dollars per hour (assumed; A100 bfloat16: 312e12).\n"
          f"here: {here / 1e9:.0f} GFLOP/s, measured now in a training step of the micro model.\n"
          "* GPT-4: its makers published neither shape nor tokens; unverified press reports.\n"
          "unknown: nobody published it.\n"
          "sources: " + "; ".join(f"{', '.join(names)}: {source}"
                                  for source, names in sources.items())
          + "\n\nWhat is told of three of them, beside what can be computed:")
    for figure in scaling.told_figures():
        print(f"{figure.model:<12} {figure.what:<11} told {figure.words(figure.told):<14} "
              f"computed {figure.words(figure.computed):<15} {figure.outcome:<8} {figure.why}")
    print_families(scaling.FULL_SIZE, parameters, active_parameters)


def print_families(full_sizes, parameters, active_parameters):
    """The families that --preset chooses: their size as published, and that of their twins."""
    print("\nThe families of --preset, as their makers built them, and as minillm trains them:\n"
          + in_columns(FAMILY_COLUMNS, FAMILY_WIDTHS))
    for full in full_sizes:
        preset = PRESETS[full.family]
        twin = replace(preset.model, vocab_size=preset.tokenizer.vocab_size)
        sizes = (parameters(full.config), active_parameters(full.config))
        whole, active = (f"{size:,}" if full.published else f"{size / 1e9:,.0f} B (guess)"
                         for size in sizes)
        print(in_columns((full.family, full.name, whole, published(full.published, 1, ",.0f"),
                          full.outcome, active, f"{parameters(twin):,}",
                          f"{active_parameters(twin):,}"), FAMILY_WIDTHS))
    print("published: " + "; ".join(f"{full.name}: {full.source}" for full in full_sizes)
          + "\n* a made-up shape, with as many active parameters as press reports speak of.")


def published(value, unit, form, suffix=""):
    """A published number in its unit, or "unknown"."""
    return "unknown" if value is None else f"{value / unit:{form}}{suffix}"


def in_columns(cells, widths=WIDTHS):
    """A line of the table of scale: the first cell aligned left, the others aligned right."""
    first, *others = (f"{cell:{'<' if at == 0 else '>'}{width}}"
                      for at, (cell, width) in enumerate(zip(cells, widths)))
    return first + "".join(others)
