"""Read text, conversations, preferences and prompts from files.

Which records are understood is in record_formats.py. Every error is one line that names the file,
the line number in a JSONL file, and the fix.
"""

import json
from collections import Counter
from pathlib import Path

import numpy as np

from minillm.formats.json_file import unique_keys
from minillm.text.chat import validate_messages
from minillm.text.files import TEXT_SUFFIXES, read_folder, read_text
from minillm.text.pieces import replace_surrogates
from minillm.text.record_formats import CONVERSATIONS, PREFERENCES, PROMPTS, TEXTS, recognized

LINES = (".jsonl", ".ndjson")   # endings of files with one JSON value a line
LIST = ".json"                  # ending of files with a JSON list of such values


def unsaid(line):
    """The default `note`: no word, because a command says once what it leaves out."""


def load_documents(path, note=unsaid):
    """Return the documents of a text file, a folder or a JSONL file, as a list of strings.

    A text file is one document. A line of .jsonl or .ndjson, or an item of a list in .json, is one
    document {"text": ...}. A folder has one document for each .txt, .md and .py file in it and its
    subfolders, sorted by path. Line ends become \\n.
    note: called with a line that says as what the path was read, and one for each text file in a
    folder that could not be read.

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
        return read_as(path, TEXTS, "texts", note)
    text = read_text(path)
    note(f"1 text of {len(text):,} characters, read as plain text")
    return [text]


def load_conversations(path, note=unsaid):
    """Return the conversations of a JSONL file as lists of {"role", "content"}.

    Each needs at least one message of the assistant, because fine-tuning learns only from those.
    note: called with a line that says as what the records were read

    Raises:  ValueError that names the file, the line and the fix
    """
    def learnable(messages):
        validate_messages(messages)
        if not any(message["role"] == "assistant" for message in messages):
            raise ValueError("no message of the assistant, so nothing to learn from; "
                             "add its answer")
        return messages
    return read_as(path, CONVERSATIONS, "conversations", note, learnable)


def load_preferences(path, note=unsaid):
    """Return the comparisons of a JSONL file: {"prompt", "chosen", "rejected"}, each of messages.

    Each answer is a list of one assistant message. Pairs of conversations that differ before their
    last answers compare no two answers to one prompt; they are left out.
    note: called with a line that says as what the records were read, and one on those left out

    Raises:  ValueError that names the file, the line and the fix
    """
    return of_one_prompt(path, read_as(path, PREFERENCES, "preference pairs", note), note)


def of_one_prompt(path, pairs, note):
    """The pairs without None, which stands for two answers to different prompts."""
    found = [pair for pair in pairs if pair is not None]
    if pairs and not found:
        raise ValueError(f"{path}: chosen and rejected differ before the last answer in every "
                         "pair; they must be two answers to the same prompt")
    if len(found) < len(pairs):
        note(f"{len(pairs) - len(found):,} of {len(pairs):,} preference pairs differ before the "
             "last answer and were left out")
    return found


def load_asked(path, note=unsaid):
    """Return what a policy is asked, as records of "prompt" (messages) and perhaps more: those of
    load_preferences, or of load_prompts.

    note: called with a line that says as what the records were read

    Raises:  ValueError that names the file, the line and the fix
    """
    def asked(value):
        is_pair = value is None or isinstance(value, dict)
        return value if is_pair else {"prompt": without_answer(value)}
    records = read_as(path, (*PREFERENCES, *PROMPTS), "prompts", note, asked)
    return of_one_prompt(path, records, note)


def load_prompts(path, note=unsaid):
    """Return the prompts of a JSONL file, as messages of which the user's is the last.

    A record has a "prompt", or is a conversation; the answer at its end is dropped.
    note: called with a line that says as what the records were read

    Raises:  ValueError that names the file, the line and the fix
    """
    return read_as(path, PROMPTS, "prompts", note, without_answer)


def without_answer(messages):
    """Messages without an answer at their end.  Raises:  ValueError for what is no conversation"""
    validate_messages(messages)
    messages = messages[:-1] if messages[-1]["role"] == "assistant" else messages
    validate_messages(messages)
    return messages


def read_as(path, table, what, note=unsaid, check=lambda value: value):
    """What each record of a file says, by the first format of the table that it has.

    Records of several formats may stand in one file: each says itself what it is.
    check(what a record says) returns it, or raises a ValueError.
    note: called with a line that counts the records of each format
    """
    found, counts = [], Counter()
    for where, record in records(path):
        try:
            kind, value = recognized(record, table)
            found.append(check(value))
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        counts[kind.name] += 1
    names = list(counts) if len(counts) < 2 else [f"{name} ({number:,})"
                                                  for name, number in counts.items()]
    note(f"{len(found):,} {what.removesuffix('s') if len(found) == 1 else what}, "
         f"read as {', '.join(names)}")
    return found


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
