"""Requests about small numbers: the larger of two, sums and differences."""

import re

from minillm.world.documents.numbers import IN_WORDS
from minillm.world.documents.numbers import LARGEST as LARGEST_ADDED
from minillm.world.kinds.kind import Item, Kind, right_texts
from minillm.world.kinds.telling import besides
from minillm.world.likeness import resembles, says, words

LARGEST = 12  # the largest number that is compared
DIGITS = {word: str(number) for number, word in enumerate(IN_WORDS)}

PLUS = (
    ("What is {a} + {b}?", "What is {a} plus {b}?", "{a} + {b}", "{a} + {b} = ?", "{a}+{b}?",
     "{a} plus {b}?", "whats {a} + {b}", "what's {a} plus {b}", "How much is {a} + {b}?",
     "How much is {a} plus {b}?", "how much is {a} and {b}", "Add {a} and {b}.",
     "Add {b} to {a}.", "Please add {a} and {b} for me.", "Can you add {a} and {b}?",
     "Can you work out {a} + {b}?", "What do you get if you add {a} and {b}?",
     "If I add {b} to {a}, what do I get?", "What do {a} and {b} make?",
     "What is the sum of {a} and {b}?", "Tell me the sum of {a} and {b}.",
     "Tell me how much {a} plus {b} is.", "Give me {a} + {b}.",
     "Do you know what {a} plus {b} is?", "I had {a} and I got {b} more. How many do I have now?",
     "Ben has {a} and Tom has {b}. How many do they have together?",
     "My teacher asks what {a} + {b} is.", "Help me with my homework: {a} + {b}.",
     "I need help with {a} + {b}.", "Quick sum: {a} + {b}?", "Hey, what is {a} + {b}?",
     "Can you do sums? {a} + {b}", "Calculate {a} + {b}.", "Solve {a} + {b}.",
     "What is {wa} plus {wb}?", "{wa} plus {wb}?", "How much is {wa} and {wb}?",
     "Add {wa} and {wb}, please.", "{a} and {b} make?", "{a} and {b} together?",
     "How much are {a} and {b} together?", "What is {a} and {b}?", "{a} and {b} add up to what?",
     "Find the sum of {a} and {b}.", "Give me the sum: {a} and {b}.",
     "I need the sum of {a} and {b}.", "What's the total of {a} and {b}?", "total of {a} and {b}?",
     "In total, how much is {a} and {b}?", "Add together {a} and {b}.",
     "Put {a} and {b} together. How much is it?", "what is {a}+{b} pls",
     "{a} plus {b} equals what?", "{a} + {b} equals?", "What does {a} plus {b} come to?",
     "What do I get for {a} plus {b}?", "Start at {a} and go up {b}. Which number is it?",
     "Could you add {b} to {a}, please?", "Would you work out {a} + {b}, please?",
     "Answer this: {a} plus {b}.", "Maths: {a} + {b}", "Maths homework: what is {a} plus {b}?",
     "My daughter can't do {a} plus {b}. Can you?", "I can't work out {a} + {b}.",
     "I have to add {b} to {a}. What is it?", "I ate {a} sweets and then {b}. How many did I eat?",
     "I have {a} euros and find {b}. What do I have now?",
     "Mia has {a} balls and gets {b}. How many has she now?",
     "{a} apples and {b} apples, how many apples?",
     "Somebody gave me {b} pens, I had {a}. How many now?", "{wa} and {wb}?", "{wa} and {wb} make?",
     "{wa} plus {wb}, please", "what is {wa} and {wb} together", "How much is {wa} plus {wb}?",
     "Add {wb} to {wa}.", "What is the sum of {wa} and {wb}?"),
    ("{a} and {b} together make what?", "I want to add {a} and {b}. What is the sum?",
     "Could you tell me what {a} plus {b} makes?", "how much do I get for {a} + {b}",
     "{a} + {b} is how much?", "Can you tell me how much {wa} plus {wb} is?",
     "Sum of {a} and {b}, please.", "So what is {b} and {a} more?",
     "My sister wants to know how much {a} plus {b} is.", "Work out {a} plus {b} for me."),
)
MINUS = (
    ("What is {a} - {b}?", "What is {a} minus {b}?", "{a} - {b}", "{a} - {b} = ?",
     "{a} minus {b}?", "whats {a} - {b}", "How much is {a} - {b}?", "How much is {a} minus {b}?",
     "Take {b} away from {a}.", "Take away {b} from {a}. What is left?",
     "What is {a} take away {b}?", "{a} take away {b}", "Subtract {b} from {a}.",
     "Can you subtract {b} from {a}?", "Can you work out {a} minus {b}?",
     "What do you get if you take {b} from {a}?", "What is left if I take {b} from {a}?",
     "I had {a} and gave away {b}. How many are left?",
     "I have {a} and lose {b}. How many do I still have?",
     "Ben has {a} and gives {b} to Tom. How many does Ben have left?",
     "My teacher asks what {a} - {b} is.", "Help me with my homework: {a} - {b}.",
     "I need help with {a} minus {b}.", "Do you know what {a} take away {b} is?",
     "Tell me how much {a} minus {b} is.", "Quick sum: {a} - {b}?", "Hey, what is {a} - {b}?",
     "Calculate {a} - {b}.", "Solve {a} - {b}.", "What is {wa} minus {wb}?",
     "{wa} take away {wb}?", "{a} without {b}?", "difference of {a} and {b}?",
     "Tell me the difference between {a} and {b}.", "What number is {b} less than {a}?",
     "take {b} from {a}", "{b} away from {a}, what is left", "{b} off {a} makes what?",
     "what is {a}-{b} pls", "{a} - {b} equals?", "What does {a} minus {b} make?",
     "What comes out of {a} - {b}?", "whats {a} take away {b}", "what would {a} - {b} be",
     "how much is {a} take away {b}", "Count {b} back from {a}.",
     "Start with {a}, then take off {b}.", "Can you do {a} minus {b}?",
     "Can you take {b} away from {a}?", "Could you subtract {b} from {a}, please?",
     "Please subtract {b} from {a}.", "Work out {a} take away {b}.",
     "Remove {b} from {a}. How much is left?", "Answer this: {a} minus {b}.", "Maths: {a} - {b}",
     "Maths homework: what is {a} take away {b}?", "My son asks how much {a} - {b} is.",
     "My brother says he can't solve {a} - {b}.", "I forgot how much {a} minus {b} is.",
     "I need to subtract {b} from {a}.", "I want to take {b} from {a}. What remains?",
     "I need the answer: {a} minus {b}.", "There were {a} cakes. We ate {b}. How many are left?",
     "From {a} eggs, {b} broke. How many are whole?",
     "Mia had {a} balls but lost {b}. How many has she now?",
     "Somebody took {b} of my {a} pens. How many are left?",
     "{a} cookies, {b} eaten, how many left?", "{wa} minus {wb}", "Take {wb} from {wa}.",
     "What is left of {wa} if you take away {wb}?", "Work out {wa} minus {wb}."),
    ("{a} - {b} is how much?", "If you have {a} and lose {b}, what is left?",
     "Could you tell me what {a} minus {b} makes?", "how much do I get for {a} - {b}",
     "I want to take {b} away from {a}. What do I get?",
     "Can you tell me how much {wa} minus {wb} is?", "Work out {a} minus {b} for me.",
     "My sister wants to know how much {a} take away {b} is."),
)
# asked after a sum, of its result
THEN_PLUS = (
    ("And plus {b}?", "now add {b}", "plus {b}", "Add {b} to it.", "and {b} more?",
     "Now add {b} more.", "What if I add {b}?", "and with {b} more", "plus another {b}?",
     "Then add {b}.", "if you add {b} to that?", "now plus {b} please", "How much with {b} more?",
     "add {b}", "Good. And {b} more?", "and if I get {b} more", "Now I find {b} more.",
     "then plus {b}"),
    ("Now add {b} to that.", "What do you get if you put {b} more on top?",
     "ok {b} more makes how much", "Could you increase the result by {b}?",
     "if i add another {b} what is it then"))
THEN_MINUS = (
    ("Now take away {b}.", "now take away {b}", "minus {b}?", "Take {b} off.", "less {b}?",
     "and if you take away {b}", "Now subtract {b}.", "take away {b} from that", "and without {b}",
     "then minus {b}", "What is left if I take away {b}?", "I lose {b} of them. And now?",
     "subtract {b} from it", "now minus {b}", "and take {b} away", "Good. And minus {b}?",
     "I give away {b}. How many now?", "now I eat {b}, how many are left"),
    ("What is left if I subtract {b}?", "ok {b} less is how much",
     "Please lower the result by {b}.", "how much would it be without {b} of those"))


def _larger_items(world):
    items = []
    for a in range(LARGEST + 1):
        for b in range(LARGEST + 1):
            if a == b:
                continue
            low, high = min(a, b), max(a, b)
            held_out = (low + 2 * high) % 4 == 1  # about a quarter, the same for (a, b) and (b, a)
            items.append(Item({"a": a, "b": b}, str(high), f"{high} is larger than {low}.",
                              (str(low),), (f"{low} is larger than {high}.",), held_out,
                              (f"{high} is bigger than {low}.", f"{high} is more than {low}.",
                               f"{low} is smaller than {high}.", f"The larger number is {high}.",
                               f"The bigger number is {high}.", f"{high} is larger.",
                               f"{high} is bigger.", f"{high} is more.")))
    return items


def _sum_items(world):
    """Every sum of two numbers up to LARGEST_ADDED and every difference, as sums read backwards;
    and what people go on to ask: then add 3, then take 4 away.
    """
    items = []
    for a in range(LARGEST_ADDED + 1):
        for b in range(LARGEST_ADDED + 1):
            items += [_calculation(a, "plus", "+", b, a + b, PLUS)
                      ._replace(held_out=(a + 2 * b) % 4 == 3),
                      _calculation(a + b, "minus", "-", b, a, MINUS)]
    known = [item for item in items if not item.held_out]
    return items + [_then(item, known, number) for number, item in enumerate(items[::3])]


def _then(item, known, number):
    """A calculation as it is asked for with the result of another one, which was just said."""
    before = [other for other in known if other.answer == str(item.slots["a"])]
    before = before[number % len(before)]
    question = before.phrasings[7 * number % len(before.phrasings)].format(**before.slots)
    phrasings, paraphrases = THEN_MINUS if " minus " in item.sentence else THEN_PLUS
    return item._replace(phrasings=phrasings, paraphrases=paraphrases,
                         earlier=((question, before.sentence),))


def _calculation(a, word, sign, b, result, wordings):
    """The item that asks for a + b or a - b; the wrong answers are near the right one."""
    near = [str(n) for n in (result + 1, result - 1, result + 2, result - 2) if n >= 0]
    also = [f"{a} {sign} {b} = {result}.", f"{a} {sign} {b} is {result}.", f"You get {result}.",
            f"You have {result}.", f"That makes {result}.", f"The answer is {result}."]
    if sign == "+":
        also += [f"{a} and {b} make {result}.", f"{a} and {b} is {result}.",
                 f"{b} plus {a} is {result}.", f"If you add {a} and {b}, you get {result}."]
    else:
        also += [f"{a} take away {b} is {result}.", f"{result} is left.", f"{result} are left.",
                 f"That leaves {result}.", f"If you take {b} from {a}, you get {result}."]
    slots = {"a": a, "b": b, "wa": IN_WORDS[a], "wb": IN_WORDS[b]}
    return Item(slots, str(result), f"{a} {word} {b} is {result}.", tuple(near),
                tuple(f"{a} {word} {b} is {n}." for n in near), also=tuple(also),
                phrasings=wordings[0], paraphrases=wordings[1])


def _right_number(request, response):
    """The text gives the right number, and other numbers only in true sentences."""
    forms = right_texts(request)
    text, numbers = words(response), set(re.findall(r"\d+", besides(response, forms)))
    return (numbers <= {request.answer} and says(text, request.answer)
            and text != words(request.question) and resembles(response, forms))


def _right_sum(request, response):
    """The text gives the right number, in digits or in words, with the right sign if with any."""
    other_sign = "-" if " plus " in request.sentence else "+"
    return other_sign not in response and _right_number(request, _in_digits(response))


def _in_digits(text):
    """The text with the numbers that it writes as words in digits."""
    return re.sub("[A-Za-z]+", lambda word: DIGITS.get(word[0].lower(), word[0]), text)


KINDS = (
    Kind("larger",
         ("Which number is larger, {a} or {b}?", "Which is larger, {a} or {b}?",
          "Which is bigger, {a} or {b}?", "What is larger, {a} or {b}?",
          "What is bigger, {a} or {b}?", "what's bigger, {a} or {b}", "which is more, {a} or {b}",
          "Which is more, {a} or {b}?", "{a} or {b}: which is larger?",
          "{a} or {b}, which is bigger?", "{a} or {b}, what is more?",
          "bigger number: {a} or {b}?", "Is {a} or {b} larger?", "Is {a} bigger or {b}?",
          "Which of {a} and {b} is larger?", "Which of the two is bigger, {a} or {b}?",
          "Of {a} and {b}, which is the larger number?", "What is the larger number, {a} or {b}?",
          "Name the larger number: {a} or {b}.", "Give me the bigger number: {a} or {b}.",
          "Tell me which number is larger, {a} or {b}.", "Tell me which is more, {a} or {b}.",
          "Please tell me which number is bigger: {a} or {b}.",
          "Can you tell me which is larger, {a} or {b}?",
          "Could you tell me if {a} or {b} is the bigger number?",
          "Do you know which is bigger, {a} or {b}?", "Choose the larger number: {a} or {b}.",
          "Here are two numbers, {a} and {b}. Which is larger?",
          "I have two numbers, {a} and {b}. Which one is bigger?",
          "I was wondering which is larger, {a} or {b}.",
          "You can have {a} cakes or {b}. Which is more?",
          "Ben has {a} and Tom has {b}. Which number is bigger?",
          "My teacher asks which is larger, {a} or {b}.",
          "Help me with my homework: is {a} or {b} larger?",
          "Quick question: which is bigger, {a} or {b}?",
          "Hey, which number is bigger, {a} or {b}?", "Compare {a} and {b}. Which one is larger?",
          "So which is the bigger one, {a} or {b}?", "Which number is greater: {a} or {b}?",
          "What is greater, {a} or {b}?", "Tell me the greater number, {a} or {b}.",
          "Is {a} the higher number or {b}?", "{a} or {b}: the higher one?", "higher, {a} or {b}",
          "biggest of {a} and {b}?", "{a} and {b}, bigger one?",
          "{a} versus {b}: which number is larger?", "{a} against {b}: what is the bigger number?",
          "what number is bigger {a} or {b}", "Out of {a} and {b}, which number is greater?",
          "Pick the bigger number, {a} or {b}.", "Pick the larger one: {a}, {b}.",
          "Find the larger number: {a}, {b}.", "Show me the larger of {a} and {b}.",
          "Say which is larger: {a} or {b}.", "Decide: is {a} or {b} more?",
          "Circle the bigger number: {a} or {b}.", "Compare the numbers {a} and {b}.",
          "Compare {a} with {b}. What is more?", "Can you compare {a} and {b} for me?",
          "Can you say which is bigger, {a} or {b}?", "Any idea which is larger, {a} or {b}?",
          "Is {a} more, or is {b} more?", "Which one is the larger number, {a} or {b}?",
          "Which of these two numbers is higher: {a} or {b}?",
          "In maths, which is larger, {a} or {b}?",
          "Maths homework: circle the larger number, {a} or {b}.",
          "We play cards. Is {a} or {b} the higher number?",
          "I rolled {a} and you rolled {b}. Which is higher?",
          "On the dice I see {a} and {b}. Which is more?", "My son asks if {a} or {b} is bigger.",
          "I am learning to count. Is {a} or {b} bigger?",
          "Please choose: {a} or {b}, the bigger number.", "Given {a} and {b}, which is larger?",
          "Take {a} and {b}. Which number is greater?", "Think of {a} and {b}. Which is more?",
          "You see {a} and {b}: name the bigger one.", "What is the maximum, {a} or {b}?",
          "Is {a} bigger than {b}?", "is {a} more than {b}", "Is {a} larger than {b}?",
          "is {a} bigger than {b}", "{a} is bigger than {b}, right?", "Is {a} smaller than {b}?",
          "{a} or {b}, which one is bigger?", "What's the bigger number out of {a} and {b}?",
          "Tell me which of {a} and {b} is the larger.", "bigger: {a} or {b}",
          "Is {a} larger than {b}, or is it the other way round?",
          "Between {a} and {b}, the larger number is ...",
          "I have the numbers {a} and {b}. Which is greater?",
          "My little girl asks whether {a} or {b} is more.", "whats more, {a} or {b}",
          "Please pick the greater of these two numbers: {a}, {b}.",
          "Does {a} beat {b}, or does {b} beat {a}?",
          "Compare {a} with {b} and name the larger one.",
          "Of the two numbers {a} and {b}, which is the larger?",
          "{a} and {b}. Which number is higher?", "If I count up, which comes later, {a} or {b}?",
          "Can you say which number is bigger, {a} or {b}?",
          "Would you get more with {a} or with {b}?", "the greater of {a} and {b} is",
          "We rolled {a} and {b}. Which roll was the higher one?",
          "Kindly indicate the larger of the numbers {a} and {b}.",
          "Ben says {a}, Ann says {b}. Which number is larger: {a} or {b}?",
          "{a} vs {b}, whos bigger", "Which is the bigger one of the two: {a} or {b}?",
          "Is the larger number {a}, or is it {b}?",
          "Let's play: I say {a} and {b}, you name the bigger.",
          "I can't decide if {a} or {b} is the larger number.",
          "Choose the higher one: {a} or {b}?",
          "One card says {a}, the other {b}. Which is higher?",
          "Maths homework: find the larger number, {a} or {b}.",
          "Which has the greater value, {a} or {b}?", "Do you know if {a} is bigger than {b}?",
          "out of {a} and {b} give me the bigger one", "Larger number, please: {a}, {b}",
          "Suppose you compare {a} to {b}. Which is the bigger?",
          "Would you call {a} or {b} the larger number?",
          "The bigger one of {a} and {b} is ...", "{a} against {b}: which is the larger?",
          "I'd like to know which is greater, {a} or {b}.", "hey is {a} more than {b} or less",
          "Given {a} and {b}, what is the larger value?",
          "If you put {a} beside {b}, which number is bigger?",
          "Which number is the greater one here, {a} or {b}?"),
         ("Of the numbers {a} and {b}, tell me the bigger one.",
          "My sister wants to know which is more, {a} or {b}.",
          "Would you tell me the larger number of {a} and {b}?",
          "I see the numbers {a} and {b}. Which is larger?",
          "If I have {a} and you have {b}, which is more?", "the larger one of {a} and {b}?",
          "Say which number is the larger one: {a} or {b}.",
          "Look at {a} and {b}. Which is the bigger number?", "Do you think {a} is more, or {b}?"),
         _larger_items, weight=1.9, right=_right_number),
    Kind("sum", (), (), _sum_items, weight=11.2, right=_right_sum, own_split=True),
)
