"""One run: its folder, its configuration, its random generators, and running its stages."""

import os
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minillm.config import require
from minillm.runs import data
from minillm.runs.compiling import nothing_to_wait_for
from minillm.runs.config import RunConfig, save_config
from minillm.runs.folder import (assistant_of, is_run, merge_results, read_results,
                                 root_folder)
from minillm.runs.provenance import origin, provenance, stage_of
from minillm.runs.stages import BY_NAME, NUMBERS, SPEAKERS, STAGES
from minillm.training.checkpoint import (CheckpointError, check_whole, find_checkpoint,
                                         load_checkpoint, steps_in)
from minillm.training.recorder import FolderRecorder


class Run(NamedTuple):
    """One run: its folder and its settings."""
    folder: Path
    config: RunConfig
    data: dict = {}             # paths of the user's own data, by stage
    resume: bool = False
    quiet: bool = False

    def rng(self, name, *further):
        """The random generator of a stage; further numbers give other, independent generators."""
        return np.random.default_rng([self.config.seed, NUMBERS[name], *further])

    def recorder(self, name):
        """The recorder of the training in the run's folder NAME."""
        return FolderRecorder(self.folder / name, self.resume, self.quiet,
                              origin(self, stage_of(name)))

    def model(self, name):
        """The model that a training left in the folder NAME."""
        return load_checkpoint(self.folder / name).model

    def assistant(self):
        """The model that phase 3 begins with."""
        return self.model(assistant_of(self.folder))

    def texts(self):
        """(training, held-out) texts that the base model learns from: the user's or the world's."""
        return data.documents(self, data.own_text(self))

    def say(self, text):
        """One line on the terminal; if it cannot be written (`| head -1`), the work goes on."""
        if not self.quiet:
            try:
                print(text, flush=True)
            except OSError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def model_folder(folder):
    """The checkpoint that a folder means: a run's most trained model, a stage's newest step, or
    the folder itself.

    Raises:  CheckpointError if there is none.
    """
    folder = Path(folder)
    for name in reversed(SPEAKERS):
        if steps_in(folder / name):
            return find_checkpoint(folder / name)
    return find_checkpoint(folder)


def is_done(folder, name):
    """Whether a stage of a run is finished, and what it left is still there."""
    stage = BY_NAME[name]
    return (name in read_results(folder).get("seconds", {})
            and (stage.run is None or bool(left_by(folder, stage))))


def has_begun(folder, stage):
    """Whether a stage has left anything that must not be overwritten."""
    return bool(left_by(folder, stage)) or is_done(folder, stage.name)


def has_what(folder, need):
    """Whether a run has what the stage `need` leaves, or a model that others made does for it."""
    return has_begun(folder, BY_NAME[need]) or (need == "finetune"
                                                and assistant_of(folder) == "pretrain")


def left_by(folder, stage):
    """The files and the folders of steps that a stage has left in a run's folder."""
    left = [Path(folder) / name for name in stage.paths]
    return [found for path in left
            for found in (steps_in(path) if path.is_dir() else [path] if path.exists() else [])]


def newest_run(root="runs", needs=()):
    """The run whose folder was changed last, of those that have what every stage in `needs` leaves.

    Raises:  CheckpointError if there is none, with the first command towards one.
    """
    root = root_folder(root)
    every = [path for path in root.iterdir() if is_run(path)] if root.is_dir() else []
    runs = runs_with(every, needs)
    if not runs:
        what = f"no run with the stage {needs[-1]}" if needs else "no run"
        raise CheckpointError(f"{root} holds {what} yet; start with: "
                              f"minillm {first_towards(needs[-1], every) if needs else 'run'}")
    return max(runs, key=lambda path: (changed(path), path.name))


def runs_with(runs, needs):
    """Those of some runs that have what every stage in `needs` leaves."""
    return [path for path in runs if all(has_what(path, name) for name in needs)]


def first_towards(name, runs):
    """The stage to begin with so that a stage can be done: the first whose needs a run has."""
    needs = BY_NAME[name].needs
    return name if not needs or runs_with(runs, needs) else first_towards(needs[-1], runs)


def changed(folder):
    """When a run was begun or last trained, in nanoseconds; a report does not count."""
    steps = [step for stage in STAGES for step in left_by(folder, stage)]
    return max(path.stat().st_mtime_ns for path in (folder / "run.json", *steps))


def run_stage(run, stage):
    """Run one stage and add its numbers to results.json; a resumed run skips finished stages.

    Raises:  CheckpointError if a file that a finished stage left is not the one that it wrote.
    """
    if run.resume and is_done(run.folder, stage.name):
        for name in stage.paths:
            check_whole(run.folder / name)
        run.say(f"{stage.name}: done before")
        return
    if run.resume and stage.name in read_results(run.folder).get("seconds", {}):
        run.say(f"{stage.name}: what it left is gone, so it is done again")
    began = time.perf_counter()
    if stage.name in run.data:
        run.say(f"{stage.name}: on {run.data[stage.name]}")
    if stage.run:
        stage.run(run)
    results = stage.measure(run) if stage.measure else {}
    seconds = round(time.perf_counter() - began, 1)
    merge_results(run.folder, {**({stage.name: results} if results else {}),
                               "seconds": {stage.name: seconds},
                               "made": {stage.name: provenance(run, stage)}})


def run_all(run, wait=nothing_to_wait_for):
    """Run all stages on the embedded world.  Returns the results; the report is written elsewhere.

    wait() returns when the kernels of training are compiled.
    """
    require(not run.data, f"{run.folder} was begun on your own data; use the stages' verbs")
    save_config(run.folder, run.config, run.data)
    for stage in STAGES:
        if stage.needs or stage.makes:      # all but the vocabulary's
            wait()
        run_stage(run, stage)
    seconds = read_results(run.folder)["seconds"]
    total = round(sum(value for name, value in seconds.items() if name != "total"), 1)
    return merge_results(run.folder, {"seconds": {"total": total}})
