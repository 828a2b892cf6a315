"""The families of models that Hugging Face's transformers has too: their parts, and the keys of
their config.json.

They are those of LlamaConfig, MixtralConfig, GPT2Config and GPTNeoConfig; a mix of parts
that none of them has is of the family "minillm". One table a family serves both directions.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from minillm.config import GPT2
from minillm.formats.tokenizer_config import SPECIAL_IDS

DENSE = dict(window=0, experts=0)       # neither Llama nor GPT-2 has local attention or experts
LEARNED = {name: value for name, value in GPT2.items() if name != "tied"}   # GPT-2 and GPT-Neo


class Key(NamedTuple):
    """One setting in a family's config.json."""
    names: tuple            # the first is written, all are read; a.b: key b of the object a
    ours: str | Callable    # the attribute of ModelConfig that it holds, or a function of it; "":
    #                         it has one value only
    missing: object         # what leaving it out means, which is that one value for ours == "";
    #                         None: it follows from the others
    written: bool = True
    same: tuple = ()        # other words for the one value
    why: str = ""           # what another value would be, for the message that refuses it


class Family(NamedTuple):
    """The models of one class of the transformers library."""
    architecture: str
    parts: dict             # the fields of ModelConfig that all of them share
    keys: tuple
    fits: Callable = lambda config: True        # whether the rest of a ModelConfig does too
    exact: Callable = lambda config: True       # whether its tensors hold our weights bit for bit


def key(names, ours, missing, written=True, same=(), why=""):
    """A Key; names: separated by spaces."""
    return Key(tuple(names.split()), ours, missing, written, same, why)


def off(names, why=""):
    """A Key that is not written and may only be false."""
    return key(names, "", False, written=False, why=why)


# The ids are those of a tokenizer that minillm learned; a model of others has its own.
SPECIAL = tuple(key(name, "", token) for name, token in SPECIAL_IDS.items())
COMMON = (*SPECIAL, off("is_encoder_decoder", "an encoder beside the decoder"),
          off("use_sliding_window", "attention to a window"))
GELU_TANH = ("gelu_pytorch_tanh", "gelu_fast")
EXACT_GELU = "'gelu' is the exact form, with erf; the others are its tanh form"
EVERY_SECOND = "every second block sees a window, the first the whole context"


def rotary_keys(hidden, kv_heads, context, norm_eps, rope_theta):
    """The keys that LlamaConfig and MixtralConfig share; the arguments: what missing ones mean."""
    return (
        key("vocab_size", "vocab_size", 32000),
        key("hidden_size", "width", 4096),
        key("intermediate_size", "hidden", hidden),
        key("num_hidden_layers", "layers", 32),
        key("num_attention_heads", "heads", 32),
        key("num_key_value_heads", "kv_heads", kv_heads),
        key("head_dim", "head_size", None, why="heads that do not share the width equally"),
        key("max_position_embeddings", "context", context),
        key("rms_norm_eps", "norm_eps", norm_eps),
        key("rope_theta rope_parameters.rope_theta", "rope_theta", rope_theta),
        key("tie_word_embeddings", "tied", False),
        key("hidden_act", "", "silu", same=("swish",),
            why="another activation of the feed-forward"),
        off("rope_interleaved", "pairs of neighbouring channels rotate together"),
        off("add_cross_attention", "attention to an encoder"),
        key("rope_scaling.rope_type rope_scaling.type rope_parameters.rope_type "
            "rope_parameters.type", "", "default", written=False,
            why="positions stretched for a longer context"),
        key("rope_parameters.partial_rotary_factor partial_rotary_factor", "", 1.0, written=False,
            why="channels that are not rotated"))


ROTARY = dict(norm="rmsnorm", position="rope", activation="swiglu", bias=False)

LLAMA = Family("LlamaForCausalLM", {**ROTARY, **DENSE}, (
    *rotary_keys(11008, lambda read: read["heads"], 2048, 1e-6, 10_000.0),
    key("attention_bias", "", False, why="biases in the projections of attention alone"),
    key("mlp_bias", "", False, why="biases in the feed-forward alone"),
    key("pretraining_tp", "", 1, why="products that are summed in parts"),
    *COMMON))

# At the same weight, transformers' balancing loss is not quite ours: it takes all layers together
# and counts every choice, K times what one layer has here. Neither changes a logit.
MIXTRAL = Family("MixtralForCausalLM", {**ROTARY, "window": 0}, (
    *rotary_keys(14336, 8, 131_072, 1e-5, 1e6),
    key("num_local_experts", "experts", 8),
    key("num_experts_per_tok", "active_experts", 2),
    key("router_aux_loss_coef", "balance", 0.001),
    *COMMON), fits=lambda config: config.experts > 0)

GPT2LM = Family("GPT2LMHeadModel", {**LEARNED, **DENSE, "qkv_bias": True}, (
    key("vocab_size", "vocab_size", 50257),
    key("n_embd", "width", 768),
    key("n_inner", "hidden", lambda read: 4 * read["width"]),
    key("n_layer", "layers", 12),
    key("n_head", "heads", 12),
    key("n_head", "kv_heads", 12),
    key("n_positions n_ctx", "context", 1024),
    key("layer_norm_epsilon", "norm_eps", 1e-5),
    key("tie_word_embeddings", "tied", True),
    key("activation_function", "", "gelu_new", same=GELU_TANH, why=EXACT_GELU),
    key("scale_attn_weights", "", True, why="scores without 1 / sqrt(D)"),
    key("scale_attn_by_inverse_layer_idx", "", False, why="scores divided by the block's number"),
    key("add_cross_attention", "", False, why="attention to an encoder"),
    key("n_special", "", 0, written=False, why="further rows of the embedding"),
    *COMMON), fits=lambda config: config.kv_heads == config.heads)


def attention_layers(config):
    """What a block sees, block by block, in GPT-Neo's words."""
    return [("global", "local")[layer % 2] for layer in range(config.layers)]


def attention_types(config):
    """The same in pairs (pattern, how often), as GPTNeoConfig takes it."""
    pairs, rest = divmod(config.layers, 2)
    return [[["global", "local"], pairs]] * (pairs > 0) + [[["global"], 1]] * rest


def root_is_power_of_two(config):
    """Whether a product with sqrt(D), which GPT-Neo's queries contain, rounds nothing."""
    root = math.isqrt(config.head_size)
    return root * root == config.head_size and root & (root - 1) == 0


GPT_NEO = Family("GPTNeoForCausalLM", {**LEARNED, "experts": 0, "qkv_bias": False}, (
    key("vocab_size", "vocab_size", 50257),
    key("hidden_size", "width", 2048),
    key("intermediate_size", "hidden", lambda read: 4 * read["width"]),
    key("num_layers", "layers", 24),
    key("num_heads", "heads", 16),
    key("num_heads", "kv_heads", 16),
    key("max_position_embeddings", "context", 2048),
    key("window_size", "window", 256),
    key("layer_norm_epsilon", "norm_eps", 1e-5),
    key("tie_word_embeddings", "tied", True),
    key("attention_types", attention_types, [[["global", "local"], 12]], why=EVERY_SECOND),
    key("attention_layers", attention_layers, None, why=EVERY_SECOND),
    key("activation_function", "", "gelu_new", same=GELU_TANH, why=EXACT_GELU),
    *COMMON), fits=lambda config: config.kv_heads == config.heads and config.window > 0,
    exact=root_is_power_of_two)

MIXED = Family("", {}, (key("vocab_size", "vocab_size", None),
                        key("tie_word_embeddings", "tied", None), *COMMON))

FAMILIES = {"llama": LLAMA, "mixtral": MIXTRAL, "gpt2": GPT2LM, "gpt_neo": GPT_NEO,
            "minillm": MIXED}


def family(config):
    """The name of the family in whose format a model is written, bit for bit; "minillm" for a mix
    of parts that none has.
    """
    return next(name for name, each in FAMILIES.items()
                if belongs(config, each) and each.exact(config))


def belongs(config, family):
    """Whether a ModelConfig is one of a Family; every one is of MIXED."""
    return family.fits(config) and all(getattr(config, part) == value
                                       for part, value in family.parts.items())


def held(row, config):
    """The value of a Key for this ModelConfig."""
    if callable(row.ours):
        return row.ours(config)
    return getattr(config, row.ours) if row.ours else row.missing
