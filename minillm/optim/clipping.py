"""Clipping by the global norm, so that one bad batch cannot move the weights far."""

import math

from minillm import tree
from minillm.kernels.adamw import sum_of_squares


def global_norm(grads):
    """Norm of all gradients together:  sqrt(sum over tensors of sum g^2)."""
    return math.sqrt(sum(sum_of_squares(leaf.reshape(-1)) for leaf in tree.leaves(grads)))


def clip_scale(norm, limit):
    """The factor that brings the gradient's norm down to `limit`:  min(1, limit / norm).

    Source:  Pascanu et al. 2012, arXiv:1211.5063, algorithm 1.
    """
    return min(1.0, limit / norm) if norm > 0 else 1.0
