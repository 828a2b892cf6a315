"""Cuts token streams and conversations into batches.

Every batch is a pure function of (data, step, seed): a run that resumes at step 1,000 needs no
iterator to be restored, it asks for batch 1,000.
"""

import bisect
from functools import lru_cache
from typing import NamedTuple

import numpy as np


class Batch(NamedTuple):
    """What a model reads and what it is asked to predict.

    Query t sees key s iff first[b, t] <= s <= t. That one array says plain causal attention (0),
    packed documents (the start of the own document) and padding (first > t: this row sees nothing).
    first never falls along a row.

    Shapes:  all (B, T): tokens, targets, first int32; weights float32, 1 where the target counts
    """
    tokens: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    first: np.ndarray


class Rows(NamedTuple):
    """Packed rows, and how many examples were too long to be in one."""
    batch: Batch   # (R, T)
    left_out: int


def document_starts(stream, begin_id):
    """For each token, the index of its document's begin token, or 0 before the first of them.

    Shapes:  stream (..., T) -> starts (..., T) int32
    """
    stream = np.asarray(stream)
    places = np.arange(stream.shape[-1], dtype=np.int32)
    return np.maximum.accumulate(np.where(stream == begin_id, places, 0).astype(np.int32), axis=-1)


def window_batch(stream, step, rows, length, seed, begin_id):
    """Batch number `step` of a stream that is cut into windows, in another order each epoch.

    Every epoch shifts the cuts by a random offset, so that no token is always at a window's edge.
    Windows are numbered through all epochs: batch `step` holds numbers step * rows + (0 .. rows - 1).

    Shapes:  stream (N,) -> Batch of (rows, length)
    Raises:  ValueError if the stream is shorter than length + 1 tokens
    """
    stream = _checked_stream(stream, length + 1, f"a window of {length} tokens and the one after it")
    count = max((len(stream) - length) // length, 1)
    numbers = np.arange(step * rows, (step + 1) * rows)
    starts = np.array([_epoch_starts(len(stream), count, length, seed, n // count)[n % count]
                       for n in numbers.tolist()])
    return _windows_at(stream, starts, length, begin_id)


@lru_cache(maxsize=8)
def _epoch_starts(size, count, length, seed, epoch):
    """Where the windows of one epoch start, in the order of visit."""
    rng = np.random.default_rng([seed, epoch])
    slack = size - 1 - count * length  # tokens that `count` windows leave out, at either end
    return rng.integers(slack + 1) + length * rng.permutation(count)


def _windows_at(stream, starts, length, begin_id):
    windows = stream[starts[:, None] + np.arange(length + 1)]  # (rows, length + 1)
    tokens, targets = windows[:, :-1], windows[:, 1:]
    weights = (targets != begin_id).astype(np.float32)  # nothing before a document predicts it
    return Batch(tokens.copy(), targets.copy(), weights, document_starts(tokens, begin_id))


def windows(stream, length, begin_id, rows):
    """Yield batches that go through the stream once, in order, and count every target once.

    The last batch is filled up with positions of weight 0 that see nothing.

    Shapes:  stream (N,) -> Batches of (rows, length)
    Raises:  ValueError if the stream is shorter than 2 tokens
    """
    stream = _checked_stream(stream, 2, "one token and its target")
    return _walk(stream, length, begin_id, rows)


def _walk(stream, length, begin_id, rows):
    real = len(stream) - 1  # targets in all
    per_batch = rows * length
    for start in range(0, real, per_batch):
        missing = max(start + per_batch - real, 0)
        padded = np.pad(stream[start:start + per_batch + 1], (0, missing), constant_values=begin_id)
        batch = _windows_at(padded, np.arange(rows) * length, length, begin_id)
        is_pad = (np.arange(per_batch) >= per_batch - missing).reshape(rows, length)
        yield batch._replace(weights=np.where(is_pad, np.float32(0), batch.weights),
                             first=np.where(is_pad, np.int32(length), batch.first))


def _checked_stream(stream, least, purpose):
    stream = np.asarray(stream)
    if stream.ndim != 1 or not np.issubdtype(stream.dtype, np.integer):
        raise ValueError(f"a token stream is a 1-D integer array; this one is {stream.dtype} {stream.shape}")
    if len(stream) < least:
        raise ValueError(f"the text has {len(stream)} tokens, but {purpose} need {least}; "
                         "use more text or a shorter context")
    return stream.astype(np.int32, copy=False)


def pack_conversations(examples, length, rng, pad_id=0):
    """Put several whole examples (ids, loss_mask) in each row, none of which sees another.

    Examples come in a random order; each goes into the fullest row that has room for it (best fit).
    An example of n ids takes n - 1 places, as its last id is a target only. One that is longer than
    a row, or too short to have a target, is left out and counted.

    Shapes:  examples N of ((n,), (n,)) -> Rows with a Batch of (R, length)
    Raises:  ValueError if there is no example that fits
    """
    bins, room_left = [], []  # room_left: sorted (free places, row)
    for i in rng.permutation(len(examples)).tolist():
        need = len(examples[i][0]) - 1
        if not 1 <= need <= length:
            continue
        at = bisect.bisect_left(room_left, (need, -1))
        if at == len(room_left):
            bins.append([])
            room, row = length, len(bins) - 1
        else:
            room, row = room_left.pop(at)
        bins[row].append(examples[i])
        bisect.insort(room_left, (room - need, row))
    left_out = len(examples) - sum(map(len, bins))
    if not bins:
        raise ValueError(f"none of {len(examples)} examples fits in a row of {length} tokens; "
                         "use a longer context or shorter conversations")
    return Rows(_fill_rows(bins, length, pad_id), left_out)


def _fill_rows(bins, length, pad_id):
    batch = _empty_batch(len(bins), length, pad_id)
    for row, members in enumerate(bins):
        at = 0
        for ids, mask in members:
            end = at + len(ids) - 1
            batch.tokens[row, at:end] = ids[:-1]
            batch.targets[row, at:end] = ids[1:]
            batch.weights[row, at:end] = mask[1:]
            batch.first[row, at:end] = at
            at = end
    return batch


def _empty_batch(rows, length, pad_id):
    """Rows of pads alone: weight 0, and first = length, so that they see nothing."""
    return Batch(np.full((rows, length), pad_id, np.int32), np.full((rows, length), pad_id, np.int32),
                 np.zeros((rows, length), np.float32), np.full((rows, length), length, np.int32))


def packed_batch(packed, step, rows, seed):
    """Batch number `step` of packed rows, in another order each epoch.

    Shapes:  packed Rows of (R, T) -> Batch of (rows, T)
    """
    count = len(packed.batch.tokens)
    numbers = range(step * rows, (step + 1) * rows)
    chosen = [_epoch_order(count, seed, n // count)[n % count] for n in numbers]
    return Batch(*(field[chosen] for field in packed.batch))


@lru_cache(maxsize=8)
def _epoch_order(count, seed, epoch):
    return np.random.default_rng([seed, epoch]).permutation(count)


def pad_batch(sequences, side, pad_id, masks=None):
    """Bring sequences to one length; every id is an input, and the target is the id after it.

    masks say which ids count as targets (all of them by default); the first id never does, as
    nothing comes before it, and the last id's own target is a pad of weight 0.

    Shapes:  sequences B of (t_b,), masks the same -> Batch of (B, max t_b)
    Raises:  ValueError for another side, no sequences, an empty sequence, or masks that do not match
    """
    if side not in ("left", "right"):
        raise ValueError(f"side is {side!r}; sequences are padded on the 'left' or the 'right'")
    if len(sequences) == 0 or min(map(len, sequences)) == 0:
        raise ValueError("pad_batch needs at least one sequence, and at least one token in each")
    masks = [np.ones(len(ids)) for ids in sequences] if masks is None else masks
    if list(map(len, masks)) != list(map(len, sequences)):
        raise ValueError("masks and sequences differ in number or length; give one mask value a token")
    length = max(map(len, sequences))
    batch = _empty_batch(len(sequences), length, pad_id)
    for row, (ids, mask) in enumerate(zip(sequences, masks)):
        start = length - len(ids) if side == "left" else 0
        end = start + len(ids)
        batch.tokens[row, start:end] = ids
        batch.targets[row, start:end - 1] = ids[1:]
        batch.weights[row, start:end - 1] = mask[1:]
        batch.first[row, :end] = start  # left pads come before it, so they see nothing either
    return batch


def micro_batches(batch, parts):
    """Split a batch by rows, for gradient accumulation; the parts may differ by one row.

    Shapes:  Batch of (B, T) -> `parts` Batches of about (B / parts, T)
    Raises:  ValueError if there are fewer rows than parts
    """
    rows = len(batch.tokens)
    if not 1 <= parts <= rows:
        raise ValueError(f"a batch of {rows} rows cannot be split into {parts} parts")
    return [Batch(*part) for part in zip(*(np.array_split(field, parts) for field in batch))]
