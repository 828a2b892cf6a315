"""Broken GGUF files: thousands of damaged headers, each either loads or is one ValueError.

    python tests/campaigns/fuzz_gguf.py             5,000 files
    python tests/campaigns/fuzz_gguf.py --count 500 --seed 7 --keep FOLDER

A case takes the GGUF file of a tiny model and damages it in one of four ways: its bytes (flipped, cut, doubled, removed,
inserted), a number of its header (a count, a length, a type, a size, an offset, replaced by one that has broken a reader
somewhere), a setting (another value, another type, gone, there twice, lists inside lists), or a line of the table of
tensors. Reading it, weights included, must take less than a second of the processor and bounded memory, must write nothing,
and may raise a ValueError of one printable line that names the file once, and nothing else. A table in Markdown is printed;
cases that fail are kept in --keep; the exit status is 1 if there are any.
"""

import struct
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "campaigns")]

import gguf_bytes  # noqa: E402  (found on the path set above)
from fuzz import damage_bytes, main  # noqa: E402
from gguf_bytes import CODES, text, whole  # noqa: E402

from minillm.formats.dequantize import TYPES  # noqa: E402
from minillm.formats.gguf import read_header  # noqa: E402
from minillm.formats.gguf_model import read_config, read_params  # noqa: E402

SECOND, BYTES = 1.0, 64 << 20       # what one case may take; the files have some 100 KB
LARGE = [0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 31, 33, 255, 256, 2**15, 2**16, 2**20, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40,
         2**53 + 1, 2**62, 2**63 - 1, 2**63, 2**64 - 32, 2**64 - 1]
SETTINGS = [("<u4", 0), ("<u4", 2**32 - 1), ("<u8", 2**64 - 1), ("<i8", -2**63), ("<i4", -1), ("<f4", np.nan), ("<f4", np.inf),
            ("<f8", 1e308), ("<f8", 5e-324), ("<f4", -0.0), ("bool", True), ("text", ""), ("text", "x" * 100_000),
            ("text", "\x00\n\x1b[2J"), ("text", b"\xff\xfe"), ("text", "llama"), ("text", "gpt2"), ("text", "../../x"),
            ("list", ("text", [])), ("list", ("text", ["a"] * 5000)), ("list", ("<f4", [np.nan])), ("list", ("<u4", [3, 3])),
            ("list", ("list", [("<u4", [])] * 2000)), ("list", ("list", [("list", [("list", [("list", [])])])])),
            ("list", ("bool", [True, False])), ("list", ("<u1", bytes(100_000)))]


def sources():
    """(settings, tensors) of tiny models in floats and in blocks, of both architectures."""
    rng = np.random.default_rng(0)
    for preset, changes, kind in (("llama", {}, "F32"), ("gpt2", {"tied": False}, "F16"), ("gpt2", {}, "BF16"),
                                  ("llama", {"width": 192, "hidden": 64}, "Q4_1"), ("llama", {"width": 192, "hidden": 64}, "Q8_0"),
                                  ("llama", {"width": 1536, "heads": 6, "hidden": 256, "layers": 1}, "Q6_K")):
        _, _, metadata, tensors = gguf_bytes.model(preset, **changes)
        quantization = next(each for each in TYPES.values() if each.name == kind)
        for name, (_, shape, data) in tensors.items():
            if kind != "F32" and len(shape) == 2:
                size = int(np.prod(shape)) // quantization.weights * quantization.block.itemsize
                data = rng.integers(0, 60, size, dtype=np.uint8).tobytes()      # float16 below 200
                tensors[name] = kind, shape, data
        yield metadata, tensors


def damage_number(data, tensors, rng):
    """A number of the header, anywhere between its texts, replaced."""
    end = len(data) - sum(len(content) + -len(content) % 32 for _, _, content in tensors.values())
    data, wrong = bytearray(data), LARGE[rng.integers(len(LARGE))]
    size = int(rng.choice([4, 8]))
    at = int(rng.choice([4, 8, 16])) if rng.integers(8) == 0 else int(rng.integers(4, end - 8))
    data[at:at + size] = (wrong % 2**(8 * size)).to_bytes(size, "little")
    return bytes(data)


def damage_length(data, rng):
    """The length of a text that is there, replaced: where the bytes before a name say how long it is."""
    spots = [at for word in (b"llama.", b"gpt2.", b"tokenizer.", b"general.", b"blk.", b"token_embd", b"output_norm")
             for at in places_of(data, word) if at >= 8]
    at = spots[rng.integers(len(spots))] - 8
    length = int.from_bytes(data[at:at + 8], "little")
    wrong = [*LARGE, length + 1, max(length - 1, 0), len(data), len(data) - at][rng.integers(len(LARGE) + 4)]
    return data[:at] + wrong.to_bytes(8, "little") + data[at + 8:]


def places_of(data, word):
    """Yield where a word is in the bytes."""
    at = data.find(word)
    while at >= 0:
        yield at
        at = data.find(word, at + 1)


def damage_setting(metadata, tensors, rng):
    """A file in which one or two settings have another value, are gone, renamed or there twice."""
    metadata, more = dict(metadata), b""
    for _ in range(rng.integers(1, 3)):
        keys = list(metadata)
        key, kind = keys[rng.integers(len(keys))], rng.integers(6)
        wrong = SETTINGS[rng.integers(len(SETTINGS))]
        if kind <= 2:
            metadata[key] = wrong
        elif kind == 3:
            del metadata[key]
        elif kind == 4:
            metadata[["general.alignment", key + "x", "llama.rope.scaling.type", "split.count", ""][rng.integers(5)]] = wrong
        else:
            more = text(key) + struct.pack("<I", CODES[wrong[0]]) + gguf_bytes.plain(*wrong)
    data = whole(metadata, tensors)
    if more:        # one setting more than the dict can hold, right behind the counts
        data = data[:16] + struct.pack("<Q", len(metadata) + 1) + more + data[24:]
    return data


def damage_table(metadata, tensors, rng):
    """A file in which a tensor has another name, type, shape or offset, or is gone."""
    lines, at = {}, 0
    for name, (kind, shape, data) in tensors.items():
        lines[name] = [gguf_bytes.NUMBERS[kind], list(shape), at]
        at += len(data) + -len(data) % 32
    names = list(lines)
    name, wrong = names[rng.integers(len(names))], LARGE[rng.integers(len(LARGE))]
    kind, line = rng.integers(6), lines[name]
    if kind == 0:
        line[0] = int(rng.choice([*TYPES, 4, 5, 9, 15, 23, 31, 39, 2**32 - 1]))
    elif kind == 1:
        line[1][rng.integers(len(line[1]))] = wrong
    elif kind == 2:
        line[1] = [line[1] * 3, [], [1, *line[1]], line[1][::-1], [wrong] * 4][rng.integers(5)]
    elif kind == 3:
        line[2] = [wrong, max(line[2] - 32, 0), line[2] + 32, line[2] + 1][rng.integers(4)]
    elif kind == 4:
        del lines[name]
    else:
        lines = {(["", "x" * 5000, "a\nb", "rope_freqs.weight", names[0] + "x"][rng.integers(5)] if each == name else each): line
                 for each, line in lines.items()}
    begin = gguf_bytes.header(metadata, lines)
    return begin + bytes(-len(begin) % 32) + b"".join(data + bytes(-len(data) % 32) for _, _, data in tensors.values())


def judge(path):
    """Read a file.  Returns (outcome, seconds, bytes).  outcome: "loads", "refused", or what is wrong with its end."""
    tracemalloc.reset_peak()
    before, start = tracemalloc.get_traced_memory()[0], time.process_time()
    try:
        file = read_header(path)
        read_params(file, read_config(file))
        outcome = "loads"
    except ValueError as error:
        message = str(error)
        fine = message.isprintable() and message.startswith(f"{path}: ") and len(message) < 500 + len(str(path))
        outcome = "refused" if fine and message.count(str(path)) == 1 else f"message {message!r:.300}"
    except BaseException as error:      # anything that a user would see as a traceback, MemoryError included
        outcome = f"{type(error).__name__} {error!s:.200}"
    seconds, size = time.process_time() - start, tracemalloc.get_traced_memory()[1] - before
    if seconds > SECOND and outcome in ("loads", "refused"):
        outcome = f"took {seconds:.1f} s"
    if size > BYTES and outcome in ("loads", "refused"):
        outcome = f"took {size / 2**20:.0f} MB"
    return outcome, seconds, size


WAYS = {"bytes": lambda data, metadata, tensors, rng: damage_bytes(data, rng),
        "a number": lambda data, metadata, tensors, rng: damage_number(data, tensors, rng),
        "a length": lambda data, metadata, tensors, rng: damage_length(data, rng),
        "a setting": lambda data, metadata, tensors, rng: damage_setting(metadata, tensors, rng),
        "a tensor": lambda data, metadata, tensors, rng: damage_table(metadata, tensors, rng)}


def campaign(count, seed, keep=None):
    """{what was damaged: [(outcome, seconds, bytes), ...]} of `count` damaged files."""
    results = {way: [] for way in WAYS}
    every = [(whole(*source), *source) for source in sources()]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "model.gguf"
        tracemalloc.start()
        try:
            for data, _, _ in every:
                path.write_bytes(data)
                assert judge(path)[0] == "loads", "a whole file does not load"
            for case in range(count):
                rng = np.random.default_rng([seed, case])
                way = list(WAYS)[case % len(WAYS)]
                path.write_bytes(WAYS[way](*every[rng.integers(len(every))], rng))
                result = judge(path)
                results[way].append(result)
                if result[0] not in ("loads", "refused"):
                    print(f"case {case}, {way}: {result[0]}", file=sys.stderr)
                    if keep:
                        Path(keep).mkdir(parents=True, exist_ok=True)
                        (Path(keep) / f"case-{case}.gguf").write_bytes(path.read_bytes())
                assert list(Path(place).iterdir()) == [path], "a damaged file made another appear"
        finally:
            tracemalloc.stop()
    return results


if __name__ == "__main__":
    main(campaign, 5000, __doc__)
