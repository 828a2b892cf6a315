"""Clipping by the global norm: one bad batch may not throw the weights away."""

import math

from minillm import tree
from minillm.kernels.adamw import sum_of_squares


def global_norm(grads):
    """sqrt of the sum of squares over all tensors."""
    return math.sqrt(sum(sum_of_squares(leaf.reshape(-1)) for leaf in tree.leaves(grads)))


def clip_scale(norm, limit):
    """What the gradient is multiplied by so that its norm is `limit` at the most: min(1, limit / norm).

    Source:  Pascanu et al. 2012, arXiv:1211.5063, algorithm 1.
    """
    return min(1.0, limit / norm) if norm > 0 else 1.0
