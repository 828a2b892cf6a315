"""Files made to break a reader: one CheckpointError each, in bounded memory, nothing executed, nothing written."""

import json
import os
import pickle
import tracemalloc
from threading import Timer

import numpy as np
import pytest
import safetensors
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm.formats.checksums import SUMS
from minillm.formats.tensors import read_tensors, write_tensors
from minillm.training.checkpoint import CheckpointError, load_checkpoint, save_checkpoint

NORM = "model.norm.weight"          # 60 numbers


@pytest.fixture
def saved(tmp_path):
    """A checkpoint from someone who wrote no sums, or new ones."""
    folder = save_checkpoint(tmp_path / "runs", 3, tiny.model())
    (folder / SUMS).unlink()
    return folder


def parts(path):
    """(header as a dict, data) of a .safetensors file."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8:8 + length]), data[8 + length:]


def put(path, header, data):
    """Write a .safetensors file with any header: a dict, or the bytes themselves."""
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + data)


def refused(folder, name, *words):
    """Assert one line that names the file once, little memory, and that no file came or went."""
    there = sorted(folder.parent.parent.rglob("*"))
    tracemalloc.start()
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(folder)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    message = str(caught.value)
    assert message.isprintable() and len(message) < 500 and message.count(str(folder / name)) == 1, message
    assert all(word in message for word in words), message
    assert most < 8 << 20 and sorted(folder.parent.parent.rglob("*")) == there


def move(entry, begin, end):
    entry["data_offsets"] = [entry["data_offsets"][0] + begin, entry["data_offsets"][1] + end]


@pytest.mark.parametrize("change,words", [
    (lambda h: h[NORM].update(dtype="F8_E4M3"), ("dtype F8_E4M3; expected F32",)),
    (lambda h: h[NORM].update(dtype="BF16"), ()), (lambda h: h[NORM].update(dtype="F16"), ()),
    (lambda h: h[NORM].update(dtype="I32"), ("dtype I32; expected F32 or BF16 or F16",)),
    (lambda h: h[NORM].update(dtype="F128"), ("dtype F128",)),
    (lambda h: h[NORM].update(dtype=["F32"]), ("dtype ['F32']",)),
    (lambda h: h[NORM].pop("dtype"), ("dtype None",)),
    (lambda h: h[NORM].pop("shape"), ()), (lambda h: h[NORM].pop("data_offsets"), ()),
    (lambda h: h.update({NORM: 3}), (NORM,)),
    (lambda h: move(h[NORM], -240, -240), ()), (lambda h: move(h[NORM], -10**9, -10**9), ()),
    (lambda h: h[NORM].update(data_offsets=[-240, 0]), ()), (lambda h: h[NORM].update(data_offsets=[240, 0]), ()),
    (lambda h: h[NORM].update(data_offsets=[0, 2**63]), ()), (lambda h: h[NORM].update(data_offsets=[0, 2**70]), ()),
    (lambda h: move(h[NORM], 4, 0), ()), (lambda h: h.pop(NORM), ()),
    (lambda h: h[NORM].update(shape=[2**32, 2**32]), ()), (lambda h: h[NORM].update(shape=[2**63, 2]), ()),
    (lambda h: h[NORM].update(shape=[-60]), ()), (lambda h: h[NORM].update(shape=[60.0]), ()),
    (lambda h: h[NORM].update(shape=60), ()), (lambda h: h[NORM].update(shape=[1] * 100 + [60]), ()),
    (lambda h: h.update({"../../x": h.pop(NORM)}), ("is missing",)),
    (lambda h: h.update({"../../x": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}), ("../../x is not part",)),
    (lambda h: h.update({"a\nb\x1b[2J": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}), ("a\\nb\\x1b[2J",)),
    (lambda h: h.update({"x" * 10**6: {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}), ("xxx",)),
    (lambda h: h.update(__metadata__=[1]), ()), (lambda h: h.update(__metadata__={"format": {"a": 1}}), ()),
])
def test_a_hostile_header(saved, change, words):
    header, data = parts(saved / "model.safetensors")
    change(header)
    put(saved / "model.safetensors", header, data)
    refused(saved, "model.safetensors", *words)


def raw(text):
    """A header of these bytes, before data enough for the model."""
    return len(text).to_bytes(8, "little") + text + bytes(100_000)


@pytest.mark.parametrize("data,words", [
    ((2**63).to_bytes(8, "little") + bytes(100_000), ("header of 9,223,372,036,854,775,808 bytes",)),
    ((2**64 - 1).to_bytes(8, "little") + bytes(100_000), ("header of",)),
    (raw(b'{"a":' * 10_000), ("nested",)), (raw(b"[" * 50_000), ("nested",)), (raw(b""), ("broken JSON",)),
    (raw(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'),
     ("key 'a' occurs 2 times",)),
    (raw(b'{"a":{"dtype":"F32","shape":[1],"shape":[2],"data_offsets":[0,8]}}'), ("key 'shape' occurs 2 times",)),
    (raw(b"\xff\xfe{}"), ("UTF-8",)), (raw(b"[]"), ("holds list",)), (raw(b"{}"), ()),
    (raw(b'{"a": NaN}'), ("not finite",)), (raw(b'{"a": ' + b"1" * 5000 + b"}"), ("digits",)),
])
def test_a_hostile_beginning(saved, data, words):
    (saved / "model.safetensors").write_bytes(data)
    refused(saved, "model.safetensors", *words)


def test_bytes_behind_the_data(saved):
    with open(saved / "model.safetensors", "ab") as file:
        file.write(b"more")
    refused(saved, "model.safetensors")


def test_a_file_that_claims_a_terabyte_is_not_read(saved):
    header = {"a": {"dtype": "F32", "shape": [2**38], "data_offsets": [0, 2**40]}}
    put(saved / "model.safetensors", header, b"")
    try:
        os.truncate(saved / "model.safetensors", (saved / "model.safetensors").stat().st_size + 2**40)
    except OSError:
        pytest.skip("this file system has no files with holes")
    refused(saved, "model.safetensors", "are the two from one checkpoint?")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite(saved, bad):
    tensors = read_tensors(saved / "model.safetensors")
    tensors[NORM][7] = bad
    write_tensors(saved / "model.safetensors", tensors)
    refused(saved, "model.safetensors", NORM, "not finite")


@pytest.mark.parametrize("name", ["a\x1b[2Jb", "a\x00", "x" * 5000, "../config.json", "/etc/passwd"])
def test_a_name_in_the_list_of_sums(saved, name):
    (saved / SUMS).write_text("0" * 64 + f"  {name}\n", encoding="utf-8")
    refused(saved, SUMS, "is not a list of SHA-256 sums")


class Command:
    """What a pickle runs when it is read."""
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", "training.safetensors",
                                  "training.json"])
def test_nothing_is_unpickled(saved, name):
    if name.startswith("training"):
        save_checkpoint(saved.parent, 3, tiny.model(), {"mean": tiny.model().params})
        (saved / SUMS).unlink()
    data = pickle.dumps((Command(str(saved / "ran")), bytes(100_000)))
    (saved / name).write_bytes(data)
    refused(saved, name)
    pickle.loads(data)[0].close()
    assert (saved / "ran").exists(), "the pickle would not have shown that it ran"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "training.safetensors", "training.json", SUMS])
@pytest.mark.parametrize("sums", [True, False])
def test_a_pipe_is_not_waited_for(tmp_path, name, sums):
    folder = save_checkpoint(tmp_path / "runs", 3, tiny.model())
    if not sums:
        (folder / SUMS).unlink()
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    end = Timer(10, lambda: os.close(os.open(folder / name, os.O_WRONLY | os.O_NONBLOCK)))
    end.start()             # a reader that waits gets an empty file then, and another error
    refused(folder, name, "is not a file")
    end.cancel()


@pytest.mark.skipif(os.name == "nt", reason="other rights there")
def test_tensors_can_be_read_by_whom_the_other_files_can(saved):
    assert len({(path.stat().st_mode, path.stat().st_uid) for path in saved.iterdir()}) == 1


NAMES = st.text(max_size=8).filter(lambda name: name != "__metadata__" and name.isprintable())
SHAPES = st.lists(st.integers(0, 4), max_size=4).map(tuple)


@settings(max_examples=100, deadline=None, database=None)
@given(st.dictionaries(NAMES, st.tuples(SHAPES, st.sampled_from([np.float32, np.int32]), st.booleans())),
       st.integers(0, 2**32 - 1))
def test_any_tensors_come_back(tmp_path_factory, shapes, seed):
    """Scalars, empty ones, transposed ones: names, shapes, dtypes and every bit."""
    rng = np.random.default_rng(seed)
    path, tensors = tmp_path_factory.getbasetemp() / "any.safetensors", {}
    for name, (shape, dtype, transposed) in shapes.items():
        bits = rng.integers(0, 0x7F80_0000, shape, np.int32)        # those of a finite float
        array = np.asarray(bits, np.int32).view(dtype)
        tensors[name] = array.T if transposed else array
    write_tensors(path, tensors)
    back = read_tensors(path, (np.float32, np.int32))
    assert back.keys() == tensors.keys()
    for name, array in tensors.items():
        assert back[name].dtype == array.dtype and back[name].shape == array.shape
        assert back[name].tobytes() == np.ascontiguousarray(array).tobytes()


def test_a_disk_that_is_full_is_named(tmp_path, monkeypatch):
    def full(*_, **__):
        raise safetensors.SafetensorError("No space left on device")
    monkeypatch.setattr("safetensors.numpy.save_file", full)
    with pytest.raises(OSError, match="model.safetensors cannot be written .*is the disk full"):
        write_tensors(tmp_path / "model.safetensors", {"a": np.ones(2)})
