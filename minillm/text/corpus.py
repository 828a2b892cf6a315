"""Read text, conversations and preferences from files.

Every error is one line that names the file, the line number in a JSONL file, and the fix.
"""

import json
import os
from pathlib import Path

import numpy as np

from minillm.text.chat import validate_messages

TEXT_SUFFIXES = (".txt", ".md", ".py")


def load_documents(path):
    """Return the documents of a text file, a folder or a JSONL file, as a list of strings.

    A text file is one document. A line of JSONL is one document {"text": ...}. A folder has one
    document for each .txt, .md and .py file in it and its subfolders, sorted by path. Empty files,
    hidden files and hidden folders are skipped. Line ends become \\n.

    Raises:  ValueError that names the file and the fix
    """
    path = Path(path)
    if path.is_dir():
        files = _text_files(path)
        texts = [_read_text(file, may_be_empty=True) for file in files]
        documents = [text for text in texts if text.strip()]
        if not documents:
            raise ValueError(f"{path}: no text in this folder; "
                             f"it needs {', '.join(TEXT_SUFFIXES)} files "
                             f"that are not empty ({len(files)} found)")
        return documents
    if path.suffix.lower() == ".jsonl":
        return [_get(record, "text", str, where) for where, record in records(path)]
    return [_read_text(path)]


def _text_files(folder):
    """All text files below a folder, in the same order on every operating system."""
    found = []
    for place, folders, names in os.walk(folder, onerror=_unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in names
                  if name.lower().endswith(TEXT_SUFFIXES) and not name.startswith(".")]
    return sorted(found, key=lambda file: file.relative_to(folder).as_posix())


def _unreadable(error):
    raise ValueError(f"{error.filename}: cannot be read ({error.strerror}); "
                     "check the path and its rights")


def load_conversations(path):
    """Return the conversations of a JSONL file of {"messages": [{"role", "content"}, ...]} lines.

    Each needs at least one message of the assistant, because fine-tuning learns only from those.

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
    """Return the comparisons of a JSONL file: {"prompt", "chosen", "rejected"}, each of messages.

    The prompt may be a string (what the user says) or messages of which the user's is the last. An
    answer may be a string, a list of one assistant message, or a whole conversation that begins
    with the prompt. Each answer is returned as a list of one assistant message.

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
    """A list of the answer's only assistant message."""
    if isinstance(answer, str):
        return [{"role": "assistant", "content": answer}]
    if answer[:len(prompt)] == prompt:
        answer = answer[len(prompt):]
    if len(answer) != 1:
        raise ValueError(f"{where}: must be one message of the assistant after the prompt, "
                         f"not {len(answer)}")
    _checked(prompt + answer, where)
    return answer


def _checked(messages, where):
    """Return the messages if they are a conversation; otherwise raise an error with their place."""
    try:
        validate_messages(messages)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return messages


def _get(record, key, kinds, where):
    """The value of a key, after a check that it is there, of the right type, and not empty text."""
    if not isinstance(record, dict):
        raise ValueError(f"{where}: must be an object like {{\"{key}\": ...}}, "
                         f"not {type(record).__name__}")
    if key not in record:
        raise ValueError(f"{where}: no \"{key}\"; its keys are {sorted(record)[:8]}")
    if not isinstance(record[key], kinds):
        names = {str: "a string", list: "a list"}
        allowed = kinds if isinstance(kinds, tuple) else (kinds,)
        wanted = " or ".join(names[kind] for kind in allowed)
        raise ValueError(f"{where}: \"{key}\" must be {wanted}, not {type(record[key]).__name__}")
    if kinds is str and not record[key].strip():
        raise ValueError(f"{where}: \"{key}\" is empty; leave the line out")
    return record[key]


def records(path, torn_end=False):
    """Yield ("FILE, line N", value) for each line of a JSONL file that is not blank.

    torn_end: leave out a broken last line that has no line end: its writer was stopped there.
    """
    lines = _read_text(Path(path)).split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip() or (torn_end and number == len(lines) and is_torn(line)):
            continue
        where = f"{path}, line {number}"
        try:
            yield where, json.loads(line)
        except (ValueError, RecursionError) as error:
            place = f" at column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
            raise ValueError(f"{where}: broken JSON ({getattr(error, 'msg', error)}{place}); "
                             "each line must be one whole JSON value") from None


def is_torn(line):
    """Whether the last line of a JSONL file, which has no line end, was cut off."""
    try:
        json.loads(line)
    except ValueError:
        return bool(line.strip())
    return False


def _read_text(path, may_be_empty=False):
    """The text of a UTF-8 file without its byte order mark; line ends become \\n."""
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
        text = data.decode("utf-8").removeprefix("\ufeff")  # some editors write a byte order mark
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: invalid UTF-8 (byte 0x{data[error.start]:02x} "
                         f"at offset {error.start}); save it as UTF-8") from None
    if not text.strip() and not may_be_empty:
        raise ValueError(f"{path}: is empty; give a file with text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def split_documents(documents, validation_share, rng):
    """Split documents into (train, validation).

    Several documents, conversations or comparisons stay whole: a random share of them is for
    validation, and the rest keeps its order. A single text is cut in two: the end is for
    validation. A single conversation or comparison cannot be split.

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
