"""Worked answers of lesson 00."""

import numpy as np

from minillm import tree
from minillm.config import ModelConfig
from minillm.model.transformer import transformer_init
from minillm.text.learning import train_tokenizer

PARAMS = transformer_init(ModelConfig(vocab_size=3584), np.random.default_rng(0))


def test_exercise_1():
    """Two tables of V = 3584 rows and C = 128 columns: 2 * 3584 * 128 = 917,504, about 62% of the whole."""
    tables = tree.count(PARAMS["embedding"]) + tree.count(PARAMS["head"])
    assert tables == 2 * 3584 * 128 and round(tables / tree.count(PARAMS), 2) == 0.62


def test_exercise_2():
    """Three matrices of 128 x 352 against attention's 2 * 128^2 + 2 * 128 * 64 and two gains: 73%."""
    block = PARAMS["blocks"][0]
    share = tree.count(block["feed_forward"]) / tree.count(block)
    assert tree.count(block["feed_forward"]) == 3 * 128 * 352 and round(share, 2) == 0.73


def test_exercise_3():
    """The base model may know the capital, and only not know that it should answer: the format was taught, not the fact. Ask the
    base model in its own format, a document that goes on "The capital of Peru is", and the assistant for facts that no
    conversation of its fine-tuning named. If the base model completes the one, and the assistant answers the other, the
    knowledge was there before. In its own format a base model needs none of the tokens that mark who speaks. One text is not
    enough: as the third line of the recorded run shows, it may go on with something else. So ask in several forms, or compare
    what it believes of a few endings.
    """
    tokenizer = train_tokenizer(["The capital of Peru is Lima."], 270)
    asked = set(tokenizer.encode_chat([{"role": "user", "content": "The capital of Peru is"}], ask=True).tolist())
    written = {tokenizer.begin_id, *tokenizer.encode_answer("The capital of Peru is").tolist()}
    assert written < asked and len(asked - written) >= 2          # the tokens of the format, which no document has
