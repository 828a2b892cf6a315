"""transformers does with our folders what minillm does with them; only where it is installed."""

import pytest
import transformers_agree

pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.mark.parametrize("name,model", list(transformers_agree.models(short=True)))
def test_transformers_agrees(name, model, tmp_path):
    """Names, transposes, head order, rotary layout, eps, templates: one of them wrong, and only the numbers show it."""
    assert transformers_agree.compare(name, model, tmp_path)
