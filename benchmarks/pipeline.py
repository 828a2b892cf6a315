"""Where do the seconds of `minillm run` go?

    python benchmarks/pipeline.py runs/run-001 --json pipeline.json --plot pipeline.png

Reads results.json and every phase's metrics.jsonl of a run that is done, and divides the seconds of each stage:

    steps       all steps, at the seconds of a usual one: the median of its neighbours
    first       what the first steps took above that: compilation, or reading kernels from their cache
    sampling    in RLHF, what steps that begin with a rollout took above those that do not
    looks       validation and samples between the steps
    rest        everything else: making data, encoding, ranking, measuring, checkpoints
"""

import json
from pathlib import Path

import numpy as np
from common import Report, flags, median, parse
from pictures import COLOURS

from minillm.runs.folder import read_results
from minillm.runs.stages import STAGES
from minillm.training.recorder import read_metrics

PARTS = ("steps", "first", "sampling", "looks", "rest")
COLUMNS = [("stage", "stage", ""), ("total", "seconds", ",.1f"), ("count", "steps", ",d"),
           ("ms", "ms a step", ",.1f"), *((part, part, ",.1f") for part in PARTS), ("share", "of the run", ".1%")]
FIRST = 2       # steps in which a kernel may run for the first time


def usual_seconds(seconds, sampled):
    """The median of 50 steps on either side, as windows change their length; steps with a rollout left out."""
    plain = np.where(sampled, np.nan, seconds)
    return np.array([np.nanmedian(plain[max(0, i - 50):i + 51]) for i in range(len(plain))])


def divide(records, epochs=1):
    """Seconds of a phase's usual steps, first steps, sampling and looks.  epochs: steps that share a rollout"""
    seconds = np.array([record["seconds"] for record in records])
    sampled = np.array([epochs > 1 and record["step"] % epochs == 0 for record in records])
    above = seconds - usual_seconds(seconds, sampled)
    rollouts = np.where(sampled, median(above[sampled]) if sampled.any() else 0.0, 0.0)
    first = float((above - rollouts)[:FIRST].sum())
    sampling = float(rollouts[:FIRST].sum() + above[FIRST:][sampled[FIRST:]].sum())
    return {"steps": float(seconds.sum()) - first - sampling, "first": first, "sampling": sampling,
            "looks": sum(record.get("evaluate_seconds", 0.0) for record in records)}


def rows_of(run):
    """One row a stage."""
    results, rows = read_results(run).get("seconds", {}), []
    config = json.loads((run / "run.json").read_text(encoding="utf-8"))
    for stage in STAGES:
        if stage.name not in results:
            continue
        parts, count = dict.fromkeys(PARTS, 0.0), 0
        epochs = config.get(stage.name, {}).get("epochs", 1)        # the policy's stage alone has rollouts
        for place in stage.paths:
            records = read_metrics(run / place)
            if records:
                for part, value in divide(records, epochs).items():
                    parts[part] += value
                count += len(records)
        parts["rest"] = results[stage.name] - sum(parts.values())
        rows.append({"stage": stage.name, "total": results[stage.name], "count": count or None,
                     "ms": 1e3 * parts["steps"] / count if count else None, **parts})
    total = sum(row["total"] for row in rows)
    sums = {key: sum(row[key] or 0 for row in rows) for key in ("total", "count", *PARTS)}
    rows.append({"stage": "all", **sums})
    return [{**row, "share": row["total"] / total} for row in rows]


def main(argv=None):
    """Read a run and divide its seconds."""
    parser = flags(__doc__)
    parser.add_argument("run", metavar="RUN", help="the folder of a run, as runs/run-001")
    args = parse(parser, argv)
    run = Path(args.run)
    if not read_results(run).get("seconds"):
        parser.error(f"{run} has no results.json with seconds; give the folder of a finished `minillm run`")
    report, rows = Report(__file__, __doc__, args), rows_of(run)
    report.table(f"Seconds of {run.name}", COLUMNS, rows)
    report.note("The seconds are those of the run, wherever it ran; the machine above is this one.")

    def draw(axes):
        stages, left = [row["stage"] for row in rows[:-1]], np.zeros(len(rows) - 1)
        for part, colour in zip(PARTS, COLOURS):
            values = np.array([max(row[part], 0.0) for row in rows[:-1]])
            axes.barh(stages, values, left=left, color=colour, label=part)
            left += values
        axes.invert_yaxis()
        axes.set_xlabel("seconds")
    report.finish(draw)


if __name__ == "__main__":
    main()
