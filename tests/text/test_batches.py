"""Batches: every target once, no example sees another, and batch `step` never depends on batch `step - 1`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minillm.text.batches import (Batch, document_starts, micro_batches, pack_conversations, packed_batch,
                                  pad_batch, window_batch, windows)

BEGIN, END = 1, 2


def stream_of(sizes):
    """Documents of these sizes; the tokens between the marks count up, so that each is known by its value."""
    parts, at = [], 10
    for size in sizes:
        parts.append(np.r_[BEGIN, np.arange(at, at + size), END])
        at += size
    return np.concatenate(parts).astype(np.int32)


def visible(batch):
    """What `visible_from` says, spelled out: (B, T, T), whether query t sees key s."""
    t, s = np.arange(batch.tokens.shape[1])[:, None], np.arange(batch.tokens.shape[1])
    return (batch.visible_from[:, :, None] <= s) & (s <= t)


def check_form(batch, rows, length):
    assert [field.shape for field in batch] == [(rows, length)] * 5
    assert [field.dtype for field in batch] == [np.int32, np.int32, np.float32, np.int32, np.int32]
    assert (np.diff(batch.visible_from, axis=1) >= 0).all() and batch.visible_from.min() >= 0
    assert not batch.weights[batch.visible_from > np.arange(length)].any()  # what sees nothing counts for nothing
    np.testing.assert_array_equal(batch.positions, np.maximum(np.arange(length) - batch.visible_from, 0))


sizes = st.lists(st.integers(0, 9), min_size=1, max_size=8)
seeds = st.integers(0, 5)


def test_document_starts():
    assert document_starts(np.array([7, 1, 8, 2, 1, 1, 9]), BEGIN).tolist() == [0, 1, 1, 1, 4, 5, 5]


# ---- windows of a stream

@given(sizes, st.integers(1, 12), st.integers(1, 4), seeds, st.integers(0, 30))
def test_a_window_is_a_stretch_of_the_stream(sizes, length, rows, seed, step):
    stream = stream_of(sizes)
    if len(stream) < length + 1:
        with pytest.raises(ValueError, match="use more text or a shorter context"):
            window_batch(stream, step, rows, length, seed, BEGIN)
        return
    batch = window_batch(stream, step, rows, length, seed, BEGIN)
    check_form(batch, rows, length)
    stretches = np.lib.stride_tricks.sliding_window_view(stream, length + 1)
    document = np.cumsum(stream == BEGIN)
    for row in range(rows):
        starts = np.flatnonzero((stretches == np.r_[batch.tokens[row], batch.targets[row, -1]]).all(axis=1))
        own = [visible(batch)[row].tolist() == (np.tri(length, dtype=bool) & (
            document[s:s + length, None] == document[s:s + length])).tolist() for s in starts]
        assert any(own)  # (two stretches may be equal, where documents are empty)
    np.testing.assert_array_equal(batch.tokens[:, 1:], batch.targets[:, :-1])
    np.testing.assert_array_equal(batch.weights, batch.targets != BEGIN)


@pytest.mark.parametrize("size, length", [(103, 10), (24, 10), (21, 10), (11, 10), (50, 1)])
def test_an_epoch_has_no_token_twice_and_the_next_differs(size, length):
    stream = np.arange(10, 10 + size, dtype=np.int32)
    count = max((size - length) // length, 1)
    epochs = [[window_batch(stream, epoch * count + i, 1, length, 0, BEGIN).tokens[0] for i in range(count)]
              for epoch in range(150)]
    for epoch in epochs:
        assert len(np.unique(np.concatenate(epoch))) == count * length
    seen = np.unique(np.concatenate([row for epoch in epochs for row in epoch]))
    assert len(seen) == size - 1  # each epoch leaves out other tokens; only the last is never an input
    if count > 2:
        assert epochs[0][0].tolist() != epochs[1][0].tolist()


def test_a_batch_is_a_function_of_step_and_seed():
    stream = stream_of([9] * 30)
    forward = [window_batch(stream, step, 4, 16, 7, BEGIN) for step in range(12)]
    for step in reversed(range(12)):
        for got, expected in zip(window_batch(stream, step, 4, 16, 7, BEGIN), forward[step]):
            np.testing.assert_array_equal(got, expected)
    assert (window_batch(stream, 0, 4, 16, 8, BEGIN).tokens != forward[0].tokens).any()


def test_batches_of_other_sizes_visit_the_same_windows():
    stream = stream_of([9] * 30)
    small = [window_batch(stream, step, 2, 16, 7, BEGIN).tokens for step in range(12)]
    large = [window_batch(stream, step, 4, 16, 7, BEGIN).tokens for step in range(6)]
    np.testing.assert_array_equal(np.concatenate(small), np.concatenate(large))


def test_a_batch_may_be_written_to():
    stream = stream_of([9] * 5)
    before = stream.copy()
    window_batch(stream, 0, 2, 8, 0, BEGIN).tokens[:] = 0
    np.testing.assert_array_equal(stream, before)


@given(sizes, st.integers(1, 12), st.integers(1, 4))
def test_windows_count_every_target_once(sizes, length, rows):
    stream = stream_of(sizes)
    batches = list(windows(stream, length, BEGIN, rows))
    for batch in batches:
        check_form(batch, rows, length)
    weights = np.concatenate([batch.weights.ravel() for batch in batches])
    targets = np.concatenate([batch.targets.ravel() for batch in batches])
    tokens = np.concatenate([batch.tokens.ravel() for batch in batches])
    N = len(stream) - 1
    np.testing.assert_array_equal(targets[:N], stream[1:])
    np.testing.assert_array_equal(tokens[:N], stream[:-1])
    np.testing.assert_array_equal(weights[:N], stream[1:] != BEGIN)
    assert not weights[N:].any()


@pytest.mark.parametrize("stream", [[], [1], [[1, 2], [3, 4]], [1.0, 2.0]])
def test_windows_refuse_at_once(stream):
    with pytest.raises(ValueError):
        windows(stream, 4, BEGIN, 2)


# ---- packing

examples_of = st.lists(st.integers(0, 14), min_size=1, max_size=12)


def make_examples(sizes, seed=0):
    """Example i is made of ids 100 i, 100 i + 1, ...; its mask is random."""
    rng = np.random.default_rng(seed)
    return [(100 * i + np.arange(size), rng.random(size) < 0.5) for i, size in enumerate(sizes)]


@given(examples_of, st.integers(1, 12), seeds)
def test_packing_keeps_every_example_whole_and_apart(sizes, length, seed):
    examples = make_examples(sizes)
    fitting = [i for i, size in enumerate(sizes) if 2 <= size <= length + 1]
    if not fitting:
        with pytest.raises(ValueError, match="fits in a row"):
            pack_conversations(examples, length, np.random.default_rng(seed))
        return
    batch, left_out = pack_conversations(examples, length, np.random.default_rng(seed), pad_id=7777)
    check_form(batch, len(batch.tokens), length)
    assert left_out == len(sizes) - len(fitting)
    is_pad = batch.tokens == 7777
    assert is_pad.sum() == batch.tokens.size - sum(sizes[i] - 1 for i in fitting)
    for i in fitting:
        ids, mask = examples[i]
        [[row, start]] = np.argwhere(batch.tokens == ids[0])
        own = slice(start, start + len(ids) - 1)
        np.testing.assert_array_equal(batch.tokens[row, own], ids[:-1])
        np.testing.assert_array_equal(batch.targets[row, own], ids[1:])
        np.testing.assert_array_equal(batch.weights[row, own], mask[1:])
    owner = np.where(is_pad, -1, batch.tokens // 100)
    same = (owner[:, :, None] == owner[:, None, :]) & ~is_pad[:, :, None] & np.tri(length, dtype=bool)
    np.testing.assert_array_equal(visible(batch), same)


def test_packing_by_hand():
    examples = [(np.array([1, 30, 31, 32]), np.array([0, 0, 1, 1])),
                (np.array([1, 40, 41]), np.array([0, 1, 1]))]
    batch, left_out = pack_conversations(examples, 6, np.random.default_rng(0), pad_id=0)
    assert left_out == 0
    if batch.tokens[0, 1] == 40:  # which one comes first is random
        assert batch.tokens.tolist() == [[1, 40, 1, 30, 31, 0]]
        assert batch.targets.tolist() == [[40, 41, 30, 31, 32, 0]]
        assert batch.weights.tolist() == [[1, 1, 0, 1, 1, 0]]
        assert batch.visible_from.tolist() == [[0, 0, 2, 2, 2, 6]]
    else:
        assert batch.tokens.tolist() == [[1, 30, 31, 1, 40, 0]]
        assert batch.targets.tolist() == [[30, 31, 32, 40, 41, 0]]
        assert batch.weights.tolist() == [[0, 1, 1, 1, 1, 0]]
        assert batch.visible_from.tolist() == [[0, 0, 0, 3, 3, 6]]


def test_packing_wastes_little():
    sizes = np.random.default_rng(0).integers(5, 60, 500).tolist()
    batch, _ = pack_conversations(make_examples(sizes), 128, np.random.default_rng(1))
    assert len(batch.tokens) <= 1.05 * (sum(sizes) - len(sizes)) / 128


def test_packed_batches_visit_every_row_each_epoch_and_depend_on_step_alone():
    packed = pack_conversations(make_examples([12] * 21), 12, np.random.default_rng(0))
    assert len(packed.batch.tokens) == 21
    batches = [packed_batch(packed, step, 3, seed=5) for step in range(14)]  # two epochs of 7
    for epoch in (batches[:7], batches[7:]):
        first_ids = np.concatenate([batch.tokens[:, 0] for batch in epoch])
        assert sorted(first_ids.tolist()) == [100 * i for i in range(21)]
    assert (batches[0].tokens != batches[7].tokens).any()
    for step in (13, 4, 0):
        for got, expected in zip(packed_batch(packed, step, 3, seed=5), batches[step]):
            np.testing.assert_array_equal(got, expected)
    check_form(packed_batch(packed, 0, 50, seed=5), 50, 12)  # more rows than there are: it goes round


# ---- padding

@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.sampled_from(["left", "right"]))
def test_padding_changes_nothing_but_the_place(sizes, side):
    sequences, masks = zip(*make_examples(sizes))
    batch = pad_batch(sequences, side, 9999, masks)
    T = max(sizes)
    check_form(batch, len(sizes), T)
    for row, (ids, mask) in enumerate(zip(sequences, masks)):
        n = len(ids)
        own = slice(T - n, T) if side == "left" else slice(0, n)
        assert batch.tokens[row, own].tolist() == ids.tolist()
        assert batch.targets[row, own].tolist() == [*ids[1:], 9999]
        assert batch.weights[row, own].tolist() == [*mask[1:], 0]
        seen = visible(batch)[row]
        np.testing.assert_array_equal(seen[own, own], np.tri(n, dtype=bool))
        assert seen.sum() == n * (n + 1) // 2  # so pads see nothing and nothing sees pads
        assert (batch.tokens[row] == 9999).sum() == T - n


def test_padding_by_hand():
    left = pad_batch([[8, 9], [5, 6, 7]], "left", 0)
    assert left.tokens.tolist() == [[0, 8, 9], [5, 6, 7]]
    assert left.targets.tolist() == [[0, 9, 0], [6, 7, 0]]
    assert left.weights.tolist() == [[0, 1, 0], [1, 1, 0]]
    assert left.visible_from.tolist() == [[1, 1, 1], [0, 0, 0]]
    right = pad_batch([[8, 9], [5, 6, 7]], "right", 0)
    assert right.tokens.tolist() == [[8, 9, 0], [5, 6, 7]]
    assert right.weights.tolist() == [[1, 0, 0], [1, 1, 0]]
    assert right.visible_from.tolist() == [[0, 0, 3], [0, 0, 0]]


@pytest.mark.parametrize("arguments, named", [
    (([[1]], "middle", 0), "side is 'middle'"), (([], "left", 0), "at least one sequence"),
    (([[1], []], "left", 0), "at least one token"), (([[1, 2]], "left", 0, [[1]]), "masks and sequences"),
    (([[1, 2]], "left", 0, []), "masks and sequences"),
])
def test_padding_refuses(arguments, named):
    with pytest.raises(ValueError, match=named):
        pad_batch(*arguments)


# ---- micro-batches

@given(st.integers(1, 9), st.integers(1, 9))
def test_micro_batches_join_to_the_batch(rows, parts):
    batch = pad_batch(np.arange(rows * 4).reshape(rows, 4), "right", 0)
    if parts > rows:
        with pytest.raises(ValueError, match="cannot be split"):
            micro_batches(batch, parts)
        return
    split = micro_batches(batch, parts)
    assert len(split) == parts and all(isinstance(part, Batch) for part in split)
    heights = [len(part.tokens) for part in split]
    assert max(heights) - min(heights) <= 1
    for k, field in enumerate(batch):
        np.testing.assert_array_equal(np.concatenate([part[k] for part in split]), field)
