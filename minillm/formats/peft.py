"""An adapter in the layout of the library PEFT: adapter_config.json and adapter_model.safetensors.

A linear layer's A and B are called after the module that they are beside:

    base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight      (R, C_in)
    base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight      (C_out, R)

Where a family has several of our layers in one matrix (GPT-2's queries, keys and values), PEFT has
one adapter for all of them, of the sum of their ranks: their A below each other, and their B as
blocks of a matrix that is 0 elsewhere. Its product is the same, and its zeros stay 0 here, because
it is trained as ours. An adapter that others trained there is read as three that share their A.
"""

import math
import re

import numpy as np

from minillm import tree
from minillm.config import check_kind, require
from minillm.formats.families import family
from minillm.formats.hugging_face import Row, table, times_root

TENSORS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
BEFORE = "base_model.model."

# What an adapter computes, beside its tensors; keys that change nothing of it; and, of all others,
# what they stand for. They may only be false or empty: that is, not used.
STRENGTH = frozenset("r lora_alpha rank_pattern alpha_pattern use_rslora".split())
HARMLESS = frozenset("""
    auto_mapping base_model_name_or_path eva_config exclude_modules fan_in_fan_out inference_mode
    layers_pattern layers_to_transform lora_dropout megatron_core peft_version qalora_group_size
    revision runtime_config target_modules task_type
    """.split())
ONLY = {"peft_type": ("LORA",), "bias": ("none",),
        "init_lora_weights": (True, False, "gaussian", "eva", "orthogonal")}
FOREIGN = {
    "peft_type": "another kind of adapter", "bias": "biases that were trained too",
    "init_lora_weights": "an adapter of weights that are not the base's own",
    "use_dora": "weights whose rows are rescaled (DoRA)",
    "modules_to_save": "whole layers that were trained too",
    "trainable_token_indices": "embeddings that were trained too",
    "target_parameters": "adapters of several matrices in one tensor",
    "layer_replication": "blocks that are repeated", "lora_bias": "biases in the adapter",
    "alora_invocation_tokens": "an adapter that begins at certain tokens",
}


def modules(config, shapes):
    """Yield a Row of every matrix in the blocks: theirs is the module's name, ours are the names of
    our matrices in it.

    shapes: {name: shape} of the model's parameters.
    """
    name = family(config)
    rows = [Row((each,), each) for each in shapes] if name == "minillm" else \
        table(name, config, shapes)
    for row in rows:
        if row.ours[0].startswith("blocks.") and len(shapes[row.ours[0]]) == 2:
            yield row._replace(theirs=row.theirs.removesuffix(".weight"))


def joined(pairs, rows):
    """The adapters of several layers that read the same x, as the one of the matrix of all.

    Shapes:  P of a (R, C_in), b (rows_p, R) -> (P R, C_in), (sum of rows, P R)
    """
    there = [pair for pair in pairs if pair[0] is not None]
    rank = len(there[0][0])
    whole = np.zeros((sum(rows), rank * len(there)), there[0][1].dtype)
    column = 0
    for (_, b), end, height in zip(pairs, np.cumsum(rows), rows):
        if b is not None:
            whole[end - height:end, column:column + rank] = b
            column += rank
    return np.concatenate([a for a, _ in there]), whole


def to_peft(adapter, params, config):
    """(contents of adapter_config.json, tensors of adapter_model.safetensors) of an Adapter.

    params: those of the model, of which only names and shapes are used.
    """
    named = dict(tree.named_leaves(adapter.params))
    shapes, tensors, targets, ranks = tree.named_shapes(params), {}, set(), {}
    for row in modules(config, shapes):
        layers = [name.removesuffix(".weight") for name in row.ours]
        pairs = [(named.get(f"{layer}.lora.a"), named.get(f"{layer}.lora.b")) for layer in layers]
        if all(a is None for a, _ in pairs):
            continue
        a, b = joined(pairs, [shapes[name][0] for name in row.ours])
        tensors[f"{BEFORE}{row.theirs}.lora_A.weight"] = a
        tensors[f"{BEFORE}{row.theirs}.lora_B.weight"] = \
            times_root(b, config, -1) if row.divided else b
        name = ".".join(row.theirs.split(".")[-2:])         # of every block: self_attn.q_proj
        targets.add(name)
        if len(a) != adapter.rank:
            ranks[name] = len(a)
    alpha = int(adapter.alpha) if adapter.alpha == int(adapter.alpha) else adapter.alpha
    return {"peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": None,
            "r": adapter.rank, "lora_alpha": alpha, "target_modules": sorted(targets),
            "rank_pattern": ranks, "alpha_pattern": {name: alpha * (rank // adapter.rank)
                                                     for name, rank in ranks.items()},
            "fan_in_fan_out": family(config) == "gpt2", "bias": "none", "lora_dropout": 0.0,
            "use_rslora": False, "use_dora": False, "modules_to_save": None,
            "inference_mode": True}, tensors


def check_settings(settings):
    """Refuse an adapter_config.json of what is not plain LoRA.  Raises:  ValueError"""
    for key, value in settings.items():
        if key in STRENGTH or key in HARMLESS:
            continue
        allowed = ONLY.get(key)
        require(value in allowed if allowed else not value,
                f"{key} is {value!r}" + (f", which means {FOREIGN[key]}" if key in FOREIGN else "")
                + "; minillm reads plain LoRA alone")
    require("peft_type" in settings, "it has no peft_type; is it an adapter of the library PEFT?")
    require("r" in settings and "lora_alpha" in settings, "r or lora_alpha is missing")


def strength(settings, module):
    """(R, alpha / R) of a module's adapter; with use_rslora the factor is alpha / sqrt(R).

    Source:  Kalajdzievski 2023, arXiv:2312.03732 (rank-stabilized LoRA).
    """
    found = {}
    for key, pattern, kind in (("r", "rank_pattern", int), ("lora_alpha", "alpha_pattern", float)):
        patterns = settings.get(pattern) or {}
        require(isinstance(patterns, dict), f"{pattern} is not an object {{...}}")
        try:
            name = next((name for name in patterns if re.match(rf"(.*\.)?({name})$", module)), None)
        except re.error as error:
            raise ValueError(f"{pattern} has a key that is no pattern ({error})") from None
        found[key] = settings[key] if name is None else patterns[name]
        check_kind(key, found[key], kind)
    require(found["r"] >= 1, f"r is {found['r']}; it must be 1 or more")
    rank = found["r"]
    return rank, found["lora_alpha"] / (math.sqrt(rank) if settings.get("use_rslora") else rank)


def from_peft(settings, tensors, config, shapes):
    """to_peft in reverse: {name of our matrix: {"a", "b", "alpha"} beside it}.

    settings: of adapter_config.json; tensors: {name: array}; shapes: {name: shape} of the model's
    parameters. An adapter of several of our matrices becomes one for each of them, with one A.
    Raises:  ValueError that names the key which is not plain LoRA, or the tensor which does not
             fit the model.
    """
    check_settings(settings)
    left, found = dict(tensors), {}
    for row in modules(config, shapes):
        names = [f"{BEFORE}{row.theirs}.lora_{which}.weight" for which in "AB"]
        if left.keys().isdisjoint(names):
            continue
        rank, scale = strength(settings, row.theirs)
        rows = [shapes[name][0] for name in row.ours]
        for name, expected in zip(names, ((rank, shapes[row.ours[0]][1]), (sum(rows), rank))):
            require(name in left, f"tensor {name} is missing")
            require(left[name].shape == expected,
                    f"tensor {name} has shape {left[name].shape}, expected {expected}")
        a, b = (left.pop(name) for name in names)
        b = times_root(b, config, 1) if row.divided else b
        for name, part in zip(row.ours, np.split(b, np.cumsum(rows)[:-1])):
            found[name] = {"a": a, "b": np.ascontiguousarray(part),
                           "alpha": np.float64(scale * rank)}
    if left:
        first = next(modules(config, shapes)).theirs
        raise ValueError(f"tensor {min(left)} is beside no matrix of this model's blocks, the "
                         f"first of which is {BEFORE}{first}; is it an adapter of another base?")
    require(found, "it holds no tensors")
    return found
