"""Figures: what is computed for them, and that their SVG can stand in a page with others."""

import re
import subprocess
import sys

import numpy as np
import pytest

from minillm.report import charts
from minillm.report.figures import COLOUR, draw, series, smoothed, thinned


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
    svg = draw("a", lambda axes: axes.set_xlabel("a $x_1$ & <b>"), "money")
    assert "a $x_1$ &amp; &lt;b&gt;" in svg


def test_matplotlib_keeps_its_settings_and_pyplot_is_not_loaded():
    code = ("import sys\nfrom minillm.report.figures import draw\nimport minillm.report.page\n"
            "assert 'matplotlib' not in sys.modules and 'jinja2' not in sys.modules\n"
            "import matplotlib\nbefore = matplotlib.rcParams.copy()\n"
            "draw('a', lambda axes: axes.plot([1, 2]), 'a')\n"
            "assert matplotlib.rcParams.copy() == before\nassert 'matplotlib.pyplot' not in sys.modules\n")
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_has_not_been_measured_has_no_figure():
    assert charts.times_figure({}, ["pretrain"]) is None
    assert charts.loss_figure("a", [], "loss") is None
    assert charts.metric_figure("a", [{"step": 0, "loss": 1.0}], "kl", "KL", "KL") is None
    assert charts.probes_figure({}) is None
    assert charts.finetune_figure({}) is None and charts.domain_figure({}) is None
    assert charts.gold_figure([]) is None and charts.gold_bars_figure({}) is None
    assert charts.win_figure({}) is None and charts.win_figure({"win_rate": float("nan")}) is None


def test_times_are_minutes_where_they_are_many():
    assert "minutes" in charts.times_figure({"seconds": {"pretrain": 300.0, "total": 300.0}}, ["pretrain"])
    assert "seconds" in charts.times_figure({"seconds": {"pretrain": 30.0}}, ["pretrain"])


def test_loss_that_explodes_stays_in_the_figure():
    records = [{"step": step, "loss": loss} for step, loss in enumerate([3.0, 500.0, float("nan"), 2.0])]
    assert "500" in charts.loss_figure("a", records, "loss", {"uniform_loss": 4.0})


def test_win_rate_shows_both_ends_of_its_interval():
    assert "62% (55% to 70%)" in charts.win_figure({"win_rate": 0.625, "win_rate_low": 0.55})
    assert "100%" in charts.win_figure({"win_rate": 1.0, "win_rate_low": 1.0})
