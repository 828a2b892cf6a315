"""How many sequences are computed at once where no gradient is needed.

A batch is cut where it would take more than a gigabyte. The models that are trained here are small
and never reach that; those that others trained do, on whole contexts.
"""

from minillm.model.size import decoding_bytes, scoring_bytes

AT_ONCE = 1e9       # bytes that a batch may take


def tokens_scored(config, targets=0.0):
    """Tokens of a forward pass alone that take AT_ONCE.

    targets: the share of them that have logits.
    """
    return int(AT_ONCE / scoring_bytes(config, 1, targets))


def rows_answered(config, rows, prompt, new):
    """At most `rows` answers, of `new` tokens to prompts of `prompt` tokens, that take AT_ONCE."""
    length = min(prompt + new, config.context)
    return max(1, min(rows, int(AT_ONCE / decoding_bytes(config, 1, 1, prompt, length))))


def parts(lengths, rows, tokens):
    """Yield slices of consecutive sequences, each of one sequence or more.

    At most `rows` of them, and at most `tokens` tokens when they are padded to the longest.
    lengths: of the sequences, in tokens
    """
    start = 0
    while start < len(lengths):
        end, longest = start, 0
        while end < min(start + rows, len(lengths)):
            longest = max(longest, lengths[end])
            if end > start and (end + 1 - start) * longest > tokens:
                break
            end += 1
        yield slice(start, end)
        start = end
