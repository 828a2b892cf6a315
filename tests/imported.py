"""A small tokenizer as other projects write it, made without their libraries."""

import json

from minillm.formats.byte_level import BYTE_TO_CHARACTER, spelled
from minillm.formats.splitters import SPLITTERS

# "llo" is made in two ways, of which the first is a merge of a token that a later merge makes; "low" is never made.
MERGES = [(b"h", b"e"), (b"l", b"l"), (b"o", b"w"), (b"l", b"o"), (b"he", b"llo"), (b"l", b"lo"), (b"ll", b"o"), (b" ", b"w"),
          (b"1", b"2"), (b"\n", b"\n"), (b"\xc3", b"\xa9"), (b"lo", b"w")]
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
FLAGS = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}


def content(place="start", splitter="gpt2", missing=b"", control=CONTROL, whole=False, begin=None):
    """The content of tokenizer.json; place: where the control tokens are."""
    names = [name for byte, name in BYTE_TO_CHARACTER.items() if byte not in missing]
    names += dict.fromkeys(spelled(left + right) for left, right in reversed(MERGES))
    at = {"start": 0, "middle": 99, "end": len(names)}[place]
    names[at:at] = control
    put = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": begin, "type_id": 0}},
                                                    {"Sequence": {"id": "A", "type_id": 0}}]}
    return {"version": "1.0", "added_tokens": [{"id": names.index(name), "content": name, **FLAGS} for name in control],
            "normalizer": None, "pre_tokenizer": SPLITTERS[splitter].written,
            "post_processor": {"type": "ByteLevel"} if begin is None else {"type": "Sequence", "processors": [
                {"type": "ByteLevel"}, put]},
            "decoder": {"type": "ByteLevel"},
            "model": {"type": "BPE", "unk_token": None, "continuing_subword_prefix": "", "ignore_merges": whole,
                      "vocab": {name: i for i, name in enumerate(names)},
                      "merges": [f"{spelled(left)} {spelled(right)}" for left, right in MERGES]}}


SETTINGS = {"bos_token": "<|im_start|>", "eos_token": {"content": "<|im_end|>"}, "pad_token": "<|endoftext|>"}


def write(folder, made=None, settings=SETTINGS, **files):
    """Write tokenizer.json and the settings beside it; files: name -> content of NAME.json."""
    for name, data in {"tokenizer": made or content(), "tokenizer_config": settings, **files}.items():
        (folder / f"{name}.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return folder / "tokenizer.json"


def metadata(**changes):
    """The same as GGUF has it; changes: of keys without "tokenizer.ggml."."""
    made = content()
    names = list(made["model"]["vocab"])
    found = {"model": "gpt2", "pre": "gpt-2", "tokens": names, "token_type": [3 if name in CONTROL else 1 for name in names],
             "merges": made["model"]["merges"], "bos_token_id": 1, "eos_token_id": 2, "padding_token_id": 0,
             "add_bos_token": False, **changes}
    return {f"tokenizer.ggml.{key}": value for key, value in found.items() if value is not None}
