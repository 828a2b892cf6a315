"""GGUF headers: every type of value, and files made to break a reader, each refused in one line and little memory."""

import os
import struct
import time
import tracemalloc
from pathlib import Path

import gguf_bytes
import numpy as np
import pytest
from gguf_bytes import header, text, whole

from minillm.formats import gguf
from minillm.formats.gguf import read_header

ORACLE = Path(__file__).resolve().parents[1] / "oracle" / "all_values.gguf"


def numbers_of(file, name):
    """A whole tensor."""
    into = np.empty(file.tensors[name].shape, np.float32)
    file.read(name, into)
    return into


def test_a_file_of_the_gguf_package():
    file = read_header(ORACLE)
    listed = {key: value.tolist() if isinstance(value, np.ndarray) else
              [getattr(part, "tolist", lambda: part)() for part in value] if isinstance(value, list) else value
              for key, value in file.metadata.items()}
    assert listed == {
        "general.architecture": "llama", "a.uint8": 200, "a.int8": -100, "a.uint16": 60_000, "a.int16": -30_000,
        "a.uint32": 4 * 10**9, "a.int32": -2 * 10**9, "a.float32": 1e-5, "a.uint64": 2**63 + 1, "a.int64": -2**62,
        "a.float64": 0.1, "a.bool": True, "a.string": "naïve 漢字", "list.texts": ["", "Ġthe", "é"],
        "list.numbers": [1, -2, 3], "list.floats": [0.5, -1.5], "list.bools": [True, False], "list.lists": [[1, 2], [3]]}
    assert type(file.metadata["a.bool"]) is bool and type(file.metadata["a.float32"]) is float
    assert np.array_equal(numbers_of(file, "matrix"), [[0, 1, 2], [3, 4, 5]])
    assert np.array_equal(numbers_of(file, "half"), [0, 1, 2, 3])
    assert file.tensors["quantized"].shape == (6, 32)


def test_rows_of_a_tensor(tmp_path):
    """Any rows by themselves, of quantized tensors too."""
    file = read_header(ORACLE)
    every, some = numbers_of(file, "quantized"), np.empty((3, 32), np.float32)
    file.read("quantized", some, first=1)
    assert np.array_equal(some, every[1:4]) and not np.array_equal(some, every[:3])


@pytest.mark.parametrize("version,alignment", [(2, 32), (3, 8), (3, 256)])
def test_versions_and_alignments(tmp_path, version, alignment):
    matrices = {name: np.arange(n, dtype=np.float32).reshape(1, n) for name, n in (("a", 3), ("b", 70), ("c", 1))}
    tensors = {name: gguf_bytes.floats(array) for name, array in matrices.items()}
    settings = {} if alignment == 32 else {"general.alignment": ("<u4", alignment)}
    (tmp_path / "x.gguf").write_bytes(whole(settings, tensors, alignment, version))
    file = read_header(tmp_path / "x.gguf")
    assert all(np.array_equal(numbers_of(file, name), array) for name, array in matrices.items())


def refused(tmp_path, data, *words, holes=0):
    """Assert one line that names the file once and says `words`, in a second and little memory."""
    path = tmp_path / "bad.gguf"
    path.write_bytes(data)
    if holes:
        os.truncate(path, holes)
    start = time.process_time()
    tracemalloc.start()
    with pytest.raises(ValueError) as caught:
        read_header(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    message = str(caught.value)
    assert message.isprintable() and len(message) < 500 and message.startswith(f"{path}: "), message
    assert message.count(str(path)) == 1 and all(word in message for word in words), message
    assert most < (8 << 20) + 4 * len(data) and time.process_time() - start < 5      # with tracemalloc, and room


ONE = {"a": (0, (2, 3), 0)}     # a tensor in float32


def with_data(metadata, tensors, size=24):
    """A header, and so many bytes of data."""
    begin = header(metadata, tensors)
    return begin + bytes(-len(begin) % 32 + size)


def counted(tensors, settings, rest=b""):
    """A header that says how many tensors and settings there are, whatever follows."""
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, settings) + rest


def a_list(kind, number, rest=b""):
    """A setting that says to be a list of so many values."""
    return counted(0, 1, text("k") + struct.pack("<IIQ", 9, kind, number) + rest)


@pytest.mark.parametrize("data,words", [
    (b"", ("does not begin as a GGUF file",)), (b"GGU", ("does not begin",)), (b"PK\x03\x04" + bytes(100), ("does not begin",)),
    (b"GGUF", ("ends at byte 4",)), (b"GGUF" + struct.pack("<I", 3), ("ends at byte 8",)),
    (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), ("version 1; minillm reads 2 and 3",)),
    (b"GGUF" + struct.pack("<IQQ", 4, 0, 0), ("version 4",)),
    (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), ("big-endian",)),
    (counted(0, 2**63), ("more than 32,768 settings, tensors and lists",)), (counted(2**64 - 1, 0), ("which no model needs",)),
    (counted(0, 30_000), ("ends at byte 24",)), (counted(30_000, 0), ("ends at byte 24",)),
    (counted(0, 1, struct.pack("<Q", 2**63)), ("ends at byte",)), (counted(0, 1, struct.pack("<Q", 2**64 - 1)), ("ends",)),
    (counted(0, 1, text("k") + struct.pack("<IQ", 8, 2**40)), ("ends at byte", "(in the value of k)")),
    (counted(0, 1, text("k") + struct.pack("<I", 13)), ("type 13", "in the value of k")),
    (counted(0, 1, text(b"\xff\xfe")), ("byte 32 that is not UTF-8",)),
    (counted(0, 1, text("k") + struct.pack("<I", 8) + text(b"a\xc3")), ("not UTF-8",)),
    (counted(0, 1, text("k") + struct.pack("<IB", 7, 2)), ("neither 0 nor 1",)),
    (counted(0, 1, text("k\n\x1b[2J") + struct.pack("<I", 99)), ("a name at byte 38 that is none (k\\n\\x1b[2J)",)),
    (counted(0, 1, text("k" * 201)), ("a name at byte 233 that is none",)),
    (with_data({}, {"a\x00": (0, (2, 3), 0)}), ("that is none (a\\x00)",)),
    (a_list(0, 2**62), ("ends at byte",)), (a_list(12, 2**61), ("ends at byte",)), (a_list(8, 2**62), ("which no model needs",)),
    (a_list(8, 10**6), ("ends at byte",)), (a_list(8, 3, text("a") + struct.pack("<Q", 10**9)), ("ends at byte",)),
    (a_list(8, 2, text("a") + text(b"\xff")), ("list that is not UTF-8",)),
    (a_list(13, 0), ("list of type 13",)), (a_list(9, 2**62), ("which no model needs",)),
    (a_list(9, 1, struct.pack("<IQ", 9, 1) * 100), ("more than 4 levels deep",)),
    (a_list(9, 1000, struct.pack("<IQ", 9, 10**6) * 1000), ("which no model needs",)),
    (header({"k": ("<u4", 1)}, {}) [:-2], ("ends at byte",)),
    (counted(0, 2, (text("k") + struct.pack("<II", 4, 1)) * 2), ("two values of 'k'",)),
    (with_data({"general.alignment": ("<u4", 0)}, ONE), ("general.alignment is '0'",)),
    (with_data({"general.alignment": ("<u4", 24)}, ONE), ("power of 2",)),
    (with_data({"general.alignment": ("<u8", 2**62)}, ONE), ("general.alignment is '4611686018427387904'",)),
    (with_data({"general.alignment": ("text", "32")}, ONE), ("general.alignment is '32'",)),
    (with_data({"general.alignment": ("<f4", 32)}, ONE), ("general.alignment is '32.0'",)),
    (with_data({}, {"a": (9, (2, 32), 0)}), ("tensor a has the type Q8_1; minillm reads F32, F16, Q4_0",)),
    (with_data({}, {"a": (23, (2, 256), 0)}), ("IQ4_XS",)), (with_data({}, {"a": (4, (2, 32), 0)}), ("type 4",)),
    (with_data({}, {"a": (2**32 - 1, (2, 3), 0)}), ("type 4294967295",)),
    (with_data({}, {"a": (2, (32, 33), 0)}), ("rows of 33 numbers; Q4_0 has blocks of 32",)),
    (with_data({}, {"a": (14, (2, 32), 0)}), ("Q6_K has blocks of 256",)),
    (with_data({}, {"a": (0, (), 0)}), ("tensor a has 0 axes",)), (with_data({}, {"a": (0, (1,) * 5, 0)}), ("5 axes",)),
    (counted(1, 0, text("a") + struct.pack("<I", 2**32 - 1)), ("4,294,967,295 axes",)),
    (with_data({}, {"a": (0, (2**63, 2**63, 2**63, 2**63), 0)}), ("ends at byte",)),
    (with_data({}, {"a": (0, (2**38,), 0)}), ("tensor a ends at byte 1,099,511,627,840, but the file has 88",)),
    (with_data({}, ONE, 23), ("was it copied as a whole?",)),
    (with_data({}, ONE, 24 + 9), ("has 1 bytes behind its last tensor",)), (with_data({}, {}, 40), ("bytes behind",)),
    (with_data({}, {"a": (0, (2, 3), 32)}, 90), ("offset 32; 0 is the end of the one before it",)),
    (with_data({}, {"a": (0, (2, 3), 4)}, 90), ("offset 4",)), (with_data({}, {"a": (0, (2, 3), 2**64 - 32)}), ("offset",)),
    (with_data({}, {"a": (0, (2, 3), 0), "b": (0, (2, 3), 0)}, 90), ("tensor b has offset 0; 32 is",)),
    (with_data({}, {"a": (0, (2, 3), 0), "b": (0, (2, 3), 64)}, 120), ("tensor b has offset 64; 32 is",)),
    (counted(2, 0, (text("a") + struct.pack("<IQIQ", 1, 0, 0, 0)) * 2) + bytes(6), ("two tensors 'a'",)),
])
def test_a_hostile_header(tmp_path, data, words):
    refused(tmp_path, data, *words)


def test_a_file_cut_anywhere(tmp_path):
    data = ORACLE.read_bytes()
    for size in range(0, len(data) - 8, 13):     # the last 8 bytes are padding
        refused(tmp_path, data[:size])


def test_a_terabyte_of_nothing_is_not_read(tmp_path):
    """A file with holes has room for any length that a header may claim."""
    try:
        refused(tmp_path, a_list(0, 2**39), "more than 67,108,864 bytes", holes=2**40)
    except OSError:
        pytest.skip("this file system has no files with holes")
    refused(tmp_path, counted(0, 1, struct.pack("<Q", 2**39)), "more than 67,108,864 bytes", holes=2**40)
    refused(tmp_path, a_list(8, 2**15), "bytes behind its last tensor", holes=2**30)      # empty texts
    refused(tmp_path, a_list(8, 3, struct.pack("<Q", 2**35)), "67,108,864 bytes", holes=2**40)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ValueError, match="is not a file"):
            read_header(path)
    with pytest.raises(FileNotFoundError):
        read_header(tmp_path / "none.gguf")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite(tmp_path, bad):
    numbers = np.ones((700, 700), np.float32)
    numbers[-1, -1] = bad
    (tmp_path / "x.gguf").write_bytes(whole({}, {"a": gguf_bytes.floats(numbers)}))
    with pytest.raises(ValueError, match="x.gguf: tensor a holds a number that is not finite"):
        numbers_of(read_header(tmp_path / "x.gguf"), "a")


def test_little_memory_while_a_tensor_is_read(tmp_path):
    """Beside the result: a few pieces."""
    numbers = np.ones((1 << 12, 1 << 10), np.float16)
    (tmp_path / "x.gguf").write_bytes(whole({}, {"a": ("F16", numbers.shape, numbers.tobytes())}))
    file, into = read_header(tmp_path / "x.gguf"), np.empty(numbers.shape, np.float32)
    tracemalloc.start()
    file.read("a", into)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2 << 20 < into.nbytes and gguf.MOST_BYTES == 64 << 20
