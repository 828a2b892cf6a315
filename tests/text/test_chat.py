"""The chat template: who speaks cannot be forged, and the mask covers what must be learned."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minillm.text.chat import render_chat, validate_messages
from minillm.text.tokenizer import CONTROL, Tokenizer

BYTES_ALONE, LETTERS = Tokenizer("bpe", bytes(range(256))), Tokenizer("characters", b"abcdefs")
PAD, BEGIN, END, SYSTEM, USER, ASSISTANT = range(6)


def say(role, content):
    return {"role": role, "content": content}


def in_bytes(text):
    return [6 + byte for byte in f" {text}".encode()]


def test_the_template_token_by_token():
    messages = [say("system", "s"), say("user", "ab"), say("assistant", "cd"),
                say("user", "e"), say("assistant", "f")]
    ids, mask = render_chat(BYTES_ALONE, messages)
    assert ids.dtype == np.int32 and mask.dtype == bool
    assert ids.tolist() == [BEGIN, SYSTEM, *in_bytes("s"), END, USER, *in_bytes("ab"), END,
                            ASSISTANT, *in_bytes("cd"), END, USER, *in_bytes("e"), END,
                            ASSISTANT, *in_bytes("f"), END]
    assert ids[mask].tolist() == [*in_bytes("cd"), END, *in_bytes("f"), END]
    assert np.flatnonzero(mask).tolist() == [11, 12, 13, 14, 20, 21, 22]


def test_a_vocabulary_of_characters_has_no_space_before_the_words():
    ids, mask = render_chat(LETTERS, [say("user", "ab"), say("assistant", "cd")])
    assert ids.tolist() == [BEGIN, USER, 6, 7, END, ASSISTANT, 8, 9, END]
    assert LETTERS.encode_answer("cd").tolist() == [8, 9] and LETTERS.decode_answer([8, 9]) == "cd"


@pytest.mark.parametrize("answer", ["The cat", " the cat", "", "\n", "5"])
def test_an_answer_is_encoded_as_the_row_has_it(bpe, answer):
    asked = [say("user", "the cat?")]
    ids, mask = render_chat(bpe, [*asked, say("assistant", answer)])
    if answer:
        assert ids[mask].tolist() == [*bpe.encode_answer(answer), END]
    assert bpe.decode_answer(ids[mask]) == answer
    assert bpe.encode_answer("").tolist() == []         # the beginning of any answer


def test_the_first_word_of_an_answer_is_the_token_that_it_is_inside_a_text(bpe):
    """Otherwise all that a text says of " cat" would have to be learned again for "cat"."""
    inside = bpe.encode("on the cat").tolist()
    assert bpe.encode_answer("cat").tolist() == inside[-len(bpe.encode_answer("cat")):]
    assert bpe.encode_answer("cat").tolist() != bpe.encode("cat").tolist()


def test_asking_ends_in_the_assistants_turn():
    ids, mask = render_chat(BYTES_ALONE, [say("user", "ab")], ask=True)
    assert ids.tolist() == [BEGIN, USER, *in_bytes("ab"), END, ASSISTANT]     # no space: it is the answer's
    assert not mask.any()
    assert BYTES_ALONE.encode_chat([say("user", "ab")]).tolist() == ids.tolist()
    assert BYTES_ALONE.encode_chat([say("user", "ab")], ask=False).tolist() == ids.tolist()[:-1]


def test_asking_is_what_the_rendered_answer_begins_with(bpe):
    asked = bpe.encode_chat([say("user", "How many sacks?")])
    ids, mask = render_chat(bpe, [say("user", "How many sacks?"), say("assistant", "1,250")])
    np.testing.assert_array_equal(ids[:len(asked)], asked)
    assert not mask[:len(asked)].any() and mask[len(asked):].all()  # from the first word to the end token


texts = st.one_of(st.text(), st.lists(st.sampled_from([*CONTROL, "a", " "])).map("".join))


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=4), st.booleans())
def test_text_that_spells_control_tokens_stays_text(turns, with_system):
    messages = [say("system", "".join(CONTROL))] if with_system else []
    for question, answer in turns:
        messages += [say("user", question), say("assistant", answer)]
    ids, mask = render_chat(BYTES_ALONE, messages)
    assert np.sum(ids == BEGIN) == 1 and ids[0] == BEGIN
    assert np.sum(ids == END) == len(messages)
    assert [i for i in ids.tolist() if SYSTEM <= i <= ASSISTANT] == [
        {"system": SYSTEM, "user": USER, "assistant": ASSISTANT}[message["role"]] for message in messages]
    parts = np.split(ids, np.flatnonzero(ids == END) + 1)[:-1]
    assert [BYTES_ALONE.decode_answer(part) for part in parts] == [message["content"] for message in messages]
    assert BYTES_ALONE.decode(ids[mask]) == "".join(f" {answer}" for _, answer in turns)
    assert np.sum(mask & (ids == END)) == len(turns)
    assert not mask[np.isin(ids, [PAD, BEGIN, SYSTEM, USER, ASSISTANT])].any()


def test_an_empty_answer_still_teaches_its_end():
    ids, mask = render_chat(BYTES_ALONE, [say("user", ""), say("assistant", "")])
    assert ids[mask].tolist() == [*in_bytes(""), END]


@pytest.mark.parametrize("messages, named", [
    ("hello", "must be a list"), (None, "must be a list"),
    ({"role": "user", "content": ""}, "must be a list"),
    ([], "empty list"),
    (["hello"], "message 1 must be"),
    ([{"role": "user"}], "message 1 has no 'content'"),
    ([{"content": "a"}], "message 1 has no 'role'"),
    ([{"role": "user", "contents": "a"}], "its keys are ['contents', 'role']"),
    ([say("user", 3)], "message 1: 'content' must be a string, not int"),
    ([say("user", None)], "not NoneType"),
    ([say(["user"], "a")], "'role' must be a string"),
    ([say("human", "a")], "unknown role 'human'; roles are system, user, assistant"),
    ([say("user", "a"), say("system", "b")], "message 2 has role 'system', which only the first"),
    ([say("system", "a"), say("system", "b")], "message 2 has role 'system'"),
    ([say("system", "a")], "there is no other"),
    ([say("assistant", "a")], "message 1 has role 'assistant', but it is the user's turn"),
    ([say("system", "a"), say("assistant", "a")], "message 2 has role 'assistant'"),
    ([say("user", "a"), say("user", "b")], "message 2 has role 'user', but it is the assistant's turn"),
    ([say("system", "a"), say("user", "a"), say("assistant", "b"), say("assistant", "c")], "message 4"),
])
def test_what_is_no_conversation(messages, named):
    with pytest.raises(ValueError) as error:
        validate_messages(messages)
    assert named in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(ValueError):
        render_chat(BYTES_ALONE, messages)


def test_asking_after_the_answer():
    with pytest.raises(ValueError, match="already ends with the assistant"):
        render_chat(BYTES_ALONE, [say("user", "a"), say("assistant", "b")], ask=True)
