"""report.html: one file without a network, made of what a run's folder holds."""

import math
from pathlib import Path

from minillm.config import as_dict
from minillm.run import Run, load_config
from minillm.report import charts
from minillm.report.samples import collect_samples, fresh_samples
from minillm.report.words import one_example, readable, visible
from minillm.train.journal import read_metrics
from minillm.train.run_folder import PHASES, SIDE_PHASES, read_results, write_whole

TEMPLATE = Path(__file__).with_name("template.html.j2")
FIRST_ANSWERS = 6       # prompts shown openly; the others unfold
MODEL_NAMES = {"base": "base", "finetuned": "fine-tuned", "aligned": "aligned"}


def write_report(folder):
    """Write FOLDER/report.html from what the run has so far.  Returns its path.

    The models' words come from samples.json, which is made anew where a checkpoint is newer.
    Raises:  ValueError where the folder is no run.
    """
    folder = Path(folder)
    if not (folder / "run.json").exists():
        raise ValueError(f"{folder} has no run.json, so it is not the folder of a run; "
                         "give one that `minillm run` or `minillm pretrain` made")
    config, data = load_config(folder)
    samples = fresh_samples(folder, lambda: collect_samples(Run(folder, config, quiet=True), data))
    view = page_view(folder, config, data, read_results(folder), samples)
    write_whole(folder / "report.html", readable(render(view)))
    return folder / "report.html"


def render(view):
    """The page as text; whatever a model or a user wrote is escaped on its way in."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True)
    environment.filters.update(percent=charts.percent, visible=visible)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(view)


def page_view(folder, config, data, results, samples):
    """Everything that the template names; a part whose phase has not run is None or empty."""
    saved = as_dict(config)
    metrics = {phase: read_metrics(folder / phase) for phase in (*PHASES, *SIDE_PHASES)}
    answers = samples["answers"] or []
    return {
        "name": folder.resolve().name,
        "data": {stage: Path(path).name for stage, path in data.items()},
        "facts": facts(saved, results),
        "headlines": headlines(results),
        "has": {phase: bool(records) for phase, records in metrics.items()},
        "figures": figures(results, metrics),
        "samples": samples,
        "graded": any(answer["gold"] is not None for row in answers for answer in row["answers"].values()),
        "first_answers": FIRST_ANSWERS,
        "model_names": MODEL_NAMES,
        "example": one_example(samples["steps"]),
        "rankings": count_lines(folder / "preferences.jsonl"),
        "responses": config.preferences.responses,
        "pair_accuracy": results.get("reward_model", {}).get("pair_accuracy"),
        "kl": results.get("rlhf", {}).get("kl"),
        "stopped": results.get("generation", {}).get("stopped"),
        "results": flat(results),
        "config": {name: flat(part) for name, part in saved.items() if isinstance(part, dict)},
    }


def figures(results, metrics):
    """Name -> figure, safe to be put into the page as it is, or None where its phase has not run."""
    from markupsafe import Markup

    tuned, aligned, policy = results.get("finetune", {}), results.get("rlhf", {}), metrics["policy_gradient"]
    drawn = {
        "times": charts.times_figure(results),
        "pretrain": charts.loss_figure("pretrain", metrics["pretrain"], "Loss of pretraining over its steps",
                                       results.get("pretrain")),
        "probes": charts.probes_figure(results.get("probes", {})),
        "finetune": charts.loss_figure("finetune", metrics["finetune"], "Loss of fine-tuning over its steps"),
        "tuned": charts.finetune_figure(tuned),
        "domain": charts.domain_figure(tuned),
        "reward_loss": charts.metric_figure(
            "rewardloss", metrics["reward_model"], "loss", "loss (nats a pair)",
            "Loss of the reward model over its steps", chance=(math.log(2), "cannot tell them apart: ln 2")),
        "pair_accuracy": charts.metric_figure(
            "pairs", metrics["reward_model"], "pair_accuracy", "pairs in the right order",
            "Pair accuracy of the reward model over its steps", chance=(0.5, "guessing"), limits=(0, 1.03)),
        "reward": charts.metric_figure("reward", policy, "reward", "reward (in spreads)",
                                       "Reward of the policy over its steps"),
        "kl": charts.metric_figure("kl", policy, "kl", "KL (nats a response)",
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
    aligned, rewards = results.get("rlhf", {}), results.get("reward_model", {})
    if "val_loss" in pretrain:
        found.append((f"{pretrain['val_loss']:.2f}", f"nats a token on validation text, "
                      f"after {pretrain['uniform_loss']:.2f} for guessing"))
    if "instruction_accuracy" in tuned:
        accuracy = tuned["instruction_accuracy"]
        found.append((f"{accuracy['finetuned']:.0%}", "of held-out requests answered rightly after "
                      f"fine-tuning, {accuracy['base']:.0%} before"))
    if "pair_accuracy" in rewards:
        found.append((f"{rewards['pair_accuracy']:.0%}", "of held-out pairs put in the raters' order by the "
                      "reward model, 50% by guessing"))
    if "win_rate" in aligned:
        found.append((f"{aligned['win_rate']:.0%}", "of prompts won by the aligned model over the "
                      "fine-tuned one, ties counted half"))
    return found


def count_lines(path):
    """How many lines a file has; 0 where it is not there."""
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
            rows.append((f"{prefix}{key}", f"{value:.4g}" if isinstance(value, float) else f"{value:,}"
                         if type(value) is int else str(value)))
    return rows
