"""Conversations for fine-tuning: requests, each answered by one of the imagined writers."""

from dataclasses import dataclass, replace

from minillm.world.requests import Request, make_requests
from minillm.world.writers import pick_writer, write_answer

TWO_TURN_SHARE = 0.15  # of the requests without a system prompt: about 8% of all


@dataclass(frozen=True)
class Conversation:
    """Messages of {"role", "content"}; `request` and `writer` are those of the last question and answer."""

    messages: list
    request: Request
    writer: str


def make_conversations(world, n, rng, split="train"):
    """Draw n conversations of one or, sometimes, two turns; the second question refers to nothing earlier.

    Raises:  ValueError for a split other than "train" and "held_out".
    """
    requests = make_requests(world, n, rng, split)
    earlier = make_requests(world, n, rng, split)
    return [_conversation(request, before if rng.random() < TWO_TURN_SHARE else None, rng)
            for request, before in zip(requests, earlier)]


def _conversation(request, before, rng):
    """One conversation; an earlier turn comes only where no system prompt rules both."""
    messages = request.messages()
    if before is not None and request.system is None:
        before = replace(before, system=None, style=None, closing="")
        messages = before.messages() + [_said(before, "complete", rng)] + messages
    writer = pick_writer(request, rng)
    return Conversation(messages + [_said(request, writer, rng)], request, writer)


def _said(request, writer, rng):
    """The assistant's message."""
    return {"role": "assistant", "content": write_answer(request, writer, rng)}
