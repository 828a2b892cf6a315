"""Two runs side by side: RUN/report-OTHER.html, made like the report of one run."""

import json
from pathlib import Path

from minillm.config import as_dict, dotted, require
from minillm.formats.durable import write_atomically
from minillm.report import charts, summary
from minillm.report.page import (MODEL_NAMES, brief, file_names, odd_numbers, opened,
                                 render)
from minillm.report.samples import MODELS
from minillm.report.words import readable
from minillm.runs.folder import imported_from
from minillm.training.recorder import read_metrics

LOSSES = {"pretrain": "Pretraining", "finetune": "Fine-tuning", "reward": "Reward model"}
SET_APART = ("made.", "seconds.")       # results that say how, not how well; seconds come last


def write_comparison(folder, other):
    """Write FOLDER/report-OTHER.html, which lays two runs side by side.  Returns its path.

    Raises:  ValueError if a folder is not a run's, or both are the same run.
    """
    folder, other = Path(folder), Path(other)
    require(folder.resolve() != other.resolve(),
            f"{folder} and {other} are the same run; give two runs to lay side by side")
    runs = [opened(place) for place in (folder, other)]
    names = run_names(folder, other)
    with odd_numbers(f"{folder} or {other}"):
        page = render("comparison.html.j2", comparison_view(names, runs))
    path = folder / f"report-{other.resolve().name}.html"
    write_atomically(path, readable(page))
    return path


def run_names(folder, other):
    """What to call the two runs: the folders' names, with the folders above if they are equal."""
    places = [place.resolve() for place in (folder, other)]
    if places[0].name != places[1].name:
        return [place.name for place in places]
    return [str(place) for place in places]


def comparison_view(names, runs):
    """The variables of comparison.html.j2.  runs: [(run, results, samples)] of the two."""
    (one, results, samples), (two, others, other_samples) = runs
    settings = [dict(dotted({**as_dict(run.config), "data": file_names(run.data)}))
                for run in (one, two)]
    numbers = [dict(dotted(found)) for found in (results, others)]
    apart = [key for key in numbers[0] if key.startswith("seconds.")]
    return {
        "names": names,
        "stories": [summary.story(found, has_run(run), run.data, imported_from(run.folder))
                    for run, found, _ in runs],
        "settings": [row for row in beside(*settings) if row["one"] != row["two"]],
        "achieved": achieved(results, others),
        "results": [row for row in beside(*numbers) if not row["key"].startswith(SET_APART)],
        "seconds": [row for row in beside(*numbers) if row["key"] in apart],
        "figures": losses(names, (one, two)),
        "model_names": MODEL_NAMES,
        "model": last_model(samples, other_samples),
        "prompts": same_prompts(samples, other_samples),
    }


def has_run(run):
    """Which phases of a run have records."""
    return {name: bool(read_metrics(run.folder / name)) for name in MODELS.values()}


def achieved(results, others):
    """Rows of the table of achievements: what each stage reached in both runs."""
    one, two = ({f"{stage}: {row['metric']}": row["after"] for stage, rows in
                 summary.achievements(found) for row in rows} for found in (results, others))
    rows = []
    for key in [*one, *(key for key in two if key not in one)]:
        cells, difference = [one.get(key), two.get(key)], ""
        if None not in cells:
            apart = cells[1]["value"] - cells[0]["value"]
            difference = signed(100 * apart, "+.0f") + " points" if cells[0]["share"] else signed(
                apart, "+.2f")
        rows.append({"key": key, "one": cells[0]["text"] if cells[0] else "-",
                     "two": cells[1]["text"] if cells[1] else "-", "difference": difference})
    return rows


def signed(value, form):
    """A difference with its sign, a minus as wide as a plus."""
    return format(value, form).replace("-", "−")


def beside(one, two):
    """Rows of the values of two flat dicts: both as text, and the difference of two numbers."""
    rows = []
    for key in [*one, *(key for key in two if key not in one)]:
        values = [values.get(key) for values in (one, two)]
        numeric = all(type(value) in (int, float) for value in values)
        rows.append({"key": key, "one": brief(values[0]), "two": brief(values[1]),
                     "difference": signed(values[1] - values[0], "+,.4g") if numeric else ""})
    return rows


def losses(names, runs):
    """The figures of the losses that both runs have, marked as safe HTML: [(title, figure)]"""
    from markupsafe import Markup

    drawn = [(title, charts.losses_figure(
        name, [(label, read_metrics(run.folder / name)) for label, run in zip(names, runs)],
        f"{title}: the losses of both runs")) for name, title in LOSSES.items()]
    return [(title, Markup(svg)) for title, svg in drawn if svg]


def last_model(samples, other):
    """The name in samples.json of the most trained model that both runs have, or None."""
    def models(found):
        return {name for row in found["everyday"] or [] for name in row["answers"]}
    both = models(samples) & models(other)
    return next((name for name in reversed(MODEL_NAMES) if name in both), None)


def same_prompts(samples, other):
    """Prompts that both runs have answered: [(prompt, answer of one, answer of the other)]"""
    model, rows = last_model(samples, other), []
    for part in ("everyday", "answers"):
        theirs = {json.dumps(row["prompt"]): row["answers"] for row in other[part] or []}
        for row in samples[part] or []:
            mine, their = row["answers"], theirs.get(json.dumps(row["prompt"]), {})
            if model in mine and model in their:
                rows.append((row["prompt"], mine[model], their[model]))
    return rows
