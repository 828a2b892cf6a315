"""Conversations for fine-tuning: each request is answered by one of the imagined writers."""

from dataclasses import dataclass, replace

from minillm.world.requests import Request, make_requests
from minillm.world.writers import pick_writer, write_answer

TWO_TURN_SHARE = 0.15  # of the requests without a system prompt: about 8% of all requests


@dataclass(frozen=True)
class Conversation:
    """A list of messages, with the request and the writer behind the last two."""

    messages: list  # of {"role", "content"}
    request: Request  # the source of the last question
    writer: str  # who wrote the last answer


def make_conversations(world, n, rng, split="train"):
    """Draw n conversations of one turn or, sometimes, two turns.

    The two turns are independent: the second question does not refer to the first.

    Raises:  ValueError for a split other than "train" and "held_out".
    """
    requests = make_requests(world, n, rng, split)
    earlier = make_requests(world, n, rng, split)
    return [_conversation(request, before if rng.random() < TWO_TURN_SHARE else None, rng)
            for request, before in zip(requests, earlier)]


def _conversation(request, before, rng):
    """One conversation, with the turn `before` in front unless the request has a system prompt.

    A system prompt would apply to both turns, and the earlier answer does not follow it.
    """
    messages = request.messages()
    if before is not None and request.system is None:
        before = replace(before, system=None, style=None, closing="")
        messages = before.messages() + [_said(before, "complete", rng)] + messages
    writer = pick_writer(request, rng)
    return Conversation(messages + [_said(request, writer, rng)], request, writer)


def _said(request, writer, rng):
    """The assistant's message, as this writer writes it."""
    return {"role": "assistant", "content": write_answer(request, writer, rng)}
