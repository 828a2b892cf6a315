"""Compiled kernels on disk: found again, never mixed up, never trusted when damaged or of others."""

import importlib
import os
import signal
import stat
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numba
import pytest
from numba.core import config, event

from minillm.kernels import announce, cache, interrupts, twin
from minillm.kernels.twin import plain_kernels

pytestmark = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")


def next_number(x):
    return x + 1


class Compilations(event.Listener):
    """How often next_number is compiled while this listens."""

    def __init__(self):
        self.count = 0

    def on_start(self, event):
        self.count += event.data["dispatcher"].py_func.__name__ == "next_number"

    def on_end(self, event):
        pass


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of the cache, empty."""
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(announce.announcement, "made", True)
    return tmp_path


def compilations(x=1):
    """How often a new start compiles the kernel."""
    kernel = twin.serial(next_number)
    with event.install_listener("numba:compile", Compilations()) as heard:
        assert kernel(x) == x + 1
    return heard.count


def test_the_second_start_compiles_nothing(folder):
    assert [compilations(), compilations(), compilations(1.0), compilations(1.0)] == [1, 0, 1, 0]
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:100], lambda data: data[:-1] + b"\0",
                                    lambda data: bytes(len(data)), lambda data: data + b"\0"],
                         ids=["emptied", "cut", "last byte", "zeros", "longer"])
def test_a_damaged_entry_is_compiled_again(folder, damage):
    compilations()
    entry, = folder.iterdir()
    whole = entry.read_bytes()
    entry.write_bytes(damage(whole))
    assert [compilations(), compilations()] == [1, 0]
    assert list(folder.iterdir()) == [entry]


def test_without_room_for_the_entry_the_kernel_runs(folder, monkeypatch):
    def full(*paths):
        raise OSError("No space left on device")
    monkeypatch.setattr(os, "replace", full)
    assert compilations() == 1 and list(folder.iterdir()) == []


def test_without_a_folder_the_kernel_runs(monkeypatch):
    monkeypatch.setattr(cache, "cache_folder", lambda: None)
    assert [compilations(), compilations()] == [1, 1]


@pytest.mark.parametrize("setting", cache.SETTINGS)
def test_code_of_other_settings_has_other_names(monkeypatch, setting):
    """NUMBA_BOUNDSCHECK=1 once must not slow down every later run."""
    before = cache.versions.__wrapped__()
    monkeypatch.setattr(config, setting, "another")
    assert cache.versions.__wrapped__() != before


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Every usual place of the cache, none of which can be written to: they lie below a file."""
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setattr(config, "CACHE_DIR", str(file / "given"))
    monkeypatch.setattr(cache, "__file__", str(file / "cache.py"))
    monkeypatch.setattr(cache, "AppDirs", lambda *_: SimpleNamespace(user_cache_dir=file / "user"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return monkeypatch


def folder_and_line(monkeypatch):
    """Where the cache is, and what the user is told."""
    found = cache.cache_folder.__wrapped__()
    monkeypatch.setattr(announce, "cache_folder", lambda: found)
    return found, announce.line()


def test_the_first_usual_place_that_can_be_written_to(places, tmp_path):
    places.setattr(cache, "AppDirs", lambda *_: SimpleNamespace(user_cache_dir=tmp_path / "user"))
    assert folder_and_line(places) == (tmp_path / "user", announce.LINE)
    places.setattr(cache, "__file__", str(tmp_path / "package" / "cache.py"))
    assert folder_and_line(places)[0] == tmp_path / "package" / "__pycache__"
    places.setattr(config, "CACHE_DIR", str(tmp_path / "given"))
    assert folder_and_line(places)[0] == tmp_path / "given"


def test_else_a_private_folder_under_the_temporary_one(places, tmp_path):
    found, line = folder_and_line(places)
    assert found.parent == tmp_path and line == announce.KEPT_THERE.format(found)
    if os.name == "posix":
        assert stat.S_IMODE(found.stat().st_mode) == 0o700
    assert folder_and_line(places)[0] == found      # and again at the next start


@pytest.mark.skipif(os.name != "posix", reason="modes and owners of POSIX")
@pytest.mark.parametrize("danger", ["writable by others", "of another user", "a link", "a file"])
def test_what_another_user_may_have_put_there_is_not_used(places, tmp_path, danger):
    """An entry is unpickled: whoever can write it can run code as this user."""
    folder = tmp_path / f"{cache.PRIVATE}{os.getuid()}"
    if danger == "writable by others":
        folder.mkdir()
        folder.chmod(0o770)
    elif danger == "of another user":
        folder.mkdir(mode=0o700)
        places.setattr(os, "getuid", lambda uid=os.getuid(): uid + 1)
        folder.rename(tmp_path / f"{cache.PRIVATE}{os.getuid()}")
    elif danger == "a link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "elsewhere")
    else:
        folder.touch(mode=0o600)
    assert folder_and_line(places) == (None, announce.NOT_KEPT)


def test_nowhere_at_all(places, tmp_path):
    places.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    assert folder_and_line(places) == (None, announce.NOT_KEPT)


def test_ctrl_c_waits_until_a_kernel_is_compiled(folder):
    """Inside LLVM's callbacks into Python, an exception crashes the process or becomes a SystemError."""
    came, before = [], signal.getsignal(signal.SIGINT)

    class Press(Compilations):
        def on_start(self, event):
            signal.raise_signal(signal.SIGINT)
            came.append(list(asked))
    asked = []
    signal.signal(signal.SIGINT, lambda *_: asked.append("handled"))
    try:
        with event.install_listener("numba:compile", Press()):
            assert twin.serial(next_number)(1) == 2
        assert came == [[]] and asked == ["handled"]
        with interrupts.interrupts_wait():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            assert len(asked) == 1
        assert len(asked) == 3
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_while_a_kernel_is_loaded_is_raised_behind_it(folder, monkeypatch):
    compilations()
    rebuild, kernel = cache.CompileResult._rebuild, twin.serial(next_number)

    def pressed(*args):
        signal.raise_signal(signal.SIGINT)
        return rebuild(*args)
    monkeypatch.setattr(cache.CompileResult, "_rebuild", pressed)
    with pytest.raises(KeyboardInterrupt):
        kernel(1)
    monkeypatch.undo()
    assert kernel(1) == 2


@pytest.mark.skipif(plain_kernels(), reason="few kernels are compiled")
def test_no_two_kernels_share_an_entry():
    """The loops and the fast version of a kernel have the same name and take the same types."""
    for path in sorted(Path(twin.__file__).parent.glob("*.py")):
        importlib.import_module(f"minillm.kernels.{path.stem}")
    names = [kernel._cache.name for kernel in announce.announcement.kernels
             if kernel.py_func.__module__.startswith("minillm.")]
    assert "attention_loops.attention_forward" in names and "categorical.categorical_draw_alone" in names
    assert sorted(set(names)) == sorted(names)
