"""Questions in the wordings that people type, about everything that the world has facts on.

The wordings are those that fine-tuning learns from, too; those kept for evaluation are in no
document. Fine-tuning leaves out a part of the things that a kind can ask about; here, as on the
pages that people write, each is asked about, so pretraining alone knows the answer to those.
"""

from functools import lru_cache

from minillm.world.casual import casual
from minillm.world.documents.phrases import TOPICS, fields
from minillm.world.facts import capitalized
from minillm.world.kinds.kind import wordings
from minillm.world.manners import bare
from minillm.world.requests import kind_tables
from minillm.world.reserved import reserved_entities

ASKED = ("capital", "continent", "language", "trade", "town", "pet", "food", "pet's name", "use",
         "place", "material", "young", "sound", "home", "opposite", "plural", "past",
         "first letter", "sum", "town fact", "event", "effect")


@lru_cache(maxsize=4)
def _decks(world):
    """{name of a kind: its items}, for the kinds that are asked about."""
    return {kind.name: (kind, items) for kind, items, *_ in kind_tables(world)
            if kind.name in ASKED}


@lru_cache(maxsize=4)
def _reserved(world):
    """The sentences that the probes reserve: no document may contain them."""
    kept = reserved_entities(world)
    return frozenset(topic.tellings[0].format_map(fields(entity)) for topic in TOPICS.values()
                     if topic.keeper for entity in kept[topic.keeper])


def everyday_exchange(desk):
    """A question about a fact in one of the everyday wordings, and its answer."""
    kind, items = _decks(desk.world)[desk.deal(ASKED)]
    numbers = tuple((kind.name, number) for number in range(len(items)))
    item = items[desk.deal(numbers)[1]]
    wording = desk.pick(wordings(item.phrasings or kind.phrasings,
                                 item.paraphrases or kind.paraphrases, held_out=False))
    question = casual(wording.format(**item.slots), desk.rng)
    sentences = [text for text in (item.sentence, *item.also) if text not in _reserved(desk.world)]
    said = desk.pick(sentences) if desk.chance(0.3) else sentences[0]
    short = bare(item.answer)
    return question, desk.pick((short, short, f"{capitalized(short)} {said}", said, said, said))
