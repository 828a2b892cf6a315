"""LoRA on a whole model: what is trained, what stays, merging, and how it is saved and resumed (case 11)."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.config import OptimizerConfig, as_dict
from minillm.layers.linear import linear_backward, linear_forward
from minillm.model.adapter import (LAYERS, adapter_of, attach, largest_rank, merge, new_adapter, plain, unmerge,
                                   with_layers)
from minillm.model.transformer import head_backward, head_forward, transformer_backward, transformer_forward
from minillm.objectives.adapter import adapter_objective
from minillm.objectives.next_token import next_token_objective
from minillm.optim.muon import is_muons
from minillm.phases.finetune import FinetuneConfig, finetune, finetune_domain
from minillm.training.checkpoint import load_checkpoint
from minillm.training.loop import train
from minillm.training.recorder import FolderRecorder, MemoryRecorder

TALKS = [[{"role": "user", "content": f"the {one}"}, {"role": "assistant", "content": f"a {other} met"}]
         for one in ("cat", "dog", "mat", "log") for other in ("cat", "dog", "mat")]
LORA = FinetuneConfig(steps=6, rows=4, replay_rows=0, lr=1e-2, warmup_share=0.0, lora=3, lora_alpha=7.0, save_every=2)


def adapter_for(params, rank=3, alpha=7.0, layers="all", lively=True):
    """An adapter whose B is not zero, unless it is to be a new one; in the dtype of the parameters."""
    adapter = new_adapter(params, rank, alpha, layers, np.random.default_rng(5))
    rng, real = np.random.default_rng(6), params["norm"]["gain"].dtype
    return adapter._replace(params=tree.tree_map(
        lambda leaf: (leaf + 0.2 * lively * rng.standard_normal(leaf.shape)).astype(real), adapter.params))


def logits_of(params, config):
    batch = tiny.batch(config)
    h, body = transformer_forward(batch.tokens, params, config, batch.positions, batch.visible_from)
    return head_forward(h, params)[0], body


def paths_of(params, wanted=lambda layer: True):
    found = []
    with_layers(params, lambda layer, path: found.append(".".join(map(str, path))) if wanted(layer) else None)
    return found


@pytest.mark.parametrize("preset", tiny.PRESETS)
def test_a_new_adapter_changes_no_bit_of_the_output(preset):
    config = tiny.config(preset)
    params = tiny.params(config, dtype=np.float32)
    before, _ = logits_of(params, config)
    after, _ = logits_of(attach(params, adapter_for(params, lively=False)), config)
    assert after.tobytes() == before.tobytes()
    other, _ = logits_of(attach(params, adapter_for(params)), config)
    assert np.abs(other - before).max() > 1e-2


@pytest.mark.parametrize("preset", ["llama", "gpt2", "untied"])
def test_the_first_gradient_is_that_of_b_alone_and_has_the_adapters_keys(preset):
    config = tiny.config(preset)
    params = tiny.params(config)
    adapter = adapter_for(params, lively=False)
    objective = partial(next_token_objective, config=config)
    part = adapter_objective({"adapter": adapter.params}, tiny.batch(config), params, adapter, objective)
    assert part.loss == objective(params, tiny.batch(config)).loss
    grads = dict(tree.named_leaves(part.grads))
    assert list(grads) == [name for name, _ in tree.named_leaves({"adapter": adapter.params})]
    for name, grad in grads.items():
        assert grad.any() == name.endswith(".b"), name


@pytest.mark.parametrize("preset", ["llama", "gpt2"])
@pytest.mark.parametrize("layers", LAYERS)
def test_no_gradient_of_a_frozen_matrix_or_table_is_computed(preset, layers):
    config = tiny.config(preset)
    params = tiny.params(config)
    view = attach(params, adapter_for(params, layers=layers))
    batch = tiny.batch(config)
    h, body = transformer_forward(batch.tokens, view, config, batch.positions, batch.visible_from)
    logits, head = head_forward(h, view)
    dh, d_head = head_backward(logits, head)
    assert d_head == {}
    names = [name for name, _ in tree.named_leaves(transformer_backward(dh, body, d_head))]
    assert all("lora" in name or "norm" in name for name in names)
    adapted = {"all": 7, "attention": 4, "feed_forward": 3, "query_value": 2}[layers] - (
        preset == "gpt2" and layers in ("all", "feed_forward"))
    assert sum("lora" in name for name in names) == 2 * adapted * config.layers


def test_a_frozen_layer_passes_the_same_gradient_on():
    rng = np.random.default_rng(0)
    params, x, dy = {"weight": rng.standard_normal((5, 7)), "bias": rng.standard_normal(5)}, rng.standard_normal(
        (3, 7)), rng.standard_normal((3, 5))
    dx, grads = linear_backward(dy, linear_forward(x, params)[1])
    frozen, none = linear_backward(dy, linear_forward(x, {**params, "lora": {}})[1])
    assert grads.keys() == {"weight", "bias"} and none == {}
    np.testing.assert_array_equal(frozen, dx)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_the_base_keeps_its_bytes_and_only_the_adapter_has_moments(optimizer):
    config = tiny.config()
    params, batch = tiny.params(config, dtype=np.float32), tiny.batch(config)
    before = {name: leaf.tobytes() for name, leaf in tree.named_leaves(params)}
    adapter = adapter_for(params, lively=False)
    trained = {"adapter": adapter.params}
    settings = OptimizerConfig(steps=20, lr=1e-2, optimizer=optimizer)
    objective = partial(adapter_objective, base=params, adapter=adapter,
                        objective=partial(next_token_objective, config=config))
    first = objective(trained, batch).loss
    state = train(trained, settings, lambda step: [batch], objective)
    assert {name: leaf.tobytes() for name, leaf in tree.named_leaves(params)} == before
    assert objective(trained, batch).loss < first - 0.3
    for moment in ("mean", "square"):
        assert tree.count(state.optimizer[moment]) == tree.count(adapter.params)


def test_adamw_moves_adapters_also_where_muon_moves_matrices():
    """Muon would bring the singular values of A and of B to one, which says nothing of those of B A."""
    params = tiny.params(tiny.config())
    for name, leaf in tree.named_leaves({"adapter": adapter_for(params).params}):
        assert not is_muons(name, leaf)
    ends = []
    for optimizer in ("adamw", "muon"):
        model = tiny.model(fresh=True)
        finetune(model, TALKS, replace(LORA, optimizer=optimizer), 0, MemoryRecorder())
        ends.append({name: leaf.tobytes() for name, leaf in tree.named_leaves(model.params)})
    assert ends[0] == ends[1]


@pytest.mark.parametrize("preset", tiny.PRESETS)
def test_a_merged_model_computes_what_the_adapted_one_does(preset):
    config = tiny.config(preset)
    params = tiny.params(config, dtype=np.float32)
    adapter = adapter_for(params)
    view = attach(params, adapter)
    merged = merge(view)
    name = "blocks.1.attention.key"
    before, after = params["blocks"][1]["attention"]["key"], merged["blocks"][1]["attention"]["key"]
    lora = adapter.params["blocks"][1]["attention"]["key"]["lora"]
    exact = before["weight"] + 7.0 / 3 * lora["b"].astype(np.float64) @ lora["a"]
    np.testing.assert_allclose(after["weight"], exact, rtol=0, atol=1e-5, err_msg=name)
    beside, together = logits_of(view, config)[0], logits_of(plain(merged), config)[0]
    np.testing.assert_allclose(together, beside, rtol=0, atol=2e-5 * np.abs(beside).max())
    assert dict(tree.named_leaves(plain(merged))).keys() == dict(tree.named_leaves(params)).keys()


def test_a_second_merge_is_refused_and_a_merge_can_be_taken_back():
    params = tiny.params(tiny.config(), dtype=np.float32)
    adapter = adapter_for(params)
    view = attach(params, adapter)
    merged = merge(view)
    for again in (lambda: merge(merged), lambda: attach(merged, adapter)):
        with pytest.raises(ValueError, match=r"blocks\.0\.attention\.query is merged into its weight already"):
            again()
    with pytest.raises(ValueError, match="has an adapter already"):
        attach(view, adapter)
    with pytest.raises(ValueError, match="no adapter"):
        merge(params)
    with pytest.raises(ValueError, match="no adapter is merged"):
        unmerge(params)
    back = unmerge(merged)
    assert paths_of(back, lambda layer: "lora" in layer) == paths_of(params)
    for name, leaf, old in tree.zipped(plain(back), params):
        np.testing.assert_allclose(leaf, old, rtol=0, atol=1e-5, err_msg=name)
    for _, leaf, old in tree.zipped(merge(back), merged):
        np.testing.assert_allclose(leaf, old, rtol=0, atol=1e-5)


def test_an_adapter_is_found_again_beside_the_weights():
    params = tiny.params(tiny.config(), dtype=np.float32)
    adapter = adapter_for(params, rank=3, alpha=7.0, layers="query_value")
    found = adapter_of(attach(params, adapter))
    assert (found.rank, found.alpha) == (3, 7.0) and adapter_of(params) is None
    for _, mine, theirs in tree.zipped(found.params, adapter.params):
        assert mine is theirs
    assert all(mine is theirs for (_, mine, theirs) in tree.zipped(plain(attach(params, adapter)), params))


def test_layers_in_lists_are_adapted_and_a_router_is_not():
    """As routed experts have them: a list of feed-forwards, and a linear layer that chooses among them."""
    params = tiny.params(tiny.config(), dtype=np.float32)
    for block in params["blocks"]:
        block["feed_forward"] = {"router": {"weight": np.ones((2, 60), np.float32)},
                                 "experts": [tree.copy(block["feed_forward"]) for _ in range(2)]}
    adapter = adapter_for(params)
    assert "blocks.1.feed_forward.experts.0.up.lora.a" in dict(tree.named_leaves(adapter.params))
    assert not any("router" in name for name, _ in tree.named_leaves(adapter.params))
    view = attach(params, adapter)
    assert view["blocks"][0]["feed_forward"]["router"]["lora"] == {}
    assert view["blocks"][0]["feed_forward"]["experts"][1]["down"]["lora"]["alpha"] == 7.0
    part = tree.part_like(view, adapter_of(view).params)
    for _, mine, theirs in tree.zipped(part, adapter.params):
        assert mine is theirs
    merged = plain(merge(view))["blocks"][1]["feed_forward"]["experts"][1]["up"]["weight"]
    assert not np.array_equal(merged, params["blocks"][1]["feed_forward"]["experts"][1]["up"]["weight"])


@pytest.mark.parametrize("layers, most", [("all", 11), ("attention", 30), ("query_value", 30), ("feed_forward", 11)])
def test_a_rank_that_no_matrix_can_have_is_refused(layers, most):
    config = tiny.config()          # 6 heads of 10, 3 of them for keys; hidden 11
    params = tiny.params(config)
    assert largest_rank(config, layers) == most
    new_adapter(params, most, 1.0, layers, np.random.default_rng(0))
    with pytest.raises(ValueError, match=f"lora is {most + 1}; .* rank of {most} at most"):
        new_adapter(params, most + 1, 1.0, layers, np.random.default_rng(0))


def test_decoding_beside_an_adapter_is_refused_because_its_kernel_reads_one_matrix():
    model = tiny.model()
    model.params = attach(model.params, adapter_for(model.params))
    assert "LanguageModel" in repr(model)
    with pytest.raises(ValueError, match="merge the adapter first"):
        model.generate("the cat", max_new_tokens=2)


# ---- fine-tuning

@pytest.mark.parametrize("changes", [{"recompute": True}, {"micro_batches": 4}, {"precision": "bfloat16"}])
def test_recomputation_micro_batches_and_precision_give_the_same_adapter(changes):
    ends = []
    for settings in (LORA, replace(LORA, **changes)):
        model = tiny.model(fresh=True)
        finetune(model, TALKS, settings, 0, MemoryRecorder())
        ends.append(model.params)
    for name, one, other in tree.zipped(*ends):
        if "recompute" in changes:
            assert one.tobytes() == other.tobytes(), name
        np.testing.assert_allclose(other, one, rtol=0, atol=5e-2 if "precision" in changes else 2e-4, err_msg=name)


def test_finetuning_leaves_the_merged_model_and_learns():
    model, recorder = tiny.model(fresh=True), MemoryRecorder()
    held = {name: (leaf, leaf.tobytes()) for name, leaf in tree.named_leaves(model.params)}
    finetune(model, TALKS, replace(LORA, steps=30), 0, recorder, validation=TALKS[:3])
    assert recorder.records[-1]["loss"] < recorder.records[0]["loss"] - 0.3
    measured = [record["validation_loss"] for record in recorder.records if "validation_loss" in record]
    assert measured[-1] < measured[0] - 0.1, "the held-out loss is that of the model with its adapter"
    for name, leaf in tree.named_leaves(model.params):
        array, before = held[name]
        assert array.tobytes() == before, f"{name} of the base was written to"
        changed = "blocks" in name and "norm" not in name
        assert (leaf.tobytes() != before) == changed, name
    assert model.generate("the cat", max_new_tokens=2, temperature=0.0) is not None


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
            and path.name != "metrics.jsonl"}


class Stops(FolderRecorder):
    """Fails after a few steps, as a process that is killed would."""

    def add(self, record):
        super().add(record)
        if record["step"] == 4:
            raise KeyboardInterrupt


def test_a_stopped_training_goes_on_to_the_same_bytes(tmp_path):
    finetune(tiny.model(fresh=True), TALKS, LORA, 0, FolderRecorder(tmp_path / "whole", quiet=True), TALKS[:3])
    with pytest.raises(KeyboardInterrupt):
        finetune(tiny.model(fresh=True), TALKS, LORA, 0, Stops(tmp_path / "parts", quiet=True), TALKS[:3])
    kept = load_checkpoint(tmp_path / "parts")
    assert kept.progress["step"] == 4
    finetune(tiny.model(fresh=True), TALKS, LORA, 0, FolderRecorder(tmp_path / "parts", resume=True, quiet=True), TALKS[:3])
    assert files_of(tmp_path / "parts") == files_of(tmp_path / "whole")


def test_a_checkpoint_has_the_merged_model_and_the_adapters_moments_alone(tmp_path):
    model = tiny.model(fresh=True)
    finetune(model, TALKS, LORA, 0, FolderRecorder(tmp_path, quiet=True))
    saved = load_checkpoint(tmp_path)
    for name, leaf, mine in tree.zipped(saved.model.params, model.params):
        assert leaf.tobytes() == mine.tobytes(), name
    size = tree.count(adapter_for(model.params).params)
    for part in ("heads.adapter", "optimizer.mean.adapter", "optimizer.square.adapter"):
        assert sum(array.size for name, array in saved.training.items() if name.startswith(part)) == size
    assert len(saved.training) == 3 * 2 * 7 * 2, "nothing else"
    assert sorted(path.name for path in (tmp_path / "step-000006" / "adapter").iterdir()) == [
        "SHA256SUMS", "adapter_config.json", "adapter_model.safetensors"]


@pytest.mark.parametrize("now, message", [(replace(LORA, lora=4), "lora = 3, this run has 4"),
                                          (replace(LORA, lora=0), "lora = 3, this run has 0"),
                                          (replace(LORA, lora_alpha=8.0), "lora_alpha = 7.0, this run has 8.0")])
def test_a_training_is_not_resumed_with_another_adapter(tmp_path, now, message):
    with pytest.raises(KeyboardInterrupt):
        finetune(tiny.model(fresh=True), TALKS, LORA, 0, Stops(tmp_path, quiet=True))
    with pytest.raises(ValueError, match=message):
        finetune(tiny.model(fresh=True), TALKS, now, 0, FolderRecorder(tmp_path, resume=True, quiet=True))


def test_without_an_adapter_its_dials_are_in_no_file(tmp_path):
    """So a checkpoint of an earlier version is what this one writes, and can be resumed."""
    settings = replace(LORA, lora=0, lora_alpha=FinetuneConfig.lora_alpha)
    assert not any("lora" in name for name in as_dict(settings))
    assert as_dict(LORA)["lora"] == 3 and as_dict(LORA)["lora_alpha"] == 7.0
    with pytest.raises(KeyboardInterrupt):
        finetune(tiny.model(fresh=True), TALKS, settings, 0, Stops(tmp_path, quiet=True))
    assert not any("lora" in name for name in load_checkpoint(tmp_path).progress["settings"])
    finetune(tiny.model(fresh=True), TALKS, settings, 0, FolderRecorder(tmp_path, resume=True, quiet=True))
    assert not (tmp_path / "step-000006" / "adapter").exists()


def test_a_domain_is_learned_by_an_adapter_too():
    model, recorder = tiny.model(fresh=True, context=16), MemoryRecorder()
    stream = np.tile(model.tokenizer.encode(tiny.TEXT), 4)
    table = model.params["embedding"]["token"].tobytes()
    finetune_domain(model, stream, replace(LORA, steps=10), 0, recorder)
    assert recorder.records[-1]["loss"] < recorder.records[0]["loss"]
    assert model.params["embedding"]["token"].tobytes() == table
