"""Tokenizers of other projects: the ids are those of the `tokenizers` library, before and after saving.

MINILLM_TOKENIZERS names folders with the tokenizer.json of real models, separated by colons.
"""

import os
from pathlib import Path

import pytest
from odd_texts import odd_texts
from tiny_tokenizers import tiny_tokenizer

from minillm.text.pieces import replace_surrogates
from minillm.text.templates import CHATML, LLAMA3, SMOLLM2
from minillm.text.tokenizer import Tokenizer

library = pytest.importorskip("tokenizers")


def agree(ours, other, texts):
    """Every text has the library's ids, none of them a control token."""
    other.encode_special_tokens = True      # spelled in a text, they are text
    for text in texts:
        ids = ours.encode(text).tolist()
        assert ids == other.encode(replace_surrogates(text), add_special_tokens=False).ids, repr(text)
        assert not ours.control_ids & set(ids)


@pytest.mark.parametrize("kind, place, whole", [
    ("gpt2", "end", False), ("gpt2", "start", False), ("gpt2", "middle", True), ("llama3", "end", True), ("llama3", "end", False),
    ("llama3", "start", True), ("smollm", "start", False), ("smollm", "middle", False)])
def test_ids_equal_the_librarys(kind, place, whole, tmp_path):
    other = tiny_tokenizer(library, kind, tmp_path, place, whole=whole)
    ours = Tokenizer.load(tmp_path / "tokenizer.json")
    assert ours.splitter == kind and ours.vocab_size == other.get_vocab_size()
    agree(ours, other, odd_texts())
    (tmp_path / "again").mkdir()
    ours.save(tmp_path / "again" / "tokenizer.json")
    agree(ours, library.Tokenizer.from_file(str(tmp_path / "again" / "tokenizer.json")), odd_texts(300, seed=1))


@pytest.mark.parametrize("kind", ["gpt2", "llama3", "smollm"])
def test_bytes_without_a_token(kind, tmp_path):
    """The library leaves them out, and merges what is left."""
    missing = b"\x00\x01\x1b\xf0\x90\xe0\xc2\x80"
    other = tiny_tokenizer(library, kind, tmp_path, missing=missing)
    ours = Tokenizer.load(tmp_path / "tokenizer.json")
    assert len(ours.alphabet) == 256 - len(missing)
    agree(ours, other, odd_texts(1000, seed=3))


@pytest.mark.parametrize("name, source, kind", [("chatml", CHATML, "smollm"), ("smollm2", SMOLLM2, "smollm"), ("llama3", LLAMA3, "llama3")])
def test_templates_give_the_ids_that_transformers_gives(name, source, kind, tmp_path):
    transformers = pytest.importorskip("transformers")
    tiny_tokenizer(library, kind, tmp_path, "start", template=source)
    ours, other = Tokenizer.load(tmp_path / "tokenizer.json"), transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert ours.template == name
    texts = [text for text in map(replace_surrogates, odd_texts(600, seed=4)) if not any(name in text for name in ours.control)]
    for roles in ("user", "system user", "user assistant", "system user assistant user"):
        for at in range(60):
            talk = [{"role": role, "content": texts[(7 * at + n) % len(texts)]} for n, role in enumerate(roles.split())]
            for message in talk:
                if message["role"] == "assistant":      # what the model says is encoded apart from what asks for it
                    message["content"] = message["content"].strip() + "."
            ask = talk[-1]["role"] != "assistant"
            ids = ours.encode_chat(talk, ask).tolist()
            assert ids == other.apply_chat_template(talk, add_generation_prompt=ask, tokenize=True, return_dict=False)
            # To the byte, as far as ids can hold it: a token may end inside a character
            assert ours.decode(ids, controls=True) == other.apply_chat_template(talk, add_generation_prompt=ask, tokenize=False)


def test_begin_ends_and_pad_are_those_of_transformers(tmp_path):
    transformers = pytest.importorskip("transformers")
    tiny_tokenizer(library, "llama3", tmp_path)
    ours, other = Tokenizer.load(tmp_path / "tokenizer.json"), transformers.AutoTokenizer.from_pretrained(tmp_path)
    settings = transformers.GenerationConfig.from_pretrained(tmp_path)
    assert other("the fox")["input_ids"] == [ours.begin_id, *ours.encode("the fox").tolist()]
    assert sorted(settings.eos_token_id) == sorted(ours.end_ids) and other.eos_token_id == ours.end_id
    (tmp_path / "again").mkdir()
    ours.save(tmp_path / "again" / "tokenizer.json")
    again = transformers.AutoTokenizer.from_pretrained(tmp_path / "again")
    assert again("the fox")["input_ids"] == other("the fox")["input_ids"]
    assert sorted(transformers.GenerationConfig.from_pretrained(tmp_path / "again").eos_token_id) == sorted(ours.end_ids)


@pytest.mark.parametrize("folder", [name for name in os.environ.get("MINILLM_TOKENIZERS", "").split(os.pathsep) if name])
def test_tokenizers_of_real_models(folder, tmp_path):
    ours, other = (kind(os.path.join(folder, "tokenizer.json")) for kind in (Tokenizer.load, library.Tokenizer.from_file))
    text = Path(__file__).read_text(encoding="utf-8")
    agree(ours, other, [*odd_texts(), text])
    ours.save(tmp_path / "tokenizer.json")
    assert Tokenizer.load(tmp_path / "tokenizer.json") == ours
    agree(ours, library.Tokenizer.from_file(str(tmp_path / "tokenizer.json")), odd_texts(300, seed=1))
