"""The pictures of the benchmarks; matplotlib is imported here alone, and only where --plot asks for one."""

import textwrap

import numpy as np

COLOURS = ("#1f6fb4", "#d9762b", "#4c9a5d", "#8b5fa8", "#7a7a7a")
FEW = 8         # sizes that have room for their numbers below an axis


def picture(path, draw, content):
    """Draw one pair of axes into a file, with the machine below it."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    draw(axes)
    axes.set_title(textwrap.fill(content["question"], 90), fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.set_axisbelow(True)
    named = len(axes.get_legend_handles_labels()[0])
    if named > 1:       # many names would cover the lines
        aside = dict(loc="center left", bbox_to_anchor=(1, 0.5)) if named > 6 else {}
        axes.legend(frameon=False, fontsize=8, **aside)
    where = f"{content['machine']['processor']}, {content['threads']} threads, {content['date']}"
    figure.supxlabel(where + (" (--quick: says nothing)" if content["quick"] else ""), fontsize=7, color="#666666")
    figure.savefig(path, dpi=150)
    pyplot.close(figure)


def bars(axes, labels, series, unit):
    """Horizontal bars: one group a label, one bar a series.  series: {name: [value]}, None for no bar"""
    height = 0.8 / len(series)
    for i, (name, values) in enumerate(series.items()):
        at = np.arange(len(labels)) + (i - (len(series) - 1) / 2) * height
        axes.barh(at, [value or 0 for value in values], height, color=COLOURS[i % len(COLOURS)], label=name)
    axes.set_yticks(np.arange(len(labels)), labels, fontsize=8)
    axes.figure.set_figheight(max(5, 1.5 + 0.12 * len(labels) * (len(series) + 0.5)))
    axes.invert_yaxis()
    axes.margins(y=0.01)
    axes.set_xlabel(unit)


def plainly(value, _):
    """A number at a tick, such as 0.25 or 16,384."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"


def leading(value, place):
    """The number at a tick that begins with 2 or 5; no number at the others."""
    return plainly(value, place) if f"{value:e}"[0] in "25" else ""


def curves(axes, series, x, y, log=True):
    """Lines with points.  series: {name: ([x], [y])}; log: both axes in powers of two and ten

    On logarithmic axes the ticks of x are the measured sizes where they are few, and an axis of y that spans less than
    two powers of ten has numbers between them too.
    """
    for i, (name, (xs, ys)) in enumerate(series.items()):
        style = ("o-", "s--")[i // len(COLOURS) % 2]
        axes.plot(xs, ys, style, color=COLOURS[i % len(COLOURS)], markersize=4, label=name)
    if log:
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        measured = sorted({x for xs, _ in series.values() for x in xs})
        if len(measured) <= FEW:
            axes.set_xticks(measured)
        axes.xaxis.set_major_formatter(plainly)
        axes.yaxis.set_major_formatter(plainly)
        low, high = axes.get_ylim()
        axes.yaxis.set_minor_formatter(plainly if high < 10 * low else leading if high < 100 * low else lambda *_: "")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
