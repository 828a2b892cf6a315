"""Byte-pair encoding of pieces of any length, whose tokens of single bytes are known.

The vocabularies of other projects are used through it: no longest piece bounds the work, so a long
piece finds its next merge in a heap. (piece_ids.py encodes by our own vocabularies.)

Source:  Sennrich, Haddow & Birch 2016, arXiv:1508.07909, algorithm 1
"""

from heapq import heappop, heappush

import numpy as np

from minillm.kernels.piece_ids import NO_PAIR, key_of, merge_piece, merge_tokens, moved_up
from minillm.kernels.twin import ordered, twin

SHORT = 64      # tokens; up to so many, a search among all keys is quicker than a heap


def merge_pieces_plain(tokens, ends, merges, made, ranks):
    """The tokens of all pieces after merging, end to end, and where each piece ends then.

    Merge r joins merges[r] into made[r]; `ranks` is what pair_ranks gives.

    Shapes:  tokens (N,) int32, ends (P,) int64, merges (M, 2) int64, made (M,) int32
             -> ids (K,) int32, (P,) int64
    """
    rank_of = {(left, right): rank for rank, (left, right) in enumerate(merges.tolist())}
    pieces = np.split(tokens, ends[:-1]) if len(ends) else []
    merged = [merge_tokens(piece.tolist(), rank_of, made.tolist()) for piece in pieces]
    ids = np.array([token for piece in merged for token in piece], np.int32)
    return ids, np.cumsum(np.array(list(map(len, merged)), np.int64))


@ordered
def merge_long(tokens, merges, made, ranks, keys, links):
    """Merge inside one long piece, in place; return how many tokens are left. See merge_piece.

    A heap holds the keys; one that is not its place's key any more is passed over.
    """
    before, after = links[0], links[1]
    queue = [np.int64(0)][:0]
    for place in range(len(tokens)):
        before[place], after[place] = place - 1, place + 1
        keys[place] = key_of(tokens, place, place + 1, merges, ranks)
        if keys[place] != NO_PAIR:
            heappush(queue, np.int64(keys[place]))
    while len(queue) > 0:
        least = heappop(queue)
        place = least & 0xFFFFFFFF
        if keys[place] != least:
            continue
        gone = after[place]
        tokens[place], tokens[gone], keys[gone] = made[least >> 32], -1, NO_PAIR
        after[place] = after[gone]
        if after[place] < len(tokens):
            before[after[place]] = place
        for changed in (place, before[place]):
            if changed >= 0:
                keys[changed] = key_of(tokens, changed, after[changed], merges, ranks)
                if keys[changed] != NO_PAIR:
                    heappush(queue, np.int64(keys[changed]))
    return moved_up(tokens)


@twin(plain=merge_pieces_plain, nogil=True)
def merge_pieces(tokens, ends, merges, made, ranks):
    longest, start = np.int64(0), np.int64(0)
    for end in ends:
        longest, start = max(longest, end - start), end
    keys, links = np.empty(longest, np.int64), np.empty((2, longest), np.int64)
    out, new_ends = tokens.copy(), np.empty(len(ends), np.int64)
    size, start = np.int64(0), np.int64(0)
    for piece in range(len(ends)):
        end = ends[piece]
        if end - start <= SHORT:
            left = merge_piece(out[start:end], merges, made, ranks, keys, links)
        else:
            left = merge_long(out[start:end], merges, made, ranks, keys, links)
        for i in range(left):
            out[size + i] = out[start + i]
        size, start = size + left, end
        new_ends[piece] = size
    return out[:size].copy(), new_ends
