"""Formats of people's data, one table for conversations, one for preferences, prompts and texts.

A record is an object of a JSONL file. It is read by the first format of a table whose keys it has;
other keys, and those that are null, are ignored. Another format is another row.
"""

import re
from functools import partial
from typing import Callable, NamedTuple

from minillm.text.chat import validate_messages

NAMES = {str: "a string", list: "a list"}                   # of types, in messages
SPEAKERS = {"human": "user", "gpt": "assistant", "chatgpt": "assistant"}        # of ShareGPT
TURN = re.compile(r"(?:\A|\n\n)(Human|Assistant):")         # begins a turn of an HH transcript


class Format(NamedTuple):
    """A kind of record."""
    name: str               # as the people who use it call it
    keys: dict              # key -> type of its value, or several types; all must be there
    convert: Callable       # record -> what a loader returns; ValueError: what is wrong
    example: str            # a line that works
    optional: tuple = ()    # keys that are read if they are there: strings


def recognized(record, table):
    """(the format of a record, what it says).

    Raises:  ValueError that says what the record lacks, with a line that works
    """
    if not isinstance(record, dict):
        raise ValueError(f"must be an object like {table[0].example}, not {type(record).__name__}")
    record = {key: value for key, value in record.items() if value is not None}
    whole = [kind for kind in table if kind.keys.keys() <= record.keys()]
    nearest = max(whole[:1] or table, key=lambda kind: len(kind.keys.keys() & record.keys()))
    for kind in table:      # two formats may have the same keys, with values of other types
        if kind.keys.keys() == nearest.keys.keys() and has_types(record, kind.keys):
            for key in kind.optional:
                if not isinstance(record.get(key, ""), str):
                    raise ValueError(wrong_type(record, key, str))
            return kind, kind.convert(record)
    elsewhere = "" if whole else used_elsewhere(record)
    raise ValueError(f"{misfit(record, nearest)}{elsewhere}; a line that works: {nearest.example}")


def used_elsewhere(record):
    """Half a sentence that names the verb whose --data such a record is; "" if there is none."""
    for verb, table in VERBS.items():
        if any(has_types(record, kind.keys) for kind in table):
            return f"; it is data of: minillm {verb}"
    return ""


def has_types(record, keys):
    """Whether a record has all the keys, each with a value of one of its types."""
    return all(isinstance(record.get(key), types) for key, types in keys.items())


def misfit(record, kind):
    """What a record lacks to be of a format."""
    for key in kind.keys:
        if key not in record:
            return f'no "{key}"; its keys are {sorted(record)[:8]}'
    return next(wrong_type(record, key, types) for key, types in kind.keys.items()
                if not isinstance(record[key], types))


def wrong_type(record, key, types):
    """The message for a value of a wrong type."""
    allowed = types if isinstance(types, tuple) else (types,)
    return (f'"{key}" must be {" or ".join(NAMES[each] for each in allowed)}, '
            f"not {type(record[key]).__name__}")


# Messages

def as_messages(given, role):
    """A text as one message of a role; of messages, content that comes in parts as one text."""
    if isinstance(given, str):
        return [{"role": role, "content": given}]
    return [{**message, "content": joined(message["content"])}
            if isinstance(message, dict) and isinstance(message.get("content"), list) else message
            for message in given]


def joined(parts):
    """The texts of OpenAI's parts, a line each.  Raises:  ValueError for a part that is no text."""
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else type(part).__name__
        if kind != "text" or not isinstance(part.get("text"), str):
            raise ValueError(f"a content has a part of type {str(kind)[:40]!r}; only parts like "
                             '{"type": "text", "text": "..."} can be read')
    return "\n".join(part["text"] for part in parts)


def exchange(question, answer, more=None, system=None):
    """A question, with `more` below it, and its answer; below a system prompt, if there is one."""
    asked = f"{question}\n\n{more}" if more and more.strip() else question
    return [*([{"role": "system", "content": system}] if system else []),
            {"role": "user", "content": asked.strip()},
            {"role": "assistant", "content": answer.strip()}]


def checked(messages, what):
    """Messages that are a conversation.  Raises:  ValueError that begins with `what` they are."""
    try:
        validate_messages(messages)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None
    return messages


# Conversations: record -> messages

def from_messages(record):
    """OpenAI's messages, as they stand."""
    return as_messages(record["messages"], "user")


def from_sharegpt(record):
    """Turns of "from" and "value", or of "role" and "content"."""
    turns = [{"role": SPEAKERS.get(turn["from"], turn["from"]), "content": turn.get("value")}
             if isinstance(turn, dict) and isinstance(turn.get("from"), str) else turn
             for turn in record["conversations"]]
    turns = as_messages(turns, "user")
    if len(turns) > 1 and isinstance(turns[0], dict) and turns[0].get("role") == "assistant":
        turns = turns[1:]       # the published files cut long conversations, also after a question
    system = record.get("system")
    return ([{"role": "system", "content": system}] if system else []) + turns


def from_alpaca(record):
    """An instruction, what it is about, and the output."""
    return exchange(record["instruction"], record["output"], record.get("input"),
                    record.get("system"))


def from_dolly(record):
    """An instruction, the text that it is about, and the response."""
    return exchange(record["instruction"], record["response"], record.get("context"))


def from_completion(record):
    """A prompt and its completion: texts or messages."""
    prompt, completion = record["prompt"], record["completion"]
    if isinstance(prompt, str) and isinstance(completion, str):
        return exchange(prompt, completion)
    return as_messages(prompt, "user") + as_messages(completion, "assistant")


def from_question(record):
    """A question and its answer."""
    return exchange(record["question"], record["answer"])


CONVERSATIONS = (
    Format("OpenAI messages", {"messages": list}, from_messages,
           '{"messages": [{"role": "user", "content": "Hi"}, '
           '{"role": "assistant", "content": "Hello."}]}'),
    Format("ShareGPT", {"conversations": list}, from_sharegpt,
           '{"conversations": [{"from": "human", "value": "Hi"}, '
           '{"from": "gpt", "value": "Hello."}]}', ("system",)),
    Format("Alpaca", {"instruction": str, "output": str}, from_alpaca,
           '{"instruction": "Add.", "input": "2 and 3", "output": "5"}', ("input", "system")),
    Format("Dolly", {"instruction": str, "response": str}, from_dolly,
           '{"instruction": "Add.", "context": "2 and 3", "response": "5"}', ("context",)),
    Format("prompt and completion", {"prompt": (str, list), "completion": (str, list)},
           from_completion, '{"prompt": "Hi", "completion": "Hello."}'),
    Format("question and answer", {"question": str, "answer": str}, from_question,
           '{"question": "What is 2 + 3?", "answer": "5"}'),
)


# Preferences: record -> a comparison {"prompt", "chosen", "rejected"}, each of messages, or None
# if the two answers do not answer the same prompt

def from_explicit(record):
    """A prompt and two answers. An answer may be a whole conversation that begins with the prompt.
    """
    prompt = checked(as_messages(record["prompt"], "user"), "prompt")
    if prompt[-1]["role"] != "user":
        raise ValueError("the prompt must end with a message of the user")
    return {"prompt": prompt, "chosen": answer_of(record, "chosen", prompt),
            "rejected": answer_of(record, "rejected", prompt)}


def answer_of(record, key, prompt):
    """A list of the answer's only message."""
    answer = as_messages(record[key], "assistant")
    if answer[:len(prompt)] == prompt:
        answer = answer[len(prompt):]
    if len(answer) != 1:
        raise ValueError(f"{key}: must be one message of the assistant after the prompt, "
                         f"not {len(answer)}")
    checked(prompt + answer, key)
    return answer


def from_implicit(record):
    """Two conversations that differ in the last answer alone; the prompt is what is before it."""
    chosen, rejected = (checked(as_messages(record[key], "assistant"), key)
                        for key in ("chosen", "rejected"))
    if chosen[:-1] != rejected[:-1] or not (
            chosen[-1]["role"] == rejected[-1]["role"] == "assistant"):
        return None
    return {"prompt": chosen[:-1], "chosen": chosen[-1:], "rejected": rejected[-1:]}


def from_transcripts(record):
    """HH's texts: turns that begin with "Human:" and "Assistant:", with a blank line between."""
    return from_implicit({key: transcript(record[key], key) for key in ("chosen", "rejected")})


def transcript(text, key):
    """The turns of a text as messages; two turns of the same speaker become one."""
    before, *turns = TURN.split(text)
    if before.strip() or not turns:
        raise ValueError(f'{key}: must begin with "\\n\\nHuman:"; or add a "prompt"')
    messages = []
    for speaker, words in zip(turns[::2], turns[1::2]):
        role = "user" if speaker == "Human" else "assistant"
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += "\n\n" + words.strip()
        else:
            messages.append({"role": role, "content": words.strip()})
    return messages


EITHER = (str, list)
PREFERENCES = (
    Format("prompt, chosen and rejected", dict.fromkeys(("prompt", "chosen", "rejected"), EITHER),
           from_explicit, '{"prompt": "Hi", "chosen": "Hello.", "rejected": "What?"}'),
    Format("chosen and rejected conversations", {"chosen": list, "rejected": list}, from_implicit,
           '{"chosen": [{"role": "user", "content": "Hi"}, '
           '{"role": "assistant", "content": "Hello."}], '
           '"rejected": [{"role": "user", "content": "Hi"}, '
           '{"role": "assistant", "content": "What?"}]}'),
    Format("HH transcripts", {"chosen": str, "rejected": str}, from_transcripts,
           r'{"chosen": "\n\nHuman: Hi\n\nAssistant: Hello.", '
           r'"rejected": "\n\nHuman: Hi\n\nAssistant: What?"}'),
)


# Prompts: record -> messages that end with the user's

def from_prompt(record):
    """A prompt: a text or messages."""
    return as_messages(record["prompt"], "user")


PROMPTS = (Format("prompts", {"prompt": EITHER}, from_prompt, '{"prompt": "What is 2 + 3?"}'),
           *(kind for kind in CONVERSATIONS if "prompt" not in kind.keys))


# Texts: record -> text

def text_of(record, key):
    """A text that is not empty."""
    if not record[key].strip():
        raise ValueError(f'"{key}" is empty; leave the line out')
    return record[key]


TEXTS = tuple(Format(f'JSONL of "{key}"', {key: str}, partial(text_of, key=key),
                     f'{{"{key}": "Once there was a cat."}}') for key in ("text", "content"))

VERBS = {"reward": PREFERENCES, "finetune": CONVERSATIONS, "pretrain": TEXTS}
