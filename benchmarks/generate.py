"""How many tokens a second does decoding make, alone and in batches, near and far into the context?

    python benchmarks/generate.py --against torch --json generate.json --plot generate.png

The model `mini` with a context of 1,024 makes the last tokens of contexts of 64 to 1,024, for 1 and for 64 rows at
once, greedily, against a cache of keys and values. The cache is filled with random numbers: how long a step takes
does not depend on what was said, and reading a prompt is not part of the question. Before that, both sides
continue the same prompts from the same weights, and the first tokens must be the same.
PyTorch's side is eager, in inference mode, with a preallocated cache.

Reading a prompt is measured by its memory, in a process of its own: what it takes at its peak beside the weights, and
the least that it can take, the cache and the activations of one block. The model is of the Llama family, 30 blocks of
width 576.
"""

import time

import numpy as np
from common import Report, columns_of, flags, grouped, median, pair_ratios, parse, progress, spread
from models import MODELS, TINY, config_of
from pictures import curves
from turns import memory_of, open_sides, take_turns

from minillm.config import ModelConfig
from minillm.model import size
from minillm.model.decoding import decode_step, generate_tokens, prefill
from minillm.model.sampling import sample
from minillm.model.transformer import transformer_init

OURS, THEIRS = "minillm", "PyTorch"
COLUMNS = [("side", "side", ""), ("rows", "rows", ",d"), ("context", "context", ",d"),
           ("tokens", "tokens/s", ",.0f"), ("ms", "ms a step", ",.3f"), ("spread", "spread", ".1%"),
           ("speed", "speed / PyTorch's", ".3f")]
MEMORY = [("tokens", "tokens", ",d"), ("cache", "cache MB", ",.1f"), ("block", "one block MB", ",.1f"),
          ("work", "peak MB", ",.1f"), ("ratio", "peak / both", ".2f")]
FIRST = 8       # greedy tokens that must be the same


def prompts_of(shape):
    """Two prompts of one length.  Shapes:  -> (2, 5) int32"""
    return np.random.default_rng(3).integers(0, shape.V, (2, 5)).astype(np.int32)


class Ours:
    """minillm's decoding, as generate_tokens does it."""

    def load(self, shape):
        """Make the model."""
        self.shape, self.config = shape, config_of(shape)
        self.params = transformer_init(self.config, np.random.default_rng(0))

    def greedy(self):
        """The first tokens after the prompts, whole way: prefill and decoding."""
        made = generate_tokens(self.params, self.config, list(prompts_of(self.shape)), np.random.default_rng(0),
                               end_id=-1, pad_id=0, max_new_tokens=FIRST, temperature=0.0)
        return [row.tolist() for row in made]

    def build(self, rows, context):
        """A cache in which everything but the last tokens is read."""
        size = (2, rows, self.config.kv_heads, context, self.config.head_size)
        self.layers = [tuple(np.random.default_rng(layer).standard_normal(size, np.float32))
                       for layer in range(self.config.layers)]
        self.rows, self.context = rows, context

    def seconds(self, n):
        """Seconds a step of all rows, over the last n of the context."""
        first, rng = np.zeros(self.rows, np.int32), np.random.default_rng(0)
        tokens = np.zeros(self.rows, np.int32)
        for position in range(self.context - n - 1, self.context):
            if position == self.context - n:        # the one before was not timed
                began = time.perf_counter()
            logits = decode_step(self.params, self.config, tokens, first, position, self.layers)
            tokens = sample(logits, rng, temperature=0.0)
        return (time.perf_counter() - began) / n


class Theirs:
    """The same in PyTorch."""

    def __init__(self):
        from pytorch import ready_torch

        ready_torch()

    def load(self, shape):
        """Make the model, with our weights."""
        from pytorch import new_model

        self.shape, self.config = shape, config_of(shape)
        self.model = new_model(self.config).eval()

    def greedy(self):
        """The first tokens after the prompts: the prompt in one pass, then token by token."""
        import torch

        tokens = torch.from_numpy(prompts_of(self.shape).astype(np.int64))
        self.build(len(tokens), tokens.shape[1] + FIRST)
        made, position = [], 0
        with torch.inference_mode():
            for _ in range(FIRST):
                logits = self.model(tokens, self.caches, position)[:, -1]
                position += tokens.shape[1]
                tokens = logits.argmax(dim=-1, keepdim=True)
                made.append(tokens[:, 0])
        return torch.stack(made, dim=1).tolist()

    def build(self, rows, context):
        """A cache in which everything but the last tokens is read."""
        import torch

        size = (2, rows, self.config.heads, context, self.config.head_size)
        self.caches = [tuple(torch.randn(size)) for _ in range(self.config.layers)]
        self.rows, self.context = rows, context

    def seconds(self, n):
        """Seconds a step of all rows, over the last n of the context."""
        import torch

        tokens = torch.zeros((self.rows, 1), dtype=torch.int64)
        with torch.inference_mode():
            for position in range(self.context - n - 1, self.context):
                if position == self.context - n:
                    began = time.perf_counter()
                tokens = self.model(tokens, self.caches, position)[:, -1].argmax(dim=-1, keepdim=True)
        return (time.perf_counter() - began) / n


def reader_config(layers):
    """The model that reads a prompt."""
    return ModelConfig(vocab_size=1000, context=4096, layers=layers, width=576, heads=9, kv_heads=3, hidden=1536, tied=True)


class Reading:
    """Reading a prompt into the cache."""

    def build(self, layers, tokens):
        """Make the model and the prompt."""
        self.config = reader_config(layers)
        self.params = transformer_init(self.config, np.random.default_rng(0))
        self.prompt = np.zeros((1, tokens), np.int32)

    def seconds(self, n):
        """Seconds that it takes to read the prompt."""
        began = time.perf_counter()
        for _ in range(n):
            prefill(self.params, self.config, self.prompt, np.zeros(1, np.int32), self.prompt.shape[1])
        return (time.perf_counter() - began) / n


def memory_row(layers, tokens):
    """Memory of reading a prompt of so many tokens."""
    config = reader_config(layers)
    cache = 8e-6 * layers * config.kv_heads * config.head_size * tokens
    block = size.FLOAT * 1e-6 * size.block_activations(config) * tokens
    work = memory_of("generate:Reading", (2, 64), (layers, tokens))["work"]
    return {"tokens": tokens, "cache": cache, "block": block, "work": work and work * 2 ** 20 / 1e6,
            "ratio": work and work * 2 ** 20 / 1e6 / (cache + block)}


def check_tokens(sides, shape):
    """Refuse to time sides that make different tokens from the same weights.  Returns the tokens"""
    for side in sides.values():
        side.ask("load", shape)
    made = {name: side.ask("greedy") for name, side in sides.items()}
    if any(tokens != made[OURS] for tokens in made.values()):
        raise SystemExit(f"the sides do not make the same tokens, so there is nothing to time: {made}")
    return made[OURS]


def time_size(sides, rows, context, rounds, n):
    """One row of the table for each side."""
    for side in sides.values():
        side.ask("build", rows, context)
        side.ask("seconds", n)              # compiles, starts threads
    seconds, found = take_turns(sides, rounds, "seconds", n), []
    for name, taken in seconds.items():
        speed = median(pair_ratios(seconds[THEIRS], taken)) if THEIRS in seconds else None
        found.append({"side": name, "rows": rows, "context": context, "tokens": rows / median(taken),
                      "ms": 1e3 * median(taken), "spread": spread(taken), "speed": speed, "seconds": taken})
    return found


def main(argv=None):
    """Check the first tokens, then time every size."""
    args = parse(flags(__doc__, against=("torch",)), argv)
    report = Report(__file__, __doc__, args)
    targets = {OURS: ("generate:Ours", None)}
    if args.against:
        targets[THEIRS] = ("generate:Theirs", None)
    shape = (TINY if args.quick else MODELS["mini"])._replace(T=32 if args.quick else 1024)
    batches, contexts = ((1, 3), (16, 32)) if args.quick else ((1, 64), (64, 128, 256, 512, 1024))
    rows = []
    with open_sides(targets, apart=not args.quick or bool(args.against)) as sides:
        made = check_tokens(sides, shape)
        for batch in batches:
            for context in contexts:
                progress(f"{batch} rows, context {context}: {', '.join(sides)} in turn")
                rows += time_size(sides, batch, context, args.rounds, 8 if args.quick else 32)
    report.table("Greedy decoding", COLUMNS, rows)
    progress("the memory of reading a prompt")
    report.table("Memory of reading a prompt", MEMORY, [memory_row(2, 64)] if args.quick else
                 [memory_row(30, tokens) for tokens in (250, 1000, 4000)])
    for (side, batch), found in grouped(rows, "side", "rows").items():
        if side == OURS:
            report.headline(f"tokens/s, {batch} rows, context {contexts[-1]:,}", found[-1]["tokens"], ",.0f")
            if args.against:
                lowest = min(row["speed"] for row in found)
                report.headline(f"speed / PyTorch's, {batch} rows, lowest of all contexts", lowest, ".2f")

    def draw(axes):
        curves(axes, {f"{side}, {batch} rows": columns_of(found, "context", "tokens")
                      for (side, batch), found in grouped(rows, "side", "rows").items()},
               "tokens in the context", "tokens/s")
    report.finish(draw, first_tokens=made)


if __name__ == "__main__":
    main()
