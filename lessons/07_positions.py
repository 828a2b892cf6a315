"""How does a model know the order of its tokens?

    python lessons/07_positions.py [--full]
"""

# %% Words of three letters, each written twice. To write the second, a model must know which letter came after which.
from contextlib import nullcontext
from itertools import permutations
from unittest.mock import patch

import numpy as np
import workbench as w

from minillm.layers import rotary
from minillm.model.transformer import head_forward, one_document, transformer_forward
from minillm.text.learning import train_tokenizer

LETTERS = "abcdefghijkl"
SEEDS = w.pick((1,), (1,), (1, 2, 3, 4, 5))         # seed 0 was the pilot's
STEPS, SHIFT = w.pick(3, 400), 20
TOKENIZER = train_tokenizer([f"{LETTERS} {LETTERS}"], kind="characters")


def words(rng):
    """All words of three different letters, in random order: 100 to be asked for, and the others, to be read."""
    every = rng.permutation(["".join(letters) for letters in permutations(LETTERS, 3)]).tolist()
    return every[:100], every[100:]


def belief(model, asked, shift):
    """Probability of each right letter of the second word, where the text begins at position `shift`.  Shapes:  -> (words, 3)"""
    tokens = np.array([[TOKENIZER.begin_id, *TOKENIZER.encode(f"{word} {word[:2]}")] for word in asked], np.int32)
    positions, visible_from = one_document(tokens)
    h, _ = transformer_forward(tokens, model.params, model.config, positions + np.int32(shift), visible_from)
    logits = head_forward(h, model.params)[0][:, 4:]        # after the blank and the two letters behind it
    probs = np.exp(logits - logits.max(axis=-1, keepdims=True))
    right = np.array([TOKENIZER.encode(word) for word in asked])
    return np.take_along_axis(probs, right[..., None], -1)[..., 0] / probs.sum(axis=-1)


# %% Three ways to tell positions (none: queries and keys are not rotated), with one layer and with two.
def measured(position, layers, seed):
    """Mean probability of the right letter at the training's positions, 20 places later, and the largest change of any."""
    asked, others = words(np.random.default_rng(seed))
    texts = [f"{word} {word}" for word in others]
    with patch.object(rotary, "rotate", lambda x, cos, sin, positions: x) if position == "none" else nullcontext():
        model = w.small_model(TOKENIZER, seed, layers=layers, position="learned" if position == "learned" else "rope")
        w.read(model, texts, STEPS, seed)
        here, later = belief(model, asked, 0), belief(model, asked, SHIFT)
    return here.mean(), later.mean(), np.abs(later - here).max()


arms = [(position, layers) for layers in (1, 2) for position in ("rope", "learned", "none")]
found = {arm: np.array([measured(*arm, seed) for seed in SEEDS]) for arm in arms}           # (seeds, 3) each
with w.table("07_positions"):
    w.show([(layers, position, *map(float, found[position, layers].mean(axis=0))) for position, layers in arms],
           ("layers", "positions", "right letter", f"{SHIFT} places later", "largest change of any probability"))


def draw(axes):
    """Bars: each arm at the trained positions and later ones."""
    for panel, layers in zip(axes, (1, 2)):
        for shift, name, column in ((-0.18, "as in training", 0), (0.18, f"{SHIFT} places later", 1)):
            rows = [found[position, layers][:, column] for position in ("rope", "learned", "none")]
            panel.bar(np.arange(3) + shift, [row.mean() for row in rows], width=0.34, label=name)
            for i, row in enumerate(rows):
                panel.plot([i + shift] * len(row), row, "k.", markersize=4)
        panel.set_xticks(range(3), ("RoPE", "learned table", "none"))
        panel.set_ylim(0, 1.2)
        panel.set_title("one layer" if layers == 1 else "two layers")
    axes[0].set_ylabel("probability of the right letter")
    axes[0].legend(frameon=False, fontsize=8, loc="upper right")


w.picture("07_positions", draw, size=(9, 3.6), grid=(1, 2))
rope, learned, none = (found[position, 1] for position in ("rope", "learned", "none"))
with w.table("07_positions"):
    print(f"  RoPE, {SHIFT} places later: largest change of a probability {rope[:, 2].max():.1e}; predicted: below 1e-3: "
          f"{'holds' if rope[:, 2].max() < 1e-3 else 'fails'}")
    for said, differences in ((f"learned table, {SHIFT} places later, loses", learned[:, 0] - learned[:, 1]),
                              ("one layer without positions is behind RoPE by", rope[:, 0] - none[:, 0])):
        mean, low, high = w.interval(differences)
        print(f"  {said} {mean:.2f} ({low:.2f} to {high:.2f} over {len(SEEDS)} seeds); predicted: more than 0.2: "
              f"{w.verdict(low, high, 0.2)}")
