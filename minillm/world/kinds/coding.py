"""Requests for a short Python function."""

from minillm.world.kinds.kind import Item, Kind

CONSTANTS = range(2, 13)  # values of {k}
NAMED = (  # (what the function does, name, parameters, right expression, wrong expression)
    ("doubles a number", "double", "n", "2 * n", "2 + n"),
    ("triples a number", "triple", "n", "3 * n", "3 + n"),
    ("squares a number", "square", "n", "n * n", "n + n"),
    ("adds two numbers", "add", "a, b", "a + b", "a - b"),
    ("multiplies two numbers", "multiply", "a, b", "a * b", "a + b"),
    ("subtracts two numbers", "subtract", "a, b", "a - b", "a + b"),
)
STEPS = (  # operations with a number k from the question; the parameter is always n
    ("adds {k} to a number", "add_{k}", "n + {k}", "n - {k}"),
    ("subtracts {k} from a number", "subtract_{k}", "n - {k}", "n + {k}"),
    ("multiplies a number by {k}", "times_{k}", "n * {k}", "n + {k}"),
)


def function(name, parameters, expression):
    """The source of a function that returns one expression."""
    return f"def {name}({parameters}):\n    return {expression}"


def _items(world):
    """The items: the short answer is a lambda, the full answer a def."""
    items = []
    for what, name, parameters, right, wrong in NAMED:
        items.append(Item({"x": what}, f"lambda {parameters}: {right}",
                          function(name, parameters, right), (wrong,),
                          (function(name, parameters, wrong),)))
    for s, (what, name, right, wrong) in enumerate(STEPS):
        for k in CONSTANTS:
            source, mistake = (function(name.format(k=k), "n", expression.format(k=k))
                               for expression in (right, wrong))
            items.append(Item({"x": what.format(k=k)}, f"lambda n: {right.format(k=k)}", source,
                              (wrong.format(k=k),), (mistake,), (s + k) % 4 == 0))
    return items


KINDS = (
    Kind("code",
         ("Write a Python function that {x}.", "Write a function that {x}.",
          "I need a Python function that {x}.", "Give me a function that {x}.",
          "Can you write a function that {x}?", "Show me a function that {x}."),
         ("Can you write a Python function that {x}?", "I need a function that {x}.",
          "Give me a Python function that {x}."),
         _items, (), 1.3),
)
