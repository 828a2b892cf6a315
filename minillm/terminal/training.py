"""The verbs that train: run, tokenizer, pretrain, finetune, rank --simulated, reward, rlhf."""

import json
from pathlib import Path
from typing import NamedTuple

from minillm import pipeline
from minillm.config import require
from minillm.run import STAGES, Run, save_config
from minillm.terminal import folders
from minillm.terminal.checks import LOADERS, check_config, check_data, check_rankings, dotted
from minillm.terminal.compiling import compile_kernels, kernels_are_cold
from minillm.terminal.flags import as_toml, resolve
from minillm.train.checkpoint import steps_in
from minillm.train.run_folder import newest_run, read_results, write_whole

STAGE_OF = {"tokenizer": "tokenizer", "pretrain": "pretrain", "finetune": "finetune", "rank": "preferences",
            "reward": "reward_model", "rlhf": "policy_gradient"}
OWN = {"run": (), "tokenizer": ("tokenizer",), "pretrain": ("pretrain", "tokenizer", "model"),
       "finetune": ("finetune",), "rank": ("preferences",), "reward": ("reward",), "rlhf": ("rlhf",)}
# A stage that is given no data takes that of a stage before it, which it belongs to.
DATA_FROM = {"pretrain": "tokenizer", "policy_gradient": "reward_model"}
NEXT = {"tokenizer": "pretrain", "pretrain": "finetune", "finetune": "rank", "rank": "reward",
        "reward": "rlhf", "rlhf": "chat"}


class Plan(NamedTuple):
    """What a verb is about to do, checked, with nothing written yet."""
    source: Path            # the run it goes on from, or None
    name: str               # of a new folder, or None
    new: bool               # whether a folder is to be made
    config: object
    data: dict              # the reader's own files by stage
    fingerprint: str        # of the file that this verb reads, or None


def source_of(args, stage):
    """The run that a verb goes on from, or None for a new one."""
    if args.run is not None:
        return folders.find_run(args.run, args.root)
    if args.resume and args.name is not None:
        return folders.find_run(args.name, args.root)
    needs = folders.NEEDS.get(stage, ())
    if args.resume or needs:
        return newest_run(args.root, needs[-1] if needs else None)
    return None


def plan(args, stage):
    """Decide where a verb works and check what can be checked.  Raises:  ValueError for what cannot be."""
    source = source_of(args, stage)
    old, data = folders.read_run(source) if source is not None else (None, {})
    config = resolve(args, old)
    check_config(config)
    new = source is None or (args.name is not None and not args.resume)
    if source is not None and stage is not None:
        folders.check_needs(source, stage)
        if not new and not args.resume:
            folders.check_unbegun(source, stage)
    if source is not None and not new:
        folders.check_unchanged(source, old, config)
    if new:
        data = {earlier: path for earlier, path in data.items() if earlier in folders.before(stage)}
    return Plan(source, args.name, new, config, *planned_data(args, stage, source, data))


def planned_data(args, stage, source, data):
    """(the run's data files by stage with the one that this verb uses, that one's fingerprint or None).

    Raises:  ValueError for a file that changed since the stage began.
    """
    path = args.data or data.get(stage) or data.get(DATA_FROM.get(stage))
    if path is None or stage not in LOADERS:
        return data, None
    found = check_data(stage, path)
    if args.resume and folders.begun(source, stage):
        require(stage in data, f"the {stage} of {source} began on the embedded world; go on without --data, "
                               "or start a new run with --name NEW")
        require(folders.fingerprints(source).get(stage, found) == found,
                f"{path} is not what the {stage} of {source} began with ({data[stage]} as it was then); "
                "resume needs the same data, or start a new run with --name NEW")
    return {**data, stage: str(Path(path).resolve())}, found


def train(args):
    """One of the verbs that train a single phase."""
    stage = STAGE_OF[args.verb]
    chosen = plan(args, stage)
    if args.verb == "reward":
        check_preferences(chosen)
    folder = folders.new_folder(args.root, chosen.name) if chosen.new else chosen.source
    run = Run(folder, chosen.config, args.resume, args.quiet)
    with folders.nothing_half_made(folder, chosen.new, [stage]):
        prepare(run, chosen, stage)
        announce(run, chosen, OWN[args.verb])
        if stage not in ("tokenizer", "preferences"):
            compile_first(run)
        for phase in folders.NEEDS[stage]:
            note_unfinished(run, phase)
        if args.verb == "pretrain" and not (folder / "tokenizer.json").exists():
            stage_with_data(run, "tokenizer", chosen.data.get("pretrain"))
        stage_with_data(run, stage, chosen.data.get(stage))
    run.say(summary(folder, stage))
    run.say(f"next: minillm {NEXT[args.verb]} {folder}")


def prepare(run, chosen, stage):
    """Fill a new folder with copies where there is a run to go on from, and write down what will be done."""
    if chosen.new and chosen.source is not None:
        folders.copy_run(chosen.source, run.folder, stage)
    save_config(run, chosen.data)
    if chosen.fingerprint is not None:
        known = {**folders.fingerprints(run.folder), stage: chosen.fingerprint}
        write_whole(run.folder / "fingerprints.json", json.dumps(known, indent=2) + "\n")


def stage_with_data(run, stage, data):
    """Run one stage, on a reader's data where there is any."""
    if data is None:
        pipeline.run_stage(run, stage)
    else:
        run.say(f"{stage}: on {data}")
        pipeline.run_stage(run, stage, data=data)


def check_preferences(chosen):
    """A reward model needs rankings.  Raises:  ValueError where there are none, or broken ones."""
    path = chosen.source / "preferences.jsonl"
    if "reward_model" in chosen.data:
        return
    require(path.exists(), f"{chosen.source} has no preferences.jsonl; first: minillm rank "
                           f"{chosen.source}, or give --data PREFERENCES.jsonl")
    check_rankings(path)


def run_everything(args):
    """`minillm run`: all phases on the embedded world, and the report."""
    require(args.data is None, "run works on the embedded world; for your own text: minillm pretrain --data "
                               "FILE, then finetune --data FILE and reward --data FILE")
    require(args.run is None or args.resume,
            f"run starts a new run; for a name of its own give --name {Path(args.run or '').name}, "
            "to go on with it add --resume")
    chosen = plan(args, None)
    require(not chosen.data, f"{chosen.source} was begun on your own data; go on with the phases' own verbs")
    folder = folders.new_folder(args.root, chosen.name) if chosen.new else chosen.source
    run = Run(folder, chosen.config, args.resume, args.quiet)
    with folders.nothing_half_made(folder, chosen.new, STAGES):
        announce(run, chosen, None)
        compile_first(run)
        results = pipeline.run_all(run)
    run.say(table(results))
    from minillm.report import write_report
    print(f"report: {write_report(folder)}", flush=True)


def announce(run, chosen, names):
    """Say where the run is and what was resolved."""
    origin = f", from copies of {chosen.source}" if chosen.new and chosen.source else ""
    run.say(f"run: {run.folder}{origin}")
    run.say(as_toml(run.config, names))


def compile_first(run):
    """Before the first training on a machine: compile the kernels, and say so."""
    if kernels_are_cold():
        run.say("compiling the kernels, once: that takes some 20 seconds")
        compile_kernels(run.config.model)



def summary(folder, stage):
    """What results.json holds of one stage."""
    results = read_results(folder)
    found = {key: results[key] for key in folders.RESULTS_OF[stage] if key in results}
    seconds = results.get("seconds", {}).get(stage, 0)
    text = table(found)
    return (text + "\n" if text else "") + f"{stage}: {seconds:,.1f} s, in {folder}"


def table(results):
    """Nested results as lines of dotted name and value."""
    rows = [(name, value) for name, value in dotted(results) if not name.startswith("seconds")]
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"  {name:<{width}}  {number(value)}" for name, value in rows)


def number(value):
    """A number of results.json as a reader wants it."""
    if isinstance(value, float):
        return f"{value:,.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def note_unfinished(run, phase):
    """Say where a phase that this one builds on stopped before its end."""
    if phase not in read_results(run.folder).get("seconds", {}):
        run.say(f"note: {phase} stopped before its end; its {steps_in(run.folder / phase)[-1].name} is used")
