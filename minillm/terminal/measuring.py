"""The verbs that look at a run: eval measures its models again, report writes its page."""

from minillm.config import dotted, require
from minillm.runs import memory
from minillm.runs.checks import require_memory
from minillm.runs.config import load_config
from minillm.runs.folder import imported_from, read_results
from minillm.runs.plan import find_run, has_changed
from minillm.runs.run import Run, has_begun, newest_run
from minillm.runs.stages import STAGES
from minillm.terminal.outcome import number
from minillm.terminal.talking import naming


def folder_of_run(word, root):
    """The folder of the run that a verb means: the given run, or the newest."""
    return find_run(word, root) if word is not None else newest_run(root)


def report(args):
    """Write report.html again, or lay a run beside another; print the page's path."""
    folder = folder_of_run(args.run, args.root)
    load_config(folder)
    from minillm.report import write_comparison, write_report
    if args.other is None:
        path = write_report(folder)
    else:
        path = write_comparison(folder, find_run(args.other, args.root))
    print(f"report: {path}")


def evaluate(args):
    """Measure the stages of a run again, and print the numbers beside those of results.json."""
    folder = folder_of_run(args.run, args.root)
    config, data = load_config(folder)
    require_memory("eval", memory.evaluate(config, imported_from(folder) is not None),
                   "this run takes a machine with more")
    run = Run(folder, config, data, False, args.quiet)
    measured = [stage for stage in STAGES if stage.measure and has_begun(folder, stage)]
    require(any(stage.speaks for stage in measured),
            f"{folder} has no trained model yet; first: minillm pretrain {folder}")
    results = {}
    for stage in measured:
        if has_changed(folder, stage, data):
            run.say(f"note: {data[stage.name]} is not what the {stage.name} of {folder} began "
                    "with; its numbers are those of the data as they are now")
        with naming(folder / stage.name):
            results[stage.name] = stage.measure(run)
    then = dict(dotted(read_results(folder)))
    rows = [("", "now", "results.json")]
    rows += [(name, number(value), number(then[name]) if name in then else "-")
             for name, value in dotted(results)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for name, now, before in rows:
        print(f"{name:<{widths[0]}}  {now:>{widths[1]}}  {before:>{widths[2]}}")
