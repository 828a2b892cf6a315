"""Answers against the world's truth: how many are right, how good they are, and who wins."""

import numpy as np


def answers(model, requests, rng, *, temperature, max_new_tokens=48):
    """The model's answers to the world's requests.  Returns (texts, whether each ended by itself)."""
    return model.answer([request.messages() for request in requests], rng, max_new_tokens=max_new_tokens,
                        temperature=temperature)


def win_rate(ours, theirs):
    """Share of prompts on which our score is higher, ties half, with its 95% interval.

        rate +- 1.96 s / sqrt(N),     s the standard deviation of the points (1, 1/2, 0)

    Shapes:  (N,), (N,) -> rate, low, high
    """
    points = np.where(ours == theirs, 0.5, ours > theirs)
    half = 1.96 * points.std(ddof=1) / np.sqrt(len(points))
    return float(points.mean()), float(points.mean() - half), float(points.mean() + half)
