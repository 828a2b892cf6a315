"""JSON files, read strictly: what could be understood in two ways is refused.

Refused are two values of one key, numbers that are not finite, deep nesting and files too large to
be settings. So a file either means one thing, or is an error of one line that names it.
"""

import json
import math
from collections import Counter
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from minillm.config import require

MOST_BYTES = 4 << 20        # of a file of settings, or a header; a vocabulary takes more
MOST_DEEP = 50              # lists and objects inside each other
KINDS = {dict: "an object {...}", list: "a list [...]"}


def read_json(path, kind=dict, most=MOST_BYTES):
    """The value in a UTF-8 file of at most `most` bytes, which must be of that kind: dict or list.

    Raises:  ValueError "PATH: ..." of one line for a broken file; OSError if it cannot be read.
    """
    require_file(path)
    with reading(path):
        require(Path(path).stat().st_size <= most,
                f"larger than {most:,} bytes, which no such file needs")
        return parse_json(Path(path).read_bytes(), kind)


def require_file(path):
    """Refuse a folder, a device or a pipe, which could make a reader wait for ever."""
    require(not Path(path).exists() or Path(path).is_file(), f"{path}: is not a file")


@contextmanager
def reading(path):
    """A ValueError raised inside becomes one line that begins with the path, if it does not yet."""
    try:
        yield
    except ValueError as error:
        if str(error).startswith(str(path)):
            raise
        raise ValueError(f"{path}: {one_line(error)}") from None


def parse_json(text, kind=dict):
    """The value of a JSON text (str, or UTF-8 bytes), such as a line of a JSONL file.

    Raises:  ValueError that says what is wrong with it.
    """
    try:
        text = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        value = json.loads(text, object_pairs_hook=unique_keys)
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 text (byte {error.start})") from None
    except RecursionError:
        raise ValueError("broken JSON (nested too deeply)") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"broken JSON ({error})") from None
    require(isinstance(value, kind), f"holds {type(value).__name__} where {KINDS[kind]} belongs")
    _check(value)
    return value


def unique_keys(pairs):
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
        inner = (node.values() if type(node) is dict else node
                 for node in level if type(node) in (dict, list))
        level = list(chain.from_iterable(inner))
        try:
            finite = all(map(math.isfinite, [node for node in level if type(node) in (int, float)]))
        except OverflowError:       # a whole number beyond the largest float
            finite = False
        require(finite, "a number is not finite, or too large")
    require(not level, f"nested more than {MOST_DEEP} levels deep")


def write_json(path, data):
    """Write a UTF-8 file, keys in the order given.

    Raises:  ValueError for a number that is not finite; OSError if it cannot be written.
    """
    text = json.dumps(data, indent=2, allow_nan=False)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(text + "\n")


def one_line(error, most=300):
    """An error's text as one printable line: a broken file's names and values may hold anything."""
    text = str(error)
    shown = "".join(letter if letter.isprintable() else ascii(letter)[1:-1]
                    for letter in text[:most])
    return shown + " ..." if len(text) > most else shown
