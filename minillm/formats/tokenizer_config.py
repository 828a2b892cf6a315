"""tokenizer_config.json and generation_config.json: how Hugging Face's libraries use the model.

With them, those libraries give the ids and answers that minillm gives, but for three things that no
file can change. They look for control tokens in any text and in a whole rendered conversation, so
a message that spells out "<|assistant|>" becomes a control token there and ordinary tokens here:
take such spellings out of messages that are not your own. (split_special_tokens=True splits those
of the template too.) They drop a character that a "characters" vocabulary does not have. And the
text of an answer begins with a space there: it belongs to the first token (text/chat.py).
"""

from minillm.config import require
from minillm.formats.imported_tokenizer import ids_of_settings, settings_of
from minillm.formats.json_file import read_json
from minillm.formats.tokenizer_json import CONTROL

SPECIAL = {"bos_token": "<|begin|>", "eos_token": "<|end|>", "pad_token": "<|pad|>"}
SPECIAL_IDS = {f"{role}_id": CONTROL.index(name) for role, name in SPECIAL.items()}

# text/chat.render_chat as a Jinja template, with its checks: the system may speak first, then user
# and assistant take turns, and an answer is asked for only after the user. No space stands before
# the words: in a vocabulary of characters it would be a token more, and no first word would gain.
CHARACTERS_TEMPLATE = """\
{%- if not messages -%}
    {{- raise_exception("a conversation has at least one message") -}}
{%- endif -%}
{%- set first = 1 if messages[0]["role"] == "system" else 0 -%}
{%- if messages | length == first -%}
    {{- raise_exception("there is no message but the system's") -}}
{%- endif -%}
{{- "<|begin|>" -}}
{%- for message in messages -%}
    {%- set turn = (loop.index0 - first) % 2 -%}
    {%- set role = "system" if loop.index0 < first else ("user", "assistant")[turn] -%}
    {%- if message["role"] != role -%}
        {{- raise_exception("user and assistant alternate, and the user begins") -}}
    {%- endif -%}
    {{- "<|" + role + "|>" + message["content"] + "<|end|>" -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {%- if messages[-1]["role"] == "assistant" -%}
        {{- raise_exception("the conversation already ends with the assistant's answer") -}}
    {%- endif -%}
    {{- "<|assistant|>" -}}
{%- endif -%}"""

# With a space before the words of each message, which becomes part of their first token.
BPE_TEMPLATE = CHARACTERS_TEMPLATE.replace('"|>" + message', '"|> " + message')
CHAT_TEMPLATES = {"bpe": BPE_TEMPLATE, "characters": CHARACTERS_TEMPLATE}   # by kind of vocabulary


def tokenizer_config(tokenizer, context):
    """The contents of tokenizer_config.json; context: the longest sequence, in tokens."""
    if tokenizer.imported:
        return {**settings_of(tokenizer.imported), "model_max_length": context}
    return {"tokenizer_class": "PreTrainedTokenizerFast", **SPECIAL, "model_max_length": context,
            "model_input_names": ["input_ids", "attention_mask"], "padding_side": "left",
            "clean_up_tokenization_spaces": False,
            "chat_template": tokenizer.chat_template or CHAT_TEMPLATES[tokenizer.kind]}


def other_template(folder, kind):
    """The chat template that the files of a folder have in place of the one of their kind of
    vocabulary; None if there is none. Models that an earlier version trained have one.
    """
    path = folder / "tokenizer_config.json"
    source = read_json(path).get("chat_template") if path.is_file() else None
    require(source is None or isinstance(source, str), f"{path}: 'chat_template' is no text")
    return source if source != CHAT_TEMPLATES[kind] else None


def generation_config(tokenizer):
    """The contents of generation_config.json: the likeliest token each time, up to <|end|>."""
    if tokenizer.imported:
        return {**ids_of_settings(tokenizer), "do_sample": False}
    return {**SPECIAL_IDS, "do_sample": False}
