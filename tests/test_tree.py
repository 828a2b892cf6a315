"""Trees: one structure for parameters, gradients and moments."""

import numpy as np
import pytest

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
                                            (lambda t: t["blocks"].append({}), "lists of 2 and 3")])
def test_trees_of_another_structure_are_refused(change, message):
    """zip stops at the shorter list: the last block would silently go without its update."""
    other = example()
    change(other)
    with pytest.raises(ValueError, match=message):
        tree.tree_map(np.add, example(), other)


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
