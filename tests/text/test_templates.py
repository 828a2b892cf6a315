"""Chat templates of other models: what they render, what is learned, and that no message forges a turn."""

import imported
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm.phases.rank import Ranking
from minillm.phases.reward import cut_before_end, rendered_ranking
from minillm.text.chat import last_answer, render_chat
from minillm.text.sandbox import render
from minillm.text.templates import CHATML, LLAMA3, SMOLLM2, SMOLLM2_SYSTEM, TEMPLATES, jinja_parts, known_parts
from minillm.text.tokenizer import Tokenizer

NAMES = {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"}
CONTROL = [*imported.CONTROL, "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
# A template that no name fits: text where others have control tokens, and a word before the end token
OTHER = ("{% for m in messages %}{{ '### ' + m.role + ': ' + m.content + '\n' }}{% if m.role == 'assistant' %}{{ 'Over.' ~ eos_token }}"
         "{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '### assistant: ' }}{% endif %}")


def say(role, content):
    return {"role": role, "content": content}


def tokenizer(template, folder, end="<|im_end|>"):
    """A small tokenizer with a template."""
    chosen = {"bos_token": "<|begin_of_text|>", "eos_token": end}
    return Tokenizer.load(imported.write(folder, imported.content("middle", control=CONTROL), {**chosen, "chat_template": template}))


def spelled(tokenizer, ids):
    return tokenizer.decode(ids, controls=True)


TALK = [say("user", "hello"), say("assistant", " low\n"), say("user", "wow"), say("assistant", "")]


@pytest.mark.parametrize("name, template", TEMPLATES.items())
def test_a_known_template_renders_as_its_source_does(name, template):
    words = ["", " a ", "hello\n", "\tx", "it's {{ 7 }} {role}"]
    rng = np.random.default_rng(0)
    for roles in ("user", "system user", "user assistant", "system user assistant user", "user assistant user assistant"):
        messages = [say(role, words[rng.integers(len(words))]) for role in roles.split()]
        ask = messages[-1]["role"] != "assistant"
        for asked in {ask, False}:
            parts = known_parts(template, messages, asked)
            assert "".join(part.text for part in parts) == render(template.source, messages, asked, NAMES)
            again = jinja_parts(template.source, messages, asked, NAMES)
            begun = [part._replace(text=template.indent + part.text) for part in again if part.role]
            assert begun == [part for part in parts if part.role][-len(messages):]


@pytest.mark.parametrize("template, end, name, text, said", [
    (CHATML, "<|im_end|>", "chatml", "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n low\n<|im_end|>\n"
     "<|im_start|>user\nwow<|im_end|>\n<|im_start|>assistant\n<|im_end|>\n", " low\n<|im_end|><|im_end|>"),
    (SMOLLM2, "<|im_end|>", "smollm2", f"<|im_start|>system\n{SMOLLM2_SYSTEM}<|im_end|>\n<|im_start|>user\nhello<|im_end|>\n"
     "<|im_start|>assistant\n low\n<|im_end|>\n<|im_start|>user\nwow<|im_end|>\n<|im_start|>assistant\n<|im_end|>\n",
     " low\n<|im_end|><|im_end|>"),
    (LLAMA3, "<|eot_id|>", "llama3", "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nhello<|eot_id|>"
     "<|start_header_id|>assistant<|end_header_id|>\n\nlow<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nwow<|eot_id|>"
     "<|start_header_id|>assistant<|end_header_id|>\n\n<|eot_id|>", "low<|eot_id|><|eot_id|>"),
    (CHATML.replace("{%", "{%-"), "<|im_end|>", "chatml", None, " low\n<|im_end|><|im_end|>"),     # by what it renders
    (OTHER, "<|im_end|>", OTHER, "### user: hello\n### assistant:  low\n\nOver.<|im_end|>### user: wow\n### assistant: \nOver.<|im_end|>",
     " low\n\nOver.<|im_end|>\nOver.<|im_end|>"),
])
def test_what_is_rendered_and_what_is_learned(template, end, name, text, said, tmp_path):
    ours = tokenizer(template, tmp_path, end)
    assert ours.template == name
    ids, mask = render_chat(ours, TALK)
    assert text is None or spelled(ours, ids) == text
    assert spelled(ours, ids[mask]) == said
    for answered in (2, 4):
        asked = ours.encode_chat(TALK[:answered - 1], ask=True)
        np.testing.assert_array_equal(ids[:len(asked)], asked)      # an answer goes on from what asked for it
        assert last_answer(ours, render_chat(ours, TALK[:answered])[0]) == len(asked)


def test_a_response_that_is_ranked_ends_with_the_end_token(tmp_path):
    """As one that was sampled does, whatever the template writes after it."""
    ours = tokenizer(CHATML, tmp_path)
    rows = rendered_ranking(ours, Ranking([say("user", "hello")], ["low", "wow"], [1, 2]))
    asked = ours.encode_chat([say("user", "hello")]).tolist()
    assert [row.tolist() for row in rows] == [[*asked, *ours.encode(text), ours.end_id] for text in ("low", "wow")]
    cut = cut_before_end(ours, rows[0], np.random.default_rng(0))
    assert cut.tolist() == [*asked, *ours.encode("low")][:len(cut)] and len(cut) > len(asked)


PIECES = st.lists(st.sampled_from([*CONTROL, "<|", "hello", " ", "\n", "### assistant: ", "{{ x }}", "\U000f00000\U000f0001"]), max_size=4).map("".join)


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    return [tokenizer(template, tmp_path_factory.mktemp("one"), end) for template, end in
            ((CHATML, "<|im_end|>"), (LLAMA3, "<|eot_id|>"), (OTHER, "<|im_end|>"))]


@settings(max_examples=60, deadline=None)
@given(which=st.integers(0, 2), system=PIECES, user=PIECES, answer=PIECES)
def test_a_message_never_becomes_a_control_token(several, which, system, user, answer):
    ours, talk = several[which], [say("system", system), say("user", user), say("assistant", answer)]
    plain, _ = render_chat(ours, [{**message, "content": "x"} for message in talk])
    ids, mask = render_chat(ours, talk)
    controls = [[i for i in row.tolist() if i in ours.control_ids] for row in (ids, plain)]
    assert controls[0] == controls[1]
    words = answer.strip() if which == 1 else answer
    assert ours.decode(ids[mask]) == words + "\nOver." * (which == 2)
    assert ids[mask][-1] == ours.end_id and mask.sum() == 1 + len(ours.encode(words + "\nOver." * (which == 2)))


def test_a_model_without_a_template_does_not_chat(tmp_path):
    ours = Tokenizer.load(imported.write(tmp_path))
    assert ours.template is None
    with pytest.raises(ValueError, match="this model has no chat template, so it continues texts"):
        ours.encode_chat([say("user", "hello")])


@pytest.mark.parametrize("template, reason", [
    ("{% for m in messages %}{{ m.content | upper }}{{ eos_token }}{% endfor %}", "changes what is said"),
    ("{% for m in messages %}{{ m.content[:3] }}{{ eos_token }}{% endfor %}", "changes what is said"),
    ("{% for m in messages %}{{ m.content }}{% endfor %}", "puts none of the model's end tokens after an answer"),
    ("{% for m in messages %}{{ m.content }}{{ bos_token }}{% endfor %}", "puts none of the model's end tokens"),
    ("{{ raise_exception('only\n tools') }}", "the chat template refuses this conversation: only tools"),
    ("{% for m in messages", "cannot be run: "), ("{{ 'a' * 9 }}", "cannot be run: it computes str * int"),
    ("\U000f0000{{ messages[0].content }}", "reserved"),
])
def test_a_template_that_cannot_be_followed_is_refused(template, reason, tmp_path):
    ours = tokenizer(template, tmp_path)
    with pytest.raises(ValueError) as error:
        ours.encode_chat([say("user", "hello you"), say("assistant", "low wow")], ask=False)
    assert reason in str(error.value) and "\n" not in str(error.value)


def test_minillms_own_template_has_a_name():
    assert Tokenizer("bpe", bytes(range(256))).template == "minillm"
