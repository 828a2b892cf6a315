"""Which examples a model's context holds: decided before the first step, held-out ones included."""

from minillm.text.corpus import unsaid


LONGER = "pretrain with --model.context"         # what gives a model a longer context


def that_fit(parts, rows_of, context, note=unsaid, *, room=0, least=1, longer_by=LONGER):
    """The examples of each part whose rows of tokens all fit the context, as one list a part.

    parts: what they are -> examples, like {"rankings": [...], "held-out rankings": [...]}
    rows_of(example) -> [(T,) token ids]; room: tokens that each row must leave for an answer.
    note: called with a line that counts those left out, if there are any.
    longer_by: what gives the model a context of so many tokens.

    Raises:  ValueError if fewer than `least` of a part fit, with the context that they need, or if
             an example has no rows (as its text is not in the vocabulary), with its number
    """
    limit = f"the context of {context} tokens"
    kept, counts = [], []
    for what, examples in parts.items():
        lengths = [length + room for length in _longest(what, examples, rows_of)]
        fit = [example for example, length in zip(examples, lengths) if length <= context]
        if len(fit) < least:
            answer = f" with {room} tokens of an answer" if room else ""
            apart = f", and {least} are needed, as some are held out" if least > 1 else ""
            longer = max(sorted(lengths)[:least], default=context)
            raise ValueError(f"{len(fit) or 'none'} of {len(examples):,} {what} fits {limit}"
                             f"{answer}{apart}; use shorter ones, or "
                             f"{longer_by} {longer} or more")
        if len(fit) < len(examples):
            counts.append(f"{len(examples) - len(fit):,} of {len(examples):,} {what}")
        kept.append(fit)
    if counts:
        problem = f"leave no room for an answer in {limit}" if room else f"are longer than {limit}"
        note(f"{' and '.join(counts)} {problem} and were left out")
    return kept


def _longest(what, examples, rows_of):
    """Yield how many tokens the longest row of each example has."""
    for number, example in enumerate(examples, start=1):
        try:
            yield max(map(len, rows_of(example)))
        except ValueError as error:
            raise ValueError(f"number {number} of {len(examples):,} {what}: {error}") from None
