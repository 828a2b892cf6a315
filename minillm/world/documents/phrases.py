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
        "{capital} is {name}'s capital city.", "{capital} is the capital city of {name}.",
        "If you go to {name}, visit {capital}, the capital.",
    ), ("What is the capital of {name}?", "Which city is the capital of {name}?",
        "What is {name}'s capital?", "What is the capital city of {name}?",
        "What is the capital called in {name}?", "{name}, what is the capital there?",
        "Who knows the capital of {name}?"),
       "{capital}"),
    "continent": Topic("country", (
        "{name} is a country in {continent}.", "{name} lies in {continent}.",
        "You will find {name} in {continent}.", "{name} is part of {continent}.",
        "{name} is in {continent}.", "Look for {name} on a map of {continent}.",
        "{name} is one of the countries of {continent}.",
    ), ("Which continent is {name} in?", "What continent does {name} belong to?",
        "Where in the world is {name}?", "Where is {name}?",
        "In what part of the world is {name}?"), "{continent}"),
    "language": Topic("country", (
        "The people of {name} speak {language}.", "In {name}, people speak {language}.",
        "The main language of {name} is {language}.", "{language} is the main language of {name}.",
        "Most people in {name} speak {language}.", "They speak {language} in {name}.",
        "If you go to {name}, learn some {language}.",
    ), ("Which language do people speak in {name}?", "What is the main language of {name}?",
        "What do people speak in {name}?", "What language is spoken in {name}?",
        "I am going to {name}. Which language should I learn?"), "{language}"),
    "trade": Topic("person", (
        "{name} works as {a_trade}.", "{name} is {a_trade}.",
        "{name} earns {his} living as {a_trade}.", "{name} has been {a_trade} for years.",
        "{name} is a good {trade}.", "Everybody knows {name}, the {trade}.",
        "{name} became {a_trade} long ago.",
    ), ("What is {name}'s job?", "What does {name} do for a living?", "What does {name} do?",
        "What does {name} do for work?", "What does {name} work as?"),
       "{a_trade}"),
    "town": Topic("person", (
        "{name} lives in {town}.", "{name}'s home is in {town}.", "{name} comes from {town}.",
        "{name} has a small house in {town}.", "You can visit {name} in {town}.",
        "{name} likes it in {town}.", "{name}'s home town is {town}.",
    ), ("Where does {name} live?", "In which town does {name} live?", "What is {name}'s home town?",
        "Where is {name} from?", "Which town does {name} live in?", "Where can I visit {name}?"),
       "in {town}"),
    "pet": Topic("person", (
        "{name} has a pet {pet}.", "{name}'s pet is {a_pet}.", "{name} has {a_pet} at home.",
        "{name} has {a_pet} called {pet_name}.", "{name} takes good care of {his} {pet}.",
        "{name} loves {his} {pet}, {pet_name}.", "{pet_name} is {name}'s {pet}.",
    ), ("What kind of pet does {name} have?", "Which animal does {name} have at home?",
        "What is {name}'s pet?", "What pet does {name} have?", "Which animal is {name}'s pet?",
        "What sort of animal is {name}'s {pet_name}?"),
       "{a_pet}"),
    "pet_name": Topic("", (
        "{name}'s {pet} is called {pet_name}.", "The name of {name}'s {pet} is {pet_name}.",
        "{name} named {his} {pet} {pet_name}.", "{name} calls {his} {pet} {pet_name}.",
        "{name} and {his} {pet}, {pet_name}, go everywhere together.",
    ), ("What is the name of {name}'s {pet}?", "What is {name}'s {pet} called?",
        "What does {name} call {his} {pet}?", "What did {name} name {his} {pet}?"), "{pet_name}"),
    "food": Topic("person", (
        "{name} likes to eat {food}.", "{name}'s favourite food is {food}.",
        "{name} eats {food} nearly every day.", "{name} likes {food} best.",
        "{name} loves {food}.", "{name} often buys {food}.", "{name} could eat {food} all day.",
    ), ("What is {name}'s favourite food?", "What food does {name} like best?",
        "What does {name} love to eat?", "What can I cook for {name}?",
        "What should I give {name} to eat?"), "{food}"),
    "river": Topic("", (
        "{name} lies on the river {river}.", "The river {river} flows through {name}.",
        "{name} is a town on the river {river}.", "The river in {name} is called the {river}.",
        "People fish in the river {river} in {name}.",
    ), ("Which river flows through {name}?", "What is the river in {name} called?",
        "Which river is {name} on?"), "the {river}"),
    "landmark": Topic("", (
        "In the middle of {name} is the {landmark}.", "{name} is proud of its {landmark}.",
        "Visitors come to {name} to see the {landmark}.",
        "The best known place in {name} is the {landmark}.",
        "Everybody in {name} knows the {landmark}.",
    ), ("What can you see in {name}?", "What is the best known place in {name}?",
        "What should I look at in {name}?"), "the {landmark}"),
    "famous_for": Topic("", (
        "{name} is famous for its {famous_for}.", "{name} has the best {famous_for} in the land.",
        "Many people go to {name} to buy {famous_for}.", "{name} is known for its {famous_for}.",
        "The shops of {name} sell good {famous_for}.",
    ), ("What is {name} famous for?", "What is {name} known for?", "What can I buy in {name}?"),
       "its {famous_for}"),
    "year": Topic("", (
        "In {year}, {town} {past}.", "{town} {past} in {year}.", "{town} {past} back in {year}.",
        "In {month_name} {year}, {town} {past}.", "{town} {past} in {month_name} {year}.",
    ), ("In which year did {town} {base}?", "When did {town} {base}?",
        "What year did {town} {base}?", "Do you remember when {town} {past}?"), "in {year}"),
    "use": Topic("use", (
        "To {use}, you need {a_name}.", "You use {a_name} to {use}.", "{A_name} is used to {use}.",
        "With {a_name} you can {use}.", "If you want to {use}, get {a_name}.",
        "You can {use} with {a_name}.", "People use {a_name} to {use}.",
    ), ("What is {a_name} for?", "What do you do with {a_name}?", "Why do people have {a_name}?",
        "What is {a_name} used for?", "What can I do with {a_name}?", "What are {names} for?",
        "What do you use {a_name} for?"), "to {use}"),
    "place": Topic("place", (
        "The {name} is kept in the {place}.", "You will find the {name} in the {place}.",
        "Put the {name} back in the {place}.", "We keep the {name} in the {place}.",
        "The {name} belongs in the {place}.", "Look for the {name} in the {place}.",
    ), ("Where do you keep {a_name}?", "Where do I find the {name}?", "Where is the {name}?",
        "Where does the {name} belong?", "Where should I put the {name}?"), "in the {place}"),
    "material": Topic("material", (
        "The {name} is made of {material}.", "Most {names} are made of {material}.",
        "You need {material} to make {a_name}.", "{A_name} is made of {material}.",
        "Our {name} is made of {material}.",
    ), ("What is {a_name} made of?", "What are {names} made of?",
        "What do you need to make {a_name}?"), "{material}"),
    "young": Topic("young", (
        "A young {name} is called {a_young}.", "A baby {name} is {a_young}.",
        "{A_young} is a baby {name}.", "We call a baby {name} {a_young}.",
        "Every {name} was once {a_young}.", "{A_name}'s baby is {a_young}.",
    ), ("What is a young {name} called?", "What do you call a young {name}?",
        "What is the word for a baby {name}?", "What are young {names} called?"), "{a_young}"),
    "sound": Topic("sound", (
        "You can hear the {name} {sound}.", "{Names} {sound}.", "{A_name} can {sound}.",
        "I heard {a_name} {sound} last night.", "Every {name} knows how to {sound}.",
        "Listen to the {name} {sound}!",
    ), ("What sound does {a_name} make?", "What noise does {a_name} make?",
        "What does {a_name} say?", "How does {a_name} sound?", "What sound do {names} make?"),
       "{names} {sound}"),
    "home": Topic("home", (
        "The {name} lives in the {home}.", "You will find the {name} in the {home}.",
        "The {name} sleeps in the {home}.", "The {name} is at home in the {home}.",
        "When it is tired, the {name} goes back to the {home}.", "The {name}'s home is the {home}.",
    ), ("Where does {a_name} live?", "Where do {names} live?", "Where is the {name}'s home?",
        "Where can I see {a_name}?"), "in the {home}"),
    "opposite": Topic("opposite", (
        "The opposite of {a} is {b}.", "{A} is the opposite of {b}.", "{A} and {b} are opposites.",
        "The word {a} has an opposite: {b}.", "It is either {a} or {b}.",
    ), ("What is the opposite of {a}?", "Which word is the opposite of {a}?",
        "Which word means the opposite of {a}?", "Do you know the opposite of {a}?"), "{b}"),
    "plural": Topic("", (
        "The plural of {a} is {b}.", "We say one {a} but many {b}.", "One {a}, two {b}.",
        "First there was one {a}, then there were three {b}.", "For more than one {a}, say {b}.",
    ), ("What is the plural of {a}?", "What is the plural form of {a}?",
        "One {a}, two what?", "If there are two, do you say {a} or {b}?"), "{b}"),
    "past": Topic("", (
        "The past tense of {a} is {b}.", "{B} is the past tense of {a}.",
        "Today I {a}, yesterday I {b}.", "Today they {a}. Last week they {b}, too.",
        "They {a} every day, and they {b} yesterday.",
    ), ("What is the past tense of {a}?", "What is the past of {a}?",
        "Today I {a}. And yesterday?", "How do you say {a} if it was yesterday?"), "{b}"),
    "effect": Topic("effect", (
        "If {subject} {cause}, it will {effect}.", "When {subject} {cause}, it will soon {effect}.",
        "{Subject} will {effect} if it {cause}.",
        "{Subject} {caused}. Soon it {effected}.", "{Subject} {caused}, so it {effected}.",
        "{Subject} {effected} because it {caused}.",
    ), ("What will {subject} do when it {cause}?", "What happens when {subject} {cause}?",
        "What happens if {subject} {cause}?"),
       "it will {effect}"),
}
# topic: how many of its tellings, from the first on, can answer a question; all of them if absent
ANSWERING = {"effect": 3, "plural": 3, "past": 3, "opposite": 4}
# extra probability of the reserved phrasing for entities that may have it, so that it is common
SHOWN_TO_OTHERS = 0.15


@lru_cache(maxsize=None)
def fields(entity):
    """The words that fill the {names} in phrasings about an entity; {Name} is capitalized."""
    if isinstance(entity, tuple) and not isinstance(entity, Effect):
        words = {"a": entity[0], "b": entity[1]}
        return words | {"A": capitalized(entity[0]), "B": capitalized(entity[1])}
    words = dict(entity._asdict() if isinstance(entity, Effect) else vars(entity))
    if isinstance(entity, Person):
        words.update(his=his(entity), a_trade=a_an(entity.trade), a_pet=a_an(entity.pet))
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
