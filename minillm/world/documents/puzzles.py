"""Small logic: order, rules, kinds, boxes, and leaving out. Each puzzle gives facts and four cases.

The four cases of a puzzle have the same four possible answers and a different one is right in
each, so neither a favourite name nor a favourite position solves them.
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
    """What is known, and four cases; `together` if several cases may be told one after another."""

    facts: str
    cases: tuple
    together: bool


ORDERS = (("taller", "shorter", "tallest", "shortest"), ("older", "younger", "oldest", "youngest"))
RULES = ("it rains", "it snows", "it is hot", "it is windy", "it is cold", "it is dark")
ACTIVITIES = ("reads", "paints", "sings", "cooks", "swims", "sleeps", "writes", "runs", "sews", "dances")
KINDS = ("wug", "dax", "fep", "tib", "mib", "zorp", "blick", "toma", "nork", "pim")
COLOURS = ("red", "blue", "green", "white", "black", "yellow", "brown")
FINDS = ("key", "ring", "coin", "ball", "pen", "stone", "shell", "nut")
DEEDS = ("made the cake", "broke the cup", "found the key", "won the race", "opened the gate",
         "painted the wall")


def order_puzzle(desk, reserved=False):
    """A is taller than B, B than C, C than D (or told from the other end): who is the tallest?"""
    more, less, most, least = desk.pick(ORDERS)
    names = _people(desk, reserved)
    if desk.chance(0.5):
        more, less, most, least = less, more, least, most
    facts = " ".join(f"{a} is {more} than {b}." for a, b in zip(names, names[1:]))
    ends = (f"the {most}", f"the second {most}", f"the second {least}", f"the {least}")
    cases = [Case(f"T{end[1:]} is", name, f"Who is {end}?", f"T{end[1:]} is {name}.")
             for end, name in zip(ends, names)]
    return Puzzle(facts, tuple(cases), together=True)


def rule_puzzle(desk, reserved=False):
    """When it rains, Anna reads; when it snows, Anna paints. Today it snows: what does Anna do?"""
    people = [person.name for person in desk.world.people]
    name, activities = _name_and_four(desk, people, ACTIVITIES, reserved)
    rules = desk.some(RULES, 4)
    facts = " ".join(f"When {rule}, {name} {activity}." for rule, activity in zip(rules, activities))
    cases = [Case(f"Today {rule}. So {name}", activity,
                  f"Today {rule}. What does {name} do?", f"{name} {activity}.")
             for rule, activity in zip(rules, activities)]
    return Puzzle(facts, tuple(cases), together=True)


def kind_puzzle(desk, reserved=False):
    """Every wug is red, every dax is blue. Rusty is a dax: what colour is Rusty?"""
    pets = [person.pet_name for person in desk.world.people]
    name, kinds = _name_and_four(desk, pets, KINDS, reserved)
    names = [name, *desk.some([pet for pet in pets if pet != name], 3)]
    colours = desk.some(COLOURS, 4)
    facts = " ".join(f"Every {kind} is {colour}." for kind, colour in zip(kinds, colours))
    cases = [Case(f"{name} is a {kind}. So {name} is", colour, f"{name} is a {kind}. What colour is {name}?",
                  f"{name} is {colour}.") for name, kind, colour in zip(names, kinds, colours)]
    return Puzzle(facts, tuple(cases), together=True)


def box_puzzle(desk, reserved=False):
    """The key is in the red box, the ring is in the blue box: what is found in the blue box?"""
    people = [person.name for person in desk.world.people]
    name, finds = _name_and_four(desk, people, FINDS, reserved)
    colours = desk.some(COLOURS, 4)
    facts = " ".join(f"The {find} is in the {colour} box." for find, colour in zip(finds, colours))
    cases = [Case(f"{name} opens the {colour} box and finds the", find,
                  f"What does {name} find in the {colour} box?", f"{name} finds the {find}.")
             for find, colour in zip(finds, colours)]
    return Puzzle(facts, tuple(cases), together=True)


def exclusion_puzzle(desk, reserved=False):
    """It was A, B, C or D; it was not three of them: who was it?"""
    names, deed = _people(desk, reserved), desk.pick(DEEDS)
    facts = f"One of four people {deed}: {', '.join(names[:3])} or {names[3]}."
    cases = []
    for name in names:
        others = desk.some([other for other in names if other != name], 3)
        out = " ".join(f"It was not {other}." for other in others)
        cases.append(Case(f"{out} So it was", name, f"{out} Who was it?", f"It was {name}."))
    return Puzzle(facts, tuple(cases), together=False)


PUZZLES = {"order": order_puzzle, "rule": rule_puzzle, "kind": kind_puzzle, "box": box_puzzle,
           "exclusion": exclusion_puzzle}


# an order is the hardest of the five, so it is told most often
KINDS_TOLD = ("order", "order", "order", "rule", "rule", "kind", "kind", "box", "box", "exclusion",
              "exclusion")


def told_puzzle(desk):
    """A puzzle with its solution as text: all its cases in random order if they may stand together."""
    puzzle = PUZZLES[desk.deal(KINDS_TOLD)](desk)
    count = 4 if puzzle.together else 1
    told = [f"{case.context} {case.answer}." for case in desk.some(puzzle.cases, count)]
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
