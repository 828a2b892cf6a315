"""How much faster is each other kernel than its plain NumPy twin, and how near is it to the machine's limit?

    python benchmarks/kernels.py --json kernels.json --plot kernels.png

The sizes are those of a training step of the model `mini`. A kernel that does little arithmetic is held against
memory: the bytes that it must move, every input read once and every output written once, beside a copy of as
many bytes on all threads in the same turns. Attention is held against the multiply-adds of the registers
(machine.py).
A kernel that only reads can be quicker than a copy; one that runs on one thread, as it takes little of a step, is
held against a copy on all of them.
"""

import numpy as np
from common import Report, alternate, flags, geometric_mean, median, pair_ratios, parse, progress, spread
from host import thread_count
from models import MODELS, TINY
from peaks import copy, register_peak
from pictures import bars

from minillm.kernels import activation, adamw, attention, categorical, cross_entropy, decode, embedding, norm, rotary
from minillm.kernels.pair_merge import learn_merges
from minillm.kernels.piece_ids import pair_ranks, piece_ids
from minillm.kernels.split import ASCII, kinds_of_characters, piece_ends
from minillm.layers.rotary import rotary_table

COLUMNS = [("kernel", "kernel", ""), ("us", "us", ",.1f"), ("spread", "spread", ".1%"),
           ("plain", "plain us", ",.1f"), ("faster", "times faster", ",.1f"), ("gbytes", "GB/s", ",.1f"),
           ("gflops", "GFLOP/s", ",.1f"), ("share", "of the limit", ".1%"), ("limit", "limit", "")]


def elementwise_cases(draw, N, C, F):
    """(kernel, arguments) of activations, norms and the optimizer."""
    x, dy, gain, bias = draw(N, C), draw(N, C), draw(C), draw(C)
    up, dup = draw(N, F), draw(N, F)
    # where the slope is 1: what works in place is timed many times over, and must not run down to 0
    steep, gate = np.full((N, F), 6, np.float32), np.full((N, F), 1.2784645, np.float32)
    inv_rms = norm.rmsnorm_forward(x, gain, 1e-5)[1]
    _, mean, inv_std = norm.layernorm_forward(x, gain, bias, 1e-5)
    param, grad, m, v = draw(F * C), draw(F * C), draw(F * C), draw(F * C) ** 2
    return [(activation.gelu_forward, (up,)), (activation.gelu_backward, (dup, steep)),
            (activation.swiglu_forward, (gate, up)), (activation.swiglu_backward, (dup, gate, up)),
            (norm.rmsnorm_forward, (x, gain, 1e-5)), (norm.rmsnorm_backward, (dy, x, gain, inv_rms, dy)),
            (norm.layernorm_forward, (x, gain, bias, 1e-5)),
            (norm.layernorm_backward, (dy, x, gain, mean, inv_std, dy)),
            (adamw.adamw_step, (param, grad, m, v, 1e-3, 0.9, 0.95, 1e-8, 0.1, 10, 1.0)),
            (adamw.sum_of_squares, (grad,))]


def loss_cases(draw, ids, N, C, V):
    """(kernel, arguments) of the losses and of the embedding's gradient."""
    logits, targets, ones = draw(N, V), ids(N), np.full(N, 1 / N, np.float32)
    lse = cross_entropy.cross_entropy_forward(logits, targets)[1]
    entropy = categorical.categorical_forward(logits, targets)[1]
    return [(cross_entropy.cross_entropy_forward, (logits, targets)),
            (cross_entropy.cross_entropy_backward, (logits.copy(), targets, lse, ones)),
            (categorical.categorical_forward, (logits, targets)),
            (categorical.categorical_backward, (logits.copy(), targets, lse, entropy, ones, ones)),
            (categorical.categorical_draw, (logits, np.linspace(0, 1, N, endpoint=False), 0.7)),
            (embedding.embedding_backward, (draw(N, C), targets, draw(V, C)))]


def attention_cases(draw, shape):
    """(kernel, arguments) of attention and rotation, and floating-point operations where they are the limit."""
    B, T, H, D = shape.B, shape.T, shape.heads, shape.C // shape.heads
    q, k, v, dout = draw(B, T, H, D), draw(B, T, H, D), draw(B, T, H, D), draw(B, T, H, D)
    first = np.zeros((B, T), np.int32)
    out, lse = attention.attention_forward(q, k, v, first)
    product = B * H * T * (T + 1) * D       # one of 2 forward and 5 backward, over the visible half
    positions = np.tile(np.arange(T, dtype=np.int32), (B, 1))
    return [(attention.attention_forward, (q, k, v, first), 2 * product),
            (attention.attention_backward, (dout, q, k, v, out, lse, first), 5 * product),
            (rotary.rotate, (q, *rotary_table(T, D, 500.0, q.dtype), positions))]


def decoding_cases(draw, shape):
    """(kernel, arguments) of a block of a model of the GPT-2 family for one new token, at the end of the context."""
    C, D, none = shape.C, shape.C // shape.heads, np.empty(0, np.float32)
    sizes = [*[(C, C)] * 4, (4 * C, C), (C, 4 * C), (0, 0)]     # query, key, value, output, up, down, no gate
    keys, values = draw(1, shape.heads, shape.T, D), draw(1, shape.heads, shape.T, D)
    args = (draw(1, C), (draw(C), draw(C)), (draw(C), draw(C)), tuple(draw(*size) / C**0.5 for size in sizes), (none,) * 7,
            *np.empty((2, 1, 0), np.float32), *np.zeros((2, 1), np.int32), shape.T - 1, keys, values, 1e-5, thread_count())
    decode.block_decode(*args)      # keys and values of the token are stored: further calls change nothing
    return [(decode.block_decode, args)]


def text_cases(rng, size):
    """(kernel, arguments) of byte-pair encoding; the plain twin of learning scans everything for every merge."""
    piece = np.sort(rng.integers(0, size // 6, size)).astype(np.int32)
    letters = np.minimum(rng.geometric(0.15, size), 26).astype(np.int32)
    weights = np.ones(size // 6, np.int64)
    merges = learn_merges(letters, piece, weights, 27, 50).astype(np.int64)
    ends, text_ends = np.append(np.flatnonzero(np.diff(piece)) + 1, size), np.array([size])
    characters, byte_ids = letters + 96, np.maximum(np.arange(256, dtype=np.int32) - 96, 0)
    words = characters.copy()
    words[ends[:-1]] = ord(" ")         # each piece but the first begins with a space
    return [(learn_merges, (letters, piece, weights, 27, 50), 0),
            (piece_ends, (words, text_ends, kinds_of_characters(ASCII)), 0),
            (piece_ids, (characters, ends, text_ends, np.full((1, 2), -1, np.int32), byte_ids, merges,
                         np.arange(27, 27 + len(merges), dtype=np.int32), pair_ranks(merges)), 0)]


def all_cases(shape, letters):
    """Every kernel with its arguments, from one generator."""
    rng, N = np.random.default_rng(0), shape.B * shape.T

    def draw(*size):
        return rng.standard_normal(size, np.float32)

    def ids(count):
        return rng.integers(0, shape.V, count).astype(np.int32)
    return [*elementwise_cases(draw, N, shape.C, 4 * shape.C), *loss_cases(draw, ids, N, shape.C, shape.V),
            *attention_cases(draw, shape), *decoding_cases(draw, shape), *text_cases(rng, letters)]


def bytes_moved(kernel, args):
    """Bytes of all inputs and outputs; what a kernel changes in place counts twice."""
    flat = [a for arg in args for a in (arg if isinstance(arg, tuple) else (arg,))]
    arrays = [a for a in flat if isinstance(a, np.ndarray)]
    before = [a.copy() for a in arrays]
    returned = kernel(*args)
    returned = returned if isinstance(returned, tuple) else (returned,)
    made = [r for r in returned if isinstance(r, np.ndarray) and not any(r is a for a in arrays)]
    changed = [a for a, old in zip(arrays, before) if not np.array_equal(a, old)]
    return sum(a.nbytes for a in [*arrays, *made, *changed])


def measure(kernel, args, flops, peak, options):
    """One row of the table.  flops: None where memory is the limit, 0 where neither is; peak: operations a second"""
    moved = bytes_moved(kernel, args)
    calls = {"ours": lambda: kernel(*args), "plain": lambda: kernel.plain(*args)}
    if flops is None:
        source = np.ones(moved // 8, np.float32)
        into = np.empty_like(source)
        calls["copy"] = lambda: copy(into, source)
    seconds = alternate(calls, options.rounds, options.quick)
    taken = median(seconds["ours"])
    row = {"kernel": kernel.__name__, "us": 1e6 * taken, "spread": spread(seconds["ours"]),
           "plain": 1e6 * median(seconds["plain"]),
           "faster": median(pair_ratios(seconds["plain"], seconds["ours"])), "seconds": seconds}
    if flops is None:
        row.update(gbytes=moved / taken / 1e9, share=median(pair_ratios(seconds["copy"], seconds["ours"])),
                   limit=f"copy, {moved / median(seconds['copy']) / 1e9:,.1f} GB/s")
    elif flops:
        row.update(gflops=flops / taken / 1e9, share=flops / taken / peak,
                   limit=f"registers, {peak / 1e9:,.1f} GFLOP/s")
    return row


def main(argv=None):
    """Time the kernels one after the other."""
    args = parse(flags(__doc__, against=("numpy",), default="numpy"), argv)
    report, shape = Report(__file__, __doc__, args), TINY if args.quick else MODELS["mini"]
    peak, rows = register_peak("float32", thread_count()), []
    for kernel, arguments, *flops in all_cases(shape, 600 if args.quick else 60_000):
        progress(kernel.__name__)
        rows.append(measure(kernel, arguments, flops[0] if flops else None, peak, args))
    report.table(f"Kernels for {shape.B * shape.T:,} tokens, {shape.C} channels, a vocabulary of {shape.V:,}",
                 COLUMNS, rows)
    faster = geometric_mean([row["faster"] for row in rows])
    report.note(f"Times faster than the plain twin, geometric mean: {faster:.1f}.")
    report.headline("times faster than NumPy, geometric mean", faster, ".1f")
    limited = [row for row in rows if row.get("share")]
    report.finish(lambda axes: bars(axes, [row["kernel"] for row in limited],
                                    {"share": [100 * row["share"] for row in limited]},
                                    "% of the limit: a copy of as many bytes, or the registers' arithmetic"))


if __name__ == "__main__":
    main()
