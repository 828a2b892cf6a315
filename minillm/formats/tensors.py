"""Tensors by name in a .safetensors file; nothing is ever unpickled."""

import os
from pathlib import Path

import numpy as np

from minillm.config import require
from minillm.formats.json_file import MOST_BYTES, reading, parse_json, require_file

NAMES = {np.dtype(np.float32): "F32", np.dtype(np.int32): "I32"}   # as the format calls them


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
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    require_file(path)
    with reading(path):
        check_header(path, [NAMES[np.dtype(dtype)] for dtype in dtypes])
        try:
            tensors = load_file(path)
        except SafetensorError as error:
            raise ValueError(f"not a whole safetensors file ({error})") from None
        for name, array in tensors.items():
            require(np.isfinite(array).all(), f"tensor {name} holds a number that is not finite")
    return tensors


def check_header(path, dtypes):
    """Refuse what the safetensors library lets pass or cannot give to NumPy: names that occur
    twice, and dtypes other than these. Lengths and offsets are left to it.

        file = length of the header (8 bytes), header (JSON), data
    """
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        require(length <= min(MOST_BYTES, Path(path).stat().st_size),
                f"not a whole safetensors file (a header of {length:,} bytes)")
        header = file.read(length)
    try:
        header = parse_json(header)
    except ValueError as error:
        raise ValueError(f"not a whole safetensors file ({error})") from None
    for name, entry in header.items():
        dtype = entry.get("dtype") if isinstance(entry, dict) else None
        require(name == "__metadata__" or dtype in dtypes,
                f"tensor {name} has dtype {dtype}; expected {' or '.join(dtypes)}")
