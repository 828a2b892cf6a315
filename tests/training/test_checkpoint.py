"""Checkpoints come back bit by bit, or say in one line why not."""

import errno
import json
import os
import shutil
import stat
from pathlib import Path

import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.formats.checksums import SUMS
from minillm.model import saving
from minillm.text.tokenizer import Tokenizer
from minillm.training import checkpoint
from minillm.training.checkpoint import (CheckpointError, find_checkpoint, load_checkpoint, read_tensors, save_checkpoint,
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
    strays = [tmp_path / name for name in ("mine-step-000050", "step-000060.old", ".mine", "step-60")]
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


def test_a_save_of_the_same_step_replaces_it(saved):
    other = tiny.model(seed=1)
    assert save_checkpoint(saved.parent, 3, other) == saved
    tree.tree_map(np.testing.assert_array_equal, load_checkpoint(saved).model.params, other.params)


WRITES = [(os, "fsync"), (os, "replace"), (checkpoint, "write_tensors"), (checkpoint, "write_json"),
          (saving, "write_tensors"), (saving, "write_json"), (checkpoint, "write_sums"), (Tokenizer, "save"),
          (Path, "mkdir")]


def failing_at(patch, number, late, fail):
    """Let the call number `number` of all WRITES fail; late: after it has done its work.

    Returns lists that are filled by and by: the arguments of all calls, and of those that did their work.
    """
    calls, done = [], []

    def counted(function):
        def call(*args, **keywords):
            calls.append(args)
            if len(calls) - 1 == number and not late:
                fail()
            result = function(*args, **keywords)
            done.append(args)
            if len(calls) - 1 == number and late:
                fail()
            return result
        return call
    for place, name in WRITES:
        patch.setattr(place, name, counted(getattr(place, name)))
    return calls, done


def no_space():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("late", [False, True])
def test_a_failure_at_any_write_flush_or_rename_leaves_a_whole_checkpoint(saved, monkeypatch, late):
    old, new = tiny.model(), tiny.model(seed=1)
    for number in range(100):
        with monkeypatch.context() as patch:
            calls, done = failing_at(patch, number, late, no_space)
            try:
                save_checkpoint(saved.parent, 4, new)
            except OSError as error:
                assert str(saved.parent) in str(error.filename), "which disk is full?"
        there = sorted(path.name for path in saved.parent.iterdir())
        found = load_checkpoint(saved.parent)
        renamed = any(args[1:] == (saved.parent / "step-000004",) for args in done)
        assert found.progress["step"] == 3 + renamed
        tree.tree_map(np.testing.assert_array_equal, found.model.params, (new if renamed else old).params)
        assert not [name for name in there if name.startswith(".")]
        if renamed:
            shutil.rmtree(saved.parent / "step-000004")
            save_checkpoint(saved.parent, 3, old)
        if len(calls) <= number:
            break
    assert number > 15


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_kill_at_any_write_flush_or_rename_leaves_a_whole_checkpoint(saved, monkeypatch):
    """As kill -9 ends a process: nothing is cleaned up. The next save removes what was left."""
    number, status = 0, 1
    while status:
        child = os.fork()
        if not child:
            failing_at(monkeypatch, number, False, lambda: os._exit(1))
            save_checkpoint(saved.parent, 4, tiny.model(seed=1))
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        assert load_checkpoint(saved.parent).progress["step"] in (3, 4)
        shutil.rmtree(saved.parent / "step-000004", ignore_errors=True)
        if not steps_in(saved.parent):
            save_checkpoint(saved.parent, 3, tiny.model())
        number += 1
    assert number > 15
    save_checkpoint(saved.parent, 5, tiny.model())
    assert [path.name for path in saved.parent.iterdir()] == ["step-000005"]


def test_an_older_checkpoint_vanishes_at_once(saved, monkeypatch):
    """A removal that is stopped leaves no half checkpoint under the name of a step."""
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    save_checkpoint(saved.parent, 4, tiny.model())
    assert [path.name for path in saved.parent.glob("step-*")] == ["step-000004"]
    monkeypatch.undo()
    save_checkpoint(saved.parent, 5, tiny.model())
    assert [path.name for path in saved.parent.iterdir()] == ["step-000005"]


def test_numbers_that_are_not_finite_never_replace_the_last_good_checkpoint(saved):
    model = tiny.model()
    model.params["blocks"][1]["norm1"]["gain"][3] = np.inf
    with pytest.raises(FloatingPointError, match=r"blocks\.1\.norm1\.gain .* not finite"):
        save_checkpoint(saved.parent, 4, model)
    with pytest.raises(FloatingPointError, match=r"optimizer\.mean\.x"):
        save_checkpoint(saved.parent, 4, tiny.model(), {"optimizer": {"mean": {"x": np.full(2, np.nan)}}})
    assert [path.name for path in saved.parent.iterdir()] == ["step-000003"]
    load_checkpoint(saved)


def test_a_negative_mean_of_squares_is_refused(tmp_path):
    saved = save_checkpoint(tmp_path, 1, tiny.model(), {"optimizer": {"square": {"x": np.array([0, -1], np.float32)}}})
    refused(saved, "training.safetensors", "optimizer.square.x")


@pytest.mark.parametrize("step", [99, -2, 3.0, "3", None])
def test_a_step_that_is_not_the_folders_is_refused(saved, step):
    edit(saved / "training.json", lambda data: data.update(step=step))
    refused(saved, "training.json", "step")


def test_a_flipped_bit_is_detected_in_any_file(saved):
    rng, messages = np.random.default_rng(0), []
    for path in sorted(saved.iterdir()):
        before = path.read_bytes()
        for _ in range(8):
            data, place = bytearray(before), rng.integers(len(before))
            data[place] ^= 1 << rng.integers(8)
            path.write_bytes(data)
            with pytest.raises(CheckpointError) as caught:
                load_checkpoint(saved)
            messages.append(str(caught.value))
            assert path.name in messages[-1] or SUMS in messages[-1] or "is missing" in messages[-1], messages[-1]
        path.write_bytes(before)
    load_checkpoint(saved)
    assert any("model.safetensors is not the file that was written (another SHA-256)" in text for text in messages)


def test_a_key_that_another_program_changed_is_named_though_the_sum_differs_too(saved):
    edit(saved / "config.json", lambda data: data.update(rope_theta=10.0))
    with pytest.raises(CheckpointError, match="rope_theta is 10.0, but minillm.rope_theta is 10000.0"):
        load_checkpoint(saved)
    edit(saved / "config.json", lambda data: data.update(rope_theta=10_000.0, use_cache=True))
    with pytest.raises(CheckpointError, match="config.json is not the file that was written"):
        load_checkpoint(saved)


def test_a_file_that_the_sums_do_not_list_is_refused(saved):
    lines = (saved / SUMS).read_text(encoding="utf-8").splitlines(True)
    (saved / SUMS).write_text("".join(line for line in lines if "training.json" not in line), encoding="utf-8")
    with pytest.raises(CheckpointError, match="training.json .*SHA-256"):
        load_checkpoint(saved)


@pytest.mark.skipif(os.name == "nt", reason="Windows does not flush folders")
def test_files_then_their_folder_are_on_the_disk_before_the_rename_and_the_name_after(tmp_path, monkeypatch):
    events, fsync, replace = [], os.fsync, os.replace

    def flushed(handle):
        events.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    def renamed(old, new):
        events.append(f"rename {Path(new).name}")
        replace(old, new)
    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "replace", renamed)
    saved = save_checkpoint(tmp_path, 3, tiny.model())
    end = events.index("rename step-000003")
    files = len(list(saved.iterdir()))
    assert events[end - files - 1:] == ["file"] * files + ["folder", "rename step-000003", "folder"]


def test_a_folder_of_another_program_has_no_sums(saved):
    (saved / SUMS).unlink()
    load_checkpoint(saved)


def test_a_checkpoint_that_is_replaced_while_it_is_read_is_read_again(saved, monkeypatch):
    real = checkpoint.find_checkpoint

    def found(folder):
        place = real(folder)
        if place == saved:
            save_checkpoint(saved.parent, 4, tiny.model(seed=1))
        return place
    monkeypatch.setattr(checkpoint, "find_checkpoint", found)
    assert load_checkpoint(saved.parent).progress["step"] == 4


def refused(folder, *words):
    (folder / SUMS).unlink(missing_ok=True)         # as another program, or an editor, leaves the folder
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
    (lambda t: t.update({GATE: t[GATE].astype(np.float64)}), ("F64",)),
    (lambda t: t.update({GATE: t[GATE].astype(np.int32)}), ("I32",)),
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
    ("layers", 3, ("num_hidden_layers is 2, but minillm.layers is 3",)),
    ("tied", False, ("tie_word_embeddings is True, but minillm.tied is False",)),
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
