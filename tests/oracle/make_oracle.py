"""Freeze what PyTorch and transformers compute, so that a test can hold minillm against them without either.

    pip install torch==2.13.0 transformers==5.24.0 safetensors numpy
    python tests/oracle/make_oracle.py

Writes llama.safetensors and gpt2.safetensors beside this script; the versions that it ran with are in each file's
metadata. Nothing here is minillm's: it is an oracle only as long as it shares no code with what it judges.

A file holds, for a model whose P numbers lie one tensor after the other, in the order of the metadata's `shapes`:

    tokens, targets, weights        (B, T): a plain batch; weight 1 where the target counts, else 0
    logits                          (B, T, V) float64
    initial                         (P,) float16, which holds them exactly
    gradient                        (P,) float64, of the first step, before clipping
    loss, norm                      (3,) float64, each step's; norm: of the whole gradient, before clipping
    moved                           (3, P) float32: the weights after each step less `initial`
    packed.*                        (2, T): two documents in a row; a row padded on the left. position counts from
                                    each document's start, visible_from is the first place that a token sees
    packed.logits                   (2, T, V) float64; a pad's own mean nothing
"""

import importlib.util
import json
import platform
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
import transformers
from safetensors.numpy import save_file
from torch.nn.functional import cross_entropy

HERE = Path(__file__).resolve().parent

# Every size is another number, as far as a small file allows: with D = 2 rather than 4 = H the Llama would be a
# quarter, but theta would not matter and the two rotary layouts would be one.
LLAMA = dict(vocab_size=11, max_position_embeddings=9, hidden_size=16, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, intermediate_size=5, rms_norm_eps=1e-3, rope_theta=30.0, hidden_act="silu",
             attention_bias=False, mlp_bias=False, tie_word_embeddings=False)
GPT2 = dict(vocab_size=13, n_positions=8, n_embd=6, n_layer=2, n_head=3, n_inner=10, layer_norm_epsilon=1e-3,
            activation_function="gelu_new", tie_word_embeddings=True)
NO_DROPOUT = dict(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)
NO_CONTROLS = dict(bos_token_id=None, eos_token_id=None)    # GPT-2's own ids lie outside so small a vocabulary

# The limit bites at the first steps and not at the last, so that both sides of the minimum are taken.
ADAMW = dict(learning_rates=[0.004, 0.003, 0.001], beta1=0.8, beta2=0.9, eps=1e-8, weight_decay=0.3)


def in_float64(name):
    """transformers' own module with each float32 that it asks for read as float64; nothing else is changed.

    Its norm, its rotary angles and its softmax are rounded to float32 even in a model of float64: to 1e-7, where
    this oracle is to be good to 1e-15.
    """
    spec = importlib.util.find_spec(name)
    source = Path(spec.origin).read_text(encoding="utf-8")
    source = re.sub(r"torch\.float(32)?\b", "torch.float64", source).replace(".float()", ".double()")
    module = ModuleType(name + "_in_float64")
    module.__package__, module.__file__ = spec.parent, spec.origin
    sys.modules[module.__name__] = module
    exec(compile(source, spec.origin, "exec"), module.__dict__)
    return module


def lively(model, rng):
    """Fill a model with weights of ordinary size, multiples of 1/256, that float16 holds exactly.

    At a first model's values biases are 0, gains are 1, and gradients of 1e-4 are near rounding.
    """
    for name, parameter in model.named_parameters():
        draw = rng.standard_normal(parameter.shape)
        if parameter.ndim == 1:
            values = 0.3 * draw + (name.endswith("norm.weight") or ".ln_" in name and name.endswith("weight"))
        elif "embed" in name or "wte" in name or "wpe" in name:
            values = 0.7 * draw
        else:
            values = 0.35 * draw
        values = np.round(256 * values) / 256
        assert np.array_equal(values, values.astype(np.float16)), name
        parameter.data.copy_(torch.from_numpy(values))


def flat(tensors):
    """All numbers of a sequence of tensors, as one array."""
    return np.concatenate([tensor.detach().numpy().ravel() for tensor in tensors])


def packed_batch(rng, vocabulary, length):
    """Row 0: documents of 3 and length - 3 tokens; row 1: two pads, then one document."""
    tokens = rng.integers(0, vocabulary, (2, length))
    visible_from = np.array([[0] * 3 + [3] * (length - 3), [2] * length])
    position = np.array([[*range(3), *range(length - 3)], [0, 0, *range(length - 2)]])
    return tokens, position, visible_from


def visible(visible_from):
    """The 4-D mask that is added to the scores: token t sees s where visible_from[t] <= s <= t; a pad sees itself,
    as softmax needs one key.

    Shapes:  visible_from (B, T) -> (B, 1, T, T), 0 or -inf
    """
    place = torch.arange(visible_from.shape[1])
    seen = (visible_from[:, :, None] <= place) & (place <= place[:, None])
    seen = seen | (place == place[:, None])
    return torch.zeros(seen.shape, dtype=torch.float64).masked_fill(~seen, -torch.inf)[:, None]


def mean_loss(logits, targets, weights):
    """Cross-entropy, averaged over the targets that count."""
    each = cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return (each * weights.flatten()).sum() / weights.sum()


def adamw_for(model):
    """torch's AdamW with two groups: matrices decay, vectors do not."""
    parameters = list(model.parameters())
    groups = [{"params": [p for p in parameters if p.ndim >= 2], "weight_decay": ADAMW["weight_decay"]},
              {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, betas=(ADAMW["beta1"], ADAMW["beta2"]), eps=ADAMW["eps"])


def clip(parameters, limit):
    """torch's clipping, to exactly `limit`; returns the norm before.

    clip_grad_norm_ multiplies by limit / (norm + 1e-6). The function below it is given norm - 1e-6, so that this
    addition cancels: against minillm's limit / norm it would be an error of 1e-6, a million times the others.
    """
    norm = torch.nn.utils.get_total_norm([p.grad for p in parameters])
    torch.nn.utils.clip_grads_with_norm_(parameters, limit, norm - 1e-6)
    after = torch.nn.utils.get_total_norm([p.grad for p in parameters])
    assert abs(float(after) - min(limit, float(norm))) < 1e-12
    return float(norm)


def freeze(name, model, untouched, config, rows, length, limit, seed):
    """Compute everything once and write NAME.safetensors."""
    rng = np.random.default_rng(seed)
    model.double().eval()
    lively(model, rng)
    parameters = list(model.parameters())
    initial = flat(parameters)
    stream = rng.integers(0, config["vocab_size"], (rows, length + 1))
    weights = (rng.random((rows, length)) < 0.7).astype(np.float64)
    assert 0 < weights.sum() < weights.size
    tokens, targets = torch.from_numpy(stream[:, :-1].copy()), torch.from_numpy(stream[:, 1:].copy())

    packed = dict(zip(("tokens", "position", "visible_from"),
                      packed_batch(rng, config["vocab_size"], length)))
    read = {key: torch.from_numpy(value) for key, value in packed.items()}
    with torch.no_grad():
        logits = model(tokens).logits
        packed["logits"] = model(read["tokens"], attention_mask=visible(read["visible_from"]),
                                 position_ids=read["position"]).logits.numpy()

        # Is the mask what it says? Each document by itself has the same logits.
        for row, start, end in ((0, 0, 3), (0, 3, length), (1, 2, length)):
            alone = model(read["tokens"][row:row + 1, start:end]).logits[0].numpy()
            np.testing.assert_allclose(packed["logits"][row, start:end], alone, rtol=0, atol=1e-12)

        # Is it still transformers' model? As installed, it agrees to what float32 allows.
        untouched.load_state_dict(model.state_dict())
        difference = float((untouched.double().eval()(tokens).logits - logits).abs().max())
        assert difference < 1e-5

    optimizer, losses, norms, moved, gradient = adamw_for(model), [], [], [], None
    for lr in ADAMW["learning_rates"]:
        optimizer.zero_grad()
        loss = mean_loss(model(tokens).logits, targets, torch.from_numpy(weights))
        loss.backward()
        gradient = flat(p.grad for p in parameters) if gradient is None else gradient
        losses.append(loss.item())
        norms.append(clip(parameters, limit))
        for group in optimizer.param_groups:
            group["lr"] = lr
        optimizer.step()
        moved.append(flat(parameters) - initial)
    assert norms[0] > limit > norms[-1], f"{norms} against a limit of {limit}"

    arrays = {"tokens": stream[:, :-1].astype(np.int32), "targets": stream[:, 1:].astype(np.int32),
              "weights": weights.astype(np.float32), "logits": logits.numpy(), "initial": initial.astype(np.float16),
              "gradient": gradient, "loss": np.array(losses), "norm": np.array(norms),
              "moved": np.array(moved).astype(np.float32)}
    for key, value in packed.items():
        arrays[f"packed.{key}"] = value if key == "logits" else value.astype(np.int32)
    about = {"versions": {"torch": torch.__version__, "transformers": transformers.__version__,
                          "numpy": np.__version__, "python": platform.python_version()},
             "class": type(model).__name__, "config": config, "adamw": {**ADAMW, "clip": limit}, "seed": seed,
             "shapes": {key: list(parameter.shape) for key, parameter in model.named_parameters()}}
    path = HERE / f"{name}.safetensors"
    save_file({key: np.ascontiguousarray(value) for key, value in arrays.items()}, path,
              metadata={"about": json.dumps(about)})
    path.chmod(0o644)
    print(f"{path.name}: {path.stat().st_size:,} bytes, {initial.size:,} weights, losses {losses}, norms {norms}, "
          f"limit {limit}; as installed its logits differ by {difference:.0e}; versions {about['versions']}")
    for key, parameter, part in zip(about["shapes"], parameters, np.split(gradient, np.cumsum(
            [p.numel() for p in parameters])[:-1])):
        print(f"    {key:48} {str(list(parameter.shape)):9} gradient's rms {np.sqrt(np.mean(part ** 2)):.1e}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    llama = in_float64("transformers.models.llama.modeling_llama")
    config = transformers.LlamaConfig(**LLAMA, attn_implementation="eager")
    assert config.rope_parameters["rope_theta"] == LLAMA["rope_theta"]
    freeze("llama", llama.LlamaForCausalLM(config), transformers.LlamaForCausalLM(config), LLAMA,
           rows=3, length=7, limit=2.7, seed=1)
    config = transformers.GPT2Config(**GPT2, **NO_DROPOUT, **NO_CONTROLS, attn_implementation="eager")
    gpt2 = in_float64("transformers.models.gpt2.modeling_gpt2")
    freeze("gpt2", gpt2.GPT2LMHeadModel(config), transformers.GPT2LMHeadModel(config), GPT2,
           rows=4, length=7, limit=3.6, seed=2)
