"""What a result was made from: data, models, settings, versions and the machine.

On one machine, with the same versions, equal entries give equal bytes.
"""

import hashlib
import json
import os
import platform
import sys
from importlib.metadata import version

from minillm import __version__
from minillm.config import as_dict, require
from minillm.formats.checksums import SUMS, sha256
from minillm.formats.json_file import read_json
from minillm.runs.data import RANKINGS
from minillm.runs.folder import assistant_of
from minillm.runs.stages import BY_NAME, STAGES, makers
from minillm.training.checkpoint import steps_in

WORLD = "the embedded world"
NUMERIC = ("numpy", "numba", "llvmlite")    # packages whose version can change a result's bytes


def fingerprints(folder):
    """sha256 of the user's own data as each stage read them, by stage; {} without such data.

    Raises:  ValueError for a broken file.
    """
    path = folder / "fingerprints.json"
    found = read_json(path) if path.exists() else {}
    require(found.keys() <= BY_NAME.keys() and all(isinstance(sum, str) for sum in found.values()),
            f"{path}: must map stages to the sha256 of their data")
    return found


def origin(run, stage):
    """What a stage learns from; a stage that was stopped is not resumed from another origin.

    Keys: seed, data, and the stages that it needs, with the hashes of what they left.
    """
    known = fingerprints(run.folder)
    data = next((known[name] for name in (stage.name, *makers(stage)) if name in known), WORLD)
    found = {"seed": run.config.seed, "data": data}
    for need in stage.needs:
        name = assistant_of(run.folder) if need == "finetune" else need
        found.update(hashes(run.folder, BY_NAME[name]))
    return found


def hashes(folder, stage):
    """sha256 of what a stage left in a run's folder: its newest checkpoints, or its rankings."""
    found = {}
    for name in stage.paths:
        step = steps_in(folder / name)[-1:]
        if step:
            listed = step[0] / SUMS
            found[name] = sha256(listed if listed.exists() else step[0] / "model.safetensors")
        elif name.endswith(RANKINGS) and (folder / name).is_file():
            found[name] = sha256(folder / name)
    return found


def stage_of(name):
    """The stage that trains in the folder NAME of a run."""
    return next(stage for stage in STAGES if name in stage.paths)


def provenance(run, stage):
    """The entry of one stage under "made" in results.json."""
    return {**origin(run, stage),
            "configuration": hashlib.sha256(json.dumps(as_dict(run.config)).encode()).hexdigest(),
            "left": hashes(run.folder, stage), **machine()}


def machine():
    """Versions and the processor, as far as they can change the bytes of a result."""
    import numba

    from minillm.kernels.twin import rung

    return {"minillm": __version__, "python": sys.version.split()[0],
            **{name: version(name) for name in NUMERIC},
            "processor": processor(), "threads": numba.get_num_threads(), "kernels": rung(),
            "matmul": os.environ.get("MINILLM_MATMUL", "ours")}


def processor():
    """The name and the architecture of the processor, as LLVM and the system call them."""
    import llvmlite.binding

    return f"{llvmlite.binding.get_host_cpu_name()} ({platform.machine()}, {sys.platform})"
