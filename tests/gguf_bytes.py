"""GGUF files in bytes, right or wrong in any place: what tests and campaigns feed to formats/gguf.py."""

import struct

import numpy as np
import tiny

from minillm import tree
from minillm.formats.dequantize import TYPES

CODES = {"<u1": 0, "<i1": 1, "<u2": 2, "<i2": 3, "<u4": 4, "<i4": 5, "<f4": 6, "bool": 7, "text": 8, "list": 9,
         "<u8": 10, "<i8": 11, "<f8": 12}
NUMBERS = {quantization.name: number for number, quantization in TYPES.items()}


def text(value):
    """A text with its length before it."""
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(data)) + data


def plain(kind, value):
    """A value without its type: ("<u4", 3), ("text", "a"), ("list", ("text", ["a", "b"]))."""
    if kind == "text":
        return text(value)
    if kind == "list":
        inner, values = value
        return struct.pack("<IQ", CODES[inner], len(values)) + b"".join(plain(inner, each) for each in values)
    return np.array(value, "<u1" if kind == "bool" else kind).tobytes()


def header(metadata, tensors, version=3):
    """The header as far as the data.  metadata: {key: (kind, value)}; tensors: {name: (type, shape, offset)}"""
    parts = [b"GGUF", struct.pack("<IQQ", version, len(tensors), len(metadata))]
    for key, (kind, value) in metadata.items():
        parts += [text(key), struct.pack("<I", CODES[kind]), plain(kind, value)]
    for name, (kind, shape, offset) in tensors.items():
        parts += [text(name), struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape[::-1], kind, offset)]
    return b"".join(parts)


def whole(metadata, tensors, alignment=32, version=3):
    """A file.  tensors: {name: (name of the type, shape, bytes)}"""
    table, data = {}, b""
    for name, (kind, shape, content) in tensors.items():
        table[name] = NUMBERS[kind], shape, len(data)
        data += content + bytes(-len(content) % alignment)
    begin = header(metadata, table, version)
    return begin + bytes(-len(begin) % alignment) + data


def floats(array):
    """A tensor in float32."""
    return "F32", array.shape, np.asarray(array, "<f4").tobytes()


def paired(weight, heads):
    """The rows of queries or keys as llama.cpp has them: rows i and i + D/2 of a head next to each other."""
    halves = weight.reshape(heads, 2, -1, weight.shape[-1])
    return halves.swapaxes(1, 2).reshape(weight.shape)


def model(preset="llama", **changes):
    """(config, params, metadata, tensors) of a tiny model, as llama.cpp's converter would write it."""
    config = tiny.config(preset, **changes)
    params = tiny.params(config, dtype=np.float32)
    named, tensors = dict(tree.named_leaves(params)), {}
    names = {"embedding.token": "token_embd.weight", "embedding.position": "position_embd.weight",
             "head.weight": "output.weight", "norm.gain": "output_norm.weight", "norm.bias": "output_norm.bias",
             "attention.query": "attn_q", "attention.key": "attn_k", "attention.value": "attn_v",
             "attention.output": "attn_output", "feed_forward.gate": "ffn_gate", "feed_forward.up": "ffn_up",
             "feed_forward.down": "ffn_down", "norm1": "attn_norm", "norm2": "ffn_norm"}
    for name, leaf in named.items():
        _, block, rest = name.split(".", 2) if name.startswith("blocks") else ("", "", name)
        if preset == "gpt2" and rest.startswith(("attention.query", "attention.key", "attention.value")):
            end = rest.split(".")[-1]
            leaf = np.concatenate([named[f"blocks.{block}.attention.{part}.{end}"] for part in ("query", "key", "value")])
            theirs = f"attn_qkv.{end}"
        elif not block:
            theirs = names[name]
        else:
            layer, end = rest.rsplit(".", 1)
            theirs = f"{names[layer]}.{'weight' if end == 'gain' else end}"
            if layer in ("attention.query", "attention.key"):
                leaf = paired(leaf, config.heads if layer == "attention.query" else config.kv_heads)
        tensors[f"blk.{block}.{theirs}" if block else theirs] = floats(leaf)
    return config, params, settings(preset, config), tensors


def settings(preset, config):
    """The settings of a tiny model."""
    common = {"context_length": ("<u4", config.context), "embedding_length": ("<u4", config.width),
              "block_count": ("<u4", config.layers), "feed_forward_length": ("<u4", config.hidden),
              "attention.head_count": ("<u4", config.heads)}
    own = {"attention.layer_norm_epsilon": ("<f4", config.norm_eps)} if preset == "gpt2" else {
        "attention.head_count_kv": ("<u4", config.kv_heads), "attention.layer_norm_rms_epsilon": ("<f4", config.norm_eps),
        "rope.freq_base": ("<f4", config.rope_theta), "rope.dimension_count": ("<u4", config.head_size),
        "vocab_size": ("<u4", config.vocab_size)}
    return {"general.architecture": ("text", preset), "tokenizer.ggml.model": ("text", "gpt2"),
            "tokenizer.ggml.tokens": ("list", ("text", [f"<{number}>" for number in range(config.vocab_size)])),
            **{f"{preset}.{key}": value for key, value in {**common, **own}.items()}}
