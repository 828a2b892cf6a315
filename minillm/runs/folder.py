"""The folder of a run: runs/NAME/, which no other run overwrites, and its results.json."""

import json
import re
from pathlib import Path

from minillm.config import require
from minillm.formats.durable import write_atomically
from minillm.formats.json_file import read_json
from minillm.training.checkpoint import steps_in


def new_run(root="runs", name=None, resumable=True):
    """Make a new folder: root/NAME, or root/run-001 and up.

    resumable: whether a run that has the name can be resumed by the same verb

    Raises:  ValueError if the root is a file, or NAME is taken or not a plain name.
    """
    root = root_folder(root)
    if name is not None:
        require(re.fullmatch(r"[\w][\w.-]*", name),
                f"run name {name!r} must be made of letters, digits, '.', '-' and '_'")
        require(not (root / name).exists(),
                f"{root / name} exists, and a run never overwrites another; "
                "choose another --name" + (", or resume it with --resume" if resumable else ""))
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


def root_folder(root):
    """The folder of all runs as a path.  Raises:  ValueError if it is empty or a file."""
    require(str(root) != "", "--root is empty; give a folder for the runs")
    require(Path(root).is_dir() or not Path(root).exists(),
            f"--root {root} is a file; give a folder for the runs")
    return Path(root)


def is_run(folder):
    """Whether a folder is the folder of a run."""
    return (Path(folder) / "run.json").is_file()


def read_results(folder):
    """The results.json of a run, {} before there is one.  Raises:  ValueError for a broken one."""
    path = Path(folder) / "results.json"
    if not path.exists():
        return {}
    results = read_json(path)
    numbers = results.get("seconds", {})
    require(all(isinstance(value, dict) for value in results.values())
            and all(isinstance(value, (int, float)) for value in numbers.values()),
            f"{path}: not the results of a run; remove it to have the stages measured again")
    return results


def imported_from(folder):
    """The name of the file or folder that a run's pretrained model came from; None if it was
    trained here.
    """
    steps = steps_in(Path(folder) / "pretrain")
    path = steps[-1] / "training.json" if steps else None
    if path is None or not path.is_file():
        return None
    origin = read_json(path).get("origin")
    found = origin.get("imported") if isinstance(origin, dict) else None
    return found if isinstance(found, str) else None


def assistant_of(folder):
    """The stage whose model answers, and that phase 3 begins with: fine-tuning, or the import of a
    model that others have fine-tuned.
    """
    tuned = steps_in(Path(folder) / "finetune") or imported_from(folder) is None
    return "finetune" if tuned else "pretrain"


def merge_results(folder, results):
    """Add nested results to a run's results.json.  Returns the whole."""
    def merged(old, new):
        both = {key: merged(old[key], value) if isinstance(value, dict)
                and isinstance(old.get(key), dict) else value for key, value in new.items()}
        return {**old, **both}
    whole = merged(read_results(folder), results)
    write_atomically(Path(folder) / "results.json", json.dumps(whole, indent=2) + "\n")
    return whole
