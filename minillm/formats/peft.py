"""An adapter in the layout of the library PEFT: adapter_config.json and adapter_model.safetensors.

A linear layer's A and B are called after the module that they are beside:

    base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight      (R, C_in)
    base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight      (C_out, R)

Where a family has several of our layers in one matrix (GPT-2's queries, keys and values), PEFT has
one adapter for all of them, of the sum of their ranks: their A below each other, and their B as
blocks of a matrix that is 0 elsewhere. Its product is the same, and its zeros stay 0 here, because
it is trained as ours.
"""

import numpy as np

from minillm import tree
from minillm.formats.hugging_face import family, table

TENSORS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


def modules(config, named, shapes):
    """Yield (module of the family, [(A, B) of each of our layers in it], their rows of outputs).

    named: the adapter's arrays by dotted name; shapes: {name: shape} of the model's weights. A
    layer without an adapter is (None, None), its rows are there.
    """
    rows = ([(name,), name] for name in shapes) if family(config) == "minillm" else \
        ((row.ours, row.theirs) for row in table(config, shapes))
    for ours, theirs in rows:
        layers = [name.removesuffix(".weight") for name in ours]
        pairs = [(named.get(f"{layer}.lora.a"), named.get(f"{layer}.lora.b")) for layer in layers]
        if any(a is not None for a, _ in pairs):
            yield theirs.removesuffix(".weight"), pairs, [shapes[name][0] for name in ours]


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
    for module, pairs, rows in modules(config, named, shapes):
        a, b = joined(pairs, rows)
        tensors[f"base_model.model.{module}.lora_A.weight"] = a
        tensors[f"base_model.model.{module}.lora_B.weight"] = b
        name = ".".join(module.split(".")[-2:])         # of every block: self_attn.q_proj
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
