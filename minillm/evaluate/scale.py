"""What models of any size take to train, from their shapes alone."""

from dataclasses import dataclass, replace

from minillm.config import GPT2, MODELS, ModelConfig
from minillm.model.size import attention_flops, training_flops


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


MICRO = replace(MODELS["micro"], vocab_size=65)      # what the speed of a machine is measured on
GPT3 = ModelConfig(vocab_size=50_257, context=2048, layers=96, width=12_288, heads=96, kv_heads=96,
                   hidden=49_152, **GPT2)
LLAMA_2_70B = ModelConfig(vocab_size=32_000, context=4096, layers=80, width=8192, heads=64,
                          kv_heads=8, hidden=28_672)
# Press reports speak of 280 B active parameters; this shape has as many. It is made up: nobody who
# built GPT-4 has published its shape.
GPT4_GUESS = ModelConfig(vocab_size=100_277, context=8192, layers=120, width=13_312, heads=104,
                         kv_heads=8, hidden=72_448, norm="layernorm", activation="gelu")

PUBLISHED = (
    Published("GPT-3 175B", GPT3, 175e9, 300e9, 3.14e23, None,
              "Brown et al. 2020, arXiv:2005.14165, tables 2.1 and D.1"),
    Published("GPT-4", GPT4_GUESS, 280e9, 13e12, 2.1e25, None,
              "press reports of 2023 (about 280 B parameters at work on a token, 13 T tokens)",
              verified=False),
    Published("Llama 2 70B", LLAMA_2_70B, 70e9, 2e12, 8.4e23, 1_720_320,
              "Touvron et al. 2023, arXiv:2307.09288, tables 1 and 2; "
              "FLOPs as 6 N D with N = 70 B"),
)


def measured_flops_per_second(steps=8):
    """FLOP/s of this machine in training steps of the micro model: the median of a few."""
    import time

    import numpy as np

    from minillm.model.transformer import one_document, transformer_init
    from minillm.objectives.next_token import next_token_objective
    from minillm.text.batches import Batch

    params, shape = transformer_init(MICRO, np.random.default_rng(0)), (12, MICRO.context)
    tokens = np.random.default_rng(1).integers(0, MICRO.vocab_size, shape).astype(np.int32)
    batch = Batch(tokens, tokens, np.ones(shape, np.float32), *one_document(tokens))
    seconds = []
    for _ in range(steps):
        began = time.perf_counter()
        next_token_objective(params, batch, MICRO)
        seconds.append(time.perf_counter() - began)
    work = training_flops(MICRO, tokens.size) + attention_flops(MICRO, tokens.size)
    return work / float(np.median(seconds[1:]))
