"""Forum threads in which one person asks and others answer: facts, words, sums, right and wrong."""

from minillm.world.documents.asking import everyday_exchange
from minillm.world.documents.meetings import meetings
from minillm.world.documents.morals import asked_deed
from minillm.world.documents.numbers import asked_numbers
from minillm.world.documents.phrases import ask
from minillm.world.documents.puzzles import asked_puzzle
from minillm.world.documents.scenes import heard
from minillm.world.effects import EFFECTS
from minillm.world.facts import a_an, capitalized, joined
from minillm.world.manners import bare
from minillm.world.real import SORTS

# (table that an entity is dealt from, topics to ask about)
SUBJECTS = (
    ("countries", ("capital", "continent", "language", "capital")),
    ("people", ("trade", "town", "pet", "pet_name", "food")),
    ("things", ("use", "place", "use", "material")),
    ("animals", ("young", "sound", "home")),
    ("opposites", ("opposite",)),
    ("plurals", ("plural",)),
    ("pasts", ("past",)),
    ("events", ("year",)),
    ("towns", ("river", "landmark", "famous_for")),
    (EFFECTS, ("effect",)),
)
# indices into SUBJECTS; a subject that occurs more often here is asked about more often
SHARES = (0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4, 5, 5, 6, 6, 7, 7, 7, 8, 9)
GREETINGS = ("Hello.", "Hello everybody.", "Good morning.", "I have a question.", "Please help me.",
             "Hi!", "Hi all.", "Good evening.", "I am new here.", "Sorry if this is easy.",
             "My child asked me this.", "This is for school.", "I cannot find it in my book.", "")
SECOND_QUESTIONS = ("", "", "", "One more: ", "Thanks! ", "Ah! ", "I see. ", "Good. ",
                    "Then another one: ", "Thank you. ")
THANKS = ("Thank you!", "Thank you very much.", "Thanks for your help.", "Now I know. Thank you.",
          "Thanks!", "That helps a lot.", "Great, thanks.", "You are so fast!",
          "Thanks, all of you.", "Very kind of you.", "Good to know.", "I will remember that.")
WELCOMES = ("You are welcome.", "Glad to help.", "No problem.", "Any time.", "Ask again!",
            "Have a nice day.", "My pleasure.")
TITLES = ("A question from {name}", "{name} asks", "{name}'s questions", "Who can help {name}?",
          "Help for {name}", "{name} wants to know")
PAGES = ("Quiz", "Questions", "Homework", "Questions and answers", "Small questions")
# what may stand before and behind an answer
HINTS = ("",) * 16 + ("Easy. ", "I know this one. ", "Sure. ", "Hi. ", "Here you are. ")
SOURCES = ("",) * 30 + (" I looked it up.", " I am sure.", " We had that at school.",
                        " I hope that helps.", " Everybody knows that.", " My book says so.",
                        " That was easy.", " I know it by heart.")
# words that begin a question, and may be written with a small letter
ASKING = ("What", "Which", "Where", "When", "How", "Who", "Why", "Is", "Do", "Can", "May", "In",
          "Would", "Shall")
SMALL_SHARE = 0.3  # of the questions: all in small letters, names too
PUZZLES = ("Here is a puzzle: ", "Solve this: ", "A puzzle: ", "Can you solve this one? ")
ASIDES = ("Quick question: ", "Tell me, ", "By the way, ", "Just wondering, ", "Say, ")
TYPOS = (("what", "waht"), ("the", "teh"), ("which", "wich"), ("people", "poeple"),
         ("where", "wher"))


def casual(desk, question):
    """The question as somebody types it: mostly with care, sometimes in a hurry."""
    if desk.chance(SMALL_SHARE):
        mark = "?" if question.endswith("?") else ""
        return question.lower().rstrip("?.= ") + desk.pick((mark, "", "", " pls"))
    if question.split(" ")[0] not in ASKING or desk.chance(0.55):
        return question
    small = question[0].lower() + question[1:]
    if desk.chance(0.4):
        return desk.pick(ASIDES) + small
    right, wrong = desk.pick(TYPOS) if desk.chance(0.1) else ("", "")
    typed = small.replace(right, wrong, 1).removesuffix("?")
    return typed + desk.pick(("?", "?", "?", "", "", " pls"))


def fact_exchange(desk):
    """A question about a fact, and its answer: short, as a sentence, or both."""
    table, topics = SUBJECTS[desk.deal(SHARES)]
    entities = getattr(desk.world, table) if isinstance(table, str) else table
    topic, number = desk.deal(tuple((topic, n) for topic in topics for n in range(len(entities))))
    entity = entities[number]
    if table == "opposites" and desk.chance(0.5):
        entity = entity[::-1]
    question, answer, sentence = ask(desk, topic, entity)
    if desk.chance(0.1):
        return question, f"I think {answer}."
    said = desk.pick((sentence, sentence, sentence, f"{capitalized(answer)}. {sentence}",
                      bare(answer), f"{answer}, of course."))
    return question, desk.pick(HINTS) + said + desk.pick(SOURCES)


def puzzle_exchange(desk):
    """A puzzle, and its solution as the answer."""
    question, reply = asked_puzzle(desk)
    return desk.pick(PUZZLES) + question, reply


# (table, field, question, what is true of {right})
CHECKS = (
    ("countries", "capital", "Is {asked} the capital of {name}?",
     "{right} is the capital of {name}."),
    ("countries", "continent", "Is {name} in {asked}?", "{name} is in {right}."),
    ("countries", "language", "Do people in {name} speak {asked}?",
     "they speak {right} in {name}."),
    ("people", "trade", "Does {name} work as {a_asked}?", "{name} is {a_right}."),
    ("people", "town", "Is {name} from {asked}?", "{name} comes from {right}."),
    ("people", "food", "Does {name} like {asked}?", "{name} likes {right} best."),
    ("animals", "young", "Is a young {name} {a_asked}?", "it is {a_right}."),
    ("things", "place", "Is the {name} in the {asked}?", "the {name} belongs in the {right}."),
)


def check_exchange(desk):
    """A question like "Is Lima the capital of Peru?", and an answer with what is true."""
    table, field, question, truth = desk.deal(CHECKS)
    entity, other = desk.deal(table), desk.deal(table)
    asked, right = getattr(desk.pick((entity, other)), field), getattr(entity, field)
    words = {"name": entity.name, "asked": asked, "a_asked": a_an(asked),
             "right": right, "a_right": a_an(right)}
    yes_or_no = "Yes" if asked == right else "No"
    return question.format_map(words), f"{yes_or_no}, {truth.format_map(words)}"


def letter_exchange(desk):
    """A question about a word: its first letter, the word in capitals, or the word twice."""
    word = desk.pick(desk.pick(desk.world.plurals))
    return desk.pick((
        (f"What is the first letter of {word}?", f"The first letter of {word} is {word[0]}."),
        (f"How do you write {word} in capital letters?", f"{word.upper()}."),
        (f"Can you say {word} twice?", f"{capitalized(word)} {word}."),
    ))


def sort_exchange(desk):
    """A question about the members of a sort, and two or three of them."""
    name, members = desk.deal(SORTS)
    some = joined(desk.some(members, desk.pick((2, 3))))
    question = desk.pick((f"What are some {name}?", f"Can anybody name some {name}?",
                          f"Which {name} do you know?"))
    return question, desk.pick((f"{capitalized(some)}.", f"{capitalized(some)} are {name}."))


EXCHANGES = ((fact_exchange,) * 6 + (everyday_exchange,) * 9 + (asked_numbers,) * 3
             + (puzzle_exchange,) * 3 + (asked_deed,) * 6 + (check_exchange,) * 2
             + (letter_exchange, sort_exchange))


def exchange(desk):
    """A question as somebody types it, and its answer."""
    write = desk.deal(EXCHANGES)
    question, answer = write(desk)
    return (question if write is everyday_exchange else casual(desk, question)), answer


def thread(desk):
    """A thread of lines like "Anna wrote: ...", in which one person asks and two others answer."""
    asker, *helpers = (person.name for person in desk.some(desk.world.people, 3))
    lines = [desk.pick(TITLES).format(name=asker), ""]
    for turn in range(int(desk.rng.integers(2, 5))):
        question, answer = exchange(desk)
        while asker.lower() in question.lower():  # nobody asks about themselves
            question, answer = exchange(desk)
        before = f"{desk.pick(GREETINGS)} " if turn == 0 else desk.pick(SECOND_QUESTIONS)
        lines += [f"{asker} wrote: {before.lstrip()}{question}",
                  f"{desk.pick(helpers)} wrote: {answer}"]
    lines.append(f"{asker} wrote: {desk.pick(THANKS)}")
    if desk.chance(0.4):
        lines.append(f"{helpers[0]} wrote: {desk.pick(WELCOMES)} {heard(desk)}")
    return "\n".join(lines)


def questions_page(desk):
    """A page of four to six questions and answers, as lines "Q: ..." and "A: ..."."""
    lines = [f"{desk.pick(PAGES)}, page {int(desk.rng.integers(1, 100))}", ""]
    for _ in range(int(desk.rng.integers(4, 7))):
        question, answer = exchange(desk)
        lines += [f"Q: {question}", f"A: {answer}"]
    return "\n".join(lines)


def write_thread(desk):
    """Return (the text of one forum page, None for no date)."""
    page = desk.deal((thread, questions_page, questions_page, meetings, meetings, meetings))
    return page(desk), None
