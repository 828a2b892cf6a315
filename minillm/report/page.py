"""report.html: one file that needs no network, made from the files in a run's folder."""

import math
from pathlib import Path

from minillm.config import as_dict
from minillm.formats.durable import write_atomically
from minillm.report import charts
from minillm.report.samples import collect_samples, fresh_samples
from minillm.report.words import one_example, readable, visible
from minillm.runs.config import load_config
from minillm.runs.data import RANKINGS
from minillm.runs.folder import is_run, read_results
from minillm.runs.run import Run
from minillm.runs.stages import STAGES
from minillm.training.recorder import read_metrics

HERE = Path(__file__).parent       # of the page's template, macros and style
FIRST_ANSWERS = 6       # prompts shown at once; a click shows the others
SHOWN = ("tokenizer", "pretrain", "finetune", "rank", "reward", "rlhf")     # stages in the template
MODEL_NAMES = {"base": "base", "finetuned": "fine-tuned", "aligned": "aligned"}


def write_report(folder):
    """Write FOLDER/report.html from what the run has so far.  Returns its path.

    The models' texts come from samples.json, which is made again if a checkpoint is newer.
    Raises:  ValueError if the folder is not a run's.
    """
    folder = Path(folder)
    if not is_run(folder):
        raise ValueError(f"{folder} has no run.json, so it is not the folder of a run; "
                         "give one that `minillm run` or `minillm pretrain` made")
    config, data = load_config(folder)
    run = Run(folder, config, data, quiet=True)
    samples = fresh_samples(folder, lambda: collect_samples(run))
    try:
        page = render(page_view(folder, config, data, read_results(folder), samples))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{folder}: results.json, metrics.jsonl or rankings.jsonl hold something "
                         f"else than minillm wrote ({type(error).__name__}: {error})") from error
    write_atomically(folder / "report.html", readable(page))
    return folder / "report.html"


def render(view):
    """The page as text; everything that a model or a user wrote is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True,
                              undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(percent=charts.percent, visible=visible)
    style = Markup((HERE / "style.css").read_text(encoding="utf-8"))
    return environment.get_template("template.html.j2").render(view, style=style)


def page_view(folder, config, data, results, samples):
    """The template's variables; a part whose stage has not run is None or empty."""
    saved = as_dict(config)
    metrics = {name: read_metrics(folder / name) for stage in STAGES for name in stage.paths}
    answers = samples["answers"] or []
    return {
        "name": folder.resolve().name,
        "data": {stage: Path(path).name for stage, path in data.items()},
        "facts": facts(saved, results),
        "headlines": headlines(results),
        "has": {name: bool(records) for name, records in metrics.items()},
        "others": other_stages(results),
        "figures": figures(results, metrics),
        "samples": samples,
        "graded": any(answer["gold"] is not None for row in answers
                      for answer in row["answers"].values()),
        "first_answers": FIRST_ANSWERS,
        "model_names": MODEL_NAMES,
        "example": one_example(samples["steps"]),
        "rankings": count_lines(folder / "rank" / RANKINGS),
        "responses": config.rank.responses,
        "pair_accuracy": results.get("reward", {}).get("pair_accuracy"),
        "cut_above": results.get("reward", {}).get("cut_above_finished"),
        "kl": results.get("rlhf", {}).get("kl"),
        "stopped": results.get("rlhf", {}).get("stopped"),
        "results": flat(results),
        "config": {name: flat(part) for name, part in saved.items() if isinstance(part, dict)},
    }


def other_stages(results):
    """(label, rows of results) of the stages that the template has no part for."""
    return [(stage.label, flat(results[stage.name])) for stage in STAGES
            if stage.name in results and stage.name not in SHOWN]


def figures(results, metrics):
    """Name -> figure, marked as safe HTML, or None if its stage has not run."""
    from markupsafe import Markup

    pretrained, policy = results.get("pretrain", {}), metrics["rlhf"]
    tuned, aligned = results.get("finetune", {}), results.get("rlhf", {})
    drawn = {
        "times": charts.times_figure(results, [stage.name for stage in STAGES]),
        "pretrain": charts.loss_figure("pretrain", metrics["pretrain"],
                                       "Loss of pretraining over its steps", pretrained),
        "probes": charts.probes_figure(pretrained.get("probes", {})),
        "finetune": charts.loss_figure("finetune", metrics["finetune"],
                                       "Loss of fine-tuning over its steps"),
        "tuned": charts.finetune_figure(tuned),
        "domain": charts.domain_figure(tuned),
        "reward_loss": charts.metric_figure(
            "rewardloss", metrics["reward"], "loss", "loss (nats per pair)",
            "Loss of the reward model over its steps",
            chance=(math.log(2), "cannot tell them apart: ln 2")),
        "pair_accuracy": charts.metric_figure(
            "pairs", metrics["reward"], "pair_accuracy", "pairs in the right order",
            "Pair accuracy of the reward model over its steps", chance=(0.5, "guessing"),
            limits=(0, 1.03)),
        "reward": charts.metric_figure("reward", policy, "reward", "reward (in spreads)",
                                       "Reward of the policy over its steps"),
        "kl": charts.metric_figure("kl", policy, "kl", "KL (nats per response)",
                                   "KL divergence from the fine-tuned model over the steps"),
        "gold": charts.gold_figure(policy),
        "gold_bars": charts.gold_bars_figure(aligned.get("gold", {})),
        "wins": charts.win_figure(aligned),
    }
    return {name: svg and Markup(svg) for name, svg in drawn.items()}


def facts(saved, results):
    """(what, value) pairs for the head of the page."""
    pretrain, model = results.get("pretrain", {}), saved["model"]
    vocabulary = results.get("tokenizer", {}).get("vocab_size")
    rows = [("parameters", pretrain.get("parameters")), ("vocabulary", vocabulary),
            ("tokens of text", pretrain.get("tokens"))]
    rows = [(what, f"{value:,}") for what, value in rows if value is not None]
    seconds = sum(value for stage, value in results.get("seconds", {}).items() if stage != "total")
    rows += [("blocks × width", f"{model['layers']} × {model['width']}"),
             ("context", f"{model['context']} tokens"), ("seed", str(saved["seed"]))]
    if seconds:
        rows.append(("time", f"{seconds / 60:.1f} min" if seconds >= 120 else f"{seconds:.0f} s"))
    return rows


def headlines(results):
    """(number, what it says) of the results that matter most."""
    found = []
    pretrain, tuned = results.get("pretrain", {}), results.get("finetune", {})
    aligned, rewards = results.get("rlhf", {}), results.get("reward", {})
    if "val_loss" in pretrain:
        found.append((f"{pretrain['val_loss']:.2f}", f"nats per token on validation text, "
                      f"after {pretrain['uniform_loss']:.2f} for guessing"))
    if "instruction_accuracy" in tuned:
        accuracy = tuned["instruction_accuracy"]
        found.append((f"{accuracy['finetuned']:.0%}", "of held-out requests answered correctly "
                      f"after fine-tuning, {accuracy['base']:.0%} before"))
    if "pair_accuracy" in rewards:
        found.append((f"{rewards['pair_accuracy']:.0%}", "of held-out pairs put in the raters' "
                      "order by the reward model, 50% by guessing"))
    if "win_rate" in aligned:
        found.append((f"{aligned['win_rate']:.0%}", "of prompts won by the aligned model over the "
                      "fine-tuned one, ties counted half"))
    return found


def count_lines(path):
    """How many lines a file has; 0 if there is no file."""
    if not path.exists():
        return 0
    with open(path, encoding="utf-8") as file:
        return sum(1 for line in file if line.strip())


def flat(values, prefix=""):
    """A nested dict as (dotted name, value as text) rows."""
    rows = []
    for key, value in values.items():
        if isinstance(value, dict):
            rows += flat(value, f"{prefix}{key}.")
        else:
            text = (f"{value:.4g}" if isinstance(value, float) else
                    f"{value:,}" if type(value) is int else str(value))
            rows.append((f"{prefix}{key}", text))
    return rows
