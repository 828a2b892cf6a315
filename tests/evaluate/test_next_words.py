"""The likeliest next words against what the model says token by token, and how they are drawn."""

import numpy as np
import pytest

import tiny
from minillm import tree
from minillm.evaluate import next_words as words
from minillm.model.language_model import LanguageModel
from minillm.terminal.bars import bar, bars, printable
from minillm.text.learning import train_tokenizer


@pytest.fixture(scope="module", params=["characters", "bpe"])
def model(request):
    """A model of random weights whose vocabulary has words in one token and in several."""
    size = 262 + 3 if request.param == "bpe" else None
    tokenizer = train_tokenizer(["ab ba, a b ab ab ba ba"], size, request.param)
    config = tiny.config(vocab_size=tokenizer.vocab_size)
    params = tiny.params(config, dtype=np.float32)
    params["embedding"]["token"] *= np.float32(0.1)         # tied: large rows would leave one likely word
    return LanguageModel(params, config, tokenizer)


def spelled_out(model, text, word):
    """p(word) by going through its one spelling, for a vocabulary of single letters."""
    ids = [model.tokenizer.begin_id, *model.tokenizer.encode(text)]
    probability = 1.0
    for token in model.tokenizer.encode(word):
        probability *= model.predict_next(ids).probs[token]
        ids.append(token)
    going_on = [i for i, spelled in enumerate(model.tokenizer.tokens) if i > 5 and spelled.isalnum()]
    return probability * (1 - model.predict_next(ids).probs[going_on].sum())


def test_probabilities_of_words_are_products_of_tokens(model):
    if model.tokenizer.kind != "characters":
        pytest.skip("a word has one spelling only where tokens are letters")
    found = dict(words.next_words(model, "ab", 12))
    assert len(found) == 12
    checked = [word for word in found if word.strip().isalpha()]
    assert checked
    for word in checked:
        np.testing.assert_allclose(found[word], spelled_out(model, "ab", word.decode()), rtol=1e-4)


def test_the_likeliest_come_first_and_none_is_missed(model):
    few, many = words.next_words(model, "ab ", 3), words.next_words(model, "ab", 40, most_batches=400)
    assert few == many[:3]
    probabilities = [probability for _, probability in many]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) <= 1 + 1e-9


def test_all_probability_is_shared_out(model, monkeypatch):
    if model.tokenizer.kind != "characters":
        pytest.skip("quick in a small vocabulary alone")
    monkeypatch.setattr(words, "LONGEST", 2)
    monkeypatch.setattr(words, "LEAST", 0.0)
    found = words.next_words(model, "a", 10 ** 6, most_batches=10 ** 6)
    np.testing.assert_allclose(sum(probability for _, probability in found), 1.0, rtol=1e-9)


def test_a_text_may_fill_all_but_one_place_of_the_context(model):
    room = model.config.context - 1
    assert words.next_words(model, "a," * (room // 2), 3) if model.tokenizer.kind == "characters" else True
    with pytest.raises(ValueError, match=f"at most {room} fit"):
        words.next_words(model, "a," * 40, 3)


@pytest.mark.parametrize("gain", [np.nan, np.inf, 3e38])
def test_broken_weights_have_no_next_word(model, gain):
    params = tree.copy(model.params)
    params["norm"]["gain"][:] = gain
    with pytest.raises(FloatingPointError, match="logits are not finite"), np.errstate(all="ignore"):
        words.next_words(LanguageModel(params, model.config, model.tokenizer), "ab", 3)


def test_what_goes_on_with_a_word():
    spelled = [b"", b" ", b" t", b"t", b"'t", b"'", b"7", b",", b"\n", b"\xc3"]
    after_blank, in_word = words.continuations(spelled)
    assert [spelled[i] for i in np.flatnonzero(after_blank)] == [b"t", b"'t", b"'", b"7", b",", b"\xc3"]
    assert [spelled[i] for i in np.flatnonzero(in_word)] == [b"t", b"'t", b"7", b"\xc3"]


@pytest.mark.parametrize("word, text, label", [
    (b" mat", "on the", "mat"), (b"t", "the ca", "...t"), (b"", "x", "(end)"), (b"\n", "x", "\\n"),
    (b" ", "x", "' '"),
    (b",", "x", ","), (b"\xc3", "x ", "\ufffd"),
])
def test_labels(word, text, label):
    assert words.shown(word, text) == label


def test_bars_are_as_long_as_their_share():
    assert bar(0.5, 8) == "████"
    assert bar(1 / 16, 8) == "▌"
    assert bar(0.5, 8, blocks=False) == "####"
    lines = bars([("mat", 0.5), ("floor", 0.25)], width=29).splitlines()
    assert lines[0].startswith("  mat    50.0%  ") and lines[0].count("█") == 2 * lines[1].count("█")
    assert bars([]) == ""


def test_text_cannot_steer_the_terminal():
    assert printable("a\x1b[2J\r\n\tb\x9b") == "a\ufffd[2J\ufffd\n\tb\ufffd"
