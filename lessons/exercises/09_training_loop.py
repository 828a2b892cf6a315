"""Lesson 09, exercise 4: write the function; `minillm lesson 09 --check` says whether it is right."""

import numpy as np


def accumulated(parts):
    """The loss and the gradients of a whole batch, from those of its parts.

        loss = sum_i n_i loss_i / sum_i n_i,     grad = sum_i n_i grad_i / sum_i n_i

    parts: a list of (loss_i, {name: gradient, an array}, n_i tokens that count), each a mean over its own tokens. A part in
    which no token counts (n_i = 0) has a loss that is not a number; it must not matter.
    Returns (loss, {name: gradient}). The parts are not changed.
    """
    raise NotImplementedError












# Hints, shown one at a time by `minillm lesson 09 --check`.
HINTS = (
    "The loss of a batch is the mean over its tokens. A part's loss is a mean too, over fewer tokens. How do you get a sum back "
    "from a mean?",
    "Multiply each part's loss and gradients by its number of tokens, add them up, and divide by the number of all tokens. A "
    "mean of the parts' means would give the tokens of short parts too much weight.",
    "Leave out the parts with n = 0 first, as 0 times not-a-number is not a number. Then tokens = sum(n for _, _, n in parts), "
    "loss = sum(n * loss for loss, _, n in parts) / tokens, and for each name sum(n * grads[name] for _, grads, n in parts) / "
    "tokens.",
)
