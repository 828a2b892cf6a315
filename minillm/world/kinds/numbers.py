"""Requests about small numbers: sums, and the larger of two."""

from minillm.world.kinds.kind import Item, Kind, others

LARGEST = 6  # of a summand


def _sum_items(world):
    totals = [str(n) for n in range(2 * LARGEST + 1)]
    items = []
    for a in range(LARGEST + 1):
        for b in range(LARGEST + 1):
            low, high = min(a, b), max(a, b)
            wrong = others(totals, str(a + b))
            near = sorted(wrong, key=lambda w: (abs(int(w) - a - b), int(w)))[:6]  # believable mistakes
            said = tuple(f"{a} plus {b} is {w}." for w in near)
            items.append(Item({"a": a, "b": b}, str(a + b), f"{a} plus {b} is {a + b}.", tuple(near), said,
                              (3 * low + 5 * high) % 4 == 1,
                              (f"{a} + {b} is {a + b}.", f"{b} plus {a} is {a + b}.")))
    return items


def _larger_items(world):
    items = []
    for a in range(2 * LARGEST + 1):
        for b in range(2 * LARGEST + 1):
            if a == b:
                continue
            low, high = min(a, b), max(a, b)
            items.append(Item({"a": a, "b": b}, str(high), f"The larger number is {high}.", (str(low),),
                              (f"The larger number is {low}.",), (low + 2 * high) % 4 == 1,
                              (f"{high} is larger than {low}.", f"{high} is larger.")))
    return items


KINDS = (
    Kind("sum",
         ("What is {a} plus {b}?", "How much is {a} plus {b}?", "What is {a} + {b}?", "Add {a} and {b}.",
          "What do {a} and {b} make?", "Tell me what {a} plus {b} is."),
         ("How much is {a} + {b}?", "How much do {a} and {b} make?", "Tell me how much {a} plus {b} is."),
         _sum_items),
    Kind("larger",
         ("Which number is larger, {a} or {b}?", "Which is larger, {a} or {b}?", "Is {a} or {b} larger?",
          "Name the larger number: {a} or {b}.", "Tell me which number is larger, {a} or {b}."),
         ("Which of {a} and {b} is larger?", "What is the larger number, {a} or {b}?",
          "Tell me which is larger, {a} or {b}."),
         _larger_items),
)
