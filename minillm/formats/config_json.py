"""config.json: a ModelConfig as the keys of a configuration of Hugging Face's, and back.

The families are those of LlamaConfig, MixtralConfig, GPT2Config and GPTNeoConfig.

One table a family serves both directions. The ModelConfig is also written as it is, in a section
"minillm": a mix of parts that no family has needs it, and a key that another program changed then
disagrees with it. transformers 4 and 5 keep the section when they save a model again; without it,
the family's keys alone say what the model is, as in the files of models that others trained.
"""

import math
from collections.abc import Callable
from dataclasses import fields
from typing import NamedTuple

from minillm.config import (GPT2, KINDS, ModelConfig, as_dict, did_you_mean, dotted,
                            require)
from minillm.formats.tokenizer_config import SPECIAL_IDS

ROPE_LAYOUT = "half"        # channels i and i + D/2 rotate together, as in Llama on Hugging Face
FIELDS = {item.name: type(item.default) for item in fields(ModelConfig)}
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

# Keys that do not change the model's logits. Any other that is in no table may, so it is refused.
HARMLESS = frozenset("""
    _attn_implementation _attn_implementation_autoset _attn_implementation_internal _commit_hash
    _flash_attn_2_enabled _name_or_path _num_labels architectures attention_dropout
    attn_implementation attn_pdrop chunk_size_feed_forward classifier_dropout
    decoder_start_token_id dtype embd_pdrop embed_dropout
    finetuning_task gradient_checkpointing id2label initializer_range is_decoder is_llama_config
    label2id max_sequence_length minillm model_max_length model_type neftune_noise_alpha num_labels
    output_attentions output_hidden_states output_past output_router_logits predict_special_tokens
    prefix problem_type reorder_and_upcast_attn resid_dropout resid_pdrop return_dict
    router_jitter_noise sep_token_id summary_activation
    summary_first_dropout summary_proj_to_labels summary_type summary_use_proj task_specific_params
    tf_legacy_loss tie_encoder_decoder tokenizer_class torch_dtype torchscript transformers
    transformers_version unsloth_fixed unsloth_version use_bfloat16 use_cache
    """.split())
# How transformers samples, which it once kept in config.json too. minillm has flags for it.
SAMPLING = frozenset("""
    bad_words_ids begin_suppress_tokens diversity_penalty do_sample early_stopping
    encoder_no_repeat_ngram_size exponential_decay_length_penalty forced_bos_token_id
    forced_eos_token_id length_penalty max_length max_new_tokens min_length no_repeat_ngram_size
    num_beam_groups num_beams num_return_sequences output_scores remove_invalid_values
    repetition_penalty return_dict_in_generate suppress_tokens temperature top_k top_p typical_p
    """.split())

# What well-known keys stand for that minillm does not compute: (what it is, what minillm does).
FOREIGN = {
    "rope_scaling": ("positions stretched for a longer context", "rotates by the position itself"),
    "rope_parameters": ("another form of rotary positions", "rotates by the position itself"),
    "sliding_window": ("attention to a window", "attends to the whole context"),
    "attention_chunk_size": ("attention inside chunks", "attends to the whole context"),
    "quantization_config": ("weights stored in few bits",
                            "reads float32, bfloat16 and float16, and some GGUF files"),
    "compression_config": ("weights stored in few bits",
                           "reads float32, bfloat16 and float16, and some GGUF files"),
    "auto_map": ("Python code of the model's own", "runs only its own models"),
    "pruned_heads": ("blocks that lack heads", "has as many heads in every block"),
}


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


def to_json(config, ids=SPECIAL_IDS):
    """The contents of config.json: the family's own keys, and the ModelConfig under "minillm".

    ids: of the tokenizer: {"bos_token_id": ..., "eos_token_id": ..., "pad_token_id": ...}.
    """
    name = family(config)
    architecture, keys = FAMILIES[name].architecture, FAMILIES[name].keys
    ours, ids = as_dict(config), {name: ids.get(name) for name in SPECIAL_IDS}
    imported = {} if ids == SPECIAL_IDS else {"imported": True}     # a tokenizer of others
    return {**({"architectures": [architecture]} if architecture else {}),
            "model_type": name, "dtype": "float32",
            **{row.names[0]: held(row, config) for row in keys if row.written}, **ids,
            "minillm": {**ours, "rope_layout": ROPE_LAYOUT, **imported}}


def from_json(data):
    """The ModelConfig that the object in a config.json describes.

    Raises:  ValueError that names the key which minillm cannot compute, which does not agree with
             the section "minillm", which is unknown, or whose value is out of range.
    """
    name = data.get("model_type")
    if not isinstance(name, str) or name not in FAMILIES:
        raise ValueError(f"model_type is {name!r}; minillm reads {', '.join(FAMILIES)}")
    parts, keys = FAMILIES[name].parts, FAMILIES[name].keys
    given = {key: value for key, value in dotted(data)
             if value is not None and not key.startswith("minillm.")}
    known = HARMLESS.union(SAMPLING, *(row.names for row in keys))
    for key, value in given.items():
        top = key.split(".")[0]
        if top in FOREIGN and key not in known:
            what, ours = FOREIGN[top]
            raise ValueError(f"{key} is {value!r}, which means {what}; minillm {ours}")
        if key not in known and top not in HARMLESS:
            raise ValueError(f"unknown key {key}, which may change what the model computes; "
                             "remove it if it does not")
    if "minillm" in data:
        config = from_section(data["minillm"])
    elif parts:
        config = ModelConfig(**parts, **from_keys(given, keys))
    else:
        raise ValueError('it has no section "minillm"; was this folder written by minillm?')
    if config.vocab_size == 0:
        raise ValueError("vocab_size is 0; a trained model knows its vocabulary")
    if not belongs(config, FAMILIES[name]):
        described = 'section "minillm" describes' if "minillm" in data else "its keys describe"
        raise ValueError(f"model_type is {name!r}, but {described} a model of type "
                         f"{family(config)!r}")
    ours = is_ours(data)
    check_equal(given, [row for row in keys if ours or row not in SPECIAL], config,
                "minillm" in data)
    return config


def is_ours(data):
    """Whether a model was made here, with a tokenizer that was learned here."""
    return "minillm" in data and data["minillm"].get("imported") is not True


def from_section(section):
    """The ModelConfig in the section "minillm"."""
    if not isinstance(section, dict):
        raise ValueError('section "minillm" is not an object {...}')
    layout = section.get("rope_layout", ROPE_LAYOUT)
    if layout != ROPE_LAYOUT:
        raise ValueError(f"minillm.rope_layout is {layout!r}; only {ROPE_LAYOUT!r} is supported")
    read = {}
    for key, value in section.items():
        if key in FIELDS:
            read[key] = typed(f"minillm.{key}", value, FIELDS[key])
        elif key not in ("rope_layout", "imported"):
            raise ValueError(f"unknown key minillm.{key}; {did_you_mean(key, FIELDS)}")
    return ModelConfig(**read)


def from_keys(given, keys):
    """The fields of ModelConfig by name, as the family's own keys have them."""
    read = {}
    for row in keys:
        if row.ours in FIELDS:
            meant = row.missing(read) if callable(row.missing) else row.missing
            name = next((name for name in row.names if name in given), row.names[0])
            read[row.ours] = typed(name, given.get(name, meant), FIELDS[row.ours])
    return read


def typed(name, value, kind):
    """The value as a field's type; a whole number may stand for a float."""
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise ValueError(f"{name} is {value!r}; it must be {KINDS[kind]}")
    require(kind is not int or abs(value) < 2**63, f"{name} is {value}; it must have 64 bits")
    return value


def check_equal(given, keys, config, has_section):
    """Refuse a key of the family, given or left out, that means another model than `config`."""
    for row in keys:
        expected = held(row, config)
        found = [(f"{name} is {given[name]!r}", given[name]) for name in row.names if name in given]
        if not found and row.ours and row.missing is not None:
            meant = row.missing(as_dict(config)) if callable(row.missing) else row.missing
            found = [(f"{row.names[0]} is missing, which means {meant!r}", meant)]
        for said, value in found:
            same = value == expected or not row.ours and value in row.same
            if same and isinstance(value, bool) == isinstance(expected, bool):
                continue
            if has_section and row.ours in FIELDS:
                raise ValueError(f"{said}, but minillm.{row.ours} is {expected!r}; set back what "
                                 'was changed, or remove the section "minillm" to use the rest')
            if row.ours in FIELDS:      # two names of one setting
                other = next(name for name in row.names if name in given)
                raise ValueError(f"{said}, but {other} is {given[other]!r}; they mean the same")
            raise ValueError(f"{said}; minillm computes only {expected!r}"
                             + (f" ({row.why})" if row.why else ""))
