"""Held against PyTorch and transformers: logits, loss, every gradient, and every weight after each AdamW step.

tests/oracle/make_oracle.py computed what tests/oracle/*.safetensors hold, once; neither library is needed here.
The gradient ledger says that each backward belongs to its forward; this says that the forwards are Llama's and
GPT-2's, and that the optimizer is AdamW.
"""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors import safe_open

from minillm import tree
from minillm.config import GPT2, ModelConfig, OptimizerConfig
from minillm.formats.config_json import to_json
from minillm.formats.families import LLAMA
from minillm.formats.hugging_face import from_tensors, to_tensors
from minillm.model.transformer import head_forward, transformer_forward, transformer_init
from minillm.objectives.next_token import next_token_objective
from minillm.optim.adamw import adamw_init, adamw_update
from minillm.optim.clipping import clip_scale, global_norm
from minillm.text.batches import Batch

ORACLE = Path(__file__).resolve().parent / "oracle"

# Largest difference, as a share of a tensor's largest number. Both sides compute in float64 but add in different
# orders: their rounding, 1e-16 an operation, came to 7e-15. The rest is room for another machine's exp.
EXACT = 1e-12
# What a weight has moved, about 0.01, is kept in float32, which rounds it by 6e-8 of itself. Kept in float64 it agreed
# to 4e-14, but for the bias of GPT-2's keys, to 1e-8: its gradient is 0, and AdamW divides the rounding by eps.
MOVED = 1e-7

# What transformers calls the dials of ModelConfig.
OURS = {"vocab_size": "vocab_size", "tie_word_embeddings": "tied", "rope_theta": "rope_theta",
        "max_position_embeddings": "context", "n_positions": "context", "hidden_size": "width", "n_embd": "width",
        "num_hidden_layers": "layers", "n_layer": "layers", "num_attention_heads": "heads", "n_head": "heads",
        "num_key_value_heads": "kv_heads", "intermediate_size": "hidden", "n_inner": "hidden",
        "rms_norm_eps": "norm_eps", "layer_norm_epsilon": "norm_eps"}


def whole(shape):
    """(positions, visible_from) of rows that are one document each."""
    return np.broadcast_to(np.arange(shape[1], dtype=np.int32), shape), np.zeros(shape, np.int32)


def logits_of(params, config, tokens, positions, visible_from):
    """minillm's forward pass.  Shapes:  all (B, T) -> (B, T, V)"""
    h, _ = transformer_forward(tokens, params, config, positions, visible_from)
    return head_forward(h, params)[0]


def loss_and_gradients(params, config, tokens, targets, weights, positions, visible_from):
    """minillm's loss and its gradients.  Shapes:  all (B, T) -> float, tree"""
    batch = Batch(tokens, targets, weights, positions, visible_from)
    part = next_token_objective(params, batch, config)
    return part.loss, part.grads


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def oracle(request):
    """One frozen file, with its sizes as a ModelConfig and its numbers by name."""
    with safe_open(ORACLE / f"{request.param}.safetensors", "np") as file:
        about = json.loads(file.metadata()["about"])
        frozen = {name: file.get_tensor(name) for name in file.keys()}
    parts = LLAMA.parts if request.param == "llama" else GPT2
    sizes = {ours: about["config"][theirs] for theirs, ours in OURS.items() if theirs in about["config"]}
    config = ModelConfig(**{**parts, "kv_heads": sizes["heads"], **sizes})
    return SimpleNamespace(about=about, frozen=frozen, config=config, name=request.param)


def by_name(oracle, numbers):
    """The tensors that lie one after the other in `numbers`, under transformers' names, in float64."""
    shapes = oracle.about["shapes"]
    ends = np.cumsum([np.prod(shape) for shape in shapes.values()])
    assert ends[-1] == numbers.size
    return {name: part.reshape(shape).astype(np.float64)
            for (name, shape), part in zip(shapes.items(), np.split(numbers, ends[:-1]))}


def first_params(oracle):
    """The oracle's weights as minillm's parameters, which own their memory: AdamW writes into them."""
    like = transformer_init(oracle.config, np.random.default_rng(0))
    return tree.copy(from_tensors(by_name(oracle, oracle.frozen["initial"]), oracle.config, like))


def batch_of(oracle):
    """(tokens, targets, weights, positions, visible_from) of the plain batch, each (B, T)."""
    tokens, targets, weights = (oracle.frozen[name] for name in ("tokens", "targets", "weights"))
    return tokens, targets, weights, *whole(tokens.shape)


def agree(got, expected, limit, what):
    """Assert that two arrays differ by no more than `limit` of the largest expected number."""
    assert got.shape == expected.shape and got.dtype == np.float64, f"{what}: {got.dtype} {got.shape}"
    error = np.abs(got - expected).max() / np.abs(expected).max()
    assert error <= limit, f"{what} differs from PyTorch's by {error:.1e} of its largest number"


def agree_by_name(got, expected, limit, what):
    """agree, tensor by tensor; neither side may have one that the other has not."""
    assert got.keys() == expected.keys()
    for name in expected:
        agree(got[name], expected[name], limit, f"{what} {name}")


def test_our_config_json_says_what_the_oracle_was_built_with(oracle):
    written = to_json(oracle.config)
    assert written["architectures"] == [oracle.about["class"]]
    for name, value in oracle.about["config"].items():
        assert written[name] == value, name


def test_logits(oracle):
    tokens, _, _, positions, visible_from = batch_of(oracle)
    logits = logits_of(first_params(oracle), oracle.config, tokens, positions, visible_from)
    agree(logits, oracle.frozen["logits"], EXACT, "logits")


def test_logits_of_packed_and_padded_rows(oracle):
    """Two documents in a row, whose positions restart, and a row padded on the left.

    Only the GPT-2 can tell whether they restart: rotary scores depend on distances alone.
    """
    tokens, positions, visible_from, expected = (oracle.frozen[f"packed.{name}"] for name in
                                                 ("tokens", "position", "visible_from", "logits"))
    logits = logits_of(first_params(oracle), oracle.config, tokens, positions, visible_from)
    seen = visible_from <= np.arange(tokens.shape[1])           # a pad's own logits mean nothing
    assert not seen.all()
    agree(logits[seen], expected[seen], EXACT, "logits")


def test_loss_and_every_gradient(oracle):
    loss, grads = loss_and_gradients(first_params(oracle), oracle.config, *batch_of(oracle))
    assert loss == pytest.approx(oracle.frozen["loss"][0], rel=EXACT)
    agree_by_name(to_tensors(grads, oracle.config), by_name(oracle, oracle.frozen["gradient"]), EXACT,
                  "gradient of")


def test_every_weight_after_each_step(oracle):
    """A fresh gradient each step, clipped by its norm (at the first two), decay of matrices alone, a new lr."""
    made_with = oracle.about["adamw"]
    assert made_with["eps"] == 1e-8                             # which adamw_update has no dial for
    settings = OptimizerConfig(**{name: made_with[name] for name in ("beta1", "beta2", "weight_decay", "clip")})
    params, start = first_params(oracle), by_name(oracle, oracle.frozen["initial"])
    state = adamw_init(params)
    for step, lr in enumerate(made_with["learning_rates"]):
        loss, grads = loss_and_gradients(params, oracle.config, *batch_of(oracle))
        norm = global_norm(grads)
        adamw_update(params, grads, state, lr, settings, clip_scale(norm, settings.clip))
        moved = {name: tensor - start[name] for name, tensor in to_tensors(params, oracle.config).items()}
        agree_by_name(moved, by_name(oracle, oracle.frozen["moved"][step]), MOVED, f"after step {step + 1}, move of")
        assert loss == pytest.approx(oracle.frozen["loss"][step], rel=EXACT)
        assert norm == pytest.approx(oracle.frozen["norm"][step], rel=EXACT)
    assert clip_scale(oracle.frozen["norm"][0], settings.clip) < clip_scale(oracle.frozen["norm"][-1], settings.clip)
