"""Requests for the year of an event in one of the invented towns."""

from minillm.world.kinds.kind import Kind, others
from minillm.world.kinds.telling import fact_items


def _event_items(world):
    """One item for each event; another town or another deed of the town is a rival."""
    rows = [(event, event.town, str(event.year)) for event in world.events]
    deeds = [event.what for event in world.events]
    items = fact_items("year", rows,
                       ("{town} {past} in {y}.", "It was in {y}.", "That was in {y}.",
                        "They {past} in {y}.", "The year was {y}."))
    return [item._replace(rivals=item.rivals + others(deeds, event.what))
            for event, item in zip(world.events, items)]


KINDS = (
    Kind("event",
         ("When did {town} {base}?", "when did {town} {base}", "In which year did {town} {base}?",
          "What year did {town} {base}?", "In what year did {town} {base}?",
          "What was the year when {town} {past}?", "Which year was it when {town} {past}?",
          "In which year was it that {town} {past}?", "When was it that {town} {past}?",
          "{town} {past} when?", "{town} {past}. When was that?", "{town} {past}. In which year?",
          "{town} {past}: what year?", "the year {town} {past}?", "Tell me when {town} {past}.",
          "Tell me the year in which {town} {past}.", "Please tell me when {town} {past}.",
          "Name the year in which {town} {past}.", "Give me the year when {town} {past}.",
          "Can you tell me when {town} {past}?", "Could you tell me in which year {town} {past}?",
          "Do you know when {town} {past}?", "Do you know what year {town} {past}?",
          "Do you remember when {town} {past}?", "I was wondering when {town} {past}.",
          "I forgot when {town} {past}.", "I forgot the year in which {town} {past}.",
          "I heard that {town} {past}. When was it?", "I read that {town} {past}. In what year?",
          "I want to know when {town} {past}.", "I need the year when {town} {past}.",
          "My teacher asks when {town} {past}.",
          "Help me with my homework: when did {town} {base}?",
          "Quick question: when did {town} {base}?", "Hey, when did {town} {base}?",
          "Let me test you: when did {town} {base}?", "So in which year did {town} {base}?",
          "How long ago did {town} {base}? In which year?", "Any idea when {town} {past}?",
          "When was the year that {town} {past}?"),
         ("Which was the year in which {town} {past}?",
          "My sister wants to know when {town} {past}.",
          "Would you tell me what year it was when {town} {past}?",
          "People say that {town} {past}. Which year was that?",
          "I can't remember when {town} {past}.", "Did {town} {base}? In which year?",
          "At what time did {town} {base}? I need the year.", "{town} {past}, but in what year?",
          "We read in the news that {town} {past}. When?"),
         _event_items, weight=1.2),
)
