"""JSON files, read strictly: what could be understood in two ways is refused.

Refused are two values of one key, numbers that are not finite, deep nesting and files too large to
be settings. So a file either means one thing, or is an error of one line that names it.
"""

import json
import math
from collections import Counter
from pathlib import Path

MOST_BYTES = 16 << 20       # a tokenizer.json of 128,000 tokens has 9 MB
MOST_DEEP = 50              # lists and objects inside each other
KINDS = {dict: "an object {...}", list: "a list [...]"}


def read_json(path, kind=dict):
    """The value in a UTF-8 file, which must be of that kind: dict or list.

    Raises:  ValueError "PATH: ..." of one line for a broken file; OSError if it cannot be read.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise ValueError(f"{path}: is not a file")      # reading a pipe could wait for ever
    with open(path, "rb") as file:
        data = file.read(MOST_BYTES + 1)
    try:
        if len(data) > MOST_BYTES:
            raise ValueError(f"larger than {MOST_BYTES:,} bytes, which no such file needs")
        return parse_json(data.decode("utf-8-sig"), kind)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: is not UTF-8 text (byte {error.start})") from None
    except ValueError as error:
        raise ValueError(f"{path}: {one_line(error)}") from None


def parse_json(text, kind=dict):
    """The value of a JSON text, such as a line of a JSONL file, as read_json reads a file.

    Raises:  ValueError that says what is wrong with it.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError("broken JSON (nested too deeply)") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"broken JSON ({error})") from None
    if not isinstance(value, kind):
        raise ValueError(f"holds {type(value).__name__} where {KINDS[kind]} belongs")
    _check(value)
    return value


def _unique(pairs):
    """The object of these pairs; which of two values a reader takes, depends on the reader."""
    made = dict(pairs)
    if len(made) < len(pairs):
        twice, times = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"key {twice!r} occurs {times} times")
    return made


def _check(value):
    """Refuse deep nesting and numbers outside the range of floats, level by level."""
    level = [value]
    for _ in range(MOST_DEEP):
        level = [child for node in level if isinstance(node, (dict, list))
                 for child in (node.values() if isinstance(node, dict) else node)]
        for node in level:
            if isinstance(node, (int, float)) and not _finite(node):
                raise ValueError("a number is not finite, or too large")
    if level:
        raise ValueError(f"nested more than {MOST_DEEP} levels deep")


def _finite(number):
    try:
        return math.isfinite(number)
    except OverflowError:           # a whole number beyond the largest float
        return False


def write_json(path, data):
    """Write a UTF-8 file, keys in the order given.

    Raises:  ValueError for a number that is not finite; OSError if it cannot be written.
    """
    text = json.dumps(data, indent=2, allow_nan=False)
    Path(path).write_text(text + "\n", encoding="utf-8", newline="\n")


def one_line(error, most=300):
    """An error's text as one printable line: a broken file's names and values may hold anything."""
    text = str(error)
    shown = "".join(letter if letter.isprintable() else ascii(letter)[1:-1]
                    for letter in text[:most])
    return shown + " ..." if len(text) > most else shown
