"""Dated news: reports of events when they happen, and everyday reports; both recall past events."""

from minillm.world.documents.phrases import tell
from minillm.world.documents.scenes import belonging
from minillm.world.facts import FIRST_YEAR, LAST_YEAR, his
from minillm.world.invented import MONTHS

CROWDS = ("Many people came to see it.", "A big crowd came.", "The whole town came.",
          "Hundreds of people were there.")
JOYS = ('"We waited for this day for years," said {name}, who is a {trade}.',
        '"This is a good day for {town}," said the {trade} {name}.',
        '"I am very happy," said the {trade} {name}.',
        '"My {pet} {pet_name} likes it too," said {name}.')
VOICES = ('"I like it here in {town}," said the {trade} {name}.',
          '"I am going home to eat {food}," said {name}.',
          '"My {pet} {pet_name} does not like the rain," said {name}.',
          '"I have a lot of work," said {name}, who is a {trade}.')
WEATHER = ("The sun was out.", "It rained all day.", "It was cold and windy.", "It was a warm day.",
           "There was snow.")
PARTIES = ("After that, everybody ate {food}.", "In the evening, people ate {food} together.",
           "There was music, and people ate {food}.")
LOST = ("{name}'s {pet} {pet_name} was lost for two days. A {trade} found it near the {landmark}.",
        "{name} could not find {his} {pet} {pet_name} near the {landmark}. "
        "Everybody helped to look for it.")
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
    return desk.pick(voices).format_map({**vars(desk.pick(_people_of(desk, town))), "town": town})


def _earlier(desk, date):
    """Events of earlier months, which news of this date may recall."""
    return [event for event in desk.world.events if (event.year, event.month) < date]


def event_report(desk, event):
    """A report of an event in the month in which it happens."""
    town = _town_called(desk, event.town)
    parts = [f"{event.town} {event.past} this week.", desk.pick(WEATHER), desk.pick(CROWDS),
             _voice(desk, event.town, JOYS),
             desk.pick(PARTIES).format(food=desk.pick(desk.world.people).food),
             tell(desk, "landmark", town),
             f"People will remember {event.year} as the year in which {event.town} {event.past}."]
    return " ".join(parts)


def daily_report(desk, date, town):
    """A report of a quiet day: the weather, a small event, and what somebody says."""
    person = desk.pick(_people_of(desk, town.name))
    # lambdas, so that only the picked one draws random numbers
    small = desk.pick((
        lambda: desk.pick(LOST).format(
            landmark=town.landmark, his=his(person),
            **{**vars(person), "trade": desk.pick(desk.world.people).trade}),
        lambda: f"The market sold {person.food} and {town.famous_for}. "
                f"{tell(desk, 'famous_for', town)}",
        lambda: f"{tell(desk, 'trade', person)} {tell(desk, 'town', person)} "
                f"Today {person.name} met old friends. {belonging(desk)}",
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
