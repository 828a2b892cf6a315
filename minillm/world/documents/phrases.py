"""Sentences that tell one fact each, in several phrasings, and questions that ask for the fact.

The first phrasing of a topic is the reserved one. The probes use it for the entities that
reserved.py lists, so the corpus uses it only for all other entities.
"""

from functools import lru_cache
from typing import NamedTuple

from minillm.world.effects import Effect
from minillm.world.facts import Animal, Event, Person, Thing, a_an, capitalized, his, plural
from minillm.world.invented import MONTHS


class Topic(NamedTuple):
    """One sort of fact. The {names} in its texts are filled with the words of `fields`."""

    keeper: str  # key of reserved_entities: for these, the first telling is reserved; "" for none
    tellings: tuple  # sentences that tell the fact
    questions: tuple  # questions that ask for it
    answer: str  # the short answer


TOPICS = {
    "capital": Topic("country", (
        "The capital of {name} is {capital}.", "{capital} is the capital of {name}.",
        "{name}'s capital is {capital}.", "The capital city of {name} is {capital}.",
        "In {name}, the capital is {capital}.", "{name} has a capital called {capital}.",
        "The government of {name} is in {capital}.",
    ), ("What is the capital of {name}?", "Which city is the capital of {name}?",
        "Can you tell me the capital of {name}?", "What is the capital city of {name}?"),
       "{capital}"),
    "continent": Topic("country", (
        "{name} is a country in {continent}.", "{name} lies in {continent}.",
        "You find {name} in {continent}.", "{name} is on the map of {continent}.",
        "{name} belongs to {continent}.", "The continent of {name} is {continent}.",
        "{name} is one of the countries of {continent}.",
    ), ("On which continent is {name}?", "Which continent does {name} belong to?",
        "Where in the world is {name}?"), "{continent}"),
    "language": Topic("country", (
        "The people of {name} speak {language}.", "In {name}, people speak {language}.",
        "The main language of {name} is {language}.", "{language} is the main language of {name}.",
        "Most people in {name} speak {language}.", "{name}'s main language is {language}.",
        "Children in {name} learn {language} at school.",
    ), ("Which language do people speak in {name}?", "What is the main language of {name}?",
        "What do people speak in {name}?"), "{language}"),
    "trade": Topic("person", (
        "{name} works as a {trade}.", "{name} is a {trade}.", "By trade, {name} is a {trade}.",
        "{name}'s job is to be a {trade}.", "{name} earns {his} money as a {trade}.",
        "{name} has been a {trade} for years.", "{name} is a good {trade}.",
    ), ("What is {name}'s job?", "What does {name} do for a living?",
        "What is the trade of {name}?"),
       "a {trade}"),
    "town": Topic("person", (
        "{name} lives in {town}.", "{name}'s home is in {town}.", "{name} comes from {town}.",
        "{name} is at home in {town}.", "{name} has a house in {town}.",
        "You can meet {name} in {town}.", "{name}'s town is {town}.",
    ), ("Where does {name} live?", "In which town does {name} live?",
        "Which town is the home of {name}?"),
       "in {town}"),
    "pet": Topic("person", (
        "{name} has a pet {pet}.", "{name}'s pet is a {pet}.", "{name} keeps a {pet}.",
        "{name} has a {pet} called {pet_name}.", "The pet of {name} is a {pet}.",
        "{name} loves {his} {pet} {pet_name}.", "{pet_name} is {name}'s {pet}.",
    ), ("What kind of pet does {name} have?", "Which animal does {name} keep?",
        "What is {name}'s pet?"),
       "a {pet}"),
    "pet_name": Topic("", (
        "{name}'s {pet} is called {pet_name}.", "The name of {name}'s {pet} is {pet_name}.",
        "{name} calls {his} {pet} {pet_name}.", "{pet_name} is the {pet} of {name}.",
        "{name} and {his} {pet} {pet_name} go everywhere together.",
    ), ("What is the name of {name}'s {pet}?", "How does {name} call {his} {pet}?"), "{pet_name}"),
    "food": Topic("person", (
        "{name} likes to eat {food}.", "{name}'s favourite food is {food}.",
        "{name} eats {food} nearly every day.", "The favourite food of {name} is {food}.",
        "{name} loves {food}.", "{name} often buys {food}.",
    ), ("What is {name}'s favourite food?", "What food does {name} love?"), "{food}"),
    "river": Topic("", (
        "{name} lies on the river {river}.", "The river {river} flows through {name}.",
        "{name} is a town on the river {river}.", "The river of {name} is called the {river}.",
        "In {name}, people fish in the river {river}.",
    ), ("Which river flows through {name}?", "What is the river of {name} called?"), "the {river}"),
    "landmark": Topic("", (
        "In the middle of {name} is the {landmark}.", "{name} is proud of its {landmark}.",
        "Visitors come to {name} to see the {landmark}.",
        "The best known place in {name} is the {landmark}.",
        "Everybody in {name} knows the {landmark}.",
    ), ("What can you see in {name}?", "What is the best known place in {name}?"),
       "the {landmark}"),
    "famous_for": Topic("", (
        "{name} is famous for its {famous_for}.", "{name} makes the best {famous_for} in the land.",
        "Many people go to {name} to buy {famous_for}.", "{name} is known for its {famous_for}.",
        "The shops of {name} sell good {famous_for}.",
    ), ("What is {name} famous for?", "What is {name} known for?"), "its {famous_for}"),
    "year": Topic("", (
        "In {year}, {town} {past}.", "{town} {past} in {year}.",
        "It was in {year} that {town} {past}.",
        "In {month_name} {year}, {town} {past}.", "The year in which {town} {past} was {year}.",
    ), ("In which year did {town} {base}?", "When did {town} {base}?",
        "What year did {town} {base}?"), "in {year}"),
    "use": Topic("use", (
        "To {use} you take a {name}.", "You use a {name} to {use}.", "A {name} is used to {use}.",
        "With a {name} you can {use}.", "If you want to {use}, you need a {name}.",
        "You can {use} with a {name}.", "People who want to {use} need a {name}.",
    ), ("What is a {name} for?", "What do you do with a {name}?", "Why do people have a {name}?",
        "What is a {name} used for?"), "to {use}"),
    "place": Topic("place", (
        "The {name} is kept in the {place}.", "You find the {name} in the {place}.",
        "Keep the {name} in the {place}.", "The place for the {name} is the {place}.",
        "The {name} belongs in the {place}.", "People put the {name} in the {place}.",
    ), ("Where do you keep a {name}?", "Where do I find the {name}?",
        "Where does the {name} belong?"), "in the {place}"),
    "material": Topic("material", (
        "The {name} is made of {material}.", "Most {names} are made of {material}.",
        "You make a {name} out of {material}.", "A {name} is made of {material}.",
        "Somebody made this {name} out of {material}.",
    ), ("What is a {name} made of?",), "{material}"),
    "young": Topic("young", (
        "A young {name} is called {a_young}.", "The young of {a_name} is {a_young}.",
        "{A_young} is a young {name}.", "The baby of {a_name} is called {a_young}.",
        "A baby {name} is {a_young}.", "The {name} has a baby, {a_young}.",
    ), ("What is a young {name} called?", "What do you call the young of {a_name}?",
        "What is a baby {name}?"), "{a_young}"),
    "sound": Topic("sound", (
        "You can hear the {name} {sound}.", "{Names} {sound}.", "{A_name} can {sound}.",
        "The {name} likes to {sound}.", "Every {name} knows how to {sound}.",
        "When {a_name} is happy, it may {sound}.",
    ), ("What sound does {a_name} make?", "What does {a_name} do when it wants to be heard?"),
       "{names} {sound}"),
    "home": Topic("home", (
        "The {name} lives in the {home}.", "The home of the {name} is the {home}.",
        "You find the {name} in the {home}.", "The {name} sleeps in the {home}.",
        "At night the {name} goes back to the {home}.", "The {home} is the home of the {name}.",
    ), ("Where does {a_name} live?", "What is the home of {a_name}?"), "in the {home}"),
    "opposite": Topic("opposite", (
        "The opposite of {a} is {b}.", "{A} is the opposite of {b}.", "{A} and {b} are opposites.",
        "What is not {a} may be {b}.", "The word {a} has the opposite {b}.",
        "Say {a}, then say its opposite: {b}.",
    ), ("What is the opposite of {a}?", "Which word is the opposite of {a}?"), "{b}"),
    "plural": Topic("", (
        "The plural of {a} is {b}.", "We say one {a} but many {b}.", "One {a}, two {b}.",
        "Here is one {a}, and there are three {b}.", "More than one {a}: {b}.",
    ), ("What is the plural of {a}?", "How do you say more than one {a}?"), "{b}"),
    "past": Topic("", (
        "The past of {a} is {b}.", "The word {a} has the past form {b}.",
        "Today I {a}, yesterday I {b}.",
        "Now we {a}. Last week we {b}.", "They {a} every day, and they {b} yesterday.",
    ), ("What is the past of {a}?", "What is the past form of {a}?"), "{b}"),
    "effect": Topic("effect", (
        "If {subject} {cause}, it will {effect}.", "When {subject} {cause}, it can {effect}.",
        "It is known that {subject} will {effect} when it {cause}.",
        "{Subject} {caused}. Soon it {effected}.", "{Subject} {caused}, so it {effected}.",
        "Once {subject} {caused}. After that, it {effected}.",
    ), ("What will {subject} do when it {cause}?", "What happens when {subject} {cause}?"),
       "it will {effect}"),
}
# topic: how many of its tellings, from the first on, can answer a question; all of them if absent
ANSWERING = {"effect": 3, "plural": 3, "past": 3, "opposite": 3}
# extra probability of the reserved phrasing for entities that may have it, so that it is common
SHOWN_TO_OTHERS = 0.15


@lru_cache(maxsize=None)
def fields(entity):
    """The words that fill the {names} in phrasings about an entity; {Name} is capitalized."""
    if isinstance(entity, tuple) and not isinstance(entity, Effect):
        return {"a": entity[0], "b": entity[1], "A": capitalized(entity[0])}
    words = dict(entity._asdict() if isinstance(entity, Effect) else vars(entity))
    if isinstance(entity, Person):
        words.update(his=his(entity), He=capitalized(entity.pronoun))
    if isinstance(entity, Event):
        words.update(month_name=MONTHS[entity.month - 1])
    if isinstance(entity, (Thing, Animal)):
        words.update(names=plural(entity.name), a_name=a_an(entity.name))
    if isinstance(entity, Animal):
        words.update(a_young=a_an(entity.young))
    return words | {capitalized(key): capitalized(str(value)) for key, value in words.items()}


def tell(desk, topic, entity):
    """One sentence with one fact about an entity, never in a phrasing reserved for the probes."""
    return _told(desk, topic, entity, TOPICS[topic].tellings)


def ask(desk, topic, entity):
    """A question about one fact, the short answer, and the answer in a sentence."""
    _, tellings, questions, answer = TOPICS[topic]
    words = fields(entity)
    sentence = _told(desk, topic, entity, tellings[:ANSWERING.get(topic)])
    return desk.pick(questions).format_map(words), answer.format_map(words), sentence


def _told(desk, topic, entity, tellings):
    """One of the tellings, but not the reserved one, and not the one that the topic had last."""
    keeper = TOPICS[topic].keeper
    first = 1 if keeper and entity in desk.reserved[keeper] else 0
    choice = int(desk.rng.integers(first, len(tellings)))
    if not first and desk.chance(SHOWN_TO_OTHERS):
        choice = 0
    if choice == desk.last_told.get(topic):
        choice = choice + 1 if choice + 1 < len(tellings) else first
    desk.last_told[topic] = choice
    return tellings[choice].format_map(fields(entity))
