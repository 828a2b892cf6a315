"""Tiny tokenizers as other projects write them, made by the `tokenizers` library."""

import json

from minillm.formats.byte_level import CHARACTER_TO_BYTE
from minillm.formats.splitters import LLAMA3

TRAINING = ["The quick brown fox doesn't jump over 12345 lazy dogs; they'll sleep.\n\n  It's 3.14 \u00e9t\u00e9 "
            "na\u00efve \u6f22\u5b57 \u0440\u0443\u0441\u0441\u043a\u0438\u0439   text\r\n\tdef f(x):\n        return x  # 007\n"] * 3


def tiny_tokenizer(library, kind, folder, place="end", missing=b"", whole=False, size=420, template=None):
    """Write tokenizer.json and its settings to a folder; return the library's tokenizer.

    place: where the ids of the control tokens are: "start", "middle" or "end".
    """
    splits = library.pre_tokenizers
    level = splits.ByteLevel(add_prefix_space=False, use_regex=kind != "llama3")
    before = {"gpt2": [], "smollm": [splits.Digits(individual_digits=True)],
              "llama3": [splits.Split(library.Regex(LLAMA3), "isolated")]}[kind]
    tokenizer = library.Tokenizer(library.models.BPE())
    tokenizer.pre_tokenizer = splits.Sequence([*before, level]) if before else level
    tokenizer.decoder = library.decoders.ByteLevel()
    letters = [name for name in splits.ByteLevel.alphabet() if CHARACTER_TO_BYTE[name] not in missing]
    texts = [text for text in TRAINING if not set(text.encode()) & set(missing)] or ["the quick brown fox"]
    trainer = library.trainers.BpeTrainer(vocab_size=size, initial_alphabet=letters, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    content = json.loads(tokenizer.to_str())
    control = {"gpt2": ["<|endoftext|>"],
               "llama3": ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
               "smollm": ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]}[kind]
    names = sorted(content["model"]["vocab"], key=content["model"]["vocab"].get)
    at = {"start": 0, "middle": 100, "end": len(names)}[place]
    names[at:at] = control
    content["model"]["vocab"] = {name: i for i, name in enumerate(names)
                                 if not (kind == "llama3" and place == "end" and name in control)}
    content["model"]["ignore_merges"] = whole
    flags = dict(single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
    content["added_tokens"] = [{"id": at + i, "content": name, **flags} for i, name in enumerate(control)]
    if kind == "llama3":
        begin = {"SpecialToken": {"id": control[0], "type_id": 0}}
        one, two = ({"Sequence": {"id": name, "type_id": n}} for n, name in enumerate("AB"))
        content["post_processor"] = {"type": "Sequence", "processors": [
            {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
            {"type": "TemplateProcessing", "single": [begin, one],
             "pair": [begin, one, {"SpecialToken": {"id": control[0], "type_id": 1}}, two],
             "special_tokens": {control[0]: {"id": control[0], "ids": [at], "tokens": [control[0]]}}}]}
    settings = {"gpt2": {"eos_token": control[0], "bos_token": control[0]},
                "llama3": {"bos_token": control[0], "eos_token": control[-1]},
                "smollm": {"bos_token": control[-2:][0], "eos_token": {"__type": "AddedToken", "content": control[-1]}, "pad_token": control[-1]}}[kind]
    if template:
        settings["chat_template"] = template
    if kind == "llama3":
        (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [at + 1, at + 4]}))
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "tokenizer.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return library.Tokenizer.from_file(str(folder / "tokenizer.json"))
