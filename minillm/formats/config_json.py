"""config.json: a ModelConfig as the keys of a configuration of Hugging Face's, and back.

The tables of families.py serve both directions. The ModelConfig is also written as it is, in a
section "minillm": a mix of parts that no family has needs it, and a key that another program
changed then disagrees with it. transformers 4 and 5 keep the section when they save a model again;
without it, the family's keys alone say what the model is, as in the files of models that others
trained.
"""

from dataclasses import fields

from minillm.config import KINDS, ModelConfig, as_dict, did_you_mean, dotted, require
from minillm.formats.families import FAMILIES, SPECIAL, belongs, family, held
from minillm.formats.tokenizer_config import SPECIAL_IDS

ROPE_LAYOUT = "half"        # channels i and i + D/2 rotate together, as in Llama on Hugging Face
FIELDS = {item.name: type(item.default) for item in fields(ModelConfig)}

# Keys that do not change the model's logits. Any other that is in no table may, so it is refused.
HARMLESS = frozenset("""
    _attn_implementation _attn_implementation_autoset _attn_implementation_internal _commit_hash
    _flash_attn_2_enabled _name_or_path _num_labels architectures attention_dropout
    attn_implementation attn_pdrop chunk_size_feed_forward classifier_dropout
    decoder_start_token_id dtype embd_pdrop embed_dropout finetuning_task gradient_checkpointing
    id2label initializer_range is_decoder is_llama_config label2id max_sequence_length minillm
    model_max_length model_type neftune_noise_alpha num_labels output_attentions
    output_hidden_states output_past output_router_logits predict_special_tokens prefix
    problem_type reorder_and_upcast_attn resid_dropout resid_pdrop return_dict router_jitter_noise
    sep_token_id summary_activation summary_first_dropout summary_proj_to_labels summary_type
    summary_use_proj task_specific_params
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
