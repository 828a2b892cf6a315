"""Byte-pair encoding of one piece as a textbook has it, for kernels to be held against."""


def textbook_merges(tokens, ranks, first_id):
    """Find the lowest rank in the piece, merge its first place, look again.  ranks: {(left, right): rank}"""
    while True:
        here = [(ranks[pair], i) for i, pair in enumerate(zip(tokens, tokens[1:])) if pair in ranks]
        if not here:
            return tokens
        rank, i = min(here)
        tokens = tokens[:i] + [first_id + rank] + tokens[i + 2:]
