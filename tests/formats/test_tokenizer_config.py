"""What Hugging Face's libraries are told of the tokenizer gives them the ids that we use."""

import re

import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.sandbox import ImmutableSandboxedEnvironment

from minillm.formats.json_file import read_json
from minillm.formats.tokenizer_config import CHAT_TEMPLATE
from minillm.formats.tokenizer_json import CONTROL
from minillm.text.chat import ROLES, validate_messages
from minillm.training.checkpoint import save_checkpoint

TEXT = st.text("the cat.", max_size=5)


def refuse(message):
    raise ValueError(message)


# As transformers builds it.
ENVIRONMENT = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
ENVIRONMENT.globals["raise_exception"] = refuse
TEMPLATE = ENVIRONMENT.from_string(CHAT_TEMPLATE)


def ids_of(text, tokenizer):
    """Ids of a rendered conversation: control tokens where they are spelled, the rest encoded."""
    parts = re.split("(" + "|".join(map(re.escape, CONTROL)) + ")", text)
    return [token for part in parts for token in ([CONTROL.index(part)] if part in CONTROL else
                                                  tokenizer.encode(part).tolist())]


@settings(max_examples=150, deadline=None, database=None)
@given(st.booleans(), st.lists(TEXT, min_size=1, max_size=5), st.booleans())
def test_the_template_renders_what_we_render(system, texts, ask):
    roles = ["system"] * system + ["user", "assistant"] * len(texts)
    messages = [{"role": role, "content": text} for role, text in zip(roles, texts)]
    tokenizer, answered = tiny.tokenizer(), messages[-1]["role"] == "assistant"
    if messages[-1]["role"] == "system" or (answered and ask):
        with pytest.raises(ValueError):
            TEMPLATE.render(messages=messages, add_generation_prompt=ask)
        return
    rendered = TEMPLATE.render(messages=messages, add_generation_prompt=ask)
    assert ids_of(rendered, tokenizer) == tokenizer.encode_chat(messages, ask).tolist()


@settings(max_examples=100, deadline=None, database=None)
@given(st.lists(st.sampled_from([*ROLES, "tool"]), max_size=5))
def test_the_template_refuses_what_is_no_conversation(roles):
    messages = [{"role": role, "content": "the"} for role in roles]
    refused = []
    for check in (validate_messages, lambda messages: TEMPLATE.render(messages=messages)):
        try:
            check(messages)
        except ValueError:
            refused.append(check)
    assert len(refused) in (0, 2)


@pytest.mark.parametrize("preset", ["llama", "gpt2"])
def test_the_files_beside_the_model(preset, tmp_path):
    model = tiny.model(preset)
    folder = save_checkpoint(tmp_path, 1, model)
    config = read_json(folder / "tokenizer_config.json")
    ours = model.tokenizer
    assert [CONTROL.index(config[f"{role}_token"]) for role in ("bos", "eos", "pad")] == \
        [ours.begin_id, ours.end_id, ours.pad_id]
    assert config["tokenizer_class"] == "PreTrainedTokenizerFast" and config["chat_template"] == CHAT_TEMPLATE
    assert config["model_max_length"] == model.config.context
    assert "token_type_ids" not in config["model_input_names"]          # generate() refuses them
    generation = read_json(folder / "generation_config.json")
    assert generation == {"bos_token_id": ours.begin_id, "eos_token_id": ours.end_id, "pad_token_id": ours.pad_id,
                          "do_sample": False}
    assert b'"__metadata__":{"format":"pt"}' in (folder / "model.safetensors").read_bytes()[:2000]
