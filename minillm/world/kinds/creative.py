"""Requests for a rhyme of two lines and for a story of four sentences."""

from functools import lru_cache

from minillm.world.facts import a_an, capitalized
from minillm.world.kinds.kind import TEXT_STYLES, Item, Kind, keeps_to
from minillm.world.likeness import likeness, sentences, words
from minillm.world.manners import ADDITIONS
from minillm.world.reserved import is_reserved
from minillm.world.strangers import NAMES

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

RHYME_PHRASINGS = (
    "Write a rhyme about {x}.", "Write a poem about {x}.", "Write me a short poem about {x}.",
    "Write a two-line rhyme about {x}.", "poem about {x}", "a rhyme about {x} pls",
    "Can you write a poem about {x}?", "Make a rhyme about {x}.", "I want a poem about {x}.",
    "Could you make up a rhyme about {x}?", "Give me a short rhyme about {x}.",
    "I need a poem about {x} for school.", "Tell me a rhyme about {x}.", "{x}, in two lines",
    "Please write two lines that rhyme about {x}.", "Do you know a poem about {x}?",
    "Say something in rhyme about {x}.", "Make up a little verse about {x}.",
    "I would like a small poem on {x}.", "My teacher wants a rhyme about {x}.",
    "hey, can you rhyme about {x}?", "Let me hear a poem about {x}.",
    "I was wondering if you could write a rhyme about {x}.", "rhyme about {x}?",
    "Write a verse on {x} for my friend.", "I like {x}. Write me a poem.",
    "Be a poet and write about {x}.", "Help me write a poem about {x}.",
    "Quick poem about {x} please.", "Two lines about {x} that rhyme, please.",
    "Can I have a rhyme on {x}?", "Think of a rhyme for my card. It is about {x}.",
    "Sing me something about {x}.", "Write a song about {x}.",
    "Create a poem about {x}.", "Can you come up with a verse about {x}?",
    "Invent a rhyme about {x}.", "little verse, {x}", "{x} rhyme pls", "{x}: a poem",
    "{x} in rhyme?", "I am in the mood for poetry. Let it be about {x}.", "Can you sing about {x}?",
    "short song about {x} please", "Write a nursery rhyme about {x}.", "Do a rap about {x}.",
    "Write a jingle about {x}.", "I need a jingle for {x}.", "Rhyme for me about {x}.",
    "Do you know a song about {x}?", "got any poems about {x}",
    "Got a rhyme for me? It should be about {x}.", "Is there a poem about {x}?",
    "Any nice verse about {x}?", "How about a poem on {x}?", "What about a little rhyme on {x}?",
    "Describe {x} like a poet.", "Tell me about {x} in verse.", "Praise {x} in a short poem.",
    "Show me what a poet you are: {x}.", "The topic is {x}. Write a poem.",
    "I have to hand in a poem about {x}.", "Homework: a poem about {x}.",
    "I am making a card and need a verse on {x}.",
    "My grandmother loves {x}. Could you write her a poem?",
    "Make me smile with a verse about {x}.", "I wish I had a poem about {x}.",
    "Could you please do a poem about {x}?", "gimme a poem about {x}",
    "Just a short rhyme on {x}, thanks.", "A poem, please. Subject: {x}.",
    "I bet you can't make a rhyme about {x}.", "Can you rhyme? Then do it about {x}.",
    "please please write a poem about {x}"
)
RHYME_PARAPHRASES = (
    "Could you write me a little poem about {x}?", "I would love to hear a rhyme on {x}.",
    "short poem on {x} pls", "Please make a verse about {x} for me.",
    "Write something that rhymes. It is about {x}.", "My friend wants a poem about {x}.",
    "Are you a poet? Then rhyme about {x}.", "Give me two lines on {x}, and they must rhyme.",
    "something poetic about {x}?", "Try to make a poem with {x} in it.",
)
STORY_PHRASINGS = (
    "Tell me a story about {n}.", "Write a story about {n}.", "Write a short story about {n}.",
    "I want a story about {n}.", "Can you tell me a story about {n}?", "a story about {n} pls",
    "story about {n}", "Tell me a short story. It is about {n}.", "Make up a story about {n}.",
    "Please tell a story with {n} in it.", "I would like to hear a story about {n}.",
    "Do you know a story about {n}?", "Tell my children a story about {n}.",
    "My daughter wants a story about {n}.", "It is late. Tell me a story about {n}.",
    "I cannot sleep. Tell me a story about {n}.", "hey, got a story about {n}?",
    "Give me a story with {n} as the hero.", "Could you write me a little story about {n}?",
    "I need a story about {n} for school.", "Let us hear a story about {n}.",
    "Write a story of four sentences about {n}.", "The hero is {n}. Write the story.",
    "Think of a story for my son. It should be about {n}.", "How about a story? {n} is in it.",
    "I was wondering if you know a tale about {n}.", "Tell us a tale of {n}.",
    "Please invent a story. The hero should be {n}.", "Have you a nice story about {n}?",
    "Tell me something that happened to {n}. Make it up.", "short story, {n}",
    "Quick bedtime story about {n} please.",
    "Tell me a tale about {n}.", "a tale about {n}", "tale of {n} please",
    "Write a fairy tale with {n}.", "Make up a fairy tale for {n}.",
    "It's bedtime. I want one about {n}.", "We need a bedtime story. {n}, please!",
    "My son is in bed and wants a story about {n}.", "Good night story about {n}?",
    "Read me a story about {n}.", "Will you read me a tale about {n}?",
    "Compose a story about {n}.", "Can you create a tiny tale with {n}?",
    "Think up a story about {n}.", "You are a storyteller. Tell us of {n}.",
    "Write me something: a story, {n} in it.", "{n} story pls", "story with {n}",
    "Any good story about {n}?", "Are there any stories with {n} in them?",
    "Have you heard the story of {n}?", "What is the story of {n}?",
    "I want to hear the tale of {n}.",
    "It begins like this: once there was {n}. Continue the story.", "Put {n} in a story.",
    "The main character is {n}. Tell me the story.", "A story, please. Main character: {n}.",
    "Write a small adventure for {n}.", "a few sentences, a story, {n}",
    "Cheer me up with a story about {n}.", "Surprise me with a tale about {n}.",
    "Make me smile: a story about {n}.", "I have to write a story about {n}. Help!",
    "My little brother loves stories about {n}.", "Would you mind telling me a story about {n}?",
    "do a story about {n}", "Let's write a story together. It's about {n}.",
    "Tell the story of {n}.", "There was once somebody called {n}. Go on with the story.",
    "A bedtime story for {n}, about {n}.", "a good yarn about {n}, please", "Got a yarn about {n}?",
    "Let me hear a yarn with {n} in it.", "fairy tale, {n}",
    "I love fairy tales. Is there one about {n}?", "Read us a bedtime story with {n} in it.",
    "Do you tell stories? Then tell one about {n}.", "{n} as the hero of a story",
    "{n}. Now make it a story.", "little story, {n}", "just a short story about {n}",
    "How does the story of {n} go?", "once upon a time there was {n}",
    "Once there was {n}. What happened then?", "Tell me about an adventure of {n}.",
    "adventure with {n} please", "I'd like to read about the adventures of {n}.",
    "In four sentences, tell a story about {n}.", "Entertain me with a story about {n}.",
    "My homework is a story about {n}.", "For class I need a tale about {n}.",
    "Help me write a story about {n}.", "Would you tell us a story of {n}?",
    "May I hear a story about {n}?", "Might I have a tale about {n}?", "gimme a story about {n}",
    "Write a page of a story book about {n}.", "A made-up story about {n} would be great.",
    "Who is the hero? It is {n}! So tell the story.", "Imagine {n}. What happens in the story?",
    "children's story, hero is {n}", "Let there be {n} in the story."
)
STORY_PARAPHRASES = (
    "Could I have a story in which {n} is the hero?", "Please make up a tale about {n} for me.",
    "story pls, it should be about {n}", "Think of a little story with {n}.",
    "My son cannot sleep. He wants a story about {n}.", "I feel like a story about {n}.",
    "For my daughter: a short tale of {n}.", "Would you write a bedtime story? {n} is the hero.",
    "any stories about {n}?", "Let me hear what happened to {n} in a story.",
)
ANY_STORY = (  # of any hero
    "Tell me a story.", "tell me a story", "Tell me a short story.", "a story pls",
    "Can you tell me a story?", "can u tell me a short story", "I want to hear a story.",
    "Write a short story.", "Do you know a story?", "I cannot sleep. Tell me a story.",
    "a bedtime story please", "Tell me a very short story.", "Read me a story.", "story time!",
    "I am bored. Tell me a story.", "Cheer me up with a story.", "Got a story for me?",
    "Could you make up a story?", "gimme a story", "My children want a story.",
    "Tell us a little tale.", "Let me hear a story.", "a short story for tonight, please",
    "Would you tell me a good story?", "Tell me something nice, a story maybe.",
    "Please tell me a tiny story before I go to bed.")
ANY_STORY_PARAPHRASES = (
    "Could you tell me a little story?", "Tell my son a story.", "I feel like a story.",
    "one more story, if you can", "How about a bedtime story?", "I would love to hear a tale.")
ANY_RHYME = (  # of any subject
    "Write me a poem.", "Write a poem.", "Tell me a rhyme.", "a poem please", "Make a rhyme.",
    "Can you write a poem?", "Do you know a poem?", "Can you rhyme?", "a short rhyme pls",
    "I want a poem.", "Write something that rhymes.", "Give me a little verse.", "rhyme for me",
    "Let me hear a poem.", "Say a poem.", "I am in the mood for a poem.", "Sing me something.",
    "Make up a verse.", "I need a poem for a card.", "Could you write me a short poem?")
ANY_RHYME_PARAPHRASES = (
    "Please write a poem for me.", "Got a rhyme for me?", "I would like to hear a rhyme.",
    "poem pls", "Two lines that rhyme, please.", "Try to write a poem.")
CALLED = ("Tell me a story with a hero called {n}.", "Write a story. The hero is called {n}.",
          "a story about somebody called {n} pls", "Invent a hero named {n} and tell the story.")
CALLED_PARAPHRASES = ("a story with a hero called {n} pls", "Tell a story about a hero named {n}.")


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
    return items + _of_any(items, IDEAS, ANY_RHYME, ANY_RHYME_PARAPHRASES)


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
    return items + _of_any(items, FIGURES, ANY_STORY, ANY_STORY_PARAPHRASES)


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
    return is_reserved("told", subject, one_in=4) if subject in NAMES else number % 4 == 3


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
    Kind("rhyme", RHYME_PHRASINGS, RHYME_PARAPHRASES, _rhyme_items, TEXT_STYLES, 1.8,
         right=_right_rhyme, forms=_nearest, own_split=True),
    Kind("story", STORY_PHRASINGS, STORY_PARAPHRASES, _story_items, (), 2.6, right=_right_story,
         forms=_nearest, own_split=True),
)
