"""One table for the embedding and the head: one array, one gradient, one optimizer slot, one tensor on disk."""

from functools import partial

import numpy as np
import tiny

from minillm import tree
from minillm.model import transformer
from minillm.optim.adamw import adamw_init
from minillm.training.checkpoint import load_checkpoint, read_tensors, save_checkpoint
from minillm.objectives.next_token import next_token_objective


def test_the_gradient_is_lookup_plus_head():
    """Keeping the last of the two gradients, instead of their sum, still lowers the loss."""
    tied, untied = tiny.config(), tiny.config("untied")
    params = tiny.params(tied)
    apart = {**params, "head": {"weight": params["embedding"]["token"].copy()}}
    both = partial(next_token_objective, config=tied)(params, tiny.batch(tied)).grads
    each = partial(next_token_objective, config=untied)(apart, tiny.batch(tied)).grads
    lookup, head = each["embedding"]["token"], each["head"]["weight"]
    assert np.abs(lookup).max() > 1e-3 and np.abs(head).max() > 1e-3
    np.testing.assert_allclose(both["embedding"]["token"], lookup + head, rtol=0, atol=1e-12)


def test_one_optimizer_slot():
    params = tiny.params(tiny.config())
    state = adamw_init(params)
    assert "head" not in params and tree.count(state["mean"]) == tree.count(params)


def test_after_save_and_load_changing_one_changes_both(tmp_path):
    """Loaded as two arrays, the two drift apart in silence with the first step of training."""
    save_checkpoint(tmp_path, 1, tiny.model())
    assert "lm_head.weight" not in read_tensors(tmp_path / "step-000001" / "model.safetensors")
    model = load_checkpoint(tmp_path).model
    prompt = tiny.prompts()[0]
    absent = next(v for v in range(model.config.vocab_size) if v not in prompt)
    before, seen_before = model.logits(prompt), model.predict_next([absent]).h
    model.params["embedding"]["token"][absent] *= 2
    after = model.logits(prompt)
    np.testing.assert_allclose(after[:, absent], 2 * before[:, absent], rtol=1e-5)      # the head's row
    others = np.arange(model.config.vocab_size) != absent
    assert np.array_equal(after[:, others], before[:, others])
    model.params["embedding"]["token"][absent] *= -1
    assert not np.allclose(model.predict_next([absent]).h, seen_before)                 # the lookup


def test_an_untied_head_begins_as_the_embedding_scaled_down():
    params = transformer.transformer_init(tiny.config("untied"), np.random.default_rng(3))
    table, head = params["embedding"]["token"], params["head"]["weight"]
    assert np.allclose(head * (transformer.EMBEDDING_STD / transformer.HEAD_STD), table, rtol=1e-6)
    assert not np.shares_memory(table, head)
