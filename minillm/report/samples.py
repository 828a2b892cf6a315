"""What the page shows of the models themselves: their words, computed from a run's checkpoints.

samples.json holds next-word guesses and texts of the base model, the same prompts answered by base,
fine-tuned and aligned model, and one example that goes through all four steps of alignment.
"""

import json
from pathlib import Path

import numpy as np

from minillm.evaluate.next_words import next_words, shown
from minillm.phases import policy_gradient as rl
from minillm.phases.reward_model import rendered_ranking, reward_scores
from minillm.run import divided_rankings, documents_of, load_reward_model
from minillm.text import corpus
from minillm.text.batches import pad_batch
from minillm.text.chat import render_chat
from minillm.train.checkpoint import steps_in
from minillm.train.run_folder import PHASES, write_whole
from minillm.world.raters import gold_score

CONTEXTS = ("The cat sat on the", "The capital of France is", "def add(a, b):\n    return a")
BARS = 8            # next words shown of a context
ANSWERED = 20       # held-out prompts shown
LONGEST = 48        # tokens of an answer
MODELS = {"base": "pretrain", "finetuned": "finetune", "aligned": "policy_gradient"}


def collect_samples(run, data=None):
    """The contents of samples.json; a part whose phase has not run is None.

    run: minillm.run.Run; data: the reader's own files by stage, where there are any.
    """
    data = data or {}
    models = {name: run.model(phase) for name, phase in MODELS.items() if steps_in(run.folder / phase)}
    samples = {"next": None, "texts": None, "answers": None, "steps": None}
    if "base" in models:
        contexts = contexts_of(run, data.get("pretrain"))
        samples["next"] = [bar for context in contexts if (bar := likeliest_words(models["base"], context))]
        samples["texts"] = base_texts(models["base"], contexts)
    if len(models) > 1:
        samples["answers"] = answers(models, *held_out_prompts(run, data.get("finetune")))
    if steps_in(run.folder / "reward_model"):
        samples["steps"] = four_steps(run, models, data.get("reward_model"))
    return samples


def contexts_of(run, path):
    """Beginnings for the base model: the usual three, or three places in the reader's own validation text."""
    if path is None or not Path(path).exists():
        return list(CONTEXTS)
    text = "\n".join(documents_of(run, path)[1])
    starts = [len(text) * part // 4 for part in (1, 2, 3)]
    pieces = [text[start:start + 40].split(" ", 1)[-1] for start in starts]          # from a word's start
    return [piece.rsplit(" ", 1)[0] for piece in pieces if piece.strip()] or list(CONTEXTS)


def likeliest_words(model, context):
    """The likeliest next words of a context, or None for one that the vocabulary cannot spell or that is too long."""
    try:
        found = next_words(model, context, BARS)
    except ValueError:
        return None
    return {"context": context, "words": [{"text": shown(word, context), "p": p} for word, p in found]}


def base_texts(model, contexts):
    """What the base model writes: twice from nothing, and on from each context, at temperature 0.8."""
    begun = ["", ""]
    for context in contexts:
        try:
            if len(model.tokenizer.encode(context)) <= model.config.context * 3 // 4:
                begun.append(context)
        except ValueError:
            pass                                    # a vocabulary of characters that lacks one of these
    return [{"prompt": prompt, "text": text}
            for prompt, text in zip(begun, model.generate(begun, max_new_tokens=64, temperature=0.8))]


def held_out_prompts(run, path):
    """(prompts as messages, the world's requests or None): what fine-tuning held out, in its order."""
    if path is None:
        requests = run.requests()
        return [request.messages() for request in requests], requests
    if not Path(path).exists():
        return [], None
    _, held_out = corpus.split_documents(corpus.load_conversations(path), 0.05, run.rng("finetune"))
    return [messages[:last_answer(messages)] for messages in held_out if last_answer(messages)], None


def last_answer(messages):
    """The place of the assistant's last message."""
    return max(i for i, message in enumerate(messages) if message["role"] == "assistant")


def answers(models, prompts, requests):
    """The first prompts that fit, answered by every model with its likeliest tokens."""
    some = next(iter(models.values()))
    fits = [number for number, prompt in enumerate(prompts)
            if len(some.tokenizer.encode_chat(prompt, ask=True)) < some.config.context][:ANSWERED]
    if not fits:
        return None
    rows = [{"prompt": prompts[number], "answers": {}} for number in fits]
    for name, model in models.items():
        texts = model.chat([row["prompt"] for row in rows], max_new_tokens=LONGEST, temperature=0.0)
        for row, number, text in zip(rows, fits, texts):
            gold = gold_score(requests[number], text) if requests else None
            row["answers"][name] = {"text": text, "gold": gold}
    return rows


def held_out_rankings(run, path):
    """(rankings that the reward model never saw, who ranked them)."""
    apart, whole = run.folder / "preferences_held_out.jsonl", run.folder / "preferences.jsonl"
    if not Path(path or whole).exists():
        return [], None
    held_out = divided_rankings(run, path)[1]
    return held_out, "data" if path is not None else rater_of(apart if apart.exists() else whole)


def rater_of(path):
    """Who made the first ranking of a file: "simulated" or "human"."""
    with open(path, encoding="utf-8") as file:
        return json.loads(file.readline()).get("rater")


def four_steps(run, models, path):
    """One ranking that no phase trained on, followed through sampling, ranking, scoring and optimizing.

    It is the first with three distinct ranks or more; where there is none, the first with the most.
    """
    rankings, rater = held_out_rankings(run, path)
    judge, heads = load_reward_model(run)
    rankings = [item for item in rankings
                if max(map(len, rendered_ranking(judge.tokenizer, item))) <= judge.config.context]
    if not rankings:
        return None
    chosen = max(rankings, key=lambda item: min(len(set(item.ranks)), 3))       # the first of equals
    sequences = rendered_ranking(judge.tokenizer, chosen)
    logprobs = {name: response_logprobs(models[name], chosen, run.config.rlhf.temperature)
                for name in ("finetuned", "aligned") if name in models}
    scores = [float(score) for score in reward_scores(judge, heads, sequences)]
    return {"prompt": chosen.prompt, "responses": chosen.responses, "ranks": chosen.ranks, "rater": rater,
            "scores": scores, "logprobs": logprobs}


def response_logprobs(model, item, temperature):
    """log p(response and its end | prompt) of each response, nats."""
    pairs = [render_chat(model.tokenizer, [*item.prompt, {"role": "assistant", "content": text}])
             for text in item.responses]
    prompt = len(model.tokenizer.encode_chat(item.prompt, ask=True))
    masks = [np.arange(len(ids)) >= prompt for ids, _ in pairs]
    batch = pad_batch([ids for ids, _ in pairs], "right", model.tokenizer.pad_id, masks)
    logprob, _ = rl.logprobs_and_values(model.params, model.config, batch, temperature)
    return [float(total) for total in logprob.sum(axis=1, dtype=np.float64)]


def newest_checkpoint(folder):
    """When the newest checkpoint of a run was written, in nanoseconds; 0 where there is none."""
    times = [(step / "model.safetensors").stat().st_mtime_ns
             for phase in PHASES for step in steps_in(folder / phase)[-1:]]
    return max(times, default=0)


def fresh_samples(folder, make):
    """samples.json, made anew by make() where it is missing or older than the newest checkpoint."""
    path = folder / "samples.json"
    if not path.exists() or path.stat().st_mtime_ns < newest_checkpoint(folder):
        write_whole(path, json.dumps(make(), indent=1) + "\n")
    return json.loads(path.read_text(encoding="utf-8"))
