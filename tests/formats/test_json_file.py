"""JSON files mean one thing or are refused in one line that names them."""

import os

import pytest

from minillm.formats.json_file import MOST_BYTES, MOST_DEEP, one_line, parse_json, read_json, write_json


def refused(path, *words, kind=dict):
    with pytest.raises(ValueError) as error:
        read_json(path, kind)
    message = str(error.value)
    assert message.startswith(f"{path}: ") and message.isprintable() and len(message) < len(str(path)) + 350, message
    assert all(word in message for word in words), message


@pytest.mark.parametrize("text,words", [
    (b"", ("broken JSON", "line 1 column 1")), (b"{", ("broken JSON",)), (b"{}{}", ("broken JSON",)),
    (b"3", ("holds int", "object")), (b"null", ("holds NoneType",)), (b"[]", ("holds list",)),
    (b'{"a": 1, "b": {"c": 1, "d": 2, "c": 1}}', ("key 'c' occurs 2 times",)),
    (b'{"a": NaN}', ("not finite",)), (b'{"a": [-Infinity]}', ("not finite",)), (b'{"a": 1e999}', ("not finite",)),
    (b'{"a": 1' + b"0" * 400 + b"}", ("too large",)), (b'{"a": ' + b"1" * 5000 + b"}", ("digits",)),
    (b'{"a": ' * 100_000, ("nested",)), (b'{"a": ' + b"[" * MOST_DEEP + b"]" * MOST_DEEP + b"}", ("nested",)),
    (b'{"a": "\xff"}', ("not UTF-8", "byte 7")), (b"\xff\xfe{\x00}\x00", ("not UTF-8",)),
    (b'{"a": 1, "\\ud800\\n\\u001b[2J": 1, "\\ud800\\n\\u001b[2J": 1}', ("occurs 2 times",)),
    (b'{"' + b"k" * 5000 + b'": 1, "' + b"k" * 5000 + b'": 1}', ("kkk ...",)),
])
def test_a_broken_file_is_one_line(text, words, tmp_path):
    (tmp_path / "x.json").write_bytes(text)
    refused(tmp_path / "x.json", *words)


def test_what_is_too_large_is_not_parsed(tmp_path):
    (tmp_path / "x.json").write_bytes(b"[" + b" " * MOST_BYTES + b"]")
    refused(tmp_path / "x.json", "larger than", kind=list)


def test_a_pipe_is_not_waited_for(tmp_path):
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "x.json")
        refused(tmp_path / "x.json", "is not a file")
    refused(tmp_path, "is not a file")
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "none.json")


def test_what_is_written_comes_back(tmp_path):
    data = {"b": [1, 2.5, None, True], "a": {"ü": "\udcff\n"}, "deep": []}
    for _ in range(MOST_DEEP - 2):
        data["deep"] = [data["deep"]]
    write_json(tmp_path / "x.json", data)
    assert read_json(tmp_path / "x.json") == data and list(read_json(tmp_path / "x.json")) == list(data)
    (tmp_path / "bom.json").write_bytes(b"\xef\xbb\xbf[1]")             # as Windows' editor writes it
    assert read_json(tmp_path / "bom.json", list) == [1] == parse_json("[1]", list)
    with pytest.raises(ValueError):
        write_json(tmp_path / "x.json", {"loss": float("nan")})
    assert read_json(tmp_path / "x.json") == data


def test_an_error_is_one_printable_line():
    assert one_line(ValueError("a\nb\x1b\ud800ü")) == "a\\nb\\x1b\\ud800ü"
    assert one_line("x" * 1000, most=5) == "xxxxx ..."
