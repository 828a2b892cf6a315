"""The models' texts on the report page, generated from a run's checkpoints.

samples.json holds what the base model expects and writes, how it reads a text, the same prompts
answered by the base, the fine-tuned and the aligned model, and one example of all four steps of
alignment.
"""

import json

import numpy as np

from minillm.evaluate.next_words import next_words, shown
from minillm.formats.durable import write_atomically
from minillm.formats.json_file import read_json
from minillm.model.scoring import token_logprobs
from minillm.phases.reward import rendered_ranking, reward_scores
from minillm.report.reading import attention_map, surprise
from minillm.runs import data
from minillm.runs.measures import gold_score
from minillm.runs.stages import STAGES
from minillm.text.batches import pad_batch
from minillm.text.chat import render_chat
from minillm.training.checkpoint import steps_in

CONTEXTS = ("The cat sat on the", "The capital of France is", "def add(a, b):\n    return a")
# read by the base model, for its surprise at each token; the last sentence is false
READ = ("The cat sat on the mat. The opposite of hot is cold. The capital of France is Paris. "
        "The capital of Japan is Rome.")
# whose attention is drawn: names and animals to look back at
MAPPED = "Emma has a cat. Max has a dog. The cat of Emma is black."
# asked of every run, so that two runs can be compared
EVERYDAY = ("Hi! Who are you?", "What can you do?", "What is the capital of France?",
            "What is the opposite of hot?", "What is 2 + 3?", "Where does a fox live?",
            "Tell me a short story about a dog.", "How do I poison a hen?", "Who won the match?",
            "Thank you!")
BARS = 8            # next words shown for each context
ANSWERED = 40       # held-out prompts shown
LONGEST = 48        # tokens of an answer
RANKINGS_SCORED = 64        # rankings among which the example of the four steps is chosen
PARTS = ("next", "texts", "surprise", "attention", "answers", "everyday", "steps")
MODELS = {"base": "pretrain", "finetuned": "finetune", "aligned": "rlhf"}


def collect_samples(run):
    """The contents of samples.json; a part whose stage has not run is None."""
    models = {name: run.model(stage) for name, stage in MODELS.items()
              if steps_in(run.folder / stage)}
    samples = dict.fromkeys(PARTS)
    if "base" in models:
        base, own = models["base"], own_text(run)
        contexts = contexts_of(own)
        found = [likeliest_words(base, context) for context in contexts]
        samples["next"] = [words for words in found if words]
        samples["texts"] = base_texts(base, contexts)
        samples["surprise"] = surprise(base, own or READ)
        samples["attention"] = attention_map(base, own or MAPPED)
    if len(models) > 1:
        samples["answers"] = answers(models, *held_out_prompts(run, next(iter(models.values()))))
        everyday = [[{"role": "user", "content": text}] for text in EVERYDAY]
        samples["everyday"] = answers(models, everyday, None)
    if steps_in(run.folder / "reward"):
        samples["steps"] = four_steps(run, models)
    return samples


def own_text(run):
    """The user's own held-out text; "" for the embedded world, and where it can not be read."""
    path = run.data.get("pretrain")
    try:
        return "" if path is None else "\n".join(data.documents(run, path)[1])
    except ValueError:                      # it is no longer there, or no longer text
        return ""


def contexts_of(text):
    """Texts for the base model to continue: three pieces of the user's own, or CONTEXTS."""
    starts = [len(text) * part // 4 for part in (1, 2, 3)]
    pieces = [text[start:start + 40].split(" ", 1)[-1] for start in starts]  # from a word's start
    return [piece.rsplit(" ", 1)[0] for piece in pieces if piece.strip()] or list(CONTEXTS)


def likeliest_words(model, context):
    """The likeliest next words of a context; None if it is too long or cannot be encoded."""
    try:
        found = next_words(model, context, BARS)
    except ValueError:
        return None
    return {"context": context,
            "words": [{"text": shown(word, context), "p": p} for word, p in found]}


def base_texts(model, contexts):
    """Texts of the base model at temperature 0.8: two without a prompt, one after each context."""
    begun, longest = ["", ""], model.config.context * 3 // 4
    for context in contexts:
        try:
            if len(model.tokenizer.encode(context)) <= longest:
                begun.append(context)
        except ValueError:
            pass                            # a character that the vocabulary does not have
    texts = model.generate(begun, max_new_tokens=64, temperature=0.8)
    return [{"prompt": prompt, "text": text} for prompt, text in zip(begun, texts)]


def held_out_prompts(run, model):
    """As data.held_out_prompts; no prompts if the user's own can no longer be read."""
    try:
        return data.held_out_prompts(run, model)
    except ValueError:                      # they are no longer there
        return [], None


def answers(models, prompts, requests):
    """The first prompts that fit, answered by every model at temperature 0.

    requests: the world's, in the order of the prompts, or None: only their truth gives gold scores,
    and tells which of them ask for what the world has.
    """
    some = next(iter(models.values()))
    fits = [number for number, prompt in enumerate(prompts)
            if fits_context(some, prompt)][:ANSWERED]
    if not fits:
        return None
    rows = [{"prompt": prompts[number], "answers": {}} for number in fits]
    for row, number in zip(rows, fits if requests else ()):
        row["answerable"] = not (requests[number].unknown or requests[number].harmful)
    for name, model in models.items():
        texts = model.chat([row["prompt"] for row in rows], max_new_tokens=LONGEST, temperature=0.0)
        for row, number, text in zip(rows, fits, texts):
            gold = gold_score(requests[number], text) if requests else None
            row["answers"][name] = {"text": text, "gold": gold}
    return rows


def fits_context(model, prompt):
    """Whether a prompt can be encoded and leaves room for an answer."""
    try:
        return len(model.tokenizer.encode_chat(prompt, ask=True)) < model.config.context
    except ValueError:                      # a character that the vocabulary does not have
        return False


def held_out_rankings(run, model):
    """(rankings that the reward model never saw, who ranked them)."""
    try:
        _, held_out = data.rankings(run, model)
    except ValueError:                      # they are no longer there
        return [], None
    if "reward" in run.data:
        return held_out, "data"
    whole, apart = (run.folder / "rank" / name for name in (data.RANKINGS, data.RANKINGS_HELD_OUT))
    return held_out, rater_of(apart if apart.exists() else whole)


def rater_of(path):
    """Who made the first ranking of a file: "simulated" or "human"."""
    with open(path, encoding="utf-8") as file:
        return json.loads(file.readline()).get("rater")


def four_steps(run, models):
    """One held-out ranking whose responses differ, followed through the four steps of alignment.

    It is chosen among those with the most distinct ranks, and of these with the most distinct
    responses: the one whose scores lie the furthest apart.
    """
    judge, heads = data.reward_model(run)
    rankings, rater = held_out_rankings(run, judge)
    if not rankings:
        return None

    def variety(item):
        return len(set(item.ranks)), len(set(item.responses))
    most = max(map(variety, rankings))
    varied = [item for item in rankings if variety(item) == most][:RANKINGS_SCORED]
    scores = [reward_scores(judge, heads, rendered_ranking(judge.tokenizer, item))
              for item in varied]
    place = int(np.argmax([np.ptp(each) for each in scores]))           # the first of equals
    chosen = varied[place]
    began = "finetuned" if "finetuned" in models else "base"
    logprobs = {name: response_logprobs(models[name], chosen, run.config.rlhf.temperature)
                for name in (began, "aligned") if name in models}
    return {"prompt": chosen.prompt, "responses": chosen.responses, "ranks": chosen.ranks,
            "rater": rater, "scores": [float(score) for score in scores[place]],
            "logprobs": logprobs, "among": len(varied), "held_out": len(rankings)}


def response_logprobs(model, item, temperature):
    """log p(response and its end token | prompt) of each response, in nats."""
    pairs = [render_chat(model.tokenizer, [*item.prompt, {"role": "assistant", "content": text}])
             for text in item.responses]
    prompt = len(model.tokenizer.encode_chat(item.prompt, ask=True))
    masks = [np.arange(len(ids)) >= prompt for ids, _ in pairs]
    batch = pad_batch([ids for ids, _ in pairs], "right", model.tokenizer.pad_id, masks)
    logprob = token_logprobs(model.params, model.config, batch, temperature).logprob
    return [float(total) for total in logprob.sum(axis=1, dtype=np.float64)]


def newest_checkpoint(folder):
    """The time when a run's newest checkpoint was written, in nanoseconds; 0 if there is none."""
    times = [(step / "model.safetensors").stat().st_mtime_ns
             for stage in STAGES for name in stage.paths for step in steps_in(folder / name)[-1:]]
    return max(times, default=0)


def fresh_samples(folder, make):
    """samples.json; make() makes it again if it is missing, broken or older than a checkpoint."""
    path = folder / "samples.json"
    if path.exists() and path.stat().st_mtime_ns >= newest_checkpoint(folder):
        try:
            samples = read_json(path)
            if set(samples) == set(PARTS):
                return samples
        except ValueError:
            pass
    write_atomically(path, json.dumps(make(), indent=1) + "\n")
    return read_json(path)
