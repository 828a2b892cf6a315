"""Does a run depend on whether its kernels were compiled or read from the cache?

    python tests/campaigns/cold_warm.py             every kernel, then every phase
    python tests/campaigns/cold_warm.py --short     fewer inputs, no phases

Every kernel gets random inputs of many sizes in a process that compiles it, then in others that read
it from the cache, in the opposite order, and half of them compiled by the one and half by the other.
Every phase runs cold, warm, and cold but stopped and resumed. All must leave the same bytes. Prints
lines of a Markdown table; exit status 1 if any two differ.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SIZES = (1, 2, 3, 5, 7, 8, 13, 16, 17, 31, 32, 33, 48, 60, 64, 65, 100, 127, 128, 129, 200, 255, 300, 352, 513, 1000)
SHORT = (1, 7, 16, 33, 65, 128, 200)


def digest(*arrays):
    """SHA-256 of the bytes of arrays."""
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hexdigest()


def inputs(kernel, size, dtype):
    """A generator, and a function for arrays of normal numbers: the same in each process."""
    rng = np.random.default_rng([size, len(kernel)])

    def normal(*shape):
        return rng.standard_normal(shape).astype(dtype)
    return rng, normal


def activation(size, dtype):
    from minillm.kernels import activation as a
    _, normal = inputs("activation", size, dtype)
    for N in (3, 200):
        x, up, dy = normal(N, size), normal(N, size), normal(N, size)
        yield a.gelu_forward(x)
        yield a.gelu_backward(dy.copy(), x)
        yield a.swiglu_forward(x, up)
        yield from a.swiglu_backward(dy.copy(), x, up)


def norm(size, dtype):
    from minillm.kernels import norm as n
    _, normal = inputs("norm", size, dtype)
    for N in (3, 200):
        x, dy, residual, gain, bias = normal(N, size), normal(N, size), normal(N, size), normal(size), normal(size)
        y, inv_rms = n.rmsnorm_forward(x, gain, 1e-5)
        yield from (y, inv_rms, *n.rmsnorm_backward(dy, x, gain, inv_rms, residual))
        y, mean, inv_std = n.layernorm_forward(x, gain, bias, 1e-5)
        yield from (y, mean, inv_std, *n.layernorm_backward(dy, x, gain, mean, inv_std, residual))


def next_token(size, dtype):
    from minillm.kernels import cross_entropy as e
    rng, normal = inputs("next_token", size, dtype)
    for N in (3, 50):
        logits, targets, weights = 3 * normal(N, size), rng.integers(0, size, N).astype(np.int32), normal(N)
        nll, lse = e.cross_entropy_forward(logits, targets)
        yield from (nll, lse, e.cross_entropy_backward(logits.copy(), targets, lse, weights))


def policy(size, dtype):
    from minillm.kernels import categorical as c
    rng, normal = inputs("policy", size, dtype)
    for N in (3, 50):
        logits, targets, weights = 3 * normal(N, size), rng.integers(0, size, N).astype(np.int32), normal(N)
        logprob, entropy, lse = c.categorical_forward(logits, targets)
        yield from (logprob, entropy, lse)
        yield c.categorical_backward(logits.copy(), targets, lse, entropy, weights, logprob)
        yield c.categorical_draw(logits, rng.random(N), 0.7)


def attention(size, dtype):
    from minillm.kernels import attention as a
    from minillm.kernels.decode import block_decode
    rng, normal = inputs("attention", size, dtype)
    T = min(size, 200)
    for H, G, D in ((2, 1, 16), (1, 1, 10), (2, 2, 33)):
        q, k, v, dout = (normal(2, T, heads, D) for heads in (H, G, G, H))
        visible_from = np.sort(rng.integers(0, T + 1, (2, T)), axis=1).astype(np.int32)
        out, lse = a.attention_forward(q, k, v, visible_from)
        yield from (out, lse, *a.attention_backward(dout, q, k, v, out, lse, visible_from))
        for B in (2, 40):
            C, keys, values = H * D, normal(B, G, T + 1, D), normal(B, G, T + 1, D)
            shapes = (C, C), (G * D, C), (G * D, C), (C, C), (size, C), (C, size), (size, C)
            none = np.empty(0, dtype)
            yield block_decode(normal(B, C), (normal(C), normal(C)), (none, normal(C)), tuple(normal(*s) for s in shapes),
                               (none,) * 7, *normal(2, T + 1, D // 2), np.full(B, T, np.int32), np.zeros(B, np.int32), T, keys,
                               values, 1e-5, 2)
        if G == 1:
            cos, sin = normal(T, D // 2), normal(T, D // 2)
            from minillm.kernels.rotary import rotate
            yield rotate(q, cos, sin, np.tile(np.arange(T, dtype=np.int32), (2, 1)))


def products(size, dtype):
    from minillm.kernels.matmul import matmul_nn, matmul_nt, matmul_tn
    _, normal = inputs("products", size, dtype)
    for M, N in ((1, 40), (5, 70), (16, 33), (50, 9), (130, 67)):
        a, b, c = normal(M, size), normal(N, size), normal(M, N)
        yield matmul_nt(a, b)
        yield matmul_nt(a, b, residual=c)
        yield matmul_nn(a, np.ascontiguousarray(b.T), into=c.copy())
        yield matmul_tn(np.ascontiguousarray(a.T), np.ascontiguousarray(b.T))


def int8(size, dtype):
    """float32 alone: what is multiplied by int8 weights."""
    from minillm.kernels import int8 as i
    from minillm.kernels.decode import block_decode
    rng, normal = inputs("int8", size, np.float32)
    C, T, none = 2 * size, 5, np.empty(0, np.float32)
    matrices = [i.quantize(normal(*shape)) for shape in ((C, C), (size, C), (size, C), (C, C), (70, C), (C, 70), (70, C))]
    weights, scales = zip(*matrices)
    for B in (1, 3, 40):
        yield i.int8_nt(normal(B, C), matrices[4])
        keys, values = normal(2, B, 1, T + 1, size)
        yield block_decode(normal(B, C), (normal(C), normal(C)), (none, normal(C)), weights, tuple(zip((none,) * 7, scales)),
                           *normal(2, T + 1, size // 2), np.full(B, T, np.int32), np.zeros(B, np.int32), T, keys, values, 1e-5, 2)


def optimizer(size, dtype):
    from minillm.kernels.adamw import adamw_step, sum_of_squares
    from minillm.kernels.embedding import embedding_backward
    rng, normal = inputs("optimizer", size, dtype)
    for count in (size, 700 * size):
        param, grad, m, v = (normal(count) for _ in range(4))
        v *= v
        adamw_step(param, grad, m, v, 1e-3, 0.9, 0.99, 1e-8, 0.1, 3, 0.5)
        yield from (param, m, v, np.float64(sum_of_squares(grad)))
    yield embedding_backward(normal(50, size), rng.integers(0, 9, 50).astype(np.int32), np.zeros((9, size), dtype))


def merges(size, dtype):
    from minillm.kernels.pair_merge import learn_merges
    from minillm.kernels.piece_ids import pair_ranks, piece_ids
    from minillm.kernels.split import UNICODE, kinds_of_characters, piece_ends
    rng, _ = inputs("merges", size, dtype)
    ids = rng.integers(0, 4, 3 * size).astype(np.int32)
    piece = (np.arange(len(ids)) // 5).astype(np.int32)
    learned = learn_merges(ids, piece, np.ones(len(ids), np.int64), 4, 20)
    characters, texts = rng.integers(97, 101, 3 * size).astype(np.int32), np.array([3 * size])
    characters[::5] = 32
    ends, learned = piece_ends(characters, texts, kinds_of_characters(UNICODE)), learned.astype(np.int64)
    byte_ids, frames = np.arange(256, dtype=np.int32) % 4, np.full((1, 2), 99, np.int32)
    yield from (learned, ends, piece_ids(characters, ends, texts, frames, byte_ids, learned, 4, pair_ranks(learned)))


GROUPS = {job.__name__: job for job in (products, attention, next_token, policy, norm, activation,
                                           int8, optimizer, merges)}
PHASES = ("pretrain", "reward_model", "rlhf")
STOP = 3        # the step before which a phase is stopped, of 5


def print_kernels(names, sizes, dtypes=("float32", "float64")):
    """One line for every group, dtype and size: what its kernels return, as a hash."""
    for name in names:
        for dtype in dtypes:
            for size in sizes:
                print(name, dtype, size, digest(*GROUPS[name](size, np.dtype(dtype))), flush=True)


def print_phase(name, folder, stop):
    """Train a tiny model in a folder, from the start or going on; print what it leaves, as a hash."""
    from train import test_resume

    from minillm.training import loop
    folder, update = Path(folder), loop.adamw_update

    def stopping(params, grads, optimizer, *rest):
        if optimizer["step"] == STOP - 1:
            raise test_resume.Stop
        update(params, grads, optimizer, *rest)
    recorder = test_resume.FolderRecorder(folder, resume=folder.exists(), quiet=True)
    loop.adamw_update = stopping if stop else update
    try:
        getattr(test_resume, name)(recorder)
    except test_resume.Stop:
        return
    print(name, hashlib.sha256(repr(sorted(test_resume.state(folder).items())).encode()).hexdigest())


def python(cache, call):
    """The lines that a call of this file prints, in a new process that has its own cache."""
    program = f"import sys; sys.path[:0] = {[str(HERE), str(ROOT / 'tests'), str(ROOT)]}; import cold_warm; cold_warm.{call}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=1800,
                          env={**os.environ, "NUMBA_CACHE_DIR": str(cache)})
    if done.returncode:
        raise RuntimeError(done.stderr)
    return dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())


def compare_kernels(work, names, sizes):
    """{way: differences from the cold run}, and how many results were compared."""
    def run(cache, names=names):
        return python(work / cache, f"print_kernels({list(names)}, {list(sizes)})")
    cold = run("one")
    ways = {"warm": run("one"), "warm, loaded in the opposite order": run("one", list(names)[::-1])}
    run("two", list(names)[::2])
    ways["half read from another process's cache"] = run("two")
    return {way: differences(cold, found) for way, found in ways.items()}, len(cold)


def compare_phases(work, names):
    """{way: differences from the cold run}, and how many phases were compared."""
    def run(name, cache, folder, stop=False):
        return python(work / cache, f"print_phase({name!r}, {str(work / folder / name)!r}, {stop})")
    ways = {"warm": {}, "cold, stopped and resumed": {}}
    for name in names:
        cold = run(name, f"cold-{name}", "cold")
        ways["warm"].update(differences(cold, run(name, f"cold-{name}", "warm")))
        run(name, f"stop-{name}", "stopped", stop=True)
        ways["cold, stopped and resumed"].update(differences(cold, run(name, f"stop-{name}", "stopped")))
    return ways, len(names)


def differences(cold, found):
    """The results that are other bytes, or missing."""
    return {key: found.get(key) for key in cold if found.get(key) != cold[key]}


def main(arguments=None):
    """Print what was compared; 1 if any two runs differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="fewer sizes, no phases")
    parser.add_argument("--groups", nargs="+", choices=GROUPS, default=list(GROUPS))
    options, wrong = parser.parse_args(arguments), 0
    print("| what | compared with the cold run | results | other bytes |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        jobs = [("kernels", compare_kernels, (options.groups, SHORT if options.short else SIZES))]
        if not options.short:
            jobs.append(("phases", compare_phases, (PHASES,)))
        for what, job, settings in jobs:
            ways, count = job(Path(folder), *settings)
            for way, different in ways.items():
                print(f"| {what} | {way} | {count} | {len(different)} |", *list(different)[:5], flush=True)
                wrong += len(different)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
