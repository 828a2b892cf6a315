"""Which run a command means, and its folder: nothing is written over, nothing is left half made."""

import difflib
import json
import shutil
from contextlib import contextmanager
from pathlib import Path

from minillm.config import require
from minillm.run import load_config
from minillm.train.checkpoint import CheckpointError, steps_in
from minillm.train.run_folder import SIDE_PHASES, merge_results, new_run, read_results

# What each stage leaves in the folder, and its keys in results.json.
LEFT_BY = {"tokenizer": ("tokenizer.json",), "pretrain": ("pretrain",),
           "finetune": ("finetune", *SIDE_PHASES),
           "preferences": ("preferences.jsonl", "preferences_held_out.jsonl"),
           "reward_model": ("reward_model",), "policy_gradient": ("policy_gradient",)}
RESULTS_OF = {"tokenizer": ("tokenizer",), "pretrain": ("pretrain", "probes"), "finetune": ("finetune",),
              "preferences": (), "reward_model": ("reward_model",), "policy_gradient": ("rlhf", "generation")}
SECTIONS_OF = {"tokenizer": ("seed", "tokenizer"), "pretrain": ("model", "pretrain"),
               "finetune": ("finetune",), "preferences": ("preferences",),
               "reward_model": ("reward",), "policy_gradient": ("rlhf",)}
NEEDS = {"tokenizer": (), "pretrain": (), "finetune": ("pretrain",), "preferences": ("finetune",),
         "reward_model": ("finetune",), "policy_gradient": ("finetune", "reward_model")}
VERB_OF = {"tokenizer": "tokenizer", "pretrain": "pretrain", "finetune": "finetune", "preferences": "rank",
           "reward_model": "reward", "policy_gradient": "rlhf"}


def find_run(word, root):
    """The folder that a RUN on the command line means: a path, or a name under the root.

    Raises:  CheckpointError where there is none, with the nearest name.
    """
    for folder in (Path(word), Path(root) / word):
        if folder.is_dir():
            return folder
    names = [path.name for path in Path(root).iterdir() if path.is_dir()] if Path(root).is_dir() else []
    near = difflib.get_close_matches(str(word), names, n=1)
    hint = (f"did you mean {Path(root) / near[0]}?" if near else
            "give the folder of a run, or start one: minillm run")
    raise CheckpointError(f"{word} is no folder, and {root} holds no run of that name; {hint}")


def begun(folder, stage):
    """Whether a stage has left anything that must not be written over."""
    if stage in read_results(folder).get("seconds", {}):
        return True
    return any(steps_in(path) if path.is_dir() else path.exists()
               for path in (folder / name for name in LEFT_BY[stage]))


def read_run(folder):
    """(configuration, data files by stage) of a run.  Raises:  CheckpointError for a folder that is none."""
    if not (folder / "run.json").is_file():
        raise CheckpointError(f"{folder} is not the folder of a run: it has no run.json; "
                              "start one: minillm run")
    try:
        config, data = load_config(folder)
        require(isinstance(data, dict), "its data must be files by stage")
        return config, data
    except (ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{folder / 'run.json'}: {error}") from None


def before(stage):
    """The stages before one, in their order."""
    stages = list(LEFT_BY)
    return stages[:stages.index(stage)] if stage in stages else []


def check_needs(folder, stage):
    """Refuse a stage whose earlier phases are missing.  Raises:  CheckpointError that names the verb."""
    for phase in NEEDS[stage]:
        if not steps_in(folder / phase):
            raise CheckpointError(f"{folder} has no phase {phase} yet; "
                                  f"first: minillm {VERB_OF[phase]} {folder}")


def check_unbegun(folder, stage):
    """Refuse to do a stage again in the same folder.  Raises:  ValueError that names both ways on."""
    require(not begun(folder, stage),
            f"{folder} has its {stage} already, and nothing is written over; --resume goes on with it, "
            "--name NEW starts a new run from copies of the phases before it")


def check_unchanged(folder, old, new):
    """Refuse changes to the settings of stages that have begun.  Raises:  ValueError that names the key."""
    for stage, names in SECTIONS_OF.items():
        if not begun(folder, stage):
            continue
        for name in names:
            then, now = getattr(old, name), getattr(new, name)
            if then == now:
                continue
            if name != "seed":
                key = next(key for key in vars(then) if getattr(then, key) != getattr(now, key))
                name, then, now = f"{name}.{key}", getattr(then, key), getattr(now, key)
            raise ValueError(f"{folder} was begun with {name} = {then}, not {now}; its {stage} is done with "
                             "that; leave it out, or start a new run with --name NEW")


def copy_run(source, folder, stage):
    """Fill a new run's folder with copies of what the stages before `stage` left in another."""
    earlier = before(stage)
    for name in (name for each in earlier for name in LEFT_BY[each]):
        if (source / name).is_dir():
            shutil.copytree(source / name, folder / name)
        elif (source / name).exists():
            shutil.copy2(source / name, folder / name)
    old = read_results(source)
    kept = {key: old[key] for each in earlier for key in RESULTS_OF[each] if key in old}
    seconds = {each: old["seconds"][each] for each in earlier if each in old.get("seconds", {})}
    merge_results(folder, {**kept, "seconds": seconds})


@contextmanager
def nothing_half_made(folder, made, stages):
    """On an error before the first checkpoint of `stages`, put the folder back as it was; `made`: it is new.

    From the first checkpoint on all is kept, so that --resume can go on.
    """
    def steps():
        return [path for stage in stages for name in LEFT_BY[stage] for path in steps_in(folder / name)]
    there, had = (set(), []) if made else (set(folder.iterdir()), steps())
    records = {path: path.read_bytes() for path in there if path.name in ("run.json", "fingerprints.json")}
    try:
        yield
    except (ValueError, OSError, ImportError, MemoryError, KeyboardInterrupt, SystemError):
        if steps() == had:
            for path in set(folder.iterdir()) - there:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            for path, content in records.items():
                path.write_bytes(content)
            if made:
                folder.rmdir()
        raise


def fingerprints(folder):
    """sha256 of the reader's data as each stage read it, by stage; {} where the embedded world was used."""
    path = folder / "fingerprints.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def new_folder(root, name):
    """Make the folder of a new run.  Raises:  ValueError where the root is a file, or the name taken."""
    require(Path(root).is_dir() or not Path(root).exists(),
            f"--root {root} is a file; give a folder for the runs")
    return new_run(root, name)


