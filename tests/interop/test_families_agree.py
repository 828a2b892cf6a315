"""Windows and experts against transformers: GPT-Neo's alternating local attention, Mixtral's experts; sizes of full models."""

import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.evaluate.scale import FULL_SIZE, LLAMA_2_7B, LLAMA_2_13B
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


def filled(model, named):
    """The transformers model, each tensor from `named`; none is left out on either side."""
    model, state = model.eval(), {name: tensor for name, tensor in model.state_dict().items()
                                           if not name.endswith((".attention.bias", ".masked_bias"))}
    assert state.keys() == named.keys(), state.keys() ^ named.keys()
    missing = model.load_state_dict({name: torch.tensor(np.ascontiguousarray(array)) for name, array in named.items()}, strict=False)
    assert not missing.unexpected_keys
    return model


def test_a_window_on_every_second_block_is_gpt_neos():
    """GPT-Neo has no biases of queries, keys and values, and does not divide scores by sqrt(D): the queries' weights do."""
    config = tiny.config("gpt3", layers=4, kv_heads=6, hidden=240)
    params = tiny.params(config)
    model = transformers.GPTNeoForCausalLM(transformers.GPTNeoConfig(
        vocab_size=13, max_position_embeddings=16, hidden_size=60, num_layers=4, num_heads=6, intermediate_size=240,
        attention_types=[[["global", "local"], 2]], window_size=config.window, activation_function="gelu_new",
        layer_norm_epsilon=config.norm_eps, resid_dropout=0, embed_dropout=0, attention_dropout=0))
    named = {"transformer.wte.weight": params["embedding"]["token"], "lm_head.weight": params["embedding"]["token"],
             "transformer.wpe.weight": params["embedding"]["position"], "transformer.ln_f.weight": params["norm"]["gain"],
             "transformer.ln_f.bias": params["norm"]["bias"]}
    for n, block in enumerate(params["blocks"]):
        attention, feed, place = block["attention"], block["feed_forward"], f"transformer.h.{n}"
        for name in ("query", "key", "value"):
            attention[name]["bias"][:] = 0
        scales = {"q_proj": 10**-0.5, "k_proj": 1, "v_proj": 1, "out_proj": 1}
        for (theirs, scale), mine in zip(scales.items(), ("query", "key", "value", "output")):
            named[f"{place}.attn.attention.{theirs}.weight"] = attention[mine]["weight"] * scale
        named[f"{place}.attn.attention.out_proj.bias"] = attention["output"]["bias"]
        for theirs, mine in (("ln_1", block["norm1"]), ("ln_2", block["norm2"])):
            named.update({f"{place}.{theirs}.weight": mine["gain"], f"{place}.{theirs}.bias": mine["bias"]})
        for theirs, mine in (("c_fc", feed["up"]), ("c_proj", feed["down"])):
            named.update({f"{place}.mlp.{theirs}.weight": mine["weight"], f"{place}.mlp.{theirs}.bias": mine["bias"]})
    model = filled(model.double(), named)
    with torch.no_grad():
        theirs = model(torch.tensor(TOKENS).long()).logits.numpy()
    logits, _ = ours(params, config)
    np.testing.assert_allclose(logits, theirs, rtol=1e-6, atol=1e-6)
    dense, _ = ours(params, tiny.config("gpt3", layers=4, kv_heads=6, hidden=240, window=0))
    assert np.abs(dense - logits).max() > 0.01


def mixtral(config, params):
    """MixtralForCausalLM with our parameters; transformers 5 keeps all experts of a block in one tensor."""
    model = transformers.MixtralForCausalLM(transformers.MixtralConfig(
        vocab_size=13, hidden_size=60, intermediate_size=12, num_hidden_layers=config.layers, num_attention_heads=6,
        num_key_value_heads=3, max_position_embeddings=16, rms_norm_eps=config.norm_eps, rope_theta=config.rope_theta,
        num_local_experts=config.experts, num_experts_per_tok=config.active_experts, tie_word_embeddings=True,
        output_router_logits=True, router_jitter_noise=0.0, sliding_window=None))
    keys = model.state_dict().keys()
    named = {"model.embed_tokens.weight": params["embedding"]["token"], "lm_head.weight": params["embedding"]["token"],
             "model.norm.weight": params["norm"]["gain"]}
    for n, block in enumerate(params["blocks"]):
        place, feed = f"model.layers.{n}", block["feed_forward"]
        named[f"{place}.input_layernorm.weight"] = block["norm1"]["gain"]
        named[f"{place}.post_attention_layernorm.weight"] = block["norm2"]["gain"]
        for theirs, mine in zip("qkvo", ("query", "key", "value", "output")):
            named[f"{place}.self_attn.{theirs}_proj.weight"] = block["attention"][mine]["weight"]
        experts = [{name: layer["weight"] for name, layer in expert.items()} for expert in feed["experts"]]
        if f"{place}.block_sparse_moe.gate.weight" in keys:
            place += ".block_sparse_moe"
            for e, expert in enumerate(experts):
                for theirs, mine in (("w1", "gate"), ("w2", "down"), ("w3", "up")):
                    named[f"{place}.experts.{e}.{theirs}.weight"] = expert[mine]
        else:
            place += ".mlp"
            named[f"{place}.experts.gate_up_proj"] = np.stack([np.concatenate([e["gate"], e["up"]]) for e in experts])
            named[f"{place}.experts.down_proj"] = np.stack([e["down"] for e in experts])
        named[f"{place}.gate.weight"] = feed["router"]["weight"]
    return filled(model, named)


def test_experts_and_their_balance_are_mixtrals():
    """Its auxiliary loss takes the layers together and counts every choice: with one layer, K times ours."""
    config = tiny.config("experts", layers=1, hidden=12)
    params = tiny.params(config)
    with torch.no_grad():
        out = mixtral(config, params)(torch.tensor(TOKENS).long())
    logits, balance = ours(params, config)
    close(logits, out.logits.numpy())
    assert float(out.aux_loss) == pytest.approx(config.active_experts * balance, rel=1e-5)
    config = tiny.config("experts", layers=3, hidden=12)
    params = tiny.params(config)
    with torch.no_grad():
        theirs = mixtral(config, params)(torch.tensor(TOKENS).long()).logits.numpy()
    close(ours(params, config)[0], theirs)


def test_gradients_of_experts_are_mixtrals():
    config = tiny.config("experts", layers=2, hidden=12)
    params = tiny.params(config)
    model = mixtral(config, params)
    dlogits = np.random.default_rng(1).standard_normal((2, 15, 13))
    (model(torch.tensor(TOKENS).long()).logits * torch.tensor(dlogits)).sum().backward()
    h, body = transformer_forward(TOKENS, params, config, *one_document(TOKENS))
    dh, d_head = head_backward(dlogits, head_forward(h, params)[1])
    grads = transformer_backward(dh, body, d_head)
    like = mixtral(config, grads).state_dict()
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
