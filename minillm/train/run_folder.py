"""The folder of a run: runs/NAME/, with a folder a phase. A run never writes over another."""

import json
import os
import re
from pathlib import Path

from minillm.train.checkpoint import CheckpointError, find_checkpoint, steps_in

PHASES = ("pretrain", "finetune", "reward_model", "policy_gradient")     # in the order in which they build
SIDE_PHASES = ("task", "domain")                                        # fine-tunings that nothing builds on
CHAIN = ("policy_gradient", "finetune", "pretrain")                     # of language models, the last first


def new_run(root="runs", name=None):
    """Make a new folder: root/NAME, or root/run-001 and up.

    Raises:  ValueError where NAME is taken or is no plain name.
    """
    root = Path(root)
    if name is not None:
        if not re.fullmatch(r"[\w][\w.-]*", name):
            raise ValueError(f"run name {name!r} must be made of letters, digits, '.', '-' and '_'")
        if (root / name).exists():
            raise ValueError(f"{root / name} exists, and a run never writes over another; "
                             "choose another --name, or go on with it by --resume")
        (root / name).mkdir(parents=True)
        return root / name
    root.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        folder = root / f"run-{number:03d}"
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            number += 1


def newest_run(root="runs", needs=None):
    """The run that was begun last, or the last that has the phase `needs`.

    Raises:  CheckpointError where there is none, with the command that makes one.
    """
    runs = [path for path in Path(root).iterdir() if (path / "run.json").is_file()] if Path(root).is_dir() else []
    runs = [path for path in runs if needs is None or steps_in(path / needs)]
    if not runs:
        verb = {None: "run", "policy_gradient": "rlhf", "reward_model": "reward"}.get(needs, needs)
        what = f"no run with the phase {needs}" if needs else "no run"
        raise CheckpointError(f"{Path(root)} holds {what} yet; start with: minillm {verb}")
    return max(runs, key=lambda path: (path.stat().st_ctime_ns, path.name))


def model_folder(folder):
    """The checkpoint that a folder means: a run's most trained language model, a phase's newest step, itself.

    Raises:  CheckpointError where there is none.
    """
    folder = Path(folder)
    for phase in CHAIN:
        if steps_in(folder / phase):
            return find_checkpoint(folder / phase)
    return find_checkpoint(folder)


def write_whole(path, text):
    """Write a file beside its place and rename it, so that it is there whole or not at all."""
    path = Path(path)
    aside = path.with_name(f".writing-{os.getpid()}-{path.name}")
    try:
        with open(aside, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def read_results(folder):
    """The results.json of a run, {} before there is one.  Raises:  ValueError for a broken one."""
    path = Path(folder) / "results.json"
    if not path.exists():
        return {}
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: broken JSON ({error}); mend it or remove it") from None
    if not isinstance(results, dict) or not isinstance(results.get("seconds", {}), dict):
        raise ValueError(f"{path}: not the results of a run; remove it to have the phases done again")
    return results


def merge_results(folder, results):
    """Add nested results to a run's results.json.  Returns the whole."""
    def merged(old, new):
        both = {key: merged(old[key], value) if isinstance(value, dict) and isinstance(old.get(key), dict) else value
                for key, value in new.items()}
        return {**old, **both}
    whole = merged(read_results(folder), results)
    write_whole(Path(folder) / "results.json", json.dumps(whole, indent=2) + "\n")
    return whole
