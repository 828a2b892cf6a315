"""Cuts token streams and conversations into batches.

Every batch is a pure function of (data, step, seed). So a run that resumes at step 1,000 needs no
saved iterator: it asks for batch 1,000.
"""

import bisect
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from minillm.tree import brief


class Batch(NamedTuple):
    """The tokens that a model reads and the targets that it learns to predict.

    weights: 1 where a target counts, 0 where not, a smaller share in replayed rows
    (finetune.with_replay).
    positions: position of each token in its document, counted from 0 (from the start of the window
    if the window cuts the document off).
    visible_from: the attention mask. Query t sees key s iff visible_from[b, t] <= s <= t. This one
    array expresses plain causal attention (0), packed documents (the column where the token's
    document starts) and padding (a column after t: the token sees nothing). It never decreases
    along a row.

    Shapes:  all (B, T): tokens, targets, positions, visible_from int32; weights float32
    """
    tokens: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    positions: np.ndarray
    visible_from: np.ndarray

    __repr__ = brief


class Rows(NamedTuple):
    """Packed rows, and how many examples did not fit in a row or had no target."""
    batch: Batch   # (R, T)
    left_out: int

    __repr__ = brief


def document_starts(stream, begin_id):
    """For each token, the index of its document's begin token, or 0 before the first of them.

    Shapes:  stream (..., T) -> starts (..., T) int32
    """
    stream = np.asarray(stream)
    places = np.arange(stream.shape[-1], dtype=np.int32)
    return np.maximum.accumulate(np.where(stream == begin_id, places, 0).astype(np.int32), axis=-1)


def positions_from(starts):
    """Position of each token in its document: t - starts[t], and 0 for a pad.

    Shapes:  starts (B, T) int32, columns -> positions (B, T) int32
    """
    columns = np.arange(starts.shape[1], dtype=np.int32)
    return np.maximum(columns - starts, 0).astype(np.int32)


def window_batch(stream, step, rows, length, seed, begin_id):
    """Batch number `step` of a stream that is cut into windows, in a new order each epoch.

    Every epoch shifts the cuts by a random offset, so that no token is always at a window's edge.
    Windows are numbered through all epochs: batch `step` holds the numbers from step * rows to
    step * rows + rows - 1.

    Shapes:  stream (N,) -> Batch of (rows, length)
    Raises:  ValueError if the stream is shorter than length + 1 tokens
    """
    stream = _checked_stream(stream, length + 1,
                             f"a window of {length} tokens and the one after it")
    count = max((len(stream) - length) // length, 1)
    numbers = np.arange(step * rows, (step + 1) * rows)
    starts = np.array([_epoch_starts(len(stream), count, length, seed, n // count)[n % count]
                       for n in numbers.tolist()])
    return _windows_at(stream, starts, length, begin_id)


@lru_cache(maxsize=8)
def _epoch_starts(size, count, length, seed, epoch):
    """Where the windows of one epoch start, in the order in which they are read."""
    rng = np.random.default_rng([seed, epoch])
    slack = size - 1 - count * length  # tokens that `count` windows leave out, at either end
    return rng.integers(slack + 1) + length * rng.permutation(count)


def _windows_at(stream, starts, length, begin_id):
    windows = stream[starts[:, None] + np.arange(length + 1)]  # (rows, length + 1)
    tokens, targets = windows[:, :-1], windows[:, 1:]
    weights = (targets != begin_id).astype(np.float32)  # text before it cannot predict it
    starts = document_starts(tokens, begin_id)
    return Batch(tokens.copy(), targets.copy(), weights, positions_from(starts), starts)


def windows(stream, length, begin_id, rows):
    """Yield batches that go through the stream once, in order, and count every target once.

    The rest of the last batch is filled with positions that have weight 0 and see nothing.

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
        yield batch._replace(
            weights=np.where(is_pad, np.float32(0), batch.weights),
            positions=np.where(is_pad, np.int32(0), batch.positions),
            visible_from=np.where(is_pad, np.int32(length), batch.visible_from))


def _checked_stream(stream, least, purpose):
    stream = np.asarray(stream)
    if stream.ndim != 1 or not np.issubdtype(stream.dtype, np.integer):
        raise ValueError(f"a token stream is a 1-D integer array; this one is {stream.dtype} "
                         f"{stream.shape}")
    if len(stream) < least:
        raise ValueError(f"the text has {len(stream)} tokens, but {purpose} need {least}; "
                         "use more text or a shorter context")
    return stream.astype(np.int32, copy=False)


def pack_conversations(examples, length, rng, pad_id=0):
    """Put several whole examples (ids, loss_mask) in each row; none sees another.

    The examples are taken in a random order, each into the fullest row with room for it (best fit).
    An example of n ids takes n - 1 columns, because its last id is only a target. An example that
    is longer than a row, or too short to have a target, is left out and counted.

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
            batch.positions[row, at:end] = np.arange(end - at)
            batch.visible_from[row, at:end] = at
            at = end
    return batch


def _empty_batch(rows, length, pad_id):
    """Rows of pads only: their weight is 0, and they see nothing."""
    shape = (rows, length)
    return Batch(tokens=np.full(shape, pad_id, np.int32), targets=np.full(shape, pad_id, np.int32),
                 weights=np.zeros(shape, np.float32), positions=np.zeros(shape, np.int32),
                 visible_from=np.full(shape, length, np.int32))


def packed_batch(packed, step, rows, seed):
    """Batch number `step` of packed rows, in a new order each epoch.

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

    masks: which ids count as targets (by default all). The first id never counts, because no token
    comes before it. The target of the last id is a pad of weight 0.

    Shapes:  sequences B of (t_b,), masks the same -> Batch of (B, max t_b)
    Raises:  ValueError for another side, no sequences, an empty sequence, or masks that do not
             match
    """
    if side not in ("left", "right"):
        raise ValueError(f"side is {side!r}; sequences are padded on the 'left' or the 'right'")
    if len(sequences) == 0 or min(map(len, sequences)) == 0:
        raise ValueError("pad_batch needs at least one sequence, and at least one token in each")
    masks = [np.ones(len(ids)) for ids in sequences] if masks is None else masks
    if list(map(len, masks)) != list(map(len, sequences)):
        raise ValueError("masks and sequences differ in number or length; "
                         "give one mask value per token")
    length = max(map(len, sequences))
    batch = _empty_batch(len(sequences), length, pad_id)
    for row, (ids, mask) in enumerate(zip(sequences, masks)):
        start = length - len(ids) if side == "left" else 0
        end = start + len(ids)
        batch.tokens[row, start:end] = ids
        batch.targets[row, start:end - 1] = ids[1:]
        batch.weights[row, start:end - 1] = mask[1:]
        batch.positions[row, start:end] = np.arange(len(ids))
        batch.visible_from[row, :end] = start   # left pads come before it and see nothing
    return batch


def micro_batches(batch, parts):
    """Split a batch by rows, for gradient accumulation; the parts' sizes may differ by one row.

    Shapes:  Batch, or another named tuple of arrays (B, ...) -> `parts` of about B / parts rows
    Raises:  ValueError if there are fewer rows than parts
    """
    rows = len(batch.tokens)
    if not 1 <= parts <= rows:
        raise ValueError(f"a batch of {rows} rows cannot be split into {parts} parts")
    split = (np.array_split(field, parts) for field in batch)
    return [type(batch)(*part) for part in zip(*split)]
