"""Worked answers of lesson 19."""

from dataclasses import replace

import numpy as np
import pytest

from minillm.config import ModelConfig
from minillm.evaluate.scale import LLAMA_2_70B
from minillm.model.size import attention_flops, parameters


def predicted_loss(runs, cell, alpha, beta):
    """Exercise 4: the law is linear in E, A and B."""
    runs = np.asarray(runs, float)
    design = np.column_stack([np.ones(len(runs)), runs[:, 0] ** -alpha, runs[:, 1] ** -beta])
    solution = np.linalg.lstsq(design, runs[:, 2], rcond=None)[0]
    return float(solution @ [1, float(cell[0]) ** -alpha, float(cell[1]) ** -beta])


def check_predicted_loss(function):
    """Runs that follow a law exactly must be continued exactly, and noisy ones nearly."""
    def loss(N, D):
        return 1.5 + 30 / N ** 0.4 + 200 / D ** 0.5
    runs = np.array([(N, D, loss(N, D)) for N in (3e4, 1e5, 3e5) for D in (1e5, 1e6)])
    for cell in ((1e6, 4e6), (3e4, 4e6)):
        found, wanted = function(runs, cell, 0.4, 0.5), loss(*cell)
        assert np.isclose(found, wanted, rtol=1e-5), (
            f"runs that follow 1.5 + 30 / N^0.4 + 200 / D^0.5 predict {wanted:.4f} for N, D = {cell}, not {found}")
    noisy = runs.copy()
    noisy[:, 2] += [0.01, -0.01, 0.01, -0.01, -0.01, 0.01]
    assert abs(function(noisy, (1e6, 4e6), 0.4, 0.5) - loss(1e6, 4e6)) < 0.1, "small errors in the runs should matter little"


def test_exercise_1():
    """Attention 2 * 8192^2 + 2 * 8192 * 1024, feed-forward 3 * 8192 * 28672, two gains: 856 million."""
    one_less = replace(LLAMA_2_70B, layers=79)
    block = parameters(LLAMA_2_70B) - parameters(one_less)
    assert block == 2 * 8192 ** 2 + 2 * 8192 * 1024 + 3 * 8192 * 28672 + 2 * 8192
    assert round(block / 1e6) == 856


def test_exercise_2():
    """6 * 1,078,144 * 1150 * 2048 = 1.52e13, so 117 seconds. Without the input table, which is looked up: 1.15e13, so 89 seconds.
    Attention adds 12 * 3 * 128 * 128 / 2 operations a token, 5 seconds: 94 in all.
    """
    tokens, config = 1150 * 2048, ModelConfig(vocab_size=2048)
    assert parameters(config) == 1_078_144 and config.vocab_size * config.width == 262_144
    work = 6 * parameters(config) * tokens
    assert round(work / 1e13, 2) == 1.52 and round(work / 130e9) == 117
    work -= 6 * 262_144 * tokens
    assert round(work / 1e13, 2) == 1.15 and round(work / 130e9) == 89
    attention = 12 * 3 * 128 * 128 / 2 * tokens
    assert attention == attention_flops(config, tokens) and round((work + attention) / 130e9) == 94


def test_exercise_3():
    """20 * 1.08 million = 22 million, nine times as many as 1,150 steps read."""
    assert round(20 * 1.08) == 22 and round(20 * 1.08e6 / (1150 * 2048)) == 9


def test_exercise_4():
    """The solution passes; one that forgets the floor E does not."""
    check_predicted_loss(predicted_loss)

    def no_floor(runs, cell, alpha, beta):
        design = np.column_stack([runs[:, 0] ** -alpha, runs[:, 1] ** -beta])
        a, b = np.linalg.lstsq(design, runs[:, 2], rcond=None)[0]
        return a * cell[0] ** -alpha + b * cell[1] ** -beta
    with pytest.raises(AssertionError, match="predict"):
        check_predicted_loss(no_floor)


def test_exercise_5():
    """The large model fine-tuned on the same 10,000 examples: else size and training are mixed up. And the large model with a few
    examples in its prompt, or a guess by chance: else nobody knows whether it understood the format. With numbers such as these,
    the first comparison says that small is better, and the fair one that training is.
    """
    right = {("7B", "asked"): 0.31, ("7B", "fine-tuned"): 0.90, ("70B", "asked"): 0.35, ("70B", "fine-tuned"): 0.93}
    told = right["7B", "fine-tuned"] - right["70B", "asked"]
    by_size = right["70B", "fine-tuned"] - right["7B", "fine-tuned"]
    assert told > 0.5 and by_size > 0
