"""The verbs that train: run, and one for each stage."""

import sys
from pathlib import Path

from minillm.config import require
from minillm.runs import plan as planning
from minillm.runs.compiling import compile_kernels, kernels_are_cold, nothing_to_wait_for
from minillm.runs.folder import imported_from
from minillm.runs.hints import command
from minillm.runs.run import is_done, run_all, run_stage
from minillm.runs.stages import BY_NAME, STAGES, after, own_sections
from minillm.terminal.flags import as_toml, resolve
from minillm.terminal.outcome import outcome
from minillm.training.checkpoint import steps_in


def plan(args, stage, by_hand=False):
    """The plan that the flags ask for.  Raises:  ValueError if it cannot be done."""
    return planning.plan(stage, lambda base: resolve(args, base), run=args.run, name=args.name,
                         root=args.root, resume=args.resume, own_data=args.data, by_hand=by_hand)


def train(args):
    """The verb of a single stage."""
    stage = BY_NAME[args.verb]
    chosen = plan(args, stage)
    with planning.working(chosen, [stage], args.root, args.resume, args.quiet) as run:
        announce(run, chosen, own_sections(stage))
        if stage.needs or stage.makes:          # all but the vocabulary's
            wait = compile_first(run, [stage.name])
            wait()
        for need in stage.needs:
            note_unfinished(run, need)
        for name in stage.makes:
            if not all((run.folder / left).exists() for left in BY_NAME[name].paths):
                run_stage(run, BY_NAME[name])
        run_stage(run, stage)
    tell_outcome(run, [stage])
    run.say("next: " + next_command(run, stage))


def next_command(run, stage):
    """The command that goes on after a stage, as it can be typed.

    A model that others trained goes on to the stages whose data are there.
    """
    following = after(stage.name)
    if imported_from(run.folder) is not None:
        default = following and BY_NAME[following].data and BY_NAME[following].data.default
        following = following if default in run.data else None
    return command(following or "chat", run.folder)


def run_everything(args):
    """`minillm run`: all stages on the embedded world, and the report."""
    require(args.data is None,
            "run works on the embedded world; for your own text: minillm pretrain --data FILE, "
            "then finetune --data FILE and reward --data FILE")
    require(args.run is None or args.resume,
            f"run starts a new run; give --name {Path(args.run or '').name} to name it so, or add "
            "--resume to continue that run")
    chosen = plan(args, None)
    require(not chosen.data,
            f"{chosen.source} was begun on your own data; use the verbs of its stages")
    from minillm.report import write_report

    with planning.working(chosen, STAGES, args.root, args.resume, args.quiet,
                          ("run", "--resume")) as run:
        announce(run, chosen, None)
        run_all(run, compile_first(run, [stage.name for stage in STAGES]))
        tell_outcome(run, STAGES)
        place = write_report(run.folder)
    print(f"report: {place}", flush=True)


def announce(run, chosen, names):
    """Print where the run is and its configuration."""
    origin = f", from copies of {chosen.source}" if chosen.new and chosen.source else ""
    run.say(f"run: {run.folder}{origin}")
    run.say(as_toml(run.config, names))


def compile_first(run, names):
    """Before the first training on a machine: compile the kernels of these stages, on two cores.

    Returns a function that waits for the second core's.
    """
    sections = [getattr(run.config, name, None) for name in names]
    precisions = {getattr(section, "precision", "float32") for section in sections}
    if "bfloat16" in precisions:
        note_slow_bfloat16()
    if kernels_are_cold():
        muons = {section.precision for section in sections
                 if getattr(section, "optimizer", "") == "muon"}
        return compile_kernels(run.config.model, precisions, muons)
    return nothing_to_wait_for


def note_slow_bfloat16():
    """Say so where bfloat16 saves no time."""
    from minillm.kernels.steps import DOT_OF_PAIRS

    if not DOT_OF_PAIRS:
        print("minillm: this processor has no AVX512-BF16, so precision = bfloat16 takes as long "
              "as float32 or, with AVX2 alone, 1.5 times as long; --precision float32 does "
              "without", file=sys.stderr, flush=True)


def tell_outcome(run, stages):
    """Print what the stages achieved."""
    if not run.quiet:
        run.say("\n".join(outcome(run, stages)))


def note_unfinished(run, name):
    """Print a note if a stage that this one needs stopped before its end."""
    steps = steps_in(run.folder / name)
    if steps and not is_done(run.folder, name):
        run.say(f"note: {name} stopped before its end; its {steps[-1].name} is used")
