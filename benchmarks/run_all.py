"""Run every benchmark, one after the other, and write benchmarks/RESULTS.md.

    python benchmarks/run_all.py --data tinyshakespeare.txt --run runs/run-001

Each runs in a process of its own and leaves NAME.json and NAME.png in benchmarks/results/. RESULTS.md is made from
those files alone, so `--only train_step matmul` measures these again and keeps the figures of the others, and
`--only` with no name just writes the page. TRIED.md, written by hand, stands at its end.
PyTorch and tokenizers are stood against where they are installed (pip install -e '.[bench]').
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from common import cells
from machine import QUIET, machine_lines

HERE = Path(__file__).resolve().parent
FLAGS = {"matmul": [], "kernels": [], "train_step": ["--matmul", "blas"], "attention": [], "generate": [],
         "scaling": [], "tokenizer": [], "shakespeare": ["--data"], "pipeline": []}
AGAINST = {"train_step": "torch", "attention": "torch", "generate": "torch", "scaling": "torch",
           "tokenizer": "tokenizers", "shakespeare": "torch"}


def command_of(name, args, folder):
    """The command of a benchmark, or None where what it reads was not given."""
    needed = {"shakespeare": args.data, "pipeline": args.run}
    if name in needed and not needed[name]:
        return None
    extra = [*FLAGS[name], needed[name]] if name in needed else list(FLAGS[name])
    if name in AGAINST and importlib.util.find_spec(AGAINST[name]):
        extra += ["--against", AGAINST[name]]
        extra += ["--compile"] if name == "train_step" and args.compile else []
    extra += ["--quick"] if args.quick else []
    return [sys.executable, str(HERE / f"{name}.py"), *extra,
            "--json", str(folder / f"{name}.json"), "--plot", str(folder / f"{name}.png")]


def wait_for_quiet(patience):
    """Wait until the last benchmark's threads no longer show in the load average, but not for ever."""
    began = time.monotonic()
    while hasattr(os, "getloadavg") and os.getloadavg()[0] > QUIET and time.monotonic() - began < patience:
        time.sleep(5)


def as_markdown(table):
    """A table of a report as Markdown."""
    headings = [heading for _, heading, _ in table["columns"]]
    rules = [":--" if form == "" else "--:" for _, _, form in table["columns"]]
    return "\n".join("| " + " | ".join(row) + " |" for row in [headings, rules, *cells(table)])


def section_of(content, folder):
    """What RESULTS.md says of one benchmark."""
    load = content["load"]["others_during"]
    lines = [f"## {content['name']}", "", f"**{content['question']}**", "",
             "```", machine_lines(content), f"date:     {content['date']}, {content['rounds']} rounds",
             f"other work while it ran: {'unknown' if load is None else f'{load:.2f} cores'}", "```"]
    for table in content["tables"]:
        lines += ["", f"### {table['title']}", "", as_markdown(table)]
    lines += [line for note in content["notes"] for line in ("", note)]
    if (folder / f"{content['name']}.png").exists():
        lines += ["", f"![{content['name']}]({folder.name}/{content['name']}.png)"]
    return "\n".join(lines)


def write_results(folder, page, tried):
    """RESULTS.md from the JSON files that there are, in the order of FLAGS, and what was tried."""
    sections = []
    for name in FLAGS:
        path = folder / f"{name}.json"
        if path.exists():
            sections.append(section_of(json.loads(path.read_text(encoding="utf-8")), folder))
    head = ("# Benchmarks\n\nWritten by `python benchmarks/run_all.py` from the JSON files in "
            f"`{folder.name}/`, not by hand. How a figure is measured stands at the top of its benchmark.\n")
    end = ["#" + tried.read_text(encoding="utf-8").strip().replace("\n#", "\n##")] if tried.exists() else []
    page.write_text("\n\n".join([head.strip(), *sections, *end]) + "\n", encoding="utf-8")


def main(argv=None):
    """Run what was asked for and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=FLAGS, default=list(FLAGS), help="these alone")
    parser.add_argument("--data", metavar="FILE", help="text for shakespeare.py, which is left out without it")
    parser.add_argument("--run", metavar="RUN", help="folder for pipeline.py, which is left out without it")
    parser.add_argument("--compile", action="store_true", help="time torch.compile too")
    parser.add_argument("--patience", type=float, default=180, help="longest wait for quiet, in seconds (180)")
    parser.add_argument("--out", metavar="FOLDER", default=str(HERE), help="where results/ and RESULTS.md go")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that all of them run")
    args = parser.parse_args(argv)
    folder, failed = Path(args.out) / "results", []
    folder.mkdir(parents=True, exist_ok=True)
    for name in args.only:
        command = command_of(name, args, folder)
        if command is None:
            print(f"== {name}: left out; it needs {'--data' if name == 'shakespeare' else '--run'}", flush=True)
            continue
        if not args.quick:
            wait_for_quiet(args.patience)
        print(f"== {' '.join(command[1:])}", flush=True)
        if subprocess.run(command).returncode:
            failed.append(name)
    write_results(folder, Path(args.out) / "RESULTS.md", HERE / "TRIED.md")
    print(f"\nwritten: {Path(args.out) / 'RESULTS.md'}")
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
