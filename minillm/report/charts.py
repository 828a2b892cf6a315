"""The figures of the report page, each drawn from results.json or from the metrics of a phase.

A function returns None if its numbers do not exist yet.
"""

import numpy as np

from minillm.report.figures import (COLOUR, SIZE, bars, curve, draw, legend_above, level, log_axes,
                                    series, step_axis, tips)

# key in results.json: its name in a figure
SKILLS = {"grammar": "grammar", "facts": "facts", "logic": "logic", "code": "code",
          "common_sense": "common sense"}
# (mark of the gold score, role of its colour)
MARKS = (("helpful", "first"), ("accurate", "second"), ("safe", "third"))
# losses that need no network, by their key in results.json
LEVELS = (("uniform_loss", "guessing"), ("unigram_loss", "single tokens"),
          ("bigram_loss", "token pairs"))
# what a training looks like from inside: (label, the value of a record)
DYNAMICS = (("learning rate", lambda record: record["lr"]),
            ("gradient norm", lambda record: record["grad_norm"]),
            ("per second", lambda record: record["weight"] / record["seconds"]))


def times_figure(results, names):
    """The time of each stage, in minutes or seconds; names: the stages in their order."""
    seconds = results.get("seconds", {})
    seconds = {name: seconds[name] for name in names if name in seconds}
    if not seconds:
        return None
    size, unit = (60, "minutes") if max(seconds.values()) >= 120 else (1, "seconds")
    groups = [(name, [value / size]) for name, value in seconds.items()]

    def plot(axes):
        bars(axes, groups, ["first"], [unit], "{:.1f}")
        axes.set_xlabel(unit)
    return draw("times", plot, "Time that each stage took", (SIZE[0], 0.75 + 0.3 * len(groups)))


def loss_figure(name, records, title, levels=(), unit="token"):
    """The training and validation loss over the steps, on logarithmic axes.

    levels: (value, label) of lines to compare with.
    """
    if not records:
        return None

    def plot(axes):
        steps, smooth = curve(axes, records, "loss", "first", "training (averaged)", log=True)
        validated = series(records, "validation_loss")
        if len(validated[0]):
            axes.plot(*validated, "o-", color=COLOUR["second"], markersize=3.2, linewidth=1,
                      clip_on=False, label="validation")
        for value, label in levels:
            level(axes, value, f"{label} ({value:.2f})")
        axes.set_ylabel(f"loss (nats per {unit})")
        axes_of_losses(axes, [series(records, "loss"), validated], [value for value, _ in levels])
        legend_above(axes)
        return tips("{:.3g}", ("training", steps, smooth), ("validation", *validated))
    return draw(name, plot, title)


def axes_of_losses(axes, curves, levels=()):
    """Logarithmic axes that hold every positive value of some (steps, values) and the levels."""
    values = np.concatenate([*(values for _, values in curves), np.array(levels, float)])
    known = values[np.isfinite(values) & (values > 0)]
    lowest, highest = (known.min(), known.max()) if len(known) else (1.0, 1.0)
    log_axes(axes, max(steps[-1] for steps, _ in curves if len(steps)), lowest, highest)


def losses_figure(name, runs, title):
    """The losses of two runs in one figure.  runs: [(name of the run, records)]"""
    if not all(records for _, records in runs):
        return None

    def plot(axes):
        curves, shown = [], []
        for (run, records), role in zip(runs, ("first", "second")):
            steps, smooth = curve(axes, records, "loss", role, run, log=True)
            validated = series(records, "validation_loss")
            axes.plot(*validated, "o", color=COLOUR[role], markersize=3.2, clip_on=False)
            curves += [series(records, "loss"), validated]
            shown += [(f"{run} training", steps, smooth), (f"{run} validation", *validated)]
        axes.set_ylabel("loss (nats)")
        axes_of_losses(axes, curves)
        legend_above(axes, columns=1)
        return tips("{:.3g}", *shown)
    return draw(name, plot, title)


def metric_figure(name, records, key, label, title, chance=None, limits=None):
    """One metric of a phase over its steps.

    chance, if given, is a line for comparison: (value, its label); limits are those of the y axis.
    """
    if not len(series(records, key)[0]):
        return None

    def plot(axes):
        shown = curve(axes, records, key, "first")
        if chance:
            level(axes, *chance)
        axes.set_ylabel(label)
        step_axis(axes)
        if limits:
            axes.set_ylim(*limits)
        return tips("{:.3g}", (label, *shown))
    return draw(name, plot, title)


def dynamics_figure(name, records, title):
    """Learning rate, gradient norm and tokens (of pairs: pairs) per second over the steps."""
    if not records or not all(key in records[0] for key in ("lr", "grad_norm")):
        return None

    def plot(panels):
        for axes, (label, value) in zip(panels, DYNAMICS):
            values = [{"step": record["step"], "value": value(record)} for record in records]
            curve(axes, values, "value", "first")
            axes.set_ylabel(label)
            axes.set_ylim(bottom=0)
        step_axis(panels[-1])
    return draw(name, plot, title, (SIZE[0], 1.2 * len(DYNAMICS)), len(DYNAMICS))


def probes_figure(probes):
    """The accuracy on the five probes before and after pretraining, and by guessing."""
    groups = [(name, [probes[skill].get("untrained"), probes[skill].get("base")])
              for skill, name in SKILLS.items() if skill in probes]
    if not groups:
        return None

    def plot(axes):
        chances = [probes[skill]["chance"] for skill in SKILLS if skill in probes]
        bars(axes, groups, ["quiet", "first"], ["before", "after"], marks=chances)
        places = range(len(groups))
        axes.vlines(chances, [place - 0.46 for place in places], [place + 0.46 for place in places],
                    color=COLOUR["ink"], linewidth=1.4, label="guessing")
        axes.set_xlim(0, 1.08)
        axes.xaxis.set_major_formatter(percent)
        legend_above(axes)
    return draw("probes", plot, "Share of right answers on five probes, untrained and pretrained",
                (SIZE[0], 0.8 + 0.46 * len(groups)))


def percent(value, _=None):
    """0.25 as "25%"; matplotlib passes the position of a tick as well."""
    return f"{value:.0%}"


def gold_figure(records):
    """The three parts of the gold score over the steps of the policy gradient."""
    if not any(len(series(records, f"gold_{mark}")[0]) for mark, _ in MARKS):
        return None

    def plot(axes):
        shown = [(mark, *curve(axes, records, f"gold_{mark}", role, mark)) for mark, role in MARKS]
        axes.set_ylabel("gold score (0 to 1)")
        step_axis(axes)
        axes.set_ylim(-0.02, 1.02)
        legend_above(axes)
        return tips("{:.2f}", *shown)
    return draw("gold", plot,
                "The three parts of the gold score over the steps of the policy gradient")
