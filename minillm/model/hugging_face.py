"""The tensor names and the config.json that Hugging Face's LlamaForCausalLM and GPT2LMHeadModel read.

A model whose parts are those of Llama or of GPT-2 is written in that family's form; any other mix is
written under its own names, as model_type "minillm".
"""

from dataclasses import fields

import numpy as np

from minillm import tree
from minillm.config import ModelConfig, did_you_mean

LLAMA = dict(norm="rmsnorm", position="rope", activation="swiglu", bias=False)
GPT2 = dict(norm="layernorm", position="learned", activation="gelu", bias=True, tied=True)

LLAMA_PARTS = {"norm1.gain": "input_layernorm.weight", "norm2.gain": "post_attention_layernorm.weight",
               "attention.query.weight": "self_attn.q_proj.weight",
               "attention.key.weight": "self_attn.k_proj.weight",
               "attention.value.weight": "self_attn.v_proj.weight",
               "attention.output.weight": "self_attn.o_proj.weight",
               "feed_forward.gate.weight": "mlp.gate_proj.weight",
               "feed_forward.up.weight": "mlp.up_proj.weight",
               "feed_forward.down.weight": "mlp.down_proj.weight"}
LLAMA_OUTER = {"embedding.token": "model.embed_tokens.weight", "norm.gain": "model.norm.weight",
               "head.weight": "lm_head.weight"}

# GPT-2 keeps its matrices as (in, out), and query, key and value in one.
GPT2_VECTORS = {"norm1.gain": "ln_1.weight", "norm1.bias": "ln_1.bias",
                "norm2.gain": "ln_2.weight", "norm2.bias": "ln_2.bias",
                "attention.output.bias": "attn.c_proj.bias", "feed_forward.up.bias": "mlp.c_fc.bias",
                "feed_forward.down.bias": "mlp.c_proj.bias"}
GPT2_MATRICES = {"attention.output.weight": "attn.c_proj.weight", "feed_forward.up.weight": "mlp.c_fc.weight",
                 "feed_forward.down.weight": "mlp.c_proj.weight"}
GPT2_OUTER = {"embedding.token": "transformer.wte.weight", "embedding.position": "transformer.wpe.weight",
              "norm.gain": "transformer.ln_f.weight", "norm.bias": "transformer.ln_f.bias"}


def family(config):
    """"llama", "gpt2", or "minillm" for a mix of parts that neither family has."""
    def matches(parts):
        return all(getattr(config, name) == value for name, value in parts.items())
    if matches(LLAMA):
        return "llama"
    return "gpt2" if matches(GPT2) and config.kv_heads == config.heads else "minillm"


def to_tensors(params, config):
    """The parameters as a flat dict of tensors in the family's names and layout."""
    named, kind = dict(tree.named_leaves(params)), family(config)
    if kind == "minillm":
        return named
    outer, inner = (LLAMA_OUTER, LLAMA_PARTS) if kind == "llama" else (GPT2_OUTER, GPT2_VECTORS)
    tensors = {outer[name]: leaf for name, leaf in named.items() if not name.startswith("blocks.")}
    for layer in range(config.layers):
        def leaf(name):
            return named[f"blocks.{layer}.{name}"]
        prefix = f"model.layers.{layer}." if kind == "llama" else f"transformer.h.{layer}."
        tensors.update({prefix + theirs: leaf(ours) for ours, theirs in inner.items()})
        if kind == "gpt2":
            tensors.update({prefix + theirs: np.ascontiguousarray(leaf(ours).T)
                            for ours, theirs in GPT2_MATRICES.items()})
            for what, join in (("weight", lambda parts: np.concatenate(parts).T), ("bias", np.concatenate)):
                parts = [leaf(f"attention.{part}.{what}") for part in ("query", "key", "value")]
                tensors[f"{prefix}attn.c_attn.{what}"] = np.ascontiguousarray(join(parts))
    return tensors


def from_tensors(tensors, config, like):
    """to_tensors in reverse, into the structure of `like`.

    Raises:  ValueError that names a tensor which is missing, superfluous or of another shape.
    """
    kind = family(config)
    if kind == "minillm":
        return tree.from_named(like, tensors)
    tensors, named = dict(tensors), {}

    def take(theirs):
        if theirs not in tensors:
            raise ValueError(f"tensor {theirs} is missing")
        return tensors.pop(theirs)
    outer, inner = (LLAMA_OUTER, LLAMA_PARTS) if kind == "llama" else (GPT2_OUTER, GPT2_VECTORS)
    expected = dict(tree.named_leaves(like))
    named.update({ours: take(theirs) for ours, theirs in outer.items() if ours in expected})
    for layer in range(config.layers):
        prefix = f"model.layers.{layer}." if kind == "llama" else f"transformer.h.{layer}."
        for ours, theirs in inner.items():
            named[f"blocks.{layer}.{ours}"] = take(prefix + theirs)
        if kind == "gpt2":
            for ours, theirs in GPT2_MATRICES.items():
                named[f"blocks.{layer}.{ours}"] = np.ascontiguousarray(take(prefix + theirs).T)
            weight, bias = take(f"{prefix}attn.c_attn.weight").T, take(f"{prefix}attn.c_attn.bias")
            for what, parts in (("weight", np.split(weight, 3)), ("bias", np.split(bias, 3))):
                for part, array in zip(("query", "key", "value"), parts):
                    named[f"blocks.{layer}.attention.{part}.{what}"] = np.ascontiguousarray(array)
    if tensors:
        raise ValueError(f"tensor {next(iter(tensors))} is not part of this model")
    return tree.from_named(like, named)


def to_json(config, tokenizer):
    """What config.json holds: the family's own keys, and the whole ModelConfig under "minillm"."""
    kind = family(config)
    common = {"vocab_size": config.vocab_size, "tie_word_embeddings": config.tied, "dtype": "float32",
              "bos_token_id": tokenizer.begin_id, "eos_token_id": tokenizer.end_id,
              "pad_token_id": tokenizer.pad_id}
    ours = {"minillm": {item.name: getattr(config, item.name) for item in fields(config)}}
    if kind == "llama":
        return {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
                "hidden_size": config.width, "intermediate_size": config.hidden,
                "num_hidden_layers": config.layers, "num_attention_heads": config.heads,
                "num_key_value_heads": config.kv_heads, "head_dim": config.head_size,
                "max_position_embeddings": config.context, "rms_norm_eps": config.norm_eps,
                "rope_theta": config.rope_theta, "attention_bias": False, "mlp_bias": False, **common, **ours}
    if kind == "gpt2":
        return {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "activation_function": "gelu_new",
                "n_embd": config.width, "n_inner": config.hidden, "n_layer": config.layers,
                "n_head": config.heads, "n_positions": config.context,
                "layer_norm_epsilon": config.norm_eps, **common, **ours}
    return {"model_type": "minillm", **common, **ours}


def from_json(data):
    """The ModelConfig in a config.json of this project.

    Raises:  ValueError for a file that is not one, an unknown key, or a value out of range.
    """
    if not isinstance(data, dict) or not isinstance(data.get("minillm"), dict):
        raise ValueError('it has no section "minillm"; was this folder written by minillm?')
    known = [item.name for item in fields(ModelConfig)]
    for key, value in data["minillm"].items():
        if key not in known:
            raise ValueError(f"unknown key minillm.{key}; {did_you_mean(key, known)}")
        if type(value) is not type(getattr(ModelConfig(), key)):
            raise ValueError(f"minillm.{key} is {value!r}, of another type than {getattr(ModelConfig(), key)!r}")
    config = ModelConfig(**data["minillm"])
    if config.vocab_size == 0:
        raise ValueError("minillm.vocab_size is 0; a trained model knows its vocabulary")
    return config
