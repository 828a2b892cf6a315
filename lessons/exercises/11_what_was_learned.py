"""Lesson 11, exercise 4: write the function; `minillm lesson 11 --check` says whether it is right."""

import numpy as np


def ending_logprob(logits, tokens, start):
    """How likely a model finds an ending, after its context:  sum over t >= start of log p(token t | tokens before t).

    logits: the model's logits after each token of context and ending; tokens: their ids; start: the place of the
    ending's first token, at least 1.
    Shapes:  logits (T, V), tokens (T,) -> a number, at most 0 (nats)
    """
    raise NotImplementedError












# Hints, shown one at a time by `minillm lesson 11 --check`.
HINTS = (
    "The logits at position t are the model's guess about token t + 1 (lesson 03). Which row of the logits judges the first "
    "token of the ending?",
    "log softmax(z)_j = z_j - log sum_i exp(z_i). Subtract the largest logit of a row first, so that exp cannot overflow.",
    "rows = logits[start - 1:-1]; z = rows - rows.max(axis=1, keepdims=True); logp = z - np.log(np.exp(z).sum(axis=1, "
    "keepdims=True)); the answer is the sum of logp[i, tokens[start + i]].",
)
