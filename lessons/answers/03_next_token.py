"""Worked answers of lesson 03."""

import numpy as np

from minillm.config import ModelConfig
from minillm.losses.next_token import next_token_backward, next_token_forward
from minillm.model.transformer import head_forward, one_document, transformer_forward, transformer_init


def test_exercise_1():
    """-log 0.25 = 1.386 nats, and the perplexity is exp(1.386) = 4: it hesitates between four tokens."""
    loss = -np.log(0.25)
    assert round(loss, 3) == 1.386 and np.isclose(np.exp(loss), 4)


def test_exercise_2():
    """Probabilities sum to 1 and so does the one-hot target: sum_j (p_j - [j = y]) = 1 - 1 = 0."""
    logits = np.random.default_rng(0).standard_normal((5, 7))
    _, cache = next_token_forward(logits, np.arange(5, dtype=np.int32), np.ones(5))
    np.testing.assert_allclose(next_token_backward(1.0, cache).sum(axis=1), 0, atol=1e-15)


def test_exercise_3():
    """About ln 2048 = 7.62: first weights are small, so all tokens are about equally likely. Logits of deviation s make it
    some s^2 / 2 more, here 0.58^2 / 2 = 0.17.
    """
    config = ModelConfig(vocab_size=2048)
    params = transformer_init(config, np.random.default_rng(0))
    tokens, targets = np.random.default_rng(1).integers(0, 2048, (2, 2, 32)).astype(np.int32)
    h, _ = transformer_forward(tokens, params, config, *one_document(tokens))
    logits = head_forward(h.reshape(-1, 128), params)[0]
    loss, _ = next_token_forward(logits, targets.reshape(-1), np.ones(64, np.float32))
    assert abs(loss - np.log(2048) - logits.std() ** 2 / 2) < 0.2
