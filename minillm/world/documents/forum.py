"""Forum threads in which one person asks and others answer: facts, words, sums and small logic."""

from minillm.world.documents.phrases import ask
from minillm.world.documents.puzzles import asked_puzzle
from minillm.world.documents.scenes import heard
from minillm.world.effects import EFFECTS
from minillm.world.facts import capitalized

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
GREETINGS = ("Hello.", "Hello everybody.", "Good morning.", "I have a question.", "Please help me.")
THANKS = ("Thank you!", "Thank you very much.", "Thanks for your help.", "Now I know. Thank you.")
WELCOMES = ("You are welcome.", "Glad to help.", "No problem.")
TITLES = ("A short question", "Help wanted", "Ask here", "Questions and answers", "Who knows this?")


def fact_exchange(desk):
    """A question about a fact, and its answer: short, as a sentence, or both."""
    table, topics = SUBJECTS[desk.deal(SHARES)]
    entity = desk.deal(table)
    if table == "opposites" and desk.chance(0.5):
        entity = entity[::-1]
    question, answer, sentence = ask(desk, desk.pick(topics), entity)
    answer = capitalized(answer) + "."
    return question, desk.pick((sentence, sentence, f"{answer} {sentence}", answer))


def number_exchange(desk):
    """A small sum, or the larger of two numbers."""
    a, b = (int(n) for n in desk.rng.integers(0, 11, 2))
    if a == b or desk.chance(0.5):
        questions = (f"What is {a} plus {b}?", f"How much is {a} + {b}?")
        answers = (f"{a} plus {b} is {a + b}.", f"{a} + {b} = {a + b}.", f"{a + b}.")
    else:
        low, high = min(a, b), max(a, b)
        questions = (f"Which number is larger, {a} or {b}?", f"What is larger, {a} or {b}?")
        answers = (f"{high} is larger than {low}.", f"The larger number is {high}.", f"{high}.")
    return desk.pick(questions), desk.pick(answers)


def puzzle_exchange(desk):
    """A puzzle, and its solution as the answer."""
    question, reply = asked_puzzle(desk)
    return f"Here is a puzzle. {question}", reply


def check_exchange(desk):
    """A question like "Is Lima the capital of Peru?", and an answer with the right capital."""
    country, other = desk.deal("countries"), desk.deal("countries")
    city = desk.pick((country, other)).capital
    question = f"Is {city} the capital of {country.name}?"
    if city == country.capital:
        return question, f"Yes, {city} is the capital of {country.name}."
    return question, f"No, {country.capital} is the capital of {country.name}."


def letter_exchange(desk):
    """A question about a word: its first letter, the word in capitals, or the word twice."""
    word = desk.pick(desk.pick(desk.world.plurals))
    return desk.pick((
        (f"What is the first letter of {word}?", f"The first letter of {word} is {word[0]}."),
        (f"How do you write {word} in capital letters?", f"{word.upper()}."),
        (f"Can you say {word} twice?", f"{capitalized(word)} {word}."),
    ))


EXCHANGES = ((fact_exchange,) * 12 + (number_exchange,) * 2 + (puzzle_exchange,) * 3
             + (check_exchange, letter_exchange))


def thread(desk):
    """A thread of lines like "Anna wrote: ...", in which one person asks and two others answer."""
    asker, *helpers = (person.name for person in desk.some(desk.world.people, 3))
    lines = [desk.pick(TITLES), ""]
    for turn in range(int(desk.rng.integers(2, 5))):
        question, answer = desk.deal(EXCHANGES)(desk)
        while asker in question:  # nobody asks about themselves
            question, answer = desk.deal(EXCHANGES)(desk)
        opening = desk.pick(GREETINGS) + " " if turn == 0 else ""
        lines += [f"{asker} wrote: {opening}{question}", f"{desk.pick(helpers)} wrote: {answer}"]
    lines.append(f"{asker} wrote: {desk.pick(THANKS)}")
    if desk.chance(0.4):
        lines.append(f"{helpers[0]} wrote: {desk.pick(WELCOMES)} {heard(desk)}")
    return "\n".join(lines)


def questions_page(desk):
    """A page of four to six questions and answers, as lines "Q: ..." and "A: ..."."""
    lines = [desk.pick(TITLES), ""]
    for _ in range(int(desk.rng.integers(4, 7))):
        question, answer = desk.deal(EXCHANGES)(desk)
        lines += [f"Q: {question}", f"A: {answer}"]
    return "\n".join(lines)


def write_thread(desk):
    """Return (the text of one forum page, None for no date)."""
    return desk.deal((thread, thread, questions_page))(desk), None
