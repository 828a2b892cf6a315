"""The folder of a run: runs/NAME/, which no other run overwrites, and its results.json."""

import json
import os
import re
from pathlib import Path

from minillm.config import require


def new_run(root="runs", name=None):
    """Make a new folder: root/NAME, or root/run-001 and up.

    Raises:  ValueError if the root is a file, or NAME is taken or not a plain name.
    """
    root = Path(root)
    require(root.is_dir() or not root.exists(),
            f"--root {root} is a file; give a folder for the runs")
    if name is not None:
        require(re.fullmatch(r"[\w][\w.-]*", name),
                f"run name {name!r} must be made of letters, digits, '.', '-' and '_'")
        require(not (root / name).exists(),
                f"{root / name} exists, and a run never overwrites another; "
                "choose another --name, or resume it with --resume")
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


def is_run(folder):
    """Whether a folder is the folder of a run."""
    return (Path(folder) / "run.json").is_file()


def write_atomically(path, text):
    """Write a file completely or not at all: temporary file, flush to disk, rename."""
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
    require(isinstance(results, dict) and isinstance(results.get("seconds", {}), dict),
            f"{path}: not the results of a run; remove it to have the stages done again")
    return results


def merge_results(folder, results):
    """Add nested results to a run's results.json.  Returns the whole."""
    def merged(old, new):
        both = {key: merged(old[key], value) if isinstance(value, dict)
                and isinstance(old.get(key), dict) else value for key, value in new.items()}
        return {**old, **both}
    whole = merged(read_results(folder), results)
    write_atomically(Path(folder) / "results.json", json.dumps(whole, indent=2) + "\n")
    return whole
