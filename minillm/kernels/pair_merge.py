"""Byte-pair encoding: learn which pairs of tokens to merge, and merge them.

Text comes as pieces (words, mostly), laid end to end: `ids` holds their tokens and `piece` the number
of the piece that each token is in. Pairs never span two pieces.

The plain functions scan everything for every merge. The loops keep, for every pair, the list of the
places where it stands, so that a merge touches those places alone: time grows linearly with the text,
even when one piece is a megabyte long. Two facts make the lists simple:
  * a pair with the token of merge r in it cannot exist before merge r, so when merges run in order,
    all places of a pair are known by the time its turn comes;
  * they are added from left to right, so taking them in that order merges "aaa" as (aa)a.
A place may have changed since it was put on a list. Tokens never change back, so a look at the two
tokens that stand there now is enough to tell.

Source:  Sennrich, Haddow & Birch 2016, arXiv:1508.07909, algorithm 1
"""

from heapq import heappush, heapreplace
from typing import NamedTuple

import numpy as np

from minillm.kernels.twin import inline, twin


def merge_pair(ids, piece, left, right, merged):
    """Replace each pair (left, right) inside a piece by one token, from left to right.

    Shapes:  ids, piece (N,) -> ids, piece (N - number of merges,)
    """
    at = np.flatnonzero((ids[:-1] == left) & (ids[1:] == right) & (piece[:-1] == piece[1:]))
    # In "aaaa" the pairs overlap; of each run of neighbouring pairs every second one is merged.
    order = np.arange(len(at))
    run_start = np.maximum.accumulate(np.where(np.diff(at, prepend=-2) > 1, order, 0))
    at = at[(order - run_start) % 2 == 0]
    ids, keep = ids.copy(), np.ones(len(ids), dtype=bool)
    ids[at], keep[at + 1] = merged, False
    return ids[keep], piece[keep]


def apply_merges_plain(ids, piece, merges, first_id):
    """Apply merge 0, then merge 1, ... everywhere; merge r makes the token first_id + r.

    Shapes:  ids, piece (N,) int32, merges (M, 2) int32 -> ids, piece (N',) int32
    """
    for rank, (left, right) in enumerate(merges):
        ids, piece = merge_pair(ids, piece, left, right, first_id + rank)
    return ids, piece


def learn_merges_plain(ids, piece, weights, first_id, limit):
    """Merge the most frequent pair, again and again; return the pairs in the order of merging.

    weights[p] is how often piece p occurs. Equal counts: the pair of the smaller ids wins.
    It stops after `limit` merges, or when no pair occurs twice.

    Shapes:  ids, piece (N,) int32, weights (P,) int64 -> merges (M, 2) int32, M <= limit
    """
    merges = []
    while len(merges) < limit:
        inside = piece[:-1] == piece[1:]
        codes = (ids[:-1].astype(np.int64) * (first_id + limit) + ids[1:])[inside]
        pairs, which = np.unique(codes, return_inverse=True)
        counts = np.zeros(len(pairs), dtype=np.int64)
        np.add.at(counts, which, weights[piece[:-1][inside]])
        if counts.max(initial=0) < 2:
            break
        left, right = divmod(pairs[counts.argmax()], first_id + limit)  # argmax: the first of equals
        ids, piece = merge_pair(ids, piece, left, right, first_id + len(merges))
        merges.append((left, right))
    return np.array(merges, dtype=np.int32).reshape(-1, 2)


class Places(NamedTuple):
    """Where each pair stands: one linked list of entries a pair, in the order of their making."""
    head: np.ndarray   # (pairs,) first entry of the list, or -1
    tail: np.ndarray   # (pairs,) last entry
    place: np.ndarray  # (entries,) where the left token of the pair stands
    link: np.ndarray   # (entries,) the next entry, or -1
    used: np.ndarray   # (1,) entries so far


@inline
def no_places(pairs, entries):
    return Places(np.full(pairs, -1), np.full(pairs, -1), np.empty(entries, np.int32),
                  np.empty(entries, np.int32), np.zeros(1, np.int64))


@inline
def add_place(places, pair, place):
    entry = places.used[0]
    places.used[0] = entry + 1
    places.place[entry] = place
    places.link[entry] = -1
    if places.head[pair] < 0:
        places.head[pair] = entry
    else:
        places.link[places.tail[pair]] = entry
    places.tail[pair] = entry


@inline
def empty_table(pairs):
    """A hash table with room for `pairs`, at most half full; its size is a power of two."""
    size = 8
    while size < 2 * pairs:
        size *= 2
    return np.full(size, -1)


@inline
def find_pair(table, pairs, left, right):
    """Open addressing: the slot of the table that holds this pair's number, or -1 if it has none."""
    mixed = left * 1000000007 + right * 998244353
    slot = (mixed ^ (mixed >> 17)) & (len(table) - 1)
    while table[slot] >= 0 and (pairs[table[slot], 0] != left or pairs[table[slot], 1] != right):
        slot = (slot + 1) & (len(table) - 1)
    return slot


@inline
def neighbours(piece):
    """The place before and after each place in its piece, or -1."""
    before, after = np.full(len(piece), -1), np.full(len(piece), -1)
    for i in range(1, len(piece)):
        if piece[i - 1] == piece[i]:
            before[i] = i - 1
            after[i - 1] = i
    return before, after


@inline
def join(place, merged, ids, before, after):
    """Let the token at `place` take in the one after it, whose place stays empty (-1)."""
    gone = after[place]
    ids[place] = merged
    ids[gone] = -1
    after[place] = after[gone]
    if after[gone] >= 0:
        before[after[gone]] = place


@inline
def note_pair(place, ids, after, table, merges, places):
    """Put a place on the list of the pair that stands there, if some merge is about that pair."""
    rank = table[find_pair(table, merges, ids[place], ids[after[place]])]
    if rank >= 0:
        add_place(places, rank, place)


@twin(plain=apply_merges_plain)
def apply_merges(ids, piece, merges, first_id):
    ids, merges = ids.astype(np.int64), merges.astype(np.int64)
    table = empty_table(len(merges))
    for rank in range(len(merges)):
        table[find_pair(table, merges, merges[rank, 0], merges[rank, 1])] = rank
    before, after = neighbours(piece)
    places = no_places(len(merges), 3 * len(ids))  # one a place at the start, and two a merge
    for i in range(len(ids)):
        if after[i] >= 0:
            note_pair(i, ids, after, table, merges, places)
    for rank in range(len(merges)):
        left, right = merges[rank, 0], merges[rank, 1]
        entry = places.head[rank]
        while entry >= 0:
            place = np.int64(places.place[entry])
            entry = np.int64(places.link[entry])
            if ids[place] == left and after[place] >= 0 and ids[after[place]] == right:
                join(place, first_id + rank, ids, before, after)
                for at in (before[place], place):
                    if at >= 0 and after[at] >= 0:
                        note_pair(at, ids, after, table, merges, places)
    keep = ids >= 0
    return ids[keep].astype(np.int32), piece[keep]


class Tally(NamedTuple):
    """Every pair seen so far, its exact count and where it stands."""
    table: np.ndarray   # hash table of pair numbers
    pairs: np.ndarray   # (pairs, 2)
    counts: np.ndarray  # (pairs,)
    made: np.ndarray    # (1,) pairs so far
    places: Places


@inline
def count_pair(place, weight, ids, after, tally):
    """Add weight to the count of the pair at a place; a positive one also notes the place."""
    left, right = ids[place], ids[after[place]]
    slot = find_pair(tally.table, tally.pairs, left, right)
    if tally.table[slot] < 0:
        tally.table[slot] = tally.made[0]
        tally.pairs[tally.made[0], 0] = left
        tally.pairs[tally.made[0], 1] = right
        tally.made[0] += 1
    pair = tally.table[slot]
    tally.counts[pair] += weight
    if weight > 0:
        add_place(tally.places, pair, place)


@inline
def merge_and_recount(pair, merged, ids, piece, before, after, weights, tally):
    """Merge one pair everywhere, keeping every count exact: the pairs beside it go, new ones come."""
    left, right = tally.pairs[pair, 0], tally.pairs[pair, 1]
    entry = tally.places.head[pair]
    while entry >= 0:
        place = np.int64(tally.places.place[entry])
        entry = np.int64(tally.places.link[entry])
        if ids[place] == left and after[place] >= 0 and ids[after[place]] == right:
            weight = weights[piece[place]]
            for at in (before[place], place, after[place]):
                if at >= 0 and after[at] >= 0:
                    count_pair(at, -weight, ids, after, tally)
            join(place, merged, ids, before, after)
            for at in (before[place], place):
                if at >= 0 and after[at] >= 0:
                    count_pair(at, weight, ids, after, tally)


@twin(plain=learn_merges_plain)
def learn_merges(ids, piece, weights, first_id, limit):
    most = min(3 * len(ids) + 1, (first_id + limit) * (first_id + limit))  # pairs that there can be
    ids = ids.astype(np.int64)
    before, after = neighbours(piece)
    tally = Tally(empty_table(most), np.empty((most, 2), np.int64), np.zeros(most, np.int64),
                  np.zeros(1, np.int64), no_places(most, 3 * len(ids)))
    for i in range(len(ids)):
        if after[i] >= 0:
            count_pair(i, weights[piece[i]], ids, after, tally)
    queue = [(np.int64(0), np.int64(0), np.int64(0), np.int64(0))][:0]  # (-count, left, right, pair)
    merges, done, queued = np.empty((limit, 2), np.int32), 0, 0
    while done < limit:
        while queued < tally.made[0]:  # the pairs that the last merge made
            heappush(queue, (-tally.counts[queued], tally.pairs[queued, 0], tally.pairs[queued, 1], queued))
            queued += 1
        # Counts of older pairs only fall, so the first is right once its own count is up to date.
        while len(queue) > 0 and -queue[0][0] != tally.counts[queue[0][3]]:
            _, left, right, pair = queue[0]
            heapreplace(queue, (-tally.counts[pair], left, right, pair))
        if len(queue) == 0 or -queue[0][0] < 2:
            break
        _, left, right, pair = queue[0]
        merge_and_recount(pair, first_id + done, ids, piece, before, after, weights, tally)
        merges[done, 0] = left
        merges[done, 1] = right
        done += 1
    return merges[:done].copy()
