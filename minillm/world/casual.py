"""Write a question as people type: with some words around it, no capitals, "pls", a typo."""

CASUAL_SHARE = 0.4  # of the questions
SMALL_SHARE = 0.5  # of the others that begin with a small letter: names have small letters, too
WRAPPED_SHARE = 0.3  # of the questions: with words in front or behind
IN_FRONT = (
    "So, ", "Ok, ", "Listen: ", "Just curious: ", "One more thing: ", "Excuse me. ", "Hello! ",
    "Hi there. ", "Good morning. ", "I have a question. ", "This is for school. ",
    "My teacher asked me this. ", "My sister wants to know: ", "My friend asked: ",
    "I always forget. ", "Sorry to ask. ", "Maybe you know this. ", "We had a bet. ",
    "I need to know this: ", "Help me out. ", "Now something else. ", "Another question. ",
    "You know a lot. ", "Let me see. ", "It is late, but tell me: ", "Random question: ",
    "For my homework: ", "I am writing a book. ", "I read something today. ", "Think well. ",
    "By the way, ", "Hm. ", "Right. ", "Well, ", "And now: ", "I could not find it. ",
    "Nobody here knows. ", "Say: ", "Dear friend, ", "I was at the market today. ",
    "Here is my question: ", "My grandmother asks: ", "My cousin will not stop asking: ",
    "We talked about this at lunch. ", "I hope you can help. ", "Oh, ", "Hey, ", "Good day! ",
    "I was thinking about something. ", "There is a thing I never learned. ",
    "It came up in class: ", "Quiz time! ", "This one is for you: ", "First of all, ",
    "Can I ask you something? ", "Do you have a minute? ", "All right, ", "Anyway, ",
    "I looked in three books. ", "My father and I do not agree. ", "You may laugh, but ",
    "A boy in my class said you can help. ", "Let me ask you this: ", "For a game we are playing: ",
    "While I wait for the bus: ", "If you have time: ",
    "Ok cool, ", "Cool. ", "Thanks! ", "Nice. ", "Alright. ", "Haha, ", "Great, thanks. ",
    "Fair enough. ", "ok and ", "Good. ", "Hmm ok, ", "Thank you! ", "Wow. ", "Quick test: ",
    "Fine. ", "Then tell me: ", "That was nice. ", "I see. ", "Ok one more: ", "Got it. ",
    "Thanks, that was good. ", "Perfect. ", "lol ok, ", "Then something easier: ")
BEHIND = (
    " Thanks.", " Thank you!", " I forgot.", " Do you know?", " Please tell me.",
    " I need it for school.", " I am curious.", " Just say it.", " Any idea?",
    " It is for a friend.", " Quick please.", " I would like to know.", " I wonder.", " Hurry!",
    " My bus leaves soon.", " We have a quiz tomorrow.", " My teacher wants to know.",
    " My grandmother asked me yesterday.", " Grandpa asks me this every time.",
    " I made a bet with my cousin.", " My uncle bet that you know.", " I want to be sure.",
    " I only wanted to check.", " Not even the librarian could tell me.",
    " My parents would not say.", " You always help me.", " You helped me a lot last time.",
    " Thanks for your help!", " Thank you so much, my friend.", " Sorry for asking again.",
    " Sorry, I know it is late.", " I hope I do not disturb you.", " Pardon me.",
    " Forgive my silly question.", " Bye!", " See you later.", " Good night then.",
    " Have a nice day!", " Until next time!", " Could you tell me that?", " Well?",
    " What would you say?", " You know it, right?", " Is that a hard one?", " Pretty please!",
    " Please, I have to know.", " It has been on my mind all day.", " It just came to me.",
    " That is all I wanted to ask.", " Nothing else for today.", " Now it is your turn.",
    " I am listening.", " I can wait.", " We are all waiting for your answer.",
    " Everybody in class wants the answer.", " My little sister keeps asking.",
    " It is part of my homework.", " The test is on Monday.", " We need it for a game at home.",
    " My book does not say.", " I looked everywhere.",
    " I asked my neighbour, but she did not know.", " They told me to ask you.",
    " Mum said you would know.", " It is raining here again.", " I am drinking my tea now.",
    " Nice to talk to you.", " You are really good at this.", " I count on you.",
    " I never remember such things.", " Honestly, no clue.", " It would help me a lot.", " Help!",
    " Come on, tell me!", " Is it ok to ask you?", " Just wondering.",
    " We could not agree at dinner.", " Otherwise I cannot sleep.")
# only for evaluation
HELD_IN_FRONT = (
    "My brother is asking: ", "Here is what I want to know. ", "Tell me something. ",
    "I have been thinking. ", "Before I go: ", "Hello again. ", "Small question: ",
    "Sorry that I write again. ", "Here's one for you: ", "I've been meaning to bring this up. ",
    "Right, next thing on my list: ", "Good evening! It's my turn now. ", "Umm, ",
    "My phone may go dead soon. ", "Not sure you can do this one, but anyway, ",
    "Let's try this: ", "Hello again my friend. ", "I just got home from work and sat down. ",
    "Oh, before I forget, ")
HELD_BEHIND = (
    " Can you say?", " Many thanks.", " I really want to know.", " My son asks.", " Cheers!",
    " That's all for today.", " That is very good of you.", " I hope you can read this.",
    " I cannot write very well.", " This has been on my mind all morning.", " You're the best!",
    " My sister told me to write this to you.", " There is time.", " lol.",
    " I'm writing from the bus, by the way.", " Okay, over to you.",
    " It's my first time using one of these things.", " Have a lovely weekend!")
TYPOS = {  # one is made in a question that has such a word; no name of an entity is among them
    "what": "waht", "which": "wich", "where": "wher", "does": "dose", "the": "teh",
    "people": "poeple", "tell": "tel", "know": "kno", "please": "plese", "about": "abuot",
    "with": "wiht", "because": "becuase", "called": "caled", "write": "wirte", "name": "nmae",
    "favourite": "favorite", "language": "langauge", "capital": "captial", "your": "yuor",
    "friend": "freind", "you": "yuo", "how": "hwo", "want": "wnat", "between": "betwen",
    "and": "adn", "opposite": "oposite", "larger": "lager", "number": "nubmer", "live": "liev",
    "animal": "anmial", "story": "stroy", "poem": "peom", "help": "hlep", "this": "tihs",
}


def casual(text, rng, held_out=False):
    """The question as it is; or with words around it, or carelessly written, or both.

    If it begins with a small letter, half of the time all of it is in small letters.
    held_out: whether the words around it are those that only evaluation uses.
    """
    small = text[0].islower() and rng.random() < SMALL_SHARE
    if rng.random() < WRAPPED_SHARE:
        text = _wrapped(text, rng, *((HELD_IN_FRONT, HELD_BEHIND) if held_out else
                                     (IN_FRONT, BEHIND)))
    if rng.random() >= CASUAL_SHARE:
        return _lower(text, rng) if small else text
    return WAYS[int(rng.integers(len(WAYS)))](text, rng)


def _wrapped(text, rng, in_front, behind):
    """The text with words in front, or, if it ends with a mark, behind."""
    number = int(rng.integers(len(in_front) + len(behind)))
    if number < len(in_front):
        return in_front[number] + text
    return text + behind[number - len(in_front)] if text[-1] in ".?!" else text


def _bare(text):
    """The text without the mark at its end."""
    return text.rstrip(".?! ")


def _lower(text, rng):
    return text.lower()


def _no_mark(text, rng):
    return _bare(text)


def _lower_without_mark(text, rng):
    return _bare(text.lower())


def _pls(text, rng):
    return _bare(text.lower()) + " pls"


def _hey(text, rng):
    return "hey, " + text.lower()


def _doubled(text, rng):
    return text + text[-1] if text[-1] in "?!" else text


def _typo(text, rng):
    """The text with one of its common words misspelt, if it has one."""
    words = text.split(" ")
    places = [i for i, word in enumerate(words) if word.lower() in TYPOS]
    if places:
        place = places[int(rng.integers(len(places)))]
        wrong = TYPOS[words[place].lower()]
        words[place] = wrong.capitalize() if words[place][0].isupper() else wrong
    return " ".join(words)


WAYS = (_lower, _lower, _no_mark, _lower_without_mark, _lower_without_mark, _pls, _hey, _doubled,
        _typo)
