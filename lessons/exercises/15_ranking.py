"""Exercises of lesson 15 to be written: fill in, and run  minillm lesson 15 --check"""

import numpy as np


def rank(scores, noise, tie, rng):
    """Rank K answers as a rater does who sees their scores through noise and cannot tell similar ones apart.

        seen_k = score_k + noise * e_k,     e_k a standard normal number, drawn as rng.standard_normal(K)

    The best seen answer has rank 1. Going down, an answer has the rank of the group above it if it lies at most `tie` below
    that group's best member, and else the next rank. So there are no gaps: 1, 1, 2 and not 1, 1, 3.
    Shapes:  scores (K,) -> (K,) int
    """
    raise NotImplementedError


# Hints: shown one at a time by  minillm lesson 15 --check












HINTS = ("Add the noise first, to every score. Everything after that works on what the rater sees, not on the true scores.",
         "Go through the answers from the best seen to the worst. Keep the rank of the current group and the seen score of its "
         "first (best) member; an answer opens a new group only if it is more than `tie` below that member.",
         "seen = scores + noise * rng.standard_normal(len(scores)); for i in np.argsort(-seen, kind='stable'): if it is the "
         "first, rank = 1 and leader = seen[i]; elif leader - seen[i] > tie: rank += 1 and leader = seen[i]; then "
         "ranks[i] = rank")
