"""How many megabytes a second does the tokenizer learn from and encode, beside the tokenizers library?

    python benchmarks/tokenizer.py --against tokenizers --json tokenizer.json --plot tokenizer.png

Learning: 4,096 tokens from 5 MB; minillm learns on one thread, the library splits on all of them. Encoding: the
same documents by the same merges on both sides, which must give the same ids: one after the other, together on one
thread, together on all. Then text without a space: the time must grow linearly, which the exponent shows; here the
library has all threads, and minillm one.
The text is the embedded world's, written with one seed after the other, unless --data names a file.
"""

import os
import re
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numba
from common import (Report, alternate, columns_of, fit_exponent, flags, grouped, median, pair_ratios, parse,
                    progress, spread)
from pictures import curves

from minillm.formats.tokenizer_json import CONTROL
from minillm.text.corpus import load_documents
from minillm.text.learning import train_tokenizer
from minillm.world.corpus import write_corpus
from minillm.world.facts import make_world

OURS, THEIRS = "minillm", "tokenizers"
COLUMNS = [("what", "what", ""), ("side", "side", ""), ("mb", "MB", ",.2f"), ("s", "seconds", ",.3f"),
           ("spread", "spread", ".1%"), ("speed", "MB/s", ",.2f"), ("ratio", "speed / the library's", ".2f")]
EXPONENT_COLUMNS = [("what", "what", ""), ("side", "side", ""), ("exponent", "time grows as size^", ".2f")]


def world_documents(megabytes):
    """The embedded world's documents, with one seed after the other until there are enough."""
    texts, size, seed = [], 0, 0
    while size < 1e6 * megabytes:
        texts += [document.text for document in write_corpus(make_world(seed), min(megabytes, 2.5), seed)]
        size, seed = sum(map(len, texts)), seed + 1
    return texts


def up_to(texts, megabytes):
    """The first documents, as many as hold so many bytes; the last is cut."""
    chosen, left = [], round(1e6 * megabytes)
    for text in texts:
        data = text.encode()
        chosen.append(data[:left].decode(errors="ignore"))
        left -= len(data)
        if left <= 0:
            break
    return chosen


def without_space(texts, megabytes):
    """Letters alone, end to end: one piece of so many bytes.  Text that is too short is repeated."""
    letters = re.sub(r"[^a-z]", "", "".join(texts).lower())
    size = round(1e6 * megabytes)
    return (letters * (size // len(letters) + 1))[:size]


class Library:
    """The tokenizers library, with our way of splitting text into pieces and, for encoding, our merges."""

    def __init__(self, ours):
        from tokenizers import Tokenizer

        with tempfile.TemporaryDirectory() as folder:
            ours.save(Path(folder) / "tokenizer.json")
            self.loaded = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))

    def learn(self, texts, vocab_size):
        """A new vocabulary."""
        from tokenizers import Tokenizer, models, pre_tokenizers, trainers

        fresh = Tokenizer(models.BPE())
        fresh.pre_tokenizer = self.loaded.pre_tokenizer
        trainer = trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False, special_tokens=list(CONTROL),
                                      initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
        fresh.train_from_iterator(texts, trainer)

    def encode(self, texts):
        """Ids of every text, together."""
        return [found.ids for found in self.loaded.encode_batch(texts, add_special_tokens=False)]

    def encode_each(self, texts):
        """Ids of every text, one after the other."""
        return [self.loaded.encode(text, add_special_tokens=False).ids for text in texts]


@contextmanager
def one_thread():
    """Both sides encode on one thread; the library reads the variable at each call."""
    threads, variable = numba.get_num_threads(), os.environ.get("TOKENIZERS_PARALLELISM")
    numba.set_num_threads(1)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    try:
        yield
    finally:
        numba.set_num_threads(threads)
        if variable is None:
            del os.environ["TOKENIZERS_PARALLELISM"]
        else:
            os.environ["TOKENIZERS_PARALLELISM"] = variable


def rows_of(what, megabytes, calls, options):
    """Time one thing on both sides, one row each."""
    progress(f"{what}, {megabytes:.2f} MB: {', '.join(calls)} in turn")
    seconds = alternate(calls, options.rounds, options.quick)
    return [{"what": what, "side": side, "mb": megabytes, "s": median(taken), "spread": spread(taken),
             "speed": megabytes / median(taken), "seconds": taken,
             "ratio": median(pair_ratios(seconds[THEIRS], taken)) if THEIRS in seconds else None}
            for side, taken in seconds.items()]


def check_ids(ours, library, texts):
    """Refuse to time sides that give different ids."""
    for text, ids in zip(texts, library.encode(texts), strict=True):
        if ours.encode(text).tolist() != ids or ours.encode_documents([text])[1:-1].tolist() != ids:
            raise SystemExit(f"minillm and the tokenizers library encode {text[:60]!r}... differently")


def time_documents(texts, vocab_size, ours, library, options):
    """Learning from documents, and encoding them."""
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    learn = {OURS: lambda: train_tokenizer(texts, vocab_size)}
    together = {OURS: lambda: ours.encode_documents(texts)}
    each = {OURS: lambda: [*map(replace(ours).encode, texts)]}      # a copy that remembers no text of a turn before
    if library is not None:
        check_ids(ours, library, texts)
        learn[THEIRS] = lambda: library.learn(texts, vocab_size)
        together[THEIRS] = lambda: library.encode(texts)
        each[THEIRS] = lambda: library.encode_each(texts)
    rows = rows_of(f"learn {vocab_size:,} tokens", megabytes, learn, options)
    with one_thread():
        rows += rows_of("encode one by one", megabytes, each, options)
        rows += rows_of("encode together, one thread", megabytes, together, options)
    return rows + rows_of("encode together, all threads", megabytes, together, options)


def encode_alone(ours, text):
    """Ids of a text, on one thread."""
    with one_thread():
        return ours.encode(text)


def time_one_piece(texts, sizes, vocab_size, ours, library, options):
    """Learning from and encoding one piece of growing size."""
    rows = []
    for megabytes in sizes:
        text = without_space(texts, megabytes)
        encode = {OURS: lambda: encode_alone(ours, text)}
        if library is not None:
            check_ids(ours, library, [text])
            encode[THEIRS] = lambda: library.encode([text])
        rows += rows_of("learn, no space", megabytes, {OURS: lambda: train_tokenizer([text], vocab_size)}, options)
        rows += rows_of("encode, no space", megabytes, encode, options)
    return rows


def main(argv=None):
    """Documents first, then text without a space."""
    parser = flags(__doc__, against=("tokenizers",))
    parser.add_argument("--data", metavar="FILE", help="text to take in place of the embedded world's")
    args = parse(parser, argv)
    report = Report(__file__, __doc__, args)
    megabytes, vocab_size, sizes = (0.02, 300, (0.005, 0.01)) if args.quick else (5, 4096, (0.25, 0.5, 1))
    progress("text")
    texts = up_to(load_documents(args.data) if args.data else world_documents(megabytes), megabytes)
    ours = train_tokenizer(texts, vocab_size)
    library = Library(ours) if args.against else None
    rows = time_documents(texts, vocab_size, ours, library, args)
    grown = time_one_piece(texts, sizes, vocab_size, ours, library, args)
    report.table("Documents", COLUMNS, rows)
    for row in rows:
        if row["side"] == OURS:
            report.headline(f"{row['what']}: MB/s", row["speed"], ",.1f")
            if args.against:
                report.headline(f"{row['what']}: speed / the library's", row["ratio"], ".2f")
    report.table("Without a space: one piece", COLUMNS, grown)
    lines = {key: columns_of(found, "mb", "s") for key, found in grouped(grown, "what", "side").items()}
    fitted = [{"what": what, "side": side, "exponent": fit_exponent(*line)}
              for (what, side), line in lines.items()]
    report.table("Growth", EXPONENT_COLUMNS, fitted)
    tokens = sum(len(ours.encode(text)) for text in texts)
    report.note(f"The documents are {tokens:,} tokens of {1e6 * rows[0]['mb'] / tokens:.2f} bytes on average.")

    def draw(axes):
        curves(axes, {f"{side}: {what}": line for (what, side), line in lines.items()},
               "MB without a space", "seconds")
    report.finish(draw, vocabulary=ours.vocab_size, tokens=tokens)


if __name__ == "__main__":
    main()
