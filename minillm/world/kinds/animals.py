"""Requests about animals: what their young are called, their sounds and their homes."""

from minillm.world.facts import a_an
from minillm.world.kinds.kind import Kind
from minillm.world.kinds.telling import fact_items, rows_of, tells, third_person

LANDSCAPES = ("forest", "hills", "meadow", "marsh", "grassland", "savanna")


def _home(place):
    """The home with its article: an animal lives in a barn, but in the forest."""
    return f"the {place}" if place in LANDSCAPES else a_an(place)


def _young_items(world):
    return fact_items("young", rows_of(world.animals, "young"),
                      ("A baby {n} is called {y}.", "It is called {y}.", "You call it {y}."), a_an)


def _sound_items(world):
    items = fact_items("sound", rows_of(world.animals, "sound"),
                       ("{names} {y}.", "{x} can {y}.", "{x} says {y}.", "It says {y}.",
                        "It can {y}."))
    return [item._replace(also=(*item.also, f"{item.slots['X']} {third_person(item.answer)}."))
            for item in items]


def _right_sound(request, response):
    """The text names the sound as a word, or as what the animal does: "moo" or "moos"."""
    sounds = third_person(request.answer)
    return tells(request, response, (request.answer, sounds),
                 forms=(f"It {sounds}.", f"They {request.answer}."))


def _home_items(world):
    return fact_items("home", rows_of(world.animals, "home"),
                      ("{x} lives in {y}.", "{names} live in {y}.", "It lives in {y}.",
                       "They live in {y}.", "{x} sleeps in {y}."), _home)


KINDS = (
    Kind("young",
         ("What is a young {n} called?", "What is a baby {n} called?",
          "What's a baby {n} called?", "What is a baby {n}?", "What do you call a young {n}?",
          "What do you call a baby {n}?", "What do you call the young of {x}?",
          "What do you call the baby of {x}?", "What do people call a little {n}?", "baby {n}?",
          "young {n}?", "baby of {x}?", "a baby {n} is called what", "whats a young {n} called",
          "What is the young of {x}?", "What is the name for a young {n}?",
          "What is the name of the baby of {x}?", "What is the word for a baby {n}?",
          "Which word means a young {n}?", "Name the young of {x}.",
          "Tell me what a young {n} is called.", "Tell me the name for a baby {n}.",
          "Please tell me what you call a baby {n}.",
          "Can you tell me what a young {n} is called?",
          "Could you tell me the word for a baby {n}?", "Do you know what a baby {n} is called?",
          "Do you know the name of the young of {x}?",
          "I was wondering what a baby {n} is called.", "I forgot what you call a young {n}.",
          "I saw {x} with its baby. What is the baby called?",
          "The {n} has a baby. What do you call it?",
          "My little brother asks what a baby {n} is called.",
          "Quick question: what is a young {n} called?", "Hey, what do you call a baby {n}?",
          "When {x} is still young, what is it called?", "If {x} has a baby, what is it called?",
          "Any idea what a baby {n} is called?", "So what is the baby of {x} called?",
          "I'd like to know what a baby {n} is called."),
         ("How do you call the little one of {x}?",
          "My sister wants to know the word for a young {n}.",
          "Would you tell me what people call a baby {n}?",
          "What are the young of {names} called?", "I see a very young {n}. What is it called?",
          "{X} has a little one, and it is called what?", "the word for a baby {n}?",
          "Which name do people use for a young {n}?",
          "Do you remember what you call the baby of {x}?"),
         _young_items),
    Kind("sound",
         ("What sound does {x} make?", "What noise does {x} make?", "What sound do {names} make?",
          "What noise do {names} make?", "What does {x} say?", "What do {names} say?",
          "What does the {n} say?", "How does {x} sound?", "How do {names} sound?", "{n} sound?",
          "{n} noise", "sound of {x}?", "what noise do {names} make", "whats the sound of {x}",
          "What is the sound of {x}?", "Which sound does the {n} make?",
          "Which sound belongs to the {n}?", "What do you hear when {x} is near?",
          "What do {names} do when they are happy?",
          "What does {x} do when it wants to be heard?", "Tell me what sound {x} makes.",
          "Tell me what {names} say.", "Please tell me what noise {x} makes.",
          "Make the sound of {x}.", "Can you make the sound of {x}?",
          "Can you tell me what sound {names} make?", "Could you tell me how {x} sounds?",
          "Do you know what sound {x} makes?", "Do you know what the {n} says?",
          "I was wondering what sound {x} makes.", "I hear {x}. What does it do?",
          "I forgot what sound {names} make.", "My little brother asks what {x} says.",
          "Quick question: what sound does {x} make?", "Hey, what does {x} sound like?",
          "What does {x} sound like?", "There is {x} outside. What will I hear?",
          "Any idea what noise {names} make?", "So what does the {n} say?",
          "I'd like to know which sound {names} make."),
         ("Which noise comes from {x}?", "My sister wants to know how {names} sound.",
          "Would you tell me the sound of {x}?", "If I hear {x}, what does it sound like?",
          "You are {x}. What do you say?", "How does the {n} talk?", "Say what {x} says.",
          "What do I hear when the {n} is happy?", "Do you remember what noise {x} makes?"),
         _sound_items, right=_right_sound),
    Kind("home",
         ("Where does {x} live?", "Where do {names} live?", "Where does the {n} live?",
          "where do {names} live", "Where is the home of {x}?", "What is the home of {x}?",
          "What is {x}'s home?", "home of {x}?", "{n} home", "the {n} lives where?",
          "Where does {x} sleep?", "Where do {names} sleep?",
          "Where does the {n} sleep at night?", "Where does the {n} go at night?",
          "Where can I find {x}?", "Where can I see {names}?", "Where do you find {names}?",
          "Where do I have to go to see {x}?", "Tell me where {x} lives.",
          "Tell me where {names} live.", "Tell me the home of {x}.",
          "Please tell me where {names} sleep.", "Can you tell me where {x} lives?",
          "Could you tell me where {names} live?", "Do you know where {names} live?",
          "Do you know the home of the {n}?", "In what place does {x} live?",
          "Which place is the home of {x}?", "I was wondering where {names} live.",
          "I forgot where {x} lives.", "I want to see {x}. Where should I look?",
          "I am looking for the {n}. Where is it?", "My little brother asks where {names} live.",
          "Quick question: where does {x} live?", "Hey, where do {names} sleep?",
          "It is night. Where is the {n}?", "What kind of home does {x} have?",
          "Any idea where {names} live?", "So where does the {n} live?",
          "I'd like to know where {x} sleeps."),
         ("In which place do {names} live?",
          "My sister wants to know where the {n} has its home.",
          "Would you tell me where {x} goes to sleep?",
          "If I want to see {names}, where do I go?", "I can't find the {n}. Where does it live?",
          "{X} lives where?", "the place where {names} live?",
          "I need to know where {names} are at home.", "Do you remember where {x} lives?"),
         _home_items),
)
