"""What models of any size take to train, from their shapes alone."""

from dataclasses import dataclass

from minillm.config import ModelConfig


@dataclass(frozen=True)
class Published:
    """A model that somebody trained: its shape, and what was published of it."""

    name: str
    config: ModelConfig
    parameters: float       # as published
    tokens: float           # read in training
    flops: float            # of the training, as published or widely estimated
    gpu_hours: float | None
    source: str
    verified: bool = True


GPT3 = ModelConfig(vocab_size=50_257, context=2048, layers=96, width=12_288, heads=96, kv_heads=96, hidden=49_152,
                   norm="layernorm", position="learned", activation="gelu", bias=True, tied=True)
LLAMA_2_70B = ModelConfig(vocab_size=32_000, context=4096, layers=80, width=8192, heads=64, kv_heads=8, hidden=28_672)
# A made-up shape of the 280 B active parameters that press reports have; nobody who built it has given one.
GPT4_GUESS = ModelConfig(vocab_size=100_277, context=8192, layers=120, width=13_312, heads=104, kv_heads=8, hidden=72_448,
                         norm="layernorm", activation="gelu")

PUBLISHED = (
    Published("GPT-3 175B", GPT3, 175e9, 300e9, 3.14e23, None, "Brown et al. 2020, arXiv:2005.14165, tables 2.1 and D.1"),
    Published("GPT-4", GPT4_GUESS, 280e9, 13e12, 2.1e25, None,
              "press reports of 2023 (about 280 B parameters at work on a token, 13 T tokens)", verified=False),
    Published("Llama 2 70B", LLAMA_2_70B, 70e9, 2e12, 8.4e23, 1_720_320,
              "Touvron et al. 2023, arXiv:2307.09288, tables 1 and 2; FLOPs as 6 N D with N = 70 B"),
)


def parameters(config):
    """Number of parameters of a model, without making it.

        tables V C (twice where untied), positions;  a block: attention 2 C^2 + 2 C G D, feed-forward 2 or 3 C F, norms

    Shapes:  ModelConfig with its vocab_size -> int
    """
    C, F, inner = config.width, config.hidden, config.kv_heads * config.head_size
    layernorm_bias = config.bias and config.norm == "layernorm"
    norm = C * (2 if layernorm_bias else 1)
    attention = 2 * C * C + 2 * C * inner + (2 * C + 2 * inner if config.bias else 0)
    ups = 2 if config.activation == "swiglu" else 1
    feed_forward = (ups + 1) * C * F + (ups * F + C if config.bias else 0)
    tables = config.vocab_size * C * (1 if config.tied else 2)
    positions = config.context * C if config.position == "learned" else 0
    return tables + positions + config.layers * (attention + feed_forward + 2 * norm) + norm


def training_flops(config, tokens):
    """Multiplications and additions of a training:  C = 6 N D.

    Each parameter is multiplied and added once forward and twice backward, for every token.
    Source:  Kaplan et al. 2020, arXiv:2001.08361, section 2.1.
    """
    return 6.0 * parameters(config) * tokens


def attention_flops(config, tokens):
    """What 6 N D leaves out: scores and weighted values, 12 L C T a token forward and backward, half of it masked.

    Source:  Kaplan et al. 2020, arXiv:2001.08361, table 1 (2 n_layer n_ctx d_attn forward; 3 times that in training).
    """
    return 12.0 * config.layers * config.width * config.context / 2 * tokens


def measured_flops_per_second(steps=8):
    """Floating-point operations a second of this machine in training steps of the micro model, the median of a few."""
    import time

    import numpy as np

    from minillm.config import PRESETS
    from minillm.model.transformer import transformer_init
    from minillm.text.batches import Batch
    from minillm.train.objectives import next_token

    config = PRESETS["micro"].model
    config = type(config)(**{**vars(config), "vocab_size": 65})
    params, shape = transformer_init(config, np.random.default_rng(0)), (12, config.context)
    tokens = np.random.default_rng(1).integers(0, 65, shape).astype(np.int32)
    batch = Batch(tokens, tokens, np.ones(shape, np.float32), np.zeros(shape, np.int32))
    objective, seconds = next_token(config), []
    for _ in range(steps):
        began = time.perf_counter()
        objective(params, batch)
        seconds.append(time.perf_counter() - began)
    work = training_flops(config, tokens.size) + attention_flops(config, tokens.size)
    return work / float(np.median(seconds[1:]))
