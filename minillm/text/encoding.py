"""Byte-pair encoding of many texts: in groups of bounded size, on all threads.

A group is a task of a thread. Its ids depend on its texts alone, so the ids of all texts are the
same for any number of threads.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numba
import numpy as np

from minillm.kernels.piece_ids import pair_ranks, piece_ids
from minillm.text import pieces

NONE = -1       # in place of an id before or after a text


class Merges(NamedTuple):
    """What encoding needs of a vocabulary."""
    byte_ids: np.ndarray    # (256,) int32, the token of each byte
    pairs: np.ndarray       # (M, 2) int64, the tokens that each merge joins
    made: np.ndarray        # (M,) int32, the token that each merge makes
    ranks: np.ndarray       # hash table from a pair to its merge


def merges_of(byte_ids, pairs, made):
    """Make the table of the merges, once for a vocabulary."""
    pairs = np.array(pairs, np.int64).reshape(-1, 2)
    return Merges(byte_ids, pairs, np.array(made, np.int32), pair_ranks(pairs))


def encode_texts(texts, merges, before=NONE, after=NONE):
    """Return the ids of texts end to end, with an id before and after each (NONE: without).

    Shapes:  -> ids (N,) int32
    """
    def encode(group):
        return encode_group(*group, merges, before, after)

    groups = list(groups_of(texts))
    workers = min(len(groups), numba.get_num_threads())
    if workers > 1:
        with ThreadPoolExecutor(workers) as pool:
            found = list(pool.map(encode, groups))
    else:
        found = list(map(encode, groups))
    return found[0] if len(found) == 1 else np.concatenate([np.empty(0, np.int32), *found])


def groups_of(texts):
    """Yield (texts, True if the first one begins here, True if the last one ends here).

    A group has CHARACTERS_A_CALL characters, or a few more, or its last text has more. A text that
    is too long goes on in the next group.
    """
    group, size, begins = [], 0, True
    for text in texts:
        *cut, rest = pieces.parts_of(text)
        for part in cut:
            yield [*group, part], begins, False
            group, size, begins = [], 0, False
        group.append(rest)
        size += len(rest)
        if size >= pieces.CHARACTERS_A_CALL:
            yield group, begins, True
            group, size, begins = [], 0, True
    if group:
        yield group, begins, True


def encode_group(texts, begins, ends, merges, before, after):
    """The ids of one group."""
    frames = np.full((len(texts), 2), (before, after), np.int32)
    if not begins:
        frames[0, 0] = NONE
    if not ends:
        frames[-1, 1] = NONE
    characters, stops, text_stops = pieces.find_pieces(texts)
    return piece_ids(characters, stops, text_stops, frames, *merges)
