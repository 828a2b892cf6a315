"""Tensors by name in .safetensors files; nothing is ever unpickled.

    file = length of the header (8 bytes), header (JSON), data

The header says where each tensor lies. It is checked first; then one tensor at a time is read and
made float32, a part at a time, so that no more than the result is ever in memory.
"""

import os
from math import prod
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minillm.config import require
from minillm.formats.json_file import MOST_BYTES, reading, parse_json, require_file

DTYPES = {"F32": np.dtype("<f4"), "I32": np.dtype("<i4"), "F16": np.dtype("<f2"),
          "BF16": np.dtype("<u2")}      # as the format calls them; NumPy has no bfloat16
NAMES = {np.dtype(np.float32): "F32", np.dtype(np.int32): "I32"}
FLOATS = ("F32", "BF16", "F16")         # what weights may be stored as
PART = 1 << 20                          # numbers that are read at a time


class Stored(NamedTuple):
    """A tensor in a file, which is not read yet."""
    path: Path
    name: str
    dtype: str
    shape: tuple
    begin: int              # place of its first byte in the file


def write_tensors(path, tensors):
    """Write one .safetensors file.  Raises:  OSError if it cannot be written."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    # safetensors writes the bytes in the order of memory, so the arrays must be contiguous.
    in_order = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    with open(path, "wb") as file:
        rights = os.fstat(file.fileno()).st_mode
    try:
        save_file(in_order, path, metadata={"format": "pt"})    # transformers 4 reads no other
        os.chmod(path, rights)      # it makes files that only their owner can read
    except SafetensorError as error:
        raise OSError(f"{path} cannot be written ({error}); is the disk full?") from None


def read_tensors(path, dtypes=(np.float32,)):
    """The tensors of a .safetensors file by name.

    Raises:  ValueError "PATH: ..." of one line for a broken file, another dtype, or numbers that
             are not finite; OSError if it cannot be read.
    """
    table = read_table(path, [NAMES[np.dtype(dtype)] for dtype in dtypes])
    return {name: read_tensor(stored) for name, stored in table.items()}


def read_table(path, dtypes=FLOATS, skip=lambda name: False):
    """Where the tensors of a .safetensors file lie: {name: Stored}, without reading them.

    skip(name): whether a tensor is left out, whatever its dtype.
    The safetensors library checks lengths, shapes and offsets; what it lets pass is refused here:
    names that occur twice, and dtypes other than these.
    Raises:  ValueError "PATH: ..." of one line; OSError if it cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    require_file(path)
    with reading(path):
        start, header = read_header(path)
        header = {name: entry for name, entry in header.items() if name != "__metadata__"}
        for name, entry in header.items():
            dtype = entry.get("dtype") if isinstance(entry, dict) else None
            require(dtype in dtypes or skip(name),
                    f"tensor {name} has dtype {dtype}; expected {' or '.join(dtypes)}")
        try:
            with safe_open(path, framework="numpy"):
                pass
        except SafetensorError as error:
            raise ValueError(f"not a whole safetensors file ({error})") from None
        return {name: Stored(Path(path), name, entry["dtype"], tuple(entry["shape"]),
                             start + entry["data_offsets"][0])
                for name, entry in header.items() if not skip(name)}


def read_header(path):
    """(where the data begin, the header) of a .safetensors file."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        require(length <= min(MOST_BYTES, Path(path).stat().st_size),
                f"not a whole safetensors file (a header of {length:,} bytes)")
        header = file.read(length)
    try:
        return 8 + length, parse_json(header)
    except ValueError as error:
        raise ValueError(f"not a whole safetensors file ({error})") from None


def read_tensor(stored, transposed=False):
    """The numbers of one tensor, as float32 (or int32, as they are stored).

    transposed: give a matrix as its transpose; a part is turned at a time.
    Raises:  ValueError "PATH: ..." if one is not finite, or the file has become shorter.
    """
    shape = stored.shape[::-1] if transposed else stored.shape
    array = np.empty(shape, np.int32 if stored.dtype == "I32" else np.float32)
    if transposed:
        rows = max(1, PART // shape[0])
        for start, part in parts_of(stored, rows * shape[0]):
            first = start // shape[0]
            array[:, first:first + rows] = part.reshape(-1, shape[0]).T
    else:
        flat = array.reshape(-1)
        for start, part in parts_of(stored, PART):
            flat[start:start + part.size] = part
    return array


def parts_of(stored, count):
    """Yield (number of the first, numbers) of a tensor's parts of `count` numbers."""
    total = prod(stored.shape)
    with open(stored.path, "rb") as file, reading(stored.path):
        file.seek(stored.begin)
        for start in range(0, total, count):
            raw = np.fromfile(file, DTYPES[stored.dtype], min(count, total - start))
            require(raw.size == min(count, total - start), f"tensor {stored.name} is cut off")
            part = widened(raw) if stored.dtype == "BF16" else raw
            require(np.isfinite(part).all(),
                    f"tensor {stored.name} holds a number that is not finite")
            yield start, part


def widened(raw):
    """bfloat16 as float32: it is the first half of one.

        float32 = bfloat16 << 16

    Shapes:  raw (N,) uint16 -> (N,) float32
    """
    return np.left_shift(raw, 16, dtype=np.uint32).view(np.float32)
