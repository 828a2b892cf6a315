"""What a stage achieved, in lines of at most 80 columns: losses before and after, the numbers of
results.json, and two samples.
"""

import textwrap

import numpy as np

from minillm.runs import data
from minillm.runs.folder import read_results
from minillm.terminal.bars import printable
from minillm.training.checkpoint import steps_in
from minillm.training.progress import FIGURES, WIDTH
from minillm.training.recorder import read_metrics

SORTED = 10         # a group of more numbers than these is printed lowest first
LONGEST = 40        # tokens of a sample
BEGINNING = 40      # characters of a text that the base model continues
TRIED = 20          # prompts among which one is chosen that two models answer differently


def outcome(run, stages):
    """What some stages of a run achieved: losses, numbers, samples, seconds; as lines."""
    results, lines = read_results(run.folder), []
    for stage in stages:
        lines += [line for name in stage.paths for line in progress_made(run.folder / name)]
        lines += table(stage.name, results.get(stage.name, {}))
        lines += samples(run, stage)
        seconds = results.get("seconds", {}).get(stage.name, 0)
        lines.append(f"{stage.name}: {seconds:,.1f} s, in {run.folder}")
    return lines


def progress_made(folder):
    """The first and the last value of each figure in a training's log, as one line; [] without one.

    The policy gradient's loss says nothing about progress, so it is left out.
    """
    records, found = read_metrics(folder) if folder.is_dir() else [], []
    for key, name in FIGURES.items():
        measured = [record for record in records if key in record]
        if not measured or (key == "loss" and "ratio_distance" in measured[0]):
            continue
        first, last = measured[0], measured[-1]
        at = f" (step {first['step'] + 1})" if key == "validation_loss" else ""
        found.append(f"{name} {first[key]:.3f}{at} -> {last[key]:.3f}" if first is not last else
                     f"{name} {last[key]:.3f}")
    return lines_of(f"{folder.name}: ", ", ".join(found)) if found else []


def table(name, results):
    """A stage's part of results.json as lines: each group of numbers after its dotted name.

    A group of many numbers is printed lowest first.
    """
    lines = []
    for group, numbers in grouped(name, results):
        many = len(numbers) > SORTED
        items = sorted(numbers.items(), key=lambda item: item[1]) if many else numbers.items()
        text = ", ".join(f"{key} {number(value)}" for key, value in items)
        lines += lines_of(f"  {group}{', lowest first' if many else ''}: ", text)
    return lines


def grouped(name, nested):
    """Yield (dotted name, {key: number}) of each dict in a nested dict that holds numbers."""
    numbers = {key: value for key, value in nested.items() if not isinstance(value, dict)}
    if numbers:
        yield name, numbers
    for key, value in nested.items():
        if isinstance(value, dict):
            yield from grouped(f"{name}.{key}", value)


def number(value):
    """A number of results.json as short text."""
    if isinstance(value, float):
        return f"{value:,.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def lines_of(label, text, rest="      "):
    """Lines of at most 80 columns: a label, then a text; further lines are indented."""
    return textwrap.wrap(label + text, WIDTH, subsequent_indent=rest, break_on_hyphens=False)


# Samples

def samples(run, stage):
    """Two texts of the model that a stage left; [] if it leaves none, or its data are gone."""
    make = {"pretrain": continuations, "finetune": held_out_answers, "rlhf": before_and_after}
    if stage.name not in make or not steps_in(run.folder / stage.name):
        return []
    try:
        return make[stage.name](run, run.model(stage.name))
    except ValueError:                      # the user's data are no longer there
        return []


def continuations(run, model):
    """How the base model continues two beginnings of held-out text."""
    texts = run.texts()[1]
    begun = beginnings(texts if len(texts) > 1 else [texts[0], texts[0][len(texts[0]) // 2:]])
    longest = min(LONGEST, model.config.context // 2)
    begun = [text for text in begun if len(model.tokenizer.encode(text)) <= longest]
    found = model.generate(begun, max_new_tokens=longest, temperature=0.8, seed=0) if begun else []
    return [line for text, more in zip(begun, found)
            for line in lines_of("  held-out text: ", quoted(text) + " ->")
            + lines_of("    continued: ", quoted(more))]


def beginnings(texts):
    """The first words of two texts."""
    return [text[:BEGINNING].rsplit(" ", 1)[0] for text in texts[:2]]


def held_out_answers(run, model):
    """How the fine-tuned model answers two held-out prompts."""
    prompts = held_out_prompts(run, model)[:2]
    return [line for prompt, text in zip(prompts, likeliest(model, prompts))
            for line in [*asked(prompt), *lines_of("    answer: ", quoted(text))]]


def before_and_after(run, model):
    """How a prompt is answered by the model before and after: the first of some held-out prompts
    that the two answer differently.
    """
    if "rlhf" in run.data:
        asked_of_it, apart = data.own_prompts(run, model)
        prompts = (apart or asked_of_it)[:TRIED]
    else:
        prompts = held_out_prompts(run, model)[:TRIED]
    before, after = (likeliest(each, prompts) for each in (run.assistant(), model))
    differ = [n for n, texts in enumerate(zip(before, after)) if len(set(texts)) > 1]
    n = differ[0] if differ else 0
    return [*asked(prompts[n]), *lines_of("    before: ", quoted(before[n])),
            *lines_of("    after: ", quoted(after[n]))]


def held_out_prompts(run, model):
    """Prompts that fine-tuning has not seen and that leave room for an answer, as messages."""
    prompts, _ = data.held_out_prompts(run, model)
    (fit,) = data.askable(model, {"prompts": prompts}, lambda messages: messages)
    return fit


def likeliest(model, prompts):
    """The likeliest answer to each prompt."""
    return model.answer(prompts, np.random.default_rng(0), max_new_tokens=LONGEST,
                        temperature=0.0)[0]


def asked(prompt):
    """The last two messages of a prompt, as lines."""
    return [line for message in prompt[-2:]
            for line in lines_of(f"  {message['role']}: ", quoted(message["content"]))]


def quoted(text):
    """A text on one line, at most 300 characters of it."""
    return '"' + printable(" ".join(text.split()))[:300] + '"'
