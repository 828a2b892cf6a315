"""Checks before long work begins: refuse work that does not fit the memory, and unusable data."""

import hashlib
import json
import os
from pathlib import Path

from minillm.config import require
from minillm.runs.data import RANKINGS
from minillm.runs.hints import command
from minillm.runs.stages import STAGES
from minillm.training.checkpoint import steps_in

DIALS = ("rows", "replay_rows", "prompts", "responses", "conversations", "megabytes")
# What a stage learns from where the embedded world is of no use, and the name of such a file.
GIVEN = {"finetune": ("conversations", "TALK.jsonl"), "reward": ("pairs", "PAIRS.jsonl"),
         "rlhf": ("prompts", "PROMPTS.jsonl")}
SIZES = ("model.width", "model.layers", "model.context")


def check_memory(stage, config, own=False, imported=False):
    """Refuse a stage (None: all stages) that needs more memory than there is.

    own: whether it works on the user's own data; imported: whether others trained the model, so
    that its sizes are no dials.
    Raises:  ValueError with both numbers and the dials that lower the first.
    """
    stages = [each for each in (STAGES if stage is None else [stage]) if each.memory]
    if not stages:
        return
    heaviest = max(stages, key=lambda each: each.memory(config, own))
    section = getattr(config, heaviest.name, None)
    dials = [f"{heaviest.name}.{dial}" for dial in DIALS if hasattr(section, dial)]
    remedy = (f"lower {', '.join(dials)}, or import the model again with a shorter --context"
              if imported else f"lower {', '.join([*dials, *SIZES])} or tokenizer.vocab_size")
    require_memory(heaviest.name, heaviest.memory(config, own), remedy)


def require_memory(what, needed, remedy):
    """Refuse work of an estimated need in bytes.  Raises:  ValueError if there is less memory"""
    there, whose = memory_limit()
    require(needed <= there,
            f"{what} would need about {gigabytes(needed)} of memory, and {whose} "
            f"{gigabytes(there)}; {remedy}")


def gigabytes(count):
    """Bytes as a word."""
    return f"{count / 1e9:,.1f} GB" if count < 1e10 else f"{count / 1e9:,.0f} GB"


def memory_limit(root="/"):
    """(bytes of memory that this process can have, whose limit that is and "has" or "allows").

    The smallest of: the machine's memory, the limits of the control groups that the process is in
    (a container's, version 1 and 2), the limit of its address space (ulimit -v).
    root: where the system's files are, for tests.
    """
    limits = [(float("inf"), "the machine has")]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        limits.append((os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
                       "the machine has"))
    limits += [(limit, "its control group (container) allows") for limit in group_limits(root)]
    try:
        import resource
    except ImportError:                         # Windows
        return min(limits)
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        limits.append((soft, "the limit of its address space (ulimit -v) allows"))
    return min(limits)


def group_limits(root="/"):
    """The memory limits of the control groups that this process is in, and of those above them.

    Source:  man 7 cgroups; a line of /proc/self/cgroup is "number:controllers:path", and in
             version 2 "0::path".
    """
    groups = Path(root) / "sys/fs/cgroup"
    try:
        lines = (Path(root) / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:                             # not Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, name = groups, "memory.max"
        elif "memory" in controllers.split(","):
            top, name = groups / "memory", "memory.limit_in_bytes"
        else:
            continue
        inner = top / path.lstrip("/")
        for folder in (inner, *inner.parents):
            if folder == top or top in folder.parents:
                yield from limit_in(folder / name)


def limit_in(file):
    """The number in a control group's file, as one value or none ("max", or no such file)."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except OSError:
        return
    if text.isdigit():
        yield int(text)


def check_imported(folder, stage, path, new):
    """Refuse to teach a model that others trained the embedded world, of which it knows nothing,
    and to let the world's raters rank its answers.

    path: of the user's own data, or None; new: whether the stage's results go into a new run.
    Raises:  ValueError that says what to give
    """
    name = "finetune" if stage is None else stage.name
    require(name != "rank",
            f"the model of {folder} was imported, and the simulated raters know only the embedded "
            "world; rank its answers to your prompts: "
            + command("rank", folder, "--human", "--data", "PROMPTS.jsonl")
            + ", or give pairs: " + command("reward", folder, "--data", "PAIRS.jsonl"))
    ranked = name == "reward" and (folder / "rank" / RANKINGS).exists()     # by hand
    if name in GIVEN and not ranked:
        what, file = GIVEN[name]
        require(path is not None,
                f"the model of {folder} was imported and knows nothing of the embedded world; give "
                f"{what}: " + command(name, folder, "--data", file))
    begun = [each for each in ("reward", "rlhf") if steps_in(folder / each)]
    require(new or name != "finetune" or not begun or steps_in(folder / "finetune"),
            f"the {''.join(begun[:1])} of {folder} began with the model that was imported; "
            "fine-tune in a new run: --name NEW")


def fingerprint_of(stage, path):
    """Read a stage's data once, before anything is written.  Returns the sha256 of the data.

    Raises:  ValueError that names the file, the line and the fix.
    """
    records = stage.data.load(path)
    require(len(records) >= stage.data.least,
            f"{path} has one example; two or more are needed, because some are held out")
    digest = hashlib.sha256()
    for number, record in enumerate(records):       # the JSON of the whole list, piece by piece
        digest.update((", " if number else "[").encode() + json.dumps(record).encode())
    digest.update(b"]")
    return digest.hexdigest()
