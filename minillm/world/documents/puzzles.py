"""Logic puzzles about orders, rules and kinds. Each puzzle states facts and asks about four cases.

The four cases share the same four possible answers, and each answer is right in one case. So
neither a favourite name nor a favourite position solves a puzzle. Rules and kinds are laws of this
world and the same in every puzzle; only the names that they apply to change.
"""

from typing import NamedTuple

from minillm.world.facts import capitalized, plural
from minillm.world.real import SORTS
from minillm.world.reserved import is_reserved


class Case(NamedTuple):
    """One question about the facts, both as a sentence to complete and as question and reply."""

    context: str  # the sentence up to its last word: "The tallest is"
    answer: str  # the last word
    question: str
    reply: str  # a full sentence


class Puzzle(NamedTuple):
    """The facts, and four cases to solve by them."""

    facts: str
    cases: tuple


DAYS = dict(SORTS)["days of the week"]
ORDERS = (("taller", "tallest", "shortest"), ("older", "oldest", "youngest"))
# weather: what people then do
RULES = {"it rains": "reads", "it snows": "paints", "it is hot": "swims", "it is windy": "runs",
         "it is cold": "cooks", "it is dark": "sleeps"}
KIND_LAWS = ("Every {kind} is {colour}.", "Every {kind} is {colour}.", "All {kinds} are {colour}.",
             "A {kind} is always {colour}.", "{Kinds} are {colour}.")  # the first one in probes
KINDS = {"wug": "red", "dax": "blue", "fep": "green", "tib": "white", "mib": "black",
         "pim": "yellow", "nork": "brown"}  # invented kind: colour of all its members


def order_puzzle(desk, reserved=False):
    """A is taller than B, B than C, C than D: who is the tallest?"""
    more, most, least = desk.pick(ORDERS)
    names = _people(desk, reserved)
    facts = " ".join(f"{a} is {more} than {b}." for a, b in zip(names, names[1:]))
    ends = (f"the {most}", f"the second {most}", f"the second {least}", f"the {least}")
    cases = [Case(f"T{end[1:]} is", name, f"Who is {end}?", f"T{end[1:]} is {name}.")
             for end, name in zip(ends, names)]
    return Puzzle(facts, tuple(cases))


def rule_puzzle(desk, reserved=False):
    """When it rains, Anna reads; when it snows, Anna paints. Today it snows: what does Anna do?"""
    people = [person.name for person in desk.world.people]
    name, rules = _name_and_four(desk, people, tuple(RULES), reserved)
    facts = " ".join(f"When {rule}, {name} {RULES[rule]}." for rule in rules)
    cases = [Case(f"Today {rule}. So {name}", RULES[rule], f"Today {rule}. What does {name} do?",
                  f"{name} {RULES[rule]}.") for rule in rules]
    return Puzzle(facts, tuple(cases))


def kind_puzzle(desk, reserved=False):
    """Every wug is red, every dax is blue. Rusty is a dax: what colour is Rusty?"""
    pets = [person.pet_name for person in desk.world.people]
    kinds = desk.some(tuple(KINDS), 4)
    while is_reserved(kinds[0], kinds[1]) != reserved:
        kinds = desk.some(tuple(KINDS), 4)
    names = desk.some(pets, 4)
    law = KIND_LAWS[0] if reserved else desk.pick(KIND_LAWS)
    facts = " ".join(law.format(kind=kind, kinds=plural(kind), Kinds=capitalized(plural(kind)),
                                colour=KINDS[kind]) for kind in kinds)
    cases = [Case(f"{name} is a {kind}. So {name} is", KINDS[kind],
                  f"{name} is a {kind}. What colour is {name}?",
                  f"{name} is {KINDS[kind]}.") for name, kind in zip(names, kinds)]
    return Puzzle(facts, tuple(cases))


PUZZLES = {"order": order_puzzle, "rule": rule_puzzle, "kind": kind_puzzle}
KINDS_TOLD = ("order", "order", "order", "rule", "kind")  # orders are hardest, so most frequent


def told_puzzle(desk):
    """A puzzle and all its solved cases as text, the cases in random order."""
    puzzle = PUZZLES[desk.deal(KINDS_TOLD)](desk)
    told = [f"{case.context} {case.answer}." for case in desk.some(puzzle.cases, 4)]
    later = [f"On {day}" for day in desk.some(DAYS, 3)]  # because a day has only one weather
    told[1:] = [line.replace("Today", day) for line, day in zip(told[1:], later)]
    return " ".join([puzzle.facts, *told])


def asked_puzzle(desk):
    """The facts of a puzzle with one question, and the reply."""
    puzzle = PUZZLES[desk.deal(KINDS_TOLD)](desk)
    case = desk.pick(puzzle.cases)
    return f"{puzzle.facts} {case.question}", case.reply


def _people(desk, reserved):
    """Four different names; the first two are a reserved pair if `reserved`, else not."""
    while True:
        names = [person.name for person in desk.some(desk.world.people, 4)]
        if is_reserved(names[0], names[1]) == reserved:
            return names


def _name_and_four(desk, names, words, reserved):
    """A name and four different words.

    The name and the first word are a reserved pair if `reserved`, else not.
    """
    while True:
        name, four = desk.pick(names), desk.some(words, 4)
        if is_reserved(name, four[0]) == reserved:
            return name, four
