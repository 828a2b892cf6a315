"""Recorders keep a phase's records and states, in a folder or only in memory."""

import json
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from minillm import tree
from minillm.config import as_dict
from minillm.formats.durable import flush, naming, write_atomically
from minillm.formats.json_file import reading
from minillm.optim.muon import muon_moments
from minillm.training.checkpoint import (CheckpointError, load_checkpoint, remove_all_but,
                                         save_checkpoint, steps_in, subtree)
from minillm.training.progress import Progress

MOMENTS = ("mean", "square")        # saved parts of the optimizer's state, besides the step


class MemoryRecorder:
    """Keeps a phase's records in a list; nothing is written, so nothing can be resumed."""

    saves = False

    def __init__(self):
        self.records = []

    def restore(self, model, params, settings):
        """Returns None: there is nothing to resume from."""

    def recording(self, steps, start):
        """A context in which records are added."""
        return nullcontext()

    def add(self, record):
        """Keep the record of one step."""
        self.records.append(record)

    def show(self, sample):
        """A sample is not kept."""


class FolderRecorder:
    """Records one phase in one folder: metrics.jsonl, checkpoints, a line on the terminal.

    origin: what the phase learns from (seed, hashes of data and models), as plain JSON. It is kept
    in each checkpoint, and a phase is not resumed from another origin.
    """

    saves = True

    def __init__(self, folder, resume=False, quiet=False, origin=None):
        self.folder, self.resume, self.quiet = Path(folder), resume, quiet
        self.origin = origin or {}
        self.kept = []              # records of the steps before the resumed one

    def restore(self, model, params, settings):
        """Copy the newest checkpoint's numbers into params, if the phase is to be resumed.

        Returns (step, optimizer, {field of a rollout: array} or {}), or None for a fresh start.
        Raises:  ValueError if it was begun with other settings, another model or tokenizer.
        """
        self.kept = []
        if not (self.resume and steps_in(self.folder)):
            return None
        saved = load_checkpoint(self.folder)
        remove_all_but(steps_in(self.folder)[-1])
        self.refuse_other("", saved.progress.get("origin", {}), self.origin)
        self.refuse_other("", later_dials(settings) | saved.progress.get("settings", {}),
                          asdict(settings))
        self.refuse_other("model.", asdict(saved.model.config), asdict(model.config))
        if saved.model.tokenizer != model.tokenizer:
            raise ValueError(f"{self.folder} was begun with another tokenizer; start a new run")
        loaded = saved.model.params
        with reading(self.folder):
            if params is not model.params:      # {"model": ..., **heads}, or {"adapter": ...}
                loaded = {name: loaded if name == "model" else
                          subtree(saved.training, f"heads.{name}", head)
                          for name, head in params.items()}
            shapes = (muon_moments(params) if settings.optimizer == "muon" else
                      dict.fromkeys(MOMENTS, params))
            moments = {name: subtree(saved.training, f"optimizer.{name}", shapes[name])
                       for name in MOMENTS}
        for _, leaf, values in tree.zipped(params, loaded):
            leaf[...] = values              # in place: whoever holds the array sees the change
        step = saved.progress["step"]
        self.kept = [record for record in read_metrics(self.folder) if record["step"] < step]
        rollout = {name.removeprefix("rollout."): array for name, array in saved.training.items()
                   if name.startswith("rollout.")}
        return step, {**moments, "step": step}, rollout

    def refuse_other(self, where, then, now):
        """Refuse settings that differ from those that the phase was begun with; name the first."""
        for key, value in now.items():
            if then.get(key) != value:
                raise ValueError(f"{self.folder} was begun with {where}{key} = {then.get(key)}, "
                                 f"this run has {value}; resume with what it was begun with, "
                                 "or start a new run")

    @contextmanager
    def recording(self, steps, start):
        """Open metrics.jsonl, with the records before `start`, and show the progress."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "metrics.jsonl"
        write_atomically(path, "".join(json.dumps(record) + "\n" for record in self.kept))
        with naming(path), open(path, "a", encoding="utf-8", newline="\n") as self.metrics, \
                Progress(self.folder.name, steps, start, self.quiet) as self.progress:
            try:
                yield
            except FloatingPointError as error:
                raise FloatingPointError(f"{self.folder.name}: {error}") from None

    def add(self, record):
        """Write the record of one step, and show it."""
        self.metrics.write(json.dumps(record) + "\n")
        self.metrics.flush()
        self.progress.step(record)

    def show(self, sample):
        """Show a text beside the progress."""
        self.progress.show(sample)

    def save(self, model, heads, state, settings):
        """Write a checkpoint from which the loop can resume."""
        training = {"optimizer": {name: state.optimizer[name] for name in MOMENTS}, "heads": heads}
        if state.rollout is not None:
            training["rollout"] = {name: np.asarray(array)
                                   for name, array in state.rollout._asdict().items()}
        if not self.folder.is_dir():
            raise ValueError(f"{self.folder} was moved or removed while it was trained; what was "
                             "saved before is where it was moved to")
        flush(self.metrics)                 # before the checkpoint that its lines lead up to
        save_checkpoint(self.folder, state.optimizer["step"], model, training,
                        {"settings": as_dict(settings), "origin": self.origin})


def later_dials(settings):
    """Dials that a checkpoint does not have where they were at their default: {name: default}."""
    return {item.name: item.default for item in fields(settings) if item.metadata.get("later")}


def read_metrics(folder):
    """The records of a phase's metrics.jsonl, one per step; [] if there is no file.

    A last line without an end is left out: a process was killed while it wrote that line.
    Raises:  CheckpointError that names another line which is not a record.
    """
    path = Path(folder) / "metrics.jsonl"
    if not path.exists():
        return []
    *lines, _ = path.read_bytes().split(b"\n")
    records = []
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            if type(record["step"]) is not int:
                raise TypeError
        except (ValueError, TypeError, KeyError, RecursionError):
            raise CheckpointError(f"{path}, line {number}: is not the record of a step; remove the "
                                  "line") from None
        records.append(record)
    return records
