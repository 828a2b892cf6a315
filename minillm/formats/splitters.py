"""How other tokenizers split text into pieces, each under its name.

The names of the splitters are minillm's. A piece is a match of the pattern. Files describe the same
pieces in their own terms: `written` is the "pre_tokenizer" of tokenizer.json, `ggml` lists the
values of "tokenizer.ggml.pre" in GGUF.
"""

from typing import NamedTuple

# As pre-tokenizer it writes bytes as characters, as decoder it reads them back.
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False,
              "use_regex": False}
BYTE_LEVEL_GPT2 = {**BYTE_LEVEL, "use_regex": True}     # it also splits as GPT-2 does

GPT2 = (r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
          r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
# The file says: each digit alone first, then what is between digits as GPT-2 does. So blanks before
# a digit are blanks at an end: none of them joins what follows.
SMOLLM = (r"\p{N}|'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?[^\s\p{L}\p{N}]+"
          r"|\s+(?![^\s\p{N}])|\s+")


def split_by(pattern):
    """The pre-tokenizer that splits by a regex, every match a piece."""
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated",
             "invert": False}
    return {"type": "Sequence", "pretokenizers": [split, BYTE_LEVEL]}


class Splitter(NamedTuple):
    """One way to split text."""
    pattern: str
    written: dict
    ggml: tuple


SPLITTERS = {
    "gpt2": Splitter(GPT2, BYTE_LEVEL_GPT2, ("gpt-2",)),
    "llama3": Splitter(LLAMA3, split_by(LLAMA3), ("llama-bpe", "llama3", "llama-v3")),
    "smollm": Splitter(SMOLLM, {"type": "Sequence", "pretokenizers": [
        {"type": "Digits", "individual_digits": True}, BYTE_LEVEL_GPT2]}, ("smollm",)),
}


def comparable(written):
    """A pre-tokenizer's JSON without what does not change the pieces, and with its defaults."""
    if isinstance(written, list):
        return [comparable(part) for part in written]
    if not isinstance(written, dict):
        return written
    defaults = {"use_regex": True} if written.get("type") == "ByteLevel" else {}
    return {**defaults, **{key: comparable(value) for key, value in written.items()
                           if key != "trim_offsets"}}


def splitter_of(written):
    """The name of the splitter that tokenizer.json describes, or None."""
    found = comparable(written)
    return next((name for name, one in SPLITTERS.items() if comparable(one.written) == found), None)


def splitter_of_ggml(name):
    """The name of the splitter that GGUF calls so, or None."""
    return next((ours for ours, one in SPLITTERS.items() if name in one.ggml), None)
