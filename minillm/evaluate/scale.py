"""What models of any size take to train, from their shapes alone, beside what is told of them."""

from dataclasses import dataclass, replace

from minillm.config import GPT2, MODELS, ModelConfig
from minillm.model.size import attention_flops, parameters, training_flops


@dataclass(frozen=True)
class Published:
    """A model that somebody trained: its shape, and what was published of it (None: nothing)."""

    name: str
    config: ModelConfig
    parameters: float | None
    tokens: float           # read in training
    flops: float | None     # of the training
    gpu_hours: float | None
    source: str
    verified: bool = True   # False: shape and tokens are guesses


@dataclass(frozen=True)
class FullSize:
    """A model of one of the families of config.MODELS as its makers built it, and its size."""

    family: str
    name: str
    config: ModelConfig
    published: int | None   # parameters; None: nobody published how many
    unit: int               # what the published number is rounded to; 1: every parameter
    source: str
    active: int | None = None       # published parameters at work on a token, to 1e9

    @property
    def outcome(self):
        """"equal" (rounded as the published number is), "differs", or "none is published"."""
        if self.published is None:
            return "none is published"
        counted = round(parameters(self.config) / self.unit) * self.unit
        equal = "equal" if self.unit == 1 else "equal, rounded"
        return equal if counted == self.published else "differs"


@dataclass(frozen=True)
class Told:
    """A figure that is told of a model's training, beside the one that can be computed.

    within: the factor by which the two may differ. Prices differ by more than counts do.
    """

    model: str
    what: str
    told: float | None      # None: it is told that nobody knows
    computed: float | None  # None: what it would be computed from was never published
    unit: str
    within: float
    why: str                # what the computed figure is made of, and why the two differ

    @property
    def outcome(self):
        """"agrees", "differs", or "unknown" where nothing was published to compute it from."""
        if self.told is None or self.computed is None:
            return "unknown"
        ratio = self.computed / self.told
        return "agrees" if 1 / self.within <= ratio <= self.within else "differs"

    def words(self, value):
        """A told or computed number in words: 175 B, 4.7 M dollars, 570 GB, or "unknown"."""
        if value is None:
            return "unknown"
        if self.unit == "bytes":
            return f"{value / 1e9:,.0f} GB"
        units = {1e12: "T", 1e9: "B", 1e6: "M"}
        size = next(size for size in units if value >= size)
        return f"{value / size:.3g} {units[size]} {self.unit}".strip()


MICRO = replace(MODELS["micro"], vocab_size=65)      # what the speed of a machine is measured on
GPT2_XL = ModelConfig(vocab_size=50_257, context=1024, layers=48, width=1600, heads=25,
                      kv_heads=25, hidden=6400, **GPT2)
# Dense and locally banded layers take turns; how wide the band is was not published. 128 is the
# width in gpt-oss, which follows GPT-3 in this (OpenAI 2025, arXiv:2508.10925, section 2.2). No
# parameter depends on it.
GPT3 = ModelConfig(vocab_size=50_257, context=2048, layers=96, width=12_288, heads=96, kv_heads=96,
                   hidden=49_152, window=128, **GPT2)
LLAMA_2_7B = ModelConfig(vocab_size=32_000, context=4096, layers=32, width=4096, heads=32,
                         kv_heads=32, hidden=11_008)
LLAMA_2_13B = replace(LLAMA_2_7B, layers=40, width=5120, heads=40, kv_heads=40, hidden=13_824)
LLAMA_2_70B = ModelConfig(vocab_size=32_000, context=4096, layers=80, width=8192, heads=64,
                          kv_heads=8, hidden=28_672)
MIXTRAL = ModelConfig(vocab_size=32_000, context=32_768, layers=32, width=4096, heads=32,
                      kv_heads=8, hidden=14_336, experts=8, active_experts=2, rope_theta=1e6)
# Press reports speak of 16 experts, 2 of them at work, and of 280 B active parameters; this shape
# has as many. It is made up: nobody who built GPT-4 has published its shape, nor that it has
# experts.
GPT4_GUESS = ModelConfig(vocab_size=100_277, context=8192, layers=120, width=13_312, heads=104,
                         kv_heads=8, hidden=36_224, experts=16, active_experts=2,
                         norm="layernorm", activation="gelu")

LLAMA_2_HOURS = 1_720_320       # of one A100, for the 70B model
LLAMA_2 = "Touvron et al. 2023, arXiv:2307.09288, tables 1 and 2"
PUBLISHED = (
    Published("GPT-3 175B", GPT3, 175e9, 300e9, 3.14e23, None,
              "Brown et al. 2020, arXiv:2005.14165, tables 2.1 and D.1"),
    Published("GPT-4", GPT4_GUESS, None, 13e12, None, None,
              "press reports of 2023 (about 280 B parameters at work on a token, 13 T tokens)",
              verified=False),
    Published("Llama 2 7B", LLAMA_2_7B, 7e9, 2e12, None, 184_320, LLAMA_2),
    Published("Llama 2 13B", LLAMA_2_13B, 13e9, 2e12, None, 368_640, LLAMA_2),
    Published("Llama 2 70B", LLAMA_2_70B, 70e9, 2e12, None, LLAMA_2_HOURS, LLAMA_2),
)

TENSORS = "counted from its tensors on Hugging Face"
FULL_SIZE = (
    FullSize("gpt2", "GPT-2 1.5B", GPT2_XL, 1_557_611_200, 1,
             f"openai-community/gpt2-xl, {TENSORS}"),
    FullSize("gpt3", "GPT-3 175B", GPT3, 174_600_000_000, 10**8,
             "Brown et al. 2020, arXiv:2005.14165, table D.1"),
    FullSize("llama2", "Llama 2 70B", LLAMA_2_70B, 68_976_648_192, 1,
             f"meta-llama/Llama-2-70b-hf, {TENSORS}; 70 B in its paper"),
    FullSize("moe", "Mixtral 8x7B", MIXTRAL, 46_702_792_704, 1,
             f"mistralai/Mixtral-8x7B-v0.1, {TENSORS}; active: Jiang et al. 2024, "
             "arXiv:2401.04088, section 1", 13 * 10**9),
    FullSize("moe", "GPT-4 *", GPT4_GUESS, None, 1,
             "nobody who built it has published a size; that it has experts is said, not known"),
)

V100_FLOPS = 28e12              # a GPU of 2020 at its best without tensor cores
DOLLARS_PER_GPU_HOUR = 1.5
BYTES_PER_TOKEN = 4             # of English text, roughly, in vocabularies of 50,000 tokens
A100_FLOPS, UTILIZATION = 312e12, 0.4


def gpu_hours(config, tokens, flops_per_second):
    """Hours of one GPU that does so many operations a second: (6 N D + attention) / rate / 3600."""
    work = training_flops(config, tokens) + attention_flops(config, tokens)
    return work / flops_per_second / 3600


def told_figures():
    """What is told of three models, each figure beside the one that can be computed.

    Source:  the price of GPT-3: C. Li, Lambda Labs 2020, "OpenAI's GPT-3 Language Model: A
             Technical Overview"; its text: Brown et al. 2020, section 2.2; of GPT-4: OpenAI 2023,
             arXiv:2303.08774, section 2, which publishes neither size nor data.
    """
    gpt3_hours = training_flops(GPT3, 300e9) / V100_FLOPS / 3600
    return (
        Told("GPT-3 175B", "parameters", 175e9, parameters(GPT3), "", 1.05,
             "counted from the published shape; the told figure is rounded"),
        Told("GPT-3 175B", "text", 570e9, 300e9 * BYTES_PER_TOKEN, "bytes", 1.5,
             f"300 B tokens were read, of about {BYTES_PER_TOKEN} bytes each; 570 GB is the "
             "paper's figure for Common Crawl after filtering, one of five sources"),
        Told("GPT-3 175B", "cost", 5e6, gpt3_hours * DOLLARS_PER_GPU_HOUR, "dollars", 1.5,
             f"6 N D at {V100_FLOPS / 1e12:.0f} TFLOP/s, a GPU of 2020 at its best, for "
             f"{DOLLARS_PER_GPU_HOUR} dollars an hour; the makers published no price"),
        Told("GPT-4", "parameters", 1.7e12, None, "", 1.05,
             "an estimate of the press; the makers publish no size"),
        Told("GPT-4", "text", None, None, "bytes", 1.5,
             "the makers publish nothing about its data"),
        Told("GPT-4", "cost", 100e6, None, "dollars", 1.5,
             "it would follow from size and tokens, and neither is published"),
        Told("Llama 2 70B", "parameters", 70e9, parameters(LLAMA_2_70B), "", 1.05,
             "counted from the published shape; the told figure is rounded"),
        Told("Llama 2 70B", "tokens", 2e12, LLAMA_2_HOURS * 3600 * A100_FLOPS * UTILIZATION
             / (6 * parameters(LLAMA_2_70B)), "", 1.5,
             f"as many as the published GPU hours pay for at {UTILIZATION:.0%} of the "
             f"{A100_FLOPS / 1e12:.0f} TFLOP/s of an A100; the real share was a little higher"),
        Told("Llama 2 70B", "cost", 2e6, LLAMA_2_HOURS * DOLLARS_PER_GPU_HOUR, "dollars", 1.5,
             f"the published {LLAMA_2_HOURS:,} GPU hours at {DOLLARS_PER_GPU_HOUR} dollars; "
             f"2 million means {2e6 / LLAMA_2_HOURS:.2f} dollars an hour"),
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
