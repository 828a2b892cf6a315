"""Write a model's own files, as Hugging Face's libraries read them.

    model.safetensors  config.json  tokenizer.json    the model
    tokenizer_config.json  generation_config.json     how to use it
    SHA256SUMS                                        of the others, checked on loading
"""

import os
import shutil
from pathlib import Path

import numpy as np

from minillm import tree
from minillm.config import require
from minillm.formats.checksums import SUMS, write_sums
from minillm.formats.config_json import to_json
from minillm.formats.durable import ASIDE, flush_files, flush_folder, naming
from minillm.formats.hugging_face import as_classifier, to_tensors
from minillm.formats.imported_tokenizer import padded_apart
from minillm.formats.json_file import write_json
from minillm.formats.peft import CONFIG, TENSORS, to_peft
from minillm.formats.tensors import write_tensors
from minillm.formats.tokenizer_config import generation_config, tokenizer_config
from minillm.kernels.int8 import refuse_int8

FILES = ("model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json",
         "generation_config.json")


def write_model(folder, model, reward_head=None):
    """Write FILES, of a reward model if its head is given.

    Raises:  ValueError for a reward model of a family that has no class of classifiers; OSError if
             one cannot be written.
    """
    tokenizer = model.tokenizer if reward_head is None else padded_apart(model.tokenizer)
    generation, context = generation_config(tokenizer), model.config.context
    tensors, config = to_tensors(model.params, model.config), to_json(model.config, generation)
    if reward_head is not None:
        tensors, config = as_classifier(tensors, config, reward_head)
    write_tensors(folder / "model.safetensors", tensors)
    write_json(folder / "config.json", config)
    tokenizer.save(folder / "tokenizer.json")
    write_json(folder / "tokenizer_config.json", tokenizer_config(tokenizer, context))
    write_json(folder / "generation_config.json", generation)


def write_adapter(folder, adapter, params, config):
    """Write an adapter to a new folder, as PEFT reads it.  Raises:  OSError"""
    folder.mkdir()
    settings, tensors = to_peft(adapter, params, config)
    write_tensors(folder / TENSORS, tensors)
    write_json(folder / CONFIG, settings)
    write_sums(folder)
    flush_files(folder)


def save_model(model, folder, reward_head=None):
    """Write FILES and SHA256SUMS to a folder atomically; a model saved there before is replaced.

    reward_head: {"weight": (1, C)} makes it a reward model, as a classifier of one label.
    Raises:  ValueError if the folder holds anything else, or for int8 weights; FloatingPointError
             if a parameter is not finite; OSError.
    """
    refuse_int8(model.params["embedding"]["token"], "they are for decoding; save the float32 model")
    refuse_other(Path(folder))
    bad = next((name for name, leaf in tree.named_leaves(model.params)
                if not np.isfinite(leaf).all()), None)
    if bad is not None:
        raise FloatingPointError(f"{bad} holds a number that is not finite; nothing was saved")
    folder = Path(os.path.realpath(folder))         # a link to a folder stays
    new, old = (folder.with_name(f"{ASIDE}-{what}-{folder.name}") for what in ("new", "old"))
    clear(folder, new, old)                         # after a process that was killed
    try:
        with naming(folder):
            new.mkdir(parents=True)
            write_model(new, model, reward_head)
            write_sums(new)
            flush_files(new)
            if folder.exists():
                os.replace(folder, old)
            os.replace(new, folder)
            flush_folder(folder.parent)
    finally:
        clear(folder, new, old)


def clear(folder, new, old):
    """Remove the folders beside `folder`; put the old one back if there is no other."""
    if old.exists() and not folder.exists():
        os.replace(old, folder)
    for beside in (new, old):
        shutil.rmtree(beside, ignore_errors=True)


def refuse_other(folder):
    """Raises:  ValueError if a folder is none, or holds what save_model does not write."""
    require(folder.name not in ("", ".."),
            f"{str(folder)!r} is no new folder; name one for the model, such as \"my-model\"")
    require(folder.is_dir() or not folder.exists(),
            f"{folder} is a file; give a folder for the model")
    others = sorted(path.name for path in folder.iterdir() if path.name not in (*FILES, SUMS)) \
        if folder.is_dir() else []
    require(not others, f"{folder} holds {', '.join(others[:3])}{', ...' * (len(others) > 3)}, "
                        "which is no part of a saved model; give another folder")
