"""The figures of the report page, each drawn from results.json or from the metrics of a phase.

A function returns None if its numbers do not exist yet.
"""

import math

from minillm.report.figures import (COLOUR, SIZE, bars, curve, draw, legend_above, level, series,
                                    step_axis, window_of)

# key in results.json: its name in a figure
SKILLS = {"grammar": "grammar", "facts": "facts", "logic": "logic", "code": "code",
          "common_sense": "common sense"}
# (mark of the gold score, role of its colour)
MARKS = (("helpful", "first"), ("accurate", "second"), ("safe", "third"))


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


def loss_figure(name, records, title, results=None):
    """The training and validation loss over the steps, and the losses of counting models."""
    if not records:
        return None
    results = results or {}
    levels = (("uniform_loss", "every token equally likely: ln V"),
              ("unigram_loss", "counts of single tokens"), ("bigram_loss", "counts of token pairs"))

    def plot(axes):
        window = window_of(records)
        label = f"training (mean of {window} steps)" if window > 1 else "training"
        curve(axes, records, "loss", "first", label)
        steps, values = series(records, "validation_loss")
        if len(steps):
            axes.plot(steps, values, "o-", color=COLOUR["second"], markersize=3.6, linewidth=1,
                      label="validation")
        for key, label in levels:
            if results.get(key) is not None:
                level(axes, results[key], f"{label} ({results[key]:.2f})")
        axes.set_ylabel("loss (nats per token)")
        step_axis(axes)
        highest = max([0, *(results.get(key) or 0 for key, _ in levels)])
        # room for the label above the highest line
        axes.set_ylim(0, max(1.1 * highest, 1.03 * axes.get_ylim()[1]))
        legend_above(axes)
    return draw(name, plot, title)


def metric_figure(name, records, key, label, title, chance=None, limits=None):
    """One metric of a phase over its steps.

    chance, if given, is a line for comparison: (value, its label); limits are those of the y axis.
    """
    if not len(series(records, key)[0]):
        return None

    def plot(axes):
        curve(axes, records, key, "first")
        if chance:
            level(axes, *chance)
        axes.set_ylabel(label)
        step_axis(axes)
        if limits:
            axes.set_ylim(*limits)
    return draw(name, plot, title)


def probes_figure(probes):
    """The accuracy on the five probes before and after pretraining, and by guessing."""
    groups = [(name, [probes[skill].get("untrained"), probes[skill].get("base")])
              for skill, name in SKILLS.items() if skill in probes]
    if not groups:
        return None

    def plot(axes):
        chances = [probes[skill]["chance"] for skill in SKILLS if skill in probes]
        bars(axes, groups, ["quiet", "first"], ["untrained", "pretrained"], marks=chances)
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


def finetune_figure(finetune):
    """The accuracy on instructions and on the task before and after fine-tuning."""
    names = (("instruction_accuracy", "instructions"), ("task_accuracy", "one task"))
    groups = [(name, [finetune[key].get("base"), finetune[key].get("finetuned")])
              for key, name in names if key in finetune]
    if not groups:
        return None

    def plot(axes):
        bars(axes, groups, ["quiet", "first"], ["base", "fine-tuned"])
        axes.set_xlim(0, 1.08)
        axes.xaxis.set_major_formatter(percent)
        legend_above(axes)
    return draw("tuned", plot, "Share of right answers before and after fine-tuning",
                (SIZE[0], 0.8 + 0.5 * len(groups)))


def domain_figure(finetune):
    """Bits per byte of documents of one domain before and after fine-tuning."""
    bits = finetune.get("domain_bits_per_byte")
    if not bits:
        return None

    def plot(axes):
        bars(axes, [("one domain", [bits.get("base"), bits.get("finetuned")])], ["quiet", "first"],
             ["base", "fine-tuned"], "{:.2f}")
        axes.set_xlabel("bits per byte (less is better)")
        legend_above(axes)
    return draw("domain", plot, "Bits per byte of one domain before and after fine-tuning",
                (SIZE[0], 1.3))


def gold_figure(records):
    """The three parts of the gold score over the steps of the policy gradient."""
    if not any(len(series(records, f"gold_{mark}")[0]) for mark, _ in MARKS):
        return None

    def plot(axes):
        for mark, role in MARKS:
            curve(axes, records, f"gold_{mark}", role, mark)
        axes.set_ylabel("gold score (0 to 1)")
        step_axis(axes)
        axes.set_ylim(-0.02, 1.02)
        legend_above(axes)
    return draw("gold", plot,
                "The three parts of the gold score over the steps of the policy gradient")


def gold_bars_figure(gold):
    """The three parts of the gold score on held-out prompts, before and after alignment."""
    groups = [(mark, [gold[mark].get("finetuned"), gold[mark].get("aligned")])
              for mark, _ in MARKS if mark in gold]
    if not groups:
        return None

    def plot(axes):
        bars(axes, groups, ["quiet", "first"], ["fine-tuned", "aligned"], "{:.2f}")
        axes.set_xlim(0, 1.12)
        legend_above(axes)
    return draw("goldbars", plot,
                "The three parts of the gold score of the fine-tuned and the aligned model",
                (SIZE[0], 0.7 + 0.45 * len(groups)))


def win_figure(rlhf):
    """The win rate of the aligned model with its interval, and a line at 1/2: no difference."""
    rate, low = rlhf.get("win_rate"), rlhf.get("win_rate_low")
    if rate is None or not math.isfinite(rate):
        return None
    reach = 0 if low is None else rate - low
    side = "left" if rate < 0.2 else "right" if rate > 0.8 else "center"

    def plot(axes):
        axes.axvline(0.5, color=COLOUR["muted"], linewidth=0.8, linestyle=(0, (4, 3)))
        axes.errorbar([rate], [0], xerr=[[reach], [min(reach, 1 - rate)]], fmt="o",
                      color=COLOUR["first"], markersize=7, capsize=4)
        interval = f" ({rate - reach:.0%} to {rate + reach:.0%})" if reach else ""
        axes.annotate(f"{rate:.0%}{interval}", (rate, 0), xytext=(0, 8),
                      textcoords="offset points", ha=side)
        axes.annotate("no difference", (0.5, 0), xycoords=("data", "axes fraction"), xytext=(3, 3),
                      textcoords="offset points", color=COLOUR["muted"], fontsize=8)
        axes.set_xlim(0, 1)
        axes.set_yticks([])
        axes.set_ylim(-1, 1)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="y", visible=False)
        axes.xaxis.set_major_formatter(percent)
        axes.set_xlabel("prompts on which the aligned model's answer is better")
    return draw("wins", plot, "Win rate of the aligned model over the fine-tuned one",
                (SIZE[0], 1.5))
