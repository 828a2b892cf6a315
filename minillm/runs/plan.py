"""The plan of a verb: checked before anything is written, and undone if the verb fails early."""

import difflib
import json
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from minillm.config import require
from minillm.formats.durable import ASIDE, naming, write_atomically
from minillm.runs.checks import check_imported, check_memory, fingerprint_of
from minillm.runs.config import load_config, save_config
from minillm.runs.data import ranked
from minillm.runs.folder import (imported_from, merge_results, new_run, read_results,
                                 root_folder)
from minillm.runs.hints import command
from minillm.runs.lock import locked
from minillm.runs.provenance import fingerprints
from minillm.runs.run import Run, has_begun, has_what, left_by, newest_run
from minillm.runs.stages import STAGES, before, makers
from minillm.training.checkpoint import CheckpointError, steps_in
from minillm.training.interrupt import Interruptible, was_interrupted


RECORDS = {"run.json", "fingerprints.json", "results.json"}     # files of a run beside its stages


class Plan(NamedTuple):
    """What a verb is going to do; it is checked, and nothing is written yet."""
    source: Path            # the run that the verb continues, or None
    name: str               # name of the new folder, or None
    new: bool               # whether a folder is to be made
    config: object          # RunConfig
    data: dict              # paths of the user's own data by stage
    fingerprint: str        # sha256 of the data that this verb reads, or None


def find_run(word, root, may_begin=False):
    """The folder that a RUN on the command line means: a path, or a name under the root.

    may_begin: whether the verb can begin a run of that name; then the message says how.
    Raises:  CheckpointError if there is none, with the nearest name; ValueError if it is empty.
    """
    root = root_folder(root)
    require(str(word) != "", "RUN is empty; give the folder of a run or its name, or leave it out")
    for folder in (Path(word), root / word):
        if folder.is_dir():
            return folder
    names = [path.name for path in root.iterdir() if path.is_dir()] if root.is_dir() else []
    near = difflib.get_close_matches(str(word), names, n=1)
    hint = (f"did you mean {root / near[0]}?" if near else
            "give the folder of a run"
            + (f"; --name {Path(word).name} starts a new one" if may_begin else ""))
    raise CheckpointError(f"{word} is not a folder, and {root} has no run of that name; {hint}")


def source_of(needs, run=None, name=None, root="runs", resume=False):
    """The run that a verb continues, or None for a new run."""
    if run is not None:
        return find_run(run, root, may_begin=not resume)
    if resume and name is not None:
        return find_run(name, root)
    return newest_run(root, needs) if resume or needs else None


def needs_of(stage, path):
    """Names of the stages that a stage needs; the user's own data (`path`) replace some of them."""
    if stage is None:
        return ()
    replaced = stage.data.replaces if stage.data and path else ()
    return tuple(need for need in stage.needs if need not in replaced)


def plan(stage, resolve, *, run=None, name=None, root="runs", resume=False, own_data=None,
         by_hand=False):
    """Decide where a verb works, and check what can be checked.

    stage: the Stage, or None for all; resolve(configuration of the source or None) -> RunConfig
    by_hand: whether a person ranks the responses to prompts of their own
    Raises:  ValueError if the verb cannot be done.
    """
    require(own_data != "", "--data is empty; give a file or a folder")
    require(own_data is None or stage is None or stage.data is not None,
            f"{stage and stage.name} takes no --data")
    require(not (resume and run is not None and name is not None),
            f"--resume continues {run}, and --name {name} would start another run; leave one out")
    source = source_of(needs_of(stage, own_data), run, name, root, resume)
    old, data = load_config(source) if source is not None else (None, {})
    config = resolve(old)
    new = source is None or (name is not None and not resume)
    path = own_path(stage, data, own_data)
    imported = source is not None and imported_from(source) is not None
    if imported and not by_hand:
        check_imported(source, stage, path, new)
    check_memory(stage, config, path is not None, imported)
    if source is not None and stage is not None:
        check_needs(source, stage, path)
        if not new and not resume:
            check_unbegun(source, stage)
    if source is not None and not new:
        check_unchanged(source, old, config)
    fingerprint = None if path is None else checked_data(stage, source, data, path, resume)
    if new:
        earlier = [each.name for each in before(stage.name if stage else None)]
        data = {each: where for each, where in data.items() if each in earlier}
    if path is not None:
        data = {**data, stage.name: str(Path(path).resolve())}
    return Plan(source, name, new, config, data, fingerprint)


def own_path(stage, data, own_data):
    """The path of the user's own data that a stage works on, or None.

    Without --data, a stage takes the data of the stage that its record names as default.
    Raises:  ValueError if those data are no longer there.
    """
    if stage is None or stage.data is None:
        return None
    noted = data.get(stage.name) or data.get(stage.data.default)
    require(own_data or noted is None or Path(noted).exists(),
            f"{noted}: no such file; the run was begun with it, so if it was moved, give its new "
            "place with --data")
    return own_data or noted


def checked_data(stage, source, data, path, resume):
    """The fingerprint of a stage's data.  Raises:  ValueError if they changed since it began."""
    found = fingerprint_of(stage, path)
    if resume and has_begun(source, stage):
        # A stage that another one made (pretrain makes the tokenizer) began with that one's data.
        began = next((name for name in (stage.name, *makers(stage)) if name in data), None)
        require(began is not None,
                f"the {stage.name} of {source} began on the embedded world; resume without --data, "
                "or start a new run with --name NEW")
        require(fingerprints(source).get(began, found) == found,
                f"{path} is not what the {stage.name} of {source} began with "
                f"({data[began]} as it was then); resume needs the same data, or start a new "
                "run with --name NEW")
    return found


def has_changed(folder, stage, data):
    """Whether a stage's own data can be read and are not what the stage of this run began with."""
    path, then = data.get(stage.name), fingerprints(folder).get(stage.name)
    if path is None or then is None:
        return False
    try:
        return fingerprint_of(stage, path) != then
    except ValueError:          # gone or broken; the stage's measure says so
        return False


def check_needs(folder, stage, path):
    """Refuse a stage if one that it needs is missing.  Raises:  CheckpointError with its verb."""
    for need in needs_of(stage, path):
        if not has_what(folder, need):
            raise CheckpointError(f"{folder} has no {need} yet; first: {command(need, folder)}"
                                  + (", or give --data" if stage.data and
                                     need in stage.data.replaces else ""))
        if need == "rank":
            ranked(folder / "rank")


def check_unbegun(folder, stage):
    """Refuse to do a stage again in the same folder.  Raises:  ValueError with both ways out."""
    require(not has_begun(folder, stage),
            f"{folder} has its {stage.name} already, and a stage is never overwritten; --resume "
            "continues it, --name NEW starts a new run from copies of the stages before it")


def check_unchanged(folder, old, new):
    """Refuse changes to the settings of stages that have begun.  Raises:  ValueError"""
    for stage in STAGES:
        if not has_begun(folder, stage):
            continue
        require(old.seed == new.seed, refusal(folder, stage, "seed", old.seed, new.seed))
        for section in stage.sections:
            then, now = vars(getattr(old, section)), vars(getattr(new, section))
            for key in then:
                require(then[key] == now[key], refusal(folder, stage, f"{section}.{key}",
                                                       then[key], now[key]))


def refusal(folder, stage, key, then, now):
    """An error message that names the setting which a stage was begun with."""
    return (f"{folder} was begun with {key} = {then}, not {now}; its {stage.name} has used that "
            "value; leave the flag out, or start a new run with --name NEW")


class Interrupted(KeyboardInterrupt):
    """A Ctrl-C ended a verb; the message says how to go on."""


@contextmanager
def working(chosen, stages, root="runs", resume=False, quiet=False, again=()):
    """The Run of a plan, with its folder prepared and locked; an early error leaves it unchanged.

    After the first checkpoint of `stages` everything is kept, so that the work can go on.
    again: (verb, *flags) of the command that goes on with the run, if not the stage's --resume.
    Raises:  Interrupted after a Ctrl-C, also after one that numba has wrapped in another error.
    """
    folder = new_run(root, chosen.name) if chosen.new else chosen.source
    run = Run(folder, chosen.config, chosen.data, resume, quiet)
    try:
        with naming(folder), locked(folder), undone_if_early(folder, chosen.new, stages):
            if not (chosen.new or resume):
                for stage in stages:            # another process may have done it since the plan
                    check_unbegun(folder, stage)
            if chosen.new and chosen.source is not None:
                copy_run(chosen.source, folder, stages[0].name)
            save_config(folder, chosen.config, chosen.data)
            if chosen.fingerprint is not None:
                known = {**fingerprints(folder), stages[0].name: chosen.fingerprint}
                write_atomically(folder / "fingerprints.json", json.dumps(known, indent=2) + "\n")
            yield run
    except BaseException as error:
        kept = kept_of(folder, stages)
        if chosen.new and not kept:
            with suppress(OSError):             # not empty, if files could not be removed
                folder.rmdir()
        if not was_interrupted(error):
            raise
        verb, *flags = again or (stages[0].name, "--resume")
        raise Interrupted("interrupted; what was saved is kept, go on with: "
                          + command(verb, folder, *flags) if kept else
                          "interrupted; nothing was saved yet") from None


def copy_run(source, folder, name):
    """Copy the results of the stages before `name` from the run `source` into a new folder."""
    earlier, results = before(name), read_results(source)
    for left in (left for stage in earlier for left in stage.paths):
        (folder / left).parent.mkdir(parents=True, exist_ok=True)
        if (source / left).is_dir():
            copy_training(source / left, folder / left)
        elif (source / left).exists():
            shutil.copy2(source / left, folder / left)
    names = [stage.name for stage in earlier]

    def of_names(values):
        return {name: values[name] for name in names if name in values}
    merge_results(folder, {**of_names(results), "seconds": of_names(results.get("seconds", {})),
                           "made": of_names(results.get("made", {}))})


def copy_training(source, target):
    """Copy a stage's folder: its newest checkpoint and its log, also while it is being trained."""
    try:
        *_, newest = steps_in(source) or [None]
        others = [path.name for path in source.iterdir() if path.is_dir() and path != newest]
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(*others))
    except shutil.Error:
        if steps_in(source)[-1:] == [newest]:
            raise
        shutil.rmtree(target)               # the training has replaced the checkpoint; once more
        copy_training(source, target)


@contextmanager
def undone_if_early(folder, made, stages):
    """On an error before `stages` have left anything to keep, empty the folder of what is new.

    made: whether the folder is new.
    """
    there, had = (set(), []) if made else (set(folder.iterdir()), kept_of(folder, stages))
    records = {path: path.read_bytes() for path in there if path.name in RECORDS}
    try:
        yield
    except BaseException:
        with Interruptible():                   # a second Ctrl-C would leave half of it
            if folder.is_dir() and kept_of(folder, stages) == had:
                for path in made_by(folder) - there:
                    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
                for path, content in records.items():
                    path.write_bytes(content)
        raise


def made_by(folder):
    """Paths in a run's folder that a verb may have made there; others are not the verb's."""
    known = {Path(name).parts[0] for stage in STAGES for name in stage.paths} | RECORDS
    return {path for path in folder.glob("*") if path.name in known} | set(folder.glob(f"{ASIDE}*"))


def kept_of(folder, stages):
    """What of the stages' work is worth keeping if they fail: steps, and rankings.

    A vocabulary is not: it is learned in seconds.
    """
    return [path for stage in stages if stage.name != "tokenizer"
            for path in left_by(folder, stage)]
