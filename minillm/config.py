"""Every dial of the project: one frozen dataclass a stage, which is also the command line and the TOML file."""

import difflib
import math
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace


def knob(default, help, choices=None):
    """A field with the help line that the command line prints."""
    return field(default=default, metadata={"help": help, "choices": choices})


def require(condition, message):
    """Raise ValueError(message) unless the condition holds: for what a user may set wrongly."""
    if not condition:
        raise ValueError(message)


def check_choices(config):
    """Refuse a word that is not among a field's choices.  Raises:  ValueError with the nearest one."""
    for item in fields(config):
        choices, value = item.metadata.get("choices"), getattr(config, item.name)
        if choices and value not in choices:
            raise ValueError(f"{item.name} is {value!r}; " + did_you_mean(str(value), choices))


def did_you_mean(word, known):
    """A half sentence that points from an unknown word to the nearest known one."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else "known: " + ", ".join(sorted(known))


@dataclass(frozen=True)
class TokenizerConfig:
    """Learn a vocabulary from text."""
    vocab_size: int = knob(2048, "tokens in the vocabulary, control tokens included")
    kind: str = knob("bpe", "byte-level pair merging, or one token a character", ("bpe", "characters"))

    def __post_init__(self):
        check_choices(self)


@dataclass(frozen=True)
class ModelConfig:
    """The shape of a decoder-only transformer."""
    vocab_size: int = knob(0, "tokens the model knows; 0: as many as the tokenizer has")
    context: int = knob(128, "longest sequence, in tokens")
    layers: int = knob(3, "transformer blocks")
    width: int = knob(128, "channels of the residual stream (C)")
    heads: int = knob(4, "query heads (H)")
    kv_heads: int = knob(2, "key/value heads (G); fewer than query heads share")
    hidden: int = knob(352, "channels inside the feed-forward (F)")
    norm: str = knob("rmsnorm", "how tokens are normalized", ("rmsnorm", "layernorm"))
    position: str = knob("rope", "how positions are told", ("rope", "learned"))
    activation: str = knob("swiglu", "what bends inside the feed-forward", ("swiglu", "gelu"))
    bias: bool = knob(False, "biases in linear layers and LayerNorm")
    tied: bool = knob(False, "one table for the embedding and the output head")
    norm_eps: float = knob(1e-5, "added under the root of every norm")
    rope_theta: float = knob(500.0, "base of the rotary frequencies")
    rope_layout: str = knob("half", "which channels rotate together: i with i + D/2", ("half",))

    @property
    def head_size(self):
        """D = C / H."""
        return self.width // self.heads

    def __post_init__(self):
        for name in ("context", "layers", "width", "heads", "kv_heads", "hidden"):
            require(getattr(self, name) >= 1, f"{name} is {getattr(self, name)}; it must be 1 or more")
        require(self.vocab_size >= 0, f"vocab_size is {self.vocab_size}; it must not be negative")
        require(self.width % self.heads == 0,
                f"width {self.width} is not a multiple of heads {self.heads}; each head takes an equal share")
        require(self.heads % self.kv_heads == 0,
                f"heads {self.heads} is not a multiple of kv_heads {self.kv_heads}; every key/value head "
                "serves as many query heads as the next")
        require(self.position != "rope" or self.head_size % 2 == 0,
                f"width / heads is {self.head_size}; rotary positions turn pairs of channels, so it must be even")
        check_choices(self)


@dataclass(frozen=True)
class OptimizerConfig:
    """Shared by every phase that trains: AdamW with warm-up, cosine decay and clipping."""
    steps: int = knob(100, "optimizer steps")
    rows: int = knob(16, "sequences a step")
    micro_batches: int = knob(1, "parts that a step is computed in, to save memory")
    lr: float = knob(1e-3, "peak learning rate")
    final_lr: float = knob(0.1, "last learning rate, as a share of the peak")
    warmup: int = knob(20, "steps of linear warm-up")
    beta1: float = knob(0.9, "AdamW: memory of the mean gradient")
    beta2: float = knob(0.95, "AdamW: memory of the squared gradient")
    weight_decay: float = knob(0.1, "AdamW: decay of matrices; vectors are not decayed")
    clip: float = knob(1.0, "largest norm of the whole gradient")
    recompute: bool = knob(False, "keep each block's input alone and compute the block again: less memory, more time")
    save_every: int = knob(200, "steps between checkpoints")

    def __post_init__(self):
        for name in ("steps", "rows", "micro_batches", "save_every"):
            require(getattr(self, name) >= 1, f"{name} is {getattr(self, name)}; it must be 1 or more")
        require(self.lr > 0 and self.clip > 0, f"lr {self.lr} and clip {self.clip} must be above 0")
        require(self.rows % self.micro_batches == 0,
                f"rows {self.rows} is not a multiple of micro_batches {self.micro_batches}")
        require(0 <= self.warmup, f"warmup is {self.warmup}; it must not be negative")
        check_choices(self)


@dataclass(frozen=True)
class PretrainConfig(OptimizerConfig):
    """Phase 1: predict the next token."""
    steps: int = knob(1150, "optimizer steps")
    lr: float = knob(6e-3, "peak learning rate")
    warmup: int = knob(40, "steps of linear warm-up")
    short_steps: int = knob(400, "first steps, which read short windows: attention finds its targets sooner there")
    short_context: int = knob(32, "tokens in a short window; a step holds as many tokens as ever")
    megabytes: float = knob(2.5, "size of the embedded world's text, where no --data is given")
    validation_every: int = knob(200, "steps between looks at the validation loss and a sample")

    def __post_init__(self):
        super().__post_init__()
        require(self.short_context >= 1 and self.short_steps >= 0 and self.validation_every >= 1,
                f"short_context {self.short_context} and validation_every {self.validation_every} must be 1 or more, "
                f"short_steps {self.short_steps} not negative")
        require(self.megabytes > 0, f"megabytes is {self.megabytes}; it must be above 0")


@dataclass(frozen=True)
class FinetuneConfig(OptimizerConfig):
    """Phase 2: go on with chosen examples."""
    steps: int = knob(700, "optimizer steps")
    lr: float = knob(1e-3, "peak learning rate")
    conversations: int = knob(20000, "instructions drawn from the embedded world")
    replay_rows: int = knob(4, "windows of the pretraining text that every step reads again, against forgetting")
    task_steps: int = knob(100, "steps of the fine-tuning for one task")
    domain_steps: int = knob(60, "steps of the fine-tuning for one domain")


@dataclass(frozen=True)
class PreferenceConfig:
    """Phase 3, first half: sample responses and have them ranked."""
    prompts: int = knob(2000, "prompts whose responses are ranked")
    responses: int = knob(4, "responses a prompt (K)")
    temperature: float = knob(0.6, "sampling temperature")
    max_new_tokens: int = knob(48, "longest response, in tokens")
    noise: float = knob(0.05, "spread of the simulated raters' judgement, in points of the gold score")

    def __post_init__(self):
        require(self.responses >= 2, f"responses is {self.responses}; a ranking needs 2 or more")
        require(self.prompts >= 1, f"prompts is {self.prompts}; it must be 1 or more")
        require(self.temperature > 0, f"temperature is {self.temperature}; it must be above 0")


@dataclass(frozen=True)
class RewardConfig(OptimizerConfig):
    """Phase 3, second half: learn to predict the rankings."""
    steps: int = knob(180, "optimizer steps")
    rows: int = knob(16, "prompts a step, each with its K responses")
    lr: float = knob(5e-4, "peak learning rate")


@dataclass(frozen=True)
class PolicyConfig(OptimizerConfig):
    """Phase 3, the end: optimize the model against the reward model, not too far from where it began."""
    steps: int = knob(40, "optimizer steps")
    rows: int = knob(64, "responses a step")
    lr: float = knob(1e-4, "peak learning rate")
    weight_decay: float = knob(0.0, "AdamW: decay of matrices; vectors are not decayed")
    warmup: int = knob(5, "steps of linear warm-up")
    algorithm: str = knob("ppo", "how rewards become gradients", ("ppo", "reinforce"))
    group: int = knob(4, "responses to the same prompt that REINFORCE compares; PPO asks another each time")
    epochs: int = knob(2, "optimizer steps on the same rollout")
    prompts: int = knob(2000, "prompts drawn from the embedded world")
    kl: float = knob(0.2, "price of one nat of KL divergence from the fine-tuned model")
    kl_form: str = knob("reward", "where that price is paid: in each token's reward, or in the loss",
                        ("reward", "loss"))
    clip_ratio: float = knob(0.2, "PPO: how far a probability ratio may move the objective")
    value_coefficient: float = knob(0.5, "weight of the value loss")
    entropy_coefficient: float = knob(0.0, "weight of the entropy bonus")
    gamma: float = knob(1.0, "discount of later rewards")
    gae_lambda: float = knob(0.95, "GAE: trust in sampled returns against the value head")
    temperature: float = knob(0.6, "sampling temperature, in the rollout and in the update alike")
    max_new_tokens: int = knob(48, "longest response, in tokens")
    save_every: int = knob(20, "steps between checkpoints")

    def __post_init__(self):
        super().__post_init__()
        require(self.algorithm != "reinforce" or self.group >= 2,
                f"group is {self.group}; REINFORCE compares a response with others to the same prompt and needs "
                "2 or more")
        require(self.algorithm != "reinforce" or self.rows % self.group == 0,
                f"rows {self.rows} is not a multiple of group {self.group}")
        require(self.epochs >= 1 and self.save_every % self.epochs == 0,
                f"save_every {self.save_every} is not a multiple of epochs {self.epochs}; "
                "a checkpoint falls between rollouts")
        require(self.temperature > 0, f"temperature is {self.temperature}; it must be above 0")
        require(self.kl >= 0, f"kl is {self.kl}; it must not be negative")


@dataclass(frozen=True)
class RunConfig:
    """Everything `minillm run` does."""
    seed: int = knob(0, "one number that every random choice follows from")
    tokenizer: TokenizerConfig = TokenizerConfig()
    model: ModelConfig = ModelConfig()
    pretrain: PretrainConfig = PretrainConfig()
    finetune: FinetuneConfig = FinetuneConfig()
    preferences: PreferenceConfig = PreferenceConfig()
    reward: RewardConfig = RewardConfig()
    rlhf: PolicyConfig = PolicyConfig()


GPT2 = dict(norm="layernorm", position="learned", activation="gelu", bias=True, tied=True)

PRESETS = {
    "llama": RunConfig(),
    "gpt2": RunConfig(model=ModelConfig(layers=4, kv_heads=4, hidden=512, **GPT2), pretrain=PretrainConfig(lr=4e-3)),
    "micro": RunConfig(tokenizer=TokenizerConfig(kind="characters"),
                       model=ModelConfig(context=64, layers=4, kv_heads=4, hidden=512, **{**GPT2, "bias": False}),
                       pretrain=PretrainConfig(steps=2000, rows=12, lr=1e-3, warmup=100, beta2=0.99, short_steps=0,
                                               validation_every=250)),
}


def updated(config, changes, where=""):
    """A copy of a (nested) configuration with a nested dict of changes applied.

    Raises:  ValueError for an unknown key (with the nearest known one) or a value of another type.
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
    return replace(config, **values)


def coerced(value, kind, name):
    """The value in the type of the field; text from a command line is read as that type."""
    expected = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}[kind]
    wrong = f"{name} is {value!r}; it must be {expected}"
    if isinstance(value, str) and kind is bool:
        require(value.lower() in ("true", "false"), wrong)
        return value.lower() == "true"
    if isinstance(value, str) and kind in (int, float):
        try:
            value = kind(value)
        except ValueError:
            raise ValueError(wrong) from None
    if kind is float and type(value) is int:
        value = float(value)
    require(type(value) is kind, wrong)
    require(kind is not float or math.isfinite(value), f"{name} is {value}; it must be a finite number")
    return value


def as_dict(config):
    """The configuration as nested plain values, for JSON and TOML."""
    return asdict(config)
