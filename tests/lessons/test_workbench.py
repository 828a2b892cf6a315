"""What the lessons' experiments share, where a mistake would not show in their figures."""

import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from minillm.text.tokenizer import train_tokenizer
from minillm.tree import leaves


@pytest.fixture()
def workbench(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "lessons"))
    monkeypatch.setattr(sys, "argv", ["pytest"])
    import workbench
    return workbench


@pytest.mark.parametrize("n", (1, 2, 5, 7))
def test_the_best_of_n_is_the_mean_over_all_draws(workbench, n):
    rng = np.random.default_rng(0)
    proxy, gold = rng.standard_normal((3, 7)), rng.standard_normal((3, 7))
    drawn = [gold[row, max(chosen, key=lambda i: proxy[row, i])] for row in range(3) for chosen in combinations(range(7), n)]
    np.testing.assert_allclose(workbench.best_of_n(proxy, gold, n), np.mean(drawn))


def test_the_first_blocks_are_a_model_of_their_own(workbench):
    model = workbench.small_model(train_tokenizer(["a small text"], kind="characters"), 0, layers=3)
    small, whole = workbench.copy_of(model, 1), workbench.copy_of(model)
    assert len(small.params["blocks"]) == small.config.layers == 1 and len(whole.params["blocks"]) == 3
    for ours, theirs in zip(leaves(small.params["blocks"]), leaves(model.params["blocks"][:1])):
        assert not np.shares_memory(ours, theirs)
        np.testing.assert_array_equal(ours, theirs)
    assert small.logits([1, 6]).shape == model.logits([1, 6]).shape
