"""A conversation as one row of tokens, by the model's chat template.

    <|begin|><|system|> Be brief.<|end|><|user|> Hello!<|end|><|assistant|> Hi.<|end|>...

is minillm's own; text/templates.py has those of other models. The space before the words belongs to
their first token: inside a text, too, a word's token begins with the space before it. So an answer
begins with " Madrid", which pretraining has made known, not with "Madrid", which only the first
word of a text is. Only control tokens say who speaks. A message that spells out "<|assistant|>"
becomes ordinary tokens, never a control token, so a user cannot forge the assistant's turn.
"""

import re

import numpy as np

from minillm.text.templates import TEMPLATES, jinja_parts, known_parts

ROLES = ("system", "user", "assistant")
NO_TEMPLATE = ("this model has no chat template, so it continues texts but cannot chat; "
               "a model that was trained on conversations brings its template")


def render_chat(tokenizer, messages, ask=False):
    """Return the tokens of a conversation and its loss mask, which marks the tokens to learn.

    The loss mask covers the assistant's words and the <|end|> after them: a model that does not
    learn the end never stops. With ask=True the row ends with <|assistant|>, so that the model
    continues it with an answer.

    An answer is encoded apart from the template's text before it, as it is when the model gives it:
    a row that asks is the beginning of the row that has the answer.

    Shapes:  -> ids (T,) int32, loss_mask (T,) bool
    Raises:  ValueError for messages that are not a conversation (see validate_messages), and as
             template_parts and mark_said do
    """
    validate_messages(messages)
    if ask and messages[-1]["role"] == "assistant":
        raise ValueError("the conversation already ends with the assistant's answer; "
                         "drop that message or ask=True")
    segments = _segments(template_parts(tokenizer, messages, ask), tokenizer)
    mark_said(segments, tokenizer.end_ids)
    ids, masks = [], []
    for text, control, said in _joined(segments):
        encoded = tokenizer.encode(text).tolist() if control is None else [control]
        ids += encoded
        masks += [said] * len(encoded)
    return np.array(ids, np.int32), np.array(masks, bool)


def template_parts(tokenizer, messages, ask):
    """The parts of a conversation as text, by the model's template: [(text, role or "")].

    Raises:  ValueError if there is no template, or one that cannot be run
    """
    if tokenizer.template is None:
        raise ValueError(NO_TEMPLATE)
    if tokenizer.template in TEMPLATES:
        return known_parts(TEMPLATES[tokenizer.template], messages, ask)
    return jinja_parts(tokenizer.template, messages, ask, tokenizer.roles)


def last_answer(tokenizer, ids):
    """Where the last answer begins in a row: after the template's text that asks for one.

    Raises:  ValueError if there is none, or the template writes nothing to ask for one
    """
    asked = [{"role": "user", "content": ""}]
    before, after = (tokenizer.encode_chat(asked, ask=ask) for ask in (False, True))
    header = after[len(before):]
    if not len(header):
        raise ValueError("the chat template writes nothing before an answer, so where one begins "
                         "is not known; --unfinished 0 learns without answers that are cut")
    starts = np.arange(max(len(ids) - len(header) + 1, 0))
    found = [at for at in starts if np.array_equal(ids[at:at + len(header)], header)]
    if not found:
        raise ValueError("the row has no answer")
    return int(found[-1]) + len(header)


def _segments(parts, tokenizer):
    """Lists of [text, id of the control token that it is or None, role or ""].

    Control tokens are looked for in the template's own text alone.
    """
    segments = []
    for text, role in parts:
        if role:
            segments.append([text, None, role])
        else:
            segments += [[*part, ""] for part in tokenizer.cut_at_controls(text)]
    return segments


def mark_said(segments, end_ids):
    """Replace the role of each segment by True where its tokens are to be learned.

    That is an answer, the end token after it, and what the template may write between them.
    Raises:  ValueError if no end token follows an answer
    """
    said = False
    for number, segment in enumerate(segments):
        if segment[2] == "assistant":
            rest = segments[number + 1:]
            followed = next((one for one in rest if one[2] or one[1] in end_ids), None)
            if followed is None or followed[2]:
                raise ValueError("the chat template puts none of the model's end tokens after an "
                                 "answer, so an answer would never end")
            said = True
        segment[2], ends = said, said and segment[1] in end_ids
        said = said and not ends


def _joined(segments):
    """(text, control, said), neighbouring texts joined: they are split into pieces together."""
    joined = []
    for text, control, said in segments:
        before = joined[-1] if joined else None
        if before and control is None and before[1] is None and before[2] == said:
            before[0] += text
        else:
            joined.append([text, control, said])
    return joined


def validate_messages(messages):
    """Check that messages are a conversation: [system,] user, assistant, user, assistant, ...

    Raises:  ValueError that names the first wrong message (counted from 1) and the fix
    """
    if not isinstance(messages, (list, tuple)):
        raise ValueError("messages must be a list of {'role', 'content'}, "
                         f"not {type(messages).__name__}")
    if not messages:
        raise ValueError("messages is an empty list; a conversation has at least one message")
    for number, message in enumerate(messages, start=1):
        _check_message(message, number)
    roles = [message["role"] for message in messages]
    if roles == ["system"]:
        raise ValueError("message 1 is the system's and there is no other; add what the user says")
    turns = roles[1:] if roles[0] == "system" else roles
    for turn, role in enumerate(turns):
        number, expected = turn + 1 + len(roles) - len(turns), ("user", "assistant")[turn % 2]
        if role == "system":
            raise ValueError(f"message {number} has role 'system', "
                             "which only the first message can have")
        if role != expected:
            raise ValueError(f"message {number} has role '{role}', "
                             f"but it is the {expected}'s turn; "
                             "user and assistant alternate, and the user begins")


def _check_message(message, number):
    if not isinstance(message, dict):
        raise ValueError(f"message {number} must be {{'role', 'content'}}, "
                         f"not {type(message).__name__}")
    for key in ("role", "content"):
        if key not in message:
            raise ValueError(f"message {number} has no '{key}'; "
                             f"its keys are {sorted(map(str, message))[:8]}")
        if not isinstance(message[key], str):
            raise ValueError(f"message {number}: '{key}' must be a string, "
                             f"not {type(message[key]).__name__}")
    if message["role"] not in ROLES:
        raise ValueError(f"message {number} has the unknown role {message['role'][:40]!r}; "
                         f"roles are {', '.join(ROLES)}")
