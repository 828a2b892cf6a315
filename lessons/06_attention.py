"""What does attention look at, and is it a place or a letter that it looks for?

    python lessons/06_attention.py [--full]
"""

# %% Causality: change one token, and see which outputs move.
import numpy as np
import workbench as w

from minillm.text.learning import train_tokenizer

LETTERS = "abcdefghijklmnop"
SEEDS = w.pick((1,), (1,), (1, 2, 3, 4, 5))         # seed 0 was the pilot's
STEPS = w.pick(3, 500)
TEXTS = {"three letters": (3,), "two, three or five letters": (2, 3, 5)}
TOKENIZER = train_tokenizer([f"{LETTERS} {LETTERS}"], kind="characters")


def words(rng, count, lengths):
    """Random words without a repeated letter, each of one of the given lengths."""
    return ["".join(rng.permutation(list(LETTERS))[:rng.choice(lengths)]) for _ in range(count)]


model = w.small_model(TOKENIZER, 0)
tokens = TOKENIZER.encode("bmo bmo")
before = model.logits(tokens)
changed = tokens.copy()
changed[4] = TOKENIZER.encode("a")[0]
moved = np.abs(model.logits(changed) - before).max(axis=1)
print("  the fifth token is another one; largest change of the logits at each place:", np.round(moved, 4).tolist())
assert (moved[:4] == 0).all() and moved[4] > 0


# %% What a head looks at, and how sharply before any training.
def weights(q, k):
    """The probabilities that the kernel never stores.  Shapes:  q and k (T, H, D) -> (H, T, T)"""
    T = len(q)
    scores = np.einsum("thd,shd->hts", q, k) / np.sqrt(q.shape[-1])
    scores = np.where(np.tri(T, dtype=bool), scores, -np.inf)
    probs = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return probs / probs.sum(axis=-1, keepdims=True)


def looks(model, text):
    """Every head's probabilities over a text.  Shapes:  -> (layers * heads, T, T)"""
    prediction = model.predict_next([TOKENIZER.begin_id, *TOKENIZER.encode(text)])
    return np.concatenate([weights(block.attention.q[0], block.attention.k[0]) for block in prediction.body.blocks])


heaviest = looks(model, "bmo bmo")[:, -1].max(axis=1)
print(f"  heaviest weight of the last row, before training: {np.round(heaviest, 2).tolist()}, on average {heaviest.mean():.2f}")


# %% Copying. Two models learn to write a word a second time, one of words of three letters, one of words of several lengths.
# A word of four letters, which neither has seen, tells what they look for: the next letter is another one by place and by letter.
def trained(lengths, seed):
    """A model that has read words written twice, none of those that it is asked for.  Returns it and its last loss."""
    model = w.small_model(TOKENIZER, seed)
    asked = set(words(np.random.default_rng([seed, 1]), 100, (3,)))
    texts = [f"{word} {word}" for word in words(np.random.default_rng(seed), 3000, lengths) if word not in asked]
    return model, w.read(model, texts, STEPS, seed)[-1]["loss"]


def belief(model, length, seed):
    """Mean probability of the letter to copy, by letter and by place three back, in words of a length.

    Asked at the second and third letter of the second word: after `bmud b`, by letter m, three places back u.
    """
    by_letter, by_place = [], []
    for word in words(np.random.default_rng([seed, 1]), 100, (length,)):
        ids = TOKENIZER.encode(f"{word} {word}")
        logits = model.logits(np.concatenate([[TOKENIZER.begin_id], ids]))
        probs = np.exp(logits - logits.max(axis=1, keepdims=True))
        probs /= probs.sum(axis=1, keepdims=True)
        for read in (length + 1, length + 2):           # probs[read + 1] is what comes after ids[read]
            by_letter.append(probs[read + 1, ids[read - length]])
            by_place.append(probs[read + 1, ids[read - 3]])
    return float(np.mean(by_letter)), float(np.mean(by_place))


found, maps = {name: [] for name in TEXTS}, {}
for seed in SEEDS:
    for name, lengths in TEXTS.items():
        model, loss = trained(lengths, seed)
        found[name].append([*belief(model, 3, seed)[:1], *belief(model, 4, seed)])
        maps.setdefault(name, looks(model, "bmo bm"))
        print(f"  seed {seed}, trained on words of {name}: loss {loss:.2f}", flush=True)
with w.table("06_copying_head"):
    w.show([(name, *map(float, np.mean(rows, axis=0))) for name, rows in found.items()],
           ("trained on words of", "three letters: right", "four letters: by letter", "four letters: three places back"))

# %% The head that looks most at the letter to write, three places back, in words of three letters.
heads = maps["three letters"]
back = [float(np.mean([head[t, t - 3] for t in (5, 6)])) for head in heads]
print("  share of attention on the letter to write, head by head:", np.round(back, 2).tolist())


def draw(axes):
    """The map of one head, and what the word of four letters told."""
    best = int(np.argmax(back))
    axes[0].imshow(heads[best], cmap="Blues", vmin=0, vmax=1)
    letters = ["begin", *"bmo_bm"]
    axes[0].set_xticks(range(len(letters)), letters)
    axes[0].set_yticks(range(len(letters)), letters)
    axes[0].set_xlabel("looked at")
    axes[0].set_ylabel("reading")
    axes[0].set_title(f"head {best % 4} of layer {best // 4}, trained on three letters", fontsize=10)
    axes[0].grid(False)
    means = np.array([np.mean(rows, axis=0)[1:] for rows in found.values()])        # (texts, 2)
    for shift, name, column in ((-0.18, "the letter after the earlier one", 0), (0.18, "the letter three places back", 1)):
        axes[1].bar(np.arange(2) + shift, means[:, column], width=0.34, label=name)
        for i, rows in enumerate(found.values()):
            axes[1].plot([i + shift] * len(rows), np.array(rows)[:, 1 + column], "k.", markersize=4)
    axes[1].set_xticks(range(2), [f"trained on words of\n{name}" for name in found], fontsize=8)
    axes[1].set_ylabel("probability")
    axes[1].set_ylim(0, 1.25)
    axes[1].set_title("a word of four letters", fontsize=10)
    axes[1].legend(frameon=False, fontsize=8, loc="upper center")


w.picture("06_copying_head", draw, size=(10, 4), grid=(1, 2))
with w.table("06_copying_head"):
    for name, sign in (("three letters", 1), ("two, three or five letters", -1)):
        apart = sign * np.diff(np.array(found[name])[:, 1:], axis=1)[:, 0]
        mean, low, high = w.interval(apart)
        words_of = "by place rather than by letter" if sign > 0 else "by letter rather than by place"
        print(f"  trained on words of {name}: {words_of} by {mean:+.2f} ({low:+.2f} to {high:+.2f} over {len(SEEDS)} seeds); "
              f"predicted: above 0: {w.verdict(low, high)}")
