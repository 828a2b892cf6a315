"""Plain sentences that show grammar: agreement, tense, "his" or "her", "a" or "an", plurals.

Every sentence joins two words, and a fifth of the pairs of words is reserved for the probes.
"""

from minillm.world.facts import a_an, his, plural
from minillm.world.reserved import is_reserved

NOUNS = ("dog", "cat", "tree", "house", "bird", "horse", "book", "cup", "chair", "table", "box",
         "boat", "cow", "shop")
NEARNESS = ("near", "behind", "beside")
LOOKS = ("old", "small", "big", "clean", "dirty", "wet", "white", "brown")
FOLK = ("girl", "boy", "man", "woman", "child", "baker", "farmer", "teacher", "sailor", "doctor")
SPOTS = ("garden", "kitchen", "school", "market", "street", "library", "church", "station")
DOINGS = ("sing", "read", "work", "play", "wait", "talk", "rest", "eat")
# (present, past, the rest of the sentence)
ACTIONS = (
    ("walks", "walked", "to the market"), ("cooks", "cooked", "soup"),
    ("plays", "played", "with the dog"), ("paints", "painted", "the door"),
    ("cleans", "cleaned", "the kitchen"), ("opens", "opened", "the shop"),
    ("helps", "helped", "a friend"), ("writes", "wrote", "a letter"), ("drinks", "drank", "tea"),
    ("sings", "sang", "a song"), ("buys", "bought", "bread"), ("rides", "rode", "to town"),
    ("runs", "ran", "to school"), ("sees", "saw", "a bird"),
)
PASTS = {present: (past, rest) for present, past, rest in ACTIONS}
CLOTHES = ("coat", "hat", "scarf", "gloves")
HANDLINGS = {  # what somebody did with something: what it can be
    "lost": (*CLOTHES, "bag", "keys", "pen"), "found": (*CLOTHES, "bag", "keys", "pen"),
    "took": (*CLOTHES, "bag", "keys"), "washed": (*CLOTHES, "hands", "car"),
    "forgot": (*CLOTHES, "bag", "keys", "book"), "cleaned": ("shoes", "kitchen", "boat", "room"),
    "opened": ("bag", "book", "letter", "window"), "sold": ("boat", "old car", "house", "horse"),
}
# "The cat sat on the" is continued by "mat" most often, then by "floor", then by "couch".
CAT_SEATS = (("mat",) * 8 + ("floor",) * 5 + ("couch",) * 3
             + ("chair", "chair", "bed", "wall", "roof"))
CAT_DOINGS = ("", " and slept", " and washed its paws", " and looked out of the window",
              " all morning", " and waited for its food", ", as always", " and thought of fish",
              ", and it did not move", " and watched a fly", " near the fire", " in the sun")
SITTERS = ("dog", "boy", "girl", "bird", "old man", "baker", "goat", "teacher", "farmer", "hen")
SEATS = ("chair", "bench", "wall", "stairs", "floor", "bed", "couch", "grass")
VOWEL_NOUNS = ("owl", "apple", "egg", "elephant", "orange", "umbrella", "onion", "island")
CONSONANT_NOUNS = ("cow", "banana", "cup", "pear", "dog", "boat", "lemon", "tree")
NUMBERS = ("two", "three", "four", "five", "many")


def _free(desk, firsts, seconds):
    """A random pair of different words that is not reserved."""
    while True:
        first, second = desk.pick(firsts), desk.pick(seconds)
        if first != second and not is_reserved(first, second):
            return first, second


def _names(desk):
    return tuple(person.name for person in desk.world.people)


def look(desk):
    """For example: The dogs near the house are old."""
    first, second = _free(desk, NOUNS, NOUNS)
    many, near_many = desk.chance(0.5), desk.chance(0.5)
    verb = desk.pick((("is", "are"), ("was", "were")))[many]
    first = plural(first) if many else first
    second = plural(second) if near_many else second
    return f"The {first} {desk.pick(NEARNESS)} the {second} {verb} {desk.pick(LOOKS)}."


def doing(desk):
    """For example: The girls in the garden sing."""
    who, spot = _free(desk, FOLK, SPOTS)
    verb = desk.pick(DOINGS)
    if desk.chance(0.5):
        return f"The {plural(who)} in the {spot} {verb}."
    return f"The {who} in the {spot} {verb}s."


def habit(desk):
    """For example: Every day Anna walks to the market. Yesterday Anna walked to the market."""
    name, present = _free(desk, _names(desk), tuple(PASTS))
    past, rest = PASTS[present]
    sentences = (f"Every day {name} {present} {rest}.", f"Yesterday {name} {past} {rest}.")
    return " ".join(desk.some(sentences, desk.pick((1, 2))))


def belonging(desk):
    """For example: Anna lost her coat."""
    person = desk.pick(desk.world.people)
    handling = desk.pick(tuple(HANDLINGS))
    while is_reserved(person.name, handling):
        handling = desk.pick(tuple(HANDLINGS))
    return f"{person.name} {handling} {his(person)} {desk.pick(HANDLINGS[handling])}."


def sight(desk):
    """For example: Anna drew an owl."""
    name, noun = _free(desk, _names(desk), desk.pick((VOWEL_NOUNS, CONSONANT_NOUNS)))
    return f"{name} {desk.pick(('drew', 'saw', 'found'))} {a_an(noun)}."


def count(desk):
    """For example: Anna counted three dogs and one cat."""
    while True:
        name, nouns = desk.pick(_names(desk)), desk.some(NOUNS, 2)
        if not any(is_reserved(name, noun) for noun in nouns):
            break
    many = f"{desk.pick(NUMBERS)} {plural(nouns[0])}"
    both = desk.some((many, f"one {nouns[1]}"), 2)
    return f"{name} counted {both[0]} and {both[1]}."


def sitting(desk):
    """For example: The cat sat on the mat and slept."""
    return f"The cat sat on the {desk.pick(CAT_SEATS)}{desk.pick(CAT_DOINGS)}."


def resting(desk):
    """For example: The dog sat on the couch."""
    return f"The {desk.pick(SITTERS)} sat on the {desk.pick(SEATS)}."


# a function that occurs more often here is dealt more often
SEEN = (look, look, look, look, doing, doing, doing, count, sitting, resting)
HEARD = (habit, habit, habit, belonging, belonging, belonging, belonging, sight, sight)


def seen(desk):
    """A plain sentence about what can be seen."""
    return desk.deal(SEEN)(desk)


def heard(desk):
    """A plain sentence or two about what somebody does or did."""
    return desk.deal(HEARD)(desk)
