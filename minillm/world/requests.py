"""Draw users' requests about the world, each with the truth to judge an answer by."""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from minillm.world.casual import casual
from minillm.world.kinds import BY_NAME, KINDS, pick
from minillm.world.kinds.kind import pick_weighted, wordings
from minillm.world.manners import MANNERS, STYLE_SHARES, WORD

SPLITS = ("train", "held_out")
SYSTEM_SHARE = 0.51  # of the requests of a kind that allows manners; about 35% of all requests


@dataclass(frozen=True)
class Request:
    """One user's request, the requested manner, and the truth to judge an answer by."""

    kind: str  # the name of its kind: "capital"
    question: str
    system: str | None  # the system prompt
    style: str | None  # "word", "sentence", "polite" or "persona" if a system prompt asks for it
    answer: str  # short right answer, e.g. "Lima"; "" if there is none
    sentence: str  # full right answer
    wrong: tuple[str, ...]  # wrong short answers of the same sort
    harmful: bool
    held_out_entity: bool  # training never asks this kind of question about the entity
    held_out_phrasing: bool  # training never uses this phrasing
    wrong_sentences: tuple[str, ...] = ()  # full wrong answers
    also: tuple[str, ...] = ()  # other full right answers (for a list: its members)
    rivals: tuple[str, ...] = ()  # names that an answer about something else would mention
    closing: str = ""  # words with which the requested manner ends an answer
    unknown: bool = False  # the right answer is that the assistant does not know
    earlier: tuple = ()  # earlier turns: ((what the user said, what the assistant answered), ...)
    further: tuple = ()  # turns that conversations for fine-tuning may have after the earlier ones

    def messages(self):
        """The prompt: the system message if there is one, the earlier turns, then the question."""
        said = [] if self.system is None else [("system", self.system)]
        for user, assistant in self.earlier:
            said += [("user", user), ("assistant", assistant)]
        return [{"role": role, "content": content}
                for role, content in (*said, ("user", self.question))]


@lru_cache(maxsize=4)
def kind_tables(world):
    """One (kind, items, indices of known items, indices of held-out items) for every kind.

    Fine-tuning uses the known items only. A kind holds out every second item of a part of its
    table, and that part shifts from kind to kind. So fine-tuning still uses every name: held out is
    the pair of question and entity, not the word. A kind with `own_split` says itself which of its
    items are held out. An item that occurs more than once is held out if its first copy is. What
    is `unseen` is in neither list.
    """
    tables = []
    for number, kind in enumerate(KINDS):
        items = kind.items(world)
        flags = [item.held_out for item in items]
        shift = number % 4 * (len(items) // 4)
        if not kind.own_split:
            first = {}
            for i, item in enumerate(items):
                held_out = flags[(i + shift) % len(items)] and i % 2 == 0
                items[i] = item._replace(held_out=first.setdefault(item.sentence, held_out))
        items = _with_unseen(items)
        known = [i for i, item in enumerate(items) if not (item.held_out or item.unseen)]
        held = [i for i, item in enumerate(items) if item.held_out]
        tables.append((kind, items, known, held))
    return tables


def _with_unseen(items):
    """The items; of those whose answer must be read in the request, an eighth is unseen.

    What must be read there stands in no other item.
    """
    copies = Counter(item.read for item in items)
    return [item._replace(unseen=number % 8 == 3 and item.read != () and not item.held_out
                          and copies[item.read] == 1) for number, item in enumerate(items)]


def make_requests(world, n, rng, split="train", kinds=None):
    """Draw n requests of the kinds with these names, or of all kinds.

    "train" uses known phrasings and entities only. In "held_out", every second request has a
    held-out phrasing and system prompt, about any entity. The others have a known phrasing about a
    held-out entity, if a kind has one.

    Raises:  ValueError for a split other than "train" and "held_out", or a kind that is none.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}, but must be one of {SPLITS}")
    tables = kind_tables(world) if kinds is None else [_table(world, name) for name in kinds]
    with_held = [table for table in tables if table[3]]
    shares, shares_held = _shares(tables), _shares(with_held)
    requests = []
    for number in range(n):
        new_entity = split == "held_out" and number % 2 == 1 and bool(with_held)
        new_phrasing = split == "held_out" and not new_entity
        chosen, weights = (with_held, shares_held) if new_entity else (tables, shares)
        kind, items, known, held = chosen[pick_weighted(rng, weights)]
        if new_phrasing:
            item = pick(rng, items)
        else:
            item = items[pick(rng, held if new_entity else known)]
        requests.append(_request(kind, item, new_phrasing, rng))
    return requests


def requests_of_kind(world, name, n, rng, new=False):
    """Draw n requests of one kind, in held-out phrasings; none if `new` and it holds no item out.

    They are about items that fine-tuning asks about or, if `new`, about held-out ones. Where the
    answer must be read in the request, unseen items stand for the first: else a model could have
    learned them by heart.
    """
    kind, items, known, held = _table(world, name)
    unseen = [i for i, item in enumerate(items) if item.unseen]
    chosen = held if new else unseen or known
    return [_request(kind, items[pick(rng, chosen)], True, rng) for _ in range(n if chosen else 0)]


def _table(world, name):
    """The entry of `kind_tables` of the kind with this name."""
    if name not in BY_NAME:
        raise ValueError(f"there is no kind of requests {name!r}; the kinds are {list(BY_NAME)}")
    return next(table for table in kind_tables(world) if table[0].name == name)


def _shares(tables):
    """The weight of each table's kind: {place in the list: weight}."""
    return {i: kind.weight for i, (kind, *_) in enumerate(tables)}


def _request(kind, item, new_phrasing, rng):
    """A request about an item, in a held-out phrasing if `new_phrasing`, else in a known one."""
    phrasing = pick(rng, wordings(item.phrasings or kind.phrasings,
                                  item.paraphrases or kind.paraphrases, new_phrasing))
    manner = _pick_manner(kind, item, rng)
    system, style, closing = None, None, ""
    if manner is not None:
        system = pick(rng, manner.held_prompts if new_phrasing else manner.prompts)
        style, closing = manner.style, manner.closing
    question = phrasing.format(**item.slots)
    if kind.casual:
        question = casual(question, rng, new_phrasing)
    return Request(kind.name, question, system, style, item.answer, item.sentence, item.wrong,
                   kind.harmful, item.held_out, new_phrasing, item.wrong_sentences, item.also,
                   item.rivals, closing, kind.unknown, item.earlier, item.further)


def _pick_manner(kind, item, rng):
    """A manner that suits the kind and the answer, or None for no system prompt."""
    one_word = item.answer and " " not in item.answer
    styles = [s for s in kind.styles if s != WORD or one_word]
    if item.earlier:  # the earlier answers do not follow any system prompt
        return None
    if not styles or rng.random() >= SYSTEM_SHARE:
        return None
    style = pick_weighted(rng, {style: STYLE_SHARES[style] for style in styles})
    return pick(rng, [manner for manner in MANNERS if manner.style == style])
