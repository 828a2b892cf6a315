"""Requests about small numbers: the larger of two."""

from minillm.world.kinds.kind import Item, Kind

LARGEST = 12  # the largest number that a request names


def _larger_items(world):
    items = []
    for a in range(LARGEST + 1):
        for b in range(LARGEST + 1):
            if a == b:
                continue
            low, high = min(a, b), max(a, b)
            held_out = (low + 2 * high) % 4 == 1  # about a quarter, the same for (a, b) and (b, a)
            items.append(Item({"a": a, "b": b}, str(high), f"The larger number is {high}.",
                              (str(low),), (f"The larger number is {low}.",), held_out,
                              (f"{high} is larger than {low}.", f"{high} is larger.")))
    return items


KINDS = (
    Kind("larger",
         ("Which number is larger, {a} or {b}?", "Which is larger, {a} or {b}?",
          "Is {a} or {b} larger?", "Name the larger number: {a} or {b}.",
          "Tell me which number is larger, {a} or {b}."),
         ("Which of {a} and {b} is larger?", "What is the larger number, {a} or {b}?",
          "Tell me which is larger, {a} or {b}."),
         _larger_items),
)
