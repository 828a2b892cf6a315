"""tokenizer.json, in the format that the Hugging Face `tokenizers` library reads.

The format writes bytes as printable characters: a space is "Ġ", a line end "Ċ" (GPT-2's alphabet).
"""

import json
from pathlib import Path

from minillm.formats.byte_level import CHARACTER_TO_BYTE, spelled
from minillm.formats.durable import write_atomically
from minillm.formats.imported_tokenizer import ids_of_settings, parse_imported, settings_of
from minillm.formats.json_file import reading, read_json
from minillm.formats.splitters import BYTE_LEVEL, SPLITTERS, split_by

MOST_BYTES = 32 << 20       # 256,000 tokens take some 16 MB

# Control tokens, ids 0 to 5.
CONTROL = ("<|pad|>", "<|begin|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>")


def added(control):
    """The control tokens, which are found before the text is split.  control: {spelling: id}"""
    return [{"id": id, "content": name, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": False, "special": True} for name, id in control.items()]


ADDED = added({name: id for id, name in enumerate(CONTROL)})

# How merges are applied, beside the vocabulary and the merges themselves.
MODEL = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
         "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
         "ignore_merges": False}


def pre_tokenizers(pattern):
    """How each kind of vocabulary splits text, in the format's terms; pattern: a regex."""
    return {"bpe": split_by(pattern), "characters": BYTE_LEVEL}


def write_tokenizer(path, kind, tokens, merges, pattern):
    """Write a vocabulary: tokens are the bytes of each id, merges the pairs of ids."""
    names = [*CONTROL, *map(spelled, tokens[len(CONTROL):])]
    assert len(set(names)) == len(names), "two merges made the same token"
    write_content(path, names, merges, ADDED, pre_tokenizers(pattern)[kind])


def write_content(path, names, merges, added_tokens, pre_tokenizer, post_processor=None, **model):
    """Write a tokenizer.json; names: each id's token as it is spelled there."""
    content = {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": added_tokens,
        "normalizer": None,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": post_processor,
        "decoder": BYTE_LEVEL,
        "model": {**MODEL, **model,
                  "vocab": {name: i for i, name in enumerate(names)},
                  "merges": [f"{names[left]} {names[right]}" for left, right in merges]},
    }
    write_atomically(path, json.dumps(content, ensure_ascii=False, indent=1))


def write_imported(path, tokenizer):
    """Write a vocabulary that was imported, and beside it what says how it is used."""
    path, imported, begin = Path(path), tokenizer.imported, tokenizer.begin_id
    control = dict(sorted(imported.control.items(), key=lambda item: item[1]))
    by_id = {id: name for name, id in control.items()}
    names = [by_id.get(id) or spelled(token) for id, token in enumerate(imported.tokens)]
    write_content(path, names, tokenizer.merges, added(control),
                  SPLITTERS[imported.splitter].written,
                  BYTE_LEVEL if begin is None else _put_first(by_id[begin], begin),
                  ignore_merges=imported.whole)
    for name, settings in (("tokenizer_config.json", settings_of(imported)),
                           ("generation_config.json", ids_of_settings(tokenizer))):
        write_atomically(path.with_name(name), json.dumps(settings, indent=2) + "\n")


def _put_first(name, id):
    """The post-processor that puts a token before a text."""
    token = {"SpecialToken": {"id": name, "type_id": 0}}
    first, second = ({"Sequence": {"id": one, "type_id": n}} for n, one in enumerate("AB"))
    other = {"SpecialToken": {"id": name, "type_id": 1}}
    return {"type": "TemplateProcessing", "single": [token, first],
            "pair": [token, first, other, second],
            "special_tokens": {name: {"id": name, "ids": [id], "tokens": [name]}}}


def read_tokenizer(path, patterns):
    """Return the fields of a Tokenizer: its own kind of tokenizer.json, or another project's.

    patterns: the regexes by which a file of minillm may split.
    Raises:  ValueError "PATH: ..." of one line; OSError if it cannot be read
    """
    content = read_json(path, most=MOST_BYTES)
    with reading(path):
        kind = next((kind for pattern in patterns for kind, split in pre_tokenizers(pattern).items()
                     if split == content.get("pre_tokenizer")), None)
        if kind is None:
            return parse_imported(content, Path(path).parent)
        kind, alphabet, merges = _parse(content, kind)
        return {"kind": kind, "alphabet": alphabet, "merges": merges}


def _parse(content, kind):
    model = _get(content, "model", dict)
    if model.get("type") != "BPE" or content.get("normalizer") is not None:
        raise ValueError("it splits or normalizes text in another way")
    if content.get("added_tokens") != ADDED:
        raise ValueError(f"its added tokens are not {' '.join(CONTROL)}")
    for name, value in MODEL.items():
        if model.get(name, value) != value:
            raise ValueError(f"'{name}' is {model[name]!r}; minillm merges with {value!r} only")
    vocab, lines = _get(model, "vocab", dict), _get(model, "merges", list)
    names = sorted(vocab, key=lambda name: vocab[name] if type(vocab[name]) is int else -1)
    if [vocab[name] for name in names] != list(range(len(names))):
        raise ValueError("the ids of 'vocab' are not 0, 1, 2, ...")
    if tuple(names[:len(CONTROL)]) != CONTROL:
        raise ValueError(f"ids 0 to {len(CONTROL) - 1} are not {' '.join(CONTROL)}")
    letters = names[len(CONTROL):len(names) - len(lines)]
    if any(letter not in CHARACTER_TO_BYTE for letter in letters):
        raise ValueError("'vocab' and 'merges' do not belong together")
    alphabet = bytes(CHARACTER_TO_BYTE[letter] for letter in letters)
    if list(alphabet) != sorted(alphabet) or (kind == "bpe" and len(alphabet) != 256):
        raise ValueError("the single bytes of 'vocab' are not in order, or some are missing")
    first_id = len(CONTROL) + len(alphabet)
    merges = tuple(_parse_merge(line, vocab, first_id + r, names) for r, line in enumerate(lines))
    return kind, alphabet, merges


def _get(content, key, kind):
    if not isinstance(content, dict) or not isinstance(content.get(key), kind):
        raise ValueError(f"'{key}' is missing or has the wrong type")
    return content[key]


def _parse_merge(line, vocab, made, names):
    """A merge is "left right" or ["left", "right"]; its parts must exist before it."""
    parts = line.split(" ") if isinstance(line, str) else line
    if (not isinstance(parts, list) or len(parts) != 2
            or not all(isinstance(part, str) for part in parts)):
        raise ValueError(f"the merge that makes id {made} is not a pair of tokens")
    left, right = (vocab.get(part, made) for part in parts)
    earlier = len(CONTROL) <= min(left, right) <= max(left, right) < made
    if not earlier or names[made] != parts[0] + parts[1]:
        raise ValueError(f"the merge that makes id {made} does not join two tokens before it "
                         "into that token")
    return left, right
