"""Let models answer the world's requests, and compare the scores of two models."""

import numpy as np


def answers(model, requests, rng, *, temperature, max_new_tokens=48):
    """The model's answers to the requests.  Returns (texts, whether each ended with <|end|>)."""
    return model.answer([request.messages() for request in requests], rng,
                        max_new_tokens=max_new_tokens, temperature=temperature)


def win_rate(ours, theirs):
    """Share of prompts on which our score is higher, with a 95% confidence interval.

        rate +- 1.96 s / sqrt(N)

    A win counts 1 point, a tie 1/2 and a loss 0; s is the standard deviation of the points.

    Shapes:  ours (N,), theirs (N,) -> rate, low, high
    """
    points = np.where(ours == theirs, 0.5, ours > theirs)
    half = 1.96 * points.std(ddof=1) / np.sqrt(len(points))
    return float(points.mean()), float(points.mean() - half), float(points.mean() + half)
