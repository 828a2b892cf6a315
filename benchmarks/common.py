"""What the benchmarks share: flags, statistics, timing in turn, and the report as a table, JSON and a picture."""

import argparse
import importlib.util
import json
import math
import os
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
from host import (QUIET, Load, blas_variables, describe_machine, describe_versions, machine_lines, thread_count,
                  variables)
from pictures import picture

# Threads wait for the next kernel as long as libgomp's own default says, on both sides: PyTorch leaves it there, while
# importing minillm.kernels alone shortens it (kernels/threads.py), which costs less beside other work.
os.environ.setdefault("GOMP_SPINCOUNT", "300000")

PAUSE = 0.05    # seconds between turns, in which the threads of the side before go to sleep
LEAST = 0.05    # seconds that a timed turn takes at the least


def flags(doc, against=(), default=None):
    """The parser of a benchmark: its docstring, and the flags that all of them have."""
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=doc, formatter_class=as_written)
    parser.add_argument("--json", metavar="FILE", help="write every figure to this file")
    parser.add_argument("--plot", metavar="FILE", help="draw the picture into this file (.png, .svg or .pdf)")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each side, to take medians of (7)")
    parser.add_argument("--quick", action="store_true",
                        help="tiny sizes and two rounds: shows that it runs, and measures nothing")
    if against:
        parser.add_argument("--against", choices=against, default=default, help="what to time beside minillm")
    return parser


def parse(parser, argv):
    """The flags of a run.  Exits with one line where a package that it needs is not installed."""
    args = parser.parse_args(argv)
    args.rounds = 2 if args.quick else args.rounds
    for name in ("threadpoolctl", getattr(args, "against", None)):
        if name and importlib.util.find_spec(name) is None:
            parser.error(f"{name} is not installed; install the extra: pip install -e '.[bench]'")
    return args


def progress(text):
    """One line that says what is being timed now."""
    print(f"... {text}", file=sys.stderr, flush=True)


def median(values):
    """The middle one of some numbers."""
    return float(np.median(values))


def spread(values):
    """How far apart repeated timings lie: the distance of their quartiles, as a share of the median."""
    low, middle, high = np.percentile(values, (25, 50, 75))
    return float((high - low) / middle)


def geometric_mean(values):
    """exp(mean(log x)): the mean of ratios, in which 2 and 1/2 make 1."""
    return float(np.exp(np.mean(np.log(values))))


def pair_ratios(above, below):
    """above_i / below_i of turns that followed each other, so that a drift of the machine cancels."""
    return [a / b for a, b in zip(above, below, strict=True)]


def fit_exponent(sizes, values):
    """p of value = c size^p: the slope of the least-squares line through the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def grouped(rows, *keys):
    """{(value of each key): rows with these values}, in the order in which they first come."""
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    return groups


def columns_of(rows, *keys):
    """One list a key, of its values in all rows."""
    return [[row.get(key) for row in rows] for key in keys]


def timed(call, repeats):
    """Seconds a call, after one untimed call that wakes the threads and fills the caches."""
    call()
    began = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - began) / repeats


def alternate(calls, rounds, quick=False):
    """Time functions of this process in turn, A B A B.  calls: {name: function} -> {name: [seconds a call]}

    What compiles is called once before. Between two turns both sides' threads go to sleep: OpenBLAS's spin for
    some 30 ms after their last product, and would take the cores from whoever comes next.
    """
    repeats = {}
    for name, call in calls.items():
        call()
        repeats[name] = 1 if quick else max(1, math.ceil(LEAST / timed(call, 1)))
    seconds = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            time.sleep(0 if quick else PAUSE)
            seconds[name].append(timed(call, repeats[name]))
    return seconds


class Report:
    """One benchmark's figures, with the machine that they were measured on."""

    def __init__(self, file, doc, args):
        self.args, self.load = args, Load(0.05 if args.quick else 0.5)
        against = [name for name in [getattr(args, "against", None)] if name and name != "numpy"]
        self.content = {
            "name": Path(file).stem, "question": doc.split("\n")[0], "quick": args.quick,
            # of a file or folder its name alone: where it lay concerns one machine
            "flags": {key: Path(value).name if key in ("data", "run") and value else value
                      for key, value in vars(args).items() if key not in ("json", "plot")},
            "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), "rounds": args.rounds,
            "machine": describe_machine(), "versions": describe_versions(*against), "threads": thread_count(),
            "load": {"average": self.load.average, "others_before": self.load.before, "others_during": None},
            "variables": variables(), "headlines": [], "tables": [], "notes": [], "data": {}}
        print(doc.split("\n")[0])
        print(machine_lines(self.content))
        if self.load.warning():
            self.note(self.load.warning())
        if blas_variables():
            found = ", ".join(f"{name}={value}" for name, value in blas_variables().items())
            self.note(f"{found}: set here, which may slow a BLAS; every side that has one runs without.")
        if args.quick:
            self.note("--quick: tiny sizes and two rounds; these figures say nothing.")

    def note(self, text):
        """A sentence beside the figures."""
        self.content["notes"].append(text)
        print(text, flush=True)

    def table(self, title, columns, rows):
        """A table.  columns: [(key, heading, format)]; rows: [{key: value}], where None is printed as -"""
        table = {"title": title, "columns": columns, "rows": rows}
        self.content["tables"].append(table)
        print(f"\n{title}\n{as_text(table)}", flush=True)

    def headline(self, what, value, form):
        """A figure for the table at the top of RESULTS.md, in which the processors stand side by side."""
        self.content["headlines"].append([what, value, form])

    def finish(self, draw=None, **data):
        """Write what was asked for.  draw(axes) makes the picture; data are further numbers for the JSON."""
        self.content["data"] = data
        during = self.content["load"]["others_during"] = self.load.others()
        print("\nWhile this ran, other work kept " + ("an unknown number of cores busy." if during is None
                                                     else f"{during:.2f} cores busy."))
        if during is not None and during > QUIET:
            self.note(f"WARNING: that is above {QUIET}; run it again on a quiet machine.")
        if self.args.json:
            Path(self.args.json).write_text(json.dumps(self.content, indent=1) + "\n", encoding="utf-8")
        if self.args.plot and draw is not None:
            picture(self.args.plot, draw, self.content)


def cells(table):
    """The rows of a table as text, in the order and the format of its columns."""
    return [[as_cell(row.get(key), form) for key, _, form in table["columns"]] for row in table["rows"]]


def as_cell(value, form):
    """A value as text; None is -"""
    return "-" if value is None else format(value, form)


def as_text(table):
    """A table for the terminal: words flush left, numbers flush right."""
    rows = [[heading for _, heading, _ in table["columns"]], *cells(table)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    words = [form == "" for _, _, form in table["columns"]]
    return "\n".join("  ".join(text.ljust(width) if word else text.rjust(width)
                               for text, width, word in zip(row, widths, words)).rstrip() for row in rows)
