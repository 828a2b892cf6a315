"""The model as a reader holds it: guess, compare, adjust; generate; chat."""

from functools import partial

import numpy as np
import pytest
import tiny

from minillm import tree
from minillm.config import OptimizerConfig
from minillm.model.language_model import LanguageModel, whole_characters, without_spaces_of
from minillm.model.transformer import head_forward, one_document, transformer_forward
from minillm.text.batches import Batch, pad_batch
from minillm.text.chat import render_chat
from minillm.training.loop import train
from minillm.objectives.next_token import next_token_objective

TALK = [{"role": "user", "content": "the cat"}, {"role": "assistant", "content": "sat on the mat."}]


def in_float64(preset="llama"):
    model = tiny.model(preset)
    return LanguageModel(tree.cast(model.params, np.float64), model.config, model.tokenizer)


@pytest.mark.parametrize("preset", ["llama", "gpt2", "untied"])
def test_the_textbook_loop_is_one_causal_pass(preset):
    """Guess a token, look, adjust, go on: with frozen weights the summed gradients are those of one pass."""
    model = in_float64(preset)
    text = tiny.prompts(lengths=(8,))[0]
    total, losses = None, []
    for t in range(1, len(text)):
        prediction = model.predict_next(text[:t])
        adjustment = model.adjust_weights(prediction, text[t], lr=0.0)
        total = tree.add_scaled(total, adjustment.grads, 1.0)
        losses.append(adjustment.loss)
    count = len(text) - 1
    row = Batch(text[None, :-1], text[None, 1:], np.ones((1, count), np.float32), *one_document(text[None, :-1]))
    whole = partial(next_token_objective, config=model.config)(model.params, row)
    assert abs(np.mean(losses) - whole.loss) < 1e-12
    for (name, leaf), expected in zip(tree.named_leaves(total), tree.leaves(whole.grads)):
        np.testing.assert_allclose(leaf / count, expected, rtol=0, atol=1e-10, err_msg=name)


def test_frozen_weights_stay_as_they_are():
    model = tiny.model()
    before = tree.copy(model.params)
    model.adjust_weights(model.predict_next([6, 7]), 8, lr=0.0)
    tree.tree_map(np.testing.assert_array_equal, model.params, before)


def test_adjusting_the_weights_makes_the_token_likelier():
    model, context, token = tiny.model(), [6, 9, 7], 11
    losses = [model.adjust_weights(model.predict_next(context), token).loss for _ in range(20)]
    assert losses[-1] < 0.5 * losses[0] and model.predict_next(context).probs[token] > np.exp(-losses[0])


def test_probabilities_and_logits_are_those_of_the_transformer():
    model, tokens = tiny.model(), tiny.prompts()[1]
    h, _ = transformer_forward(tokens[None], model.params, model.config, *one_document(tokens[None]))
    logits = head_forward(h, model.params)[0][0]
    assert np.array_equal(model.logits(tokens), logits)
    probs = model.predict_next(tokens).probs
    assert abs(probs.sum() - 1) < 1e-6
    np.testing.assert_allclose(probs, np.exp(logits[-1]) / np.exp(logits[-1]).sum(), rtol=1e-4)


@pytest.mark.parametrize("tokens,message", [([], "one or more"), ([[1, 2]], "one or more"),
                                            ([6, 999], "id 999 at"), ([6, -1], "id -1 at"),
                                            (list(range(6, 12)) * 6, "36 tokens is longer than .* 32")])
def test_tokens_that_cannot_be_read_are_refused(tokens, message):
    with pytest.raises(ValueError, match=message):
        tiny.model().logits(tokens)


def test_a_vocabulary_of_another_size_is_refused():
    config = tiny.config()
    with pytest.raises(ValueError, match="13 tokens, the tokenizer"):
        LanguageModel(tiny.params(config), config, tiny.tokenizer())


@pytest.fixture(scope="module")
def trained():
    """A model that has learned one conversation by heart."""
    model = tiny.model(fresh=True)
    ids, mask = render_chat(model.tokenizer, TALK)
    batch = pad_batch([ids], "right", model.tokenizer.pad_id, [mask])
    settings = OptimizerConfig(steps=80, rows=1, lr=1e-2, warmup_share=5 / 80)
    train(model.params, settings, lambda step: [batch], partial(next_token_objective, config=model.config))
    return model


def test_chat_answers_and_stops_at_the_end_token(trained):
    assert trained.chat(TALK[:1], max_new_tokens=30) == TALK[1]["content"]
    assert trained.chat([TALK[:1], TALK[:1]], max_new_tokens=30) == [TALK[1]["content"]] * 2
    texts, ended = trained.answer([TALK[:1]], np.random.default_rng(0), max_new_tokens=30, temperature=0.0)
    assert ended.tolist() == [True] and texts == [TALK[1]["content"]]


def test_an_answer_that_was_cut_did_not_end_by_itself(trained):
    texts, ended = trained.answer([TALK[:1]], np.random.default_rng(0), max_new_tokens=4, temperature=0.0)
    assert ended.tolist() == [False] and texts == [TALK[1]["content"][:4]]


def test_generation_depends_on_the_seed_alone():
    model = tiny.model(fresh=True)
    texts = [model.generate("the cat", max_new_tokens=12, temperature=1.0, seed=seed) for seed in (3, 3, 4)]
    assert texts[0] == texts[1] != texts[2]


def test_a_prompt_that_fills_the_context_is_refused():
    model = tiny.model()
    with pytest.raises(ValueError, match="prompt 0 has 34 tokens; .* context of 32"):
        model.generate("a" * 33)
    with pytest.raises(ValueError, match="context of 32"):
        model.chat([{"role": "user", "content": "a" * 60}])


def test_generation_ends_where_the_context_is_full():
    """A batch may hold a long and a short prompt: each has room for its own tokens, pads take none."""
    model = tiny.model(fresh=True)
    long, short = model.generate(["a" * 28, "a"], max_new_tokens=40, temperature=0.0)
    assert len(long) <= 3 and len(short) <= 30
    assert model.generate([], max_new_tokens=3) == []


def test_spaces_at_the_end_of_a_prompt_belong_to_the_next_word():
    """A word's token holds the space before it: behind "the " a model has only ever seen the second of two spaces."""
    model = tiny.model(seed=3, fresh=True)
    plain, spaced = model.generate(["the cat", "the cat  "], max_new_tokens=12, temperature=0.0)
    def cut(text, *pieces):
        return "".join(without_spaces_of(text, pieces))
    assert spaced == cut("the cat  ", plain)
    assert np.array_equal(model.prompt_ids("the cat  "), model.prompt_ids("the cat"))
    assert [cut(text, " mat") for text in ("on", "on ", "on   ")] == [" mat", "mat", "mat"]
    assert cut("on ", "  mat") == " mat" and cut("on ", ", mat") == ", mat"
    assert cut("on  ", " ", " ", " mat", " ") == " mat " and cut("on  ", " ", "mat", " ") == "mat "


def test_predictions_of_broken_weights_are_refused():
    model = tiny.model()
    model.params["norm"]["gain"][0] = np.nan
    with pytest.raises(FloatingPointError, match="logits are not finite"):
        model.predict_next([6, 7])


def test_max_new_tokens_below_1_is_refused():
    with pytest.raises(ValueError, match="max_new_tokens is 0"):
        tiny.model().generate("a", max_new_tokens=0)


@pytest.mark.parametrize("settings", [{}, {"temperature": 0.0}, {"top_k": 3}, {"temperature": 1.5, "top_p": 0.9}], ids=str)
def test_a_stream_is_the_text_piece_by_piece(settings, trained):
    model = tiny.model(seed=3, fresh=True)
    for prompt in ("", "the cat", "the cat  "):
        pieces = model.generate(prompt, max_new_tokens=12, seed=5, stream=True, **settings)
        assert not isinstance(pieces, str)
        pieces = list(pieces)
        assert "".join(pieces) == model.generate(prompt, max_new_tokens=12, seed=5, **settings)
        assert "" not in pieces
    pieces = list(trained.chat("the cat", seed=2, stream=True, **settings))
    assert "".join(pieces) == trained.chat(TALK[:1], seed=2, **settings) and len(pieces) > 3


def test_a_stream_never_splits_a_character():
    text = "a caf\u00e9 \u2615 \U0001f600"
    data = text.encode()
    assert list(whole_characters(data[i:i + 1] for i in range(len(data)))) == list(text)
    broken = b"\xc3a\xff\xe2\x82\xf0\x9f"
    for cut in range(len(broken)):
        assert "".join(whole_characters([broken[:cut], broken[cut:]])) == broken.decode("utf-8", "replace")


def test_a_stream_is_refused_when_it_is_asked_for():
    model = tiny.model()
    for call, message in ((lambda: model.generate(["a", "b"], stream=True), "continues one text"),
                          (lambda: model.chat([TALK[:1]], stream=True), "answers one conversation"),
                          (lambda: model.generate("a" * 40, stream=True), "context of 32"),
                          (lambda: model.chat("a", stream=True, temperature=-1), "temperature is -1"),
                          (lambda: model.chat("a", stream=True, max_new_tokens=0), "max_new_tokens is 0")):
        with pytest.raises(ValueError, match=message):
            call()


def test_a_string_is_a_message_of_the_user(trained):
    assert trained.chat("the cat") == trained.chat(TALK[:1]) == TALK[1]["content"]
    assert trained.chat(["the cat", "a dog"]) == trained.chat([TALK[:1], [{"role": "user", "content": "a dog"}]])
