"""Functions on trees: nested dicts and lists of arrays.

Parameters, gradients and optimizer moments are trees.
"""

import numpy as np


def shared_keys(tree, others):
    """The keys (or places) of a tree's children, which the other trees have too; None for a leaf.

    Raises:  ValueError if the trees' keys or lengths differ, or one has a leaf where another has
             children.
    """
    kind = next((kind for kind in (dict, list) if isinstance(tree, kind)), None)
    for other in others:
        same = isinstance(other, kind) if kind else not isinstance(other, (dict, list))
        if not same:
            raise ValueError(f"trees differ: {outline(tree)} and {outline(other)}")
        if kind is dict and other.keys() != tree.keys():
            raise ValueError(f"trees differ at {sorted(other.keys() ^ tree.keys())}")
        if kind is list and len(other) != len(tree):
            raise ValueError(f"trees differ: lists of {len(tree)} and {len(other)}")
    return tree.keys() if kind is dict else range(len(tree)) if kind is list else None


def tree_map(f, tree, *others):
    """Apply f leaf by leaf to trees of the same structure: f(leaf, leaf of each other tree).

    Raises:  ValueError if the trees' structures differ.
    """
    keys = shared_keys(tree, others)
    if keys is None:
        return f(tree, *others)
    mapped = [tree_map(f, tree[key], *(other[key] for other in others)) for key in keys]
    return dict(zip(keys, mapped)) if isinstance(tree, dict) else mapped


def named_leaves(tree, prefix=""):
    """Yield (dotted name, leaf) in the order of the tree: ("blocks.0.norm1.gain", array)."""
    if isinstance(tree, dict):
        children = tree.items()
    elif isinstance(tree, list):
        children = enumerate(tree)
    else:
        yield prefix, tree
        return
    for key, child in children:
        yield from named_leaves(child, f"{prefix}.{key}" if prefix else str(key))


def zipped(*trees, prefix=""):
    """Yield (dotted name, leaf of each tree), matched by key; the order is that of the first tree.

    Raises:  ValueError if the trees' structures differ.
    """
    keys = shared_keys(trees[0], trees[1:])
    if keys is None:
        yield prefix, *trees
        return
    for key in keys:
        name = f"{prefix}.{key}" if prefix else str(key)
        yield from zipped(*(each[key] for each in trees), prefix=name)


def leaves(tree):
    """The leaves without names, in the order of named_leaves."""
    return [leaf for _, leaf in named_leaves(tree)]


def named_shapes(tree):
    """{dotted name: shape} of all leaves."""
    return {name: leaf.shape for name, leaf in named_leaves(tree)}


def from_named(like, named, load=lambda leaf: leaf):
    """Build a tree with the structure of `like` from {dotted name: what has a .shape}.

    load(it) -> the array; it is called after all names and shapes were checked.
    Raises:  ValueError that names the first missing or unexpected leaf, or the first leaf with
             another shape.
    """
    expected = dict(named_leaves(like))
    for name in expected:
        if name not in named:
            raise ValueError(f"tensor {name} is missing")
        if named[name].shape != expected[name].shape:
            raise ValueError(f"tensor {name} has shape {named[name].shape}, "
                             f"expected {expected[name].shape}")
    for name in named:
        if name not in expected:
            raise ValueError(f"tensor {name} is not part of this model")
    names = iter(expected)
    return tree_map(lambda _: load(named[next(names)]), like)


def count(tree):
    """The number of scalars in all leaves."""
    return sum(leaf.size for leaf in leaves(tree))


def cast(tree, dtype):
    """A copy of the tree with every leaf cast to dtype."""
    return tree_map(lambda leaf: leaf.astype(dtype), tree)


def copy(tree):
    """A deep copy, which shares no array with the tree."""
    return tree_map(np.copy, tree)


def zeros_like(tree):
    """A tree of zeros with the same structure, shapes and dtypes."""
    return tree_map(np.zeros_like, tree)


def add_scaled(total, tree, scale):
    """Return total + scale * tree, computed in place; if total is None, return scale * tree."""
    if total is None:
        return tree_map(lambda leaf: leaf * leaf.dtype.type(scale), tree)

    def add(into, leaf):
        into += leaf * leaf.dtype.type(scale)
        return into
    return tree_map(add, total, tree)


def brief(record):
    """A named tuple in one line, with the shapes of its arrays in place of their numbers.

    As `__repr__` of the caches, batches and states it keeps a debugger's panes readable.
    """
    shown = ", ".join(f"{name} {outline(value)}" for name, value in record._asdict().items())
    return f"{type(record).__name__}({shown})"


def outline(value):
    """A value in a few words: (8, 16) float32; 12 arrays; LinearCache."""
    if isinstance(value, np.ndarray):
        return f"{value.shape} {value.dtype}"
    if isinstance(value, dict) or (isinstance(value, list) and value):
        found = leaves(value)
        kinds = {type(leaf).__name__ for leaf in found}
        return f"{len(found)} {'arrays' if kinds == {'ndarray'} else ' and '.join(sorted(kinds))}"
    return type(value).__name__ if hasattr(value, "_asdict") else repr(value)
