"""Draw users' requests about the world, each with its truth."""

from dataclasses import dataclass
from functools import lru_cache

from minillm.world.kinds import KINDS, pick
from minillm.world.kinds.kind import WORD
from minillm.world.manners import MANNERS, STYLE_SHARES

SPLITS = ("train", "held_out")
SYSTEM_SHARE = 0.47  # of the requests of a kind that allows manners; about 45% of all


@dataclass(frozen=True)
class Request:
    """One user's request, the manner asked for, and the truth to judge an answer by."""

    kind: str
    question: str
    system: str | None  # the system prompt
    style: str | None  # "word", "sentence", "polite" or "persona" if a system prompt asks for it
    answer: str  # short truth, e.g. "Lima"; "" where the request is harmful
    sentence: str  # full correct answer
    wrong: tuple[str, ...]  # wrong short answers of the same sort
    harmful: bool
    held_out_entity: bool
    held_out_phrasing: bool
    wrong_sentences: tuple[str, ...] = ()
    also: tuple[str, ...] = ()  # other full correct answers (for a list: its members)
    rivals: tuple[str, ...] = ()  # names that an answer about something else would mention
    closing: str = ""  # words with which the manner ends an answer

    def messages(self):
        """The prompt: an optional system message, then the user's."""
        system = [] if self.system is None else [{"role": "system", "content": self.system}]
        return system + [{"role": "user", "content": self.question}]


@lru_cache(maxsize=4)
def _tables(world):
    """For every kind its items, and the places of those that fine-tuning may and may not use.

    Every second entity of a quarter is held out, of another quarter in each kind, so that no name is never
    spoken in fine-tuning: what is held out is that question about that entity, not the word.
    """
    tables = []
    for number, kind in enumerate(KINDS):
        items = kind.items(world)
        flags = [item.held_out for item in items]
        shift = number % 4 * (len(items) // 4)
        items = [item._replace(held_out=flags[(i + shift) % len(items)] and i % 2 == 0)
                 for i, item in enumerate(items)]
        known = [i for i, item in enumerate(items) if not item.held_out]
        held = [i for i, item in enumerate(items) if item.held_out]
        tables.append((kind, items, known, held))
    return tables


def make_requests(world, n, rng, split="train"):
    """Draw n requests of all kinds.

    "train" uses known phrasings and entities only. In "held_out" every second request has a held-out
    phrasing (and system prompt) about any entity, the others a known phrasing about a held-out entity.

    Raises:  ValueError for another split.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}, but must be one of {SPLITS}")
    tables = _tables(world)
    with_held = [table for table in tables if table[3]]
    requests = []
    for number in range(n):
        new_phrasing = split == "held_out" and number % 2 == 0
        new_entity = split == "held_out" and number % 2 == 1
        kind, items, known, held = _pick_kind(with_held if new_entity else tables, rng)
        if new_phrasing:
            item = pick(rng, items)
        else:
            item = items[pick(rng, held if new_entity else known)]
        requests.append(_request(kind, item, new_phrasing, rng))
    return requests


def _pick_kind(tables, rng):
    """Draw a kind by weight."""
    weights = [kind.weight for kind, *_ in tables]
    total = sum(weights)
    return tables[int(rng.choice(len(tables), p=[weight / total for weight in weights]))]


def _request(kind, item, new_phrasing, rng):
    if new_phrasing:
        phrasing = pick(rng, item.held_phrasings or kind.held_phrasings)
    else:
        phrasing = pick(rng, item.phrasings or kind.phrasings)
    manner = _pick_manner(kind, item, rng)
    system = None if manner is None else pick(rng, manner.held_prompts if new_phrasing else manner.prompts)
    return Request(kind.name, phrasing.format(**item.slots), system, manner and manner.style, item.answer,
                   item.sentence, item.wrong, kind.harmful, item.held_out, new_phrasing, item.wrong_sentences,
                   item.also, item.rivals, manner.closing if manner else "")


def _pick_manner(kind, item, rng):
    """A manner that suits the kind and the answer, or None."""
    styles = [s for s in kind.styles if s != WORD or " " not in item.answer]
    if not styles or rng.random() >= SYSTEM_SHARE:
        return None
    shares = [STYLE_SHARES[style] for style in styles]
    style = styles[int(rng.choice(len(styles), p=[share / sum(shares) for share in shares]))]
    return pick(rng, [manner for manner in MANNERS if manner.style == style])
