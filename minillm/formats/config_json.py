"""config.json: a ModelConfig as the keys of Hugging Face's LlamaConfig or GPT2Config, and back.

One table a family serves both directions. The ModelConfig is also written as it is, in a section
"minillm": a mix of parts that neither family has needs it, and a key that another program changed
then disagrees with it. transformers 4 and 5 keep the section when they save a model again; without
it, the family's keys alone say what the model is.
"""

from dataclasses import fields
from typing import NamedTuple

from minillm.config import (GPT2, KINDS, ModelConfig, as_dict, did_you_mean, dotted,
                            require)
from minillm.formats.tokenizer_config import SPECIAL_IDS

ROPE_LAYOUT = "half"        # channels i and i + D/2 rotate together, as in Llama on Hugging Face
FIELDS = {item.name: type(item.default) for item in fields(ModelConfig)}
DENSE = dict(window=0, experts=0)       # neither Llama nor GPT-2 has local attention or experts


class Key(NamedTuple):
    """One setting in a family's config.json."""
    names: tuple            # the first is written, all are read; a.b: key b of the object a
    ours: str               # the attribute of ModelConfig that it holds; "": it has one value only
    missing: object         # what leaving it out means, which is that one value for ours == "";
    #                         None: it follows from the others
    written: bool = True


class Family(NamedTuple):
    """The models of one class of the transformers library."""
    architecture: str
    parts: dict             # the fields of ModelConfig that all of them share
    keys: tuple


def key(names, ours, missing, written=True):
    """A Key; names: separated by spaces."""
    return Key(tuple(names.split()), ours, missing, written)


COMMON = tuple(key(name, "", token) for name, token in SPECIAL_IDS.items())

LLAMA = Family("LlamaForCausalLM", dict(norm="rmsnorm", position="rope", activation="swiglu",
                                        bias=False, **DENSE), (
    key("vocab_size", "vocab_size", 32000),
    key("hidden_size", "width", 4096),
    key("intermediate_size", "hidden", 11008),
    key("num_hidden_layers", "layers", 32),
    key("num_attention_heads", "heads", 32),
    key("num_key_value_heads", "kv_heads", lambda read: read["heads"]),
    key("head_dim", "head_size", None),
    key("max_position_embeddings", "context", 2048),
    key("rms_norm_eps", "norm_eps", 1e-6),
    key("rope_theta rope_parameters.rope_theta", "rope_theta", 10_000.0),
    key("tie_word_embeddings", "tied", False),
    key("hidden_act", "", "silu"),
    key("attention_bias", "", False),
    key("mlp_bias", "", False),
    key("pretraining_tp", "", 1),
    key("rope_scaling.rope_type rope_scaling.type rope_parameters.rope_type rope_parameters.type",
        "", "default", written=False),
    key("rope_parameters.partial_rotary_factor", "", 1.0, written=False),
    *COMMON))

GPT2LM = Family("GPT2LMHeadModel", {**{name: value for name, value in GPT2.items()
                                       if name != "tied"}, **DENSE}, (
    key("vocab_size", "vocab_size", 50257),
    key("n_embd", "width", 768),
    key("n_inner", "hidden", lambda read: 4 * read["width"]),
    key("n_layer", "layers", 12),
    key("n_head", "heads", 12),
    key("n_head", "kv_heads", 12),
    key("n_positions n_ctx", "context", 1024),
    key("layer_norm_epsilon", "norm_eps", 1e-5),
    key("tie_word_embeddings", "tied", True),
    key("activation_function", "", "gelu_new"),
    key("scale_attn_weights", "", True),
    key("scale_attn_by_inverse_layer_idx", "", False),
    key("add_cross_attention", "", False),
    *COMMON))

MIXED = Family("", {}, (key("vocab_size", "vocab_size", None),
                        key("tie_word_embeddings", "tied", None), *COMMON))

FAMILIES = {"llama": LLAMA, "gpt2": GPT2LM, "minillm": MIXED}

# Keys that do not change what a model computes when it is used. Any other that is in no table may,
# so it is refused.
HARMLESS = frozenset("""
    _name_or_path architectures attention_dropout attn_pdrop chunk_size_feed_forward dtype
    embd_pdrop gradient_checkpointing id2label initializer_range label2id minillm model_type
    output_attentions output_hidden_states problem_type reorder_and_upcast_attn resid_pdrop
    return_dict summary_activation summary_first_dropout summary_proj_to_labels
    summary_type summary_use_proj task_specific_params torch_dtype transformers_version use_cache
    """.split())


def family(config):
    """"llama", "gpt2", or "minillm" for a mix of parts that neither family has."""
    return next(name for name, (_, parts, _) in FAMILIES.items()
                if all(getattr(config, part) == value for part, value in parts.items())
                and (name != "gpt2" or config.kv_heads == config.heads))


def to_json(config):
    """The contents of config.json: the family's own keys, and the ModelConfig under "minillm"."""
    name = family(config)
    architecture, _, keys = FAMILIES[name]
    ours = as_dict(config)
    return {**({"architectures": [architecture]} if architecture else {}),
            "model_type": name, "dtype": "float32",
            **{row.names[0]: getattr(config, row.ours) if row.ours else row.missing
               for row in keys if row.written},
            "minillm": {**ours, "rope_layout": ROPE_LAYOUT}}


def from_json(data):
    """The ModelConfig that the object in a config.json describes.

    Raises:  ValueError that names the key which minillm cannot compute, which does not agree with
             the section "minillm", which is unknown, or whose value is out of range.
    """
    name = data.get("model_type")
    if not isinstance(name, str) or name not in FAMILIES:
        raise ValueError(f"model_type is {name!r}; minillm reads {', '.join(FAMILIES)}")
    _, parts, keys = FAMILIES[name]
    given = {key: value for key, value in dotted(data)
             if value is not None and not key.startswith("minillm.")}
    known = HARMLESS.union(*(row.names for row in keys))
    for key in given:
        if key not in known and key.split(".")[0] not in HARMLESS:
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
    if family(config) != name:
        raise ValueError(f'model_type is {name!r}, but section "minillm" describes a model of '
                         f"type {family(config)!r}")
    check_equal(given, keys, config, "minillm" in data)
    return config


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
        elif key != "rope_layout":
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
        expected = getattr(config, row.ours) if row.ours else row.missing
        found = [(f"{name} is {given[name]!r}", given[name]) for name in row.names if name in given]
        if not found and row.ours and row.missing is not None:
            meant = row.missing(as_dict(config)) if callable(row.missing) else row.missing
            found = [(f"{row.names[0]} is missing, which means {meant!r}", meant)]
        for said, value in found:
            if value == expected and isinstance(value, bool) == isinstance(expected, bool):
                continue
            if has_section and row.ours in FIELDS:
                raise ValueError(f"{said}, but minillm.{row.ours} is {expected!r}; set back what "
                                 'was changed, or remove the section "minillm" to use the rest')
            raise ValueError(f"{said}; minillm computes only {expected!r}")
