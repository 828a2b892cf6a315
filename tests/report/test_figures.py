"""Figures: what is computed for them, and that their SVG can stand in a page with others."""

import re
import subprocess
import sys

import numpy as np
import pytest

from minillm.report import charts
from minillm.report.figures import COLOUR, draw, series, smoothed, thinned, tips


def curve_svg(name="a"):
    def plot(axes):
        axes.plot([0, 1, 2], [5.0, -3.0, 4.0], "o-", color=COLOUR["first"])
    return draw(name, plot, "a curve")


def test_smoothed_by_hand():
    values = [1.0, 2.0, 6.0, np.nan, 4.0]
    np.testing.assert_allclose(smoothed(values, 3), [1.5, 3.0, 4.0, 5.0, 4.0])
    np.testing.assert_allclose(smoothed(values, 1), values)
    np.testing.assert_allclose(smoothed(values, 99), [13 / 4] * 5)
    assert np.isnan(smoothed([np.nan, np.nan], 2)).all()


@pytest.mark.parametrize("window", [1, 2, 3, 4, 7, 20])
def test_smoothed_is_the_mean_of_the_window(window):
    values = np.random.default_rng(0).standard_normal(12)
    for place, mean in enumerate(smoothed(values, window)):
        start, end = max(0, place - (window - 1) // 2), place + window // 2 + 1
        assert mean == pytest.approx(values[start:end].mean())


@pytest.mark.parametrize("count", [1, 2, 399, 400, 401, 5000])
def test_thinned_keeps_the_ends(count):
    places = thinned(count)
    assert places[0] == 0 and places[-1] == count - 1 and len(places) == min(count, 400)


def test_thinned_for_a_logarithmic_axis_keeps_every_early_step():
    places = thinned(100_000, 200, log=True)
    assert places[:6].tolist() == [0, 1, 2, 3, 4, 5] and places[-1] == 99_999 and len(places) <= 200


def test_tips_say_what_each_curve_has_at_a_step():
    steps = np.arange(1, 1001)
    found = dict(tips("{:.1f}", ("a", steps, steps / 10), ("b", np.array([7, 500]), np.array([2.0, np.nan]))))
    assert found[1] == "step 1: a 0.1" and found[1000] == "step 1,000: a 100.0" and found[7] == "step 7: a 0.7, b 2.0"
    assert found[500] == "step 500: a 50.0" and len(found) <= 62


def test_strips_divide_the_axes_where_their_points_are():
    def plot(axes):
        axes.plot([0, 10], [0, 1])
        axes.set_xlim(0, 10)
        return [(1, "one"), (5, "<five>"), (9, "nine")]
    svg = draw("a", plot, "a")
    strips = re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="[\d.]+"><title>([^<]*)</title>', svg)
    lefts, widths = np.array([[float(x), float(width)] for x, width, _ in strips]).T
    assert [text for *_, text in strips] == ["one", "&lt;five&gt;", "nine"]
    np.testing.assert_allclose(lefts[1:], lefts[:-1] + widths[:-1], atol=0.11)
    np.testing.assert_allclose(widths / widths.sum(), [0.3, 0.4, 0.3], atol=0.01)
    assert svg.endswith("</g></svg>") or "</g></svg>" in svg


def test_losses_lie_on_logarithmic_axes_with_round_numbers():
    records = [{"step": step, "loss": 8 / (step + 1) ** 0.4} for step in range(1000)]
    svg = charts.loss_figure("a", records, "loss", [(7.5, "guessing")])
    for words in ("step (logarithmic)", ">1,000<", ">300<", ">5<", ">2<", "guessing (7.50)"):
        assert words in svg, words
    assert ">1<" in charts.loss_figure("a", records[:1], "loss")
    strips = re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="[\d.]+" height="[\d.]+"><title>step ([\d,]+):', svg)
    places = {int(step.replace(",", "")): float(x) for x, step in strips}
    middle = min(places, key=lambda step: abs(step - 32))           # of 1 to 1,000
    assert 0.4 < (places[middle] - places[1]) / (places[1000] - places[1]) < 0.6


def test_two_losses_stand_in_one_figure():
    runs = [(name, [{"step": step, "loss": loss} for step in range(9)]) for name, loss in (("<a>", 2.0), ("b", 3.0))]
    svg = charts.losses_figure("x", runs, "both")
    assert "&lt;a&gt; training 2, b training 3" in svg
    assert charts.losses_figure("x", [runs[0], ("b", [])], "both") is None


def test_series_counts_steps_from_one_and_passes_over_missing_values():
    records = [{"step": 0, "x": 1.0}, {"step": 1}, {"step": 2, "x": None}, {"step": 3, "x": 0.0}]
    steps, values = series(records, "x")
    assert steps.tolist() == [1, 4] and values.tolist() == [1.0, 0.0]
    assert len(series(records, "y")[0]) == 0


def test_two_figures_share_no_name_and_miss_none():
    names = {}
    for name in "ab":
        svg = curve_svg(name)
        names[name] = re.findall(r' id="([^"]+)"', svg)
        assert len(names[name]) == len(set(names[name])) > 0
        for used in re.findall(r'(?:url\(|href=")#([^)"]+)', svg):
            assert used in names[name]
    assert not set(names["a"]) & set(names["b"])


def test_figure_is_the_same_each_time():
    assert curve_svg() == curve_svg()


def test_colours_are_left_to_the_page():
    svg = curve_svg()
    assert "var(--first)" in svg and "var(--muted)" in svg
    assert not re.search(r"#0a0b\w\w", svg)
    assert "DejaVu" not in svg and "background" not in svg


def test_dollars_are_no_formula():
    def plot(axes):
        axes.set_xlabel("a $x_1$ & <b>")
    svg = draw("a", plot, "money")
    assert "a $x_1$ &amp; &lt;b&gt;" in svg


def test_matplotlib_keeps_its_settings_and_pyplot_is_not_loaded():
    code = ("import sys\nfrom minillm.report.figures import draw\nimport minillm.report.page\n"
            "assert 'matplotlib' not in sys.modules and 'jinja2' not in sys.modules\n"
            "import matplotlib\nbefore = matplotlib.rcParams.copy()\n"
            "def plot(axes):\n    axes.plot([1, 2])\ndraw('a', plot, 'a')\n"
            "assert matplotlib.rcParams.copy() == before\nassert 'matplotlib.pyplot' not in sys.modules\n")
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_has_not_been_measured_has_no_figure():
    assert charts.times_figure({}, ["pretrain"]) is None
    assert charts.loss_figure("a", [], "loss") is None
    assert charts.metric_figure("a", [{"step": 0, "loss": 1.0}], "kl", "KL", "KL") is None
    assert charts.probes_figure({}) is None
    assert charts.gold_figure([]) is None and charts.dynamics_figure("a", [{"step": 0, "loss": 1.0}], "a") is None


def test_times_are_minutes_where_they_are_many():
    assert "minutes" in charts.times_figure({"seconds": {"pretrain": 300.0, "total": 300.0}}, ["pretrain"])
    assert "seconds" in charts.times_figure({"seconds": {"pretrain": 30.0}}, ["pretrain"])


def test_loss_that_explodes_stays_in_the_figure():
    records = [{"step": step, "loss": loss} for step, loss in enumerate([3.0, 500.0, float("nan"), 2.0])]
    assert "500" in charts.loss_figure("a", records, "loss", [(4.0, "guessing")])
