"""Chat templates: how a conversation becomes text, in the manner of the model that is imported.

A few are known by name, as data. Any other is a source in Jinja, which text/sandbox runs.
"""

import re
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from minillm.config import require
from minillm.formats.tokenizer_config import BPE_TEMPLATE, CHARACTERS_TEMPLATE
from minillm.text.sandbox import Refused, render


class Template(NamedTuple):
    """What stands around the words of each message."""
    source: str         # the same in Jinja, as the model's own files have it
    before: str         # before a message's words; {role} is who speaks. Spaces at its end belong
                        # to the words' first token, so the model writes those before its answer
    after: str          # after them: the end token, and what follows it
    start: str = ""     # before the first message
    system: str = ""    # what the system says where a conversation does not say it; "": nothing
    strips: bool = False    # blanks around a message's words are left out

    @property
    def header(self):
        """What stands before a message, without the spaces that belong to its first token."""
        return self.before.rstrip(" ")

    @property
    def indent(self):
        """The spaces that belong to the first token of a message."""
        return self.before[len(self.header):]


class Part(NamedTuple):
    """A part of a conversation as text."""
    text: str
    role: str = ""      # whose words they are; "" for the template's own


SMOLLM2_SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
CHATML = ("{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + "
          "message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}"
          "{{ '<|im_start|>assistant\n' }}{% endif %}")
SMOLLM2 = CHATML.replace("%}{{'<|im", "%}{% if loop.first and messages[0]['role'] != 'system' %}"
                         "{{ '<|im_start|>system\n" + SMOLLM2_SYSTEM + "<|im_end|>\n' }}"
                         "{% endif %}{{'<|im", 1)
LLAMA3 = ("{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = "
          "'<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] "
          "| trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content "
          "%}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ "
          "'<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}")

TEMPLATES = {
    "minillm": Template(BPE_TEMPLATE, "<|{role}|> ", "<|end|>", start="<|begin|>"),
    "characters": Template(CHARACTERS_TEMPLATE, "<|{role}|>", "<|end|>", start="<|begin|>"),
    "chatml": Template(CHATML, "<|im_start|>{role}\n", "<|im_end|>\n"),
    "smollm2": Template(SMOLLM2, "<|im_start|>{role}\n", "<|im_end|>\n", system=SMOLLM2_SYSTEM),
    "llama3": Template(LLAMA3, "<|start_header_id|>{role}<|end_header_id|>\n\n", "<|eot_id|>",
                       start="<|begin_of_text|>", strips=True),
}


def indented(texts):
    """Messages with the space that minillm's template writes before them, for a vocabulary that is
    learned from them.
    """
    return [TEMPLATES["minillm"].indent + text for text in texts]


# A source that renders these as a known template does, is that template.
PROBES = [[{"role": role, "content": f" {role}'s {n}\n"} for n, role in enumerate(roles.split())]
          for roles in ("user", "system user", "user assistant", "system user assistant user",
                        "user assistant user assistant user")]

OPEN, CLOSE = "\U000f0000", "\U000f0001"    # private characters around the number of a message
STRIPS = (str, str.strip)                   # what a template may do to words


@lru_cache(8)
def name_of(source, names):
    """The name of the known template that a source is, or None; names: as pairs.

    Raises:  ValueError for a source that cannot be run
    """
    for name, template in TEMPLATES.items():
        if template.source == source:
            return name
    made = [_rendered(source, probe, dict(names)) for probe in PROBES]
    return next((name for name, template in TEMPLATES.items() if made == [
        "".join(part.text for part in known_parts(template, probe, _asks(probe)))
        for probe in PROBES]), None)


def _asks(messages):
    return messages[-1]["role"] != "assistant"


def _rendered(source, messages, names):
    """A probe as text, or None where the template refuses it, such as one without a system."""
    try:
        return render(source, messages, _asks(messages), names)
    except Refused:
        return None


def known_parts(template, messages, ask):
    """The parts of a conversation by a known template."""
    if template.system and messages[0]["role"] != "system":
        messages = [{"role": "system", "content": template.system}, *messages]
    parts, after, indent = [Part(template.start)], Part(template.after), template.indent
    for message in messages:
        words, role = message["content"], message["role"]
        words = words.strip() if template.strips else words
        parts += [header_of(template, role), Part(indent + words, role), after]
    return [*parts, header_of(template, "assistant")] if ask else parts


@lru_cache(64)
def header_of(template, role):
    """What a template writes before a message of this role."""
    return Part(template.header.format(role=role))


def jinja_parts(source, messages, ask, names):
    """The parts of a conversation by a template in Jinja.

    It is rendered twice: with the words, and with a private mark in place of each message's words,
    which says where they are. Both must give the same text, or the template does something to the
    words that cannot be followed; leaving out the blanks around them can be.

    Raises:  ValueError if the template cannot be run, or its words not be found
    """
    require(not any(mark in source for mark in (OPEN, CLOSE)),
            "the chat template has characters that are reserved")
    marks = [{**message, "content": f"{OPEN}{n}{CLOSE}"} for n, message in enumerate(messages)]
    split = re.split(f"{OPEN}([0-9]+){CLOSE}", render(source, marks, ask, names))
    whole = render(source, messages, ask, names)
    for strips in product(STRIPS, repeat=3):
        change = dict(zip(("system", "user", "assistant"), strips))
        parts = []
        for at, text in enumerate(split):
            message = messages[int(text)] if at % 2 else None
            parts.append(Part(change[message["role"]](message["content"]), message["role"])
                         if message else Part(text))
        if "".join(part.text for part in parts) == whole:
            return parts
    raise ValueError("the chat template changes what is said in a message, so minillm cannot tell "
                     "its words from the template's")
