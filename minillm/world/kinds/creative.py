"""Requests for a rhyme of two lines and for a story of four sentences."""

from functools import lru_cache

from minillm.world.facts import a_an, capitalized
from minillm.world.kinds.kind import TEXT_STYLES, Item, Kind, keeps_to
from minillm.world.kinds.rhyme_wordings import (ANOTHER, ANOTHER_RHYME_PARAPHRASES, ANY_RHYME,
                                                ANY_RHYME_PARAPHRASES, RHYME_PARAPHRASES,
                                                RHYME_PHRASINGS)
from minillm.world.kinds.story_wordings import (ANOTHER_STORY_PARAPHRASES, ANY_STORY,
                                                ANY_STORY_PARAPHRASES, CALLED,
                                                CALLED_PARAPHRASES, STORY_PARAPHRASES,
                                                STORY_PHRASINGS)
from minillm.world.likeness import likeness, sentences, words
from minillm.world.manners import ADDITIONS
from minillm.world.strangers import NAMES, is_held_out

CLOSE = 0.75  # likeness, from 0 to 1, of a line or sentence to one of the tables below

# For each sort of subject: couplets (first line, second line); each pair has another rhyme.
# {x} is the subject.
COUPLETS = {
    "animal": (
        ("I saw {x} beneath a tree,", "it turned its head and smiled at me."),
        ("I met {x} the other day,", "it only wanted me to play."),
        ("I heard {x} late at night,", "its eyes were big and very bright."),
        ("There was {x} that loved to run,", "it danced and jumped beneath the sun."),
    ),
    "thing": (
        ("I have {x} for all to see,", "it means a lot to you and me."),
        ("I look at {x} every day,", "I would not give that thing away."),
        ("I dreamt about {x} last night,", "it stood there in the silver light."),
        ("I bought {x} just for fun,", "it always shines in the morning sun."),
    ),
    "idea": (
        ("I think of {x} when I am free,", "and nothing else can worry me."),
        ("I sing of {x} every day,", "and all the clouds just fly away."),
        ("I dream of {x} every night,", "and then my heart is warm and light."),
        ("I think of {x} when work is done,", "and dance with you in the summer sun."),
    ),
}
RHYMES = (  # words that rhyme
    ("tree", "me", "see", "sea", "tea", "free", "be", "bee"),
    ("day", "play", "away", "way", "say", "stay", "hay", "today"),
    ("night", "bright", "light", "sight", "right", "white"),
    ("run", "sun", "fun", "done", "one"),
)
IDEAS = ("the sea", "the moon", "the sun", "the rain", "snow", "summer", "winter", "spring", "love",
         "music", "home", "school", "the wind", "the stars", "friends", "flowers", "the river",
         "the forest", "my mother", "time")
# as people type them, too
BARE_IDEAS = ("rain", "cats", "dogs", "birds", "stars", "autumn", "sleep", "clouds", "bread",
              "life", "peace", "happiness", "trees", "horses", "books", "cake", "the night",
              "my father", "my dog", "my cat", "Christmas", "the weekend", "apples", "colours")

# The four sentences of each story about a hero {n}.
PLOTS = (
    ("{n} wanted to fly a kite.", "But there was no wind.", "So they waited on the hill all day.",
     "In the evening the wind came, and the kite flew high."),
    ("{n} wanted to bake a cake.", "But there were no eggs in the house.",
     "A kind neighbour came with three eggs.", "In the end, everybody got a piece."),
    ("{n} wanted to cross the river.", "But the bridge was broken.",
     "There was a small boat under a tree.", "It carried them safely to the other side."),
    ("{n} wanted to find a friend.", "But nobody was in the park.",
     "Then there was a song behind a tree.", "A little bird sat there, and they became friends."),
    ("{n} wanted to see the sea.", "But the way was long and dark.",
     "It led along the river all night.", "In the morning, there was the blue water."),
    ("{n} lost a golden ring.", "It was not in the house.",
     "Everybody looked for it until the evening.", "At last it was found in an old shoe."),
    ("{n} wanted to sleep.", "But there was a noise in the kitchen.",
     "A hungry mouse was looking for food.", "It got some cheese, and the house was quiet."),
    ("{n} wanted to win a race.", "But the road was wet, and it was easy to fall.",
     "The others ran too fast and fell.", "So the slow one won, and got a prize."),
    ("{n} wanted to climb the old tower.", "But the door was locked.",
     "There was a key under a stone.", "From the top, they could see the whole town."),
    ("{n} wanted to learn a song.", "But the words were too hard.",
     "A friend sang it slowly every day.", "At the feast they sang it well, and all clapped."),
    ("{n} wanted to build a house of snow.", "But the sun was too warm.",
     "Then came a very cold night.", "The next day a white house stood in the garden."),
    ("{n} wanted to help a lost lamb.", "But the forest was dark.",
     "A lamp and a loud call helped.", "Soon the lamb was home again."),
)


FIGURES = ("a dragon", "a princess", "a king", "a robot", "a pirate", "a fox", "a knight",
           "a little girl", "a little boy", "a wizard", "a witch", "an old man", "a snowman")


def _subjects(world):
    """The subjects of rhymes as pairs (sort, subject)."""
    return ([("animal", a_an(animal.name)) for animal in world.animals]
            + [("thing", a_an(thing.name)) for thing in world.things]
            + [("idea", idea) for idea in IDEAS] * 2
            + [("idea", idea) for idea in BARE_IDEAS])


def _rhyme_items(world):
    items = []
    for number, (sort, subject) in enumerate(_subjects(world)):
        named = subject.replace("my ", "your ")
        pairs = [(capitalized(first.format(x=named)), second) for first, second in COUPLETS[sort]]
        pairs = _turned(pairs, number)
        wrong = tuple(f"{pair[0]}\n{pairs[i - 1][1]}" for i, pair in enumerate(pairs))  # no rhyme
        texts = ["\n".join(pair) for pair in pairs]
        items.append(Item({"x": subject}, "", texts[0], wrong_sentences=wrong,
                          held_out=_held(number, subject), also=tuple(texts[1:])))
    another = _another(items, RHYME_PHRASINGS, ANOTHER, ANOTHER_RHYME_PARAPHRASES)
    return items + another + _of_any(items, IDEAS, ANY_RHYME, ANY_RHYME_PARAPHRASES)


def _story_items(world):
    heroes = list(NAMES) + [a_an(animal.name) for animal in world.animals] + list(FIGURES)
    items = []
    for number, hero in enumerate(heroes):
        told = [_told(plot, hero) for plot in _turned(PLOTS, number)]
        another = _told(PLOTS[number % len(PLOTS)], heroes[(number + 5) % len(heroes)])
        wrong = (another, told[0][:2] + told[3][2:], told[1][:1])
        texts = [" ".join(story) for story in told]
        more, other = (CALLED, CALLED_PARAPHRASES) if hero in NAMES else ((), ())
        items.append(Item({"n": hero}, "", texts[0], (), tuple(" ".join(w) for w in wrong),
                          _held(number, hero), tuple(texts[1:]),
                          phrasings=STORY_PHRASINGS + more,
                          paraphrases=STORY_PARAPHRASES + other))
    phrasings, paraphrases = (tuple(wording.replace("{x}", "{n}") for wording in some)
                              for some in (ANOTHER, ANOTHER_STORY_PARAPHRASES))
    another = _another(items, STORY_PHRASINGS, phrasings, paraphrases)
    return items + another + _of_any(items, FIGURES, ANY_STORY, ANY_STORY_PARAPHRASES)


def _another(items, before, phrasings, paraphrases):
    """Requests for another one, about something else, after every third of the known items."""
    known = [item for item in items if not item.held_out]
    turns = [((before[5 * i % len(before)].format(**item.slots), item.sentence),)
             for i, item in enumerate(known)]
    return [item._replace(phrasings=phrasings, paraphrases=paraphrases, earlier=turn)
            for item, turn in zip(known[1::3], turns[::3])]


def _of_any(items, subjects, phrasings, paraphrases):
    """Requests that leave the subject open: an answer about any known one is right.

    The answers to learn from are about one of `subjects`.
    """
    known = [item for item in items if not item.held_out]
    texts = tuple(text for item in known for text in (item.sentence, *item.also))
    return [Item({}, "", item.sentence, (), item.wrong_sentences[1:], also=texts,
                 phrasings=phrasings, paraphrases=paraphrases)
            for item in known if set(subjects).intersection(item.slots.values())]


def _held(number, subject):
    """Whether fine-tuning uses no request about the subject with this number."""
    return is_held_out(subject, one_in=4) if subject in NAMES else number % 8 == 3


def _turned(sequence, number):
    """The sequence, starting from its element `number`, counted in circles."""
    start = number % len(sequence)
    return sequence[start:] + sequence[:start]


def _told(plot, hero):
    """The four sentences of a plot with this hero."""
    return tuple(capitalized(sentence.format(n=hero)) for sentence in plot)


def _nearest(request, response):
    """The right answer that shares most words with the response, alone in a tuple."""
    said = set(words(response).split())
    texts = (request.sentence, *request.also)
    return (max(texts, key=lambda text: len(said & _words_of(text))),)


@lru_cache(maxsize=1 << 13)  # texts
def _words_of(text):
    return frozenset(words(text).split())


@lru_cache(maxsize=1 << 11)  # tuples of texts
def _subject(texts):
    """The words that the first sentences or lines of all texts contain: those of the subject."""
    firsts = [_words_of(" ".join(sentences(text)[0])) for text in texts]
    return frozenset.intersection(*firsts)


_ADDED = frozenset(s for text in ADDITIONS for s in sentences(text.lower()))


def _body(request, response):
    """The lower-case sentences and lines of a text, if it is about the right subject, else ().

    Additions at the end are left out. Only words of right answers are allowed.
    """
    texts = (request.sentence, *request.also)
    found = sentences(response.lower())
    while found and likeness(found[-1], _ADDED) > CLOSE:
        found = found[:-1]
    about = found and _subject(texts) <= _words_of(" ".join(found[0]))
    return found if about and keeps_to(response, texts) else ()


def _right_rhyme(request, response):
    """The text is two lines about the subject, like those of one couplet, and they rhyme."""
    lines = _body(request, response)
    if len(lines) != 2:
        return False
    couplet = sentences(_nearest(request, response)[0].lower())
    ends = [words(" ".join(line)).split()[-1:] for line in lines]
    return (all(ends) and _rhymes(ends[0][0], ends[1][0])
            and all(likeness(line, {wanted}) > CLOSE for line, wanted in zip(lines, couplet)))


def _rhymes(a, b):
    return a != b and any(a in group and b in group for group in RHYMES)


def _right_story(request, response):
    """The text is three to five sentences of one story about the hero."""
    told = _body(request, response)
    story = set(sentences(_nearest(request, response)[0].lower()))
    return (3 <= len(told) <= 5 and len(set(told)) == len(told)
            and all(likeness(sentence, story) > CLOSE for sentence in told))


KINDS = (
    Kind("rhyme", RHYME_PHRASINGS, RHYME_PARAPHRASES, _rhyme_items, TEXT_STYLES, 4.0,
         right=_right_rhyme, forms=_nearest, own_split=True),
    Kind("story", STORY_PHRASINGS, STORY_PARAPHRASES, _story_items, (), 5.2, right=_right_story,
         forms=_nearest, own_split=True),
)
