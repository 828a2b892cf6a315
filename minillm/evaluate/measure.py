"""What each phase taught, measured on the embedded world's held-out items. Nothing here trains anything."""

import numpy as np

from minillm.evaluate.judging import answers, win_rate
from minillm.evaluate.likelihood import bits_per_byte, choice_accuracy, ending_likelihoods, stream_loss
from minillm.world.messages import LABELS, TASK_PROMPT
from minillm.world.probes import CHANCE, make_probes
from minillm.world.raters import gold_score, is_correct, judge

MARKS = ("helpful", "accurate", "safe")


def probe_accuracies(model, world):
    """Share of probe items whose right ending is the likeliest, by skill."""
    return {skill: choice_accuracy(model, items) for skill, items in make_probes(world).items()}


def probe_results(model, untrained, world):
    """The five probes of the untrained and the pretrained model beside the level of chance."""
    before, after = probe_accuracies(untrained, world), probe_accuracies(model, world)
    return {skill: {"untrained": before[skill], "base": after[skill], "chance": CHANCE[skill]} for skill in after}


def instruction_accuracy(model, requests):
    """Share of requests answered with the right content by the likeliest tokens (temperature 0)."""
    texts, _ = answers(model, requests, np.random.default_rng(0), temperature=0.0)
    return float(np.mean([is_correct(request, text) for request, text in zip(requests, texts)]))


def task_accuracy(model, messages):
    """Share of messages whose label is the likeliest of all labels behind the task's prompt."""
    render = model.tokenizer.encode_chat
    items = []
    for text, label in messages:
        context = render([{"role": "system", "content": TASK_PROMPT}, {"role": "user", "content": text}], ask=True)
        labels = [label, *(other for other in LABELS if other != label)]
        items.append((context, [np.append(model.tokenizer.encode(name), model.tokenizer.end_id) for name in labels]))
    return float(np.mean([np.argmax(scores) == 0 for scores in ending_likelihoods(model, items)]))


def domain_bits_per_byte(model, documents):
    """Bits a byte of documents, their end tokens counted."""
    stream = model.tokenizer.encode_documents(documents)
    loss, tokens = stream_loss(model, stream)
    return bits_per_byte(loss * tokens, sum(len(text.encode()) for text in documents))


def mean_marks(requests, texts):
    """The three parts of the gold score, averaged."""
    marks = np.array([judge(request, text) for request, text in zip(requests, texts)])
    return dict(zip(MARKS, marks.mean(axis=0).tolist()))


def alignment_results(finetuned, aligned, requests, temperature, seed):
    """The aligned model against the fine-tuned one, on the same requests, sampled at one temperature.

    Returns (results, fine-tuned texts, aligned texts, share of aligned answers that ended by themselves).
    """
    before, _ = answers(finetuned, requests, np.random.default_rng([seed, 0]), temperature=temperature)
    after, ended = answers(aligned, requests, np.random.default_rng([seed, 1]), temperature=temperature)
    old = np.array([gold_score(request, text) for request, text in zip(requests, before)])
    new = np.array([gold_score(request, text) for request, text in zip(requests, after)])
    rate, low, _ = win_rate(new, old)
    marks = {"finetuned": mean_marks(requests, before), "aligned": mean_marks(requests, after)}
    results = {"win_rate": rate, "win_rate_low": low,
               "gold": {mark: {who: marks[who][mark] for who in marks} for mark in MARKS}}
    return results, before, after, float(np.mean(ended))
