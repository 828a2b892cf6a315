"""Checkpoints: a directory a step, which is either there whole or not there.

    FOLDER/step-000800/
        model.safetensors  config.json  tokenizer.json      what the Hugging Face libraries read
        training.safetensors  training.json                 optimizer moments, extra heads, the step

Each is written beside its place and renamed; nothing is pickled.
"""

import json
import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minillm import tree
from minillm.model.hugging_face import from_json, from_tensors, to_json, to_tensors
from minillm.model.language_model import LanguageModel
from minillm.model.transformer import transformer_init
from minillm.text.tokenizer import Tokenizer

STEP = re.compile(r"step-(\d{6,})")


class CheckpointError(ValueError):
    """A folder that should hold a checkpoint does not, or holds a broken one."""


class Checkpoint(NamedTuple):
    """What was in a folder."""
    model: LanguageModel
    training: dict      # flat: dotted name -> array
    progress: dict      # of training.json: step, phase, settings


def save_checkpoint(folder, step, model, training=None, progress=None):
    """Write FOLDER/step-NNNNNN whole, then remove the older steps.  Returns its path.

    `training` is a tree (optimizer, extra heads); `progress` is plain JSON.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"step-{step:06d}"
    aside = folder / f".writing-{os.getpid()}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        write_tensors(aside / "model.safetensors", to_tensors(model.params, model.config))
        write_json(aside / "config.json", to_json(model.config, model.tokenizer))
        model.tokenizer.save(aside / "tokenizer.json")
        write_tensors(aside / "training.safetensors", dict(tree.named_leaves(training or {})))
        write_json(aside / "training.json", {"step": step, **(progress or {})})
        for path in aside.iterdir():
            flush_to_disk(path)
        if target.exists():
            shutil.rmtree(target)
        os.replace(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    for older in step_folders(folder):
        if older != target:
            shutil.rmtree(older, ignore_errors=True)
    return target


def write_tensors(path, tensors):
    """One .safetensors file.  Raises:  OSError where it cannot be written."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    # safetensors writes the bytes as they lie in memory, so they must lie in order.
    in_order = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    try:
        save_file(in_order, path, metadata={"format": "np"})
    except SafetensorError as error:
        raise OSError(f"{path} cannot be written ({error}); is the disk full?") from None


def write_json(path, data):
    """One JSON file, UTF-8, keys in the order given."""
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def flush_to_disk(path):
    """Ask the disk to hold the file before the rename says that it does."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def step_folders(folder):
    """The directories that are named as a step, oldest first."""
    if not Path(folder).is_dir():
        return []
    found = [path for path in Path(folder).iterdir() if STEP.fullmatch(path.name) and path.is_dir()]
    return sorted(found, key=lambda path: int(STEP.fullmatch(path.name)[1]))


def steps_in(folder):
    """The step directories that hold a model, oldest first; strays are not among them."""
    return [path for path in step_folders(folder) if (path / "model.safetensors").is_file()]


def find_checkpoint(folder):
    """The checkpoint that a folder means: itself, or its newest step.

    Raises:  CheckpointError where there is none.
    """
    folder = Path(folder)
    if not folder.exists():
        raise CheckpointError(f"{folder} does not exist; give the folder of a run or of one of its phases")
    if (folder / "model.safetensors").is_file():
        return folder
    steps = steps_in(folder)
    if not steps:
        raise CheckpointError(f"{folder} is not a checkpoint: it has neither a model.safetensors nor a step-...")
    return steps[-1]


def load_checkpoint(folder):
    """Read a checkpoint back.

    Raises:  CheckpointError that names the file and what is wrong with it.
    """
    folder = find_checkpoint(folder)
    config = parsed(folder / "config.json", lambda path: from_json(read_json(path)))
    tokenizer = parsed(folder / "tokenizer.json", Tokenizer.load)
    params = parsed(folder / "model.safetensors", lambda path: read_model(path, config))
    training, progress = {}, {}
    if (folder / "training.json").exists():
        training = parsed(folder / "training.safetensors", read_tensors)
        progress = parsed(folder / "training.json", read_progress)
    try:
        model = LanguageModel(params, config, tokenizer)
    except ValueError as error:
        raise CheckpointError(f"{folder}: {error}") from None
    return Checkpoint(model, training, progress)


def parsed(path, read):
    """read(path), with every way in which a file can be wrong told in one line that names it."""
    try:
        return read(path)
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing; the folder is not a whole checkpoint") from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{path}: {error}") from None


def read_json(path):
    """A JSON file as plain values."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def read_progress(path):
    """What training.json holds.  Raises:  ValueError where it does not name a step."""
    data = read_json(path)
    if not isinstance(data, dict) or type(data.get("step")) is not int:
        raise ValueError('it has no whole number "step"')
    return data


def read_model(path, config):
    """The parameters of a model.safetensors.  Raises:  ValueError where they are not those of the config."""
    # Before memory is taken for it: a config.json may ask for more than any machine has.
    embedding = config.vocab_size + (config.context if config.position == "learned" else 0)
    least = 4 * config.width * (embedding + 2 * config.layers * (config.width + config.hidden))
    if path.stat().st_size < least:
        raise ValueError(f"the file has {path.stat().st_size:,} bytes, but the model of config.json takes at least "
                         f"{least:,}; are the two from one checkpoint?")
    return from_tensors(read_tensors(path), config, transformer_init(config, np.random.default_rng(0)))


def read_tensors(path):
    """The tensors of a .safetensors file by name.

    Raises:  ValueError for a file that is not one, or numbers that are not float32 or not finite.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"not a whole safetensors file ({error})") from None
    for name, array in tensors.items():
        if array.dtype != np.float32:
            raise ValueError(f"tensor {name} is {array.dtype}, expected float32")
        if not np.isfinite(array).all():
            raise ValueError(f"tensor {name} holds a number that is not finite")
    return tensors


def subtree(training, prefix, like):
    """The tree that was saved under `prefix`, in the structure of `like`."""
    start = prefix + "."
    return tree.from_named(like, {name[len(start):]: array for name, array in training.items()
                                  if name.startswith(start)})
