"""How likely a model finds given texts: the ruler for probes, labels and validation."""

import numpy as np

from minillm.kernels.cross_entropy import cross_entropy_forward
from minillm.model.transformer import head_forward, transformer_forward
from minillm.text.batches import pad_batch, windows


def token_nll(model, batch):
    """Negative log-likelihood of every counted target, 0 elsewhere.  Shapes:  Batch of (B, T) -> (B, T) nats"""
    h, _ = transformer_forward(batch.tokens, model.params, model.config, batch.first, recompute=True)
    index = np.flatnonzero(batch.weights)
    logits, _ = head_forward(h.reshape(-1, h.shape[-1])[index], model.params)
    nll = np.zeros(batch.tokens.size, h.dtype)
    nll[index] = cross_entropy_forward(logits, batch.targets.reshape(-1)[index])[0]
    return nll.reshape(batch.tokens.shape)


def stream_loss(model, stream, rows=32):
    """Mean loss over a whole token stream, every target once.  Returns (nats a token, targets)"""
    total, count = 0.0, 0.0
    for batch in windows(stream, model.config.context, model.tokenizer.begin_id, rows):
        total += float(token_nll(model, batch).sum(dtype=np.float64))
        count += float(batch.weights.sum(dtype=np.float64))
    return total / count, int(count)


def examples_loss(model, examples, rows=64):
    """Mean loss over the masked targets of examples.  examples: [(ids, mask)] -> nats a token"""
    total, count = 0.0, 0.0
    for start in range(0, len(examples), rows):
        ids, masks = zip(*examples[start:start + rows])
        batch = pad_batch(ids, "right", model.tokenizer.pad_id, masks)
        total += float(token_nll(model, batch).sum(dtype=np.float64))
        count += float(batch.weights.sum(dtype=np.float64))
    return total / count


def bits_per_byte(nats, text_bytes):
    """Nats of a whole text as bits a byte: comparable between tokenizers."""
    return nats / np.log(2) / text_bytes


def ending_likelihoods(model, items, rows=128):
    """log p(ending | context) of every ending of every item.

    items: [(context ids, [ending ids, ...])] -> list of (endings,) arrays, nats
    """
    sequences = [(np.concatenate([context, ending]), len(context))
                 for context, endings in items for ending in endings]
    scores = []
    order = np.argsort([len(ids) for ids, _ in sequences], kind="stable")      # equal lengths pad least
    for start in range(0, len(order), rows):
        chosen = [sequences[i] for i in order[start:start + rows]]
        masks = [np.arange(len(ids)) >= skipped for ids, skipped in chosen]
        batch = pad_batch([ids for ids, _ in chosen], "right", model.tokenizer.pad_id, masks)
        scores.append(-token_nll(model, batch).sum(axis=1, dtype=np.float64))
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
