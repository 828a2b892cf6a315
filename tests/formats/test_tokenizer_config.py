"""What Hugging Face's libraries are told of the tokenizer gives them the ids that we use."""

import json
import re

import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.sandbox import ImmutableSandboxedEnvironment

from minillm.formats.json_file import read_json
from minillm.formats.tokenizer_config import CHARACTERS_TEMPLATE, CHAT_TEMPLATES
from minillm.formats.tokenizer_json import CONTROL
from minillm.model.language_model import LanguageModel
from minillm.text.chat import ROLES, validate_messages
from minillm.text.learning import train_tokenizer
from minillm.text.tokenizer import Tokenizer
from minillm.training.checkpoint import save_checkpoint

TEXT = st.text("the cat.", max_size=5)
TOKENIZERS = {"characters": tiny.tokenizer(), "bpe": train_tokenizer(["the cat sat on the mat."] * 3, 280)}


def refuse(message):
    raise ValueError(message)


# As transformers builds it.
ENVIRONMENT = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
ENVIRONMENT.globals["raise_exception"] = refuse
TEMPLATES = {kind: ENVIRONMENT.from_string(source) for kind, source in CHAT_TEMPLATES.items()}
TEMPLATE = TEMPLATES["bpe"]


def ids_of(text, tokenizer):
    """Ids of a rendered conversation: control tokens where they are spelled, the rest encoded."""
    parts = re.split("(" + "|".join(map(re.escape, CONTROL)) + ")", text)
    return [token for part in parts for token in ([CONTROL.index(part)] if part in CONTROL else
                                                  tokenizer.encode(part).tolist())]


@settings(max_examples=150, deadline=None, database=None)
@given(st.sampled_from(sorted(CHAT_TEMPLATES)), st.booleans(), st.lists(TEXT, min_size=1, max_size=5), st.booleans())
def test_the_template_renders_what_we_render(kind, system, texts, ask):
    roles = ["system"] * system + ["user", "assistant"] * len(texts)
    messages = [{"role": role, "content": text} for role, text in zip(roles, texts)]
    tokenizer, answered = TOKENIZERS[kind], messages[-1]["role"] == "assistant"
    if messages[-1]["role"] == "system" or (answered and ask):
        with pytest.raises(ValueError):
            TEMPLATES[kind].render(messages=messages, add_generation_prompt=ask)
        return
    rendered = TEMPLATES[kind].render(messages=messages, add_generation_prompt=ask)
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
    assert config["tokenizer_class"] == "PreTrainedTokenizerFast" and config["chat_template"] == CHARACTERS_TEMPLATE
    assert config["model_max_length"] == model.config.context
    assert "token_type_ids" not in config["model_input_names"]          # generate() refuses them
    generation = read_json(folder / "generation_config.json")
    assert generation == {"bos_token_id": ours.begin_id, "eos_token_id": ours.end_id, "pad_token_id": ours.pad_id,
                          "do_sample": False}
    assert b'"__metadata__":{"format":"pt"}' in (folder / "model.safetensors").read_bytes()[:2000]


def test_a_model_keeps_the_template_that_it_was_trained_with(tmp_path):
    """An earlier version wrote no space before the words."""
    ours = TOKENIZERS["bpe"]
    params, config = tiny.params(tiny.config(vocab_size=ours.vocab_size)), tiny.config(vocab_size=ours.vocab_size)
    folder = save_checkpoint(tmp_path / "old", 1, LanguageModel(params, config, ours))
    path = folder / "tokenizer_config.json"
    assert read_json(path)["chat_template"] == CHAT_TEMPLATES["bpe"]
    assert Tokenizer.load(folder / "tokenizer.json") == ours
    path.write_text(json.dumps({**read_json(path), "chat_template": CHARACTERS_TEMPLATE}))
    old = Tokenizer.load(folder / "tokenizer.json")
    asked = [{"role": "user", "content": "the cat"}]
    assert old.decode(old.encode_chat(asked), controls=True) == "<|begin|><|user|>the cat<|end|><|assistant|>"
    assert ours.decode(ours.encode_chat(asked), controls=True) == "<|begin|><|user|> the cat<|end|><|assistant|>"
    assert old.encode_answer("the").tolist() == old.encode("the").tolist()
    again = save_checkpoint(tmp_path / "again", 1, LanguageModel(params, config, old))
    assert read_json(again / "tokenizer_config.json")["chat_template"] == CHARACTERS_TEMPLATE
    assert Tokenizer.load(again / "tokenizer.json") == old != ours


def test_a_template_that_is_no_text_is_refused(tmp_path):
    folder = save_checkpoint(tmp_path, 1, tiny.model("llama"))
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**read_json(path), "chat_template": ["a"]}))
    with pytest.raises(ValueError, match="tokenizer_config.json: 'chat_template' is no text"):
        Tokenizer.load(folder / "tokenizer.json")
