"""Topics that lie outside the world, and how users ask about them."""

from minillm.world.kinds import beyond, beyond_places, beyond_words, elsewhere, odd, today

# Three answers in five are the first of these, two are SMALL_WORLD (unknown.py); the others are
# right too.
ABOUT_PEOPLE = ("I do not know anybody of that name.", "I do not know who that is.",
                *beyond.PEOPLE.forms)
ABOUT_COUNTRIES = ("I do not know that country.", "I do not know much about that country.",
                   *beyond_places.COUNTRIES.forms)
ABOUT_TOWNS = ("I do not know that town.", "I do not know much about that town.",
               *beyond_places.TOWNS.forms)
ABOUT_ANIMALS = ("I do not know that animal.", "I do not know much about that animal.",
                 *beyond.ANIMALS.forms)
ABOUT_THINGS = ("I do not know that thing.", "I do not know much about that.",
                *beyond.THINGS.forms)
ABOUT_QUALITIES = ("I do not know the opposite of that.", "I do not know that word.")
ABOUT_PASTS = ("I do not know the past tense of that.", "I do not know that word.")
ABOUT_SPELLING = ("I do not know how that is spelt.", "I do not know how to write that.")
ABOUT_NUMBERS = ("I do not know. I can only work with small numbers.",
                 "I do not know. That is too hard for me.", *beyond_words.NUMBERS.forms)
TOPICS = (*today.TOPICS, *elsewhere.TOPICS, odd.TOPIC)
