"""Lesson 10, exercise 4: write the function; `minillm lesson 10 --check` says whether it is right."""

import numpy as np


def next_token_probs(logits, temperature=1.0, top_k=0, top_p=1.0):
    """The distribution that the next token is drawn from.

        p = softmax(logits / temperature), cut to the top_k likeliest tokens (0: no cut), divided by their sum,
        then cut to the fewest likeliest tokens whose sum reaches top_p, divided by their sum

    Temperature is above 0 here. Of tokens that are equally likely, those with the lowest ids are kept.
    Shapes:  logits (B, V) -> (B, V), rows sum to 1
    """
    raise NotImplementedError












# Hints, shown one at a time by `minillm lesson 10 --check`.
HINTS = (
    "Work on one row first, and in three stages: temperature, then top-k, then top-p. Each stage must leave a distribution.",
    "A token that is cut has the logit -inf: exp makes it 0. For top-p, sort the probabilities from large to small and keep a "
    "token as long as the sum of those before it is still below top_p.",
    "order = np.argsort(-probs, axis=1, kind='stable'); ranked = np.take_along_axis(probs, order, axis=1); "
    "ranked[np.cumsum(ranked, axis=1) - ranked >= top_p] = 0; np.put_along_axis(probs, order, ranked, axis=1); then divide "
    "each row by its sum.",
)
