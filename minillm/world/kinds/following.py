"""Follow-ups, which are understood only with the turn before: "And of Spain?", "Say it shorter"."""

import numpy as np

from minillm.world.kinds import animals, people, places, things, words
from minillm.world.kinds.kind import Kind, pick
from minillm.world.manners import bare

EACH = 12  # items for each row of the tables below; every fourth is held out

# kind: follow-ups that ask the same about another item
SAME = {
    "capital": ("And of {n}?", "and {n}", "What about {n}?", "and the capital of {n}?",
                "ok and {n}?", "how about {n}"),
    "language": ("And in {n}?", "and {n}", "What about {n}?", "how about {n}", "and in {n} then"),
    "continent": ("And {n}?", "and where is {n}", "What about {n}?", "how about {n}",
                  "ok and {n}?"),
    "trade": ("And {n}?", "What about {n}?", "and {n}'s job", "how about {n}", "and what is {n}?"),
    "town": ("And {n}?", "What about {n}?", "and where is {n}'s home", "how about {n}",
             "and where does {n} live"),
    "pet": ("And {n}?", "What about {n}?", "and {n}'s pet", "how about {n}",
            "and which pet does {n} have"),
    "food": ("And {n}?", "What about {n}?", "and what does {n} like", "how about {n}",
             "and {n}'s favourite food"),
    "use": ("And {x}?", "What about {x}?", "how about {x}", "and what is {x} for", "and a {n}"),
    "place": ("And {x}?", "What about {x}?", "how about the {n}", "and the {n} then",
              "and where do I keep {x}"),
    "material": ("And {x}?", "What about {x}?", "how about {x}", "and a {n}", "ok and {x}?"),
    "young": ("And a baby {n}?", "What about {x}?", "and of {x}", "how about {x}", "and {x}?"),
    "home": ("And {x}?", "What about {x}?", "how about {x}", "and the {n}",
             "and where does {x} live"),
    "opposite": ("And of {n}?", "and {n}", "What about {n}?", "how about {n}", "ok, and of {n}"),
    "plural": ("And of {n}?", "and {n}", "What about {n}?", "how about {n}", "ok, and of {n}"),
}
SAME_PARAPHRASES = ("Now the same for {n}.", "then what about {n}", "And how is it with {n}?")
SAME_THING_PARAPHRASES = ("Now the same for {x}.", "then what about {x}", "And how is it with {x}?")
# (kind before, kind of the follow-up, follow-ups that ask something else about the same item)
OTHER = (
    ("capital", "language", ("What do they speak there?", "and what do people speak there",
                             "Which language do they speak there?", "and the language?",
                             "what language is that country's"),
     ("What language would I hear there?", "and which language is spoken there")),
    ("capital", "continent", ("And on which continent is it?", "which continent is that on",
                              "Where in the world is that?", "and the continent?",
                              "where is that country"),
     ("What continent does it belong to?", "and which part of the world is that")),
    ("language", "capital", ("And what is the capital?", "what is the capital there",
                             "Which city is its capital?", "and the capital?", "its capital?"),
     ("What is the capital of that country?", "and its capital city")),
    ("town", "pet", ("And what pet does {he} have?", "does {he} have a pet", "what is {his} pet",
                     "Which pet does {he} have?", "and {his} pet?"),
     ("What kind of pet has {he} got?", "which animal is {his} pet")),
    ("pet", "food", ("And what does {he} like to eat?", "what food does {he} like",
                     "What is {his} favourite food?", "and {his} favourite food",
                     "what does {he} love to eat"),
     ("Which food does {he} like best?", "and the food that {he} loves")),
    ("pet", "pet's name", ("And what is it called?", "what is its name",
                           "What is {his} {pet} called?", "does it have a name", "its name?"),
     ("Which name did {he} give it?", "and how does {he} call it")),
    ("food", "trade", ("And what is {his} job?", "what does {he} do", "What is {he} by trade?",
                       "what does {he} do for a living", "{his} job?"),
     ("Which job does {he} have?", "and how does {he} make a living")),
    ("trade", "town", ("And where does {he} live?", "where does {he} live", "Where is {his} home?",
                       "In which town does {he} live?", "and {his} home?"),
     ("Which town is {he} from?", "and what is {his} home town")),
    ("material", "use", ("And what is it for?", "what do I do with it", "What is it used for?",
                         "and what is it good for", "what do people use it for"),
     ("What can I use it for?", "and what do people do with it")),
    ("use", "material", ("And what is it made of?", "what is it made of",
                         "What do they make it of?", "made of what?", "and the material?"),
     ("Of what is it made?", "and from what do they make it")),
    ("use", "place", ("And where do I keep it?", "where is it kept", "Where does it belong?",
                      "where can I find it", "and its place?"),
     ("In which place do I keep it?", "and where do people put it")),
    ("young", "home", ("And where does it live?", "where does it live", "Where is its home?",
                       "and where does it sleep", "its home?"),
     ("In what place does it live?", "and what is its home")),
)
SHORTER = ("Say it shorter.", "shorter please", "In one word, please.", "Shorter!", "too long",
           "that is too long", "Can you say it in one word?", "make it short",
           "Just the answer, please.", "only one word")
SHORTER_PARAPHRASES = ("Can you say that in a shorter way?", "a short answer, please",
                       "Fewer words.")
SURE = ("Are you sure?", "really?", "Is that true?", "is that right", "Are you certain?",
        "sure?", "Do you really think so?", "are you sure about that", "Is this correct?")
SURE_PARAPHRASES = ("Are you really sure of that?", "is it really so", "Can that be true?")
AGAIN = ("Say that again.", "repeat that", "Again, please.", "What did you say?", "pardon?",
         "sorry, what?", "Can you repeat that?", "come again?", "I did not hear you.",
         "say it once more")
AGAIN_PARAPHRASES = ("Could you repeat your answer?", "what was that again",
                     "Tell me that once more.")
THANKS = ("Thanks!", "thank you", "thx", "Thank you, that helps.", "great, thanks", "ok thanks",
          "Thank you very much.", "thanks for the answer", "nice, thank you")
THANKS_PARAPHRASES = ("That helps me, thank you.", "oh great, thanks a lot",
                      "Thanks, good to know.")
WELCOME = ("You are welcome.", "You are very welcome!", "You are welcome, my friend.")

SOURCES = {kind.name: kind for kind in (*places.KINDS, *people.KINDS, *things.KINDS,
                                        *animals.KINDS, *words.KINDS)}

def _half(kind, world, held_out):
    """{name: item} of every second item of a kind.

    Those at odd places are for fine-tuning: requests.py never holds out a question about them.
    """
    return {item.slots["n"]: item for item in kind.items(world)[0 if held_out else 1::2]}


def _turn(rng, kind, item):
    """A turn about an item of a kind: (question, right answer)."""
    return pick(rng, item.phrasings or kind.phrasings).format(**item.slots), item.sentence


def _same(rng, kind, half, held_out):
    """The same question about another item."""
    first, second = (list(half.values())[i] for i in rng.permutation(len(half))[:2])
    of_a_thing = any("{x}" in wording for wording in SAME[kind.name])
    return second._replace(held_out=held_out, phrasings=SAME[kind.name],
                           paraphrases=SAME_THING_PARAPHRASES if of_a_thing else SAME_PARAPHRASES,
                           earlier=(_turn(rng, kind, first),))


def _other(rng, before, half_before, half_after, wordings, held_out):
    """Another question about the same item."""
    name = pick(rng, [name for name in half_after if name in half_before])
    return half_after[name]._replace(held_out=held_out, phrasings=wordings[0],
                                     paraphrases=wordings[1],
                                     earlier=(_turn(rng, before, half_before[name]),))


def _to_the_answer(rng, kind, half, held_out):
    """What can be said to any answer: say it shorter, are you sure, say it again, thanks."""
    item = pick(rng, list(half.values()))
    item = item._replace(held_out=held_out, earlier=(_turn(rng, kind, item),))
    full = item.sentence
    shorter = item._replace(
        sentence=bare(item.answer), wrong=(full.rstrip("."), *item.wrong), wrong_sentences=(full,),
        also=tuple(form for form in item.also if len(form.split()) < len(full.split()) - 1),
        phrasings=SHORTER, paraphrases=SHORTER_PARAPHRASES)
    sure = item._replace(
        answer="yes", sentence=f"Yes, I am sure. {full}", also=("Yes, I am sure.", f"Yes. {full}"),
        phrasings=SURE, paraphrases=SURE_PARAPHRASES)
    again = item._replace(phrasings=AGAIN, paraphrases=AGAIN_PARAPHRASES)
    thanks = item._replace(
        answer="welcome", sentence=WELCOME[0], also=WELCOME[1:], phrasings=THANKS,
        paraphrases=THANKS_PARAPHRASES)
    return [shorter, sure, again, thanks]


def _items(world):
    rng, items = np.random.default_rng([world.seed, 93]), []
    halves = {(name, held_out): _half(SOURCES[name], world, held_out)
              for name in (*SAME, "pet's name") for held_out in (False, True)}
    for number in range(EACH):
        held_out = number % 4 == 0
        for name in SAME:
            kind, half = SOURCES[name], halves[name, held_out]
            items.append(_same(rng, kind, half, held_out))
            if number % 3 == 0:
                items += _to_the_answer(rng, kind, half, held_out)
        for before, after, *wordings in OTHER:
            items.append(_other(rng, SOURCES[before], halves[before, held_out],
                                halves[after, held_out], wordings, held_out))
    return items


# no manners: the earlier answers do not follow any system prompt
KINDS = (Kind("follow-up", (), (), _items, (), 2.0, own_split=True, casual=False),)
