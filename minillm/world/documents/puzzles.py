"""Small logic: an order, rules, and kinds. Each puzzle gives facts and four cases.

The four cases of a puzzle have the same four possible answers and a different one is right in
each, so neither a favourite name nor a favourite position solves them. Rules and kinds are laws of
this world: the same in every puzzle; who they are applied to is new each time.
"""

from typing import NamedTuple

from minillm.world.reserved import is_reserved


class Case(NamedTuple):
    """The words up to the answer, the answer, and the same as a question with its reply."""

    context: str
    answer: str
    question: str
    reply: str


class Puzzle(NamedTuple):
    """What is known, and four cases."""

    facts: str
    cases: tuple


ORDERS = (("taller", "tallest", "shortest"), ("older", "oldest", "youngest"))
RULES = {"it rains": "reads", "it snows": "paints", "it is hot": "swims", "it is windy": "runs", "it is cold": "cooks",
         "it is dark": "sleeps"}
KINDS = {"wug": "red", "dax": "blue", "fep": "green", "tib": "white", "mib": "black", "pim": "yellow", "nork": "brown"}


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
    cases = [Case(f"Today {rule}. So {name}", RULES[rule],
                  f"Today {rule}. What does {name} do?", f"{name} {RULES[rule]}.") for rule in rules]
    return Puzzle(facts, tuple(cases))


def kind_puzzle(desk, reserved=False):
    """Every wug is red, every dax is blue. Rusty is a dax: what colour is Rusty?"""
    pets = [person.pet_name for person in desk.world.people]
    kinds = desk.some(tuple(KINDS), 4)
    while is_reserved(kinds[0], kinds[1]) != reserved:
        kinds = desk.some(tuple(KINDS), 4)
    names = desk.some(pets, 4)
    facts = " ".join(f"Every {kind} is {KINDS[kind]}." for kind in kinds)
    cases = [Case(f"{name} is a {kind}. So {name} is", KINDS[kind], f"{name} is a {kind}. What colour is {name}?",
                  f"{name} is {KINDS[kind]}.") for name, kind in zip(names, kinds)]
    return Puzzle(facts, tuple(cases))


PUZZLES = {"order": order_puzzle, "rule": rule_puzzle, "kind": kind_puzzle}
KINDS_TOLD = ("order", "order", "order", "rule", "kind")     # an order is the hardest, so it is told most often


def told_puzzle(desk):
    """A puzzle with its solution as text: all its cases, in random order."""
    puzzle = PUZZLES[desk.deal(KINDS_TOLD)](desk)
    told = [f"{case.context} {case.answer}." for case in desk.some(puzzle.cases, 4)]
    later = ("Today", "On another day")  # one day has one weather
    return " ".join([puzzle.facts, told[0], *(line.replace(*later) for line in told[1:])])


def asked_puzzle(desk):
    """A puzzle that ends with a question, and the reply."""
    puzzle = PUZZLES[desk.deal(KINDS_TOLD)](desk)
    case = desk.pick(puzzle.cases)
    return f"{puzzle.facts} {case.question}", case.reply


def _people(desk, reserved):
    """Four different names of which the first two are, or are not, a reserved pair."""
    while True:
        names = [person.name for person in desk.some(desk.world.people, 4)]
        if is_reserved(names[0], names[1]) == reserved:
            return names


def _name_and_four(desk, names, words, reserved):
    """A name and four different words; the name and the first word are, or are not, a reserved pair."""
    while True:
        name, four = desk.pick(names), desk.some(words, 4)
        if is_reserved(name, four[0]) == reserved:
            return name, four
