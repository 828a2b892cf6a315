"""Byte-pair encoding of pieces: from characters to token ids.

Inside one piece, the merge of the lowest rank comes first, and of its places the leftmost. Most
pieces are words that came before, so a table holds the ids of pieces that were met.

Source:  Sennrich, Haddow & Birch 2016, arXiv:1508.07909, algorithm 1
"""

import numpy as np

from minillm.kernels.pair_merge import all_none, empty_table, find_pair
from minillm.kernels.twin import ordered, serial, twin

ROWS = 1 << 15          # of the table of pieces, at most: 1 MB
NO_PAIR = 1 << 62               # larger than the key of any pair


@serial
def pair_ranks(merges):
    """Hash table of the merges' numbers, for find_pair.

    Shapes:  merges (M, 2) int32 -> (a power of two,) int64
    """
    table = empty_table(len(merges))
    for rank in range(len(merges)):
        table[find_pair(table, merges, merges[rank, 0], merges[rank, 1])] = rank
    return table


def merge_tokens(tokens, rank_of, made):
    """Merge inside one piece: the lowest rank first, and of its places the leftmost."""
    def ranks_of(part):
        return [rank_of.get(pair, NO_PAIR) for pair in zip(part, part[1:])]

    ranks = ranks_of(tokens)        # of the pair that begins at each place
    while (rank := min(ranks, default=NO_PAIR)) < NO_PAIR:
        place = ranks.index(rank)
        tokens[place:place + 2] = [made[rank]]
        before = max(place - 1, 0)
        ranks[before:place + 2] = ranks_of(tokens[before:place + 2])
    return tokens


def piece_ids_plain(characters, ends, texts, frames, byte_ids, merges, made, ranks):
    """Ids of texts that are cut into pieces: the bytes of each piece, merged.

    Piece p ends at ends[p], text t at texts[t]. A surrogate stands for a byte that is no UTF-8.
    frames[t] are ids to set before and after text t, -1 for none. byte_ids[b] is the token of byte
    b; merge r makes the token made[r]. `ranks`: what pair_ranks gives, to find a merge fast.

    Shapes:  characters (N,) int32, ends (P,) int64, texts (T,) int64, frames (T, 2) int32,
             byte_ids (256,) int32, merges (M, 2) int64, made (M,) int32 -> ids (K,) int32
    """
    text = characters.tobytes().decode("utf-32-le", "surrogatepass")
    pieces = [text[start:end] for start, end in zip([0, *ends[:-1]], ends)]
    rank_of = {(left, right): rank for rank, (left, right) in enumerate(merges.tolist())}
    byte_ids, made = byte_ids.tolist(), made.tolist()
    found = {}
    for piece in set(pieces):
        tokens = [byte_ids[byte] for byte in piece.encode("utf-8", "surrogateescape")]
        found[piece] = merge_tokens(tokens, rank_of, made)
    parts, first = [np.empty(0, np.int32)], 0
    for (before, after), last in zip(frames, np.searchsorted(ends, texts, "right")):
        parts += [[before], *(found[piece] for piece in pieces[first:last]), [after]]
        first = last
    ids = np.concatenate(parts, dtype=np.int32)
    return ids[ids >= 0]


@ordered
def write_bytes(characters, start, end, byte_ids, out, at):
    """Write the tokens of a piece's bytes, in UTF-8, from out[at] on; return where they end."""
    for i in range(start, end):
        character = np.int64(characters[i])
        if character < 0x80 or 0xDC80 <= character < 0xDD00:    # a surrogate stands for a byte
            out[at] = byte_ids[character & 0xFF]
        else:
            shift = 6 if character < 0x800 else 12 if character < 0x10000 else 18
            lead = 0x100 - (0x80 >> shift // 6)                 # 110....., 1110...., 11110...
            out[at] = byte_ids[lead + (character >> shift)]
            while shift > 0:
                shift, at = shift - 6, at + 1
                out[at] = byte_ids[0x80 + (character >> shift & 0x3F)]
        at += 1
    return at


@ordered
def key_of(tokens, place, after, merges, ranks):
    """What orders the pairs of a piece: the merge's rank, then the place. NO_PAIR: no merge."""
    if after >= len(tokens):
        return NO_PAIR
    rank = ranks[find_pair(ranks, merges, np.int64(tokens[place]), np.int64(tokens[after]))]
    return rank << 32 | place if rank >= 0 else NO_PAIR


@ordered
def moved_up(tokens):
    """Move the tokens that are left to the first places, in place; return how many there are."""
    left = 0
    for place in range(len(tokens)):
        if tokens[place] >= 0:
            tokens[left] = tokens[place]
            left += 1
    return left


@ordered
def merge_piece(tokens, merges, made, ranks, keys, links):
    """Merge inside one piece, in place; return how many tokens are left, from the first place on.

    keys, links: space for three numbers a token. A piece of n tokens takes up to n searches for
    the least of n keys. That is quick because n is small and LLVM vectorizes the search.
    """
    before, after = links[0], links[1]
    for place in range(len(tokens)):
        before[place], after[place] = place - 1, place + 1
        keys[place] = key_of(tokens, place, place + 1, merges, ranks)
    while True:
        least = NO_PAIR
        for place in range(len(tokens)):
            least = min(least, keys[place])
        if least == NO_PAIR:
            break
        place = least & 0xFFFFFFFF
        gone = after[place]
        tokens[place], tokens[gone], keys[gone] = made[least >> 32], -1, NO_PAIR
        after[place] = after[gone]
        keys[place] = key_of(tokens, place, after[place], merges, ranks)
        if after[place] < len(tokens):
            before[after[place]] = place
        if before[place] >= 0:
            keys[before[place]] = key_of(tokens, before[place], place, merges, ranks)
    return moved_up(tokens)


@ordered
def row_of(characters, start, end, rows):
    """The row of the table where this piece may be: a hash of its characters (FNV-1a, 32 bits)."""
    mixed = 2166136261
    for i in range(start, end):
        mixed = (mixed ^ np.int64(characters[i])) * 16777619 & 0xFFFFFFFF
    return (mixed ^ mixed >> 15) & (rows - 1)


@ordered
def is_same(characters, start, end, row):
    """True if this row of the table is of the same piece, where it stood before."""
    if row[1] - row[0] != end - start:
        return False
    for i in range(end - start):
        if characters[row[0] + i] != characters[start + i]:
            return False
    return True


@twin(plain=piece_ids_plain, nogil=True)
def piece_ids(characters, ends, texts, frames, byte_ids, merges, made, ranks):
    longest, start, rows = 0, 0, 8
    for end in ends:
        longest, start = max(longest, end - start), end
    while rows < min(2 * len(ends), ROWS):
        rows *= 2
    # Where a piece stood last: its characters' start and end, its ids' start and end.
    table = all_none(rows, 4)
    most = 4 * longest      # a character has four bytes at most
    keys, links = np.empty(most, np.int64), np.empty((2, most), np.int64)
    out = np.empty(4 * len(characters) + 2 * len(texts), np.int32)
    size, piece, start = np.int64(0), 0, np.int64(0)
    for text in range(len(texts)):
        if frames[text, 0] >= 0:
            out[size] = frames[text, 0]
            size += 1
        while start < texts[text]:
            end = ends[piece]
            row = table[row_of(characters, start, end, rows)]
            if is_same(characters, start, end, row):
                for i in range(row[2], row[3]):
                    out[size] = out[i]
                    size += 1
            else:
                row[0], row[1], row[2] = start, end, size
                stop = write_bytes(characters, start, end, byte_ids, out, size)
                size += merge_piece(out[size:stop], merges, made, ranks, keys, links)
                row[3] = size
            start, piece = end, piece + 1
        if frames[text, 1] >= 0:
            out[size] = frames[text, 1]
            size += 1
    return out[:size].copy()
