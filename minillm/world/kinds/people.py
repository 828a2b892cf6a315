"""Requests about the invented people: trade, town, pet and food."""

from minillm.world.facts import a_an, split
from minillm.world.kinds.kind import Kind, table_items


def _person_items(world, field, forms, say=str):
    """Items about one field of all people; right answers may use the pronoun for the name."""
    held_out = split(world)
    rows = [(person.name, getattr(person, field), held_out(person)) for person in world.people]
    items = []
    for person, item in zip(world.people, table_items(rows, forms, say)):
        also = [sentence.replace(person.name + " ", person.pronoun.capitalize() + " ")
                for sentence in (item.sentence, *item.also) if sentence.startswith(person.name)]
        items.append(item._replace(also=(*item.also, *also)))
    return items


def _trade_items(world):
    return _person_items(world, "trade",
                         ("{n} works as {y}.", "{n} is {y}.", "By trade, {n} is {y}."), a_an)


def _town_items(world):
    return _person_items(world, "town",
                         ("The home of {n} is in {y}.", "{n} lives in {y}.",
                          "{n} comes from {y}.", "{n} has a house in {y}."))


def _pet_items(world):
    return _person_items(world, "pet",
                         ("The pet of {n} is {y}.", "{n} has {y}.", "{n} keeps {y}."), a_an)


def _food_items(world):
    return _person_items(world, "food",
                         ("The favourite food of {n} is {y}.", "{n} likes to eat {y}.",
                          "{n} likes {y}.", "{n} loves {y}."))


KINDS = (
    Kind("trade",
         ("What is {n}'s job?", "What does {n} do for a living?", "What is the trade of {n}?",
          "Tell me {n}'s job.", "What is the job of {n}?", "What is {n} by trade?"),
         ("Can you tell me {n}'s job?", "Tell me the trade of {n}.", "What is {n}'s trade?"),
         _trade_items),
    Kind("town",
         ("Where does {n} live?", "In which town does {n} live?", "Tell me where {n} lives.",
          "Where is the home of {n}?", "Which town is the home of {n}?",
          "Which town does {n} come from?"),
         ("In which town is the home of {n}?", "Can you tell me where {n} lives?",
          "What is the home town of {n}?"),
         _town_items),
    Kind("pet",
         ("What kind of pet does {n} have?", "What is {n}'s pet?", "Which animal does {n} keep?",
          "Which pet does {n} have?", "Tell me the pet of {n}."),
         ("Which kind of pet does {n} keep?", "Can you tell me {n}'s pet?",
          "What is the pet of {n}?"),
         _pet_items),
    Kind("food",
         ("What is {n}'s favourite food?", "What food does {n} love?", "What does {n} like to eat?",
          "What is the favourite food of {n}?", "Tell me {n}'s favourite food."),
         ("Can you tell me {n}'s favourite food?", "Tell me the favourite food of {n}.",
          "Which food does {n} love?"),
         _food_items),
)
