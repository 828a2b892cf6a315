"""Models small enough for a test, in which every size is another number, so that no swapped axis can pass."""

from functools import cache

import numpy as np

from minillm import tree
from minillm.config import ModelConfig
from minillm.model.language_model import LanguageModel
from minillm.model.transformer import transformer_init
from minillm.text.batches import Batch, positions_from
from minillm.text.learning import train_tokenizer

SIZES = dict(vocab_size=13, context=16, layers=2, width=60, heads=6, kv_heads=3, hidden=11,          # D = 10
             tied=True, rope_theta=10_000.0)
GPT2 = dict(norm="layernorm", position="learned", activation="gelu", bias=True, kv_heads=6)
PRESETS = {
    "llama": {},
    "gpt2": GPT2,
    "gpt2 without biases": {**GPT2, "bias": False},
    "untied": {"tied": False},
    "one key for all heads": {"kv_heads": 1},
    "a key for each head": {"kv_heads": 6},
    "rmsnorm, learned, gelu, bias": {**GPT2, "norm": "rmsnorm", "kv_heads": 2},
    "layernorm, rope, swiglu, bias, untied": {"norm": "layernorm", "bias": True, "tied": False},
    "layernorm, rope, gelu": {"norm": "layernorm", "activation": "gelu"},
    "rmsnorm, learned, swiglu": {"position": "learned"},
    "gpt3": {**GPT2, "window": 3},                                                  # its second block has the window
    "gpt_neo": {**GPT2, "window": 3, "qkv_bias": False, "width": 64, "heads": 4, "kv_heads": 4},    # D = 16: exact in files
    "window and rope": {"window": 2},
    "experts": {"experts": 4, "balance": 0.3},
    "one expert of three, gelu, bias, window": {**GPT2, "experts": 3, "active_experts": 1, "window": 4},
}


def config(preset="llama", **changes):
    """The configuration of a tiny model."""
    return ModelConfig(**{**SIZES, **PRESETS[preset], **changes})


def lively(params, rng, dtype=np.float64):
    """Parameters of ordinary size: at a first model's 0.02 most gradients are lost in rounding.

    Gains lie around 1. Embeddings are about 1, so that a step of 1e-5 hardly bends the norm behind them.
    """
    def draw(leaf, scale):
        return (scale * rng.standard_normal(leaf.shape) + (leaf == 1)).astype(dtype)
    return {name: tree.tree_map(lambda leaf: draw(leaf, 1.0 if name == "embedding" else 0.15), part)
            for name, part in params.items()}


def params(config, seed=0, dtype=np.float64):
    """Random parameters of a model, norms' gains around one."""
    rng = np.random.default_rng(seed)
    return lively(transformer_init(config, rng), rng, dtype)


def visible_from_of_each_kind():
    """Plain, packed (3 + 4), left padded by 2, right padded by 3: (4, 7), one row each."""
    return np.array([[0, 0, 0, 0, 0, 0, 0],
                     [0, 0, 0, 3, 3, 3, 3],
                     [2, 2, 2, 2, 2, 2, 2],
                     [0, 0, 0, 0, 7, 7, 7]], np.int32)


def batch(config, seed=0):
    """A batch with one row of each kind; pads do not count, and neither does what a mask leaves out."""
    rng = np.random.default_rng(seed)
    visible_from = visible_from_of_each_kind()
    shape = visible_from.shape
    tokens, targets = rng.integers(0, config.vocab_size, (2, *shape)).astype(np.int32)
    real = visible_from <= np.arange(shape[1])
    weights = (real & (rng.random(shape) < 0.7)).astype(np.float32)
    return Batch(tokens, targets, weights, positions_from(visible_from), visible_from)


TEXT = "the cat sat on the mat. the dog sat on the log. a cat and a dog met."


@cache
def tokenizer():
    """Characters of a few sentences: small, and not the vocabulary of SIZES."""
    return train_tokenizer([TEXT], kind="characters")


def model(preset="llama", seed=0, fresh=False, **changes):
    """A LanguageModel in float32; fresh: with a first model's small weights."""
    shape = config(preset, vocab_size=tokenizer().vocab_size, **{"context": 32, **changes})
    start = transformer_init(shape, np.random.default_rng(seed)) if fresh else params(shape, seed, np.float32)
    start["embedding"]["token"] *= np.float32(1 if fresh else 0.3)      # logits of about 2, as after training
    return LanguageModel(start, shape, tokenizer())


def prompts(seed=0, lengths=(3, 9, 1, 6)):
    """Token rows of unequal lengths, without control tokens."""
    rng = np.random.default_rng(seed)
    return [rng.integers(6, tokenizer().vocab_size, n).astype(np.int32) for n in lengths]
