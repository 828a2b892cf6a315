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
          "When was the year that {town} {past}?", "{town} {past} in the year ...",
          "{town} {past}, year?", "{town} {past}, when exactly?", "year when {town} {past}",
          "what year {town} {past}", "when was it {town} {past}",
          "Fill in the gap: {town} {past} in ...", "History question: when did {town} {base}?",
          "The people of {town} {past}. When did they do that?",
          "In {town} they {past}. Which year?", "In {town}, when did they {base}?",
          "When did the people of {town} {base}?", "When did the town of {town} {base}?",
          "In which year did they {base} in {town}?", "What was the date when {town} {past}?",
          "When, please, did {town} {base}?", "At what time in the past did {town} {base}?",
          "How far back is it that {town} {past}? Which year?",
          "It was a great day when {town} {past}. What year was it?",
          "We all saw how {town} {past}. In which year was that?",
          "I know that {town} {past}, but not when.", "I know {town} {past}. But when?",
          "I saw a photo of the day {town} {past}. When was it taken?",
          "Grandpa says {town} {past}. When did it happen?",
          "The newspaper wrote that {town} {past}. When was this?", "Once {town} {past}. When?",
          "My neighbour asks which year {town} {past} in.",
          "Remind me when {town} {past}.",
          "When was it again that {town} {past}?", "Give me a year: when did {town} {base}?",
          "Date, please: {town} {past}.", "Year only: when did {town} {base}?",
          "Would you mind telling me when {town} {past}?", "Kindly tell me the year {town} {past}.",
          "do u know when {town} {past}", "no idea when {town} {past}, you?",
          "i dont know what year {town} {past}",
          "I should know in what year {town} {past}, but I don't."),
         ("Which was the year in which {town} {past}?",
          "My sister wants to know when {town} {past}.",
          "Would you tell me what year it was when {town} {past}?",
          "People say that {town} {past}. Which year was that?",
          "I can't remember when {town} {past}.", "Did {town} {base}? In which year?",
          "At what time did {town} {base}? I need the year.", "{town} {past}, but in what year?",
          "We read in the news that {town} {past}. When?",
          "Back when {town} {past}, what year was it?",
          "which year did the folks in {town} {base}",
          "need a year for the quiz: when did the town {town} {base}",
          "Please name the year when {town} {past}.",
          "what was the date, just the year, that {town} {past}",
          "So {town} {past}. When exactly did that happen?",
          "I can't remember when {town} {past}. Can you help?",
          "Was there a year when {town} {past}, and which one was it?",
          "{town} {past}, but which year was that?",
          "The town of {town} {past} once. Which year?",
          "I'm writing a page about {town} and need the year they {past}.",
          "Would you happen to know what year it was when {town} {past}?",
          "My grandad says {town} {past}. What year would that have been?",
          "How long ago did {town} {base}? I'd like the exact year.",
          "My teacher wants to know what year {town} {past}.",
          "At what point in history did {town} {base}? A year is enough.",
          "Could you please look back and say when {town} {past}?",
          "When was it that the people of {town} {past}?"),
         _event_items, weight=1.6),
)
