"""Flip single bits of a checkpoint: each must be noticed when it is loaded.

    python tests/campaigns/bits.py                      1,000 bits, in every file of a reward model's checkpoint
"""

import argparse
import random
import tempfile
from pathlib import Path

import numpy as np

from minillm import tree
from minillm.config import ModelConfig
from minillm.phases.pretrain import new_model
from minillm.phases.reward import reward_heads
from minillm.text.learning import train_tokenizer
from minillm.training.checkpoint import CheckpointError, load_checkpoint, save_checkpoint


def checkpoint(folder):
    """A checkpoint with all that a checkpoint can hold: heads, moments, settings."""
    tokenizer = train_tokenizer(["the cat sat on the mat, and the dog on the log"] * 9, 280)
    model = new_model(ModelConfig(layers=1, width=16, heads=2, kv_heads=1, hidden=16, context=32), tokenizer, 0)
    moments = {name: tree.tree_map(np.square, model.params) for name in ("mean", "square")}
    return save_checkpoint(folder, 7, model, {"heads": reward_heads(model, 0), "optimizer": moments}, {"settings": {"lr": 0.1}})


def flip(path, place, bit):
    """Flip one bit of a file."""
    data = bytearray(path.read_bytes())
    data[place] ^= 1 << bit
    path.write_bytes(data)


def unnoticed(folder, count, rng):
    """Flip `count` bits one by one, each in a random file.  Returns those that nothing noticed."""
    files, missed = sorted(folder.iterdir()), []
    for _ in range(count):
        path = rng.choice(files)
        place, bit = rng.randrange(path.stat().st_size), rng.randrange(8)
        flip(path, place, bit)
        try:
            load_checkpoint(folder)
            missed.append((path.name, place, bit))
        except CheckpointError:
            pass
        flip(path, place, bit)
    load_checkpoint(folder)
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = checkpoint(Path(place))
        names = ", ".join(path.name for path in sorted(folder.iterdir()))
        missed = unnoticed(folder, args.count, random.Random(args.seed))
    print("| what | times | result |\n|---|---|---|")
    print(f"| single flipped bits in {names} | {args.count} | {args.count - len(missed)} detected |")
    return bool(missed)


if __name__ == "__main__":
    raise SystemExit(main())
