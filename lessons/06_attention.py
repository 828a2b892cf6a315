"""What does attention look at, and what does it cost?

    python lessons/06_attention.py [--full]
"""

# %% Causality: change one token, and see which outputs move.
import time

import numpy as np
import workbench as w

from minillm.kernels.attention import attention_forward
from minillm.text.tokenizer import train_tokenizer

TEXTS = [f"{a}{b}{c} {a}{b}{c}" for a in "abcdefgh" for b in "ijklmnop" for c in "qrstuvwx"]
TOKENIZER = train_tokenizer(TEXTS, kind="characters")
model = w.small_model(TOKENIZER, 0, context=16)
tokens = TOKENIZER.encode(TEXTS[100])
before = model.logits(tokens)
changed = tokens.copy()
changed[4] = TOKENIZER.encode("a")[0]
moved = np.abs(model.logits(changed) - before).max(axis=1)
print("  largest change of the logits at each place:", np.round(moved, 4).tolist())
assert (moved[:4] == 0).all() and moved[4] > 0

# %% What a head looks at, and how sharply before any training.
def weights(q, k):
    """The probabilities that the kernel never stores.  Shapes:  q and k (T, H, D) -> (H, T, T)"""
    T = len(q)
    scores = np.einsum("thd,shd->hts", q, k) / np.sqrt(q.shape[-1])
    scores = np.where(np.tri(T, dtype=bool), scores, -np.inf)
    probs = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return probs / probs.sum(axis=-1, keepdims=True)


def looks():
    """Every head's probabilities over the example.  Shapes:  -> (layers * heads, T, T)"""
    prediction = model.predict_next(np.concatenate([[TOKENIZER.begin_id], tokens[:-1]]))
    return np.concatenate([weights(block.attention.q[0], block.attention.k[0]) for block in prediction.body.blocks])


heaviest = looks()[:, -1].max(axis=1)
print(f"  heaviest weight of the last row, before training: {np.round(heaviest, 2).tolist()}, on average {heaviest.mean():.2f}")

# %% Copying: the second word repeats the first. A trained model must look back at the letter that it will write.
records = w.read(model, TEXTS, w.pick(3, 400), 0)
print(f"  loss {records[0]['loss']:.2f} -> {records[-1]['loss']:.2f}")
heads = looks()
back = [float(np.mean([head[t, t - 3] for t in (4, 5, 6)])) for head in heads]        # three places back: what must come next
print("  share of attention on the letter to copy, head by head:", np.round(back, 2).tolist())


def draw(axes):
    """The head that copies."""
    best = int(np.argmax(back))
    axes.imshow(heads[best], cmap="Blues", vmin=0, vmax=1)
    letters = ["begin", *TEXTS[100][:-1].replace(" ", "_")]
    axes.set_xticks(range(len(letters)), letters)
    axes.set_yticks(range(len(letters)), letters)
    axes.set_xlabel("looked at")
    axes.set_ylabel("reading")
    axes.set_title(f"head {best % 4} of layer {best // 4}")
    axes.grid(False)


w.picture("06_copying_head", draw)

# %% The cost: time against the length, in one run. Twice the tokens, up to four times the time.
def seconds(T):
    """Fastest of a few forward passes."""
    q, k, v = np.random.default_rng(0).standard_normal((3, 1, T, 4, 32)).astype(np.float32)
    visible_from = np.zeros((1, T), np.int32)
    taken = []
    for _ in range(w.pick(2, 9)):
        began = time.perf_counter()
        attention_forward(q, k, v, visible_from)
        taken.append(time.perf_counter() - began)
    return min(taken)


lengths = w.pick((32, 64), (128, 256, 512, 1024))
times = [seconds(T) for T in lengths]
slope = np.polyfit(np.log(lengths), np.log(times), 1)[0]
w.show(list(zip(lengths, [1e3 * t for t in times])), ("tokens", "ms"))
print(f"  time grows as T^{slope:.2f}; predicted: faster than T, no faster than T^2: {'holds' if 1 < slope <= 2 else 'fails'}")
