"""How likely a model finds given texts: this measures probes, labels and validation."""

import numpy as np

from minillm.model.at_once import parts, tokens_scored
from minillm.model.scoring import token_logprobs
from minillm.text.batches import pad_batch, windows


def batch_nll(model, batch):
    """-log p of every counted target, 0 elsewhere.  Shapes:  Batch of (B, T) -> (B, T) nats"""
    return -token_logprobs(model.params, model.config, batch).logprob


def stream_loss(model, stream, rows=32):
    """Mean loss over a whole token stream, every target once.  Returns (nats per token, targets)

    In a vocabulary without begin token, a document begins at the end token of the one before it.
    """
    total, count, ids = 0.0, 0.0, model.tokenizer
    begin = ids.end_id if ids.begin_id is None else ids.begin_id
    for batch in windows(stream, model.config.context, begin, rows):
        total += float(batch_nll(model, batch).sum(dtype=np.float64))
        count += float(batch.weights.sum(dtype=np.float64))
    return total / count, int(count)


def examples_loss(model, examples, rows=64):
    """Mean loss over the masked targets of examples.  examples: [(ids, mask)] -> nats per token"""
    total, count = 0.0, 0.0
    for part in parts([len(ids) for ids, _ in examples], rows, tokens_scored(model.config, 1.0)):
        ids, masks = zip(*examples[part])
        batch = pad_batch(ids, "right", model.tokenizer.pad_id, masks)
        total += float(batch_nll(model, batch).sum(dtype=np.float64))
        count += float(batch.weights.sum(dtype=np.float64))
    return total / count


def bits_per_byte(nats, text_bytes):
    """Nats of a whole text as bits per byte: comparable between tokenizers."""
    return nats / np.log(2) / text_bytes


def ending_likelihoods(model, items, rows=128):
    """log p(ending | context) of every ending of every item.

    items: [(context ids, [ending ids, ...])] -> list of (endings,) arrays, nats
    """
    sequences = [(np.concatenate([context, ending]), len(context))
                 for context, endings in items for ending in endings]
    scores = []
    # Sequences of like length share a batch, so that it has little padding.
    order = np.argsort([len(ids) for ids, _ in sequences], kind="stable")
    for start in range(0, len(order), rows):
        chosen = [sequences[i] for i in order[start:start + rows]]
        masks = [np.arange(len(ids)) >= skipped for ids, skipped in chosen]
        batch = pad_batch([ids for ids, _ in chosen], "right", model.tokenizer.pad_id, masks)
        logprob = token_logprobs(model.params, model.config, batch).logprob
        scores.append(logprob.sum(axis=1, dtype=np.float64))
    flat = np.empty(len(order))
    flat[order] = np.concatenate(scores)
    return np.split(flat, np.cumsum([len(endings) for _, endings in items])[:-1])


def choice_accuracy(model, items):
    """Share of items whose first ending is the likeliest; equal likelihoods share the point.

    items: [(context text, (right ending, wrong endings ...))] -> float
    """
    begin, encode = [model.tokenizer.begin_id], model.tokenizer.encode
    encoded = [(np.concatenate([begin, encode(context)]), [encode(ending) for ending in endings])
               for context, endings in items]
    points = []
    for scores in ending_likelihoods(model, encoded):
        best = np.flatnonzero(scores == scores.max())
        points.append((0 in best) / len(best))
    return float(np.mean(points))
