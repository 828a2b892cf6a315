"""Reading files: what is right is read as it stands, what is wrong is said in one line."""

import gzip
import json
import lzma
import os
import socket

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minillm.text.corpus import (load_conversations, load_documents, load_preferences, load_prompts, records,
                                 split_documents)
from minillm.text.record_formats import CONVERSATIONS, PREFERENCES, PROMPTS, TEXTS

USER, ASSISTANT = {"role": "user", "content": "a?"}, {"role": "assistant", "content": "b."}
OTHER = {"role": "assistant", "content": "c."}
LOADERS = [load_documents, load_conversations, load_preferences]
GOOD = {load_documents: {"text": "a"}, load_conversations: {"messages": [USER, ASSISTANT]},
        load_preferences: {"prompt": "a?", "chosen": "b.", "rejected": "c."}}


def write(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def write_lines(path, *records):
    return write(path, "\n".join(r if isinstance(r, str) else json.dumps(r) for r in records))


def refuse(load, path, *named):
    with pytest.raises(ValueError) as error:
        load(path)
    message = str(error.value)
    for part in (str(path), *named):
        assert part in message, message
    assert "\n" not in message


def test_a_text_file_is_one_document(tmp_path):
    assert load_documents(write(tmp_path / "a.txt", "one\n\ntwö\n")) == ["one\n\ntwö\n"]
    assert load_documents(str(tmp_path / "a.txt")) == ["one\n\ntwö\n"]


def test_line_ends_and_the_byte_order_mark(tmp_path):
    path = write(tmp_path / "a.txt", b"\xef\xbb\xbfone\r\ntwo\rthree\n")
    assert load_documents(path) == ["one\ntwo\nthree\n"]


def test_a_folder_is_read_in_the_order_of_paths(tmp_path):
    for name in ("b/z.md", "b/a.txt", "a.py", "c.TXT", "B.txt", ".hidden/x.txt", "b/.y.txt", "data.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write(tmp_path / name, name)
    write(tmp_path / "empty.py", "\n")
    assert load_documents(tmp_path) == ["B.txt", "a.py", "b/a.txt", "b/z.md", "c.TXT"]


def test_what_a_folder_does_not_give_is_counted_and_named(tmp_path):
    for name in ("a.txt", "d/b.md", "page.html", "d/other.HTML", "picture.png", "Makefile", ".hidden", ".git/x.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write(tmp_path / name, name)
    write(tmp_path / "empty.txt", "\n")
    (tmp_path / "elsewhere").symlink_to(tmp_path / "d")
    (tmp_path / "link.txt").symlink_to(tmp_path / "a.txt")
    bad = [write(tmp_path / "c.txt", b"caf\xe9 "), write(tmp_path / "d/e.txt", b"a\0"), tmp_path / "f.txt", tmp_path / "g.txt"]
    os.mkfifo(bad[2])
    bad[3].symlink_to(tmp_path / "nothing")
    said = []
    assert load_documents(tmp_path, said.append) == ["a.txt", "d/b.md", "a.txt"]
    *broken, whole = said
    assert [str(path) in line for path, line in zip(sorted(bad), broken)] == [True] * 4
    for line, named in zip(broken, ("invalid UTF-8", "is binary", "a named pipe", "no such file")):
        assert line.startswith("left out: ") and named in line
    assert whole == (f"{tmp_path}: read 3 files, skipped 12 (4 not readable, 2 .html, 2 hidden, 1 .png, "
                     "1 empty, 1 link to a folder, 1 without an ending)")


def test_a_folder_of_which_everything_is_read(tmp_path):
    write(tmp_path / "a.txt", "a")
    said = []
    load_documents(tmp_path, said.append)
    load_documents(tmp_path / "a.txt", said.append)
    assert said == [f"{tmp_path}: read 1 file", "1 text of 1 characters, read as plain text"]


@pytest.mark.parametrize("content, named", [(None, "(read 0 files)"), (b"caf\xe9", "(1 not readable)); it needs .txt, .md"),
                                            (b"caf\xe9", "a.txt: invalid UTF-8")])
def test_a_folder_that_gives_nothing_says_why(tmp_path, content, named):
    if content:
        write(tmp_path / "a.txt", content)
    refuse(load_documents, tmp_path, "no text in this folder", named)


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("kind", ["pipe", "device", "socket"])
def test_only_regular_files_are_opened(tmp_path, load, kind, monkeypatch):
    """Opening a pipe would wait for a writer, and /dev/zero never ends."""
    path = tmp_path / "a.jsonl"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        monkeypatch.chdir(tmp_path)     # the path of a socket is short
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    refuse(load, path, f"is a {'named ' if kind == 'pipe' else ''}{kind}")


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("name", ["a.ndjson", "a.NDJSON", "a.json"])
def test_other_endings_of_json(tmp_path, load, name):
    """A file that a loader took for plain text would be trained on, braces and all."""
    lines = write_lines(tmp_path / "a.jsonl", GOOD[load], GOOD[load])
    records = [GOOD[load]] * 2
    path = write(tmp_path / name, json.dumps(records, indent=2)) if name == "a.json" else write_lines(tmp_path / name, *records)
    assert load(path) == load(lines)


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("content, named", [
    ('{"text": "a"}', "must be a list"), ("3", "must be a list"), ("[]", "is an empty list"),
    ('{"text": "a"}\n{"text": "b"}', "if each line is a value, name the file .jsonl"), ("[{}, 3]", "item 1: no "),
    ("[" * 100_000, "nested too deeply"),
])
def test_a_json_file_that_is_no_list_of_records(tmp_path, load, content, named):
    refuse(load, write(tmp_path / "a.json", content), named)


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("name, pack", [("a.jsonl.gz", gzip.compress), ("a.jsonl.xz", lzma.compress)])
def test_a_compressed_file_is_to_be_unpacked(tmp_path, load, name, pack):
    refuse(load, write(tmp_path / name, pack(json.dumps(GOOD[load]).encode())), "is compressed", "unpack it first")


HALF = "a\ud83d"        # json.dumps writes it as an escape, which is valid JSON and no text


def test_half_a_surrogate_pair_in_any_record_becomes_the_replacement_character(tmp_path):
    user, assistant = ({"role": role, "content": HALF} for role in ("user", "assistant"))
    whole = [{**message, "content": "a\ufffd"} for message in (user, assistant)]
    assert load_documents(write_lines(tmp_path / "a.jsonl", {"text": HALF})) == ["a\ufffd"]
    assert load_conversations(write_lines(tmp_path / "a.jsonl", {"messages": [user, assistant]})) == [whole]
    assert load_preferences(write_lines(tmp_path / "a.jsonl", {"prompt": HALF, "chosen": HALF, "rejected": [assistant]})) == [
        {"prompt": whole[:1], "chosen": whole[1:], "rejected": whole[1:]}]
    assert [value for _, value in records(write_lines(tmp_path / "a.jsonl", [HALF, {HALF: {"b": [HALF, 1, None]}}]))] == [
        ["a\ufffd", {"a\ufffd": {"b": ["a\ufffd", 1, None]}}]]
    assert [value for _, value in records(write(tmp_path / "a.json", json.dumps([HALF])))] == ["a\ufffd"]


def test_documents_in_jsonl(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", {"text": "one\u2028two"}, "", {"text": "three", "more": 1}, "")
    assert load_documents(path) == ["one\u2028two", "three"]


# Formats: what a line says, whoever wrote it

SYSTEM = {"role": "system", "content": "Be brief."}
FOLLOWED = [USER, OTHER, USER]
ASKED = {"role": "user", "content": "Add.\n\n2 and 3"}
FIVE = {"role": "assistant", "content": "5"}
PART = {"type": "text", "text": "a?"}


@pytest.mark.parametrize("name, record, messages", [
    ("OpenAI messages", {"messages": [USER, ASSISTANT], "id": 3}, [USER, ASSISTANT]),
    ("OpenAI messages", {"messages": [SYSTEM, *FOLLOWED]}, [SYSTEM, *FOLLOWED]),
    ("OpenAI messages", {"messages": [{"role": "user", "content": [PART]}, ASSISTANT]}, [USER, ASSISTANT]),
    ("OpenAI messages", {"messages": [{"role": "user", "content": [PART, PART]}, ASSISTANT]},
     [{"role": "user", "content": "a?\na?"}, ASSISTANT]),
    ("ShareGPT", {"conversations": [{"from": "human", "value": "a?"}, {"from": "gpt", "value": "b."}]}, [USER, ASSISTANT]),
    ("ShareGPT", {"conversations": [{"from": "system", "value": "Be brief."}, {"from": "human", "value": "a?"},
                                    {"from": "gpt", "value": "b."}]}, [SYSTEM, USER, ASSISTANT]),
    ("ShareGPT", {"system": "Be brief.", "conversations": [USER, ASSISTANT]}, [SYSTEM, USER, ASSISTANT]),
    ("ShareGPT", {"conversations": [{"from": "gpt", "value": "cut"}, {"from": "human", "value": "a?"},
                                    {"from": "gpt", "value": "b."}]}, [USER, ASSISTANT]),
    ("Alpaca", {"instruction": "Add.", "input": "2 and 3", "output": "5"}, [ASKED, FIVE]),
    ("Alpaca", {"instruction": "a?", "input": "", "output": "b.", "text": "Below is an instruction"}, [USER, ASSISTANT]),
    ("Alpaca", {"instruction": "a?", "input": None, "output": "b.", "system": "Be brief."}, [SYSTEM, USER, ASSISTANT]),
    ("Dolly", {"instruction": "Add.", "context": "2 and 3", "response": "5", "category": "qa"}, [ASKED, FIVE]),
    ("Dolly", {"instruction": "a?", "response": "b.", "messages": None, "output": None}, [USER, ASSISTANT]),
    ("prompt and completion", {"prompt": "a?", "completion": " b."}, [USER, ASSISTANT]),
    ("prompt and completion", {"prompt": [SYSTEM, USER], "completion": [ASSISTANT]}, [SYSTEM, USER, ASSISTANT]),
    ("question and answer", {"question": "a?", "answer": "b."}, [USER, ASSISTANT]),
])
def test_conversations_of_every_format(tmp_path, name, record, messages):
    said = []
    assert load_conversations(write_lines(tmp_path / "a.jsonl", record), said.append) == [messages]
    assert said == [f"1 conversation, read as {name}"]


HUMAN = "\n\nHuman: a?\n\nAssistant:"


@pytest.mark.parametrize("name, record", [
    ("prompt, chosen and rejected", {"prompt": "a?", "chosen": "b.", "rejected": "c."}),
    ("prompt, chosen and rejected", {"prompt": [USER], "chosen": [ASSISTANT], "rejected": [OTHER]}),
    ("prompt, chosen and rejected", {"prompt": "a?", "chosen": [USER, ASSISTANT], "rejected": [USER, OTHER]}),
    ("prompt, chosen and rejected", {"prompt": [USER], "chosen": "b.", "rejected": [OTHER]}),
    ("prompt, chosen and rejected", {"prompt": [{"role": "user", "content": [PART]}], "chosen": "b.", "rejected": "c."}),
    ("chosen and rejected conversations", {"chosen": [USER, ASSISTANT], "rejected": [USER, OTHER]}),
    ("HH transcripts", {"chosen": HUMAN + " b.", "rejected": HUMAN + " c."}),
    ("HH transcripts", {"chosen": HUMAN.strip() + " b.", "rejected": HUMAN + " c.\n"}),
])
def test_preferences_of_every_format_are_read_alike(tmp_path, name, record):
    said = []
    path = write_lines(tmp_path / "a.jsonl", record)
    assert load_preferences(path, said.append) == [{"prompt": [USER], "chosen": [ASSISTANT], "rejected": [OTHER]}]
    assert said == [f"1 preference pair, read as {name}"]


def test_the_turns_of_a_transcript(tmp_path):
    """HH has transcripts in which the same speaker begins twice, and words like "Human" in a turn."""
    talk = HUMAN + " c.\n\nHuman: a\n\nb Human: c\n\nHuman: d\n\nAssistant:"
    (pair,) = load_preferences(write_lines(tmp_path / "a.jsonl", {"chosen": talk + " x\n\ny", "rejected": talk}))
    assert pair["prompt"] == [USER, OTHER, {"role": "user", "content": "a\n\nb Human: c\n\nd"}]
    assert [pair[key][0]["content"] for key in ("chosen", "rejected")] == ["x\n\ny", ""]


def test_pairs_that_differ_before_the_last_answer_are_left_out_and_counted(tmp_path):
    good = {"chosen": HUMAN + " b.", "rejected": HUMAN + " c."}
    longer = {**good, "rejected": HUMAN + " c.\n\nHuman: d\n\nAssistant: e"}
    asked = {**good, "rejected": HUMAN + " c.\n\nHuman: d"}
    said = []
    assert len(load_preferences(write_lines(tmp_path / "a.jsonl", longer, good, asked), said.append)) == 1
    assert said == ["3 preference pairs, read as HH transcripts",
                    "2 of 3 preference pairs differ before the last answer and were left out"]
    refuse(load_preferences, write_lines(tmp_path / "b.jsonl", longer), "in every pair")


@pytest.mark.parametrize("key", ["text", "content"])
def test_texts_of_both_keys(tmp_path, key):
    said = []
    assert load_documents(write_lines(tmp_path / "a.jsonl", {key: "one"}), said.append) == ["one"]
    assert said == [f'1 text, read as JSONL of "{key}"']


def test_prompts(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", {"prompt": "a?"}, {"prompt": [USER], "chosen": "b"},
                       {"messages": [USER, ASSISTANT]}, {"prompt": [USER, OTHER, USER]},
                       {"conversations": [{"from": "human", "value": "a?"}]})
    said = []
    assert load_prompts(path, said.append) == [[USER], [USER], [USER], FOLLOWED, [USER]]
    assert said == ["5 prompts, read as prompts (3), OpenAI messages (1), ShareGPT (1)"]
    refuse(load_prompts, write_lines(path, {"text": "a"}), 'line 1: no "prompt"', '{"prompt": "What is 2 + 3?"}')
    refuse(load_prompts, write_lines(path, {"prompt": [ASSISTANT]}), "line 1: message 1")


def test_a_file_may_hold_several_formats_which_are_counted(tmp_path):
    """Each line says itself what it is, and files are joined by `cat`."""
    alpaca = {"instruction": "a?", "output": "b."}
    path = write_lines(tmp_path / "a.jsonl", alpaca, {"messages": [USER, ASSISTANT]}, alpaca)
    said = []
    assert load_conversations(path, said.append) == [[USER, ASSISTANT]] * 3
    assert said == ["3 conversations, read as Alpaca (2), OpenAI messages (1)"]


@pytest.mark.parametrize("load, table", [(load_documents, TEXTS), (load_conversations, CONVERSATIONS),
                                         (load_preferences, PREFERENCES), (load_prompts, PROMPTS)])
def test_the_example_in_a_refusal_is_a_line_that_works(tmp_path, load, table):
    for kind in table:
        said = []
        assert len(load(write(tmp_path / "a.jsonl", kind.example), said.append)) == 1
        assert said[0].endswith(f"read as {kind.name}")
    refuse(load, write_lines(tmp_path / "a.jsonl", {"other": 1}), "its keys are ['other']", table[0].example)


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("data, named", [
    (b"", "is empty"), (b" \n\n", "is empty"), (b"\xef\xbb\xbf", "is empty"),
    (b"ab\0cd", "NUL byte at offset 2"),
    (b"\x89PNG\r\n\x1a\n\0\0", "is binary"),
    ("text".encode("utf-16"), "UTF-16"), (b"\xfe\xff\0t", "UTF-16"),
    ("text".encode("utf-16-le"), "is binary"),
    (b"caf\xe9 noir", "invalid UTF-8 (byte 0xe9 at offset 3)"),
    (b"\xef\xbb\xbfab\xff", "at offset 5"),
    (b"ab\xc3", "at offset 2"),
    (b"\xed\xa0\x80", "at offset 0"),
])
def test_files_that_are_no_text(tmp_path, load, data, named):
    refuse(load, write(tmp_path / "a.jsonl", data), named)
    refuse(load_documents, write(tmp_path / "a.txt", data), named)


@pytest.mark.parametrize("load", LOADERS)
def test_a_missing_file(tmp_path, load):
    refuse(load, tmp_path / "none.jsonl", "no such file")
    refuse(load_documents, tmp_path / "none.txt", "no such file")


@pytest.mark.parametrize("load", [load_conversations, load_preferences])
def test_a_folder_in_place_of_a_file(tmp_path, load):
    refuse(load, tmp_path, "is a folder")


@pytest.mark.parametrize("load", LOADERS)
def test_a_file_that_may_not_be_read(tmp_path, load, monkeypatch):
    def forbidden(self):
        raise PermissionError(13, "Permission denied")

    path = write_lines(tmp_path / "a.jsonl", GOOD[load])
    monkeypatch.setattr(type(path), "read_bytes", forbidden)
    refuse(load, path, "cannot be read (Permission denied)")


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("line, named", [
    ("{", "broken JSON (Expecting property name enclosed in double quotes at column 2)"),
    ("{} {}", "broken JSON (Extra data at column 4)"),
    ("nonsense", "broken JSON"), ("[" * 100_000, "nested too deeply"), ("1" * 5000, "line 3"), ('{"text": ' + "[" * 900 + "]" * 900 + "}", ""),
    ("[1]", "not list"), ("null", "not NoneType"), ("{}", "its keys are []"),
    ('{"texts": 1, "message": 2}', "its keys are ['message', 'texts']"),
])
def test_lines_that_are_wrong(tmp_path, load, line, named):
    refuse(load, write_lines(tmp_path / "a.jsonl", GOOD[load], "", line, GOOD[load]), "line 3", named)


@pytest.mark.parametrize("load, record, named", [
    (load_documents, {"text": 3}, '"text" must be a string, not int'),
    (load_documents, {"text": " "}, '"text" is empty'),
    (load_conversations, {"messages": "a"}, '"messages" must be a list, not str'),
    (load_conversations, {"messages": []}, "empty list"),
    (load_conversations, {"messages": [USER]}, "no message of the assistant"),
    (load_conversations, {"messages": [USER, USER]}, "message 2 has role 'user'"),
    (load_conversations, {"messages": [ASSISTANT]}, "message 1 has role 'assistant'"),
    (load_conversations, {"messages": [{"role": "user"}]}, "message 1 has no 'content'"),
    (load_conversations, {"messages": [{"role": "user", "content": [PART, {"type": "image_url", "image_url": {}}]}, ASSISTANT]},
     "a part of type 'image_url'; only parts like"),
    (load_conversations, {"messages": [{"role": "user", "content": ["a?"]}, ASSISTANT]}, "a part of type 'str'"),
    (load_conversations, {"conversations": [{"from": "human", "value": "a?"}, {"from": "tool", "value": "b"}]},
     "message 2 has the unknown role 'tool'"),
    (load_conversations, {"conversations": [{"from": "human"}]}, "message 1: 'content' must be a string"),
    (load_conversations, {"instruction": "a?"}, 'no "output"'),
    (load_conversations, {"instruction": "a?", "output": ["b"]}, '"output" must be a string, not list'),
    (load_conversations, {"instruction": "a?", "input": 3, "output": "b"}, '"input" must be a string, not int'),
    (load_conversations, {"instruction": "a?", "answer": "b"}, "its keys are ['answer', 'instruction']; a line that works: "),
    (load_conversations, {"prompt": "a", "chosen": "b", "rejected": "c"}, "; it is data of: minillm reward; a line that works: "),
    (load_preferences, {"question": "a", "answer": "b"}, "; it is data of: minillm finetune; a line that works: "),
    (load_conversations, {"text": "a"}, "; it is data of: minillm pretrain; a line that works: "),
    (load_preferences, {"chosen": "b", "rejected": "c"}, 'chosen: must begin with "\\n\\nHuman:"'),
    (load_preferences, {"chosen": HUMAN, "rejected": "a" + HUMAN}, 'rejected: must begin with'),
    (load_preferences, {"chosen": [USER, ASSISTANT], "rejected": [ASSISTANT]}, "rejected: message 1 has role"),
    (load_preferences, {"chosen": [USER, ASSISTANT], "rejected": "c"}, '"rejected" must be a list, not str'),
    (load_preferences, {"prompt": 3, "chosen": [USER, ASSISTANT], "rejected": [USER, OTHER]}, '"prompt" must be a string or a list'),
    (load_preferences, {"prompt": "a", "chosen": "b"}, 'no "rejected"'),
    *((load_preferences, {"prompt": prompt, "chosen": chosen, "rejected": rejected}, named)
      for prompt, chosen, rejected, named in [
          (1, "b", "c", '"prompt" must be a string or a list, not int'),
          ([], "b", "c", "prompt: messages is an empty list"),
          ([USER, OTHER], "b", "c", "must end with a message of the user"),
          ("a", [], "c", "chosen: must be one message"),
          ("a", "b", [USER], "rejected: message 2 has role 'user'"),
          ("a", [USER, OTHER], "c", "chosen: must be one message"),
          ("a", "b", ["c"], "rejected: message 2 must be")]),
])
def test_records_that_are_wrong(tmp_path, load, record, named):
    refuse(load, write_lines(tmp_path / "a.jsonl", GOOD[load], record), "line 2", named)


text = st.text(st.characters(), max_size=5)
values = st.recursive(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), text),
                      lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(text, inner, max_size=2)), max_leaves=5)
messages = st.lists(st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": st.one_of(text, values)}),
                    max_size=3)
fields = st.one_of(values, text, messages)
any_record = st.one_of(values, st.fixed_dictionaries(
    {}, optional={key: fields for table in (CONVERSATIONS, PREFERENCES, TEXTS) for kind in table
                  for key in (*kind.keys, *kind.optional)}))


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("ending", [".jsonl", ".json"])
@given(drawn=st.lists(any_record, max_size=3))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_record_is_read_or_refused_in_one_line(tmp_path, load, ending, drawn):
    path = tmp_path / f"a{ending}"
    if ending == ".json":
        write(path, json.dumps([GOOD[load], *drawn]))
    else:
        write_lines(path, GOOD[load], *map(json.dumps, drawn))
    try:
        found = load(path)
    except ValueError as error:
        assert str(error).startswith(f"{path}, ") and "\n" not in str(error)
        return
    assert len(found) == 1 + len(drawn) or load is load_preferences and len(found) >= 1
    json.dumps(found, ensure_ascii=False).encode("utf-8")       # nothing is left that UTF-8 cannot hold


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("ending", [".jsonl", ".json", ".txt"])
@given(content=st.one_of(st.binary(), st.text().map(str.encode)))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused_in_one_line(tmp_path, load, ending, content):
    path = write(tmp_path / f"a{ending}", content)
    try:
        load(path)
    except ValueError as error:
        assert str(error).startswith(str(path)) and "\n" not in str(error)


def test_splitting_documents():
    documents = [f"text {i}" for i in range(40)]
    train, validation = split_documents(documents, 0.05, np.random.default_rng(3))
    assert len(validation) == 2 and sorted(train + validation) == sorted(documents)
    assert train == [text for text in documents if text in train]  # the order is kept
    assert (train, validation) == split_documents(documents, 0.05, np.random.default_rng(3))
    assert validation != split_documents(documents, 0.05, np.random.default_rng(4))[1]


def test_a_single_text_is_split_at_its_tail():
    text = "abcdefghij" * 10
    assert split_documents([text], 0.05, np.random.default_rng(0)) == ([text[:95]], [text[95:]])


@pytest.mark.parametrize("documents, share", [
    ([], 0.1), ([""], 0.1), (["a"], 0.1), (["a", "b"], 0.9), ([[USER, ASSISTANT]], 0.5),
    (["a"] * 9, 0.0), (["a"] * 9, 1.5),
])
def test_what_cannot_be_split(documents, share):
    with pytest.raises(ValueError):
        split_documents(documents, share, np.random.default_rng(0))
