"""model.save: a folder that minillm.load reads; nothing of the user's is lost."""

import os

import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.model import saving
from minillm.training.checkpoint import CheckpointError, load_checkpoint, save_checkpoint


@pytest.mark.parametrize("preset", ["llama", "gpt2", "rmsnorm, learned, swiglu"])
def test_a_saved_model_comes_back_and_is_replaced(preset, tmp_path):
    for model in (tiny.model(preset), tiny.model(preset, seed=1)):
        model.save(tmp_path / "models" / "mine")
        back = load_checkpoint(tmp_path / "models" / "mine").model
        tree.tree_map(np.testing.assert_array_equal, back.params, model.params)
        assert back.config == model.config and back.tokenizer == model.tokenizer
    assert os.listdir(tmp_path / "models") == ["mine"]
    step = save_checkpoint(tmp_path / "run", 1, model)
    for name in saving.FILES:
        assert (step / name).read_bytes() == (tmp_path / "models" / "mine" / name).read_bytes(), "as transformers reads it"


def test_a_broken_saved_model_is_found(tmp_path):
    tiny.model().save(tmp_path / "mine")
    path = tmp_path / "mine" / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match="model.safetensors"):
        load_checkpoint(tmp_path / "mine")


@pytest.mark.parametrize("kind", ["a file in it", "a folder in it", "a step of a run", "a file", "here", "nothing"])
def test_what_is_no_saved_model_is_not_overwritten(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder, model = tmp_path / "mine", tiny.model()
    message = "no part of a saved model; give another folder"
    if kind == "a file":
        folder.write_text("x")
        message = "mine is a file"
    elif kind == "a step of a run":
        folder = save_checkpoint(tmp_path / "run", 3, model)
    elif kind in ("here", "nothing"):
        folder, message = {"here": ".", "nothing": ""}[kind], "name one for the model"
    else:
        model.save(folder)
        (folder / "notes").mkdir() if kind == "a folder in it" else (folder / "notes.txt").write_text("x")
    before = sorted((str(path), path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))
    with pytest.raises(ValueError, match=message):
        tiny.model(seed=1).save(folder)
    assert before == sorted((str(path), path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))


@pytest.mark.parametrize("number", range(3))
def test_a_failure_keeps_the_model_that_was_there(number, tmp_path, monkeypatch):
    """At the first write, at the rename of the old folder, and at that of the new one."""
    model = tiny.model()
    model.save(tmp_path / "mine")
    calls, replace = [], os.replace

    def full(*paths):
        raise OSError(28, "No space left on device")

    def counted(source, target):
        if os.path.dirname(target) != str(tmp_path):       # a file within the folder
            return replace(source, target)
        calls.append(target)
        return full() if len(calls) == number else replace(source, target)
    monkeypatch.setattr(os, "replace", counted)
    if number == 0:
        monkeypatch.setattr(saving, "write_tensors", full)
    with pytest.raises(OSError, match="No space left"):
        tiny.model(seed=1).save(tmp_path / "mine")
    assert os.listdir(tmp_path) == ["mine"]
    tree.tree_map(np.testing.assert_array_equal, load_checkpoint(tmp_path / "mine").model.params, model.params)


def test_a_process_that_was_killed_between_the_renames_loses_nothing(tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt
    model = tiny.model()
    model.save(tmp_path / "mine")
    os.replace(tmp_path / "mine", tmp_path / f"{saving.ASIDE}-old-mine")
    monkeypatch.setattr(saving, "write_tensors", killed)
    with pytest.raises(KeyboardInterrupt):
        tiny.model(seed=1).save(tmp_path / "mine")
    tree.tree_map(np.testing.assert_array_equal, load_checkpoint(tmp_path / "mine").model.params, model.params)
    assert os.listdir(tmp_path) == ["mine"]
    monkeypatch.undo()
    (tmp_path / f"{saving.ASIDE}-new-mine" / "left").mkdir(parents=True)
    model.save(tmp_path / "mine")
    assert os.listdir(tmp_path) == ["mine"]


def test_numbers_that_are_not_finite_are_not_saved(tmp_path):
    model = tiny.model()
    model.params["norm"]["gain"][0] = np.nan
    with pytest.raises(FloatingPointError, match="norm.gain holds a number that is not finite"):
        model.save(tmp_path / "mine")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="links take rights on Windows")
def test_a_link_to_a_folder_stays_a_link(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "mine").symlink_to(tmp_path / "there")
    tiny.model().save(tmp_path / "mine")
    assert (tmp_path / "mine").is_symlink() and (tmp_path / "there" / "config.json").is_file()
