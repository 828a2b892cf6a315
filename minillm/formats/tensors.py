"""Tensors by name in a .safetensors file; nothing is ever unpickled."""

import numpy as np


def write_tensors(path, tensors):
    """Write one .safetensors file.  Raises:  OSError if it cannot be written."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    # safetensors writes the bytes in the order of memory, so the arrays must be contiguous.
    in_order = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    try:
        save_file(in_order, path, metadata={"format": "np"})
    except SafetensorError as error:
        raise OSError(f"{path} cannot be written ({error}); is the disk full?") from None


def read_tensors(path, dtypes=(np.float32,)):
    """The tensors of a .safetensors file by name.

    Raises:  ValueError for a broken file, another dtype, or numbers that are not finite.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"not a whole safetensors file ({error})") from None
    for name, array in tensors.items():
        if array.dtype not in dtypes:
            expected = " or ".join(np.dtype(dtype).name for dtype in dtypes)
            raise ValueError(f"tensor {name} is {array.dtype}, expected {expected}")
        if not np.isfinite(array).all():
            raise ValueError(f"tensor {name} holds a number that is not finite")
    return tensors
