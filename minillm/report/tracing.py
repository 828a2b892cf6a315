"""One run of forward and backward functions as rows: which tensor, of what shape, made where."""

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

PACKAGE = Path(__file__).resolve().parents[1]
FOLDERS = ("layers", "losses", "model")


class Tensor(NamedTuple):
    """One array that a forward or backward function returned."""

    depth: int          # how deep inside other such functions
    name: str           # of the function, or of the gradient
    shape: tuple
    mean: float
    spread: float       # standard deviation
    place: str          # file and line of the function


def traced(call):
    """Run call() and list what every NAME_forward and NAME_backward of the layers, losses and model returned, in order.

    Python's profiling hook sees each function return; the functions themselves know nothing of it.
    """
    rows, depth, before = [], 0, sys.getprofile()

    def watch(frame, event, value):
        nonlocal depth
        code = frame.f_code
        if event not in ("call", "return") or not is_traced(code):
            return
        depth += 1 if event == "call" else -1
        if event == "return":
            rows.extend(tensors(depth, code, value))
    sys.setprofile(watch)
    try:
        call()
    finally:
        sys.setprofile(before)
    return rows


def is_traced(code):
    """Whether a code object is a forward or backward of the package's layers, losses or model."""
    if not code.co_name.endswith(("_forward", "_backward")):
        return False
    path = Path(code.co_filename)
    return path.parent.name in FOLDERS and path.parents[1] == PACKAGE


def tensors(depth, code, value):
    """Rows of what one function returned: its array, and the gradients of its own parameters."""
    first, *others = value if isinstance(value, tuple) else (value,)
    place = f"{Path(code.co_filename).relative_to(PACKAGE.parent).as_posix()}:{code.co_firstlineno}"
    if isinstance(first, (np.ndarray, np.floating)):
        yield row(depth, code.co_name, np.asarray(first), place)
    for part in others if code.co_name.endswith("_backward") else ():
        for name, leaf in part.items() if isinstance(part, dict) else ():
            if isinstance(leaf, np.ndarray):
                yield row(depth, f"{code.co_name}: d {name}", leaf, place)


def row(depth, name, array, place):
    """One row of the table."""
    return Tensor(depth, name, array.shape, float(array.mean()), float(array.std()), place)
