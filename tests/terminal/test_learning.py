"""The verbs of a reader."""

from functools import partial

import numpy as np
import pytest
import tiny

from minillm.cli import main
from minillm.config import ModelConfig
from minillm.evaluate import scale
from minillm.model import size
from minillm.model.transformer import transformer_init
from minillm.terminal import learning
from minillm.objectives.next_token import next_token_objective
from minillm.training.tracing import PACKAGE, traced
from minillm import tree


def test_lessons_are_listed_and_their_texts_found(capsys):
    assert main(["lesson"]) == 0
    listed = capsys.readouterr().out
    assert "00  read" in listed and "16  read" in listed
    assert main(["lesson", "2", "--text"]) == 0
    assert capsys.readouterr().out.strip().endswith("03_next_token.md")


def test_a_lesson_that_is_not_there_is_refused(capsys, monkeypatch, tmp_path):
    assert main(["lesson", "77"]) == 2
    assert "there is no lesson 77; the lessons are 00 to 20" in capsys.readouterr().err
    monkeypatch.setattr(learning, "LESSONS", tmp_path / "lessons")
    assert main(["lesson"]) == 2
    assert "beside the package" in capsys.readouterr().err


def test_a_trace_has_the_step_in_order(capsys):
    config = tiny.config()
    objective, params, batch = partial(next_token_objective, config=config), tiny.params(config, dtype=np.float32), tiny.batch(config)
    rows = traced(lambda: objective(params, batch), params)
    names = [row.name.split()[0] for row in rows]
    assert names[0] == "embedding_forward" and names.index("transformer_forward") < names.index("next_token_forward")
    assert names.index("next_token_backward") < names.index("block_backward") < names.index("embedding_backward")
    made = {row.name.split()[0]: row for row in rows}
    assert made["transformer_forward"].shape == (*batch.tokens.shape, config.width)
    lines = (PACKAGE / "layers" / "norm.py").read_text(encoding="utf-8").splitlines()
    computed = [lines[int(row.place.rpartition(":")[2]) - 1] for row in rows if row.name.startswith("norm_forward")]
    assert len(computed) == 2 * config.layers + 1 and all("rmsnorm_forward(" in line for line in computed)
    assert made["block_forward"].place.startswith("minillm/layers/block.py:")
    for part in ("query", "key", "value", "output"):
        told = [row for row in rows if row.name == f"linear_forward blocks.1.attention.{part}"]
        assert len(told) == 1
        assert [row.shape for row in rows if row.name.strip() == f"d blocks.1.attention.{part}.weight"] == [
            params["blocks"][1]["attention"][part]["weight"].shape]
    linear = (PACKAGE / "layers" / "linear.py").read_text(encoding="utf-8").splitlines()
    assert "matmul_nt(" in linear[int(told[0].place.rpartition(":")[2]) - 1]
    assert main(["trace", "--rows", "1"]) == 0 and "nats per token" in capsys.readouterr().out
    assert main(["trace", "--rows", "0"]) == 2


@pytest.mark.parametrize("preset", tiny.PRESETS)
def test_parameters_are_counted_as_a_model_has_them(preset):
    config = tiny.config(preset)
    assert size.parameters(config) == tree.count(transformer_init(config, np.random.default_rng(0)))


def test_published_models_are_near_their_published_sizes():
    for model in scale.PUBLISHED:
        assert abs(size.parameters(model.config) / model.parameters - 1) < 0.03, model.name
    assert size.training_flops(ModelConfig(vocab_size=7), 10) == 60 * size.parameters(ModelConfig(vocab_size=7))


@pytest.mark.training
def test_scale_prints_them_beside_what_this_machine_would_need(capsys):
    assert main(["scale"]) == 0
    printed = capsys.readouterr().out
    assert "GPT-4 *" in printed and "unverified" in printed and "arXiv:2307.09288" in printed
    assert main(["scale", "--utilization", "0"]) == 2
