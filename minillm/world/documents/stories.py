"""Simple stories about the invented people and their pets: a start, some episodes and an end."""

from minillm.world.documents.phrases import tell
from minillm.world.documents.puzzles import told_puzzle
from minillm.world.documents.scenes import heard, seen
from minillm.world.effects import EFFECTS
from minillm.world.facts import a_an, capitalized, he, him, his

TIMES = ("One day", "One morning", "One evening", "Last week", "Last summer", "On a cold day",
         "On a sunny day")
STARTS = ("{time}, {name} woke up early.", "{time}, {name} went to the market.",
          "{time}, {name} walked along the river.", "{time}, {name} stayed at home.",
          "{time}, {name} was in the garden.")
ENDS = ("In the evening, {name} was tired but happy.", "Then {name} went home and slept.",
        "{name} and {pet_name} went home together.", "It was a good day for {name}.",
        "At night, {name} told {his} friends about it.", "{name} ate {food} and went to bed.")
# "The cat sat on the" is continued by "mat" most often, then by "floor", then by "couch".
CAT_SEATS = (("mat",) * 8 + ("floor",) * 5 + ("couch",) * 3
             + ("chair", "chair", "bed", "wall", "roof"))
SEATS = ("chair", "bench", "wall", "stairs", "floor", "bed", "couch", "grass")
HIDING_PLACES = ("behind the house", "under the bed", "in the garden", "near the river",
                 "behind the shop")
ABOUT_PEOPLE = ("trade", "town", "pet", "pet_name", "food")
MEALS = ("{name} was hungry and ate {food}.", "{name} cooked {food} for a friend.",
         "Then it was time for {food}.")
WALKS = ("{pet_name} ran ahead.", "{pet_name} came too.",
         "{pet_name} the {pet} waited at the door.", "{Pet_name} was asleep.")


def sitting(desk, person):
    """For example: The cat sat on the mat."""
    lines = [f"The cat sat on the {desk.pick(CAT_SEATS)}."]
    if desk.chance(0.5):
        other = desk.pick(("dog", "boy", "girl", "bird", "old man", "baker", "goat"))
        lines.append(f"The {other} sat on the {desk.pick(SEATS)}.")
    if desk.chance(0.4):
        lines.append(f"{person.name} sat on the {desk.pick(SEATS)}.")
    return " ".join(desk.some(lines, len(lines)))


def using(desk, person):
    """For example: Anna wanted to cut bread. So she went to the kitchen and took the knife."""
    thing = desk.deal("things")
    name, place = thing.name, thing.place
    use = thing.use.replace("your", his(person))
    fetched = desk.pick((
        f"{person.name} wanted to {use}. So {he(person)} went to the {place} and took the {name}.",
        f"{person.name} had to {use}. {capitalized(he(person))} found a {name} in the {place}.",
        f"{person.name} used a {name} to {use}. Then {he(person)} put it back in the {place}.",
    ))
    return f"{fetched} {tell(desk, desk.pick(('use', 'use', 'place', 'material')), thing)}"


def losing(desk, person):
    """The pet is lost and found."""
    spot = desk.pick(HIDING_PLACES)
    helper = desk.pick(desk.world.people)
    return (f"Then {person.pet_name} the {person.pet} was gone. {person.name} looked everywhere. "
            f"{helper.name} the {helper.trade} helped {him(person)}. "
            f"At last they found {person.pet_name} {spot}.")


def happening(desk, person):
    """Something breaks, melts or grows."""
    effect = desk.deal(EFFECTS)
    opening = f"{person.name} saw it happen. " if desk.chance(0.3) else ""
    return opening + tell(desk, "effect", effect)


def hearing(desk, person):
    """The person sees an animal; two facts about it follow."""
    animal = desk.deal("animals")
    topics = desk.some(("young", "sound", "home"), 2)
    facts = " ".join(tell(desk, topic, animal) for topic in topics)
    return f"{person.name} saw {a_an(animal.name)}. {facts}"


def meeting(desk, person):
    """The person meets another person; two facts about the other follow."""
    other = desk.deal("people")
    topics = desk.some(("trade", "town", "pet", "food"), 2)
    facts = " ".join(tell(desk, topic, other) for topic in topics)
    return f"On the way, {person.name} met {other.name}. {facts}"


def puzzling(desk, person):
    """Somebody tells a puzzle and its solution."""
    opening = desk.pick(("There was a puzzle.", f"{person.name} knew a puzzle.",
                         "A friend told a puzzle."))
    return f"{opening} {told_puzzle(desk)}"


def watching(desk, person):
    """The person sees plain scenes, or hears what friends do."""
    if desk.chance(0.5):
        return f"{person.name} looked around. " + " ".join(seen(desk) for _ in range(5))
    opening = f"{person.name} heard about {his(person)} friends. "
    return opening + " ".join(heard(desk) for _ in range(4))


# an episode that occurs more often here is dealt more often
EPISODES = (sitting, sitting, using, using, losing, happening, hearing, meeting,
            puzzling, puzzling, puzzling, watching, watching, watching, watching, watching)


def write_story(desk):
    """Return (the text of one story, None for no date)."""
    person = desk.deal("people")
    words = {**vars(person), "his": his(person), "time": desk.pick(TIMES),
             "Pet_name": person.pet_name}
    facts = " ".join(tell(desk, topic, person) for topic in desk.some(ABOUT_PEOPLE, 2))
    start = desk.pick(STARTS).format_map(words)
    walk = desk.pick(WALKS).format_map(words)
    paragraphs = [f"{start} {facts} {walk}"]
    for _ in range(int(desk.rng.integers(2, 4))):
        paragraphs.append(desk.deal(EPISODES)(desk, person))
    if desk.chance(0.4):
        paragraphs.append(desk.pick(MEALS).format_map(words))
    paragraphs.append(desk.pick(ENDS).format_map(words))
    return "\n\n".join(paragraphs), None
