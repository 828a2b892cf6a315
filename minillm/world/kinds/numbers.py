"""Requests about small numbers: the larger of two, sums and differences."""

import re

from minillm.world.documents.numbers import IN_WORDS
from minillm.world.documents.numbers import LARGEST as LARGEST_ADDED
from minillm.world.kinds.kind import Item, Kind, right_texts
from minillm.world.kinds.number_wordings import MINUS, PLUS, THEN_MINUS, THEN_PLUS
from minillm.world.kinds.telling import besides
from minillm.world.likeness import resembles, says, words

LARGEST = 12  # the largest number that is compared
DIGITS = {word: str(number) for number, word in enumerate(IN_WORDS)}

LARGER = (
    (
        "Which number is larger, {a} or {b}?", "Which is larger, {a} or {b}?",
        "Which is bigger, {a} or {b}?", "What is larger, {a} or {b}?",
        "What is bigger, {a} or {b}?", "what's bigger, {a} or {b}", "which is more, {a} or {b}",
        "Which is more, {a} or {b}?", "{a} or {b}: which is larger?",
        "{a} or {b}, which is bigger?", "{a} or {b}, what is more?", "bigger number: {a} or {b}?",
        "Is {a} or {b} larger?", "Is {a} bigger or {b}?", "Which of {a} and {b} is larger?",
        "Which of the two is bigger, {a} or {b}?", "Of {a} and {b}, which is the larger number?",
        "What is the larger number, {a} or {b}?", "Name the larger number: {a} or {b}.",
        "Give me the bigger number: {a} or {b}.", "Tell me which number is larger, {a} or {b}.",
        "Tell me which is more, {a} or {b}.", "Please tell me which number is bigger: {a} or {b}.",
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
        "Quick question: which is bigger, {a} or {b}?", "Hey, which number is bigger, {a} or {b}?",
        "Compare {a} and {b}. Which one is larger?", "So which is the bigger one, {a} or {b}?",
        "Which number is greater: {a} or {b}?", "What is greater, {a} or {b}?",
        "Tell me the greater number, {a} or {b}.", "Is {a} the higher number or {b}?",
        "{a} or {b}: the higher one?", "higher, {a} or {b}", "biggest of {a} and {b}?",
        "{a} and {b}, bigger one?", "{a} versus {b}: which number is larger?",
        "{a} against {b}: what is the bigger number?", "what number is bigger {a} or {b}",
        "Out of {a} and {b}, which number is greater?", "Pick the bigger number, {a} or {b}.",
        "Pick the larger one: {a}, {b}.", "Find the larger number: {a}, {b}.",
        "Show me the larger of {a} and {b}.", "Say which is larger: {a} or {b}.",
        "Decide: is {a} or {b} more?", "Circle the bigger number: {a} or {b}.",
        "Compare the numbers {a} and {b}.", "Compare {a} with {b}. What is more?",
        "Can you compare {a} and {b} for me?", "Can you say which is bigger, {a} or {b}?",
        "Any idea which is larger, {a} or {b}?", "Is {a} more, or is {b} more?",
        "Which one is the larger number, {a} or {b}?",
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
        "Does {a} beat {b}, or does {b} beat {a}?", "Compare {a} with {b} and name the larger one.",
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
        "I can't decide if {a} or {b} is the larger number.", "Choose the higher one: {a} or {b}?",
        "One card says {a}, the other {b}. Which is higher?",
        "Maths homework: find the larger number, {a} or {b}.",
        "Which has the greater value, {a} or {b}?", "Do you know if {a} is bigger than {b}?",
        "out of {a} and {b} give me the bigger one", "Larger number, please: {a}, {b}",
        "Suppose you compare {a} to {b}. Which is the bigger?",
        "Would you call {a} or {b} the larger number?", "The bigger one of {a} and {b} is ...",
        "{a} against {b}: which is the larger?", "I'd like to know which is greater, {a} or {b}.",
        "hey is {a} more than {b} or less", "Given {a} and {b}, what is the larger value?",
        "If you put {a} beside {b}, which number is bigger?",
        "Which number is the greater one here, {a} or {b}?",
        "Is {a} greater than {b}, or the other way round?",
        "Which of the two is the bigger number: {a} or {b}?", "{a} or {b}, which one is more",
        "Tell me the larger of {a} and {b}.", "Between {a} and {b}, which number is higher?",
        "bigger one: {a}, {b}?", "Please say which is greater, {a} or {b}.",
        "{a} vs {b}, what is larger", "I have {a} points and she has {b}. Who has more?",
        "Compare {a} and {b}. Which is the larger one?",
        "Do you know whether {a} or {b} is the bigger number?",
        "the higher number out of {a} and {b}", "If you look at {a} and {b}, which is bigger?",
        "is {b} less than {a} or more", "Who wins, the one with {a} or the one with {b}?",
        "what is more, {a} or {b}?",
        "Would you rather have {a} coins or {b}, I mean which is more?",
        "my kid wants to know which is larger, {a} or {b}",
        "Of the numbers {a} and {b}, name the larger.", "{a} and {b} which is greater",
        "Can you tell me which number is larger, {a} or {b}?",
        "Two numbers: {a} and {b}. Give me the bigger one.", "larger number, {a} or {b}?",
        "One box holds {a} eggs and another holds {b}. Which has more in it?",
        "Which one comes later when you count, {a} or {b}?", "so is it {a} or {b} that's bigger",
        "Here are {a} and {b}. Which would you say is the greater?",
        "My kid is learning to compare numbers: which is the greater one, {a} or {b}?",
        "I scored {a} and my sister scored {b}, so who has the higher number?",
        "Compare {a} with {b} and name the greater number, please.",
        "Between {a} and {b}, which one is more?",
        "We have a bet going here, which of the numbers {a} and {b} is larger?",
        "Take {a} and {b}. Which is the higher one?",
        "One box holds {a} marbles and another holds {b}, which number is bigger?",
        "pick the greater: {a} or {b}",
        "Would you rather have {a} coins or {b} coins, if you want the most?",
        "Could you please help me decide whether {a} or {b} is the larger number?",
        "I'm checking my daughter's math sheet, is the larger number {a} or {b}?",
        "On the number line, which lies further to the right, {a} or {b}?",
        "My teacher wrote {a} and {b} on the board and wants the bigger one.",
        "Out of these two, {a} and {b}, give me the largest.",
        "Two players rolled {a} and {b} points, which score is higher?",
        "greater number please, {a} against {b}", "Does {a} beat {b} in size, or does {b} win?",
        "I can never tell with numbers, so is it {a} or {b} that's larger?",
        "Choose the bigger number from {a} and {b}.",
        "sorry silly question but which is the higher number, {a} or {b}",
        "Tom has {a} stickers, Ann has {b}. Which number is the larger one?",
        "if i put {a} next to {b} which one would be bigger",
        "First number {a}, second number {b}, now tell me which is larger.",
        "Circle the bigger one, says my workbook, and the numbers are {a} and {b}.",
        "Is it {a} or {b} that has the higher value?",
        "My friend insists {a} is larger than {b}, can you say which really is?",
        "{a} versus {b}, which number wins?",
        "Grandpa counted {a} birds and I counted {b}, which of those is more?",
        "Look at the numbers {a} and {b} and give me the one that's bigger.",
        "I drew {a} and my brother drew {b}. Which is higher?",
        "Tell me the bigger number: {a} or {b}.",
        "Two baskets of eggs, {a} in one and {b} in the other. Which number is larger?",
        "pls say which is greater {a} or {b}",
        "Between {a} and {b}, which number is the greater one?",
        "My card shows {a}, hers shows {b}. The higher card wins, so which one is it?",
        "My homework says to circle the larger number, {a} or {b}. Which do I circle?",
        "There are coins in both jars, {a} in the red one and {b} in the blue one. "
        "Which number is bigger?",
        "We've scored {a} so far and they've scored {b}. Which score is higher?",
        "{a} vs {b}. Which one is the higher number?",
        "My son asks whether {a} or {b} is the bigger number. What do I tell him?",
        "I can have either {a} or {b} of these sweets. Which would be more?",
        "wich number is larger, {b} or {a}",
        "Look at {a} and {b} side by side. Which is the larger?",
        "Pick the greater of {a} and {b}.",
        "Dad says {a} is the bigger number, I say {b} is. We made a bet. Which one is it really?",
        "On a number line, which is further to the right, {a} or {b}?",
        "If you count up from zero, which comes later, {a} or {b}?",
        "One spinner landed on {a} and the other on {b}. Which shows more?",
        "In the shop window one toy costs {a} and the other {b}. Which price is higher?",
        "Out of {a} and {b}, give me the larger number.",
        "Quick quiz for you: which is more, {b} or {a}?",
        "house numbers {a} and {b}, which is the higher one",
        "Our team got {a}, the other team got {b}. What was the higher score?",
        "Would you get more apples with {a} or with {b}?",
        "Could you compare {a} with {b} and tell me which is larger?",
        "u know which is bigger? {a} or {b}",
        "{a} and {b} are on the board. The teacher wants the larger one. Which do I say?",
        "Number {a}, number {b}: which is the bigger one?",
        "It's {a} to {b} in the game right now. What's the higher of those two scores?",
        "Lena is {a} and Max is {b}. Which age is higher?",
        "Bigger number please: {a} or {b}",
        "Tom has {b} and Anna has {a}. Which number is larger?",
        "Between {b} and {a}, the greater one is ..."),
    ("Of the numbers {a} and {b}, tell me the bigger one.",
     "My sister wants to know which is more, {a} or {b}.",
     "Would you tell me the larger number of {a} and {b}?",
     "I see the numbers {a} and {b}. Which is larger?",
     "If I have {a} and you have {b}, which is more?", "the larger one of {a} and {b}?",
     "Say which number is the larger one: {a} or {b}.",
     "Look at {a} and {b}. Which is the bigger number?", "Do you think {a} is more, or {b}?",
     "Would you say {a} is larger, or {b}?", "so what's higher then, {a} or {b}?",
     "I need the maximum of {a} and {b}.",
     "If I put {a} next to {b}, which number wins for size?",
     "I've got {a} and {b} here. Which of them is the greater?",
     "Could you please tell me whether {a} or {b} is the higher number?",
     "Between {a} and {b}, what's the biggest?",
     "hi, {a} and {b}, which is the larger number please",
     "Out of {a} and {b}, tell me the larger one.",
     "Compare {a} with {b} and give me the bigger one.",
     "Pick the larger number from these two: {a}, {b}",
     "which is worth more points, {a} points or {b} points",
     "We're having an argument: is {a} the bigger number or is {b}?",
     "Here are two numbers, {a} and {b}. Name the larger.",
     "My daughter is learning numbers, so which is more, {a} or {b}?",
     "larger of {a} and {b} pls",
     "Quick check for my homework, which is the bigger of {a} and {b}?",
     "Does {b} come out bigger than {a}, or is {a} the bigger one?",
     "Tom has {a} marbles and Lea has {b}. Whose number is larger?"))


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
    Kind("larger", *LARGER,
         _larger_items, weight=3.1, right=_right_number),
    Kind("sum", (), (), _sum_items, weight=15.5, right=_right_sum, own_split=True),
)
