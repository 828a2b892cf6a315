"""Riddles: the assistant tells one, says the answer to it, and guesses those of the user."""

from minillm.world.facts import capitalized
from minillm.world.kinds.kind import PERSONA, SENTENCE, Item, Kind
from minillm.world.kinds.telling import tells
from minillm.world.likeness import likeness, sentences
from minillm.world.manners import ADDITIONS

CLOSE = 0.8  # likeness, from 0 to 1, of what is told to a known riddle
ADDED = frozenset(s for text in ADDITIONS for s in sentences(text.lower()))
# what there is and what is missing, of it and of "me"; the answer
RIDDLES = (
    ("has hands but cannot clap", "have hands but I cannot clap", "a clock"),
    ("has teeth but cannot bite", "have teeth but I cannot bite", "a comb"),
    ("gets wet while it dries you", "get wet while I dry you", "a towel"),
    ("has legs but cannot walk", "have legs but I cannot walk", "a table"),
    ("has one eye but cannot see", "have one eye but I cannot see", "a needle"),
    ("has a neck but no head", "have a neck but no head", "a bottle"),
    ("has a bed but never sleeps", "have a bed but I never sleep", "a river"),
    ("has leaves but is not a tree", "have leaves but I am not a tree", "a book"),
    ("has wings but is not a bird", "have wings but I am not a bird", "a plane"),
    ("gets shorter the longer it burns", "get shorter the longer I burn", "a candle"),
)
WANTED = (
    ("Ask me a riddle.", "tell me a riddle please", "a riddle pls", "Do you know a riddle?",
     "Got a riddle?", "give me a riddle", "Can you tell me a riddle?", "I want to hear a riddle.",
     "riddle time!", "another riddle", "One more riddle, please.", "Let me guess a riddle.",
     "My son likes riddles. Do you have one?", "a riddle for my daughter, please",
     "Can you give me a brain teaser?", "I like riddles. Tell me one.", "test me with a riddle",
     "Have you got a riddle for us?", "now a riddle", "riddle", "tell us a riddle",
     "do you know a riddle we could try", "Entertain me with a riddle.", "can u ask me a riddle",
     "Are there riddles that you know?", "Tell me a good riddle!", "riddle please",
     "have you got any riddles", "I am in the mood for a riddle.", "Any riddles for me today?",
     "ok tell me a riddle"),
    ("do you know any good riddles", "Could I have a riddle to solve, please?",
     "i feel like guessing, give me a riddle", "Let's play, ask me a riddle!",
     "got a riddle for me"),
)
GIVEN_UP = (
    ("I give up.", "i give up, whats the answer", "What is the answer?", "I don't know. Tell me!",
     "hmm no idea, what is it", "and the answer?", "Tell me the answer, please.", "no clue",
     "I have no idea. What is it?", "what is it then", "Just tell me what it is.", "the answer pls",
     "I can't guess it.", "ok I give up", "That is hard. What's the answer?", "so what is it",
     "We give up.", "I don't get it. What is the solution?", "whats the solution",
     "my daughter gives up, tell her", "hm, I am not good at this, what is it", "dunno, tell me"),
    ("I give up, what is the answer?", "no idea, just tell me", "You win. What was it?",
     "i can't work it out so please say the solution", "That one is too hard for me, reveal it.",
     "ok stuck here, time to spill the answer"),
)
ANOTHER_RIDDLE = (
    ("another one", "haha, another one", "ok another one please", "Give me another one.",
     "one more", "One more, please!", "Do you know one more?", "next one", "Nice one. And another?",
     "ha, that was good, have you got more", "more please", "Another, please.",
     "ok, next", "we want one more",
     "Good one! Tell me another.", "lol ok give me one more", "Have you got another one?",
     "do another", "And one more for my sister.", "can we do another one", "I liked that. More!",
     "Let me try another one.", "try me with another", "more of those"),
    ("Could you ask me another one?", "haha nice, got any more", "I want another one!",
     "ok one more then", "Very good. Do you have another for us?", "and the next one"),
)
ASKED = (
    ("My turn! {q}", "Do you know this one? {q}", "Riddle: {q}", "{me}", "Guess: {me}",
     "Now I ask you. {q}", "What am I? {me}", "a riddle for you, {q}", "So, {q}",
     "here comes a riddle: {me}", "Let me test you: {q}", "Now you guess. {me}",
     "Quick riddle: {q}", "My teacher asked us: {q}", "can you guess it? {q}", "answer this: {q}",
     "Can you tell me what I am? {me}", "I bet you don't know this. {q}", "Riddle me this: {q}",
     "I have one for you. {me}", "Think hard. {q}", "Do you know, {q}", "guess what I am: {me}"),
    ("Here is a riddle for you: {q}", "can you solve this one? {me}",
     "Try to guess what I am. {me}", "my son asked me this riddle today, {q}",
     "Okay, now it's my turn. {me}"),
)


def _riddle_items(world):
    """Items that want a riddle, or another one, give up on one, and pose one."""
    told = [f"What {it}?" for it, *_ in RIDDLES]
    items = []
    for i, (it, me, answer) in enumerate(RIDDLES):
        wrong = tuple(other for *_, other in RIDDLES if other != answer)
        false = tuple(f"It is {other}." for other in wrong)
        slots = {"q": told[i], "me": f"I {me}. What am I?"}
        solved = Item(slots, answer, f"It is {answer}.", wrong, false,
                      also=(f"The answer is {answer}.", f"{capitalized(answer)} {it}."))
        turn = (WANTED[0][5 * i % len(WANTED[0])], told[i])
        wanted = Item({}, f"what {it}", told[i], (answer, *wrong), (f"It is {answer}.", *false),
                      also=tuple(told[:i] + told[i + 1:]), phrasings=WANTED[0],
                      paraphrases=WANTED[1])
        items += [
            wanted,
            solved._replace(phrasings=ASKED[0], paraphrases=ASKED[1]),
            solved._replace(phrasings=GIVEN_UP[0], paraphrases=GIVEN_UP[1], earlier=(turn,)),
            _another(i, wanted, i - 1), _another(i, wanted, i - 4)]
    return items


def _another(number, wanted, last):
    """The item that wants another riddle after one, `last`, was told and solved: any but that."""
    it, _, answer = RIDDLES[last]
    earlier = ((WANTED[0][(7 * number + last) % len(WANTED[0])], f"What {it}?"),
               (GIVEN_UP[0][(5 * number + last) % len(GIVEN_UP[0])], f"It is {answer}."))
    others = tuple(text for text in wanted.also if text != f"What {it}?")
    return wanted._replace(also=others, earlier=earlier, phrasings=ANOTHER_RIDDLE[0],
                           paraphrases=ANOTHER_RIDDLE[1],
                           wrong_sentences=(f"What {it}?", *wanted.wrong_sentences))


def _right(request, response):
    """The text tells a riddle and no answer where one was wanted; else it names the answer."""
    if not request.sentence.endswith("?"):
        return tells(request, response, (request.answer,))
    known = frozenset(sentences(text.lower())[0] for text in (request.sentence, *request.also))
    first, *rest = sentences(response.lower()) or [()]
    return likeness(first, known) > CLOSE and all(likeness(s, ADDED) > CLOSE for s in rest)


KINDS = (
    Kind("riddle", (), (), _riddle_items, (SENTENCE, PERSONA), 3.0, right=_right, casual=False),
)
