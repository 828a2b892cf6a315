"""Byte-pair encoding of pieces: from characters to token ids.

Inside one piece, the merge of the lowest rank comes first, and of its places the leftmost. Most
pieces are words that came before, so a table holds the ids of pieces that were met.

Source:  Sennrich, Haddow & Birch 2016, arXiv:1508.07909, algorithm 1
"""

import numpy as np

from minillm.kernels.pair_merge import all_none, apply_merges, empty_table, find_pair
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


def piece_ids_plain(characters, ends, texts, frames, byte_ids, merges, first_id, ranks):
    """Ids of texts that are cut into pieces: the bytes of each piece, merged.

    Piece p ends at ends[p], text t at texts[t]. A surrogate stands for a byte that is no UTF-8.
    frames[t] are ids to set before and after text t, -1 for none. byte_ids[b] is the token of byte
    b; merge r makes the token first_id + r. `ranks`: what pair_ranks gives, to find a merge fast.

    Shapes:  characters (N,) int32, ends (P,) int64, texts (T,) int64, frames (T, 2) int32,
             byte_ids (256,) int32, merges (M, 2) int64 -> ids (K,) int32
    """
    text = characters.tobytes().decode("utf-32-le", "surrogatepass")
    pieces = [text[start:end] for start, end in zip([0, *ends[:-1]], ends)]
    found = dict.fromkeys(pieces)       # each piece once
    encoded = [piece.encode("utf-8", "surrogateescape") for piece in found]
    ids = byte_ids[np.frombuffer(b"".join(encoded), np.uint8)]
    number = np.repeat(np.arange(len(encoded)), list(map(len, encoded)))
    ids, number = apply_merges(ids, number, merges, first_id)
    found.update(zip(found, np.split(ids, np.searchsorted(number, np.arange(1, len(found))))))
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
def merge_piece(tokens, merges, first_id, ranks, keys, links):
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
        tokens[place], tokens[gone], keys[gone] = first_id + (least >> 32), -1, NO_PAIR
        after[place] = after[gone]
        keys[place] = key_of(tokens, place, after[place], merges, ranks)
        if after[place] < len(tokens):
            before[after[place]] = place
        if before[place] >= 0:
            keys[before[place]] = key_of(tokens, before[place], place, merges, ranks)
    left = 0
    for place in range(len(tokens)):
        if tokens[place] >= 0:
            tokens[left] = tokens[place]
            left += 1
    return left


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
def piece_ids(characters, ends, texts, frames, byte_ids, merges, first_id, ranks):
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
    made, piece, start = np.int64(0), 0, np.int64(0)
    for text in range(len(texts)):
        if frames[text, 0] >= 0:
            out[made] = frames[text, 0]
            made += 1
        while start < texts[text]:
            end = ends[piece]
            row = table[row_of(characters, start, end, rows)]
            if is_same(characters, start, end, row):
                for i in range(row[2], row[3]):
                    out[made] = out[i]
                    made += 1
            else:
                row[0], row[1], row[2] = start, end, made
                stop = write_bytes(characters, start, end, byte_ids, out, made)
                made += merge_piece(out[made:stop], merges, first_id, ranks, keys, links)
                row[3] = made
            start, piece = end, piece + 1
        if frames[text, 1] >= 0:
            out[made] = frames[text, 1]
            made += 1
    return out[:made].copy()
