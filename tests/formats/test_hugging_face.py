"""Our folders are read by the Hugging Face libraries, and their models compute the same logits."""

import json

import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.formats.config_json import family, from_json, to_json
from minillm.formats.hugging_face import to_tensors
from minillm.train.checkpoint import save_checkpoint


@pytest.mark.parametrize("preset,name", [("llama", "llama"), ("untied", "llama"), ("one key for all heads", "llama"),
                                         ("gpt2", "gpt2"), ("gpt2 without biases", "minillm"),
                                         ("layernorm, rope, gelu", "minillm")])
def test_the_family_follows_from_the_parts(preset, name):
    assert family(tiny.config(preset)) == name


def test_every_number_is_written_once():
    for preset in tiny.PRESETS:
        config = tiny.config(preset)
        params = tiny.params(config)
        tensors = to_tensors(params, config)
        values = np.sort(np.concatenate([tensor.ravel() for tensor in tensors.values()]))
        assert np.array_equal(values, np.sort(np.concatenate([leaf.ravel() for leaf in tree.leaves(params)])))


def test_the_config_comes_back():
    for preset in tiny.PRESETS:
        config = tiny.config(preset, norm_eps=1e-6, rope_theta=500.0)
        assert from_json(json.loads(json.dumps(to_json(config)))) == config


@pytest.mark.parametrize("preset", ["llama", "untied", "one key for all heads", "gpt2"])
def test_transformers_computes_the_same_logits(preset, tmp_path):
    """Names, transposes, head order, rotary layout, eps: one of them wrong, and only the numbers show it."""
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    model = tiny.model(preset, rope_theta=300.0, norm_eps=1e-4)
    folder = save_checkpoint(tmp_path, 1, model)
    theirs, report = transformers.AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True,
                                                                       dtype=torch.float32)
    assert type(theirs).__name__ == {"gpt2": "GPT2LMHeadModel"}.get(preset, "LlamaForCausalLM")
    assert not any(report[what] for what in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    tokens = tiny.prompts(lengths=(20,))[0]
    with torch.no_grad():
        expected = theirs(torch.from_numpy(tokens[None].astype(np.int64))).logits[0].numpy()
    np.testing.assert_allclose(model.logits(tokens), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("preset", ["llama", "gpt2"])
def test_a_parameter_without_a_name_in_the_format_is_refused_not_lost(preset):
    config = tiny.config(preset)
    params = tiny.params(config)
    params["blocks"][1]["attention"]["query"]["lora_a"] = np.ones((2, 60))
    with pytest.raises(ValueError, match="blocks.1.attention.query.lora_a has no name in the format"):
        to_tensors(params, config)


def test_another_layout_of_rotary_positions_is_refused():
    data = to_json(tiny.config())
    assert data["minillm"]["rope_layout"] == "half"
    data["minillm"]["rope_layout"] = "interleaved"
    with pytest.raises(ValueError, match="rope_layout is 'interleaved'"):
        from_json(data)
