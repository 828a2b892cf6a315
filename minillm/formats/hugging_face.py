"""The names of tensors in Hugging Face's LlamaForCausalLM and GPT2LMHeadModel.

A model with the parts of Llama or of GPT-2 is written in that family's format. Any other mix is
written under minillm's names, as model_type "minillm", which Hugging Face's libraries cannot read.
One table of names serves both directions.
"""

from typing import NamedTuple

import numpy as np

from minillm import tree
from minillm.formats.config_json import family


class Row(NamedTuple):
    """One tensor of the format, and the parameters that it holds; {} is the block's number."""
    ours: tuple                 # names of the parameters that are concatenated in the tensor
    theirs: str                 # name of the tensor
    transposed: bool = False    # True: the format stores (in, out) instead of (out, in)


LLAMA_ROWS = [
    Row(("embedding.token",), "model.embed_tokens.weight"),
    Row(("norm.gain",), "model.norm.weight"),
    Row(("head.weight",), "lm_head.weight"),
    Row(("blocks.{}.norm1.gain",), "model.layers.{}.input_layernorm.weight"),
    Row(("blocks.{}.norm2.gain",), "model.layers.{}.post_attention_layernorm.weight"),
    Row(("blocks.{}.attention.query.weight",), "model.layers.{}.self_attn.q_proj.weight"),
    Row(("blocks.{}.attention.key.weight",), "model.layers.{}.self_attn.k_proj.weight"),
    Row(("blocks.{}.attention.value.weight",), "model.layers.{}.self_attn.v_proj.weight"),
    Row(("blocks.{}.attention.output.weight",), "model.layers.{}.self_attn.o_proj.weight"),
    Row(("blocks.{}.feed_forward.gate.weight",), "model.layers.{}.mlp.gate_proj.weight"),
    Row(("blocks.{}.feed_forward.up.weight",), "model.layers.{}.mlp.up_proj.weight"),
    Row(("blocks.{}.feed_forward.down.weight",), "model.layers.{}.mlp.down_proj.weight"),
]

# GPT-2 stores its matrices as (in, out), and query, key and value in one matrix.
GPT2_ROWS = [
    Row(("embedding.token",), "transformer.wte.weight"),
    Row(("embedding.position",), "transformer.wpe.weight"),
    Row(("norm.gain",), "transformer.ln_f.weight"),
    Row(("norm.bias",), "transformer.ln_f.bias"),
    Row(("head.weight",), "lm_head.weight"),
    Row(("blocks.{}.norm1.gain",), "transformer.h.{}.ln_1.weight"),
    Row(("blocks.{}.norm1.bias",), "transformer.h.{}.ln_1.bias"),
    Row(("blocks.{}.norm2.gain",), "transformer.h.{}.ln_2.weight"),
    Row(("blocks.{}.norm2.bias",), "transformer.h.{}.ln_2.bias"),
    Row(("blocks.{}.attention.query.weight", "blocks.{}.attention.key.weight",
         "blocks.{}.attention.value.weight"), "transformer.h.{}.attn.c_attn.weight", True),
    Row(("blocks.{}.attention.query.bias", "blocks.{}.attention.key.bias",
         "blocks.{}.attention.value.bias"), "transformer.h.{}.attn.c_attn.bias"),
    Row(("blocks.{}.attention.output.weight",), "transformer.h.{}.attn.c_proj.weight", True),
    Row(("blocks.{}.attention.output.bias",), "transformer.h.{}.attn.c_proj.bias"),
    Row(("blocks.{}.feed_forward.up.weight",), "transformer.h.{}.mlp.c_fc.weight", True),
    Row(("blocks.{}.feed_forward.up.bias",), "transformer.h.{}.mlp.c_fc.bias"),
    Row(("blocks.{}.feed_forward.down.weight",), "transformer.h.{}.mlp.c_proj.weight", True),
    Row(("blocks.{}.feed_forward.down.bias",), "transformer.h.{}.mlp.c_proj.bias"),
]

ROWS = {"llama": LLAMA_ROWS, "gpt2": GPT2_ROWS}


def table(config, known):
    """The family's rows for every block, without those whose parameters are not in `known`."""
    rows = []
    for row in ROWS[family(config)]:
        for layer in range(config.layers if "{}" in row.theirs else 1):
            ours = tuple(name.format(layer) for name in row.ours)
            if ours[0] in known:
                rows.append(Row(ours, row.theirs.format(layer), row.transposed))
    return rows


def to_tensors(params, config):
    """The parameters as a flat dict of tensors in the family's names and layout.

    Raises:  ValueError that names a parameter which is not in the family's table.
    """
    named = dict(tree.named_leaves(params))
    if family(config) == "minillm":
        return named
    tensors = {}
    for row in table(config, named):
        whole = np.concatenate([named.pop(name) for name in row.ours])
        tensors[row.theirs] = np.ascontiguousarray(whole.T if row.transposed else whole)
    if named:
        raise ValueError(f"parameter {next(iter(named))} has no name in the format of "
                         f"{family(config)}; it would be lost")
    return tensors


def from_tensors(tensors, config, like):
    """to_tensors in reverse, into the structure of `like`.

    Raises:  ValueError that names a tensor which is missing, unexpected or has another shape.
    """
    if family(config) == "minillm":
        return tree.from_named(like, tensors)
    tensors, named, expected = dict(tensors), {}, dict(tree.named_leaves(like))
    for row in table(config, expected):
        if row.theirs not in tensors:
            raise ValueError(f"tensor {row.theirs} is missing")
        whole = tensors.pop(row.theirs)
        whole = whole.T if row.transposed else whole
        ends = np.cumsum([len(expected[name]) for name in row.ours])
        if whole.ndim == 0 or len(whole) != ends[-1]:
            raise ValueError(f"tensor {row.theirs} has shape {whole.shape}, expected {ends[-1]} "
                             "rows")
        parts = np.split(whole, ends[:-1])
        named.update(zip(row.ours, map(np.ascontiguousarray, parts)))
    if tensors:
        raise ValueError(f"tensor {next(iter(tensors))} is not part of this model")
    return tree.from_named(like, named)


def as_classifier(tensors, config, head):
    """A model's tensors and config.json as those of a classifier of one label, which is the reward.

    The classes LlamaForSequenceClassification and GPT2ForSequenceClassification read the last
    token that is not pad, as a reward model does, and have no output head.
    head: {"weight": (1, C)}
    Raises:  ValueError for a mix of parts, for which the transformers library has no class.
    """
    if "architectures" not in config:
        raise ValueError("a model that mixes parts of Llama and GPT-2 has no class in the "
                         "transformers library, so its reward model cannot be exported")
    body = {name: array for name, array in tensors.items() if name != "lm_head.weight"}
    name = {"llama": "Llama", "gpt2": "GPT2"}[config["model_type"]]
    return {**body, "score.weight": head["weight"]}, {
        **config, "architectures": [f"{name}ForSequenceClassification"],
        "id2label": {"0": "reward"}, "label2id": {"reward": 0}}
