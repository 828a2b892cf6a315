"""Encoding by a vocabulary that another project made: a regex splits, then pieces are merged.

The pieces of such a splitter have no longest one, so a text without a blank is one piece.
"""

import numpy as np

from minillm.formats.splitters import SPLITTERS
from minillm.kernels.merge_pieces import merge_pieces
from minillm.kernels.piece_ids import pair_ranks
from minillm.kernels.split import compiled

REMEMBERED = 50_000     # pieces whose ids are kept
LONGEST_KEPT = 40       # characters of such a piece


class Encoder:
    """What encoding by an imported vocabulary needs, made once."""

    def __init__(self, merges, imported):
        self.pairs = np.array(merges, np.int64).reshape(-1, 2)
        self.made = np.array(imported.made, np.int32)
        self.ranks = pair_ranks(self.pairs)
        control = set(imported.control.values())
        ids = {token: id for id, token in enumerate(imported.tokens) if id not in control}
        self.byte_ids = np.array([ids.get(bytes([byte]), -1) for byte in range(256)], np.int32)
        self.ids = ids if imported.whole else {}
        self.pattern = compiled(SPLITTERS[imported.splitter].pattern)
        self.known = {}         # piece -> its ids

    def encode(self, text):
        """The ids of a text without surrogates, or with such as stand for bytes that are no UTF-8.

        A byte that has no token is left out, as the `tokenizers` library does.
        Shapes:  -> (T,) int32
        """
        pieces = self.pattern.findall(text)
        new = {piece: piece.encode("utf-8", "surrogateescape") for piece in dict.fromkeys(pieces)
               if piece not in self.known}
        found = dict(zip(new, self._merged(list(new.values()))))
        for piece, ids in found.items():
            if len(self.known) < REMEMBERED and len(piece) <= LONGEST_KEPT:
                self.known[piece] = ids.copy()      # of its own, not a part of all ids
        parts = [found[piece] if piece in found else self.known[piece] for piece in pieces]
        return np.concatenate([np.empty(0, np.int32), *parts])

    def _merged(self, pieces):
        """The ids of each piece, which is bytes."""
        lengths = np.fromiter(map(len, pieces), np.int64, len(pieces))
        tokens = self.byte_ids[np.frombuffer(b"".join(pieces), np.uint8)]
        known = tokens >= 0
        ends = np.concatenate([[0], np.cumsum(known)])[np.cumsum(lengths)]
        ids, ends = merge_pieces(tokens[known], ends, self.pairs, self.made, self.ranks)
        merged = np.split(ids, ends[:-1])
        if self.ids:
            for number, piece in enumerate(pieces):
                if piece in self.ids:
                    merged[number] = np.array([self.ids[piece]], np.int32)
        return merged
