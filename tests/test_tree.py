"""Trees: one structure for parameters, gradients and moments."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm import tree


def example():
    return {"blocks": [{"w": np.arange(6.0).reshape(2, 3)}, {"w": np.ones((2, 3))}], "gain": np.arange(4.0)}


def test_names_and_their_order():
    assert [name for name, _ in tree.named_leaves(example())] == ["blocks.0.w", "blocks.1.w", "gain"]
    assert tree.count(example()) == 16 and len(tree.leaves(example())) == 3


def test_map_goes_over_trees_together():
    total = tree.tree_map(lambda a, b, c: a + b - c, example(), example(), example())
    tree.tree_map(np.testing.assert_array_equal, total, example())


@pytest.mark.parametrize("change,message", [(lambda t: t.pop("gain"), "gain"),
                                            (lambda t: t.update(extra=np.ones(1)), "extra"),
                                            (lambda t: t["blocks"].pop(), "lists of 2 and 1"),
                                            (lambda t: t["blocks"].append({}), "lists of 2 and 3"),
                                            (lambda t: t.update(gain={"w": np.ones(4)}), "float64 and 1 array"),
                                            (lambda t: t.update(blocks=np.ones(2)), "2 arrays and "),
                                            (lambda t: t.update(blocks={"0": 1, "1": 2}), "trees differ")])
def test_trees_of_another_structure_are_refused(change, message):
    """zip stops at the shorter list: the last block would silently go without its update."""
    other = example()
    change(other)
    for walk in (lambda: tree.tree_map(np.add, example(), other), lambda: list(tree.zipped(example(), other))):
        with pytest.raises(ValueError, match=message):
            walk()


def test_from_named_is_the_way_back():
    named = dict(tree.named_leaves(example()))
    tree.tree_map(np.testing.assert_array_equal, tree.from_named(example(), named), example())


@pytest.mark.parametrize("change,message", [(lambda n: n.pop("blocks.1.w"), "blocks.1.w is missing"),
                                            (lambda n: n.update(extra=np.ones(1)), "extra is not part"),
                                            (lambda n: n.update(gain=np.ones(5)), r"gain has shape \(5,\), expected")])
def test_from_named_refuses_by_name(change, message):
    named = dict(tree.named_leaves(example()))
    change(named)
    with pytest.raises(ValueError, match=message):
        tree.from_named(example(), named)


def test_copies_share_nothing():
    original = example()
    copied, wide = tree.copy(original), tree.cast(original, np.float32)
    copied["gain"][0] = wide["gain"][0] = 99
    assert original["gain"][0] == 0 and wide["blocks"][0]["w"].dtype == np.float32
    assert not any(leaf.any() for leaf in tree.leaves(tree.zeros_like(original)))


def test_add_scaled_keeps_dtype_and_leaves_the_first_summand_alone():
    part = tree.cast(example(), np.float32)
    total = tree.add_scaled(None, part, 2.0)
    total = tree.add_scaled(total, part, 0.5)
    assert np.array_equal(total["gain"], 2.5 * part["gain"]) and total["gain"].dtype == np.float32
    assert np.array_equal(part["gain"], np.arange(4))


def trees(key=st.text(min_size=1, max_size=4).filter(lambda name: "." not in name)):
    """Any tree: dicts and lists of arrays; a key may hold anything but a dot, which separates names."""
    leaf = st.tuples(st.lists(st.integers(0, 3), max_size=3), st.sampled_from([np.float32, np.int32, np.float64])).map(
        lambda drawn: np.arange(np.prod(drawn[0], dtype=int)).reshape(drawn[0]).astype(drawn[1]))
    inner = st.recursive(leaf, lambda child: st.dictionaries(key, child, min_size=1, max_size=3) |
                         st.lists(child, min_size=1, max_size=3), max_leaves=8)
    return st.dictionaries(key, inner, min_size=1, max_size=3)


@settings(max_examples=80, deadline=None, database=None)
@given(trees())
def test_names_lead_back_to_any_tree(any_tree):
    named = dict(tree.named_leaves(any_tree))
    assert len(named) == len(tree.leaves(any_tree)), "two leaves have one name"
    back = tree.from_named(tree.zeros_like(any_tree), dict(reversed(named.items())))
    same = [(name, a is b) for name, a, b in tree.zipped(any_tree, back)]
    assert same == [(name, True) for name in named] and outline(back) == outline(any_tree)
    assert tree.count(any_tree) == sum(leaf.size for leaf in named.values())


@settings(max_examples=80, deadline=None, database=None)
@given(trees(), st.data())
def test_any_tree_without_one_leaf_is_refused_by_its_name(any_tree, data):
    named = dict(tree.named_leaves(any_tree))
    lost = data.draw(st.sampled_from(sorted(named)))
    with pytest.raises(ValueError, match=re.escape(f"tensor {lost} is missing")):
        tree.from_named(any_tree, {name: leaf for name, leaf in named.items() if name != lost})
    with pytest.raises(ValueError, match=re.escape(f"tensor {lost} is not part")):
        tree.from_named({name: leaf for name, leaf in named.items() if name != lost}, named)


@settings(max_examples=80, deadline=None, database=None)
@given(trees(st.sampled_from("ab")), trees(st.sampled_from("ab")))
def test_trees_are_walked_together_only_if_they_are_alike(one, other):
    if outline(one) == outline(other):
        assert [name for name, *_ in tree.zipped(one, other)] == [name for name, _ in tree.named_leaves(one)]
        return
    for walk in (lambda: list(tree.zipped(one, other)), lambda: tree.tree_map(lambda a, b: a, one, other)):
        with pytest.raises(ValueError, match="trees differ"):
            walk()


def outline(value):
    """The structure of a tree, without its arrays."""
    if isinstance(value, dict):
        return {key: outline(child) for key, child in value.items()}
    return [outline(child) for child in value] if isinstance(value, list) else None
