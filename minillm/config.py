"""Dials: how they are declared, checked and changed; those of the model and of the optimizer.

A dial is a setting: a field of a frozen dataclass, a flag of the command line and a key of a TOML
file. Each field says which values it may have, so a wrong value gets the same error message from a
flag, a file or a library call. Each stage's own dials stand beside its phase, in phases/.
"""

import difflib
import math
import re
from dataclasses import dataclass, field, fields, is_dataclass, replace
from numbers import Integral, Real

INTERVAL = re.compile(r"([\[(])(\S+), (\S+)([\])])")
PRECISIONS = ("float32", "bfloat16")
KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}


def knob(default, help, choices=None, within=None, later=False, needs=None):
    """A dial: a field with the help line that the command line prints, and its allowed values.

    choices: the words allowed; within: an interval as mathematics writes it, such as "(0, 1]".
    needs: another dial of the section; while that one is 0 or false, this one does nothing.
    later: the dial is younger than the first files of settings. At its default it is not written,
    so files of runs that do not use it stay what they were, and older runs can be resumed.
    """
    return field(default=default, metadata={"help": help, "choices": choices, "within": within,
                                            "later": later, "needs": needs})


def require(condition, message):
    """Raise ValueError(message) unless the condition holds; for mistakes of a user."""
    if not condition:
        raise ValueError(message)


def did_you_mean(word, known):
    """Half a sentence that suggests the known word nearest to an unknown one."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else "known: " + ", ".join(sorted(known))


def check_range(name, value, within):
    """Refuse a number outside an interval, NaN included.  Raises:  ValueError"""
    opening, low, high, closing = INTERVAL.fullmatch(within).groups()
    enough = value >= float(low) if opening == "[" else value > float(low)
    little = value <= float(high) if closing == "]" else value < float(high)
    least = f"be {low} or more" if opening == "[" else f"be above {low}"
    most = f" and at most {high}" if closing == "]" else f" and below {high}"
    words = f"lie between {low} and {high}" if (opening, closing) == ("[", "]") else \
        least + (most if high != "inf" else "")
    require(enough and little, f"{name} is {value}; it must {words}")


@dataclass(frozen=True)
class Dials:
    """Base of all configurations: each field is checked against its type, choices and interval.

    Raises:  ValueError that names the field and says what it must be.
    """

    def __post_init__(self):
        for item in fields(self):
            value, kind = getattr(self, item.name), type(item.default)
            if is_dataclass(kind):
                require(isinstance(value, kind), f"{item.name} must be a {kind.__name__}")
                continue
            check_kind(item.name, value, kind)
            choices, within = (item.metadata.get(key) for key in ("choices", "within"))
            if choices and value not in choices:
                raise ValueError(f"{item.name} is {value!r}; {did_you_mean(value, choices)}")
            if within:
                check_range(item.name, value, within)

    def implied(self, changes):
        """What else changes with these dials, unless it is among them: {name: value}."""
        return {}


def check_kind(name, value, kind):
    """Refuse a value that is not of the field's type; a float field takes whole numbers too."""
    accepted = {int: Integral, float: Real}.get(kind, kind)
    fits = isinstance(value, accepted) and (kind is bool or not isinstance(value, bool))
    require(fits, f"{name} is {value!r}; it must be {KINDS[kind]}")
    require(kind is not float or math.isfinite(value),
            f"{name} is {value}; it must be a finite number")


@dataclass(frozen=True)
class ModelConfig(Dials):
    """The shape of a decoder-only transformer."""
    vocab_size: int = knob(0, "tokens in the vocabulary; 0: as many as the tokenizer has",
                           within="[0, inf)")
    context: int = knob(128, "longest sequence, in tokens", within="[1, inf)")
    layers: int = knob(3, "transformer blocks", within="[1, inf)")
    width: int = knob(128, "channels of the residual stream (C)", within="[1, inf)")
    heads: int = knob(4, "query heads (H)", within="[1, inf)")
    kv_heads: int = knob(2, "key/value heads (G); each serves H / G query heads", within="[1, inf)")
    hidden: int = knob(352, "channels inside the feed-forward (F)", within="[1, inf)")
    norm: str = knob("rmsnorm", "how each token's vector is normalized", ("rmsnorm", "layernorm"))
    position: str = knob("rope", "how positions are encoded", ("rope", "learned"))
    activation: str = knob("swiglu", "activation function of the feed-forward", ("swiglu", "gelu"))
    bias: bool = knob(False, "biases in linear layers and LayerNorm")
    tied: bool = knob(False, "one table for the embedding and the output head")
    norm_eps: float = knob(1e-5, "added under the root of every norm", within="[1e-12, 1]")
    rope_theta: float = knob(500.0, "base of the rotary frequencies", within="[1, 1e12]")
    window: int = knob(0, "keys that a token sees in every second block, its own included; 0: all "
                          "before it, in every block", within="[0, inf)", later=True)
    experts: int = knob(0, "feed-forwards of each block that a router chooses among (E); 0: one, "
                           "without a router", within="[0, inf)", later=True)
    active_experts: int = knob(2, "experts that work on a token (K)", within="[1, inf)",
                               later=True, needs="experts")
    balance: float = knob(0.01, "weight of the loss that keeps experts evenly used",
                          within="[0, inf)", later=True, needs="experts")
    qkv_bias: bool = knob(True, "where there are biases: those of queries, keys and values too "
                                "(GPT-Neo has none)", later=True, needs="bias")

    @property
    def head_size(self):
        """D = C / H."""
        return self.width // self.heads

    def __post_init__(self):
        super().__post_init__()
        require(self.width % self.heads == 0,
                f"width {self.width} is not a multiple of heads {self.heads}; "
                "each head takes an equal share")
        require(self.heads % self.kv_heads == 0,
                f"heads {self.heads} is not a multiple of kv_heads {self.kv_heads}; "
                "every key/value head serves the same number of query heads")
        require(self.position != "rope" or self.head_size % 2 == 0,
                f"width / heads is {self.head_size}; rotary positions rotate pairs of channels, "
                "so it must be even")
        require(self.experts == 0 or self.experts >= self.active_experts,
                f"experts is {self.experts}, fewer than active_experts, which is "
                f"{self.active_experts}")


@dataclass(frozen=True)
class OptimizerConfig(Dials):
    """Shared by every stage that trains: optimizer, warm-up, cosine decay and clipping."""
    steps: int = knob(100, "optimizer steps", within="[1, inf)")
    rows: int = knob(16, "sequences per step", within="[1, inf)")
    micro_batches: int = knob(1, "parts that a step's batch is split into, to save memory",
                              within="[1, inf)")
    optimizer: str = knob("adamw", "what takes the steps; muon: Muon for the matrices of the "
                                   "blocks, AdamW for the rest", ("adamw", "muon"))
    lr: float = knob(1e-3, "peak learning rate", within="(0, inf)")
    table_lr: float = knob(1.0, "learning rate of the embedding and the output head, as a multiple "
                                "of lr", within="[0, inf)")
    final_lr: float = knob(0.1, "final learning rate, as a share of the peak", within="[0, 1]")
    warmup_share: float = knob(0.2, "linear warm-up, as a share of the steps", within="[0, 1]")
    beta1: float = knob(0.9, "decay rate of the gradient's running mean", within="[0, 1)")
    beta2: float = knob(0.95, "AdamW: decay rate of the squared gradient's mean", within="[0, 1)")
    weight_decay: float = knob(0.1, "weight decay of matrices; vectors have none",
                               within="[0, 1000]")
    clip: float = knob(1.0, "largest norm of all gradients together (clipping)",
                       within="[1e-6, inf)")
    recompute: bool = knob(False, "keep only each block's input and compute the block again in "
                                  "the backward pass: less memory, more time")
    precision: str = knob("float32", "of the factors of matrix products in training; bfloat16: "
                                     "rounded, which takes less time where the processor has "
                                     "AVX512-BF16", PRECISIONS)
    save_every: int = knob(200, "steps between checkpoints", within="[1, inf)")

    def __post_init__(self):
        super().__post_init__()
        require(self.rows % self.micro_batches == 0,
                f"rows {self.rows} is not a multiple of micro_batches {self.micro_batches}")

    @property
    def warmup_steps(self):
        """Steps of linear warm-up."""
        return round(self.warmup_share * self.steps)


# GPT-2's architecture, where it differs from the defaults. The defaults are Llama's.
GPT2 = dict(norm="layernorm", position="learned", activation="gelu", bias=True, tied=True)

# A rotary base far larger than a context of 128 tokens needs: half of a head's pairs of channels
# hardly turn within it, so they compare what two tokens are wherever these stand.
SLOW_ROTATION = dict(rope_theta=1e5)

# Families of models, each a twin of about a million parameters; evaluate/scale.py has the shapes of
# full size. "micro" is the small character-level model of many tutorials.
MODELS = {
    "llama": ModelConfig(**SLOW_ROTATION),
    "gpt2": ModelConfig(layers=4, kv_heads=4, hidden=512, **GPT2),
    "gpt3": ModelConfig(layers=4, kv_heads=4, hidden=512, window=32, **GPT2),
    # Llama 2 70B: eight query heads share a key/value head, and F = 3.5 C.
    "llama2": ModelConfig(heads=8, kv_heads=1, hidden=448, **SLOW_ROTATION),
    "moe": ModelConfig(hidden=64, experts=8, active_experts=2, **SLOW_ROTATION),
    "micro": ModelConfig(context=64, layers=4, kv_heads=4, hidden=512, **{**GPT2, "bias": False}),
}


def updated(config, changes, where=""):
    """A copy of a (nested) configuration with a nested dict of changes applied.

    Raises:  ValueError for an unknown key (with the nearest known one) or an invalid value.
    """
    known = {item.name: item for item in fields(config)}
    values = {}
    for key, value in changes.items():
        name = f"{where}{key}"
        if key not in known:
            raise ValueError(f"unknown key {name}; {did_you_mean(key, known)}")
        old = getattr(config, key)
        if is_dataclass(old):
            require(isinstance(value, dict), f"{name} is a section, not a value; write [{name}]")
            values[key] = updated(old, value, f"{name}.")
        else:
            values[key] = coerced(value, type(old), name)
    try:
        return replace(config, **{**config.implied(values), **values})
    except ValueError as error:             # its message begins with the field's name
        raise ValueError(f"{where}{error}") from None


def coerced(value, kind, name):
    """The value as the field's type; text from the command line is parsed as that type."""
    if isinstance(value, str) and kind is bool and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if isinstance(value, str) and kind in (int, float):
        try:
            value = kind(value)
        except ValueError:
            raise ValueError(f"{name} is {value!r}; it must be {KINDS[kind]}") from None
    check_kind(name, value, kind)
    return kind(value)


def idle(config, name):
    """The dial that the dial `name` needs and that is 0 or false, so that `name` does nothing."""
    needed = type(config).__dataclass_fields__[name].metadata.get("needs")
    return needed if needed and not getattr(config, needed) else None


def refuse_idle(config, changes, where=""):
    """Refuse dials that somebody has set and that do nothing.

    changes: the nested dict with which `updated` made config; where: what stands before its keys.
    Raises:  ValueError that names the dial, and the one that it needs.
    """
    for key, value in changes.items():
        if isinstance(value, dict):
            refuse_idle(getattr(config, key), value, f"{where}{key}.")
        elif (needed := idle(config, key)) is not None:
            raise ValueError(f"{where}{key} is {getattr(config, key)}, but {needed} is "
                             f"{getattr(config, needed)}, without which it does nothing; set "
                             f"{needed} too, or leave it out")


def as_dict(config):
    """The configuration as nested plain values, for JSON; without later dials at their default."""
    shown = {}
    for item in fields(config):
        value = getattr(config, item.name)
        if not item.metadata.get("later") or value != item.default:
            shown[item.name] = as_dict(value) if is_dataclass(value) else value
    return shown


def dotted(nested, prefix=""):
    """Yield (dotted name, value) of a nested dict: ("model.width", 128)."""
    for key, value in nested.items():
        if isinstance(value, dict):
            yield from dotted(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
