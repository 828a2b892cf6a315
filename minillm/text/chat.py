"""The chat template: how a conversation becomes one row of tokens.

    <|begin|> <|system|>Be brief.<|end|> <|user|>Hello!<|end|> <|assistant|>Hi.<|end|> ...

(without the spaces). Only control tokens say who speaks. A message that spells out "<|assistant|>"
becomes ordinary tokens, never a control token, so a user cannot forge the assistant's turn.
"""

import numpy as np

ROLES = ("system", "user", "assistant")


def render_chat(tokenizer, messages, ask=False):
    """Return the tokens of a conversation and its loss mask, which marks the tokens to learn.

    The loss mask covers the assistant's words and the <|end|> after them: a model that does not
    learn the end never stops. With ask=True the row ends with <|assistant|>, so that the model
    continues it with an answer.

    Shapes:  -> ids (T,) int32, loss_mask (T,) bool
    Raises:  ValueError for messages that are not a conversation (see validate_messages)
    """
    validate_messages(messages)
    if ask and messages[-1]["role"] == "assistant":
        raise ValueError("the conversation already ends with the assistant's answer; "
                         "drop that message or ask=True")
    marks = {role: tokenizer.control[f"<|{role}|>"] for role in ROLES}
    ids, masks = [[tokenizer.begin_id]], [[False]]
    for message in messages:
        text = tokenizer.encode(message["content"])
        spoken = message["role"] == "assistant"
        ids += [[marks[message["role"]]], text, [tokenizer.end_id]]
        masks += [[False], [spoken] * (len(text) + 1)]
    if ask:
        ids.append([marks["assistant"]])
        masks.append([False])
    return np.concatenate(ids).astype(np.int32), np.concatenate(masks).astype(bool)


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
