"""Broken checkpoints: thousands of damaged files, each either loads or is one CheckpointError.

    python tests/campaigns/fuzz.py                  20,000 files
    python tests/campaigns/fuzz.py --count 500 --seed 7 --keep FOLDER

A case takes a checkpoint of a tiny model and damages one file: its bytes (flipped, cut, doubled, removed, inserted),
or its JSON, the header of a .safetensors file included (values of another type or size, keys removed, doubled or
renamed, deep nesting). Loading it must end in less than a second and in bounded memory, must write nothing, and may
raise a CheckpointError of one printable line that names the file or the folder, and nothing else. A table in Markdown
is printed; cases that fail are kept in --keep; the exit status is 1 if there are any.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import tiny  # noqa: E402  (found on the path set above)

from minillm.formats.checksums import SUMS  # noqa: E402
from minillm.model.language_model import LanguageModel  # noqa: E402
from minillm.text.learning import train_tokenizer  # noqa: E402
from minillm.training.checkpoint import CheckpointError, load_checkpoint, save_checkpoint  # noqa: E402

FILES = ("model.safetensors", "training.safetensors", "config.json", "tokenizer.json", "training.json", SUMS)
SECOND, BYTES = 1.0, 64 << 20       # what one case may take; the files have some 100 KB

# Values that have broken a reader somewhere. A raw one is text of the file that json cannot write.
WRONG = [None, True, False, -1, 0, 1, 2, 7, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 10**9, 10**18,
         10**300, 1e308, 5e-324, -0.5, 1.0, "", "0", "1" * 5000, "x" * 100_000, "../../x", "/etc/passwd", "\ud800",
         "a\nb\x1b[2J", "\x00", "F8_E4M3", "BF16", "F16", "F64", "I32", "I64", "BOOL", "U8", "gpt2", "llama", "minillm",
         "linear", [], {}, [[]], [0, 0], [0, 2**62], [2**32, 2**32], [-1, 4], [1] * 10_000, {"": {}}]
RAW = ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, "9" * 5000, "[" * 100_000, "[" * 60 + "]" * 60,
       '{"a":' * 500 + "1" + "}" * 500, "'x'", "0x10", "01", "+1", "\\ud800", '"\\ud800"', '"\ufeff"', "//", ""]
HOLE = "\ue000hole\ue000"           # stands for raw text until the rest is written


def places(value, path=()):
    """Yield the path of every value inside of a JSON value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


def damage_json(data, rng):
    """JSON text with one or two things in it changed."""
    value, raws = json.loads(data), []
    for _ in range(rng.integers(1, 3)):
        every = list(places(value))
        if not every:
            break
        path = every[rng.integers(len(every))]
        parent = value
        for key in path[:-1]:
            parent = parent[key]
        key, old = path[-1], parent[path[-1]]
        kind = rng.integers(8)
        if kind <= 2:
            parent[key] = WRONG[rng.integers(len(WRONG))]
        elif kind == 3 and type(old) in (int, float):
            parent[key] = [old + 1, old - 1, old * 2, -old, old / 2, str(old)][rng.integers(6)]
        elif kind == 4:
            del parent[key]
        elif kind == 5:
            other = every[rng.integers(len(every))]
            source = value
            for step in other:
                source = source[step]
            parent[key] = json.loads(json.dumps(source))
        elif kind == 6 and isinstance(parent, dict):
            parent[["x", "../../x", key + "x", "__metadata__", "minillm", ""][rng.integers(6)]] = parent.pop(key)
        elif kind == 7 and isinstance(parent, dict):
            raws.append(json.dumps(old) + f", {json.dumps(key)}: " + json.dumps(WRONG[rng.integers(len(WRONG))]
                                                                               if rng.integers(2) else old))
            parent[key] = HOLE
        else:
            raws.append(RAW[rng.integers(len(RAW))])
            parent[key] = HOLE
    text = json.dumps(value, ensure_ascii=bool(rng.integers(2)))
    for raw in raws:
        text = text.replace(json.dumps(HOLE, ensure_ascii=False), raw, 1).replace(json.dumps(HOLE), raw, 1)
    return text.encode("utf-8", "surrogatepass")


def damage_bytes(data, rng):
    """The bytes with a few of them changed."""
    data, kind = bytearray(data), rng.integers(6)
    at, end = sorted(rng.integers(0, len(data) + 1, 2).tolist())
    if rng.integers(2):                 # near the beginning, where headers are
        at, end = sorted(rng.integers(0, min(len(data), 400) + 1, 2).tolist())
    if kind == 0:
        for place in rng.integers(0, len(data), rng.integers(1, 9)):
            data[place] ^= 1 << rng.integers(8)
    elif kind == 1:
        del data[at:]
    elif kind == 2:
        del data[at:end]
    elif kind == 3:
        data[at:at] = data[at:end]
    elif kind == 4:
        data[at:at] = rng.bytes(rng.integers(1, 40))
    else:
        data[at:end] = bytes([rng.choice([0, 255, 34, 91, 123, 48])]) * (end - at)
    return bytes(data)


def damage(name, data, rng):
    """One file, damaged: its JSON or its bytes."""
    if rng.integers(3) == 0 or name == SUMS:
        return damage_bytes(data, rng)
    if name.endswith(".json"):
        return damage_json(data, rng)
    length = int.from_bytes(data[:8], "little")
    header, body = data[8:8 + length], data[8 + length:]
    if rng.integers(5) == 0:
        wrong = [0, 1, 7, length - 1, length + 1, len(data), 2**31, 2**32, 2**62, 2**63, 2**64 - 1]
        return wrong[rng.integers(len(wrong))].to_bytes(8, "little") + header + body
    header = damage_json(header, rng)
    header += b" " * (-len(header) % 8) if rng.integers(2) else b""
    return len(header).to_bytes(8, "little") + header + body[:rng.choice([len(body), len(body), len(body) // 2])]


def judge(folder, name):
    """Load a checkpoint of which one file is damaged.  Returns (outcome, seconds, bytes).

    outcome: "loads", "refused", or what is wrong with the way it ended.
    """
    tracemalloc.reset_peak()
    before, start = tracemalloc.get_traced_memory()[0], time.perf_counter()
    try:
        load_checkpoint(folder)
        outcome = "loads"
    except CheckpointError as error:
        message = str(error)
        fine = message.isprintable() and str(folder) in message and len(message) < 500 + len(str(folder))
        outcome = "refused" if fine and message.count(str(folder)) == 1 else f"message {message!r:.300}"
    except BaseException as error:      # anything that a user would see as a traceback, MemoryError included
        outcome = f"{type(error).__name__} {error!s:.200}"
    seconds, size = time.perf_counter() - start, tracemalloc.get_traced_memory()[1] - before
    if seconds > SECOND and outcome in ("loads", "refused"):
        outcome = f"took {seconds:.1f} s"
    if size > BYTES and outcome in ("loads", "refused"):
        outcome = f"took {size / 2**20:.0f} MB"
    return outcome, seconds, size


def checkpoints(folder):
    """Whole checkpoints of every format, as {file: bytes} by their folders."""
    text = [tiny.TEXT] * 3
    for number, (preset, kind) in enumerate([("llama", "bpe"), ("gpt2", "characters"),
                                             ("layernorm, rope, gelu", "characters")]):
        tokenizer = train_tokenizer(text, 280, "bpe") if kind == "bpe" else tiny.tokenizer()
        config = tiny.config(preset, vocab_size=tokenizer.vocab_size)
        model = LanguageModel(tiny.params(config, dtype=np.float32), config, tokenizer)
        step = save_checkpoint(folder / str(number), 3, model, {"mean": model.params}, {"settings": {"lr": 0.1}})
        yield step, {name: (step / name).read_bytes() for name in FILES}
        (step / SUMS).unlink()      # with it, every file that is not as written is refused for that alone


def campaign(count, seed, keep=None):
    """{file: [(outcome, seconds, bytes), ...]} of `count` damaged files."""
    results = {name: [] for name in FILES}
    tracemalloc.start()
    try:
        with tempfile.TemporaryDirectory() as place:
            whole = list(checkpoints(Path(place)))
            there = sorted(map(str, Path(place).rglob("*")))
            for step, _ in whole:
                load_checkpoint(step)               # compiles and imports before anything is timed
            for case in range(count):
                rng = np.random.default_rng([seed, case])
                step, files = whole[rng.integers(len(whole))]
                name = FILES[case % len(FILES)]
                data = damage(name, files[name], rng)
                (step / name).write_bytes(data)
                result = judge(step, name)
                results[name].append(result)
                if result[0] not in ("loads", "refused"):
                    print(f"case {case}, {name}: {result[0]}", file=sys.stderr)
                    if keep:
                        shutil.copytree(step, Path(keep) / f"case-{case}", dirs_exist_ok=True)
                (step / name).unlink() if name == SUMS else (step / name).write_bytes(files[name])
            assert sorted(map(str, Path(place).rglob("*"))) == there, "a damaged file made another appear"
    finally:
        tracemalloc.stop()
    return results


def table(results):
    """The lines of the table, and whether every case ended as it should."""
    lines = ["| file | damaged | refused in one line | load | otherwise | slowest, ms | most memory, MB |",
             "|---|---|---|---|---|---|---|"]
    for name, rows in [*results.items(), ("all", sum(results.values(), []))]:
        outcomes = [outcome for outcome, _, _ in rows]
        good = [outcomes.count(what) for what in ("refused", "loads")]
        lines.append(f"| {name} | {len(rows):,} | {good[0]:,} | {good[1]:,} | {len(rows) - sum(good)} "
                     f"| {1000 * max(row[1] for row in rows):.0f} | {max(row[2] for row in rows) / 2**20:.1f} |")
    return lines, sum(good) == len(rows)


def main(campaign=campaign, count=20_000, what=__doc__):
    """Run a campaign of damaged files, print its table, exit with 1 if a case ended otherwise."""
    parser = argparse.ArgumentParser(description=what.splitlines()[0])
    parser.add_argument("--count", type=int, default=count, help="damaged files")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", help="a folder for the files that fail")
    args = parser.parse_args()
    lines, good = table(campaign(args.count, args.seed, args.keep))
    print("\n".join(lines))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
