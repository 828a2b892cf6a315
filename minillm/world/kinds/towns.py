"""Requests about the invented towns: the river, what there is to see, what a town is famous for."""

from minillm.world.kinds.kind import Kind
from minillm.world.kinds.telling import fact_items, rows_of

RIVER = (
    ("Which river flows through {n}?", "What river is {n} on?",
     "What is the river of {n} called?", "What's the name of the river in {n}?", "river in {n}?",
     "{n} river", "whats the river in {n} called", "On which river does {n} lie?",
     "Tell me which river flows through {n}.", "Name the river of {n}.",
     "Can you tell me the river of {n}?", "Do you know which river {n} lies on?",
     "I want to fish in {n}. In which river?", "I was wondering which river flows through {n}.",
     "My teacher asks which river {n} is on.", "Hey, what river do people in {n} fish in?"),
    ("There is a river in {n}. What is its name?", "In {n}, which river can I fish in?",
     "Would you tell me what the river in {n} is called?", "What is the name of {n}'s river?"),
)
LANDMARK = (
    ("What can you see in {n}?", "What can I see in {n}?", "What should I see in {n}?",
     "What is there to see in {n}?", "what is in the middle of {n}", "{n}: what to see?",
     "What is the best known place in {n}?", "Why do visitors come to {n}?",
     "What do visitors want to see in {n}?", "What is {n} proud of?",
     "Tell me what I can see in {n}.", "Tell me the best known place in {n}.",
     "Can you tell me what to see in {n}?", "Do you know a good place to see in {n}?",
     "I am going to {n}. What should I see there?", "I have a day in {n}. What can I look at?",
     "Hey, what is there in the middle of {n}?"),
    ("What do people come to see in {n}?", "If I visit {n}, what should I look at?",
     "Which place do people in {n} know best?", "Would you tell me what visitors see in {n}?"),
)
FAMOUS_FOR = (
    ("What is {n} famous for?", "What is {n} known for?", "What's {n} famous for?",
     "whats {n} known for", "{n} famous for?", "Why is {n} famous?", "Why do people know {n}?",
     "What do they make in {n}?", "What do people buy in {n}?", "What can I buy in {n}?",
     "What do the shops of {n} sell?", "Tell me what {n} is famous for.",
     "Can you tell me what {n} is known for?", "Do you know what {n} is famous for?",
     "I was wondering what {n} is famous for.", "I am going to {n}. What should I buy there?",
     "Hey, what does {n} make best?"),
    ("What do people like to buy from {n}?", "If I go to {n}, what should I buy?",
     "What is it that {n} makes best?", "My sister wants to know what {n} is known for."),
)


def _town_items(world):
    """Three items for each town."""
    columns = [_items(world, field, forms, wordings) for field, forms, wordings in (
        ("river", ("The river {y} flows through {n}.", "The {y} flows through {n}.",
                   "{n} lies on the {y}.", "It is called the {y}.", "The river is called the {y}.",
                   "{n} is on the river {y}."), RIVER),
        ("landmark", ("You can see the {y} in {n}.", "In {n} you can see the {y}.",
                      "You can see the {y}.", "You should see the {y}.",
                      "People come to {n} to see the {y}."), LANDMARK),
        ("famous_for", ("{n} is famous for its {y}.", "{n} is famous for {y}.",
                        "{n} is known for {y}.", "It is famous for its {y}.",
                        "{n} makes good {y}.", "You can buy {y} in {n}.",
                        "People go there to buy {y}."), FAMOUS_FOR))]
    return [item for row in zip(*columns) for item in row]


def _items(world, field, forms, wordings):
    """One item for each town, about one field."""
    return [item._replace(phrasings=wordings[0], paraphrases=wordings[1])
            for item in fact_items(field, rows_of(world.towns, field), forms)]


KINDS = (Kind("town fact", (), (), _town_items),)
