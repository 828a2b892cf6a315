"""Small talk, and requests to name two things of one sort."""

from minillm.world.kinds.kind import PERSONA, SENTENCE, TEXT_STYLES, Item, Kind, others

GREETINGS = (  # (short answer, full answer, phrasings, held-out phrasings)
    ("hello", "Hello! How can I help you?",
     ("Hello!", "Hi!", "Hello, how can you help me?", "Hi, can you help me?",
      "Hello, I need some help."),
     ("Hi, I need some help.", "Hello, can you help me?")),
    ("good morning", "Good morning! How can I help you?",
     ("Good morning!", "Good morning to you!", "Hello and good morning!", "Hi, good morning!",
      "Good morning, my friend!"),
     ("Good morning to you, my friend!", "Hello, good morning!")),
    ("welcome", "You are welcome.",
     ("Thank you!", "Thank you for your help.", "Thank you, that was a great help.",
      "Thank you, my friend!", "Thank you very much!"),
     ("Thank you very much for your help.", "Thank you, that was very good.")),
    ("goodbye", "Goodbye! See you soon.",
     ("Goodbye!", "Goodbye, my friend!", "I must go now.", "I must go now, goodbye!",
      "See you soon!"),
     ("Goodbye, I must go now.", "Goodbye, see you soon!")),
    ("fine", "I am fine. How are you?",
     ("How are you?", "How are you today?", "Hello, how are you?", "Hi, how are you today?",
      "Are you well today?"),
     ("Hello, how are you today?", "Hi, are you well?")),
)

LISTS = (  # (name, members); a right answer names two of the members
    ("colours", ("red", "blue", "green", "yellow", "white")),
    ("fruits", ("apples", "pears", "plums", "cherries", "grapes")),
    ("farm animals", ("cows", "pigs", "sheep", "hens", "goats")),
    ("tools", ("hammers", "saws", "axes", "rakes", "spades")),
    ("days of the week", ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")),
    ("months", ("March", "April", "May", "June", "July")),
    ("rooms", ("the kitchen", "the bedroom", "the bathroom", "the cellar", "the hall")),
    ("drinks", ("water", "milk", "tea", "coffee", "juice")),
    ("things to wear", ("shirts", "coats", "hats", "socks", "shoes")),
    ("parts of the body", ("the arm", "the leg", "the nose", "the ear", "the foot")),
)


def _greeting_items(world):
    answers = [answer for answer, *_ in GREETINGS]
    sentences = [sentence for _, sentence, *_ in GREETINGS]
    return [Item({}, answer, sentence, others(answers, answer), others(sentences, sentence),
                 phrasings=train, held_phrasings=held)
            for answer, sentence, train, held in GREETINGS]


def list_sentence(name, first, second):
    """For example: Two colours are red and blue."""
    return f"Two {name} are {first} and {second}."


def _list_items(world):
    items = []
    for name, members in LISTS:
        wrong = tuple(m for other, group in LISTS if other != name for m in group)
        said = tuple(list_sentence(name, group[0], group[1])
                     for other, group in LISTS if other != name)
        items.append(Item({"x": name}, " and ".join(members[:2]),
                          list_sentence(name, *members[:2]), wrong, said, also=members))
    return items


KINDS = (
    Kind("greeting", (), (), _greeting_items, (SENTENCE, PERSONA)),
    Kind("list",
         ("Name two {x}.", "Tell me two {x}.", "Give me two {x}.", "Can you name two {x}?",
          "What are two {x}?"),
         ("Can you tell me two {x}?", "Can you give me two {x}?"),
         _list_items, TEXT_STYLES),
)
