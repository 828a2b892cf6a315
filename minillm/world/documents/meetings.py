"""Pages on which strangers say who they are, and others remember it.

What a stranger is called, has and likes is drawn anew for every page. So nothing but the page
itself tells what comes next, and a model has to learn to look back at it and to copy.
"""

from minillm.world.facts import slots_in
from minillm.world.kinds.told import NOT_TOLD
from minillm.world.strangers import (MEALS, NAMES, PET_NAMES, PLACES, SPOKEN_OF_PETS,
                                     SPOKEN_OF_RELATIVES, may_be_called)

# (what somebody says, what others then ask, what is right)
FACTS = (
    ("I live in {town}.", "Where does {name} live?", "{name} lives in {town}."),
    ("I come from {town}.", "Where is {name} from?", "{name} comes from {town}."),
    ("My {pet} is called {pet_name}.", "What is the name of {name}'s {pet}?",
     "{name}'s {pet} is called {pet_name}."),
    ("I like {food} best.", "What does {name} like to eat?", "{name} likes {food} best."),
    ("My {relative} is called {other}.", "What is {name}'s {relative} called?",
     "{name}'s {relative} is called {other}."),
)
HELLOS = ("I am {name}.", "My name is {name}.", "Hello, I am {name}.", "Hi, my name is {name}.",
          "You can call me {name}.", "{name} is my name.")
REPLIES = ("Hello, {name}!", "Welcome, {name}!", "Nice to meet you, {name}.", "Hi {name}.",
           "{name} is a nice name. Hello, {name}!", "Hello, {name}! How are you, {name}?")
TITLES = ("New here", "New faces", "Who are you?", "Hello everybody", "The guests", "At the inn")
NAME_ASKED = "What is my name?"
NAMELESS = "Your {relative}'s name? "
# what a stranger says, asks about it, and hears; and how the answer begins if it was not said
ABOUT_ME = (
    ("", NAME_ASKED, "Your name is {name}.", ""),
    ("", "Who am I?", "You are {name}.", ""),
    ("I like {food} best.", NAME_ASKED, "Your name is {name}.", ""),
    ("I live in {town}.", "Where do I live?", "You live in {town}.", ""),
    ("My {pet} is called {pet_name}.", "What is my {pet} called?",
     "Your {pet} is called {pet_name}.", "Your {pet}'s name? "),
    ("This is my {pet} {pet_name}.", "Tell me my {pet}'s name.",
     "Your {pet} is called {pet_name}.", "Your {pet}'s name? "),
    ("I love {food}.", "What do I like to eat?", "You like {food}.", ""),
    ("My {relative} is called {other}.", "What is my {relative} called?",
     "Your {relative} is called {other}.", NAMELESS),
    ("{other} is my {relative}.", "Who is my {relative}?",
     "Your {relative} is called {other}.", NAMELESS),
    ("My {relative} lives in {town}.", "Where does my {relative} live?",
     "Your {relative} lives in {town}.", "Your {relative}'s home? "),
)
SMALL_SHARE = 0.15  # of what a stranger says: in small letters, names too


def stranger(desk):
    """The words about somebody who is made up for one page."""
    known = {person.name for person in desk.world.people}   # of them, other things are true
    relative = desk.pick(SPOKEN_OF_RELATIVES)
    name = desk.pick([name for name in NAMES if name not in known])
    other = desk.pick([other for other in may_be_called(relative) if other not in (*known, name)])
    return {"name": name, "town": desk.pick(PLACES), "pet": desk.pick(SPOKEN_OF_PETS),
            "pet_name": desk.pick(PET_NAMES), "food": desk.pick(MEALS),
            "relative": relative, "other": other}


def meeting(desk):
    """Two strangers say who they are; others greet them and ask each other about them."""
    lines, asked = [desk.pick(TITLES), ""], []
    for who in (stranger(desk), stranger(desk)):
        facts = desk.some(FACTS, 2)
        said = " ".join([desk.pick(HELLOS), *(fact[0] for fact in facts)])
        lines += [_typed(desk, said.format_map(who)), desk.pick(REPLIES).format_map(who)]
        asked += [(fact, who) for fact in facts]
    for (_, question, answer), who in desk.some(asked, 3):
        lines.append(f"{question} {answer}".format_map(who))
    return "\n".join(lines)


def memory_game(desk):
    """A game: one says things, and then asks for them, or for what was not said."""
    who, lines = stranger(desk), [desk.pick(("A game of memory", "Remember it!", "Say it again"))]
    facts = desk.some([fact for fact in ABOUT_ME if fact[0]], 2)
    said = " ".join((desk.pick(HELLOS), *(fact[0] for fact in facts)))
    lines += ["", _typed(desk, said.format_map(who)), desk.pick(REPLIES).format_map(who)]
    questions = ["{} {}".format(*asked[1:3]) for asked in desk.some([*facts, *ABOUT_ME[:2]], 2)]
    questions += [_not_said(desk, who, fact, said) for fact in facts]
    lines += [question.format_map(who) for question in desk.some(questions, len(questions))]
    return "\n".join(lines)


def _typed(desk, said):
    """What a stranger says, as it is written: mostly with care."""
    return said.lower() if desk.chance(SMALL_SHARE) else said


def _not_said(desk, who, fact, said):
    """A question for what somebody has not said, where possible for the same of somebody else."""
    _, asked, _, begins = fact
    twins = [(slot, other)
             for slot, others in (("relative", SPOKEN_OF_RELATIVES), ("pet", SPOKEN_OF_PETS))
             if f"{{{slot}}}" in asked for other in others if other != who[slot]]
    if twins:
        slot, other = desk.pick(twins)
        return f"{asked} {begins}{NOT_TOLD}".replace(f"{{{slot}}}", other)
    _, asked, _, begins = desk.pick([row for row in ABOUT_ME if row[0] and row[1] != NAME_ASKED
                                     and slots_in(row[0]).isdisjoint(slots_in(said))])
    return f"{asked} {begins}{NOT_TOLD}"


def guest_book(desk):
    """Lines of a guest book, and who is who in it."""
    guests = [stranger(desk) for _ in range(4)]
    lines = ["The guest book", ""]
    lines += ["{name} from {town}".format_map(who) for who in guests]
    for who in desk.some(guests, 3):
        lines.append(desk.pick((
            "Who is from {town}? {name} is.", "Where is {name} from? {name} is from {town}.",
            "Is {name} here? Yes, {name} from {town} is here.",
        )).format_map(who))
    return "\n".join(lines)


PAGES = (meeting, meeting, memory_game, memory_game, guest_book)


def meetings(desk):
    """A page of strangers."""
    return desk.deal(PAGES)(desk)
