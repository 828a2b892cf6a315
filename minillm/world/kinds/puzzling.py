"""Requests to solve a puzzle: the puzzles of the documents, asked as people ask them.

A puzzle has two to four people in order, two or three rules, or two or three invented kinds. Its
facts are drawn afresh, from a fixed generator: 1,800 puzzles for each world.
"""

import numpy as np

from minillm.world.documents.desk import Desk
from minillm.world.documents.puzzles import KIND_LAWS, ORDERS, RULES
from minillm.world.documents.puzzles import KINDS as COLOURS
from minillm.world.facts import HELD_OUT_SHARE, capitalized, joined, plural
from minillm.world.kinds.kind import SENTENCE, WORD, Item, Kind, others
from minillm.world.kinds.telling import tells
from minillm.world.reserved import is_reserved

PUZZLES = 1800  # how many a world has
LESS = {"taller": "shorter", "older": "younger"}


def _puzzle_items(world):
    desk = Desk(world, np.random.default_rng(world.seed))
    items = [desk.deal((_pair, _order, _order, _rule, _kind))(desk) for _ in range(PUZZLES)]
    return [item._replace(held_out=number < HELD_OUT_SHARE * PUZZLES)
            for number, item in enumerate(items)]


def _item(facts, told, question, what, answer, wrong, forms):
    """The item of a puzzle; {a} in the forms, which are sentences, is an answer.

    Args:    facts, sentences without the full stop; told, the same in one sentence; question;
             what, the question as a part of a sentence.
    """
    slots = {"facts": " ".join(f"{capitalized(fact)}." for fact in facts), "question": question,
             "asked": question[0].lower() + question[1:-1], "what": what, "told": told,
             "Told": capitalized(told)}
    return Item(slots, answer, forms[0].format(a=answer), wrong,
                tuple(forms[0].format(a=w) for w in wrong), read=(slots["facts"],),
                also=tuple(form.format(a=answer) for form in forms[1:]))


def _pair(desk):
    """A is taller than B. Who is taller, or who is shorter?"""
    more = desk.pick(ORDERS)[0]
    names = _different(desk, _people(desk), 2)
    asked = desk.pick((more, LESS[more]))
    first, second = names if asked == more else names[::-1]
    fact = f"{names[0]} is {more} than {names[1]}"
    item = _item([fact], fact, f"Who is {asked}?", f"who is {asked}", first, (second,),
                 (f"{{a}} is {asked}.", f"The {asked} one is {{a}}."))
    return item._replace(also=(*item.also, f"{fact}.", f"{first} is {asked} than {second}."))


def _order(desk):
    """A is taller than B, B is taller than C: who is the tallest, or who is the shortest?"""
    more, most, least = desk.pick(ORDERS)
    names = _different(desk, _people(desk), desk.pick((3, 3, 4)))
    facts = [f"{a} is {more} than {b}" for a, b in zip(names, names[1:])]
    ends = {most: names[0], f"second {most}": names[1], least: names[-1]}
    end = desk.pick((most, least, most, least, f"second {most}"))
    question = desk.pick(("Who is", "Who's", "Which of them is")) + f" the {end}?"
    return _item(facts, joined(facts), question, f"who is the {end}", ends[end],
                 others(names, ends[end]),
                 (f"The {end} is {{a}}.", f"{{a}} is the {end}.", f"The {end} of them is {{a}}."))


def _rule(desk):
    """When it rains, A reads; when it snows, A paints. Today it snows: what does A do?"""
    name = desk.pick(_people(desk))
    rules = _different(desk, tuple(RULES), desk.pick((2, 3)), name)
    today = desk.pick(rules)
    facts = [f"when {rule}, {name} {RULES[rule]}" for rule in rules] + [f"today {today}"]
    told = joined(f"{name} {RULES[rule]} when {rule}" for rule in rules) + f", and today {today}"
    return _item(facts, told, f"What does {name} do?", f"what {name} does", RULES[today],
                 tuple(RULES[rule] for rule in rules if rule != today),
                 (f"{name} {{a}}.", f"Today {name} {{a}}."))


def _kind(desk):
    """Every wug is red, every dax is blue. Rusty is a dax: what colour is Rusty?"""
    kinds = _different(desk, tuple(COLOURS), desk.pick((2, 3)))
    name, kind = desk.pick([person.pet_name for person in desk.world.people]), desk.pick(kinds)
    law = desk.pick(KIND_LAWS)
    laws = [law.format(kind=other, kinds=plural(other), Kinds=plural(other), colour=COLOURS[other])
            for other in kinds]
    facts = [law[0].lower() + law[1:].removesuffix(".") for law in laws] + [f"{name} is a {kind}"]
    return _item(facts, joined(facts), f"What colour is {name}?", f"what colour {name} is",
                 COLOURS[kind], tuple(COLOURS[other] for other in kinds if other != kind),
                 (f"{name} is {{a}}.", "It is {a}."))


def _people(desk):
    return [person.name for person in desk.world.people]


def _different(desk, options, count, *before):
    """Different options, not a pair of words that is reserved for the probes (reserved.py)."""
    while True:
        chosen = desk.some(options, count)
        if not is_reserved(*(*before, *chosen)[:2]):
            return chosen


def _right_solution(request, response):
    """The text names the solution, and other names only in right sentences."""
    return tells(request, response, (request.answer,))


KINDS = (
    Kind("puzzle",
         ("{facts} {question}", "{question} {facts}", "Here is a puzzle. {facts} {question}",
          "Here is a puzzle for you: {facts} {question}",
          "I have a puzzle for you. {facts} {question}", "Puzzle: {facts} {question}",
          "A small puzzle: {facts} {question}", "Quick puzzle: {facts} {question}",
          "Try this puzzle. {facts} {question}", "Can you solve this? {facts} {question}",
          "Can you solve this puzzle? {facts} {question}",
          "Help me with this puzzle. {facts} {question}",
          "My teacher asks this. {facts} {question}",
          "Help me with my homework. {facts} {question}", "Think first. {facts} {question}",
          "Listen. {facts} {question}", "Read this: {facts} {question}",
          "Let me test you. {facts} {question}", "Are you good at puzzles? {facts} {question}",
          "Suppose that this is true. {facts} {question}", "Question: {facts} {question}",
          "{facts} Now tell me: {asked}?", "{facts} So {asked}?",
          "{facts} What do you think, {asked}?", "{facts} Then {asked}?",
          "{facts} Tell me {what}.", "{facts} Now say {what}.", "{facts} Can you tell me {what}?",
          "{facts} Do you know {what}?", "{facts} I want to know {what}.",
          "Tell me {what}. {facts}", "If {told}, {asked}?", "If {told}, then {asked}?",
          "{Told}. {question}", "{Told}, so {asked}?", "I know that {told}. {question}",
          "Suppose {told}. {question}", "Riddle: {facts} {question}",
          "Here is a riddle. {facts} {question}", "Can you solve my riddle? {facts} {question}",
          "Figure this out: {facts} {question}", "Can you figure it out? {facts} {question}",
          "Use logic. {facts} {question}", "Brain teaser: {facts} {question}",
          "Quiz time! {facts} {question}", "Here is a task. {facts} {question}",
          "Here are the facts. {facts} {question}", "Question: {question} Facts: {facts}",
          "This is what I know. {facts} {question}", "I read this in a book. {facts} {question}",
          "From my homework: {facts} {question}", "I can't solve this. {facts} {question}",
          "please solve: {facts} {question}", "Pay attention. {facts} {question}",
          "Listen carefully: {facts} {question}", "Read carefully. {facts} {question}",
          "Show me how well you think. {facts} {question}",
          "Let us say this is so: {facts} {question}", "{question} Here is what you need: {facts}",
          "{facts} Can you guess, {asked}?", "{facts} Quick, {asked}?", "{facts} Work out {what}.",
          "{facts} Guess {what}.", "{facts} I wonder {what}.", "{facts} I need to know {what}.",
          "{facts} You should know {what}.", "{facts} From this, say {what}.",
          "I want to know {what}. {facts}", "Can you tell me {what}? {facts}",
          "Tell me {what} if {told}.", "If it is true that {told}, {asked}?",
          "If I tell you that {told}, {asked}?", "Imagine that {told}. {question}",
          "Given that {told}, {asked}?", "We know that {told}. So {asked}?", "{Told}. Now {asked}?",
          "{Told}, right? {question}",
          "My little brother gave me this riddle: {facts} {question}",
          "I found this one in my daughter's math book. {facts} {question}",
          "{facts} Now tell me please: {question}",
          "{facts} My teacher wants to know this: {question} Can you help me?",
          "{facts} i dont get it, {asked}?",
          "We're stuck on this at the kitchen table: {facts} {question}",
          "{question} You only have this to go on: {facts}",
          "{facts} {question} My grandpa says it's easy but I can't see it.",
          "I'm on the bus with a puzzle magazine. {facts} {question}",
          "{facts} {question} I need it for my quiz tonight.",
          "ok brain teaser time: {facts} {question}",
          "{question} I'll give you the hints now. {facts}",
          "Please read this slowly and then answer. {facts} {question}",
          "{facts} And my question is: {question}",
          "homework, number four: {facts} {question} what do i write?",
          "{facts} {question} no guessing",
          "A friend bet me I couldn't solve this: {facts} {question}",
          "{question} That's what the kids are asking me. What we know: {facts}",
          "Suppose the following is true. {facts} {question}",
          "Would you be so kind and solve this for me? {facts} {question}",
          "{facts} That's everything I was told. {question}",
          "My son has a test tomorrow and this came up: {facts} {question}",
          "{facts} {question} can u figure that out",
          "Our coach asks us one of these every morning. {facts} {question}",
          "{question} (Clues: {facts})",
          "{facts} {question} My sister and I got two different answers.",
          "I read this on the back of a cereal box: {facts} {question}",
          "Knowing only this, what would you say? {facts} {question}"),
         ("One more puzzle. {facts} {question}", "{facts} Now find out {what}.",
          "Here is all that I know. {facts} {question}", "We know this. {facts} {question}",
          "Can you find out {what}? {facts}", "Solve this for me. {facts} {question}",
          "{Told}. Can you say {what}?", "My sister asks: if {told}, {asked}?",
          "{facts} My question is {what}.", "{question} You only need these facts. {facts}",
          "Can you work this out? {facts} {question}",
          "My son brought this home from school. {facts} {question}",
          "a puzzle for you: {facts} {question}",
          "Answer this using the clues. {question} {facts}",
          "We got this in a quiz last night. {facts} {question}",
          "I'm stuck on this one. {facts} {question}",
          "{facts} From that, can you say {what}?",
          "Would you please help me with a logic question? {facts} {question}",
          "Here's a little riddle. {facts} {question}",
          "{question} Here is what we know: {facts}",
          "Let's see how clever you are. {facts} {question}",
          "{facts} {question} Just give me the answer, thanks.",
          "Given this: {facts} My question is: {question}",
          "{question} This is all they told me. {facts}", "{facts} Knowing all that, {asked}?"),
         _puzzle_items, (WORD, SENTENCE), 2.8, right=_right_solution, casual=False),
)
