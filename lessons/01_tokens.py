"""What does a model read: letters, words, or something between?

    python lessons/01_tokens.py [--full]
"""

# %% Byte pair merging on a tiny text: the most frequent pair of neighbours becomes a new token.
import workbench as w

from minillm.text.learning import train_tokenizer
from minillm.world.corpus import KINDS, write_corpus
from minillm.world.facts import make_world

SMALL = ["low lower lowest new newer newest wide wider widest"] * 3
with w.table("01_sizes"):
    for size in (262, 266, 270, 276):
        tokenizer = train_tokenizer(SMALL, size)
        print(f"  {tokenizer.vocab_size} tokens: " + "|".join(tokenizer.decode([i]) for i in tokenizer.encode("newest lower")))

# %% The world's text: how many bytes a token stands for, by the size of the vocabulary and the kind of text. The tokenizer
# learns its merges from one set of documents and is measured on another.
world = make_world(0)
everything = [d.text for d in write_corpus(world, w.pick(0.1, 1.5))]
documents = {kind: [d.text for d in write_corpus(world, w.pick(0.02, 0.3), seed=1, kinds=[kind])] for kind in KINDS}
SIZES = w.pick((300,), (300, 512, 1024, 2048, 4096))
rows = []
for size in SIZES:
    tokenizer = train_tokenizer(everything, size)
    rows.append((size, *(sum(map(len, texts)) / len(tokenizer.encode_documents(texts)) for texts in documents.values())))
with w.table("01_sizes"):
    w.show(rows, ("vocabulary", *documents))

# %% Any text at all can be written, and comes back as it was.
strange = "Zürich 東京 🦉 \t\n x=3"
assert tokenizer.decode(tokenizer.encode(strange)) == strange
print(f"  {strange!r} is {len(tokenizer.encode(strange))} tokens: bytes stand in where no token fits")

# %% Why a model cannot count letters: what it sees of a word is one number.
with w.table("01_sizes"):
    for word in (" library", " strawberry", " blue"):
        ids = tokenizer.encode(word)
        print(f"  {word!r} -> {ids.tolist()} = " + "|".join(tokenizer.decode([i]) for i in ids))


def draw(axes):
    """Bytes a token over the size of the vocabulary."""
    for column, kind in enumerate(documents, 1):
        axes.plot([row[0] for row in rows], [row[column] for row in rows], "o-", label=kind)
    axes.set_xscale("log", base=2)
    axes.set_xticks(SIZES, [f"{size:,}" for size in SIZES])
    axes.set_xlabel("tokens in the vocabulary")
    axes.set_ylabel("bytes a token")
    axes.legend(frameon=False)


w.picture("01_bytes_a_token", draw)
