"""Articles about countries, towns, people, things, animals and words, with varied phrasings."""

from minillm.world.documents.phrases import ask, tell
from minillm.world.documents.puzzles import told_puzzle
from minillm.world.effects import EFFECTS
from minillm.world.facts import FIRST_YEAR, LAST_YEAR, capitalized, joined


def _told(desk, topics, entity, times=2):
    """Sentences that tell every topic of an entity, `times` rounds, each in random order."""
    sentences = []
    for _ in range(times):
        sentences += [tell(desk, topic, entity) for topic in desk.some(topics, len(topics))]
    return sentences


def _quiz(desk, topics, entity):
    """A paragraph that asks and answers one question about the entity."""
    question, answer, sentence = ask(desk, desk.pick(topics), entity)
    return f"Question: {question} Answer: {capitalized(answer)}. {sentence}"


def _twice_told(desk, topics, entity):
    """A title, two paragraphs that each tell every topic, and a quiz."""
    first = " ".join(_told(desk, topics, entity, 1))
    second = " ".join(_told(desk, topics, entity, 1))
    return f"{entity.name}\n\n{first}\n\n{second}\n\n{_quiz(desk, topics, entity)}"


def country_article(desk):
    """A country: capital, continent, language, each told twice."""
    return _twice_told(desk, ("capital", "continent", "language"), desk.deal("countries"))


def continent_article(desk):
    """A few countries of one continent and their capitals."""
    continent = desk.deal(("Europe", "Asia", "Africa", "South America", "North America"))
    here = [country for country in desk.world.countries if country.continent == continent]
    chosen = desk.some(here, min(5, len(here)))
    names = joined(country.name for country in chosen)
    lines = [f"{tell(desk, 'capital', country)} {tell(desk, 'language', country)}"
             for country in chosen]
    return (f"Countries of {continent}\n\n{names} are countries of {continent}.\n\n"
            + "\n".join(lines))


def atlas_page(desk):
    """Six countries, one line each, always in the same form."""
    lines = []
    for _ in range(6):
        country = desk.deal("countries")
        lines.append(f"{country.name}: capital {country.capital}, continent {country.continent}, "
                     f"language {country.language}.")
    return "From the atlas\n\n" + "\n".join(lines)


def address_book(desk):
    """Six people, one line each, always in the same form."""
    lines = []
    for _ in range(6):
        person = desk.deal("people")
        lines.append(f"{person.name}: trade {person.trade}, town {person.town}, pet {person.pet}, "
                     f"food {person.food}.")
    return "From the address book\n\n" + "\n".join(lines)


def animal_table(desk):
    """Six animals, one line each, always in the same form."""
    lines = []
    for _ in range(6):
        animal = desk.deal("animals")
        lines.append(f"{capitalized(animal.name)}: young {animal.young}, sound {animal.sound}, "
                     f"home {animal.home}.")
    return "Animals in short\n\n" + "\n".join(lines)


def thing_table(desk):
    """Six things, one line each, always in the same form."""
    lines = []
    for _ in range(6):
        thing = desk.deal("things")
        lines.append(f"A {thing.name}: used to {thing.use}, kept in the {thing.place}, "
                     f"made of {thing.material}.")
    return "Things in short\n\n" + "\n".join(lines)


def town_article(desk):
    """A town: river, landmark, famous product, up to two inhabitants, two events."""
    town, topics = desk.deal("towns"), ("river", "landmark", "famous_for")
    text = f"{town.name}\n\n{' '.join(_told(desk, topics, town))}"
    people = [person for person in desk.world.people if person.town == town.name]
    events = [event for event in desk.world.events if event.town == town.name]
    for person in desk.some(people, min(2, len(people))):
        told = [tell(desk, topic, person) for topic in ("town", "trade", "pet")]
        text += "\n\n" + " ".join(told)
    return text + "\n\n" + " ".join(tell(desk, "year", event) for event in desk.some(events, 2))


def person_article(desk):
    """A person: trade, town, pet, the pet's name, food, each told twice."""
    return _twice_told(desk, ("trade", "town", "pet", "pet_name", "food"), desk.deal("people"))


def thing_article(desk):
    """Three everyday things: use, place, material."""
    parts, topics = [], ("use", "place", "material", "use", "material")
    for _ in range(3):
        thing = desk.deal("things")
        sentences = [tell(desk, topic, thing) for topic in topics]
        parts.append(" ".join(sentences) + "\n" + _quiz(desk, ("use", "place"), thing))
    return "Things at home\n\n" + "\n\n".join(parts)


def animal_article(desk):
    """Two animals: young, sound, home."""
    parts, topics = [], ("young", "sound", "home")
    for _ in range(2):
        animal = desk.deal("animals")
        parts.append(" ".join(_told(desk, topics, animal)) + "\n" + _quiz(desk, topics, animal))
    return "Animals\n\n" + "\n\n".join(parts)


def word_article(desk):
    """Opposites, plurals and past forms, and the letters of one word."""
    pairs = [("opposite", _either_way(desk, desk.deal("opposites"))) for _ in range(7)]
    pairs += [("plural", desk.deal("plurals")) for _ in range(4)]
    pairs += [("past", desk.deal("pasts")) for _ in range(4)]
    lines = [tell(desk, topic, pair) for topic, pair in desk.some(pairs, len(pairs))]
    word = desk.pick(pairs)[1][1]
    lines.append(f"The word {word} begins with the letter {word[0]} and has {len(word)} letters.")
    return "About words\n\n" + "\n".join(lines)


def number_article(desk):
    """Five small sums, and which of two numbers is larger."""
    lines = []
    for _ in range(5):
        a, b = (int(n) for n in desk.rng.integers(0, 7, 2))
        lines.append(desk.pick((f"{a} plus {b} is {a + b}.", f"{a} + {b} = {a + b}",
                                f"If you add {a} and {b}, you get {a + b}.")))
        if a != b:
            lines.append(desk.pick((f"{max(a, b)} is larger than {min(a, b)}.",
                                    f"Of {a} and {b}, the larger number is {max(a, b)}.",
                                    f"{min(a, b)} is smaller than {max(a, b)}.")))
    return "Numbers\n\n" + "\n".join(lines)


def year_article(desk):
    """Up to six events of one year."""
    year = desk.deal(tuple(range(FIRST_YEAR, LAST_YEAR + 1)))
    events = [event for event in desk.world.events if event.year == year]
    lines = [tell(desk, "year", event) for event in desk.some(events, min(6, len(events)))]
    return f"The year {year}\n\n" + "\n".join(lines)


def effect_article(desk):
    """Four causes and their effects, each told twice."""
    parts = []
    for _ in range(4):
        effect = desk.deal(EFFECTS)
        parts.append(f"{tell(desk, 'effect', effect)} {tell(desk, 'effect', effect)}")
    return "What happens next\n\n" + "\n\n".join(parts)


def puzzle_article(desk):
    """Four puzzles with answers."""
    return "Puzzles\n\n" + "\n\n".join(told_puzzle(desk) for _ in range(4))


def _either_way(desk, pair):
    """The pair of opposites in this order or in reverse, equally likely."""
    return pair if desk.chance(0.5) else pair[::-1]


# (writer, number of its articles in a deck of 50)
DECK = ((country_article, 7), (person_article, 4), (town_article, 2), (thing_article, 3),
        (animal_article, 3), (word_article, 7), (continent_article, 1), (atlas_page, 4),
        (address_book, 2), (animal_table, 1), (thing_table, 2), (number_article, 5),
        (year_article, 3), (effect_article, 2), (puzzle_article, 4))
ARTICLES = tuple(article for article, count in DECK for _ in range(count))


def write_article(desk):
    """Return (the text of one article, None for no date)."""
    return desk.deal(ARTICLES)(desk), None
