"""How far the estimate of a command's memory is from the peak that the system measures.

    python tests/campaigns/memory.py            some configurations, through all phases (some 15 minutes)
    python tests/campaigns/memory.py --short    a traced step

Each command runs in a process of its own, with warm kernels; its peak is the resident memory that the system reports.
"""

import argparse
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from minillm.cli import training_parser  # noqa: E402  (the checkout, not another installation)
from minillm.config import MODELS  # noqa: E402
from minillm.runs import memory  # noqa: E402
from minillm.runs.config import load_config  # noqa: E402
from minillm.runs.stages import BY_NAME  # noqa: E402
from minillm.terminal.flags import parse, resolve  # noqa: E402
from minillm.terminal.learning import VOCABULARY  # noqa: E402

LARGER = ["--width", "256", "--hidden", "704"]
SMALL = ["--megabytes", "0.3", "--steps", "1"]
# Later commands continue the run that an earlier one has begun, by its name.
COMMANDS = [
    ["trace", "--rows", "64"],
    ["pretrain", "--name", "default", *SMALL],
    ["pretrain", "--name", "rows", *SMALL, "--rows", "128", "--short-share", "0"],
    ["pretrain", "--name", "vocabulary", *SMALL, "--vocab-size", "4096", "--rows", "64", "--megabytes", "2"],
    ["pretrain", "--name", "gpt2", *SMALL, "--preset", "gpt2", "--context", "512"],
    ["pretrain", "--name", "recompute", *SMALL, "--recompute", "true", "--layers", "8", "--rows", "128"],
    ["pretrain", "--name", "larger", *SMALL, *LARGER, "--rows", "32", "--micro-batches", "4"],
    ["finetune", "larger", "--steps", "1", "--task-steps", "1", "--domain-steps", "1", "--rows", "64"],
    ["rank", "larger", "--prompts", "600"],
    ["reward", "larger", "--rows", "32", "--steps", "20"],
    ["rlhf", "larger", "--rows", "256", "--prompts", "600", "--steps", "1"],
    ["pretrain", "--name", "moe", *SMALL, "--preset", "moe"],
    ["finetune", "moe", "--steps", "1", "--task-steps", "1", "--domain-steps", "1", "--conversations", "2000"],
    ["rank", "moe"],
    ["reward", "moe"],
]
SHORT = COMMANDS[:1]


def estimate(command, root):
    """Bytes that the command needs, as minillm estimates them before it starts."""
    verb, *words = command
    if verb == "trace":
        return memory.trace(replace(MODELS["micro"], vocab_size=VOCABULARY), int(words[1]))
    args = parse(training_parser(verb), words)
    return BY_NAME[verb].memory(resolve(args, args.run and load_config(root / args.run)[0]))


PROGRAM = """
import resource, sys
from minillm.cli import main

status = main(sys.argv[1:])
try:        # Linux: what getrusage says begins with the memory of the process that started this one
    lines = open("/proc/self/status").read().splitlines()
    peak = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak)
sys.exit(status)
"""


def peak(command, root):
    """Bytes of resident memory that the command had at its highest."""
    words = [*command, *([] if command[0] == "trace" else ["--root", str(root), "--quiet"])]
    ended = subprocess.run([sys.executable, "-c", PROGRAM, *words], stdout=subprocess.PIPE, text=True,
                           cwd=Path(__file__).resolve().parents[2])
    if ended.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {ended.returncode}")
    return int(ended.stdout.split()[-1])


def measured(commands, root):
    """Yield (command, estimate, peak) of each; the first run of a command may compile, so it is not counted."""
    peak(COMMANDS[0], root)
    for command in commands:
        expected = estimate(command, root)
        yield " ".join(command), expected, peak(command, root)


def main(argv=None):
    """Print a line of Markdown per command.  Returns the worst distance from the peak, as a share of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="a traced step alone")
    args = parser.parse_args(argv)
    worst = 0.0
    print("| command | estimate, MB | peak, MB | estimate / peak |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for command, expected, found in measured(SHORT if args.short else COMMANDS, Path(folder)):
            worst = max(worst, abs(expected / found - 1))
            print(f"| `{command}` | {expected / 1e6:,.0f} | {found / 1e6:,.0f} | {expected / found:.2f} |", flush=True)
    return worst


if __name__ == "__main__":
    main()
