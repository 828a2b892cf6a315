"""Feed odd data to every stage that takes data, and texts without a blank to the tokenizer.

    python tests/campaigns/odd_data.py              every odd file for every stage, words of 50 and 100 MB: some 10 minutes
    python tests/campaigns/odd_data.py --short      the same files, words of 1 and 2 MB

files       status 2 and one line that names the file, nothing left, or status 0; which of the two is stated here
words       seconds and peak memory of learning a vocabulary from one word and of encoding it; twice the word takes at most
            2.5 times as long
"""

import argparse
import gzip
import io
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np

from minillm.cli import main as minillm

TINY = "--vocab-size 300 --layers 1 --width 32 --heads 2 --kv-heads 1 --hidden 64 --context 64".split()
FEW = ["--quiet", "--steps", "2", "--rows", "4"]
TEXT = "the cat sat on a mat and then a dog came to see what it was doing there all day long. " * 60
USER, ASSISTANT = {"role": "user", "content": "where?"}, {"role": "assistant", "content": "on."}
PAIR = {"prompt": "where?", "chosen": "on.", "rejected": "no"}
GOOD = {"tokenizer": {"text": TEXT}, "pretrain": {"text": TEXT}, "finetune": {"messages": [USER, ASSISTANT]},
        "reward": PAIR, "rlhf": PAIR}
RUN = {"tokenizer": ["--quiet", "--vocab-size", "300"], "pretrain": [*FEW, *TINY], "finetune": ["base", *FEW],
       "reward": ["base", *FEW], "rlhf": ["base", *FEW, "--max-new-tokens", "4"]}
FINE, REFUSED = 0, 2


def contents(verb):
    """(name of the file, its bytes, the status that is right) of every odd file for a verb."""
    good, key = GOOD[verb], next(iter(GOOD[verb]))
    line, alone = json.dumps(good), FINE if verb in ("tokenizer", "pretrain") else REFUSED

    def after(second):
        """A good line, then another: a string as it stands, or a record."""
        return line + "\n" + (second if isinstance(second, str) else json.dumps(second))
    texts = {
        "three.jsonl": ("\n".join([line] * 3), FINE), "one.jsonl": (line, alone), "two.jsonl": (after(line), FINE),
        "blanks.jsonl": ("\n\n  \n", REFUSED), "empty.jsonl": ("", REFUSED),
        "mark.jsonl": ("\ufeff" + after(line), FINE), "mark-inside.jsonl": (after("\ufeff" + line), REFUSED),
        "crlf.jsonl": (after(line).replace("\n", "\r\n"), FINE), "nul.jsonl": (after("\0"), REFUSED),
        "deep.jsonl": (after("[" * 10**5), REFUSED), "deep-closed.jsonl": (after("[" * 10**5 + "]" * 10**5), REFUSED),
        "key.jsonl": (after({"other": 1}), REFUSED), "number.jsonl": (after({**good, key: 3}), REFUSED),
        "null.jsonl": (after({**good, key: None}), REFUSED), "list.jsonl": (after({**good, key: [True]}), REFUSED),
        "value.jsonl": (after("NaN"), REFUSED), "long-number.jsonl": (after("9" * 5000), REFUSED),
        "two-on-a-line.jsonl": (after(line + line), REFUSED), "cut.jsonl": (after(line[:-5]), REFUSED),
        "more-keys.jsonl": ("\n".join([json.dumps({**good, "id": 1, "more": {"a": [None, 1e999]}})] * 3), FINE),
        "half.jsonl": ("\n".join([line.replace(".", "\\ud83d.")] * 3), FINE),
        "lines.ndjson": (after(line), FINE), "UPPER.JSONL": (after(line), FINE), "list.json": (f"[{line}, {line}]", FINE),
        "object.json": (line, REFUSED), "lines.json": (after(line), REFUSED), "empty-list.json": ("[]", REFUSED),
    }
    if key == "messages":
        texts |= {
            "message-keys.jsonl": ("\n".join([json.dumps({key: [{**USER, "name": 3}, {**ASSISTANT, "x": {}}]})] * 3), FINE),
            "empty-messages.jsonl": ("\n".join([json.dumps({key: [{**USER, "content": ""}, {**ASSISTANT, "content": ""}]})] * 3),
                                     FINE),
            **{f"content-{type(value).__name__}.jsonl": (after({key: [{**USER, "content": value}, ASSISTANT]}), REFUSED)
               for value in (3, None, [{"type": "image_url"}])},
            "parts.jsonl": (after({key: [{**USER, "content": [{"type": "text", "text": "a"}]}, ASSISTANT]}), FINE),
            "alpaca.jsonl": (after({"instruction": "where?", "input": "", "output": "on."}), FINE),
            "tool.jsonl": (after({key: [USER, {"role": "tool", "content": "a"}, ASSISTANT]}), REFUSED),
            "long.jsonl": ("\n".join([line] * 2 + [json.dumps({key: [{**USER, "content": TEXT}, ASSISTANT]})] * 9), FINE),
            "all-long.jsonl": ("\n".join([json.dumps({key: [{**USER, "content": TEXT}, ASSISTANT]})] * 9), REFUSED)}
    if key == "prompt":
        ties, prompts_alone = json.dumps({**PAIR, "rejected": PAIR["chosen"]}), verb == "rlhf"
        texts |= {
            "ties.jsonl": ("\n".join([ties] * 3), FINE if prompts_alone else REFUSED),
            "some-ties.jsonl": ("\n".join([ties] * 3 + [line] * 2), FINE),
            "long.jsonl": ("\n".join([line] * 2 + [json.dumps({**PAIR, "prompt": TEXT})] * 9), FINE),
            "all-long.jsonl": ("\n".join([json.dumps({**PAIR, "prompt": TEXT})] * 9), REFUSED)}
    if key == "text":
        texts |= {"word.txt": ("a" * 10**6, FINE), "letter.txt": ("a", REFUSED)}
    raw = {"latin.jsonl": line.encode().replace(b".", b"\xe9"), "utf16.jsonl": line.encode("utf-16"),
           "packed.jsonl.gz": gzip.compress(line.encode()), "picture.jsonl": b"\x89PNG\r\n\x1a\n\0\0"}
    return [*((name, text.encode(), status) for name, (text, status) in texts.items()),
            *((name, content, REFUSED) for name, content in raw.items())]


def places(folder):
    """Paths that are no files: (path, the status that is right)."""
    made = {"pipe.jsonl": os.mkfifo, "folder.jsonl": os.mkdir, "device.jsonl": lambda path: path.symlink_to("/dev/zero"),
            "nowhere.jsonl": lambda path: path.symlink_to(folder / "nothing"), "missing.jsonl": lambda path: None}
    for name, make in made.items():
        make(folder / name)
    return [(folder / name, REFUSED) for name in made]


def feed(root, verb, path):
    """Run a verb on a file, in a new run.  Returns (status, what it printed)."""
    shutil.rmtree(root / "new", ignore_errors=True)
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        status = minillm([verb, *RUN[verb], "--root", str(root), "--name", "new", "--data", str(path)])
    return status, said.getvalue()


def fault(root, verb, path, wanted):
    """What is wrong with how a verb takes a file; None if nothing is."""
    try:
        status, said = feed(root, verb, path)
    except BaseException as error:
        return f"{type(error).__name__}: {str(error)[:80]}"
    if status != wanted:
        return f"status {status} instead of {wanted}: {said.strip()[-120:]}"
    if status == FINE:
        return None
    if not re.fullmatch(r"minillm: [^\n]+\n", said):
        return f"not one line: {said[-120:]!r}"
    if (root / "new").exists():
        return "a folder is left"
    return None if path.name in said or "context" in said else f"the file is not named: {said.strip()}"


def odd_files(verbs=tuple(GOOD)):
    """Feed every odd file to every verb.  Returns {verb: (files, refused, [faults])}."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for verb in ("pretrain", "finetune", "reward"):     # the run that the others continue
            path = root / f"{verb}.jsonl"
            path.write_text("".join(json.dumps(GOOD[verb]) + "\n" for _ in range(9)), encoding="utf-8")
            where = ["--name", "base", *RUN[verb]] if verb == "pretrain" else RUN[verb]
            assert minillm([verb, *where, "--root", str(root), "--data", str(path)]) == 0
        for verb in verbs:
            (root / verb).mkdir()
            cases = places(root / verb)
            for name, content, status in contents(verb):
                (root / verb / name).write_bytes(content)
                cases.append((root / verb / name, status))
            faults = [f"{path.name}: {problem}" for path, status in cases if (problem := fault(root, verb, path, status))]
            found[verb] = (len(cases), sum(status == REFUSED for _, status in cases), faults)
    return found


LETTERS = {"one letter": "a", "random letters": "abcdefghijklmnopqrstuvwxyz", "blanks": " ", "line ends and blanks": "\n ",
           "digits": "0123456789", "signs": "!?-=", "Chinese": "漢字日本語中文"}


def word(letters, size):
    """A text of `size` characters without a break."""
    draws = np.random.default_rng(0).integers(0, len(letters), size, dtype=np.uint8)
    return np.array(list(letters), "<U1")[draws].tobytes().decode("utf-32-le")


def measure_word(kind, size):
    """In this process: (seconds to learn, seconds to encode, growth of the peak memory in MB, tokens)."""
    from minillm.text.learning import train_tokenizer

    train_tokenizer(["compile the kernels"], 270).encode("compile")
    text, before = word(LETTERS[kind], size), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    tokenizer = train_tokenizer([text], 512)
    learned = time.process_time()
    ids = tokenizer.encode(text)
    ended = time.process_time()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / 1e6
    assert text.startswith(tokenizer.decode(ids[:100_000]).rstrip("\ufffd"))
    return learned - began, ended - learned, grown, len(ids)


def words(megabytes):
    """Print a line for each kind of word at `megabytes` million characters and at twice as many."""
    print("| word without a break | characters | learn, s | encode, s | memory, MB | tokens | time(2n) / time(n) |")
    print("|---|---|---|---|---|---|---|")
    for kind in LETTERS:
        before = None
        for size in (megabytes * 10**6, 2 * megabytes * 10**6):
            out = subprocess.run([sys.executable, __file__, "--word", kind, str(size)], check=True, capture_output=True)
            learn, encode, grown, tokens = json.loads(out.stdout)
            ratio = f"{(learn + encode) / before:.1f}" if before else ""
            before = learn + encode
            print(f"| {kind} | {size:,} | {learn:.1f} | {encode:.1f} | {grown:,.0f} | {tokens:,} | {ratio} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="words of 1 and 2 MB instead of 50 and 100")
    parser.add_argument("--word", nargs=2, metavar=("KIND", "SIZE"), help="measure one word in this process")
    args = parser.parse_args()
    if args.word:
        print(json.dumps(measure_word(args.word[0], int(args.word[1]))))
        return 0
    found = odd_files()
    print("| stage | odd files | to be refused | faults |\n|---|---|---|---|")
    for verb, (count, refused, faults) in found.items():
        print(f"| {verb} | {count} | {refused} | {len(faults)} |")
    for verb, (_, _, faults) in found.items():
        for line in faults:
            print(f"\n{verb} {line}")
    print()
    words(1 if args.short else 50)
    return 1 if any(faults for _, _, faults in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
