"""Requests for a short Python function."""

from minillm.world.code_check import same_function
from minillm.world.kinds.kind import Item, Kind

CONSTANTS = range(2, 13)  # values of {k}
VERBS = {  # base form: (third person, form with -ing)
    "double": ("doubles", "doubling"), "triple": ("triples", "tripling"),
    "square": ("squares", "squaring"), "add": ("adds", "adding"),
    "multiply": ("multiplies", "multiplying"), "subtract": ("subtracts", "subtracting"),
    "check": ("checks", "checking"),
}
NAMED = (  # (verb, its object, name, parameters, right expression, wrong expression)
    ("double", "a number", "double", "n", "2 * n", "2 + n"),
    ("triple", "a number", "triple", "n", "3 * n", "3 + n"),
    ("square", "a number", "square", "n", "n * n", "n + n"),
    ("add", "two numbers", "add", "a, b", "a + b", "a - b"),
    ("multiply", "two numbers", "multiply", "a, b", "a * b", "a + b"),
    ("subtract", "two numbers", "subtract", "a, b", "a - b", "a + b"),
    ("add", "three numbers", "add", "a, b, c", "a + b + c", "a + b - c"),
    ("check", "if a number is even", "is_even", "n", "n % 2 == 0", "n % 2 == 1"),
    ("check", "if a number is odd", "is_odd", "n", "n % 2 == 1", "n % 2 == 0"),
)
STEPS = (  # operations with a number k from the question; the parameter is always n
    ("add", "{k} to a number", "add_{k}", "n + {k}", "n - {k}"),
    ("subtract", "{k} from a number", "subtract_{k}", "n - {k}", "n + {k}"),
    ("multiply", "a number by {k}", "times_{k}", "n * {k}", "n + {k}"),
)


def function(name, parameters, expression):
    """The source of a function that returns one expression."""
    return f"def {name}({parameters}):\n    return {expression}"


def _item(verb, what, name, parameters, right, wrong, held_out=False):
    """The item of one function: the short answer is a lambda, the full answer a def."""
    does, doing = VERBS[verb]
    slots = {"do": f"{verb} {what}", "x": f"{does} {what}", "doing": f"{doing} {what}"}
    return Item(slots, f"lambda {parameters}: {right}", function(name, parameters, right),
                (f"lambda {parameters}: {wrong}",), (function(name, parameters, wrong),), held_out)


# asked after a function was written
ANOTHER = ("Now one that {x}.", "and one that {x}", "Thanks! Could you do one that {x}?",
           "now one to {do}", "ok and one that {x}", "Can you make one that {x}?",
           "Great, now one for {doing}.", "another one that {x} pls", "and how about one to {do}",
           "I also need one that {x}.", "Good. And one that {x}?", "next one: it {x}",
           "can you make one that {x}", "Nice. Now I want to {do}.", "one that {x} too please",
           "And a function for {doing}?")
ANOTHER_PARAPHRASES = ("One more function please. It {x}.",
                       "could you also write something to {do}",
                       "I liked that. What about code for {doing}?",
                       "then please show me one more that {x}")


def _items(world):
    """The items; those of NAMED occur three times, because people ask for them most. Every second
    one is asked for once more, after another function.
    """
    items = [_item(*row) for row in NAMED] * 3
    for s, (verb, *texts) in enumerate(STEPS):
        for k in CONSTANTS:
            what, name, right, wrong = (text.format(k=k) for text in texts)
            items.append(_item(verb, what, name, "n", right, wrong, (s + k) % 4 == 0))
    known = [item for item in items if not item.held_out]
    return items + [_after(item, known[(5 * number + 3) % len(known)])
                    for number, item in enumerate(known[::2])]


def _after(item, before):
    """The item, asked for after the function of another one was written."""
    turn = f"Write a Python function that {before.slots['x']}.", before.sentence
    return item._replace(phrasings=ANOTHER, paraphrases=ANOTHER_PARAPHRASES, earlier=(turn,))


def _right(request, response):
    """The function in a response computes the right values."""
    return same_function(request.answer, response)


KINDS = (
    Kind("code",
         ("Write a Python function that {x}.", "Write a function that {x}.",
          "Write me a function that {x}.", "Write a Python function to {do}.",
          "Write Python code to {do}.", "Write some code that {x}.",
          "I need a Python function that {x}.", "I need a function to {do}.",
          "I need code for {doing}.", "I want a Python function that {x}.",
          "Give me a function that {x}.", "Give me Python code to {do}.",
          "Show me a function that {x}.", "Show me how to {do} in Python.",
          "Show me the code for {doing}.", "Make a function that {x}.",
          "Make me a Python function for {doing}.", "Can you write a function that {x}?",
          "Can you write Python code to {do}?", "Can you make a function that {x}?",
          "Could you write a function to {do}?", "Could you show me a Python function that {x}?",
          "How do I {do} in Python?", "How do you {do} in Python?",
          "How can I {do} with a function?", "How would you write a function that {x}?",
          "What does a function that {x} look like?", "What is the Python code to {do}?",
          "python function that {x}", "python code to {do}", "function to {do}?",
          "A Python function for {doing}, please.", "Please write a function that {x}.",
          "Please code a function that {x}.", "Define a function that {x}.",
          "Help me to write a function that {x}.", "My teacher wants a Python function that {x}.",
          "I am learning Python. How do I {do}?", "For my homework I need a function that {x}.",
          "Do you know how to {do} in Python?", "Code that {x}, please.",
          "Write a program that {x}.", "little program that {x}", "Write a script that {x}.",
          "Python script to {do}, please.", "Python snippet to {do}", "Create a function that {x}.",
          "Could you create some code for {doing}?", "Generate Python code to {do}.",
          "Come up with a function that {x}.", "Define a Python function to {do}.",
          "Use def to write a function that {x}.", "a def that {x}",
          "Type out a function that {x}.", "In Python, how would I {do}?", "in python how to {do}",
          "python, {doing}", "python for {doing}", "{do} with python code", "function that {x}",
          "the code to {do}?", "What is the code for {doing}?",
          "What is a Python function that {x}?", "How do I write code to {do}?",
          "How do I define a function that {x}?", "How can I {do} in Python?",
          "How could I {do} with Python code?", "Do you have code that {x}?",
          "Do you know a Python function for {doing}?", "Do you know the code to {do}?",
          "Can you help me code something that {x}?",
          "I'd like a function for {doing}.", "I'd like to {do} in Python.",
          "I want to {do} in Python.", "I can't code. Please write a function that {x}.",
          "I'm stuck in Python, I want to {do}.", "My homework is a Python function that {x}.",
          "We need some Python to {do}.", "hey, got a function that {x}?"),
         ("I want you to write a function that {x}.", "I would like some Python code that {x}.",
          "What is a function for {doing}?", "Please show me how you would {do} in Python.",
          "My sister wants a function that {x}.", "code for {doing} in python",
          "In Python, how do I write a function to {do}?",
          "Would you write me some code for {doing}?", "Tell me how to {do} with Python.",
          "Please write a few lines of Python to {do}.",
          "I'm new to Python. Can you write something for {doing}?",
          "code that {x}, in python please",
          "Let me see some Python for {doing}, just one function.",
          "Make me a function in Python which {x}.", "I need a small def in Python that {x}.",
          "Help, my Python homework is about {doing} and I need a function.",
          "My program needs a Python helper that {x}.",
          "Can a Python function {do}? Write it for me.",
          "Could you please show me a short Python function to {do}?",
          "What does a Python function look like if it {x}?",
          "Is there an easy way to {do} in Python code?",
          "Give an example of a Python def that {x}, nothing fancy.",
          "how would you {do} using a python function",
          "For my coding class I have to {do} with Python. Show me the function.",
          "How can I {do} in Python? A short function would be enough.",
          "Python, short function, task: {do}", "{doing} in python, how is that written",
          "Define a tiny Python function that {x} and returns the result.",
          "I'd be grateful for a simple Python function that {x}."),
         _items, (), 1.0, right=_right, own_split=True, casual=False),
)
