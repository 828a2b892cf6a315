"""Worked answers of lesson 21."""

import numpy as np

from minillm.config import ModelConfig
from minillm.formats.dequantize import Q4_1, with_minimum
from minillm.model.size import parameters

SMOLLM2 = ModelConfig(vocab_size=49_152, context=8_192, layers=30, width=576, heads=9, kv_heads=3, hidden=1_536, tied=True)


def test_exercise_1():
    """16 bytes for 32 numbers of 4 bits and two float16: 20 bytes for 32 weights, 5 bits a weight. All 134,515,008 would take
    84 MB. The file has 98 MB, since the table of tokens is kept in 8.5 bits: 3.5 bits more for 28 million numbers are 12 MB. The
    rest is the tokenizer."""
    assert 8 * Q4_1.itemsize / 32 == 5
    assert round(5 / 8 * parameters(SMOLLM2) / 1e6) == 84 and round(3.5 / 8 * SMOLLM2.vocab_size * SMOLLM2.width / 1e6) == 12


def test_exercise_2():
    """Two, a key and a value, for each of 3 heads of 64 numbers in 30 blocks: 11,520 numbers a token. 8,192 tokens take 377 MB in
    float32, and with 9 heads for keys and values three times as much."""
    numbers = 2 * SMOLLM2.layers * SMOLLM2.kv_heads * SMOLLM2.head_size
    assert numbers == 11_520 and round(4 * numbers * SMOLLM2.context / 1e6) == 377


def weights_of(d, m, packed):
    """Low halves first, then high halves; a scale and a minimum for each block."""
    q = np.concatenate([packed & 15, packed >> 4], axis=1)
    return (np.asarray(d)[:, None] * q + np.asarray(m)[:, None]).astype(np.float32)


def check_weights_of(function):
    """A block by hand, then many against the package."""
    packed = np.arange(16, dtype=np.uint8)[None] * 16 + 15          # low halves 15, high halves 0 to 15
    got = np.asarray(function(np.array([0.5]), np.array([-1.0]), packed))
    assert got.shape == (1, 32), f"one block has 32 weights: expected shape (1, 32), got {got.shape}"
    assert np.allclose(got[0, :16], 6.5), f"byte 31 has the low half 15: 0.5 * 15 - 1 is 6.5, got {got[0, 1]}"
    assert np.allclose(got[0, 16:], 0.5 * np.arange(16) - 1), f"weights 16 to 31 are the high halves, 0 to 15; got {got[0, 16:]}"
    rng = np.random.default_rng(0)
    blocks = np.zeros(7, Q4_1)
    blocks["d"], blocks["m"], blocks["low"] = rng.random(7), -rng.random(7), rng.integers(0, 256, (7, 16))
    got = np.asarray(function(blocks["d"].astype(np.float32), blocks["m"].astype(np.float32), blocks["low"]))
    assert np.allclose(got, with_minimum(blocks).reshape(7, 32), atol=1e-6), "expected the package's weights in 7 random blocks"


def test_exercise_3():
    """The solution passes; one that takes neighbours out of a byte does not."""
    check_weights_of(weights_of)
    try:
        check_weights_of(lambda d, m, packed: (d[:, None] * np.stack([packed & 15, packed >> 4], axis=2).reshape(len(packed), 32)
                                               + m[:, None]).astype(np.float32))
    except AssertionError:
        return
    raise RuntimeError("the wrong solution passed")


def test_exercise_4():
    """The two models differ in size and in what they read, so neither can be blamed. The missing arms are the other two corners:
    135 million parameters trained on the village alone, and a million trained on the real text. Lesson 19 has a part of it. If
    size decides, the first knows capitals; it cannot, as it was never told. What is left for size shows in the second: how much
    of the real text a million parameters hold. Shown here: with two corners, size and text are one column; with four, two."""
    two, four = np.array([[0, 0], [1, 1]]), np.array([[0, 0], [0, 1], [1, 0], [1, 1]])        # (large, real text) of each model
    assert np.linalg.matrix_rank(np.c_[np.ones(2), two]) == 2 and np.linalg.matrix_rank(np.c_[np.ones(4), four]) == 3


def copier(text):
    """A head of words that looks for the last word and the one before it, the latest time that they came, and copies what followed."""
    words = text.replace(".", "").split()
    places = [at for at in range(len(words) - 2) if words[at:at + 2] == words[-2:]]
    return words[places[-1] + 2] if places else ""


def test_exercise_5():
    """A head that matches the last two words, "lives in", and takes the latest match. In one order of telling it is right about the
    second person and wrong about the first, in the other order the other way round: 1/2. With a verb for each there is one match
    only, and it is right each time. The arm that gives it away tells of others: it names the same town, where nothing was told."""
    def told(first, second):
        return f"{first}. {second}."
    a, b = "Kate lives in Oslo", "Hugo lives in Lima"
    same = [copier(f"{told(*order)} {who} lives in") == town for order in ((a, b), (b, a)) for who, town in (("Kate", "Oslo"), ("Hugo", "Lima"))]
    b = "Hugo was born in Lima"
    verbs = [copier(f"{told(*order)} {asked}") == town for order in ((a, b), (b, a))
             for asked, town in (("Kate lives in", "Oslo"), ("Hugo was born in", "Lima"))]
    assert np.mean(same) == 0.5 and np.mean(verbs) == 1
    assert copier(f"{told('Zoe lives in Oslo', 'Max was born in Lima')} Kate lives in") == "Oslo"
