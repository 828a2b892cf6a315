"""How can attention be trained on a long text without keeping a number for each pair of tokens?

    python lessons/08_attention_memory.py [--full]
"""

# %% Three versions of the kernel, and one with the whole matrix of probabilities: all give the same gradients.
import time

import numpy as np
import workbench as w

from minillm.kernels.attention import attention_backward, attention_forward


def whole_matrix(q, k, v, dout):
    """Attention of one head with all T x T probabilities in memory.  Shapes:  all (T, D) -> out, dq, dk, dv, bytes kept"""
    scale = 1 / np.sqrt(q.shape[1]).astype(q.dtype)
    scores = np.where(np.tri(len(q), dtype=bool), q @ k.T * scale, -np.inf).astype(q.dtype)
    probs = np.exp(scores - scores.max(axis=1, keepdims=True))
    probs /= probs.sum(axis=1, keepdims=True)
    dprobs = dout @ v.T
    dscores = probs * (dprobs - (probs * dprobs).sum(axis=1, keepdims=True)) * scale
    return probs @ v, dscores @ k, dscores.T @ q, probs.T @ dout, q.nbytes + k.nbytes + v.nbytes + probs.nbytes


def case(T, D=32):
    """Queries, keys, values and an upstream gradient of one head.  Shapes:  four of (1, T, 1, D)"""
    return np.random.default_rng(T).standard_normal((4, 1, T, 1, D)).astype(np.float32)


T = w.pick(40, 300)
q, k, v, dout = case(T)
visible_from = np.zeros((1, T), np.int32)
expected = whole_matrix(q[0, :, 0], k[0, :, 0], v[0, :, 0], dout[0, :, 0])
rows = []
for name, forward, backward in (("plain NumPy", attention_forward.plain, attention_backward.plain),
                                ("readable loops", attention_forward.loops, attention_backward.loops),
                                ("compiled", attention_forward, attention_backward)):
    out, lse = forward(q, k, v, visible_from)
    got = (out, *backward(dout, q, k, v, out, lse, visible_from))
    rows.append((name, *(float(np.abs(a[0, :, 0] - b).max()) for a, b in zip(got, expected))))
with w.table("08_memory"):
    w.show(rows, ("largest difference from the whole matrix", "out", "dq", "dk", "dv"))
assert max(max(row[1:]) for row in rows) < 1e-4


# %% What is kept for the backward pass, and what a whole matrix would keep; then the time, in one run.
def kept(T):
    """(bytes kept by the package, bytes kept with the whole matrix) for one head and T tokens."""
    q, k, v, dout = case(T)
    out, lse = attention_forward(q, k, v, np.zeros((1, T), np.int32))
    streaming = sum(array.nbytes for array in (q, k, v, out, lse))
    return streaming, whole_matrix(q[0, :, 0], k[0, :, 0], v[0, :, 0], dout[0, :, 0])[-1] + out.nbytes


def seconds(T):
    """Fastest of a few forward and backward passes."""
    q, k, v, dout = case(T)
    visible_from, taken = np.zeros((1, T), np.int32), []
    for _ in range(w.pick(2, 9)):
        began = time.perf_counter()
        out, lse = attention_forward(q, k, v, visible_from)
        attention_backward(dout, q, k, v, out, lse, visible_from)
        taken.append(time.perf_counter() - began)
    return min(taken)


lengths = w.pick((32, 64), (128, 256, 512, 1024, 2048))
bytes_kept = np.array([kept(T) for T in lengths])
times = np.array([seconds(T) for T in lengths])
with w.table("08_memory"):
    w.show([(T, *(float(b) / 2**20 for b in row), float(1e3 * t)) for T, row, t in zip(lengths, bytes_kept, times)],
           ("tokens", "MB kept", "MB kept with T x T", "ms, both passes"))


def draw(axes):
    """Memory and time against the length, both on logarithmic axes."""
    for row, name in zip(bytes_kept.T / 2**20, ("streaming softmax", "all probabilities kept")):
        axes[0].loglog(lengths, row, "o-", label=name)
    axes[0].set_ylabel("MB kept for the backward pass, one head")
    axes[0].legend(frameon=False)
    axes[1].loglog(lengths, 1e3 * times, "o-", label="measured")
    for power, style in ((1, ":"), (2, "--")):
        line = 1e3 * times[-1] * (np.array(lengths) / lengths[-1]) ** power
        axes[1].loglog(lengths, line, style, color="grey", label=f"T^{power}")
    axes[1].set_ylabel("ms, forward and backward")
    axes[1].legend(frameon=False)
    for panel in axes:
        panel.set_xlabel("tokens")
        panel.set_xticks(lengths, [f"{T:,}" for T in lengths])
        panel.minorticks_off()


w.picture("08_memory", draw, size=(10, 4), grid=(1, 2))
slopes = [np.polyfit(np.log(lengths), np.log(values), 1)[0] for values in (*bytes_kept.T, times)]
with w.table("08_memory"):
    print(f"  what is kept grows as T^{slopes[0]:.2f}, with the whole matrix as T^{slopes[1]:.2f}, the time as T^{slopes[2]:.2f}")
    print(f"  from {lengths[-2]:,} to {lengths[-1]:,} tokens: kept times {bytes_kept[-1, 0] / bytes_kept[-2, 0]:.2f}, with the "
          f"whole matrix times {bytes_kept[-1, 1] / bytes_kept[-2, 1]:.2f}; predicted: times 2, and more than 3.5 with the matrix: "
          f"{'holds' if bytes_kept[-1, 0] == 2 * bytes_kept[-2, 0] and bytes_kept[-1, 1] > 3.5 * bytes_kept[-2, 1] else 'fails'}")
    print(f"  the time: times {times[-1] / times[-2]:.2f}; predicted: between 2 and 5, as caches and other programs play a part: "
          f"{'holds' if 2 < times[-1] / times[-2] < 5 else 'fails'}")
