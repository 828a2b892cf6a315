"""Tokenizers: nothing is lost, nothing is forged, and training is the same everywhere."""

import os
import subprocess
import sys

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minillm.kernels.twin import plain_kernels
from minillm.text import encoding, learning, pieces
from minillm.text.learning import train_tokenizer
from minillm.text.pieces import replace_surrogates
from minillm.text.tokenizer import CONTROL, Tokenizer

BYTES_ALONE = Tokenizer("bpe", bytes(range(256)))
MERGING = train_tokenizer(["the mill the mill ab\xe9 \xe9\xe9\xe9 aaaa aaaa \n\n\n    x    x"], 300)
SPELLED = "".join(CONTROL) + " <|user|>x<|end|> <|end|"


@given(st.binary())
def test_every_byte_string_comes_back(data):
    for tokenizer in (BYTES_ALONE, MERGING):
        assert tokenizer.decode_bytes(tokenizer.encode_bytes(data)) == data


@given(st.text())
def test_every_text_comes_back(text):
    ids = MERGING.encode(text)
    assert ids.dtype == np.int32
    assert MERGING.decode(ids) == text
    np.testing.assert_array_equal(ids, MERGING.encode_bytes(text.encode()))


@given(st.text(st.characters()), st.sampled_from([BYTES_ALONE, MERGING]))
def test_surrogates_cost_themselves_alone(text, tokenizer):
    """Any str, also one that UTF-8 cannot encode: its ids are in range, and no control token's."""
    ids = tokenizer.encode(text)
    assert ids.dtype == np.int32 and ((len(CONTROL) <= ids) & (ids < tokenizer.vocab_size)).all()
    assert tokenizer.decode(ids) == replace_surrogates(text)
    stream = tokenizer.encode_documents([text, text])
    assert stream.dtype == np.int32 and stream.tolist() == [tokenizer.begin_id, *ids, tokenizer.end_id] * 2


def test_every_character_of_unicode_comes_back(bpe):
    every = 29 if numba.config.DISABLE_JIT else 1
    everything = "".join(chr(c) for c in range(0, 0x110000, every) if not 0xD800 <= c < 0xE000)
    assert bpe.decode(bpe.encode(everything)) == everything


def test_half_a_surrogate_pair_becomes_the_replacement_character(bpe):
    assert bpe.decode(bpe.encode("a\ud83d!")) == "a\ufffd!"


def test_bytes_that_are_no_utf8_decode_to_the_replacement_character(bpe):
    assert bpe.decode(bpe.encode_bytes(b"a\xff\xfeb")) == "a\ufffd\ufffdb"


@given(st.lists(st.sampled_from([*CONTROL, "<|", "|>", "end", " ", "a"])).map("".join))
def test_no_text_becomes_a_control_token(text):
    ids = MERGING.encode(text)
    assert ids.min(initial=99) >= len(CONTROL)
    assert MERGING.decode(ids) == text


def test_control_tokens_are_not_learned_from_text_that_spells_them():
    tokenizer = train_tokenizer([SPELLED * 50], 400)
    assert tokenizer.encode(SPELLED).min() >= len(CONTROL)
    assert tokenizer.decode(tokenizer.encode(SPELLED)) == SPELLED


def test_ids_are_control_tokens_then_bytes_then_merges(bpe, characters, text):
    assert bpe.vocab_size == len(bpe.tokens) == 320
    assert bpe.tokens[:6] == [name.encode() for name in CONTROL]
    assert bpe.tokens[6:262] == [bytes([b]) for b in range(256)]
    assert len(set(bpe.tokens)) == 320
    for r, (left, right) in enumerate(bpe.merges):
        assert bpe.tokens[262 + r] == bpe.tokens[left] + bpe.tokens[right]
    assert characters.tokens[6:] == [bytes([b]) for b in sorted(set(text.encode()))]
    controls = [getattr(bpe, f"{name}_id") for name in ("pad", "begin", "end", "system", "user", "assistant")]
    assert controls == list(range(6))  # so padding is never mistaken for the end of a text


def test_merging_shortens_the_text(bpe, text):
    assert len(bpe.encode(text)) < 0.7 * len(BYTES_ALONE.encode(text)) == 0.7 * len(text.encode())


def test_each_token_encodes_to_itself(bpe):
    for i in range(6, bpe.vocab_size):
        assert bpe.encode_bytes(bpe.tokens[i]).tolist() == [i]


def test_a_long_text_is_the_same_in_one_chunk_or_many(bpe, text, monkeypatch):
    whole = bpe.encode(text)
    monkeypatch.setattr(pieces, "CHARACTERS_A_CALL", 7)
    np.testing.assert_array_equal(bpe.encode(text), whole)


def test_a_text_encoded_again_is_an_array_of_its_own(bpe):
    first = bpe.encode("the mill")
    expected = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(bpe.encode("the mill"), expected)


def test_empty_text(bpe, characters):
    for tokenizer in (bpe, characters):
        ids = tokenizer.encode("")
        assert ids.dtype == np.int32 and len(ids) == 0
        assert tokenizer.decode(ids) == tokenizer.decode([]) == ""


@pytest.mark.parametrize("ids, named", [
    ([7, -1], "id -1 at position 1"), ([320], "id 320 at position 0"), ([8, 8, 2**40], "position 2"),
])
def test_ids_outside_the_vocabulary(bpe, ids, named):
    for decode in (bpe.decode, bpe.decode_bytes):
        with pytest.raises(ValueError, match=named):
            decode(ids)


@pytest.mark.parametrize("ids", [[1.0, 2.0], [[7, 8], [9, 10]], ["a"]])
def test_ids_that_are_no_row_of_integers(bpe, ids):
    with pytest.raises(ValueError, match="one row of integers"):
        bpe.decode(ids)


def test_decoding_control_tokens(bpe):
    ids = bpe.encode_documents(["mill"])
    assert bpe.decode(ids) == "mill"
    assert bpe.decode(ids, controls=True) == "<|begin|>mill<|end|>"


def test_documents_are_framed(bpe):
    stream = bpe.encode_documents(["one", "", "two"])
    assert stream.dtype == np.int32
    assert stream.tolist() == [1, *bpe.encode("one"), 2, 1, 2, 1, *bpe.encode("two"), 2]
    assert bpe.encode_documents([]).dtype == np.int32


def test_characters_round_trip_and_name_what_they_lack(characters, text):
    assert characters.decode(characters.encode(text)) == text
    assert len(characters.encode(text)) == len(text.encode())
    with pytest.raises(ValueError, match="'é' at position 3 is not in this vocabulary"):
        characters.encode("melé~")
    with pytest.raises(ValueError, match="position 2"):
        characters.encode_bytes(b"ab\xff")


def test_characters_of_several_bytes_share_them():
    tokenizer = train_tokenizer(["é"], kind="characters")
    assert tokenizer.vocab_size == 8
    with pytest.raises(ValueError, match="'è' at position 1"):
        tokenizer.encode("éè")


def test_training_stops_when_no_pair_occurs_twice():
    assert train_tokenizer(["ab ab"], 5000).vocab_size == 263


def test_equal_counts_prefer_the_smaller_ids():
    tokenizer = train_tokenizer(["xy", "ab", "ab", "xy"], 264)
    assert [tokenizer.tokens[i] for i in (262, 263)] == [b"ab", b"xy"]


@pytest.mark.parametrize("arguments, named", [
    ((["text"], 261), "need at least 262"),
    ((["text"], None), "need at least 262"),
    ((["text"], 8, "characters"), "need at least 9"),
    ((["text"], 300, "words"), "kind is 'words'"),
    (([], 300), "no text"), (([""], 300), "no text"), (([], None, "characters"), "no text"),
    (("text", 300), "pass a list"),
])
def test_training_refuses(arguments, named):
    with pytest.raises(ValueError, match=named):
        train_tokenizer(*arguments)


def test_training_twice_gives_one_tokenizer_and_order_does_not_matter(text):
    lines = text.splitlines(keepends=True)
    assert train_tokenizer(lines, 300) == train_tokenizer(iter(lines[::-1]), 300)


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_training_is_the_same_in_every_process(bpe, text, hash_seed):
    program = ("import sys; from minillm.text.learning import train_tokenizer; "
               "print(train_tokenizer([sys.argv[1]], 320).merges)")
    answer = subprocess.run([sys.executable, "-c", program, text], capture_output=True, text=True, check=True,
                            env={**os.environ, "PYTHONHASHSEED": hash_seed,
                                 "PYTHONPATH": os.pathsep.join(sys.path)})
    assert answer.stdout.strip() == str(bpe.merges)


@pytest.mark.skipif(plain_kernels() or numba.config.DISABLE_JIT, reason="the plain twins rescan the text")
@pytest.mark.parametrize("letters", ["a", "abcdefghijklmnopqrstuvwxyz", " ", "\n ", "1234567890"])
def test_a_megabyte_without_a_break(bpe, letters):
    """Anything quadratic would need hours for this."""
    draws = np.random.default_rng(0).integers(0, len(letters), 1_000_000)
    text = "".join(np.array(list(letters))[draws])
    for tokenizer in (bpe, train_tokenizer([text], 300)):
        assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize("letters", ["abcdefgh", "ab \n", " ", "\n \u3000"])
def test_no_call_of_a_kernel_sees_more_than_its_share(bpe, monkeypatch, letters):
    """What a kernel takes grows with the characters that it sees, so these bound the memory of any text."""
    text = "".join(np.random.default_rng(0).choice(list(letters), 9_000))
    whole, sizes = bpe.encode(text), []

    def seen(texts):
        sizes.append(sum(map(len, texts)))
        return find_pieces(texts)
    find_pieces = pieces.find_pieces
    monkeypatch.setattr(pieces, "find_pieces", seen)
    monkeypatch.setattr(pieces, "CHARACTERS_A_CALL", 1000)
    np.testing.assert_array_equal(bpe.encode(text), whole)
    assert len(sizes) >= 5 and max(sizes) <= 1000 + 2 * pieces.REACH


def test_a_vocabulary_is_learned_from_no_more_pieces_than_its_share(monkeypatch):
    sizes = []

    def seen(pieces, byte_ids):
        sizes.append(sum(map(len, pieces)))
        return lay_out(pieces, byte_ids)
    lay_out = learning._lay_out
    monkeypatch.setattr(learning, "_lay_out", seen)
    monkeypatch.setattr(learning, "LEARNED_BYTES", 5000)
    train_tokenizer(["".join(np.random.default_rng(0).choice(list("abcdefgh"), 50_000)), "often " * 90], 300)
    assert len(sizes) == 1 and 4000 <= sizes[0] <= 5000


@pytest.mark.parametrize("size", [1, 50, 300])
def test_documents_are_the_same_in_one_group_or_many_on_one_thread_or_two(bpe, text, monkeypatch, size):
    """Groups of documents, and documents that are longer than a group, framed once each."""
    texts = ["", text[:60], "a", "half a pair \ud83d!", text[:400], "", "nobreak" * 40, ""]
    meant = [id for one in texts for id in (bpe.begin_id, *bpe.encode(one), bpe.end_id)]
    monkeypatch.setattr(pieces, "CHARACTERS_A_CALL", size)
    for threads in (1, 2):
        monkeypatch.setattr(encoding.numba, "get_num_threads", lambda: threads)
        for order in (texts, iter(texts)):
            assert bpe.encode_documents(order).tolist() == meant
    assert all(1 <= len(group) <= len(texts) for group, _, _ in encoding.groups_of(texts))


def test_the_rarest_pieces_are_left_out_first():
    counts = {"b": 1, "aaa": 5, "\u00e9": 3, "a": 1}
    assert learning._most_frequent(counts, 7) == counts
    assert learning._most_frequent(counts, 6) == {"aaa": 5, "\u00e9": 3, "a": 1}
    assert learning._most_frequent(counts, 4) == {"aaa": 5}
