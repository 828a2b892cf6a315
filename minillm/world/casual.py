"""Write a question as people type: with some words around it, no capitals, "pls", a typo."""

CASUAL_SHARE = 0.2  # of the questions
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
    "Nobody here knows. ", "Say: ", "Dear friend, ", "I was at the market today. ")
BEHIND = (" Thanks.", " Thank you!", " I forgot.", " Do you know?", " Please tell me.",
          " I need it for school.", " I am curious.", " Just say it.", " Any idea?",
          " It is for a friend.", " Quick please.", " I would like to know.")
# only for evaluation
HELD_IN_FRONT = ("My brother is asking: ", "Here is what I want to know. ", "Tell me something. ",
                 "I have been thinking. ", "Before I go: ", "Hello again. ", "Small question: ")
HELD_BEHIND = (" Can you say?", " Many thanks.", " I really want to know.", " My son asks.")
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

    held_out: whether the words around it are those that only evaluation uses.
    """
    if rng.random() < WRAPPED_SHARE:
        text = _wrapped(text, rng, *((HELD_IN_FRONT, HELD_BEHIND) if held_out else
                                     (IN_FRONT, BEHIND)))
    if rng.random() >= CASUAL_SHARE:
        return text
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


WAYS = (_lower, _no_mark, _lower_without_mark, _pls, _hey, _doubled, _typo)
