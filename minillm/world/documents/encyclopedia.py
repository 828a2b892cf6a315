"""Articles about countries, towns, people, things, animals and words, with varied phrasings."""

from minillm.world.documents.morals import moral_article
from minillm.world.documents.numbers import LARGEST, sums_page, told_numbers
from minillm.world.documents.phrases import ask, tell
from minillm.world.documents.puzzles import told_puzzle
from minillm.world.effects import EFFECTS
from minillm.world.facts import FIRST_YEAR, LAST_YEAR, a_an, capitalized, his, joined
from minillm.world.real import SORTS


def _told(desk, topics, entity):
    """Sentences that tell every topic of an entity, in random order."""
    return " ".join(tell(desk, topic, entity) for topic in desk.some(topics, len(topics)))


def _quiz(desk, topics, entity):
    """A question about one topic of the entity, and the answer."""
    question, answer, sentence = ask(desk, desk.pick(topics), entity)
    short = f"{capitalized(answer)}. " if desk.chance(0.5) else ""
    return f"Question: {question} Answer: {short}{sentence}"


def _page(desk, title):
    """The title with a random number of a page."""
    return f"{title}, page {int(desk.rng.integers(1, 200))}"


def _names(entities):
    """The title of an article about a few things or animals: "Cow, duck and owl"."""
    return capitalized(joined(entity.name for entity in entities))


def _told_and_asked(desk, topics, entity):
    """A title, a paragraph that tells every topic, and questions about three of them."""
    asked = "\n".join(_quiz(desk, (topic,), entity) for topic in desk.some(topics, 3))
    return f"{entity.name}\n\n{_told(desk, topics, entity)}\n\n{asked}"


def country_article(desk):
    """A country: capital, continent, language."""
    return _told_and_asked(desk, ("capital", "continent", "language"), desk.deal("countries"))


def continent_article(desk):
    """A few countries of one continent and their capitals."""
    continent = desk.deal(("Europe", "Asia", "Africa", "South America", "North America"))
    here = [country for country in desk.world.countries if country.continent == continent]
    chosen = desk.some(here, min(5, len(here)))
    names = joined(country.name for country in chosen)
    lines = [f"{tell(desk, 'capital', country)} {tell(desk, 'language', country)}"
             for country in chosen]
    return (f"Countries in {continent}\n\n{names} are countries in {continent}.\n\n"
            + "\n".join(lines))


def atlas_page(desk):
    """Six countries, one line each, always in the same form."""
    lines = []
    for _ in range(6):
        country = desk.deal("countries")
        lines.append(f"{country.name}: capital {country.capital}, continent {country.continent}, "
                     f"language {country.language}.")
    return f"{_page(desk, 'Atlas')}\n\n" + "\n".join(lines)


def address_book(desk):
    """Six people, one line each, always in the same form."""
    lines = []
    for _ in range(6):
        person = desk.deal("people")
        lines.append(f"{person.name}: {a_an(person.trade)} from {person.town}, loves {person.food} "
                     f"and {his(person)} {person.pet}, {person.pet_name}.")
    return f"{_page(desk, 'Address book')}\n\n" + "\n".join(lines)


def animal_table(desk):
    """Six animals, one line each, always in the same form."""
    lines = []
    for _ in range(6):
        animal = desk.deal("animals")
        lines.append(f"{capitalized(animal.name)}: young {animal.young}, sound {animal.sound}, "
                     f"home {animal.home}.")
    return f"{_page(desk, 'Animals')}\n\n" + "\n".join(lines)


def thing_table(desk):
    """Six things, one line each, always in the same form."""
    lines = []
    for _ in range(6):
        thing = desk.deal("things")
        lines.append(f"{capitalized(a_an(thing.name))}: used to {thing.use}, kept in the "
                     f"{thing.place}, made of {thing.material}.")
    return f"{_page(desk, 'Things')}\n\n" + "\n".join(lines)


def town_article(desk):
    """A town: river, landmark, famous product, up to two inhabitants, two events."""
    town, topics = desk.deal("towns"), ("river", "landmark", "famous_for")
    text = f"{town.name}\n\n{_told(desk, topics, town)}"
    people = [person for person in desk.world.people if person.town == town.name]
    events = [event for event in desk.world.events if event.town == town.name]
    for person in desk.some(people, min(2, len(people))):
        told = [tell(desk, topic, person) for topic in ("town", "trade", "pet")]
        text += "\n\n" + " ".join(told)
    return text + "\n\n" + " ".join(tell(desk, "year", event) for event in desk.some(events, 2))


def person_article(desk):
    """A person: trade, town, pet, the pet's name, food."""
    return _told_and_asked(desk, ("trade", "town", "pet", "pet_name", "food"), desk.deal("people"))


def thing_article(desk):
    """Three everyday things: use, place, material."""
    parts, topics = [], ("use", "place", "material")
    things = [desk.deal("things") for _ in range(3)]
    for thing in things:
        asked = "\n".join(_quiz(desk, (topic,), thing) for topic in desk.some(topics, 2))
        parts.append(f"{_told(desk, topics, thing)}\n{asked}")
    return f"{_names(things)}\n\n" + "\n\n".join(parts)


def animal_article(desk):
    """Three animals: young, sound, home."""
    parts, topics = [], ("young", "sound", "home")
    animals = [desk.deal("animals") for _ in range(3)]
    for animal in animals:
        parts.append(f"{_told(desk, topics, animal)}\n{_quiz(desk, topics, animal)}")
    return f"{_names(animals)}\n\n" + "\n\n".join(parts)


def word_article(desk):
    """Opposites, plurals and past forms, and the letters of one word."""
    pairs = [("opposite", _either_way(desk, desk.deal("opposites"))) for _ in range(7)]
    pairs += [("plural", desk.deal("plurals")) for _ in range(4)]
    pairs += [("past", desk.deal("pasts")) for _ in range(4)]
    lines = [tell(desk, topic, pair) for topic, pair in desk.some(pairs, len(pairs))]
    word = desk.pick(pairs)[1][1]
    lines.append(f"The word {word} begins with the letter {word[0]} and has {len(word)} letters.")
    return f"{_page(desk, 'Words')}\n\n" + "\n".join(lines)


def sort_article(desk):
    """Four sorts of things, with three members of each."""
    lines = []
    for _ in range(4):
        name, members = desk.deal(SORTS)
        some = desk.some(members, 3)
        lines.append(desk.pick((f"{capitalized(joined(some))} are {name}.",
                                f"Three {name} are {joined(some)}.",
                                f"Two {name} are {joined(some[:2])}.",
                                f"{capitalized(name)}: {', '.join(some)}.")))
    return f"{_page(desk, 'Lists of words')}\n\n" + "\n".join(lines)


def number_article(desk):
    """Eight sentences about small numbers, or all sums with one number."""
    if desk.chance(0.2):
        b = int(desk.rng.integers(0, LARGEST + 1))
        lines = [f"{a} + {b} = {a + b}" for a in range(LARGEST + 1)]
        return f"Adding {b}\n\n" + "\n".join(lines)
    return f"{_page(desk, 'Numbers')}\n\n" + "\n".join(told_numbers(desk) for _ in range(8))


def year_article(desk):
    """Up to six events of one year."""
    year = desk.deal(tuple(range(FIRST_YEAR, LAST_YEAR + 1)))
    events = [event for event in desk.world.events if event.year == year]
    lines = [tell(desk, "year", event) for event in desk.some(events, min(6, len(events)))]
    return f"The year {year}\n\n" + "\n".join(lines)


def effect_article(desk):
    """Five causes and their effects; the last one is asked about."""
    parts = [tell(desk, "effect", desk.deal(EFFECTS)) for _ in range(4)]
    asked = _quiz(desk, ("effect",), desk.deal(EFFECTS))
    return f"{_page(desk, 'What happens next')}\n\n" + "\n".join([*parts, asked])


def puzzle_article(desk):
    """Four puzzles with answers."""
    parts = [told_puzzle(desk) for _ in range(4)]
    return f"{_page(desk, 'Puzzles')}\n\n" + "\n\n".join(parts)


def _either_way(desk, pair):
    """The pair of opposites in this order or in reverse, equally likely."""
    return pair if desk.chance(0.5) else pair[::-1]


# (writer, number of its articles in a deck)
DECK = ((country_article, 18), (person_article, 18), (town_article, 2), (thing_article, 9),
        (animal_article, 8), (word_article, 11), (continent_article, 1), (atlas_page, 4),
        (address_book, 4), (animal_table, 2), (thing_table, 4), (number_article, 6),
        (sums_page, 26), (year_article, 3), (effect_article, 4), (puzzle_article, 10),
        (moral_article, 40), (sort_article, 3))
ARTICLES = tuple(article for article, count in DECK for _ in range(count))


def write_article(desk):
    """Return (the text of one article, None for no date)."""
    return desk.deal(ARTICLES)(desk), None
