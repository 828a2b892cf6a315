"""Every parameter has a place in a family's tensors, and comes back from it."""

import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.formats.hugging_face import from_tensors, to_tensors

NAMED = {"llama": "model.embed_tokens.weight", "untied": "lm_head.weight", "gpt2": "transformer.h.1.attn.c_attn.bias",
         "gpt2, untied": "lm_head.weight", "experts": "model.layers.1.block_sparse_moe.experts.3.w2.weight",
         "gpt_neo": "transformer.h.1.attn.attention.q_proj.weight", "gpt2 without biases": "blocks.1.norm1.gain"}


def config_of(preset):
    return tiny.config("gpt2", tied=False) if preset == "gpt2, untied" else tiny.config(preset)


@pytest.mark.parametrize("preset", [*tiny.PRESETS, "gpt2, untied"])
def test_every_number_is_written_once_and_comes_back(preset):
    config = config_of(preset)
    params = tiny.params(config)
    tensors = to_tensors(params, config)
    values = np.sort(np.concatenate([tensor.ravel() for tensor in tensors.values()]))
    root = 4 if preset == "gpt_neo" else 1          # by which queries are smaller there
    ours = [leaf.ravel() / (root if name.endswith("query.weight") else 1) for name, leaf in tree.named_leaves(params)]
    assert np.array_equal(values, np.sort(np.concatenate(ours)))
    assert NAMED.get(preset, next(iter(tensors))) in tensors
    like = tree.zeros_like(params)
    tree.tree_map(np.testing.assert_array_equal, from_tensors(tensors, config, like), params)


def test_queries_of_gpt_neo_are_smaller_by_the_root_of_their_size_bit_for_bit():
    config = tiny.config("gpt_neo")
    params = tiny.params(config, dtype=np.float32)
    tensors = to_tensors(params, config)
    assert np.array_equal(tensors["transformer.h.1.attn.attention.q_proj.weight"] * 4,
                          params["blocks"][1]["attention"]["query"]["weight"])
    assert np.array_equal(tensors["transformer.h.1.attn.attention.k_proj.weight"],
                          params["blocks"][1]["attention"]["key"]["weight"])


@pytest.mark.parametrize("preset", ["llama", "gpt2"])
def test_a_parameter_without_a_name_in_the_format_is_refused_not_lost(preset):
    config = tiny.config(preset)
    params = tiny.params(config)
    params["blocks"][1]["attention"]["query"]["lora_a"] = np.ones((2, 60))
    with pytest.raises(ValueError, match="blocks.1.attention.query.lora_a has no name in the format"):
        to_tensors(params, config)
