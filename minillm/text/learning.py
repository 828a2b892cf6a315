"""Learns a vocabulary from texts: counts pieces (words), then merges the most frequent pairs."""

from collections import Counter

import numpy as np

from minillm.formats.tokenizer_json import CONTROL
from minillm.kernels.pair_merge import learn_merges
from minillm.text.pieces import replace_surrogates, split_pieces, text_bytes
from minillm.text.tokenizer import KINDS, Tokenizer

# Of distinct pieces that a vocabulary is learned from. Learning takes about 50 bytes for each.
LEARNED_BYTES = 1 << 24


def train_tokenizer(texts, vocab_size=None, kind="bpe"):
    """Learn a vocabulary from texts.

    "bpe": all 256 bytes, then merges of the most frequent pair up to vocab_size, or until no pair
    occurs twice. "characters": the bytes that occur, and no merges; vocab_size is only a limit.
    Of more than 16 MB of distinct pieces (words), the rarest are not used.

    Raises:  ValueError if vocab_size is too small, or there is no text
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; a tokenizer is one of {', '.join(KINDS)}")
    if isinstance(texts, str):
        raise ValueError("texts is one string; pass a list of texts")
    counts = Counter()
    for text in map(replace_surrogates, texts):
        counts.update(split_pieces(text) if kind == "bpe" else text)
    if not counts:
        raise ValueError("there is no text to train a tokenizer on; is the corpus empty?")
    alphabet = bytes(range(256)) if kind == "bpe" else bytes(sorted(set("".join(counts).encode())))
    least = len(CONTROL) + len(alphabet)
    vocab_size = least if vocab_size is None and kind == "characters" else vocab_size
    if vocab_size is None or vocab_size < least:
        raise ValueError(f"vocab_size is {vocab_size}; {len(CONTROL)} control tokens and "
                         f"{len(alphabet)} single bytes need at least {least}")
    plain = Tokenizer(kind, alphabet)
    if kind == "characters":
        return plain
    counts = _most_frequent(counts, LEARNED_BYTES)
    ids, piece = _lay_out(counts, plain._byte_ids)
    weights = np.fromiter(counts.values(), np.int64, len(counts))
    limit = min(vocab_size - least, len(ids))  # a merge removes a token, so there can be no more
    merges = learn_merges(ids, piece, weights, least, limit)
    return Tokenizer(kind, alphabet, tuple(map(tuple, merges.tolist())))


def _most_frequent(counts, size):
    """The counts of as many pieces as `size` bytes hold: all, or the most frequent ones."""
    if sum(map(len, counts)) * 4 <= size or sum(map(text_bytes, counts)) <= size:
        return counts
    kept, left = {}, size
    for piece in sorted(counts, key=lambda piece: (-counts[piece], piece)):
        left -= text_bytes(piece)
        if left < 0:
            return kept
        kept[piece] = counts[piece]


def _lay_out(pieces, byte_ids):
    """The byte tokens of all pieces, end to end, and the number of the piece that each is in."""
    encoded = [piece.encode("utf-8", "surrogateescape") for piece in pieces]
    ids = byte_ids[np.frombuffer(b"".join(encoded), np.uint8)]
    return ids, np.repeat(np.arange(len(encoded), dtype=np.int32), list(map(len, encoded)))
