"""Topics that lie outside the world, and how users ask about them."""

from minillm.world.kinds import elsewhere, today

ABOUT_PEOPLE = ("I do not know anybody of that name.", "I do not know who that is.")
ABOUT_COUNTRIES = ("I do not know that country.", "I do not know much about that country.")
TOPICS = (*today.TOPICS, *elsewhere.TOPICS)
