"""Reads text, conversations and preferences from files, and says in one line what is wrong with one.

Every error names the file, the line where there is one, and the fix.
"""

import json
import os
from pathlib import Path

import numpy as np

from minillm.text.chat import validate_messages

TEXT_SUFFIXES = (".txt", ".md", ".py")


def load_documents(path):
    """Return the documents of a text file (one), a folder of .txt, .md and .py files, or a JSONL file.

    A line of JSONL is {"text": ...}. Files of a folder come in the order of their paths, with all
    subfolders but hidden ones; empty ones are skipped. Line ends are \\n, whatever the file has.

    Raises:  ValueError that names the file and the fix
    """
    path = Path(path)
    if path.is_dir():
        files = _text_files(path)
        documents = [text for file in files if (text := _read_text(file, may_be_empty=True)).strip()]
        if not documents:
            raise ValueError(f"{path}: no text in this folder; it needs {', '.join(TEXT_SUFFIXES)} files "
                             f"that are not empty ({len(files)} found)")
        return documents
    if path.suffix.lower() == ".jsonl":
        return [_get(record, "text", str, where) for where, record in records(path)]
    return [_read_text(path)]


def _text_files(folder):
    """All text files below a folder, in an order that no operating system changes."""
    found = []
    for place, folders, names in os.walk(folder, onerror=_unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in names
                  if name.lower().endswith(TEXT_SUFFIXES) and not name.startswith(".")]
    return sorted(found, key=lambda file: file.relative_to(folder).as_posix())


def _unreadable(error):
    raise ValueError(f"{error.filename}: cannot be read ({error.strerror}); check the path and its rights")


def load_conversations(path):
    """Return the conversations of a JSONL file of {"messages": [{"role", "content"}, ...]} lines.

    Each must hold something to learn: at least one message of the assistant.

    Raises:  ValueError that names the file, the line and the fix
    """
    conversations = []
    for where, record in records(path):
        messages = _checked(_get(record, "messages", list, where), where)
        if not any(message["role"] == "assistant" for message in messages):
            raise ValueError(f"{where}: no message of the assistant, so nothing to learn from; "
                             "add its answer")
        conversations.append(messages)
    return conversations


def load_preferences(path):
    """Return the comparisons of a JSONL file as {"prompt", "chosen", "rejected"} of message lists.

    The prompt may be a string (what the user says) or messages that end with the user's. An answer
    may be a string, one assistant message in a list, or a whole conversation that repeats the prompt;
    it is returned as a list of the one assistant message.

    Raises:  ValueError that names the file, the line and the fix
    """
    comparisons = []
    for where, record in records(path):
        prompt = _get(record, "prompt", (str, list), where)
        prompt = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
        if _checked(prompt, f"{where}: prompt")[-1]["role"] != "user":
            raise ValueError(f"{where}: the prompt must end with a message of the user")
        answers = {key: _answer(_get(record, key, (str, list), where), prompt, f"{where}: {key}")
                   for key in ("chosen", "rejected")}
        comparisons.append({"prompt": prompt, **answers})
    return comparisons


def _answer(answer, prompt, where):
    """The one assistant message of an answer, in a list."""
    if isinstance(answer, str):
        return [{"role": "assistant", "content": answer}]
    if answer[:len(prompt)] == prompt:
        answer = answer[len(prompt):]
    if len(answer) != 1:
        raise ValueError(f"{where}: must be one message of the assistant after the prompt, not {len(answer)}")
    _checked(prompt + answer, where)
    return answer


def _checked(messages, where):
    """The messages, if they are a conversation; otherwise an error that says where they stand."""
    try:
        validate_messages(messages)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return messages


def _get(record, key, kinds, where):
    if not isinstance(record, dict):
        raise ValueError(f"{where}: must be an object like {{\"{key}\": ...}}, not {type(record).__name__}")
    if key not in record:
        raise ValueError(f"{where}: no \"{key}\"; its keys are {sorted(record)[:8]}")
    if not isinstance(record[key], kinds):
        names = {str: "a string", list: "a list"}
        wanted = " or ".join(names[kind] for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))
        raise ValueError(f"{where}: \"{key}\" must be {wanted}, not {type(record[key]).__name__}")
    if kinds is str and not record[key].strip():
        raise ValueError(f"{where}: \"{key}\" is empty; leave the line out")
    return record[key]


def records(path):
    """Yield (where, value) for each line of a JSONL file that is not blank."""
    for number, line in enumerate(_read_text(Path(path)).split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            yield where, json.loads(line)
        except (ValueError, RecursionError) as error:
            place = f" at column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
            raise ValueError(f"{where}: broken JSON ({getattr(error, 'msg', error)}{place}); "
                             "each line must be one whole JSON value") from None


def _read_text(path, may_be_empty=False):
    """The text of a UTF-8 file, without a byte order mark, with \\n at the end of lines."""
    if path.is_dir():
        raise ValueError(f"{path}: is a folder; a file is needed here")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror}); check its rights") from None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError(f"{path}: is UTF-16 text; save it as UTF-8")
    if b"\0" in data:
        raise ValueError(f"{path}: is binary, not text (NUL byte at offset {data.index(0)}); "
                         "give a text file in UTF-8")
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")  # the byte order mark some editors write
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: invalid UTF-8 (byte 0x{data[error.start]:02x} at offset {error.start}); "
                         "save it as UTF-8") from None
    if not text.strip() and not may_be_empty:
        raise ValueError(f"{path}: is empty; give a file with text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def split_documents(documents, validation_share, rng):
    """Return (train, validation): whole documents in their order, or the head and tail of a single text.

    Conversations and comparisons split in the same way, but a single one of them cannot be split.

    Raises:  ValueError if the share is not between 0 and 1, or a part would be empty
    """
    if not 0 < validation_share < 1:
        raise ValueError(f"validation_share is {validation_share}; it must lie between 0 and 1")
    by_characters = len(documents) == 1 and isinstance(documents[0], str)
    size = len(documents[0]) if by_characters else len(documents)
    held_out = max(round(size * validation_share), 1)
    if size < 2 or held_out >= size:
        unit = "character(s)" if by_characters else "document(s)"
        raise ValueError(f"{size} {unit} cannot be split into training and validation data "
                         f"with a share of {validation_share}; use more data")
    if by_characters:
        return [documents[0][:-held_out]], [documents[0][-held_out:]]
    chosen = np.zeros(size, dtype=bool)
    chosen[rng.permutation(size)[:held_out]] = True
    return ([text for text, held in zip(documents, chosen) if not held],
            [text for text, held in zip(documents, chosen) if held])
