"""What people write down: what they saw, a diary, letters, a day, riddles and exercises."""

from minillm.world.documents.phrases import tell
from minillm.world.documents.puzzles import asked_puzzle, told_puzzle
from minillm.world.documents.scenes import belonging, doing, habit, heard, look, seen, sight
from minillm.world.effects import EFFECTS
from minillm.world.facts import a_an, capitalized, he, him, his

WALKS = ("Things I saw today", "From my window", "What I saw on my walk", "A walk through {town}",
         "What I saw in {town}", "Notes from {town}", "Seen in {town}")
GREETINGS = ("How are you?", "I hope that you are well.", "Thank you for your letter.",
             "Here is the news from {town}.", "You asked for news, so here it is.",
             "I have a lot to tell you.")
GOODBYES = ("Write soon!", "See you soon.", "Come and visit me!", "{pet_name} says hello.",
            "Now I must feed {pet_name}.", "That is all for today.", "Please write back.")
SIGNED = ("Yours", "Your friend", "Love", "Best wishes")
TIMES = ("In the morning", "At noon", "In the afternoon", "In the evening")
HIDING_PLACES = ("behind the house", "under the bed", "in the garden", "near the river",
                 "behind the shop", "on the roof", "in a box", "in the cellar")
RIDDLES = ("Riddles", "Puzzles for a rainy day", "Think first!", "Can you solve it?",
           "Riddles from {town}")
EXERCISES = ("English lesson", "Exercises", "Homework", "Lesson {number}", "School in {town}")


def walk(desk):
    """Six or seven things that somebody saw."""
    return f"{_title(desk, WALKS)}\n\n" + _sentences(desk, seen, 6)


def diary(desk):
    """A page of a diary: what friends did, and what happened."""
    person = desk.deal("people")
    parts = [_sentences(desk, heard, 3), happening(desk), _sentences(desk, seen, 2)]
    return f"{person.name}'s diary\n\n" + " ".join(desk.some(parts, len(parts)))


def letter(desk):
    """A letter with news about friends and about an acquaintance."""
    writer, friend, other = desk.some(desk.world.people, 3)
    words = vars(writer)
    news = [friend.name]
    while any(person.name in text for person in (writer, friend) for text in news):
        news = [_sentences(desk, heard, 2), _sentences(desk, seen, 1), acquaintance(desk, other)]
    return (f"Dear {friend.name},\n\n{desk.pick(GREETINGS).format_map(words)} "
            f"{' '.join(desk.some(news, len(news)))} {desk.pick(GOODBYES).format_map(words)}\n\n"
            f"{desk.pick(SIGNED)}, {writer.name}")


def day(desk):
    """What somebody did in the morning, at noon and in the evening."""
    person = desk.deal("people")
    parts = [f"{time}, {desk.deal(EPISODES)(desk, person)}" for time in TIMES]
    left_out = int(desk.rng.integers(4))
    return f"A day with {person.name}\n\n" + "\n\n".join(parts[:left_out] + parts[left_out + 1:])


def riddles(desk):
    """Three puzzles, of which some are solved in full, and some by one question and its answer."""
    parts = []
    for _ in range(3):
        if desk.chance(0.6):
            parts.append(told_puzzle(desk))
        else:
            question, reply = asked_puzzle(desk)
            parts.append(f"{question}\nAnswer: {reply}")
    return f"{_title(desk, RIDDLES)}\n\n" + "\n\n".join(parts)


def exercise(desk):
    """Eight sentences of one sort, as examples of a rule of grammar."""
    scene, count = desk.deal(((habit, 4), (belonging, 7), (sight, 8), (look, 7), (doing, 8)))
    return f"{_title(desk, EXERCISES)}\n\n" + "\n".join(scene(desk) for _ in range(count))


def happening(desk):
    """Something breaks, melts or grows."""
    return tell(desk, "effect", desk.deal(EFFECTS))


def acquaintance(desk, other):
    """Somebody was met; two facts about that person follow."""
    topics = desk.some(("trade", "town", "pet", "food"), 2)
    facts = " ".join(tell(desk, topic, other) for topic in topics)
    met = desk.pick(("I met", "Yesterday I met", "I saw", "I had a letter from", "I talked to"))
    return f"{met} {other.name}. {facts}"


def using(desk, person):
    """For example: Anna wanted to cut bread. So she went to the kitchen and took the knife."""
    thing = desk.deal("things")
    name, place = thing.name, thing.place
    use = thing.use.replace("your", his(person))
    fetched = desk.pick((
        f"{person.name} wanted to {use}. So {he(person)} went to the {place} and took the {name}.",
        f"{person.name} had to {use}. {capitalized(he(person))} found {a_an(name)} in the {place}.",
        f"{person.name} used {a_an(name)} to {use}. Then {he(person)} put it back in the {place}.",
    ))
    return f"{fetched} {tell(desk, desk.pick(('use', 'use', 'material')), thing)}"


def losing(desk, person):
    """The pet is lost and found."""
    helper = desk.pick([other for other in desk.world.people if other != person])
    return (f"{person.name} could not find {person.pet_name} the {person.pet}. {helper.name} the "
            f"{helper.trade} helped {him(person)}. They found {person.pet_name} "
            f"{desk.pick(HIDING_PLACES)}.")


def hearing(desk, person):
    """The person sees an animal; two facts about it follow."""
    animal = desk.deal("animals")
    topics = desk.some(("young", "sound", "home"), 2)
    facts = " ".join(tell(desk, topic, animal) for topic in topics)
    return f"{person.name} saw {a_an(animal.name)}. {facts}"


def meeting(desk, person):
    """The person meets another one; two facts about the other follow."""
    other = desk.pick([other for other in desk.world.people if other != person])
    topics = desk.some(("trade", "town", "pet", "food"), 2)
    facts = " ".join(tell(desk, topic, other) for topic in topics)
    return f"{person.name} met {other.name}. {facts}"


def eating(desk, person):
    """The person cooks for a friend."""
    other = desk.pick([other for other in desk.world.people if other != person])
    return f"{person.name} cooked {other.food} for {other.name}. {tell(desk, 'food', other)}"


def _sentences(desk, scene, count):
    """`count` sentences or one more."""
    return " ".join(scene(desk) for _ in range(count + int(desk.rng.integers(2))))


def _title(desk, titles):
    return desk.pick(titles).format(town=desk.pick(desk.world.towns).name,
                                    number=int(desk.rng.integers(1, 30)))


# an episode that occurs more often here is dealt more often
EPISODES = (using, using, using, losing, hearing, hearing, meeting, eating)
NOTES = (walk, walk, walk, walk, diary, diary, diary, letter, letter, day, day, exercise, exercise,
         riddles, riddles, riddles)
