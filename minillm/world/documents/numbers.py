"""Small sums, differences and comparisons of numbers, told and asked in everyday words."""

from typing import NamedTuple

from minillm.world.facts import capitalized, plural

LARGEST = 8  # of two numbers that are added
LARGEST_COMPARED = 12
IN_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
            "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen")
WORDS_SHARE = 0.15  # of the texts that write the numbers as words
COUNTED = ("apple", "book", "egg", "coin", "kite", "cup", "pear", "nail", "boat", "hen", "candle")


class Operation(NamedTuple):
    """What can be said about two numbers. In its texts, {a}, {b}, {c} are numbers.

    {a_of}, {b_of} and {c_of} are so many things: "3 apples". For a comparison, {c} is the larger
    number and {d} is the smaller one.
    """

    told: tuple  # sentences
    told_of_things: tuple  # sentences in which people handle things
    asked: tuple  # questions
    asked_of_things: tuple
    answers: tuple  # to the questions


SUM = Operation(
    ("{a} + {b} = {c}.", "{a} plus {b} is {c}.", "{a} and {b} make {c}.",
     "If you add {b} to {a}, you get {c}."),
    ("{a_of} and {b_of} are {c_of}.", "{name} had {a_of} and bought {b} more. Now {he} has {c}.",
     "{name} found {a_of} in the morning and {b} in the evening. Together that is {c}."),
    ("What is {a} + {b}?", "What is {a} plus {b}?", "How much is {a} and {b}?", "{a} + {b} = ?",
     "What do you get if you add {a} and {b}?", "{a} plus {b} is what?", "Quick, {a} + {b}?"),
    ("I have {a_of} and get {b} more. How many is that?",
     "{name} had {a_of} and found {b} more. How many does {he} have?"),
    ("{c}.", "{a} + {b} = {c}.", "{a} plus {b} is {c}.", "It is {c}.", "That makes {c}.",
     "The answer is {c}.", "{a} and {b} make {c}."))
DIFFERENCE = Operation(
    ("{a} - {b} = {c}.", "{a} minus {b} is {c}.", "If you take {b} from {a}, you get {c}."),
    ("{name} had {a_of} and gave {b} away. Now {he} has {c}.",
     "There were {a_of}, but {b} got lost. That leaves {c}."),
    ("What is {a} - {b}?", "What is {a} minus {b}?", "How much is {a} minus {b}?", "{a} - {b} = ?",
     "What do you get if you take {b} from {a}?"),
    ("I had {a_of} and lost {b}. How many are left?",
     "{name} had {a_of} and sold {b}. How many does {he} have?"),
    ("{c}.", "{a} - {b} = {c}.", "{a} minus {b} is {c}.", "It is {c}.", "That leaves {c}.",
     "The answer is {c}."))
COMPARISON = Operation(
    ("{c} is larger than {d}.", "{d} is smaller than {c}.", "{c} is more than {d}.",
     "Of {a} and {b}, the larger number is {c}.", "{d} is less than {c}."),
    ("{c_of} are more than {d}.",),
    ("Which number is larger, {a} or {b}?", "What is more, {a} or {b}?",
     "Which of the numbers {a} and {b} is the larger one?", "Which one is bigger, {a} or {b}?"),
    (),
    ("{c} is larger than {d}.", "The larger number is {c}.", "{c}.", "{c} is more than {d}."))
OPERATIONS = (SUM, SUM, DIFFERENCE, COMPARISON)


def sums_page(desk):
    """Sixteen sums and differences in one form, as a child writes them to learn them; or sixteen
    comparisons.
    """
    if desk.chance(0.2):
        return "Sums\n\n" + "\n".join(_comparison(desk) for _ in range(16))
    plus, minus = desk.pick((("{a} + {b} = {c}.", "{a} - {b} = {c}."),
                             ("{a} plus {b} is {c}.", "{a} minus {b} is {c}."),
                             ("{a} and {b} make {c}.", "{a} take away {b} is {c}.")))
    lines = []
    for _ in range(16):
        a, b = (int(n) for n in desk.rng.integers(0, LARGEST + 1, 2))
        lines.append(plus.format(a=a, b=b, c=a + b) if desk.chance(0.5) else
                     minus.format(a=a + b, b=b, c=a))
    return "Sums\n\n" + "\n".join(lines)


def _comparison(desk):
    a, b = (int(n) for n in desk.rng.permutation(LARGEST_COMPARED + 1)[:2])
    form = desk.pick(("{a} or {b}? {c} is larger.", "{c} is larger than {d}.",
                      "{d} is smaller than {c}.", "{a} or {b}? The larger number is {c}."))
    return form.format(a=a, b=b, c=max(a, b), d=min(a, b))


def told_numbers(desk):
    """A true sentence or two about two numbers."""
    operation, words, of_things = _drawn(desk)
    return _said(desk, operation.told + operation.told_of_things * of_things, words)


def asked_numbers(desk):
    """A question about two numbers, and its answer."""
    operation, words, of_things = _drawn(desk)
    question = _said(desk, operation.asked + operation.asked_of_things * of_things, words)
    return question, _said(desk, operation.answers, words)


def _drawn(desk):
    """An operation, the words for its slots, and whether its numbers can be numbers of things."""
    operation = desk.deal(OPERATIONS)
    while True:
        largest = LARGEST_COMPARED if operation is COMPARISON else LARGEST
        a, b = (int(n) for n in desk.rng.integers(0, largest + 1, 2))
        if operation is not COMPARISON or a != b:
            break
    if operation is DIFFERENCE:     # a sum, read backwards
        a += b
    numbers = {"a": a, "b": b, "d": min(a, b)}
    numbers["c"] = {SUM: a + b, DIFFERENCE: a - b, COMPARISON: max(a, b)}[operation]
    person, thing = desk.pick(desk.world.people), desk.pick(COUNTED)
    return operation, (numbers, thing, person), min(a, b) > 0 and a > 1


def _said(desk, forms, words):
    """One of the forms with its slots filled; the numbers are rarely written as words."""
    form, (numbers, thing, person) = desk.pick(forms), words
    in_words = (max(numbers.values()) < len(IN_WORDS) and "+" not in form and "-" not in form
                and desk.chance(WORDS_SHARE))
    shown = {key: IN_WORDS[n] if in_words else str(n) for key, n in numbers.items()}
    of = {f"{key}_of": f"{shown[key]} {thing if n == 1 else plural(thing)}"
          for key, n in numbers.items()}
    return capitalized(form.format_map({**shown, **of, "name": person.name, "he": person.pronoun}))
