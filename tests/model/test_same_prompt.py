"""The same prompt gives the same answer: alone, among others, padded, packed, with and without the cache."""

import numpy as np
import pytest
import tiny

from minillm.model.decoding import decode_step, generate_tokens, left_padded, prefill
from minillm.model.transformer import head_forward, transformer_forward
from minillm.text.batches import pad_batch, positions_from
from minillm.text.tokenizer import Tokenizer

CLOSE = dict(rtol=0, atol=1e-5)
PRESETS = ["llama", "gpt2", "layernorm, rope, swiglu, bias, untied", "gpt3", "window and rope", "experts"]


@pytest.fixture(params=PRESETS)
def model(request):
    return tiny.model(request.param)


def all_logits(model, tokens, starts):
    h, _ = transformer_forward(tokens, model.params, model.config, positions_from(starts), starts)
    return head_forward(h, model.params)[0]


def test_alone_padded_left_and_padded_right(model):
    """Padding that counts as position or as context is the most frequent reason why batches answer worse."""
    prompts = tiny.prompts()
    alone = [model.logits(prompt) for prompt in prompts]
    for side in ("left", "right"):
        batch = pad_batch(prompts, side, Tokenizer.pad_id)
        together = all_logits(model, batch.tokens, batch.visible_from)
        for row, prompt in enumerate(prompts):
            start = batch.tokens.shape[1] - len(prompt) if side == "left" else 0
            np.testing.assert_allclose(together[row, start:start + len(prompt)], alone[row], **CLOSE)


def test_packed_into_one_row(model):
    prompts = tiny.prompts()
    ends = np.cumsum([len(prompt) for prompt in prompts])
    starts = np.concatenate([np.full(len(p), end - len(p), np.int32) for p, end in zip(prompts, ends)])[None]
    packed = all_logits(model, np.concatenate(prompts)[None], starts)[0]
    for prompt, end in zip(prompts, ends):
        np.testing.assert_allclose(packed[end - len(prompt):end], model.logits(prompt), **CLOSE)


def test_with_the_cache(model):
    """Token after token against the cache, in a left padded batch, equals one pass over the whole."""
    whole, known = tiny.prompts(lengths=(7, 11, 5)), 4
    tokens, starts = left_padded([row[:-known] for row in whole], Tokenizer.pad_id)
    T = tokens.shape[1]
    logits, layers = prefill(model.params, model.config, tokens, starts, T + known)
    expected = [model.logits(row) for row in whole]
    for step in range(known + 1):
        for row in range(len(whole)):
            np.testing.assert_allclose(logits[row], expected[row][-known - 1 + step], **CLOSE)
        if step < known:
            new = np.array([row[len(row) - known + step] for row in whole], np.int32)
            logits = decode_step(model.params, model.config, new, starts, T + step, layers)


def greedy(model, prompts, new=8):
    return generate_tokens(model.params, model.config, prompts, np.random.default_rng(0), temperature=0.0,
                           end_id=Tokenizer.end_id, pad_id=Tokenizer.pad_id, max_new_tokens=new)


def test_greedy_answers_are_equal_alone_and_in_a_batch(model):
    prompts = tiny.prompts()
    for prompt, answer in zip(prompts, greedy(model, prompts)):
        alone = greedy(model, [prompt])[0]
        for n in range(min(len(alone), len(answer))):
            scores = model.logits(np.concatenate([prompt, alone[:n]]))[-1]
            second, best = np.sort(scores)[-2:]
            assert alone[n] == answer[n] or best - second <= 1e-4
            if alone[n] != answer[n]:
                break
            assert alone[n] == scores.argmax() or best - second <= 1e-4
        else:
            assert len(alone) == len(answer)


def test_more_rows_than_one_batch_keep_their_order():
    """Prompts are sorted by length to pad less; the answers must come back in the order of the questions."""
    model = tiny.model()
    texts = ["the cat", "a", "the dog sat on", "a cat and"] * 2
    together = model.generate(texts, max_new_tokens=5, temperature=0.0)
    assert together == [model.generate(text, max_new_tokens=5, temperature=0.0) for text in texts]
