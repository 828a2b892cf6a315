import numpy as np
import pytest

from minillm.world.conversations import make_conversations
from minillm.world.facts import make_world


@pytest.fixture(scope="module")
def conversations():
    return make_conversations(make_world(0), 4000, np.random.default_rng(0))


def test_roles_alternate_and_end_with_the_assistant(conversations):
    for conversation in conversations:
        roles = [message["role"] for message in conversation.messages]
        if roles[0] == "system":
            roles = roles[1:]
        assert roles == ["user", "assistant"] * (len(roles) // 2) and roles


def test_the_request_is_the_last_question(conversations):
    for conversation in conversations:
        assert conversation.messages[-2]["content"] == conversation.request.question
        system = conversation.messages[0]["content"] if conversation.messages[0]["role"] == "system" else None
        assert system == conversation.request.system


def test_some_have_two_turns(conversations):
    two = [len(conversation.messages) >= 4 for conversation in conversations]
    assert 0.06 < np.mean(two) < 0.10


def test_lengths_suit_a_small_model(conversations):
    answers = [len(conversation.messages[-1]["content"].split()) for conversation in conversations]
    whole = [sum(len(m["content"].split()) for m in conversation.messages) for conversation in conversations]
    assert np.mean(answers) < 10 and max(answers) <= 27
    assert np.mean(whole) < 25 and max(whole) < 60


def test_same_seed_same_conversations():
    world = make_world(1)
    first, second = (make_conversations(world, 30, np.random.default_rng(5), "held_out") for _ in range(2))
    assert first == second


def test_messages_are_not_empty_and_plain(conversations):
    for conversation in conversations:
        for message in conversation.messages:
            assert message["content"] and message["content"].isascii()


def test_unknown_split_is_refused():
    with pytest.raises(ValueError, match="split"):
        make_conversations(make_world(0), 1, np.random.default_rng(0), "all")
