"""Stories about the invented people, and what they write down: a diary, letters, riddles."""

from minillm.world.documents.notes import NOTES
from minillm.world.documents.phrases import fields, tell
from minillm.world.documents.plots_at_home import AT_HOME
from minillm.world.documents.plots_outside import OUTSIDE
from minillm.world.documents.scenes import sitting
from minillm.world.facts import capitalized, him, his

PLOTS = AT_HOME + OUTSIDE
OPENINGS = (
    "Once upon a time there was {a_trade} called {name}.",
    "Once upon a time, in {town}, there was {a_trade} called {name}.",
    "Once upon a time there was {a_pet} called {pet_name}, who belonged to {name} the {trade}.",
    "In {town} there was once {a_trade} called {name}, who had {a_pet} called {pet_name}.",
    "This is the story of {name} and {his} {pet}, {pet_name}.",
    "{name} the {trade} and {his} {pet}, {pet_name}, had a house near the {landmark}.",
    "It was a quiet morning at {name}'s house. {cat}",
    "{cat} {name} the {trade} was drinking tea.",
)
ABOUT_HERO = ("trade", "town", "pet", "pet_name", "food")
FRIENDS = ("{f} was {his} best friend.", "{name} had a friend called {f}.",
           "{f}, {his} best friend, lived next door.", "Next door lived {f}, {his} friend.")
CLOSINGS = ("And that is the end of the story.", "At home, all was quiet. {cat}",
            "When {name} came home, nothing had changed. {cat}",
            "In the evening, {name} told {pet_name} about it.", "{name} never forgot that day.",
            "Then it was time for {food} and for bed.", "People in {town} still talk about it.",
            "Then {name} went home and slept.", "It was a good day for {name} and {pet_name}.",
            "{cat}", "That is what {name} told me.", "{pet_name} did not understand it at all.")


def story(desk):
    """A story: a beginning, a wish, an obstacle and how it was overcome, and an end."""
    hero = desk.deal("people")
    plot = desk.deal(PLOTS)
    while plot.not_for == hero.trade:
        plot = desk.deal(PLOTS)
    obstacle = desk.pick(plot.obstacles)
    texts = [desk.pick(OPENINGS), desk.pick(plot.wishes), obstacle.text,
             desk.pick(obstacle.turns), desk.pick(plot.ends)]
    words = _words(desk, hero)
    opening, wish, trouble, turn, end = (text.format_map(words) for text in texts)
    if desk.chance(0.5):
        untold = [topic for topic in ABOUT_HERO if getattr(hero, topic) not in opening]
        opening += " " + tell(desk, desk.pick(untold), hero)
    if _friend_is_new(texts) and desk.chance(0.6):
        opening += " " + desk.pick(FRIENDS).format_map(words)
    if desk.chance(0.6):
        end += " " + desk.pick(CLOSINGS).format_map(words)
    return f"{opening}\n\n{wish} {trouble}\n\n{turn}\n\n{end}"


def _friend_is_new(texts):
    """Whether the friend comes into the story after the wish, so that the opening may tell who."""
    return "{f}" not in texts[1] and any("{f}" in text for text in texts[2:])


def _words(desk, hero):
    """The words that fill the slots in the texts of a plot."""
    friend = desk.pick([person for person in desk.world.people if person != hero])
    town = next(town for town in desk.world.towns if town.name == hero.town)
    words = {**fields(hero), "he": hero.pronoun, "him": him(hero), "himself": f"{him(hero)}self",
             "river": town.river, "landmark": town.landmark, "cat": sitting(desk),
             "f": friend.name, "f_he": friend.pronoun, "f_his": his(friend), "f_him": him(friend)}
    return words | {"He": capitalized(words["he"]), "His": capitalized(words["his"])}


WRITERS = (story,) * 11 + NOTES


def write_story(desk):
    """Return (the text of one story or note, None for no date)."""
    return desk.deal(WRITERS)(desk), None
