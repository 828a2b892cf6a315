"""Checkpoints come back bit by bit, or say in one line why not."""

import json
import shutil

import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.train.checkpoint import (CheckpointError, find_checkpoint, load_checkpoint, read_tensors, save_checkpoint,
                                      steps_in, subtree)


@pytest.fixture
def saved(tmp_path):
    return save_checkpoint(tmp_path, 3, tiny.model())


@pytest.mark.parametrize("preset", tiny.PRESETS)
def test_every_family_comes_back_bit_by_bit(preset, tmp_path):
    model = tiny.model(preset)
    moments = {"optimizer": {"mean": tree.tree_map(lambda leaf: leaf * 2, model.params)}}
    save_checkpoint(tmp_path, 7, model, moments, {"settings": {"lr": 0.1}})
    back = load_checkpoint(tmp_path)
    tree.tree_map(np.testing.assert_array_equal, back.model.params, model.params)
    assert back.model.config == model.config and back.model.tokenizer == model.tokenizer
    assert back.progress == {"step": 7, "settings": {"lr": 0.1}}
    mean = subtree(back.training, "optimizer.mean", model.params)
    tree.tree_map(np.testing.assert_array_equal, mean, moments["optimizer"]["mean"])
    assert list(map(str, dict(tree.named_leaves(back.model.params)))) == [n for n, _ in tree.named_leaves(model.params)]


def test_what_was_loaded_can_be_trained_on(saved):
    """A tensor that is read-only, or lies across memory, would swallow an update without a word."""
    for name, leaf in tree.named_leaves(load_checkpoint(saved).model.params):
        assert leaf.flags.writeable and leaf.flags.c_contiguous and leaf.dtype == np.float32, name


def test_only_the_newest_step_is_kept_and_strays_are_ignored(tmp_path):
    model = tiny.model()
    save_checkpoint(tmp_path, 9, model)
    strays = [tmp_path / name for name in ("mine-step-000050", "step-000060.old", ".writing-x7", "step-60")]
    for stray in strays:
        shutil.copytree(tmp_path / "step-000009", stray)
    (tmp_path / "step-000099").mkdir()                                  # what a removal that was stopped leaves
    (tmp_path / "step-000098").write_text("a file")
    assert find_checkpoint(tmp_path).name == "step-000009"
    save_checkpoint(tmp_path, 10, model)
    assert [path.name for path in steps_in(tmp_path)] == ["step-000010"]
    assert all(stray.exists() for stray in strays), "only what save_checkpoint wrote may be removed"
    assert load_checkpoint(tmp_path).progress["step"] == 10


def test_steps_are_ordered_as_numbers(tmp_path):
    for name in ("step-999999", "step-1000000"):
        shutil.copytree(save_checkpoint(tmp_path / "source", 1, tiny.model()), tmp_path / name)
    assert find_checkpoint(tmp_path).name == "step-1000000"


def test_a_failure_while_writing_leaves_the_old_checkpoint(saved, monkeypatch):
    from minillm.train import checkpoint
    before = (saved / "model.safetensors").read_bytes()
    for broken in ("write_json", "flush_to_disk"):
        with monkeypatch.context() as patch:
            patch.setattr(checkpoint, broken, lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
            with pytest.raises(OSError):
                save_checkpoint(saved.parent, 4, tiny.model(seed=1))
        assert [path.name for path in saved.parent.iterdir()] == ["step-000003"]
        assert (saved / "model.safetensors").read_bytes() == before


def refused(folder, *words):
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(folder)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 400
    for word in words:
        assert word in message, message


def rewrite(path, change):
    """Change the tensors of a file by a function of a dict."""
    from safetensors.numpy import save_file
    tensors = dict(read_tensors(path))
    change(tensors)
    save_file(tensors, path)


def edit(path, change):
    """Change a JSON file by a function of its dict."""
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


GATE = "model.layers.1.mlp.gate_proj.weight"


@pytest.mark.parametrize("change,words", [
    (lambda t: t.pop(GATE), ("missing",)),
    (lambda t: t.update({GATE: t[GATE][:, :-1].copy()}), ("shape (11, 59), expected (11, 60)",)),
    (lambda t: t.update({GATE: t[GATE].T.copy()}), ("shape (60, 11)",)),
    (lambda t: t.update({GATE: t[GATE].astype(np.float16)}), ("float16",)),
    (lambda t: t.update({GATE: t[GATE].astype(np.int32)}), ("int32",)),
    (lambda t: t.update(extra=np.zeros(2, np.float32)), ("extra is not part",)),
    (lambda t: t[GATE].__setitem__((2, 3), np.nan), (GATE, "not finite")),
])
def test_wrong_tensors_are_refused_by_name(saved, change, words):
    rewrite(saved / "model.safetensors", change)
    refused(saved, "model.safetensors", *words)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "training.json"])
@pytest.mark.parametrize("text", ["", "{", "[1, 2]", '{"minillm": 3}', "[" * 100_000, "\x00\xff"])
def test_broken_json_is_refused_by_file(saved, name, text):
    (saved / name).write_bytes(text.encode("latin-1"))
    refused(saved, name)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "training.safetensors"])
def test_a_missing_file_is_named(saved, name):
    (saved / name).unlink()
    refused(saved, name)


@pytest.mark.parametrize("key,value,words", [
    ("rope_layout", "interleaved", ("rope_layout is 'interleaved'",)),
    ("widht", 60, ("unknown key minillm.widht", "width")),
    ("heads", 7, ("width 60 is not a multiple of heads 7",)),
    ("heads", "6", ("minillm.heads is '6'",)),
    ("vocab_size", 0, ("vocab_size",)),
    ("layers", 3, ("model.safetensors",)),
    ("width", 6_000_000, ("config.json", "model.safetensors")),
    ("tied", False, ("lm_head.weight is missing",)),
])
def test_a_config_that_does_not_fit_is_refused(saved, key, value, words):
    """The layout of rotary positions is stored: read in another, a model answers fluent nonsense."""
    edit(saved / "config.json", lambda data: data["minillm"].update({key: value}))
    refused(saved, *words)


@pytest.mark.parametrize("data", [b"", b"\xff" * 8 + b"{}", (2 ** 62).to_bytes(8, "little") + b"{}",
                                  b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94"])
@pytest.mark.parametrize("name", ["model.safetensors", "training.safetensors"])
def test_a_file_that_is_no_safetensors_is_refused(saved, name, data):
    (saved / name).write_bytes(data)
    refused(saved, name)


def test_folders_without_a_checkpoint(tmp_path):
    refused(tmp_path / "nowhere", "does not exist")
    refused(tmp_path, "is not a checkpoint")
