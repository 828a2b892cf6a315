"""The experts of Mixtral's files as transformers has them in memory."""

import re

import numpy as np

EXPERT = re.compile(r"(model\.layers\.\d+)\.block_sparse_moe\.experts\.\d+\.w(\d)\.weight")


def as_in_memory(named, names):
    """Tensors by the names of the files, by those of a model in memory: version 5 has all experts of a block in two tensors.

    names: of the model's parameters, which tell the version.
    """
    if not any(name.endswith(".mlp.experts.down_proj") for name in names):
        return named
    made, stacks = {}, {}
    for name, array in named.items():
        if found := EXPERT.fullmatch(name):
            stacks.setdefault(found[1], {}).setdefault(found[2], []).append(array)
        else:
            made[name.replace(".block_sparse_moe.", ".mlp.")] = array
    for place, stack in stacks.items():
        gate, down, up = (np.stack(stack[which]) for which in "123")
        made[f"{place}.mlp.experts.gate_up_proj"] = np.concatenate([gate, up], axis=1)
        made[f"{place}.mlp.experts.down_proj"] = down
    return made
