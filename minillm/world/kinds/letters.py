"""Requests for the first letter of a word in the question."""

from minillm.world.facts import capitalized
from minillm.world.kinds.kind import ALL_STYLES, Item, Kind, others, right_texts
from minillm.world.kinds.telling import besides
from minillm.world.likeness import resembles, says, words

# Few words, because a model sees tokens, not letters: it must memorize how each word is spelt.
SPELT = ("river", "bread", "garden", "house", "table", "window", "kitchen", "school", "market",
         "flower", "letter", "spoon", "candle", "hammer", "door", "lamp", "knife", "dog", "cat",
         "tree", "book", "box", "child", "leaf", "mouse", "tooth", "bird", "glass", "fox", "story")
FORMS = ("The first letter of {n} is {y}.", "{n} starts with {y}.", "{n} begins with {y}.",
         "It starts with {y}.", "It begins with {y}.", "The first letter is {y}.",
         "The word {n} begins with the letter {y}.")  # {y} is the first letter of {n}


def _first_letter_items(world):
    letters = [word[0] for word in SPELT]
    items = []
    for word in SPELT:
        wrong = others(letters, word[0])
        right, *also = (capitalized(form.format(n=word, y=word[0])) for form in FORMS)
        items.append(Item({"n": word}, word[0], right, wrong,
                          tuple(FORMS[0].format(n=word, y=letter) for letter in wrong),
                          also=tuple(also), rivals=others(SPELT, word)))
    return items


def _right_letter(request, response):
    """The right letter is the only single letter in the text ("a" and "I" are not counted)."""
    forms = right_texts(request)
    letters = {word for word in words(response).split() if len(word) == 1 and word != "i"}
    return (letters == {request.answer} and resembles(response, forms)
            and not any(says(besides(response, forms), rival) for rival in request.rivals))


KINDS = (
    Kind("first letter",
         ("What is the first letter of {n}?", "What's the first letter of {n}?",
          "whats the first letter of {n}", "first letter of {n}?", "{n}: first letter?",
          "the first letter of {n}, please", "What is the first letter of the word {n}?",
          "What is the first letter in {n}?", "Which letter is the first in {n}?",
          "Which letter comes first in {n}?", "What letter does {n} start with?",
          "What letter does {n} begin with?", "Which letter does the word {n} start with?",
          "With which letter does {n} begin?", "{n} starts with which letter?",
          "{n} begins with what letter?", "How does the word {n} start? With which letter?",
          "Tell me the first letter of {n}.", "Tell me the letter that {n} starts with.",
          "Please tell me the first letter of {n}.", "Name the first letter of {n}.",
          "Give me the first letter of {n}.", "Say the first letter of {n}.",
          "Can you tell me the first letter of {n}?",
          "Could you tell me which letter {n} begins with?",
          "Do you know the first letter of {n}?", "Do you know what letter {n} starts with?",
          "I need the first letter of {n}.", "I was wondering which letter {n} starts with.",
          "I want to write {n}. What is the first letter?",
          "I want to write the word {n}. How do I start?",
          "My little brother asks which letter {n} starts with.",
          "My teacher asks for the first letter of {n}.",
          "Help me with my homework: the first letter of {n}?",
          "Quick question: what is the first letter of {n}?",
          "Hey, what letter does {n} begin with?", "The word is {n}. What is its first letter?",
          "So which letter is first in the word {n}?",
          "If I write {n}, which letter comes first?", "Any idea which letter {n} begins with?",
          "{n} - which letter first?", "starting letter of the word {n}?", "initial letter of {n}?",
          "beginning letter of {n}", "opening letter of {n}?", "letter one of {n}",
          "letter at the start of {n}?", "What's the initial of {n}?",
          "What is the starting letter of {n}?", "What is the opening letter of the word {n}?",
          "What is letter number one in {n}?", "What letter comes at the start of {n}?",
          "What letter do I need to start {n}?", "What letter do I write first for {n}?",
          "What letter do I type first for {n}?", "Which letter does {n} have at the start?",
          "Which letter opens {n}?", "Which letter is the initial of {n}?",
          "Which letter of the alphabet does {n} begin with?",
          "Which letter of the alphabet starts {n}?", "Which key do I press first to type {n}?",
          "At the beginning of {n} there is what letter?",
          "Spell the start of {n}: which letter?",
          "If I cut off all but the first letter of {n}, what is left?",
          "When you spell {n}, with which letter do you begin?",
          "When I write {n}, what is the first letter?", "Take the word {n}. What is the initial?",
          "Say the letter that starts the word {n}.", "Name the letter {n} starts with.",
          "Explain which letter {n} starts with.", "Can you name the first letter of {n}?",
          "pls tell me what letter {n} starts with", "mommy, what letter does {n} start with?",
          "In my crossword the answer is {n}. Which letter goes in the first box?",
          "My son is learning to write {n}. What is the first letter?",
          "I want to know the first letter of {n}.", "I wonder what letter {n} begins with.",
          "The word {n} begins with the letter ...?",
          "I sort words by the alphabet. Under which letter does {n} go?"),
         ("At the start of {n}, which letter is it?",
          "My sister wants to know the first letter of the word {n}.",
          "Would you tell me what the first letter in {n} is?",
          "How do you begin to write {n}? With which letter?",
          "Which letter of {n} is the first one?", "What letter does one write first in {n}?",
          "I can't remember what letter {n} begins with.", "Let us write {n}. What comes first?",
          "The word {n} starts with what letter?",
          "I need to look up {n} in the dictionary, under which letter is it?",
          "We're making word cards at school, so which letter does {n} go under?",
          "Which letter is at the front of the word {n}?",
          "Name the letter at the beginning of {n}.", "say only the letter that {n} starts with",
          "Do you know what letter begins the word {n}?",
          "Take the word {n}. What's its opening letter?",
          "Look at the word {n} and say its first letter.",
          "My son is learning the alphabet. Which letter comes first in {n}?",
          "What is the very first letter when you write {n}?",
          "i write {n} and the first letter is", "how does {n} start, just the letter",
          "Spelling game! What's the first letter in the word {n}?",
          "Could you please tell me the letter that the word {n} starts with?"),
         _first_letter_items, ALL_STYLES, 1.3, right=_right_letter),
)
