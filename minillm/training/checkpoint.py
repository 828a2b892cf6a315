"""Checkpoints: one folder per step, which is either complete or absent.

    FOLDER/step-000800/
        model.safetensors  config.json  tokenizer.json    the model, in Hugging Face's format
        tokenizer_config.json  generation_config.json     how to use the model
        training.safetensors  training.json               moments, extra heads, rollout, the step
        adapter/                                          LoRA's, in the layout of the library PEFT
        SHA256SUMS                                        of the other files, checked on loading

A model that mixes parts of several families has no such format; it is written under its own names.
A checkpoint is written atomically: into a temporary folder, flushed to the disk, then renamed.
"""

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minillm import tree
from minillm.config import require
from minillm.formats.checksums import check_sums, write_sums
from minillm.formats.durable import ASIDE, flush_files, flush_folder, naming
from minillm.formats.json_file import read_json, reading, write_json
from minillm.formats.shards import has_weights, other_format
from minillm.formats.tensors import read_tensors, write_tensors
from minillm.model.adapter import adapter_of, merge, plain
from minillm.model.language_model import LanguageModel
from minillm.model.saving import write_adapter, write_model
from minillm.training.model_files import read_model

STEP = re.compile(r"step-(\d{6,})")
READ = ("config.json", "tokenizer.json", "model.safetensors", "training.json",
        "training.safetensors")     # what load_checkpoint reads
REWARD_HEAD = "heads.reward_head."  # begins the names of what only a reward model has


class CheckpointError(ValueError):
    """A folder that should hold a checkpoint does not, or holds a broken one."""


class Checkpoint(NamedTuple):
    """The contents of a checkpoint's folder."""
    model: LanguageModel
    training: dict      # flat: dotted name -> array
    progress: dict      # of training.json: step, settings

    def __repr__(self):
        return (f"Checkpoint of step {self.progress.get('step')}, {len(self.training)} tensors "
                f"beside the model's\n  {self.model!r}")


def save_checkpoint(folder, step, model, training=None, progress=None):
    """Write FOLDER/step-NNNNNN, then remove all other steps.  Returns its path.

    If the same step was saved before, its old folder is removed just before the rename.
    training: a tree (optimizer, extra heads, rollout); progress: plain JSON.
    An adapter beside the model's weights is written, and the model with the adapter merged.
    Raises:  FloatingPointError if a number is not finite, OSError; the older checkpoint is kept.
    """
    folder, training = Path(folder), dict(tree.named_leaves(training or {}))
    adapter = adapter_of(model.params)
    if adapter is not None:
        model = LanguageModel(plain(merge(model.params)), model.config, model.tokenizer)
    refuse_not_finite(step, {**dict(tree.named_leaves(model.params)), **training})
    target, aside = folder / f"step-{step:06d}", folder / ASIDE
    for left in folder.glob(f"{ASIDE}*"):           # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    try:
        with naming(folder):
            folder.mkdir(parents=True, exist_ok=True)
            aside.mkdir()
            write_model(aside, model)
            write_tensors(aside / "training.safetensors", training)
            write_json(aside / "training.json", {"step": step, **(progress or {})})
            if adapter is not None:
                write_adapter(aside / "adapter", adapter, model.params, model.config)
            write_sums(aside)
            flush_files(aside)
            if target.exists():
                remove_step(target)
            os.replace(aside, target)
            flush_folder(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    remove_all_but(target)
    return target


def remove_all_but(step):
    """Remove the other checkpoints beside one; a process that was killed may have left them."""
    for other in step_folders(step.parent):
        if other != step:
            remove_step(other)


def remove_step(path):
    """Remove a checkpoint: first its name, at once, so that nobody finds half of it."""
    hidden = path.with_name(f"{ASIDE}-{path.name}")
    with suppress(OSError):
        os.replace(path, hidden)
    shutil.rmtree(hidden, ignore_errors=True)


def refuse_not_finite(step, tensors):
    """Refuse to save numbers that are not finite.  Raises:  FloatingPointError"""
    bad = next((name for name, array in tensors.items() if not np.isfinite(array).all()), None)
    if bad is not None:
        raise FloatingPointError(f"after step {step}, {bad} holds a number that is not finite; it "
                                 "was not saved, and the older checkpoint is kept; try a lower lr")


def step_folders(folder):
    """The folders with the name of a step, oldest first."""
    if not Path(folder).is_dir():
        return []
    found = [path for path in Path(folder).iterdir()
             if STEP.fullmatch(path.name) and path.is_dir()]
    return sorted(found, key=lambda path: int(STEP.fullmatch(path.name)[1]))


def steps_in(folder):
    """The step folders that hold a model, oldest first."""
    return [path for path in step_folders(folder) if (path / "model.safetensors").is_file()]


def find_checkpoint(folder):
    """The checkpoint that a folder means: the folder itself, or its newest step.

    Raises:  CheckpointError if there is none.
    """
    folder = Path(folder)
    if not folder.exists():
        raise CheckpointError(f"{folder} does not exist; "
                              "give the folder of a run or of one of its phases")
    if has_weights(folder):
        return folder
    steps = steps_in(folder)
    if not steps:
        raise CheckpointError(f"{folder} is not a checkpoint: "
                              "it has neither a model.safetensors nor a step-..."
                              + other_format(folder))
    return steps[-1]


def load_checkpoint(folder):
    """Read a checkpoint back.

    Raises:  CheckpointError that names the file and says what is wrong with it.
    """
    found = find_checkpoint(folder)
    try:
        return read_checkpoint(found)
    except CheckpointError:
        newer = find_checkpoint(folder)
        if newer == found:
            raise
    return read_checkpoint(newer)       # a training has replaced it while it was read


def read_checkpoint(folder):
    """The contents of one checkpoint's folder.  Raises:  CheckpointError"""
    training, progress = {}, {}
    try:
        model = read_model(folder)
        if (folder / "training.json").exists():
            training = read_training(folder / "training.safetensors")
            progress = read_progress(folder / "training.json")
        check_sums(folder, READ)        # last: the readers name the key or tensor that is wrong
    except FileNotFoundError as error:
        raise CheckpointError(f"{error.filename} is missing; "
                              "the folder is not a whole checkpoint") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(str(error)) from None
    return Checkpoint(model, training, progress)


def check_whole(folder):
    """Compare the files of the newest step in a folder, and of its adapter, with their SHA-256.

    Nothing is loaded. A folder without steps is not checked.
    Raises:  CheckpointError that names the first file that differs or is missing.
    """
    for step in steps_in(folder)[-1:]:
        try:
            for place in (step, step / "adapter"):
                if place.is_dir():
                    check_sums(place, READ)
        except (OSError, ValueError) as error:
            raise CheckpointError(str(error)) from None


def read_progress(path):
    """The contents of training.json.

    Raises:  ValueError if its step is not a whole number, or not the one of the folder's name.
    """
    data, name = read_json(path), STEP.fullmatch(path.parent.name)
    with reading(path):
        require(type(data.get("step")) is int and data["step"] >= 0,
                'its "step" is not a whole number')
        require(name is None or int(name[1]) == data["step"],
                f'its step is {data["step"]}, but the folder is {path.parent.name}')
    return data


def read_training(path):
    """The tensors of a training.safetensors.

    Raises:  ValueError if a mean of squares is negative: its root would be NaN.
    """
    tensors = read_tensors(path, (np.float32, np.int32))
    with reading(path):
        for name, array in tensors.items():
            require(not name.startswith("optimizer.square.") or array.min(initial=0) >= 0,
                    f"tensor {name} has a negative number, but it holds squares")
    return tensors


def subtree(training, prefix, like):
    """The tree that was saved under `prefix`, in the structure of `like`."""
    start = prefix + "."
    return tree.from_named(like, {name[len(start):]: array for name, array in training.items()
                                  if name.startswith(start)})
