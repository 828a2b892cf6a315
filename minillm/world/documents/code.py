"""Short, correct Python functions with a docstring and example calls.

A recipe is one task. It has names for the function, a docstring, the lines of the body, and a
Python function with the same meaning. That function computes the results of the example calls, so
every result on the page is right.
"""

from typing import Callable, NamedTuple

from minillm.world.reserved import is_reserved


class Recipe(NamedTuple):
    """A task. In its texts, {x} and {y} are the parameters and {i} is a loop variable."""

    names: tuple  # possible names of the function
    doc: str  # the docstring
    parameters: str
    body: tuple  # lines
    meaning: Callable  # computes what the function returns
    sorts: str  # a letter per argument: number, list, word, person, or divisor of the one before it


PAIRS = (("a", "b"), ("x", "y"), ("m", "n"), ("p", "q"), ("s", "t"))
SINGLES = ("n", "x", "k", "m", "a", "b")
LISTS = ("numbers", "values", "items", "data")
WORDS = ("word", "text", "name", "line")
SAMPLE_WORDS = ("cat", "river", "apple", "lamp", "stone", "bread", "house", "tree", "moon", "duck")
SAMPLE_NAMES = ("Anna", "Ben", "Clara", "Dan", "Emma", "Leo", "Max", "Nora", "Rosa", "Tom")

OPERATIONS = (
    Recipe(("add", "plus"), "Add {x} and {y}.", "{x}, {y}", ("return {x} + {y}",),
           lambda x, y: x + y, "nn"),
    Recipe(("subtract", "minus"), "Subtract {y} from {x}.", "{x}, {y}", ("return {x} - {y}",),
           lambda x, y: x - y, "nn"),
    Recipe(("multiply", "times"), "Multiply {x} by {y}.", "{x}, {y}", ("return {x} * {y}",),
           lambda x, y: x * y, "nn"),
    Recipe(("divide", "share"), "Divide {x} by {y}.", "{x}, {y}", ("return {x} / {y}",),
           lambda x, y: x / y, "nd"),
)
COMPARISONS = (
    Recipe(("is_larger", "is_more"), "Tell whether {x} is larger than {y}.", "{x}, {y}",
           ("return {x} > {y}",), lambda x, y: x > y, "nn"),
    Recipe(("is_smaller", "is_less"), "Tell whether {x} is smaller than {y}.", "{x}, {y}",
           ("return {x} < {y}",), lambda x, y: x < y, "nn"),
    Recipe(("is_equal", "is_same"), "Tell whether {x} and {y} are equal.", "{x}, {y}",
           ("return {x} == {y}",), lambda x, y: x == y, "nn"),
    Recipe(("is_different", "is_other"), "Tell whether {x} and {y} are different.", "{x}, {y}",
           ("return {x} != {y}",), lambda x, y: x != y, "nn"),
)
SMALL = (
    Recipe(("double", "twice"), "Return two times {x}.", "{x}", ("return 2 * {x}",),
           lambda x: 2 * x, "n"),
    Recipe(("triple", "three_times"), "Return three times {x}.", "{x}", ("return 3 * {x}",),
           lambda x: 3 * x, "n"),
    Recipe(("square", "squared"), "Return {x} times {x}.", "{x}", ("return {x} * {x}",),
           lambda x: x * x, "n"),
    Recipe(("add_one", "next_number"), "Return one more than {x}.", "{x}", ("return {x} + 1",),
           lambda x: x + 1, "n"),
    Recipe(("take_one", "number_before"), "Return one less than {x}.", "{x}", ("return {x} - 1",),
           lambda x: x - 1, "n"),
    Recipe(("is_even",), "Tell whether {x} is even.", "{x}", ("return {x} % 2 == 0",),
           lambda x: x % 2 == 0, "n"),
    Recipe(("is_odd",), "Tell whether {x} is odd.", "{x}", ("return {x} % 2 == 1",),
           lambda x: x % 2 == 1, "n"),
    Recipe(("larger", "maximum"), "Return the larger of {x} and {y}.", "{x}, {y}",
           ("if {x} > {y}:", "    return {x}", "return {y}"), lambda x, y: max(x, y), "nn"),
    Recipe(("smaller", "minimum"), "Return the smaller of {x} and {y}.", "{x}, {y}",
           ("if {x} < {y}:", "    return {x}", "return {y}"), lambda x, y: min(x, y), "nn"),
)
LOOPS = (
    Recipe(("total", "sum_all"), "Add up all {x}.", "{x}",
           ("total = 0", "for {i} in {x}:", "    total += {i}", "return total"),
           lambda x: sum(x), "l"),
    Recipe(("count", "how_many"), "Count the {x}.", "{x}",
           ("count = 0", "for {i} in {x}:", "    count += 1", "return count"),
           lambda x: len(x), "l"),
    Recipe(("largest", "highest"), "Return the largest of the {x}.", "{x}",
           ("best = {x}[0]", "for {i} in {x}:", "    if {i} > best:", "        best = {i}",
            "return best"), lambda x: max(x), "l"),
    Recipe(("doubles", "double_all"), "Return a list with every number doubled.", "{x}",
           ("return [2 * {i} for {i} in {x}]",), lambda x: [2 * i for i in x], "l"),
    Recipe(("squares", "square_all"), "Return a list with every number squared.", "{x}",
           ("return [{i} * {i} for {i} in {x}]",), lambda x: [i * i for i in x], "l"),
    Recipe(("evens", "only_even"), "Return the even numbers.", "{x}",
           ("return [{i} for {i} in {x} if {i} % 2 == 0]",),
           lambda x: [i for i in x if i % 2 == 0], "l"),
    Recipe(("first", "first_item"), "Return the first of the {x}.", "{x}", ("return {x}[0]",),
           lambda x: x[0], "l"),
    Recipe(("last", "last_item"), "Return the last of the {x}.", "{x}", ("return {x}[-1]",),
           lambda x: x[-1], "l"),
    Recipe(("backwards", "turned"), "Return the {x} in reverse order.", "{x}",
           ("return {x}[::-1]",), lambda x: x[::-1], "l"),
)
TEXTS = (
    Recipe(("shout", "upper"), "Return the {x} in capital letters.", "{x}", ("return {x}.upper()",),
           lambda x: x.upper(), "w"),
    Recipe(("first_letter", "initial"), "Return the first letter of the {x}.", "{x}",
           ("return {x}[0]",), lambda x: x[0], "w"),
    Recipe(("last_letter",), "Return the last letter of the {x}.", "{x}", ("return {x}[-1]",),
           lambda x: x[-1], "w"),
    Recipe(("length", "letters"), "Return how many letters the {x} has.", "{x}",
           ("return len({x})",), lambda x: len(x), "w"),
    Recipe(("greet", "hello"), "Say hello to somebody.", "{x}", ('return "Hello, " + {x}',),
           lambda x: "Hello, " + x, "p"),
    Recipe(("say_twice", "repeat"), "Return the {x} two times.", "{x}", ("return {x} + {x}",),
           lambda x: x + x, "w"),
)
# (index of the name, the two parameters): reserved for the probes in all operations and comparisons
RESERVED_STYLES = ((0, "p", "q"), (1, "x", "y"), (0, "m", "n"), (1, "s", "t"))
# a recipe that occurs more often here occurs more often in the corpus
RECIPES = (OPERATIONS * 3 + COMPARISONS * 3 + SMALL + SMALL[:5] * 2
           + LOOPS + LOOPS[:1] + LOOPS[3:5] + TEXTS)


def parameter_names(desk, recipe):
    """Names for (x, y, i): ("a", "b", None), or ("numbers", None, "n") for a loop."""
    if recipe.sorts[0] == "l":
        return desk.pick(LISTS), None, desk.pick(SINGLES)
    if recipe.sorts == "p":
        return "name", None, None
    if recipe.sorts == "w":
        return desk.pick(WORDS), None, None
    if len(recipe.sorts) == 2:
        return *desk.pick(PAIRS), None
    return desk.pick(SINGLES), None, None


def definition(recipe, name, x, y=None, i=None, doc=True):
    """The text of a function definition."""
    words = {"x": x, "y": y, "i": i}
    lines = [f"def {name}({recipe.parameters.format_map(words)}):"]
    if doc:
        lines.append(f'    """{recipe.doc.format_map(words)}"""')
    return "\n".join(lines + ["    " + line.format_map(words) for line in recipe.body])


def arguments(desk, recipe):
    """Small random arguments for an example call."""
    values = []
    for sort in recipe.sorts:
        if sort == "n":
            values.append(int(desk.rng.integers(0, 11)))
        elif sort == "d":  # a divisor: the quotient is a whole number
            divisor = int(desk.rng.integers(1, 6))
            values = [divisor * int(desk.rng.integers(0, 6)), divisor]
        elif sort == "l":
            values.append([int(n) for n in desk.rng.integers(0, 10, 3)])
        else:
            values.append(desk.pick(SAMPLE_WORDS if sort == "w" else SAMPLE_NAMES))
    return values


def example(recipe, name, values):
    """An example call and its result, as the interpreter shows them."""
    shown = ", ".join(f'"{value}"' if isinstance(value, str) else repr(value) for value in values)
    return f">>> {name}({shown})\n{recipe.meaning(*values)!r}"


def is_reserved_definition(recipe, name, x, y, i):
    """Whether this function name with these variables is reserved for the probes."""
    if recipe in OPERATIONS or recipe in COMPARISONS:
        return (recipe.names.index(name), x, y) in RESERVED_STYLES
    return is_reserved("def", name, *(word for word in (x, y, i) if word), one_in=3)


def is_reserved_call(recipe, name, values):
    """Whether this call is reserved for the probes."""
    return recipe.sorts == "n" and is_reserved("call", name, str(values[0]), one_in=3)


def function(desk):
    """One function and two or three example calls.

    What the function does is said in its docstring, in a comment above it, or by its name alone.
    """
    recipe = desk.deal(RECIPES)
    while True:
        name, (x, y, i) = desk.pick(recipe.names), parameter_names(desk, recipe)
        if not is_reserved_definition(recipe, name, x, y, i):
            break
    examples = []
    while len(examples) < (3 if recipe.sorts == "n" else 2):
        values = arguments(desk, recipe)
        shown = example(recipe, name, values)
        if shown not in examples and not is_reserved_call(recipe, name, values):
            examples.append(shown)
    said = desk.pick(("inside", "above", "nowhere"))
    text = definition(recipe, name, x, y, i, doc=said == "inside")
    if said == "above":
        text = f"# {recipe.doc.format(x=x, y=y)}\n{text}"
    return text + "\n\n" + "\n".join(examples)


def dictionary(desk):
    """A dictionary of capitals or of young animals, with lookups."""
    if desk.chance(0.5):
        name = "capitals"
        rows = [(row.name, row.capital) for row in desk.some(desk.world.countries, 3)]
    else:
        name = "young"
        rows = [(row.name, row.young) for row in desk.some(desk.world.animals, 3)]
    inside = ", ".join(f'"{key}": "{value}"' for key, value in rows)
    looked = "\n".join(f'>>> {name}["{key}"]\n{value!r}' for key, value in desk.some(rows, 2))
    return f"{name} = {{{inside}}}\n\n{looked}"


def write_page(desk):
    """Return (a page of code, None for no date): two or three functions, sometimes a dictionary."""
    parts = [function(desk) for _ in range(int(desk.rng.integers(2, 4)))]
    if desk.chance(0.25):
        parts.append(dictionary(desk))
    return "\n\n".join(parts), None
