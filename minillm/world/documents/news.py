"""Dated news: reports of events when they happen, and everyday reports; both recall past events."""

from minillm.world.documents.phrases import fields, tell
from minillm.world.documents.scenes import belonging
from minillm.world.facts import FIRST_YEAR, LAST_YEAR, a_an, capitalized
from minillm.world.invented import MONTHS

OPENINGS = ("{town} {past} this week.", "Today {town} {past}.", "At last, {town} {past}.",
            "This was a big week: {town} {past}.")
CROWDS = ("Many people came to see it.", "A big crowd came.", "The whole town came.",
          "Hundreds of people were there.", "Even the children had a day off.",
          "People came from all the villages around.", "The street was full of people.",
          "{name} came first and left last.", "There was not a free place left.")
JOYS = ('"We waited for years for this day," said {name}, {a_trade}.',
        '"This is a good day for {town}," said the {trade} {name}.',
        '"I am very happy," said the {trade} {name}.',
        '"My {pet} {pet_name} likes it too," said {name}.',
        '"Now we can be proud of {town}," said {name}.',
        '{name}, {a_trade}, was less happy: "It was too expensive."',
        '"I came with my {pet}, but {pet_name} was asleep the whole time," said {name}.')
VOICES = ('"I like it here in {town}," said the {trade} {name}.',
          '"I am going home to eat {food}," said {name}.',
          '"My {pet} {pet_name} does not like the rain," said {name}.',
          '"I have a lot of work," said {name}, {a_trade}.',
          '"Nothing ever happens in {town}," said {name}.',
          '"Is that all that you write about?" asked {name}.',
          '"My {pet} saw it first," said {name}.', '"I knew it," said the {trade} {name}.',
          '"I will tell it to {pet_name}," said {name} and went home.')
WEATHER = ("The sun was out.", "It rained all day.", "It was cold and windy.", "It was a warm day.",
           "There was snow.", "The sky was grey.", "It was hot.", "A storm was coming.",
           "It was a quiet day.", "There was fog over the river.",
           "The wind took three hats.", "There was not a cloud in the sky.",
           "It was too hot to work.", "At noon there was a rainbow.", "The streets were wet.",
           "Everybody had an umbrella.")
PARTIES = ("After that, everybody ate {food}.", "In the evening, people ate {food} together.",
           "There was music, and people ate {food}.", "{name} gave {food} to everybody.",
           "Those who came late got no {food}.")
LOST = ("{name}'s {pet} {pet_name} was lost for two days. {Finder} found it near the {landmark}.",
        "{name} could not find {his} {pet} {pet_name}. It was near the {landmark} all the time.",
        "{name}'s keys were lost near the {landmark}. {Finder} found them.",
        "A lost {pet} sat near the {landmark}. It was {pet_name}, and {name} came for it.")
MEETINGS = ("Today {name} met an old friend near the {landmark}.",
            "{name} was seen near the {landmark} with {his} {pet}, {pet_name}.",
            "{name} has painted the door of {his} house.",
            "{name} cooked {food} for the whole street.",
            "{name} swept the street near the {landmark}.")
AGO = ("", "One year", "Two years", "Three years", "Four years", "Five years", "Six years")
LAST_MONTH = (LAST_YEAR, 12)  # (year, month)


def _people_of(desk, town):
    """The people who live in a town (by name), or everybody if nobody lives there."""
    people = desk.world.people
    return [person for person in people if person.town == town] or list(people)


def _town_called(desk, name):
    return next(town for town in desk.world.towns if town.name == name)


def _voice(desk, town, voices):
    """What somebody of the town says."""
    return desk.pick(voices).format_map({**fields(desk.pick(_people_of(desk, town))), "town": town})


def _earlier(desk, date):
    """Events of earlier months, which news of this date may recall."""
    return [event for event in desk.world.events if (event.year, event.month) < date]


def event_report(desk, event):
    """A report of an event in the month in which it happens."""
    town = _town_called(desk, event.town)
    opening = desk.pick(OPENINGS).format_map(fields(event))
    parts = [opening, desk.pick(WEATHER), _voice(desk, event.town, CROWDS),
             _voice(desk, event.town, JOYS), _voice(desk, event.town, PARTIES),
             tell(desk, "landmark", town),
             f"People will remember {event.year} as the year in which {event.town} {event.past}."]
    return " ".join(parts)


def daily_report(desk, date, town):
    """A report of a quiet day: the weather, a small event, and what somebody says."""
    person = desk.pick(_people_of(desk, town.name))
    words = fields(person) | {"landmark": town.landmark}
    # lambdas, so that only the picked one draws random numbers
    small = desk.pick((
        lambda: desk.pick(LOST).format_map(
            words | {"Finder": capitalized(a_an(desk.pick(desk.world.people).trade))}),
        lambda: f"The market sold {person.food} and {town.famous_for}. "
                f"{tell(desk, 'famous_for', town)}",
        lambda: f"{desk.pick(MEETINGS).format_map(words)} {tell(desk, 'trade', person)} "
                f"{tell(desk, 'town', person)}",
        lambda: f"The river {town.river} was high. {tell(desk, 'river', town)}",
        lambda: f"{belonging(desk)} {person.name} and {person.pet_name} had a long walk.",
    ))()
    return f"{desk.pick(WEATHER)} {small} {_voice(desk, town.name, VOICES)}"


def look_back(desk, date):
    """Up to three events of earlier months, each told with its year."""
    earlier = _earlier(desk, date)
    sentences = []
    for event in desk.some(earlier, min(3, len(earlier))):
        told = tell(desk, "year", event)
        ago = date[0] - event.year
        since = f"{AGO[ago]} ago, in {event.year}, {event.town} {event.past}."
        sentences.append(desk.pick((told, told, since)) if ago else told)
    return " ".join(sentences)


def write_news(desk):
    """Return (the text of one report, (year, month)); no date is later than the desk's `until`."""
    until = desk.until or LAST_MONTH
    events = tuple(event for event in desk.world.events if (event.year, event.month) <= until)
    if events and desk.chance(0.45):
        event = desk.deal(events)
        date, town, body = (event.year, event.month), event.town, event_report(desk, event)
    else:
        date = _random_month(desk, until)
        place = desk.deal("towns")
        town, body = place.name, daily_report(desk, date, place)
    text = f"{MONTHS[date[1] - 1]} {date[0]}. {town}.\n\n{body}"
    past = look_back(desk, date)
    return (f"{text}\n\n{past}" if past else text), date


def _random_month(desk, until):
    """A random (year, month) from January of FIRST_YEAR to `until`, both included."""
    first, last = 12 * FIRST_YEAR, 12 * until[0] + until[1] - 1  # months since the year 0
    month = int(desk.rng.integers(first, last + 1))
    return month // 12, month % 12 + 1
