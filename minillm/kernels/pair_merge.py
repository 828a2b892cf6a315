"""Byte-pair encoding: learn which pairs of tokens to merge. (piece_ids.py applies the merges.)

Text comes as pieces (mostly words), concatenated: `ids` holds their tokens, and `piece` the number
of each token's piece. A pair never spans two pieces.

The plain functions scan all tokens for every merge. The loops keep, for every pair, a linked list
(its chain) of the places where the pair begins, so a merge visits those places alone. Time grows
linearly with the text, even if one piece is a megabyte long.

Chains need no sorting. Merge r creates a new token, and every new pair contains that token. So a
pair gets all its places during one sweep from left to right. The first place of a chain is always
the leftmost, and "aaa" becomes (aa)a.

Source:  Sennrich, Haddow & Birch 2016, arXiv:1508.07909, algorithm 1
"""

from heapq import heappush, heapreplace
from typing import NamedTuple

import numpy as np

from minillm.kernels.twin import ordered, twin


def merge_pair(ids, piece, left, right, merged):
    """Replace each pair (left, right) inside a piece by one token, from left to right.

    Shapes:  ids, piece (N,) -> ids, piece (N - number of merges,)
    """
    at = np.flatnonzero((ids[:-1] == left) & (ids[1:] == right) & (piece[:-1] == piece[1:]))
    # In "aaaa" the pairs overlap: of each run of adjacent pairs, every second one is merged.
    order = np.arange(len(at))
    run_start = np.maximum.accumulate(np.where(np.diff(at, prepend=-2) > 1, order, 0))
    at = at[(order - run_start) % 2 == 0]
    ids, keep = ids.copy(), np.ones(len(ids), dtype=bool)
    ids[at], keep[at + 1] = merged, False
    return ids[keep], piece[keep]


def apply_merges(ids, piece, merges, first_id):
    """Apply merge 0, then merge 1, ... everywhere; merge r makes the token first_id + r.

    Shapes:  ids, piece (N,) int32, merges (M, 2) int32 -> ids, piece (N',) int32
    """
    for rank, (left, right) in enumerate(merges):
        ids, piece = merge_pair(ids, piece, left, right, first_id + rank)
    return ids, piece


def learn_merges_plain(ids, piece, weights, first_id, limit):
    """Merge the most frequent pair, again and again; return the pairs in the order of merging.

    weights[p] is how often piece p occurs. Among equal counts, the pair with the smaller ids wins.
    Learning stops after `limit` merges, or when no pair occurs twice.

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
        left, right = divmod(pairs[counts.argmax()], first_id + limit)  # the first of equals
        ids, piece = merge_pair(ids, piece, left, right, first_id + len(merges))
        merges.append((left, right))
    return np.array(merges, dtype=np.int32).reshape(-1, 2)


# Column numbers. `node` has one row for each place, `ends` one for each pair; -1 means none.
ID, BEFORE, AFTER = 0, 1, 2     # of node: the token here, and the adjacent places in its piece
PAIR, EARLIER, LATER = 3, 4, 5  # of node: the pair that begins here, its neighbours in the chain
FIRST, LAST = 0, 1              # of ends: the first and the last place of the pair's chain


@ordered
def all_none(rows, columns):
    """An array of -1. (np.full would take numba longer to compile.)"""
    array = np.empty((rows, columns), np.int64)
    for i in range(rows):
        for j in range(columns):
            array[i, j] = -1
    return array


@ordered
def new_nodes(ids, piece):
    """A row for each token, linked to its neighbours; no token is in a chain yet."""
    node = all_none(len(ids), 6)
    for i in range(len(ids)):
        node[i, ID] = ids[i]
        if i > 0 and piece[i - 1] == piece[i]:
            node[i, BEFORE] = i - 1
            node[i - 1, AFTER] = i
    return node


@ordered
def enter(place, pair, node, ends):
    """Append a place to a pair's chain."""
    last = ends[pair, LAST]
    node[place, PAIR], node[place, EARLIER], node[place, LATER] = pair, last, -1
    ends[pair, LAST] = place
    if last >= 0:
        node[last, LATER] = place
    else:
        ends[pair, FIRST] = place


@ordered
def leave(place, node, ends):
    """Remove a place from its chain, if it is in one."""
    if place < 0 or node[place, PAIR] < 0:
        return
    pair, earlier, later = node[place, PAIR], node[place, EARLIER], node[place, LATER]
    node[place, PAIR] = -1
    if earlier >= 0:
        node[earlier, LATER] = later
    else:
        ends[pair, FIRST] = later
    if later >= 0:
        node[later, EARLIER] = earlier
    else:
        ends[pair, LAST] = earlier


@ordered
def join(place, merged, node, ends):
    """Replace the token at `place` and the next one by `merged`; the next place becomes empty.

    The pair here and the pairs on both sides leave their chains.
    """
    gone = node[place, AFTER]
    leave(node[place, BEFORE], node, ends)
    leave(place, node, ends)
    leave(gone, node, ends)
    after = node[gone, AFTER]
    node[place, ID], node[place, AFTER], node[gone, ID] = merged, after, -1
    if after >= 0:
        node[after, BEFORE] = place


@ordered
def empty_table(pairs):
    """A hash table that `pairs` entries fill to half at most. Its size is a power of two."""
    size = 8
    while size < 2 * pairs:
        size *= 2
    table = np.empty(size, np.int64)
    for slot in range(size):
        table[slot] = -1
    return table


@ordered
def find_pair(table, pairs, left, right):
    """The slot of the table for this pair: it holds the pair's number, or -1. Open addressing."""
    mixed = left * 1000000007 + right * 998244353
    slot = (mixed ^ (mixed >> 17)) & (len(table) - 1)
    while table[slot] >= 0 and (pairs[table[slot], 0] != left or pairs[table[slot], 1] != right):
        slot = (slot + 1) & (len(table) - 1)
    return slot


class Tally(NamedTuple):
    """Every pair seen so far and its exact count."""
    table: np.ndarray   # hash table of pair numbers
    pairs: np.ndarray   # (pairs, 2)
    counts: np.ndarray  # (pairs,)
    made: np.ndarray    # (1,) pairs so far


@ordered
def count_pair(place, weight, node, ends, tally):
    """Count the pair at a place and append the place to its chain. A new pair gets a number."""
    if place < 0 or node[place, AFTER] < 0:
        return
    table, pairs, counts, made = tally
    left, right = node[place, ID], node[node[place, AFTER], ID]
    slot = find_pair(table, pairs, left, right)
    if table[slot] < 0:
        table[slot] = made[0]
        pairs[made[0], 0], pairs[made[0], 1], counts[made[0]] = left, right, 0
        made[0] += 1
    counts[table[slot]] += weight
    enter(place, table[slot], node, ends)


@ordered
def discount_pair(place, weight, node, counts):
    """Subtract the pair at a place from its count, before it disappears."""
    if place >= 0 and node[place, PAIR] >= 0:
        counts[node[place, PAIR]] -= weight


@ordered
def merge_and_recount(pair, merged, piece, weights, node, ends, tally):
    """Merge one pair everywhere. The counts of the pairs that vanish and appear stay exact."""
    while ends[pair, FIRST] >= 0:
        place = ends[pair, FIRST]
        weight = weights[piece[place]]
        discount_pair(node[place, BEFORE], weight, node, tally.counts)
        discount_pair(place, weight, node, tally.counts)
        discount_pair(node[place, AFTER], weight, node, tally.counts)
        join(place, merged, node, ends)
        count_pair(node[place, BEFORE], weight, node, ends, tally)
        count_pair(place, weight, node, ends, tally)


@twin(plain=learn_merges_plain)
def learn_merges(ids, piece, weights, first_id, limit):
    most = min(3 * len(ids) + 1, (first_id + limit) * (first_id + limit))   # pairs at most
    node, ends = new_nodes(ids, piece), all_none(most, 2)
    tally = Tally(empty_table(most), np.empty((most, 2), np.int64), np.empty(most, np.int64),
                  np.empty(1, np.int64))
    tally.made[0] = 0
    for place in range(len(ids)):
        count_pair(place, weights[piece[place]], node, ends, tally)
    # A heap of (-count, left, right, pair); numba takes its type from the entry that is cut off.
    queue = [(np.int64(0), np.int64(0), np.int64(0), np.int64(0))][:0]
    merges, done, queued = np.empty((limit, 2), np.int32), 0, 0
    while done < limit:
        while queued < tally.made[0]:   # the pairs that the last merge created
            left, right = tally.pairs[queued, 0], tally.pairs[queued, 1]
            heappush(queue, (-tally.counts[queued], left, right, queued))
            queued += 1
        # Counts of older pairs only fall. So the top of the heap is the most frequent pair once its
        # own count is up to date.
        while len(queue) > 0 and -queue[0][0] != tally.counts[queue[0][3]]:
            _, left, right, pair = queue[0]
            heapreplace(queue, (-tally.counts[pair], left, right, pair))
        if len(queue) == 0 or -queue[0][0] < 2:
            break
        _, left, right, pair = queue[0]
        merge_and_recount(pair, first_id + done, piece, weights, node, ends, tally)
        merges[done, 0], merges[done, 1] = left, right
        done += 1
    return merges[:done].copy()
