"""Windows and experts against transformers: GPT-Neo's alternating local attention, Mixtral's experts; sizes of full models."""

import numpy as np
import pytest
import tiny

from experts import as_in_memory
from minillm import tree
from minillm.evaluate.scale import FULL_SIZE, LLAMA_2_7B, LLAMA_2_13B
from minillm.formats.config_json import to_json
from minillm.formats.hugging_face import to_tensors
from minillm.model import size
from minillm.model.transformer import (head_backward, head_forward, one_document, transformer_backward,
                                       transformer_forward)

torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
TOKENS = np.random.default_rng(0).integers(0, 13, (2, 15)).astype(np.int32)


def ours(params, config):
    """Logits, and the sum of the blocks' balancing losses."""
    h, cache = transformer_forward(TOKENS, params, config, *one_document(TOKENS))
    return head_forward(h, params)[0], cache.balance


def close(found, expected, tolerance=1e-5):
    """transformers routes, rotates and (in 5) multiplies experts in float32: |found - expected| is small beside |expected|."""
    assert np.linalg.norm(found - expected) <= tolerance * np.linalg.norm(expected)


def filled(kind, config, params):
    """A model of transformers with our parameters, in the names of the files; none is left out on either side."""
    settings = {**to_json(config), "output_router_logits": True, "pad_token_id": None}      # a pad's row has no gradient there
    made = getattr(transformers, f"{kind}Config")(**{name: value for name, value in settings.items() if name != "minillm"})
    model = getattr(transformers, f"{kind}ForCausalLM")(made).eval()
    state = {name: tensor for name, tensor in model.state_dict().items() if not name.endswith((".attention.bias", ".masked_bias"))}
    named = as_in_memory(to_tensors(params, config), state)
    named.update({"lm_head.weight": params["embedding"]["token"]} if config.tied else {})
    assert state.keys() == named.keys(), state.keys() ^ named.keys()
    missing = model.load_state_dict({name: torch.tensor(np.ascontiguousarray(array)) for name, array in named.items()}, strict=False)
    assert not missing.unexpected_keys
    return model


def test_a_window_on_every_second_block_is_gpt_neos():
    """GPT-Neo has no biases of queries, keys and values, and does not divide scores by sqrt(D): the queries' weights do."""
    config = tiny.config("gpt_neo", layers=4)
    params = tiny.params(config)
    model = filled("GPTNeo", config, params).double()
    model.load_state_dict({name: torch.tensor(array) for name, array in to_tensors(params, config).items()}, strict=False)
    with torch.no_grad():
        theirs = model(torch.tensor(TOKENS).long()).logits.numpy()
    logits, _ = ours(params, config)
    np.testing.assert_allclose(logits, theirs, rtol=1e-6, atol=1e-6)
    dense, _ = ours(params, tiny.config("gpt_neo", layers=4, window=0))
    assert np.abs(dense - logits).max() > 0.01


def test_experts_and_their_balance_are_mixtrals():
    """Its auxiliary loss takes the layers together and counts every choice: with one layer, K times ours."""
    config = tiny.config("experts", layers=1, hidden=12)
    params = tiny.params(config)
    with torch.no_grad():
        out = filled("Mixtral", config, params)(torch.tensor(TOKENS).long())
    logits, balance = ours(params, config)
    close(logits, out.logits.numpy())
    assert float(out.aux_loss) == pytest.approx(config.active_experts * balance, rel=1e-5)
    config = tiny.config("experts", layers=3, hidden=12)
    params = tiny.params(config)
    with torch.no_grad():
        theirs = filled("Mixtral", config, params)(torch.tensor(TOKENS).long()).logits.numpy()
    close(ours(params, config)[0], theirs)


def test_gradients_of_experts_are_mixtrals():
    config = tiny.config("experts", layers=2, hidden=12)
    params = tiny.params(config)
    model = filled("Mixtral", config, params)
    dlogits = np.random.default_rng(1).standard_normal((2, 15, 13))
    (model(torch.tensor(TOKENS).long()).logits * torch.tensor(dlogits)).sum().backward()
    h, body = transformer_forward(TOKENS, params, config, *one_document(TOKENS))
    dh, d_head = head_backward(dlogits, head_forward(h, params)[1])
    grads = transformer_backward(dh, body, d_head)
    like = filled("Mixtral", config, grads).state_dict()
    for name, param in model.named_parameters():
        close(like[name].numpy(), param.grad.numpy(), 1e-4)
    assert tree.count(grads) == tree.count(params)


CLASSES = {"gpt2": "GPT2", "llama2": "Llama", "moe": "Mixtral"}


def test_full_sizes_have_as_many_parameters_in_transformers():
    shapes = {full.name: (full.family, full.config) for full in FULL_SIZE if full.family in CLASSES and full.published}
    shapes.update({"Llama 2 7B": ("llama2", LLAMA_2_7B), "Llama 2 13B": ("llama2", LLAMA_2_13B)})
    assert len(shapes) == 5
    for name, (family, config) in shapes.items():
        common = dict(vocab_size=config.vocab_size, tie_word_embeddings=config.tied)
        sizes = dict(n_embd=config.width, n_layer=config.layers, n_head=config.heads, n_positions=config.context) \
            if family == "gpt2" else dict(
                hidden_size=config.width, num_hidden_layers=config.layers, num_attention_heads=config.heads,
                num_key_value_heads=config.kv_heads, intermediate_size=config.hidden, max_position_embeddings=config.context)
        sizes.update(dict(num_local_experts=config.experts) if family == "moe" else {})
        kind = CLASSES[family]
        made = getattr(transformers, f"{kind}Config")(**common, **sizes)
        with torch.device("meta"):
            model = getattr(transformers, f"{kind}LMHeadModel" if family == "gpt2" else f"{kind}ForCausalLM")(made)
        assert sum(param.numel() for param in model.parameters()) == size.parameters(config), name
