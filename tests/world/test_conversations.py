import numpy as np
import pytest

from minillm.world.conversations import make_conversations
from minillm.world.facts import make_world
from minillm.world.kinds import BY_NAME
from minillm.world.kinds.greetings import SMALL_TALK
from minillm.world.kinds.told import NOT_TOLD


@pytest.fixture(scope="module")
def conversations():
    return make_conversations(make_world(0), 16000, np.random.default_rng(0))


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


def test_many_have_several_turns(conversations):
    """Of those without a system prompt 0.65 have turns in front that the request does not need."""
    free = [c for c in conversations if c.request.system is None
            and c.request.kind in ("capital", "greeting", "harmful", "harmless", "about me", "list", "code")]
    more = [len(c.messages) // 2 - 1 for c in free]
    assert 0.5 < np.mean([count > 0 for count in more]) < 0.68 and max(more) >= 3
    assert len({c.messages[0]["content"] for c in free if len(c.messages) > 2}) > 100


def test_the_turns_before_belong_to_the_request(conversations):
    """So who judges an answer reads the whole conversation."""
    for conversation in conversations:
        assert conversation.messages[:-1] == conversation.request.messages()
        if conversation.request.system is not None:
            assert len(conversation.messages) == 3


def test_facts_are_told_several_turns_before(conversations):
    memories = [c for c in conversations if c.request.kind == "memory"]
    turns = []
    for conversation in memories:
        said = [m["content"] for m in conversation.messages[:-2:2]]
        turns.append(next(i for i, text in enumerate(said[::-1], 1) if conversation.request.answer.lower() in text.lower()))
    assert all(share > 0.1 for share in (np.array(turns)[:, None] == (1, 2, 3)).mean(0)) and max(turns) >= 4


def test_what_was_told_and_what_was_not_is_asked_for_in_between(conversations):
    """As often, so that the first question after a telling says nothing of the answer; and each is answered rightly."""
    first = []
    for conversation in (c for c in conversations if c.request.kind in ("memory", "not told")):
        asked = [(said, answer) for said, answer in conversation.request.earlier if (said, answer) in conversation.request.further]
        for question, answer in asked:
            value = answer.rstrip(".").split()[-1]
            missing = answer.endswith(NOT_TOLD) or "I do not know" in answer
            said = " ".join(user for user, _ in conversation.request.earlier).lower()
            assert missing or value.lower() in said, (question, answer)
        first += [asked[0][1].endswith(NOT_TOLD)] if asked else []
    assert len(first) > 300 and 0.35 < np.mean(first) < 0.65


def test_nobody_tells_what_is_then_called_not_told(conversations):
    """The turns in front never come from another request about what the user told."""
    items = {kind: BY_NAME[kind].items(make_world(0)) for kind in ("memory", "not told")}
    greetings = {phrasing for sort in SMALL_TALK for phrasing in sort.phrasings}
    tellings = {turn for kind in items for item in items[kind] for turn in item.earlier
                if turn[0] not in greetings and "capital" not in turn[0]}

    def told(turns):
        return tuple(turn for turn in turns if turn in tellings)
    for kind in items:
        asked = [c.request for c in conversations if c.request.kind == kind]
        assert len(asked) > 100 and any(len(request.earlier) > 1 for request in asked)
        assert {told(request.earlier) for request in asked} <= {told(item.earlier) for item in items[kind]}


def test_lengths_suit_a_small_model(conversations):
    answers = [len(conversation.messages[-1]["content"].split()) for conversation in conversations]
    whole = [sum(len(m["content"].split()) for m in conversation.messages) for conversation in conversations]
    assert np.mean(answers) < 12 and max(answers) <= 60
    assert np.mean(whole) < 36 and max(whole) < 100


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
