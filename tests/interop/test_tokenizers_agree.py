"""Tokenizers of other projects: the ids are those of the `tokenizers` library, before and after saving."""

import pytest
from odd_texts import odd_texts
from tiny_tokenizers import tiny_tokenizer

from minillm.text.pieces import replace_surrogates
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
