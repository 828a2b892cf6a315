"""Figures as SVG text inside a page, for light and dark mode alike.

matplotlib draws with a placeholder colour for each role. In the SVG, each placeholder becomes a
variable of the page's style sheet, so one figure serves light and dark mode. Text stays text, in
the page's font. The global settings of matplotlib are not changed.

A reader who points at a figure sees its values: invisible strips over the axes have them as titles.
"""

import html
import io
import math
import re

import numpy as np

ROLES = ("ink", "muted", "grid", "first", "second", "third", "quiet")
COLOUR = {role: f"#0a0b{number:02x}" for number, role in enumerate(ROLES, 16)}  # placeholders
SIZE = (3.6, 2.5)       # width and height in inches; the page scales a figure to its column
MOST_POINTS = 400       # points of a line; more would not be visible
MOST_STRIPS = 60        # values that can be pointed at

STYLE = {               # matplotlib's rcParams; font sizes and line widths are in points
    "svg.fonttype": "none", "font.family": ["DejaVu Sans"], "font.size": 9, "axes.titlesize": 9.5,
    "axes.titlelocation": "left", "axes.titleweight": "bold", "axes.titlecolor": COLOUR["ink"],
    "axes.edgecolor": COLOUR["muted"], "axes.labelcolor": COLOUR["muted"], "axes.linewidth": 0.7,
    "axes.spines.top": False, "axes.spines.right": False, "axes.facecolor": "none",
    "figure.facecolor": "none", "axes.grid": True, "axes.axisbelow": True,
    "grid.color": COLOUR["grid"], "grid.linewidth": 0.6, "xtick.color": COLOUR["muted"],
    "ytick.color": COLOUR["muted"], "xtick.major.size": 0, "ytick.major.size": 0,
    "text.color": COLOUR["ink"], "legend.frameon": False, "legend.fontsize": 9,
    "lines.linewidth": 1.6, "text.parse_math": False, "axes.formatter.use_mathtext": False,
    "axes.formatter.useoffset": False,
}


def draw(name, plot, title, size=SIZE, panels=1):
    """Return one figure as SVG text.

    plot(axes) draws it. It may return [(x, text)], x increasing: what is shown where a reader
    points. With several panels, one above the other, it gets an array of axes.
    `name` must be unique on the page, because it prefixes the figure's ids.
    `title` describes the figure for screen readers.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({**STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(panels, sharex=True)
        tips = plot(axes)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True,
                       metadata={"Date": None, "Creator": None})
    text = inline_svg(file.getvalue(), name, title)
    return text.replace("</svg>", strips(figure, axes, tips) + "</svg>") if tips else text


def strips(figure, axes, tips):
    """Invisible rectangles that divide the axes among the x of tips, each with its text as title.
    """
    unit = 72 / figure.dpi                          # of an SVG: points; matplotlib's are pixels
    box = axes.get_window_extent()
    xs = axes.transData.transform([(x, 1) for x, _ in tips])[:, 0].clip(box.x0, box.x1)
    edges = np.concatenate([[box.x0], (xs[1:] + xs[:-1]) / 2, [box.x1]]) * unit
    top, height = (figure.bbox.height - box.y1) * unit, box.height * unit
    parts = [f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
             f'height="{height:.1f}"><title>{html.escape(text)}</title></rect>'
             for left, right, (_, text) in zip(edges, edges[1:], tips)]
    return '<g class="strips">' + "".join(parts) + "</g>"


def tips(form, *curves):
    """What to show at which step: [(step, "step 40: training 1.25, validation 1.31")].

    curves: (label, steps, values); the steps are some of the first curve's, and all of a short one.
    """
    steps = curves[0][1]
    chosen = set(steps[thinned(len(steps), MOST_STRIPS, log=True)].tolist())
    for _, others, _ in curves[1:]:
        if len(others) <= MOST_STRIPS:
            chosen |= set(others.tolist())
    known = [(label, dict(zip(steps.tolist(), values.tolist()))) for label, steps, values in curves]
    return [(step, f"step {step:,}: " + ", ".join(
        f"{label} {form.format(values[step])}" for label, values in known
        if math.isfinite(values.get(step, math.nan)))) for step in sorted(chosen)]


def inline_svg(text, name, title):
    """An SVG file as an element of a page, with unique ids and the page's colours and font."""
    text = text[text.index("<svg"):]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', text))
    text = re.sub(r' id="([^"]+)"',
                  lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", text)
    text = re.sub(r'(url\(|href=")#', rf"\g<1>#{name}-", text)
    text = re.sub(r"'DejaVu Sans'[^;\"]*", "inherit", text)
    text = re.sub(r"\bfont: ([\d.]+px) inherit", r"font-size: \1", text)  # matplotlib before 3.10
    for role, colour in COLOUR.items():
        text = text.replace(colour, f"var(--{role})")
    view = re.search(r'viewBox="[^"]+"', text)[0]
    return re.sub(r"^<svg[^>]*>", '<svg xmlns="http://www.w3.org/2000/svg" '
                  'xmlns:xlink="http://www.w3.org/1999/xlink" '
                  f'role="img" aria-label="{title}" {view}>', text)


def smoothed(values, window):
    """Moving average: the mean of the `window` values around each value, fewer at the ends.

    Values that are not finite are ignored. The window may differ from value to value.

    Shapes:  (N,), window int or (N,) -> (N,), NaN where no value in the window is finite
    """
    values = np.asarray(values, float)
    known = np.isfinite(values)
    sums = np.cumsum([np.where(known, values, 0), known], axis=1)       # (2, N)
    sums = np.concatenate([np.zeros((2, 1)), sums], axis=1)             # (2, N + 1)
    places = np.arange(len(values))
    start = np.maximum(places - (window - 1) // 2, 0)
    end = np.minimum(places + window // 2 + 1, len(values))
    total, count = sums[:, end] - sums[:, start]
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0.5)


def thinned(count, most=MOST_POINTS, log=False):
    """Indices of at most `most` of `count` points, from the first to the last: evenly spaced, or
    evenly on a logarithmic axis.
    """
    spaced = (np.geomspace(1, count, most) - 1 if log else
              np.linspace(0, count - 1, min(count, most)))
    return np.unique(spaced.round().astype(int))


def series(records, key):
    """Return (steps counted from 1, values) of the records in a metrics.jsonl that have the key."""
    found = [(record["step"] + 1, record[key]) for record in records if record.get(key) is not None]
    steps, values = zip(*found) if found else ((), ())
    return np.array(steps), np.array(values, float)


def curve(axes, records, key, role, label=None, log=False):
    """Plot one metric over the steps: a faint line for every step, a moving average on top.

    log: the axis of steps will be logarithmic, so the average's window grows with the step.
    Returns (steps, the moving average).
    """
    steps, values = series(records, key)
    if not len(steps):
        return steps, values
    window = np.arange(len(steps)) // 16 + 1 if log else max(1, len(steps) // 25)
    smooth, shown = smoothed(values, window), thinned(len(steps), log=log)
    if np.max(window) > 1:
        axes.plot(steps[shown], values[shown], color=COLOUR[role], alpha=0.3, linewidth=0.8)
    axes.plot(steps[shown], smooth[shown], color=COLOUR[role], label=label)
    return steps, smooth


def step_axis(axes):
    """Label the x axis with whole steps, from 0 at the left edge."""
    axes.set_xlabel("step")
    axes.set_xlim(left=0)
    axes.xaxis.get_major_locator().set_params(integer=True)


def log_axes(axes, last, lowest, highest):
    """Make both axes logarithmic: steps from 1 to the last, values with round numbers as ticks."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    axes.set_xscale("log")
    axes.set_yscale("log", nonpositive="mask")
    axes.set_xlabel("step (logarithmic)")
    axes.set_xlim(1, max(2, last))
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    narrow = highest < 1.7 * lowest
    if 0 < lowest < highest:
        axes.set_ylim(lowest / 1.08, highest * 1.25)    # room for the label above the highest line
    axes.yaxis.set_major_locator(MaxNLocator(4) if narrow else LogLocator(subs=(1, 2, 3, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.3g}"))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())


def level(axes, value, label):
    """Draw a horizontal line to compare with, and its label at the right end."""
    axes.axhline(value, color=COLOUR["muted"], linewidth=0.8, linestyle=(0, (4, 3)))
    axes.annotate(label, (1, value), xycoords=("axes fraction", "data"), xytext=(0, 2),
                  textcoords="offset points", ha="right", va="bottom", color=COLOUR["muted"],
                  fontsize=8.5)


def legend_above(axes, columns=3):
    """Draw the legend in rows of `columns` entries above the axes."""
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=columns, borderpad=0,
                columnspacing=1.2, handlelength=1.2, handletextpad=0.5)


def bars(axes, groups, roles, labels, form="{:.0%}", marks=None):
    """Draw groups of horizontal bars, the first group on top, each bar with its number.

    groups: [(name, [value of each series, or None])]; roles and labels: one for each series.
    marks: for each group the x of a vertical line that the caller draws; numbers keep clear of it.
    """
    count = len(labels)
    height = 0.8 / count
    known = [value for _, values in groups for value in values if value is not None]
    longest = max(known, default=0) or 1
    marks = marks or [math.inf] * len(groups)
    for which, (role, label) in enumerate(zip(roles, labels)):
        places = [group + (which - (count - 1) / 2) * height for group in range(len(groups))]
        widths = [values[which] if values[which] is not None else 0 for _, values in groups]
        axes.barh(places, widths, height * 0.86, color=COLOUR[role], label=label)
        for place, width, (_, values), mark in zip(places, widths, groups, marks):
            if values[which] is not None:
                # if the line would cross the number, the number goes to the right of the line
                struck = width <= mark < width + 0.12 * longest
                right = (mark if struck else width) + 0.012 * longest
                axes.text(right, place, form.format(width), va="center", color=COLOUR["muted"],
                          fontsize=8.5)
    axes.set_yticks(range(len(groups)), [name for name, _ in groups])
    axes.tick_params(axis="y", labelcolor=COLOUR["ink"])
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_xlim(0, 1.14 * longest)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
