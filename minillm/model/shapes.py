"""The shapes of a model's parameters: initialization is not run for weights that are read."""

from dataclasses import replace

import numpy as np

from minillm import tree
from minillm.model.transformer import transformer_init


class Zeros:
    """In place of a random generator."""

    @staticmethod
    def standard_normal(shape):
        """Zeros, which are not drawn."""
        return np.zeros(shape, np.float32)


def parameter_shapes(config):
    """A tree of zeros like transformer_init's, in no memory: each array is one number, repeated.

    All blocks have the same shapes, so one is made; so is one row of the tables.
    """
    made = transformer_init(replace(config, layers=1, vocab_size=1), Zeros())
    tables = {"token": config.vocab_size, "weight": config.vocab_size}     # the embedding, the head

    def with_rows(part):
        return {name: zeros(tables.get(name, len(leaf)), *leaf.shape[1:])
                for name, leaf in part.items()}
    block = tree.tree_map(lambda leaf: zeros(*leaf.shape), made["blocks"][0])
    return {**made, "blocks": [block] * config.layers,
            **{name: with_rows(made[name]) for name in ("embedding", "head") if name in made}}


def zeros(*shape):
    """A float32 array of zeros that takes the memory of one number."""
    return np.broadcast_to(np.float32(0), shape)
