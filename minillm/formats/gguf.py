"""GGUF, the format of llama.cpp: one file with a model's settings, its tokenizer and its tensors.

    header     "GGUF", version (2 or 3), number of tensors, number of settings
    settings   key, type, value: numbers, texts and lists of them
    tensors    name, sizes (of the innermost axis first), type, offset in the data
    data       each tensor at a multiple of the alignment, in the order of the table

All numbers are little-endian; a text is its length (8 bytes) and UTF-8. The header is read and
checked as a whole; of the data, one tensor at a time is mapped into memory.

Source:  ggml, docs/gguf.md.
"""

import math
import mmap
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minillm.config import require
from minillm.formats.dequantize import OTHERS, TYPES, Quantization, dequantize
from minillm.formats.json_file import one_line, reading, require_file

# What a header may hold at the most, so that none takes a second: the largest vocabularies have
# 260,000 tokens and 450,000 merges in 12 MB; the largest models have some 2,000 tensors.
MOST_BYTES = 64 << 20
MOST_TEXTS = 1 << 20        # in lists
MOST_ENTRIES = 1 << 15      # settings, tensors and lists inside lists
MOST_DEEP = 4               # lists inside each other
MOST_AXES = 4
LONGEST_NAME = 200          # characters; ggml's own limit is 63 bytes for tensors

TEXT, LIST, BOOL, FLOAT32 = 8, 9, 7, 6
NUMBERS = {0: "<u1", 1: "<i1", 2: "<u2", 3: "<i2", 4: "<u4", 5: "<i4", FLOAT32: "<f4", BOOL: "<u1",
           10: "<u8", 11: "<i8", 12: "<f8"}
NUMBERS = {code: np.dtype(name) for code, name in NUMBERS.items()}


class Tensor(NamedTuple):
    """One entry of the table of tensors."""
    name: str
    shape: tuple            # the last axis is contiguous, as in NumPy
    quantization: Quantization
    offset: int             # of its first byte in the file

    @property
    def size(self):
        """Bytes in the file."""
        return math.prod(self.shape) // self.quantization.weights * self.quantization.block.itemsize


class GGUF(NamedTuple):
    """What the header of a file says."""
    path: Path
    metadata: dict          # {key: number, bool, text or list}; a list of numbers is an array
    tensors: dict           # {name: Tensor}

    def read(self, name, into, first=0):
        """Write the float32 numbers of a tensor's rows `first`, first + 1, ... into an array.

        Only these rows are mapped, and no longer than it takes: pages of a mapping count as memory
        of this process while it lasts.
        Shapes:  into (rows, ...) contiguous float32, of the tensor's shape without its first axis
        Raises:  ValueError if a number is not finite; OSError if the file cannot be read.
        """
        tensor = self.tensors[name]
        quantization, rows = tensor.quantization, max(1, tensor.shape[0] if tensor.shape else 1)
        row = tensor.size // rows
        blocks = np.memmap(self.path, quantization.block, "r", tensor.offset + first * row,
                           (into.size // quantization.weights,)) if into.size else []
        dequantize(blocks, quantization, into)
        with reading(self.path):
            require(all_finite(into), f"tensor {name} holds a number that is not finite")


def all_finite(numbers):
    """Whether no number is NaN or infinite, looked at piece by piece."""
    flat = numbers.reshape(-1)
    return all(np.isfinite(flat[at:at + 2**18]).all() for at in range(0, len(flat), 2**18))


def read_header(path):
    """The GGUF of a file, its data not read yet.

    Raises:  ValueError "PATH: ..." of one line for a file that is broken, or not read here;
             OSError if it cannot be read.
    """
    require_file(path)
    with reading(path), open(path, "rb") as file:
        begin = file.read(4)
        require(begin == b"GGUF", f"does not begin as a GGUF file ({begin!r})")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            metadata, tensors = parse(Cursor(data, 4))
    return GGUF(Path(path), metadata, tensors)


class Cursor:
    """Reads a header from its beginning to its end, and no further than the limits."""

    def __init__(self, data, at=0):
        self.data, self.at, self.texts_left, self.entries_left = data, at, MOST_TEXTS, MOST_ENTRIES

    def take(self, size):
        """The place of the next `size` bytes, which are then behind."""
        at, end = self.at, self.at + size
        require(end <= len(self.data), f"ends at byte {len(self.data):,} inside of its header; "
                                       "was it copied as a whole?")
        require(end <= MOST_BYTES, f"has a header of more than {MOST_BYTES:,} bytes, which no "
                                   "model needs")
        self.at = end
        return at

    def count(self, entries=0, texts=0):
        """Refuse more than a header may hold, before time is spent on them."""
        self.entries_left -= entries
        self.texts_left -= texts
        require(self.entries_left >= 0 and self.texts_left >= 0,
                f"has a header of more than {MOST_ENTRIES:,} settings, tensors and lists, or "
                f"{MOST_TEXTS:,} texts, which no model needs")

    def integer(self, size=8):
        """An unsigned whole number of so many bytes."""
        at = self.take(size)
        return int.from_bytes(self.data[at:at + size], "little")

    def text(self):
        """A text."""
        size = self.integer()
        at = self.take(size)
        try:
            return self.data[at:at + size].decode()
        except UnicodeDecodeError:
            raise ValueError(f"has a text at byte {at:,} that is not UTF-8") from None

    def name(self):
        """The name of a setting or a tensor, fit for a message."""
        name = self.text()
        require(name.isprintable() and len(name) <= LONGEST_NAME,
                f"has a name at byte {self.at:,} that is none ({one_line(name, 40)})")
        return name

    def texts(self, number):
        """Many texts, in one loop: calling `text` for each would take several times as long."""
        data, at, found = self.data, self.at, []
        length, end = struct.Struct("<Q").unpack_from, min(len(self.data), MOST_BYTES)
        for _ in range(number):
            size = length(data, at)[0] if at + 8 <= end else 0
            self.at, at = at, at + 8 + size
            if at > end:
                self.take(8 + size)         # raises, and says where the header ends
            found.append(data[at - size:at])
        self.at = at
        try:
            return [text.decode() for text in found]
        except UnicodeDecodeError as error:
            raise ValueError(f"has a text in a list that is not UTF-8 ({error.object[:40]!r})") \
                from None

    def numbers(self, kind, number):
        """Many numbers of one type.  Shapes:  -> (number,)"""
        size = NUMBERS[kind].itemsize * number
        at = self.take(size)
        found = np.frombuffer(self.data[at:at + size], NUMBERS[kind])
        if kind == BOOL:
            require(found.max(initial=0) <= 1, "has a boolean that is neither 0 nor 1")
            return found.astype(bool)
        return found

    def list(self, kind, number, deep):
        """So many values of one type."""
        if kind in NUMBERS:
            return self.numbers(kind, number)
        require(kind in (TEXT, LIST), f"has a list of type {kind}, which GGUF does not know")
        if kind == TEXT:
            self.count(texts=number)
            return self.texts(number)
        self.count(entries=number)
        return [self.value(kind, deep + 1) for _ in range(number)]

    def value(self, kind, deep=0):
        """A value of this type: a number, a text, or a list of values of one type."""
        if kind == TEXT:
            return self.text()
        if kind == LIST:
            require(deep < MOST_DEEP, f"nests lists more than {MOST_DEEP} levels deep")
            return self.list(self.integer(4), self.integer(), deep)
        require(kind in NUMBERS, f"has a value of type {kind}, which GGUF does not know")
        number = self.numbers(kind, 1)[0]
        # The shortest decimal that a float32 is nearest to: 1e-05, not 9.99999975e-06.
        return float(str(number)) if kind == FLOAT32 else number.item()


def parse(cursor):
    """The settings and the table of tensors: {key: value}, {name: Tensor}"""
    version = cursor.integer(4)
    require(version in (2, 3), f"is GGUF of version {version}; minillm reads 2 and 3"
            if version < 1 << 16 else "is a big-endian GGUF file; minillm reads little-endian ones")
    tensors, settings = cursor.integer(), cursor.integer()
    cursor.count(entries=tensors + settings)
    metadata = {}
    for _ in range(settings):
        key = cursor.name()
        require(key not in metadata, f"has two values of {key!r}")
        try:
            metadata[key] = cursor.value(cursor.integer(4))
        except ValueError as error:
            raise ValueError(f"{error} (in the value of {key})") from None
    alignment = metadata.get("general.alignment", 32)
    require(type(alignment) is int and 1 <= alignment <= 1 << 20 and alignment.bit_count() == 1,
            f"general.alignment is {str(alignment)[:40]!r}; it must be a power of 2")
    return metadata, table(cursor, tensors, alignment)


def table(cursor, number, alignment):
    """The table of tensors, checked: each begins where the one before it ends."""
    entries = [entry(cursor) for _ in range(number)]
    begin = at = aligned(cursor.at, alignment)
    found = {}
    for name, shape, quantization, offset in entries:
        require(name not in found, f"has two tensors {name!r}")
        require(begin + offset == at, f"tensor {name} has offset {offset:,}; {at - begin:,} is "
                                      "the end of the one before it")
        tensor = Tensor(name, shape, quantization, at)
        require(at + tensor.size <= len(cursor.data),
                f"tensor {name} ends at byte {at + tensor.size:,}, but the file has "
                f"{len(cursor.data):,}; was it copied as a whole?")
        found[name], at = tensor, aligned(at + tensor.size, alignment)
    require(len(cursor.data) <= at, f"has {len(cursor.data) - at:,} bytes behind its last tensor")
    return found


def entry(cursor):
    """One line of the table: name, shape, type and offset, each possible by itself."""
    name = cursor.name()
    axes = cursor.integer(4)
    require(1 <= axes <= MOST_AXES, f"tensor {name} has {axes:,} axes; 1 to {MOST_AXES} are "
                                    "possible")
    shape = tuple(cursor.integer() for _ in range(axes))[::-1]
    kind, offset = cursor.integer(4), cursor.integer()
    require(kind in TYPES, f"tensor {name} has the type {OTHERS.get(kind, kind)}; minillm reads "
            + ", ".join(known.name for known in TYPES.values()))
    require(shape[-1] % TYPES[kind].weights == 0,
            f"tensor {name} has rows of {shape[-1]:,} numbers; {TYPES[kind].name} has blocks of "
            f"{TYPES[kind].weights}")
    return name, shape, TYPES[kind], offset


def aligned(place, alignment):
    """The next multiple of the alignment."""
    return -(-place // alignment) * alignment
