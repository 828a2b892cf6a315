"""report.html: one file that needs no network, made from the files in a run's folder."""

import base64
import hashlib
import math
from contextlib import contextmanager
from pathlib import Path

from minillm.config import as_dict, dotted, require
from minillm.formats.durable import write_atomically
from minillm.report import charts, summary
from minillm.report.reading import MOST_SURPRISE
from minillm.report.samples import collect_samples, fresh_samples
from minillm.report.words import breakable, map_view, one_example, readable, visible
from minillm.runs.config import load_config
from minillm.runs.data import RANKINGS
from minillm.runs.folder import imported_from, is_run, read_results
from minillm.runs.run import Run
from minillm.runs.stages import STAGES
from minillm.training.recorder import read_metrics

HERE = Path(__file__).parent       # of the page's templates, style and script
FIRST_ANSWERS = 6       # prompts shown at once; a click shows the others
SHOWN = ("tokenizer", "pretrain", "finetune", "rank", "reward", "rlhf")     # stages in the template
TRAINED = ("pretrain", "finetune", "reward", "rlhf")        # whose inside has a figure
MODEL_NAMES = {"base": "base", "finetuned": "fine-tuned", "aligned": "aligned"}


def write_report(folder):
    """Write FOLDER/report.html from what the run has so far.  Returns its path.

    The models' texts come from samples.json, which is made again if a checkpoint is newer.
    Raises:  ValueError if the folder is not a run's.
    """
    folder = Path(folder)
    run, results, samples = opened(folder)
    with odd_numbers(folder):
        page = render("page.html.j2", page_view(run, results, samples))
    write_atomically(folder / "report.html", readable(page))
    return folder / "report.html"


def opened(folder):
    """A run, its results.json and its samples.json.  Raises:  ValueError if it is not a run's."""
    require(is_run(folder), f"{folder} has no run.json, so it is not the folder of a run; "
                            "give one that `minillm run` or `minillm pretrain` made")
    config, data = load_config(folder)
    run = Run(folder, config, data, quiet=True)
    return run, read_results(folder), fresh_samples(folder, lambda: collect_samples(run))


@contextmanager
def odd_numbers(folder):
    """Files of a run that hold something else than numbers where numbers belong: one clear line."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{folder}: results.json, metrics.jsonl or rankings.jsonl hold something "
                         f"else than minillm wrote ({type(error).__name__}: {error})") from error


def render(template, view):
    """The page as text; everything that a model or a user wrote is escaped.

    The page forbids every script but its own, whose hash it names, and all of the network.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True,
                              undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(breakable=breakable, percent=charts.percent, visible=visible)
    style, script = (Markup((HERE / name).read_text(encoding="utf-8"))
                     for name in ("style.css", "script.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template(template).render(view, style=style, script=script,
                                                     script_hash=Markup(digest))


def page_view(run, results, samples):
    """The template's variables; a part whose stage has not run is None or empty."""
    folder, config, data = run.folder, run.config, run.data
    saved = as_dict(config)
    metrics = {name: read_metrics(folder / name) for stage in STAGES for name in stage.paths}
    has = {name: bool(records) for name, records in metrics.items()}
    imported = imported_from(folder)
    answers = samples["answers"] or []
    hero, rule = summary.most_telling(answers)
    return {
        "name": folder.resolve().name,
        "data": file_names(data),
        "story": summary.story(results, has, data, imported),
        "facts": facts(saved, results),
        "imported": imported is not None,
        "hero": hero,
        "hero_rule": rule,
        "table": summary.achievements(results, rater_of(samples)),
        "film": film(metrics["pretrain"]),
        "most_surprise": MOST_SURPRISE,
        "map": map_view(samples["attention"]),
        "assistant": summary.assistant(results),
        "has": has,
        "others": other_stages(results),
        "figures": figures(results, metrics),
        "samples": samples,
        "graded": any(answer["gold"] is not None for row in answers
                      for answer in row["answers"].values()),
        "first_answers": FIRST_ANSWERS,
        "model_names": named(imported),
        "start": named(imported)["finetuned" if has["finetune"] else "base"],
        "example": one_example(samples["steps"]),
        "rankings": count_lines(folder / "rank" / RANKINGS),
        "responses": config.rank.responses,
        "cut_above": results.get("reward", {}).get("cut_above_finished"),
        "stopped": results.get("rlhf", {}).get("stopped"),
        "results": flat(results),
        "config": {name: flat(part) for name, part in saved.items() if isinstance(part, dict)},
    }


def rater_of(samples):
    """Who ranked the answers: "simulated", "human" or "data"; None if there is no reward model."""
    return (samples["steps"] or {}).get("rater")


def named(imported):
    """What the page calls the models; imported: where the first one came from, or None."""
    return MODEL_NAMES if imported is None else {**MODEL_NAMES, "base": "imported"}


def file_names(data):
    """Names of the user's own files, by stage; the page does not say in which folders they lie."""
    return {stage: Path(path).name for stage, path in data.items()}


def film(records):
    """What the model wrote at some steps of pretraining: [{"step", "loss", "text"}]."""
    return [{"step": record["step"] + 1, "text": str(record["sample"]),
             "loss": float(record.get("validation_loss", record["loss"]))}
            for record in records if "sample" in record]


def other_stages(results):
    """(label, rows of results) of the stages that the template has no part for."""
    return [(stage.label, flat(results[stage.name])) for stage in STAGES
            if stage.name in results and stage.name not in SHOWN]


def figures(results, metrics):
    """Name -> figure, marked as safe HTML, or None if its stage has not run."""
    from markupsafe import Markup

    pretrained, policy = results.get("pretrain", {}), metrics["rlhf"]
    levels = [(pretrained[key], label) for key, label in charts.LEVELS if key in pretrained]
    drawn = {
        "times": charts.times_figure(results, [stage.name for stage in STAGES]),
        "pretrain": charts.loss_figure("pretrain", metrics["pretrain"],
                                       "Loss of pretraining over its steps", levels),
        "probes": charts.probes_figure(pretrained.get("probes", {})),
        "finetune": charts.loss_figure("finetune", metrics["finetune"],
                                       "Loss of fine-tuning over its steps"),
        "reward_loss": charts.loss_figure("rewardloss", metrics["reward"],
                                          "Loss of the reward model over its steps",
                                          [(math.log(2), "no difference seen")], "pair"),
        "pair_accuracy": charts.metric_figure(
            "pairs", metrics["reward"], "pair_accuracy", "pairs in the right order",
            "Pair accuracy of the reward model over its steps", chance=(0.5, "guessing"),
            limits=(0, 1.03)),
        "reward": charts.metric_figure("reward", policy, "reward", "reward (in spreads)",
                                       "Reward of the policy over its steps"),
        "kl": charts.metric_figure("kl", policy, "kl", "KL (nats per response)",
                                   "KL divergence from the model that it began as, over the steps"),
        "gold": charts.gold_figure(policy),
        **{f"inside_{name}": charts.dynamics_figure(
            f"inside{name}", metrics[name], f"Learning rate, gradient norm and speed of {name}")
           for name in TRAINED},
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


def count_lines(path):
    """How many lines a file has; 0 if there is no file."""
    if not path.exists():
        return 0
    with open(path, encoding="utf-8") as file:
        return sum(1 for line in file if line.strip())


def flat(values):
    """A nested dict as (dotted name, value as text) rows."""
    return [(key, brief(value)) for key, value in dotted(values)]


def brief(value):
    """One value of a configuration or of results.json as short text; "-" for None."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return "-" if value is None else f"{value:,}" if type(value) is int else str(value)
