"""Read text, conversations and preferences from files.

Every error is one line that names the file, the line number in a JSONL file, and the fix.
"""

import json
from pathlib import Path

import numpy as np

from minillm.formats.json_file import unique_keys
from minillm.text.chat import validate_messages
from minillm.text.files import TEXT_SUFFIXES, read_folder, read_text
from minillm.text.pieces import replace_surrogates

LINES = (".jsonl", ".ndjson")   # endings of files with one JSON value a line
LIST = ".json"                  # ending of files with a JSON list of such values


def unsaid(line):
    """The default `note`: no word, because a command says once what it leaves out."""


def load_documents(path, note=unsaid):
    """Return the documents of a text file, a folder or a JSONL file, as a list of strings.

    A text file is one document. A line of .jsonl or .ndjson, or an item of a list in .json, is one
    document {"text": ...}. A folder has one document for each .txt, .md and .py file in it and its
    subfolders, sorted by path. Line ends become \\n.
    note: called with a line on what was read and skipped in a folder, and one for each text file
    that could not be read.

    Raises:  ValueError that names the file and the fix
    """
    path = Path(path)
    if path.is_dir():
        found = read_folder(path)
        if not found.texts:
            raise ValueError(f"{path}: no text in this folder ({found}); "
                             f"it needs {', '.join(TEXT_SUFFIXES)} files that are not empty"
                             + "".join(f"; {line}" for line in found.broken[:1]))
        for line in found.broken:
            note(f"left out: {line}")
        note(f"{path}: {found}")
        return found.texts
    if path.suffix.lower() in (*LINES, LIST):
        return [_get(record, "text", str, where) for where, record in records(path)]
    return [read_text(path)]


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

    A file that ends in .json is one list, and gives ("FILE, item N", value). Half a surrogate pair,
    which JSON can spell and UTF-8 cannot encode, becomes U+FFFD.
    torn_end: leave out a broken last line that has no line end: its writer was stopped there.

    Raises:  ValueError that names the file, the line and the fix
    """
    path = Path(path)
    text = read_text(path)
    if path.suffix.lower() == LIST:
        items = _parsed(text, path, f"a {LIST} file must be one JSON list; if each line is a "
                                    f"value, name the file {LINES[0]}")
        if not isinstance(items, list):
            raise ValueError(f"{path}: must be a list like [{{...}}, {{...}}], not "
                             f"{type(items).__name__}; with one value a line, name it {LINES[0]}")
        if not items:
            raise ValueError(f"{path}: is an empty list; give a file with data")
        yield from ((f"{path}, item {number}", item) for number, item in enumerate(items, start=1))
        return
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        if line.strip() and not (torn_end and number == len(lines) and is_torn(line)):
            where = f"{path}, line {number}"
            yield where, _parsed(line, where, "each line must be one whole JSON value")


def is_torn(line):
    """Whether the last line of a JSONL file, which has no line end, was cut off."""
    try:
        json.loads(line)
    except ValueError:
        return bool(line.strip())
    return False


def _parsed(text, where, rule):
    """The value of a JSON text."""
    try:
        return _encodable(json.loads(text, object_pairs_hook=unique_keys))
    except RecursionError:
        raise ValueError(f"{where}: lists or objects are nested too deeply; flatten them") from None
    except ValueError as error:
        if not isinstance(error, json.JSONDecodeError):
            raise ValueError(f"{where}: {error}") from None
        raise ValueError(f"{where}: broken JSON ({error.msg} at column {error.colno}); "
                         f"{rule}") from None


def _encodable(value):
    """The value, each text in it without surrogates."""
    if isinstance(value, str):
        return replace_surrogates(value)
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {replace_surrogates(key): _encodable(item) for key, item in value.items()}
    return value


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
