"""A GGUF file's settings as a ModelConfig, and its tensors as parameters.

One table of settings and one of tensors an architecture. What minillm does not compute is refused
by its name before a weight is read: other architectures, rope scaling, experts, biases that the
architecture has not, tokenizers of other kinds.
"""

import numbers
from typing import NamedTuple

import numpy as np

from minillm.config import GPT2, ModelConfig, check_kind, require
from minillm.formats.config_json import FIELDS
from minillm.formats.json_file import reading


class Setting(NamedTuple):
    """One key of an architecture, without the architecture's name before it."""
    key: str
    ours: str               # field or property of ModelConfig; "": it has one value only
    missing: object = None  # what leaving it out means; None: it may not be left out


LLAMA_SETTINGS = (
    Setting("context_length", "context"),
    Setting("embedding_length", "width"),
    Setting("block_count", "layers"),
    Setting("feed_forward_length", "hidden"),
    Setting("attention.head_count", "heads"),
    Setting("attention.head_count_kv", "kv_heads", lambda read: read["heads"]),
    Setting("attention.layer_norm_rms_epsilon", "norm_eps"),
    Setting("rope.freq_base", "rope_theta", 10_000.0),
    Setting("vocab_size", "vocab_size", lambda read: read["vocab_size"]),
    Setting("rope.dimension_count", "head_size"),
    Setting("attention.key_length", "head_size"),
    Setting("attention.value_length", "head_size"),
    Setting("rope.scaling.type", "", "none"),
    Setting("rope.scaling.factor", "", 1.0),
    Setting("rope.scale_linear", "", 1.0),
    Setting("expert_count", "", 0),
    Setting("expert_used_count", "", 0),
    Setting("attention.causal", "", True),
    Setting("attention.sliding_window", "", 0),
    Setting("tensor_data_layout", "", "Meta AI original pth"),      # written by old converters
)

GPT2_SETTINGS = (
    Setting("context_length", "context"),
    Setting("embedding_length", "width"),
    Setting("block_count", "layers"),
    Setting("feed_forward_length", "hidden"),
    Setting("attention.head_count", "heads"),
    Setting("attention.head_count", "kv_heads"),
    Setting("attention.layer_norm_epsilon", "norm_eps"),
    Setting("vocab_size", "vocab_size", lambda read: read["vocab_size"]),
    Setting("attention.causal", "", True),
)


class Row(NamedTuple):
    """One tensor of the file; {} is the block's number."""
    theirs: str
    ours: tuple             # names of the parameters, whose rows follow each other in the tensor
    shape: str              # of each of them: V vocabulary, T context, C width, F hidden, G keys
    heads: str = ""         # the field with the number of heads whose rows are permuted


def row(theirs, ours, shape, heads=""):
    """A Row; ours: separated by spaces."""
    return Row(theirs, tuple(ours.split()), shape, heads)


# In the order of the parameters of transformer_init.
LLAMA_ROWS = (
    row("token_embd.weight", "embedding.token", "VC"),
    row("blk.{}.attn_norm.weight", "blocks.{}.norm1.gain", "C"),
    row("blk.{}.attn_q.weight", "blocks.{}.attention.query.weight", "CC", "heads"),
    row("blk.{}.attn_k.weight", "blocks.{}.attention.key.weight", "GC", "kv_heads"),
    row("blk.{}.attn_v.weight", "blocks.{}.attention.value.weight", "GC"),
    row("blk.{}.attn_output.weight", "blocks.{}.attention.output.weight", "CC"),
    row("blk.{}.ffn_norm.weight", "blocks.{}.norm2.gain", "C"),
    row("blk.{}.ffn_gate.weight", "blocks.{}.feed_forward.gate.weight", "FC"),
    row("blk.{}.ffn_up.weight", "blocks.{}.feed_forward.up.weight", "FC"),
    row("blk.{}.ffn_down.weight", "blocks.{}.feed_forward.down.weight", "CF"),
    row("output_norm.weight", "norm.gain", "C"),
    row("output.weight", "head.weight", "VC"),
)

GPT2_ROWS = (
    row("token_embd.weight", "embedding.token", "VC"),
    row("position_embd.weight", "embedding.position", "TC"),
    row("blk.{}.attn_norm.weight", "blocks.{}.norm1.gain", "C"),
    row("blk.{}.attn_norm.bias", "blocks.{}.norm1.bias", "C"),
    row("blk.{}.attn_qkv.weight", "blocks.{}.attention.query.weight "
        "blocks.{}.attention.key.weight blocks.{}.attention.value.weight", "CC"),
    row("blk.{}.attn_qkv.bias", "blocks.{}.attention.query.bias "
        "blocks.{}.attention.key.bias blocks.{}.attention.value.bias", "C"),
    row("blk.{}.attn_output.weight", "blocks.{}.attention.output.weight", "CC"),
    row("blk.{}.attn_output.bias", "blocks.{}.attention.output.bias", "C"),
    row("blk.{}.ffn_norm.weight", "blocks.{}.norm2.gain", "C"),
    row("blk.{}.ffn_norm.bias", "blocks.{}.norm2.bias", "C"),
    row("blk.{}.ffn_up.weight", "blocks.{}.feed_forward.up.weight", "FC"),
    row("blk.{}.ffn_up.bias", "blocks.{}.feed_forward.up.bias", "F"),
    row("blk.{}.ffn_down.weight", "blocks.{}.feed_forward.down.weight", "CF"),
    row("blk.{}.ffn_down.bias", "blocks.{}.feed_forward.down.bias", "C"),
    row("output_norm.weight", "norm.gain", "C"),
    row("output_norm.bias", "norm.bias", "C"),
    row("output.weight", "head.weight", "VC"),
)


class Architecture(NamedTuple):
    """The models of one value of general.architecture."""
    parts: dict             # the fields of ModelConfig that all of them share
    settings: tuple
    rows: tuple


ARCHITECTURES = {
    "llama": Architecture(dict(norm="rmsnorm", position="rope", activation="swiglu", bias=False),
                          LLAMA_SETTINGS, LLAMA_ROWS),
    "gpt2": Architecture({name: value for name, value in GPT2.items() if name != "tied"},
                         GPT2_SETTINGS, GPT2_ROWS),
}

# Of a whole model: a key, what leaving it out means, and the values that are read.
WHOLE = (("general.type", "model", ("model",)), ("split.count", 1, (1, 0)),
         ("tokenizer.ggml.model", None, ("gpt2",)))

# What a tensor that no table has would do, where its name tells.
EXTRAS = {"rope_freqs": "which scales the rotary frequencies one by one (rope scaling)",
          "rope_factors": "which scales the rotary frequencies one by one (rope scaling)",
          "exps": "the matrices of experts", "ffn_gate_inp": "which chooses among experts",
          "bias": "a bias", "_q_norm": "a norm of the queries", "_k_norm": "a norm of the keys"}


def read_config(gguf):
    """The ModelConfig that a file's settings describe, held against the names and the shapes of all
    of its tensors.

    Raises:  ValueError "PATH: ..." that names the key or the tensor which minillm does not compute,
             which is missing, or which contradicts another.
    """
    with reading(gguf.path):
        name = gguf.metadata.get("general.architecture")
        require(isinstance(name, str) and name in ARCHITECTURES,
                f"general.architecture is {shown(name)}; minillm reads {', '.join(ARCHITECTURES)}")
        check_file(gguf.metadata)
        config = config_from(gguf, name)
        tokens = gguf.metadata.get("tokenizer.ggml.tokens", [])
        require(isinstance(tokens, list) and len(tokens) == config.vocab_size,
                f"tokenizer.ggml.tokens has {len(tokens):,} texts, but token_embd.weight has "
                f"{config.vocab_size:,} rows" if isinstance(tokens, list) else
                f"tokenizer.ggml.tokens is {shown(tokens)}; it must be a list of texts")
        check_tensors(gguf, config)
    return config


def check_file(metadata):
    """Refuse a file that holds no whole model, or a tokenizer of another kind."""
    for key, missing, allowed in WHOLE:
        value = metadata.get(key, missing)
        require(isinstance(value, (int, str)) and value in allowed,
                f"{key} is {shown(value)}; minillm reads {allowed[0]!r} alone")


def config_from(gguf, name):
    """The settings of this architecture as a ModelConfig; every key of it is known or refused."""
    parts, settings, _ = ARCHITECTURES[name]
    given = {key.removeprefix(f"{name}."): value for key, value in gguf.metadata.items()
             if key.startswith(f"{name}.")}
    known = {setting.key for setting in settings}
    for key in given:
        require(key in known, f"unknown key {name}.{key}, which may change what the model computes")
    require("token_embd.weight" in gguf.tensors, "tensor token_embd.weight is missing")
    read = {"vocab_size": gguf.tensors["token_embd.weight"].shape[0],
            "tied": "output.weight" not in gguf.tensors}
    for key, ours, missing in settings:
        if ours in FIELDS:
            require(key in given or missing is not None, f"{name}.{key} is missing")
            value = given.get(key, missing(read) if callable(missing) else missing)
            read[ours] = number(f"{name}.{key}", value, FIELDS[ours])
    config = ModelConfig(**parts, **read)
    for key, ours, missing in settings:
        if key in given:
            expected = getattr(config, ours) if ours else missing
            require(type(given[key]) in (type(expected), int) and given[key] == expected,
                    f"{name}.{key} is {shown(given[key])}; minillm computes only {expected!r}")
    require(read["vocab_size"] == gguf.tensors["token_embd.weight"].shape[0],
            f"{name}.vocab_size is {read['vocab_size']:,}, but token_embd.weight has "
            f"{gguf.tensors['token_embd.weight'].shape[0]:,} rows")
    return config


def number(key, value, kind):
    """A setting as the field's type; a list has one value a block, which minillm does not have."""
    require(isinstance(value, numbers.Real), f"{key} is {shown(value)}; it must be one number")
    check_kind(key, value, kind)
    return kind(value)


def shown(value):
    """A value of a setting, in a few words."""
    return "a list" if isinstance(value, (list, np.ndarray)) else \
        "missing" if value is None else repr(value)


def rows_of(gguf, config):
    """Yield the tensors of the model that `config` describes, block by block."""
    rows = ARCHITECTURES[gguf.metadata["general.architecture"]].rows
    blocks = [entry for entry in rows if "{}" in entry.theirs]
    first = rows.index(blocks[0])
    yield from rows[:first]
    for layer in range(config.layers):
        for theirs, ours, shape, heads in blocks:
            yield Row(theirs.format(layer), tuple(name.format(layer) for name in ours), shape,
                      heads)
    yield from (entry for entry in rows[first + len(blocks):]
                if entry.ours != ("head.weight",) or not config.tied)


def shape_of(entry, config):
    """The shape of each parameter in a tensor."""
    sizes = dict(V=config.vocab_size, T=config.context, C=config.width, F=config.hidden,
                 G=config.kv_heads * config.head_size)
    return tuple(sizes[letter] for letter in entry.shape)


def check_tensors(gguf, config):
    """Refuse a file in which a tensor is missing, is no part of the model or has another shape."""
    left = dict(gguf.tensors)
    for entry in rows_of(gguf, config):
        tensor = left.pop(entry.theirs, None)
        require(tensor is not None, f"tensor {entry.theirs} is missing")
        first, *rest = shape_of(entry, config)
        expected = (len(entry.ours) * first, *rest)
        require(tensor.shape == expected,
                f"tensor {entry.theirs} has shape {tensor.shape}, expected {expected}")
    for name in left:
        what = next((what for part, what in EXTRAS.items() if part in name), None)
        raise ValueError(f"tensor {name} is not part of the models that minillm computes"
                         + (f" ({what})" if what else ""))


def read_params(gguf, config):
    """The parameters of the model, in float32, each tensor read and dequantized by itself.

    Raises:  ValueError "PATH: ..." if a number is not finite; OSError if the file cannot be read.
    """
    params = {"embedding": {}, "blocks": [{} for _ in range(config.layers)]}
    for entry in rows_of(gguf, config):
        for part, name in enumerate(entry.ours):
            into = np.empty(shape_of(entry, config), np.float32)
            gguf.read(entry.theirs, into, first=part * len(into))
            place(params, name, in_halves(into, getattr(config, entry.heads)) if entry.heads
                  else into)
    return params


def place(params, name, array):
    """Put an array to its dotted name: ("blocks.0.norm1.gain", array)."""
    *path, last = name.split(".")
    for key in path:
        params = params[int(key)] if isinstance(params, list) else params.setdefault(key, {})
    params[last] = array


def in_halves(weight, heads):
    """Undo llama.cpp's order of the rows of queries and keys.

    RoPE rotates pairs of channels. llama.cpp has the two of a pair next to each other, in rows 2i
    and 2i + 1 of each head; minillm (and Hugging Face) in rows i and i + D/2.
    Shapes:  weight (H D, C) -> (H D, C)
    """
    pairs = weight.reshape(heads, -1, 2, weight.shape[-1])      # (H, D/2, 2, C)
    return np.ascontiguousarray(pairs.swapaxes(1, 2)).reshape(weight.shape)
