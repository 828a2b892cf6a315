"""Conversations for fine-tuning: each request is answered by one of the imagined writers."""

from dataclasses import dataclass, replace

from minillm.world.requests import Request, make_requests
from minillm.world.writers import pick_writer, write_answer

MORE_TURNS = (0.3, 0.25, 0.1)  # shares of conversations with 1, 2, 3 independent turns in front
MOST_WORDS, MOST_TURNS = 65, 6  # of a conversation whose answer is full and right
ABOUT_THE_USER = ("memory", "not told")  # kinds in which the user tells something
FURTHER_SHARE = 0.5  # of their further questions: they are asked
BETWEEN = 0.75  # share of these whose turns in front stand between the telling and the question


@dataclass(frozen=True)
class Conversation:
    """A list of messages, with the request and the writer behind the last two."""

    messages: list  # of {"role", "content"}
    request: Request  # the source of the last question; its `earlier` has all turns before
    writer: str  # who wrote the last answer


def make_conversations(world, n, rng, split="train"):
    """Draw n conversations of one turn or, for 0.65 of those without a system prompt, several.

    The turns in front are independent of the last question; where that asks for what the user told
    or did not tell, they mostly stand between the telling and the question, and so do further
    questions of that sort.

    Raises:  ValueError for a split other than "train" and "held_out".
    """
    requests = make_requests(world, n, rng, split)
    more = rng.choice(len(MORE_TURNS) + 1, size=n, p=(1 - sum(MORE_TURNS), *MORE_TURNS))
    others = iter(make_requests(world, int(more.sum()), rng, split))
    return [_conversation(request, [next(others) for _ in range(count)], rng)
            for request, count in zip(requests, more)]


def conversation_texts(world, n, rng):
    """The messages of n conversations of the training split, each as a text."""
    return [message["content"] for conversation in make_conversations(world, n, rng)
            for message in conversation.messages]


def _conversation(request, before, rng):
    """One conversation, with the turns of `before` in front unless the request has a system prompt.

    A system prompt would apply to all turns, and the earlier answers do not follow it.
    """
    if request.system is None:
        request = _after(request, before, rng)
    writer = pick_writer(request, rng)
    answer = {"role": "assistant", "content": write_answer(request, writer, rng)}
    return Conversation(request.messages() + [answer], request, writer)


def _after(request, before, rng):
    """The request, asked after the turns of other requests as well as its own earlier turns.

    Turns that make the conversation too long are left out. Only one of the requests may be about
    what the user told, because two might contradict.
    """
    asks_for_told = told = request.kind in ABOUT_THE_USER
    between, turns = (), ()

    def fits(*more):
        whole = request.earlier + between + turns + more
        return (_words(whole, request.question, request.sentence) <= MOST_WORDS
                and len(whole) < MOST_TURNS)
    for turn in request.further:
        if rng.random() < FURTHER_SHARE and fits(turn):
            between += (turn,)
    for other in before:
        other = replace(other, system=None, style=None, closing="")
        said = (*other.earlier, (other.question, write_answer(other, "complete", rng)))
        if not fits(*said) or (told and other.kind in ABOUT_THE_USER):
            continue
        turns += said
        told = told or other.kind in ABOUT_THE_USER
    if asks_for_told and rng.random() < BETWEEN:
        return replace(request, earlier=(*request.earlier, *between, *turns))
    return replace(request, earlier=(*turns, *request.earlier, *between))


def _words(*parts):
    """How many words these texts, or tuples of texts, have."""
    return sum(len(part.split()) if isinstance(part, str) else _words(*part) for part in parts)
