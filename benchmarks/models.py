"""The four models that are measured, and a training step of theirs as minillm takes it."""

import time
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from minillm.config import GPT2, ModelConfig
from minillm.model.transformer import one_document, transformer_init
from minillm.objectives.next_token import next_token_objective
from minillm.phases.pretrain import PretrainConfig
from minillm.text.batches import Batch
from minillm.training.loop import train


class Shape(NamedTuple):
    """A model of the GPT-2 family and the batch that it trains on."""
    B: int              # sequences a step
    T: int              # tokens a sequence, and the context
    layers: int
    heads: int
    C: int              # width
    V: int              # vocabulary


MODELS = {"micro": Shape(12, 64, 4, 4, 128, 65),
          "mini": Shape(16, 128, 6, 6, 192, 2048),
          "baby": Shape(8, 256, 6, 6, 384, 65),
          "gpt2": Shape(4, 64, 12, 12, 768, 50257)}
TINY = Shape(2, 16, 1, 2, 32, 65)       # for --quick, and to start threads and kernels before memory is measured

# A constant learning rate: the sides must take the same steps, and no figure depends on it.
SETTINGS = PretrainConfig(steps=1, lr=1e-3, final_lr=1.0, warmup_share=0, beta1=0.9, beta2=0.95, weight_decay=0.1,
                          clip=1.0)


def config_of(shape):
    """Learned positions, LayerNorm, GELU, no biases, one table for embedding and head, hidden 4 C."""
    return ModelConfig(vocab_size=shape.V, context=shape.T, layers=shape.layers, width=shape.C, heads=shape.heads,
                       kv_heads=shape.heads, hidden=4 * shape.C, **{**GPT2, "bias": False})


def parameters_without_positions(shape):
    """N of the count of operations: a position is looked up, never multiplied."""
    return shape.C * (shape.V + shape.layers * (12 * shape.C + 2) + 1)


def flops_a_token(shape):
    """Floating-point operations that a training step needs for each token: 6 N + 12 L C T.

    Source:  Chowdhery et al. 2022, arXiv:2204.02311, appendix B.
    """
    return 6 * parameters_without_positions(shape) + 12 * shape.layers * shape.C * shape.T


def tokens_of(shape, step):
    """Tokens and targets of a step, new ones each time: a batch seen again and again would be learned by heart.

    Shapes:  -> (2, B, T) int32
    """
    return np.random.default_rng([1, step]).integers(0, shape.V, (2, shape.B, shape.T), np.int32)


class Stepping:
    """What all sides that take training steps have: `steps(n)` is theirs, the clock is here."""

    def seconds(self, n):
        """Seconds a step, after an untimed one that wakes the threads and fills the caches."""
        self.steps(1)
        began = time.perf_counter()
        self.steps(n)
        return (time.perf_counter() - began) / n


class Training(Stepping):
    """Training as every phase of minillm does it: training.loop with the objective of the next token."""
    precision = "float32"

    def build(self, shape):
        """Make a new model."""
        self.shape, config = shape, config_of(shape)
        self.params = transformer_init(config, np.random.default_rng(0))
        self.objective = partial(next_token_objective, config=config, precision=self.precision)
        self.state, self.done = None, 0

    def batch_at(self, step):
        """One batch, in which every target counts and every token sees all before it."""
        tokens, targets = tokens_of(self.shape, step)
        return [Batch(tokens, targets, np.ones(tokens.shape, np.float32), *one_document(tokens))]

    def steps(self, n):
        """Take n steps: forward, backward, clipping, AdamW.  Returns their losses"""
        losses = []
        self.state = train(self.params, replace(SETTINGS, steps=self.done + n), self.batch_at, self.objective,
                           state=self.state, watch=lambda state, record: losses.append(record["loss"]))
        self.done += n
        return losses


class BFloat16Training(Training):
    """The same with the factors of matrix products in bfloat16."""
    precision = "bfloat16"
