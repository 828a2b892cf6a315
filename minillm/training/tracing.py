"""One run of forward and backward functions as rows: each tensor's name, shape and source line."""

import ast
import functools
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minillm import tree

PACKAGE = Path(__file__).resolve().parents[1]
FOLDERS = ("layers", "losses", "model")


class Tensor(NamedTuple):
    """One array that a forward or backward function returned."""

    depth: int          # number of such functions around it
    name: str           # name of the function or of the gradient, and name of the parameters
    shape: tuple
    mean: float
    spread: float       # standard deviation
    place: str          # file and line that compute it
    finite: bool        # whether every number is finite


def traced(call, params=None):
    """Run call() and list what every NAME_forward and NAME_backward of the layers, losses and
    model returned, in order.

    Python's profiling hook sees each function return, so the functions need no change.
    params: the tree that call() uses; each function is named with its branch of the tree.
    """
    rows, depth, before, branches = [], 0, sys.getprofile(), branch_names(params)

    def watch(frame, event, value):
        nonlocal depth
        code = frame.f_code
        if event not in ("call", "return") or not is_traced(code):
            return
        depth += 1 if event == "call" else -1
        if event == "return":
            rows.extend(tensors(depth, frame, value, branches))
    sys.setprofile(watch)
    try:
        call()
    finally:
        sys.setprofile(before)
    return rows


def first_not_finite(call, params, batches=()):
    """In words, the first tensor that is not finite in call(): a parameter, a part of a batch, or
    what a forward or backward function returned, in the order of computing; None if there is none.
    """
    for name, leaf in tree.named_leaves(params):
        if not np.isfinite(leaf).all():
            return f"parameter {name}"
    for batch in batches:
        for name, array in batch._asdict().items():
            if not np.isfinite(array).all():
                return f"{name} of the batch"
    bad = next((row for row in traced(call, params) if not row.finite), None)
    return bad and f"{bad.name.strip()} {bad.shape}, {bad.place}"


def branch_names(params, prefix=""):
    """id() of each dict and array in a tree of parameters -> its dotted name."""
    names = {id(params): prefix} if prefix and not isinstance(params, list) else {}
    children = (params.items() if isinstance(params, dict) else
                enumerate(params) if isinstance(params, list) else ())
    for key, child in children:
        names.update(branch_names(child, f"{prefix}.{key}" if prefix else str(key)))
    return names


def is_traced(code):
    """Whether a code object is a forward or backward of the package's layers, losses or model."""
    if not code.co_name.endswith(("_forward", "_backward")):
        return False
    path = Path(code.co_filename)
    return path.parent.name in FOLDERS and path.parents[1] == PACKAGE


def tensors(depth, frame, value, branches):
    """Rows of what one function returned: its array, and the gradients of its parameters."""
    first, *others = value if isinstance(value, tuple) else (value,)
    code = frame.f_code
    file = Path(code.co_filename).relative_to(PACKAGE.parent).as_posix()
    lines = computing_lines(frame)
    branch = branch_of(frame, branches)
    if isinstance(first, (np.ndarray, np.floating)):
        name = f"{code.co_name} {branch}".strip()
        yield row(depth, name, np.asarray(first), f"{file}:{lines['']}")
    for part in others if code.co_name.endswith("_backward") else ():
        for key, leaf in part.items() if isinstance(part, dict) else ():
            if isinstance(leaf, np.ndarray):
                yield row(depth, f"  d {branch}.{key}".replace(" .", " "), leaf,
                          f"{file}:{lines.get(key, lines[''])}")


def branch_of(frame, branches):
    """The dotted name of a function's parameters, such as "blocks.0.attention.query", or ""."""
    given, cache = frame.f_locals, frame.f_locals.get("cache")
    for params in (given.get("params"), given.get("table"), getattr(cache, "params", None)):
        inner = params.get("weight") if isinstance(params, dict) else None  # of a tied head
        for part in (params, inner):
            if id(part) in branches:
                return branches[id(part)]
    return branch_above(cache, branches)


def branch_above(cache, branches):
    """The branch that the layers of a cache have in common: of a block, an attention, ..."""
    for part in cache if hasattr(cache, "_asdict") else ():
        name = branches.get(id(getattr(part, "params", None)), "")
        name = name.rpartition(".")[0] if name else branch_above(part, branches)
        if name:
            return name
    return ""


@functools.lru_cache(maxsize=None)
def functions_of(path):
    """The functions of a file by the line that they start on."""
    module = ast.parse(Path(path).read_text(encoding="utf-8"))
    return {node.lineno: node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)}


def computing_lines(frame):
    """The lines that compute what a function returns; the function is about to return.

    Returns {"": line of the first returned value, key: line where grads[key] is made}.
    """
    function = functions_of(frame.f_code.co_filename)[frame.f_code.co_firstlineno]
    done = list(statements(function.body, frame))
    given = next(node.value for node in done if isinstance(node, ast.Return))
    whole = given.elts[0] if isinstance(given, ast.Tuple) else given
    # Views and casts of a variable compute nothing: find the line that made the variable.
    while isinstance(whole, (ast.Attribute, ast.Subscript)) or (
            isinstance(whole, ast.Call) and isinstance(whole.func, ast.Attribute)
            and whole.func.attr in ("reshape", "astype")):
        whole = whole.func.value if isinstance(whole, ast.Call) else whole.value
    lines = {"": whole.lineno}
    for node in done:
        if not isinstance(node, ast.Assign):
            continue
        if isinstance(whole, ast.Name) and whole.id in map(name_of, flattened(node.targets)):
            lines[""] = node.lineno
        if isinstance(node.value, ast.Dict):
            lines.update({key.value: key.lineno for key in node.value.keys
                          if isinstance(key, ast.Constant)})
        for target in node.targets:
            if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
                lines[target.slice.value] = node.lineno
    return lines


def statements(body, frame):
    """The statements of a function that were executed, up to its return."""
    for node in body:
        if node.lineno > frame.f_lineno:
            return
        if isinstance(node, ast.If):
            condition = compile(ast.Expression(node.test), "condition", "eval")
            branch = node.body if eval(condition, frame.f_globals, frame.f_locals) else node.orelse
            yield from statements(branch, frame)
        else:
            yield node
            yield from statements(getattr(node, "body", []), frame)


def flattened(targets):
    """The single targets of an assignment; tuples are unpacked."""
    for target in targets:
        yield from target.elts if isinstance(target, ast.Tuple) else [target]


def name_of(target):
    """The name that a target assigns to, or None."""
    target = target.value if isinstance(target, ast.Starred) else target
    return target.id if isinstance(target, ast.Name) else None


def row(depth, name, array, place):
    """One row of the table."""
    with np.errstate(all="ignore"):             # a tensor that is not finite has no mean
        mean, spread = float(array.mean()), float(array.std())
    return Tensor(depth, name, array.shape, mean, spread, place, bool(np.isfinite(array).all()))
