"""Five probes of what a model has learnt: grammar, facts, logic, code and common sense.

A model completes each item with the ending to which it gives the highest probability. Items come in
groups that share their endings, and in every group each ending is right exactly once. So a scorer
that does not read the context is at chance. The items on "a" and "an" are an exception: there, the
noun in the ending decides. No item occurs in the corpus: see reserved.py.
"""

from typing import NamedTuple

import numpy as np

from minillm.world.documents import code, scenes
from minillm.world.documents.desk import Desk
from minillm.world.documents.phrases import TOPICS, fields
from minillm.world.documents.puzzles import PUZZLES
from minillm.world.effects import EFFECTS
from minillm.world.facts import held_out_part, plural
from minillm.world.reserved import is_reserved

# share of right answers that guessing achieves: 1 / (number of endings)
CHANCE = {"grammar": 1 / 2, "facts": 1 / 4, "logic": 1 / 4, "code": 1 / 4, "common_sense": 1 / 4}


class ProbeItem(NamedTuple):
    """A context and its possible endings.

    The first ending is right. Each ending begins with its own space or line break if it needs one.
    """

    context: str
    endings: tuple


def make_probes(world):
    """Return {name of the probe: its 40 to 120 items}, the same in every process."""
    rng = np.random.default_rng([world.seed, 77])
    desk = Desk(world, rng)
    return {"grammar": grammar_probe(desk), "facts": facts_probe(desk), "logic": logic_probe(desk),
            "code": code_probe(desk), "common_sense": common_sense_probe(desk)}


def leaked_items(probes, texts):
    """The items whose context with the right ending occurs somewhere in the texts."""
    everything = "\0".join(texts)
    return [item for items in probes.values() for item in items
            if item.context + item.endings[0] in everything]


def group(contexts, endings):
    """One item for each context; endings[k] is right for contexts[k], and the others are wrong."""
    assert len(contexts) == len(endings) == len(set(endings)), (
        f"{endings} for {len(contexts)} contexts")
    return [ProbeItem(context, (right, *(ending for ending in endings if ending != right)))
            for context, right in zip(contexts, endings)]


def groups_of_four(pairs):
    """Items from (context, ending) pairs, in groups of four different endings.

    Pairs that do not fill a group are dropped.
    """
    items, waiting = [], list(pairs)
    while True:
        chosen = []
        for pair in waiting:
            if len(chosen) < 4 and all(pair[1] != other[1] for other in chosen):
                chosen.append(pair)
        if len(chosen) < 4:
            return items
        items += group(*zip(*chosen))
        waiting = [pair for pair in waiting if pair not in chosen]


def telling(topic, entity):
    """The reserved phrasing of a fact, cut before the answer: ("The capital of Peru is", " Lima").

    An article stays in the context, so that the answer alone is the ending.
    """
    template = TOPICS[topic].tellings[0].removesuffix(".")
    start, slot = template.rsplit(" ", 1)
    if slot.startswith("{a_"):
        start, slot = start + " a", "{" + slot[3:]
    words = fields(entity)
    return start.format_map(words), " " + slot.format_map(words)


def facts_probe(desk):
    """Facts about the held-out entities, in the phrasing that the corpus never uses for them."""
    world = desk.world
    countries = held_out_part(world.countries)
    people = held_out_part(world.people)[:8]
    items = []
    for topics, entities in ((("capital", "continent", "language"), countries),
                             (("trade", "town", "pet", "food"), people)):
        for topic in topics:
            items += groups_of_four(telling(topic, entity) for entity in entities)
    return items


def common_sense_probe(desk):
    """Use, place and material of things; animals; opposites; causes and effects."""
    world, items = desk.world, []
    for topic, table in (("use", world.things), ("place", world.things),
                         ("material", world.things), ("young", world.animals),
                         ("sound", world.animals), ("home", world.animals),
                         ("opposite", held_out_part(world.opposites)),
                         ("opposite", [pair[::-1] for pair in held_out_part(world.opposites)]),
                         ("effect", EFFECTS)):
        kept = desk.reserved[TOPICS[topic].keeper]
        items += groups_of_four(telling(topic, entity) for entity in table if entity in kept)
    return items


def logic_probe(desk, puzzles=8):
    """Puzzles on reserved pairs of words: orders, rules and kinds, `puzzles` of each."""
    items = []
    for make in PUZZLES.values():
        for _ in range(puzzles):
            puzzle = make(desk, reserved=True)
            items += group([f"{puzzle.facts} {case.context}" for case in puzzle.cases],
                           [f" {case.answer}" for case in puzzle.cases])
    return items


def grammar_probe(desk, pairs=9):
    """Grammar on reserved pairs of words, up to `pairs` pairs for each rule.

    The rules: agreement of the verb, tense, singular and plural, "his" and "her", "a" and "an".
    """
    names = [person.name for person in desk.world.people]
    items = []
    for first, second in _reserved_pairs(desk, scenes.NOUNS, scenes.NOUNS, pairs):
        one, many = desk.pick(((" is", " are"), (" was", " were")))
        near = desk.pick(scenes.NEARNESS)
        items += group((f"The {first} {near} the {plural(second)}",
                        f"The {plural(first)} {near} the {second}"), (one, many))
    for who, spot in _reserved_pairs(desk, scenes.FOLK, scenes.SPOTS, pairs):
        verb = desk.pick(scenes.DOINGS)
        items += group((f"The {who} in the {spot}", f"The {plural(who)} in the {spot}"),
                       (f" {verb}s", f" {verb}"))
    for name, present in _reserved_pairs(desk, names, tuple(scenes.PASTS), pairs):
        items += group((f"Every day {name}", f"Yesterday {name}"),
                       (f" {present}", f" {scenes.PASTS[present][0]}"))
    for name, noun in _reserved_pairs(desk, names, scenes.NOUNS, pairs):
        number = desk.pick(scenes.NUMBERS)
        items += group((f"{name} counted one", f"{name} counted {number}"),
                       (f" {noun}", f" {plural(noun)}"))
    return items + _his_or_her(desk, pairs) + _a_or_an(desk, names, pairs)


def _his_or_her(desk, pairs):
    """For example: "Anna lost" + " her" and "Tom lost" + " his"."""
    items = []
    for handling in desk.some(tuple(scenes.HANDLINGS), pairs):
        free = [person for person in desk.world.people if is_reserved(person.name, handling)]
        women, men = ([person for person in free if person.pronoun == pronoun]
                      for pronoun in ("she", "he"))
        if women and men:
            woman, man = desk.pick(women), desk.pick(men)
            items += group((f"{woman.name} {handling}", f"{man.name} {handling}"), (" her", " his"))
    return items


def _a_or_an(desk, names, pairs):
    """For example: "Anna drew" + " an owl"; the wrong ending, " a owl", has the other article."""
    items = []
    for nouns, right, wrong in ((scenes.VOWEL_NOUNS, "an", "a"),
                                (scenes.CONSONANT_NOUNS, "a", "an")):
        for name, noun in _reserved_pairs(desk, names, nouns, pairs):
            items.append(ProbeItem(f"{name} drew", (f" {right} {noun}", f" {wrong} {noun}")))
    return items


def _reserved_pairs(desk, firsts, seconds, count):
    """At most `count` reserved pairs of words, in random order."""
    pairs = [(first, second) for first in firsts for second in seconds
             if first != second and is_reserved(first, second)]
    return desk.some(pairs, min(count, len(pairs)))


def code_probe(desk):
    """Operators, variables of functions and loops, and results of calls, with reserved names."""
    items = []
    for recipes in (code.OPERATIONS, code.COMPARISONS):
        for style, x, y in code.RESERVED_STYLES:
            texts = [code.definition(recipe, recipe.names[style], x, y, doc=False)
                     for recipe in recipes]
            cuts = [text.rindex(f" {x} ") + len(x) + 1 for text in texts]
            items += group([text[:cut] for text, cut in zip(texts, cuts)],
                           [text[cut:] for text, cut in zip(texts, cuts)])
    return items + _variables(desk) + _results(desk)


def _variables(desk, groups=5):
    """The last use of a function's parameter or of a loop's variable is the ending.

    At most `groups` groups of each sort.
    """
    parameters, loops = [], []
    for recipe in code.SMALL:
        for name in recipe.names:
            for x in code.SINGLES:
                if recipe.sorts == "n" and code.is_reserved_definition(recipe, name, x, None, None):
                    parameters.append(_cut_at_last(code.definition(recipe, name, x, doc=False), x))
    for recipe in code.LOOPS[:1] + code.LOOPS[3:5]:
        for name in recipe.names:
            for x, i in ((x, i) for x in code.LISTS for i in code.SINGLES):
                if code.is_reserved_definition(recipe, name, x, None, i):
                    text = code.definition(recipe, name, x, i=i, doc=False)
                    if "return total" in text:
                        text = text[: text.index("\n    return total")]
                    loops.append(_cut_at_last(text, i))
    return [item for pairs in (parameters, loops)
            for item in groups_of_four(desk.some(pairs, len(pairs)))[: 4 * groups]]


def _cut_at_last(text, word):
    """The text before the last use of a variable, and the variable with a space in front."""
    cut = text.rindex(f" {word}")
    return text[:cut], f" {word}"


def _results(desk):
    """The value that a call returns is the ending."""
    items = []
    for recipe in code.SMALL:
        if recipe.sorts == "n" and len(recipe.names) == 2:
            calls = ((name, n) for n in range(11) for name in recipe.names)
            pairs = []
            for name, n in calls:
                if not code.is_reserved_call(recipe, name, (n,)):
                    continue
                text = code.definition(recipe, name, desk.pick(code.SINGLES), doc=False)
                pairs.append((f"{text}\n\n>>> {name}({n})", f"\n{recipe.meaning(n)}"))
            items += groups_of_four(desk.some(pairs, len(pairs)))[:4]
    return items
