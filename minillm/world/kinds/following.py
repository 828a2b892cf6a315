"""Follow-ups, which are understood only with the turn before: "And of Spain?", "Say it shorter"."""

import numpy as np

from minillm.world.kinds import animals, people, pets, places, reactions, things, words
from minillm.world.kinds.kind import Kind, pick
from minillm.world.manners import bare

EACH = 12  # items for each row of the tables below; every fourth is held out

# kind: follow-ups that ask the same about another item
SAME = {
    "capital": ("And of {n}?", "and {n}", "What about {n}?", "and the capital of {n}?",
                "ok and {n}?", "how about {n}", "now {n}", "same question for {n}",
                "and for {n}, which city?", "{n} next", "and the capital city of {n} then?",
                "what is {n}'s, then", "Do you know it for {n} too?", "ok, now do {n}",
                "also {n} pls", "And what would it be for {n}?", "which one is it for {n}", "{n}?",
                "tell me {n}'s too", "Good. And {n}'s capital?",
                "Now I need the capital of {n}."),
    "language": ("And in {n}?", "and {n}", "What about {n}?", "how about {n}", "and in {n} then",
                 "now {n}", "same question for {n}", "and the people in {n}?", "{n} next",
                 "and in {n} they speak what?", "Do you know it for {n} too?", "ok, now do {n}",
                 "also {n} pls", "and what do they speak in {n}", "what would it be in {n}",
                 "which one is it in {n}", "{n}?", "and the language of {n}",
                 "Good. And over in {n}?",
                 "what if I go to {n} instead"),
    "continent": ("And {n}?", "and where is {n}", "What about {n}?", "how about {n}",
                  "ok and {n}?", "now {n}", "same question for {n}", "{n} next",
                  "and {n} lies where?", "Do you know it for {n} too?", "ok, now do {n}",
                  "also {n} pls", "on which one is {n}", "and which continent has {n}",
                  "what continent is it for {n}", "{n}?",
                  "Good. And where do I find {n}?", "now where is {n}", "tell me about {n}'s too",
                  "and whereabouts is {n}"),
    "trade": ("And {n}?", "What about {n}?", "and {n}'s job", "how about {n}", "and what is {n}?",
              "now {n}", "same question for {n}", "{n} next", "and what does {n} do?",
              "what about {n}'s work", "Do you know it for {n} too?", "ok, now {n}'s job",
              "also {n} pls", "and how does {n} earn money", "what trade does {n} have then",
              "{n}?", "Good. And what work does {n} do?",
              "and {n} works as what", "tell me {n}'s too", "and what does {n} do for a living"),
    "town": ("And {n}?", "What about {n}?", "and where is {n}'s home", "how about {n}",
             "and where does {n} live", "now {n}", "same question for {n}", "{n} next",
             "and {n} lives where?", "in which town is {n} then", "Do you know it for {n} too?",
             "ok, now {n}'s home", "also {n} pls", "and {n}'s town?", "where is {n} at home then",
             "{n}?", "Good. And where do I find {n}?",
             "and where is {n} from", "tell me {n}'s too", "and the town of {n}"),
    "pet": ("And {n}?", "What about {n}?", "and {n}'s pet", "how about {n}",
            "and which pet does {n} have", "now {n}", "same question for {n}", "{n} next",
            "and what animal does {n} keep?", "what about {n}'s animal",
            "Do you know it for {n} too?", "ok, now {n}'s pet", "also {n} pls", "and {n} has what?",
            "does {n} have one too", "{n}?",
            "Good. And which animal has {n} got?", "what does {n} have then", "tell me {n}'s too",
            "and the pet of {n}"),
    "food": ("And {n}?", "What about {n}?", "and what does {n} like", "how about {n}",
             "and {n}'s favourite food", "now {n}", "same question for {n}", "{n} next",
             "and what does {n} eat?", "what would {n} like then", "Do you know it for {n} too?",
             "ok, now {n}'s favourite", "also {n} pls", "and {n} loves what?",
             "what should I cook for {n}", "{n}?",
             "Good. And which food does {n} like best?", "and what about food for {n}",
             "tell me {n}'s too", "and the favourite food of {n}"),
    "use": ("And {x}?", "What about {x}?", "how about {x}", "and what is {x} for", "and a {n}",
            "now {x}", "same question for {x}", "{x} next", "and what do I do with {x}?",
            "what is the use of {x} then", "Do you know it for {x} too?", "ok, now {x}",
            "also {x} pls", "and the {n}?", "what does {x} do then", "{x}?",
            "Good. And what is {x} good for?", "and when do I need {x}",
            "and {names}?", "and what about the use of {x}"),
    "place": ("And {x}?", "What about {x}?", "how about the {n}", "and the {n} then",
              "and where do I keep {x}", "now {x}", "same question for {x}", "{x} next",
              "and where does {x} go?", "where does {x} belong then", "Do you know it for {x} too?",
              "ok, now {x}", "also {x} pls", "and {names}?", "and where should {x} be", "{x}?",
              "the same for the {n}, please", "Good. And where do I put the {n}?",
              "and where do I find {x}", "what is the place for {x}", "where do {names} go then"),
    "material": ("And {x}?", "What about {x}?", "how about {x}", "and a {n}", "ok and {x}?",
                 "now {x}", "same question for {x}", "{x} next", "and what do they make {x} of?",
                 "what is {x} made of then", "Do you know it for {x} too?", "ok, now {x}",
                 "also {x} pls", "and {names}?", "and the material of {x}", "{x}?",
                 "Good. And what are {names} made of?",
                 "and what do I need to make {x}", "what is it for {x}",
                 "from what do they make {x} then"),
    "young": ("And a baby {n}?", "What about {x}?", "and of {x}", "how about {x}", "and {x}?",
              "now {x}", "same question for {x}", "{x} next", "and the baby of {x}?",
              "what is a little {n} called then", "Do you know it for {x} too?", "ok, now {x}",
              "also {x} pls", "and the young of {x}", "how do you call a baby {n}", "{x}?",
              "Good. And what is a young {n}?",
              "and when {x} has a baby", "and {names}?", "what is it for {x}"),
    "home": ("And {x}?", "What about {x}?", "how about {x}", "and the {n}",
             "and where does {x} live", "now {x}", "same question for {x}", "{x} next",
             "and the home of {x}?", "where does {x} sleep then", "Do you know it for {x} too?",
             "ok, now {x}", "also {x} pls", "and {names}?", "where do {names} live then", "{x}?",
             "Good. And where do I find {x}?", "and what is {x}'s home",
             "what is it for {x}", "and where is {x} at home"),
    "opposite": ("And of {n}?", "and {n}", "What about {n}?", "how about {n}", "ok, and of {n}"),
    "plural": ("And of {n}?", "and {n}", "What about {n}?", "how about {n}", "ok, and of {n}"),
}
# (kind before, kind of the follow-up, follow-ups that ask something else about the same item)
OTHER = (
    ("capital", "language", ("What do they speak there?", "and what do people speak there",
                             "Which language do they speak there?", "and the language?",
                             "what language is that country's", "and what's spoken there?",
                             "how do people talk there", "What would I hear people speak there?",
                             "what language do I need there", "and their language?",
                             "its language?", "What do they talk in over there?",
                             "If I go there, what do I speak?",
                             "in what language do they write there", "tell me the language too",
                             "And which language should I learn for it?", "the language there pls",
                             "what is the main language of the country", "also, what do they speak",
                             "and how do people there speak, in which language",
                             "What do the children there learn to speak?"),
     ("What language would I hear there?", "and which language is spoken there")),
    ("capital", "continent", ("And on which continent is it?", "which continent is that on",
                              "Where in the world is that?", "and the continent?",
                              "where is that country", "and where is it?",
                              "what continent is it in", "On what part of the world is it?",
                              "where does it lie", "and where is that place", "its continent?",
                              "whereabouts is that", "Where do I find it on the map?",
                              "and to which continent does it belong", "tell me the continent too",
                              "the continent pls", "If I travel there, on which continent am I?",
                              "also, where is it", "Is it in Asia or where?",
                              "show me where that is on the world map",
                              "and it lies on which continent"),
     ("What continent does it belong to?", "and which part of the world is that")),
    ("language", "capital", ("And what is the capital?", "what is the capital there",
                             "Which city is its capital?", "and the capital?", "its capital?",
                             "and which city is the capital", "what's the capital of it",
                             "The name of its capital?", "and what is its capital called",
                             "main city?", "tell me the capital too", "the capital pls",
                             "Where is its government?", "also, what's the capital there",
                             "Which town is the capital there?",
                             "and the most important city, the capital?",
                             "If I go there, which city is the capital?", "name its capital",
                             "what do they call their capital",
                             "What capital city does it have?"),
     ("What is the capital of that country?", "and its capital city")),
    ("town", "pet", ("And what pet does {he} have?", "does {he} have a pet", "what is {his} pet",
                     "Which pet does {he} have?", "and {his} pet?", "has {he} got a pet",
                     "what animal does {he} keep", "and what animal lives with {him}?", "any pets?",
                     "{his} animal?", "Is there a pet in {his} house?", "tell me {his} pet too",
                     "and what kind of animal does {he} have",
                     "What sort of pet is with {him} at home?", "also, does {he} keep an animal",
                     "Which animal does {he} look after?", "the pet {he} has?",
                     "and pets? does {he} have one", "What pet is {his}?",
                     "does {he} own an animal", "{his} pet pls"),
     ("What kind of pet has {he} got?", "which animal is {his} pet")),
    ("pet", "food", ("And what does {he} like to eat?", "what food does {he} like",
                     "What is {his} favourite food?", "and {his} favourite food",
                     "what does {he} love to eat", "what does {he} eat",
                     "and {his} favourite dish?", "What should I cook for {him}?",
                     "{his} best food?", "tell me {his} favourite food too",
                     "and what makes {him} happy at dinner",
                     "If I cook for {him}, what should it be?", "also, what does {he} like to eat",
                     "what is it that {he} loves to eat", "food {he} likes?",
                     "What would {he} like for lunch?", "and what does {he} eat most",
                     "What do I give {him} when {he} is hungry?", "which meal does {he} love",
                     "{his} favorite food pls"),
     ("Which food does {he} like best?", "and the food that {he} loves")),
    ("pet", "pet's name", ("And what is it called?", "what is its name",
                           "What is {his} {pet} called?", "does it have a name", "its name?",
                           "what do they call it", "The name of the {pet}?", "and the name?",
                           "what did {he} name it", "How is {his} {pet} called?",
                           "Which name did {he} give the {pet}?", "tell me the {pet}'s name too",
                           "and what's the {pet}'s name", "also, what is it named",
                           "what name does the {pet} have", "it is called what?",
                           "Name of {his} pet?", "If I call the {pet}, what do I shout?",
                           "the name of that {pet} pls", "To which name does it listen?",
                           "does {his} {pet} have a name too"),
     ("Which name did {he} give it?", "and how does {he} call it")),
    ("food", "trade", ("And what is {his} job?", "what does {he} do", "What is {he} by trade?",
                       "what does {he} do for a living", "{his} job?", "what work does {he} do",
                       "and {his} trade?", "Where does {his} money come from, what job?",
                       "what is {he} working as", "{his} work?", "How does {he} earn {his} money?",
                       "tell me {his} job too", "and what does {he} do all day at work",
                       "also, what's {his} job", "Which job has {he} got?",
                       "What kind of work is {his}?", "the job {he} has?",
                       "and when {he} goes to work, what is {he}",
                       "what is {he}, a teacher or what", "what does {he} work as",
                       "{his} job pls"),
     ("Which job does {he} have?", "and how does {he} make a living")),
    ("trade", "town", ("And where does {he} live?", "where does {he} live", "Where is {his} home?",
                       "In which town does {he} live?", "and {his} home?",
                       "and {his} town?", "Where can I find {him}?", "{he} lives where?",
                       "which town is {his} home", "If I want to visit {him}, where do I go?",
                       "tell me {his} town too", "where does {he} come from",
                       "also, where does {he} live", "In what place is {his} house?",
                       "and where is {he} at home", "the town {he} lives in?",
                       "where would I meet {him}", "I want to write to {him}. To which town?",
                       "and whereabouts does {he} live", "{his} home town pls"),
     ("Which town is {he} from?", "and what is {his} home town")),
    ("material", "use", ("And what is it for?", "what do I do with it", "What is it used for?",
                         "and what is it good for", "what do people use it for", "its use?",
                         "what do you do with it", "Why would I need it?", "and how do I use it",
                         "what use does it have", "When do I need it?", "tell me its use too",
                         "What can I do with it?", "and its purpose?", "also, what's it for",
                         "what job does it do", "what would I want that for",
                         "It is good for what?", "and what does one do with it",
                         "why do people have it", "so it is for what"),
     ("What can I use it for?", "and what do people do with it")),
    ("use", "material", ("And what is it made of?", "what is it made of",
                         "What do they make it of?", "made of what?", "and the material?",
                         "its material?", "what material is it", "Out of what do they make it?",
                         "and what's it made from", "is it wood or metal or what",
                         "What do I need to make one?", "tell me the material too",
                         "Which material do people use for it?", "also, what's it made of",
                         "and it is made out of what",
                         "They make it from what?", "what do people make it of",
                         "and what kind of material is that", "what is the thing itself made of",
                         "from which material"),
     ("Of what is it made?", "and from what do they make it")),
    ("use", "place", ("And where do I keep it?", "where is it kept", "Where does it belong?",
                      "where can I find it", "and its place?", "its usual place?",
                      "where do people keep it", "Where should it go?", "and where does it go",
                      "Where do I put it when I am done?", "In which room or place is it kept?",
                      "tell me where to keep it too", "Where do I look for it?",
                      "also, where do I keep it", "and where is its place", "where do you store it",
                      "what is the right place for it", "It belongs where?",
                      "and where would I find one", "where should I put it",
                      "Where does it normally lie?"),
     ("In which place do I keep it?", "and where do people put it")),
    ("young", "home", ("And where does it live?", "where does it live", "Where is its home?",
                       "and where does it sleep", "its home?", "where does it sleep at night",
                       "Where do I find one?", "what is it living in", "and where is it at home",
                       "Its house?", "Where does it go at night?", "tell me its home too",
                       "what do you call the place where it lives", "also, where does it live",
                       "and it lives where?", "Where would I look for one?",
                       "what kind of home does it have", "And where do they live?",
                       "where do they sleep"),
     ("In what place does it live?", "and what is its home")),
)

SOURCES = {kind.name: kind for kind in (*places.KINDS, *people.KINDS, *pets.KINDS, *things.KINDS,
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
    slot = "{x}" if any("{x}" in wording for wording in SAME[kind.name]) else "{n}"
    another, asked = (tuple(wording.replace("{n}", slot) for wording in some)
                      for some in (reactions.ANOTHER, reactions.ANOTHER_PARAPHRASES))
    return second._replace(held_out=held_out, phrasings=SAME[kind.name] + another,
                           paraphrases=asked, earlier=(_turn(rng, kind, first),))


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
        phrasings=reactions.SHORTER, paraphrases=reactions.SHORTER_PARAPHRASES)
    sure = item._replace(
        answer="yes", sentence=f"Yes, I am sure. {full}", also=("Yes, I am sure.", f"Yes. {full}"),
        phrasings=reactions.SURE, paraphrases=reactions.SURE_PARAPHRASES)
    again = item._replace(phrasings=reactions.AGAIN, paraphrases=reactions.AGAIN_PARAPHRASES)
    welcome, *also = reactions.WELCOME
    thanks = item._replace(answer="welcome", sentence=welcome, also=tuple(also),
                           phrasings=reactions.THANKS, paraphrases=reactions.THANKS_PARAPHRASES)
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
KINDS = (Kind("follow-up", (), (), _items, (), 4.2, own_split=True, casual=False),)
