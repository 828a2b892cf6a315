"""Requests about everyday things: use, place and material."""

from minillm.world.kinds.kind import TEXT_STYLES, Kind
from minillm.world.kinds.telling import fact_items, rows_of

CARRIED = ("pocket", "bag", "school bag")  # places that somebody has with them


def _where(place):
    """The place with "the" or "your"."""
    return f"your {place}" if place in CARRIED else f"the {place}"


def _use_items(world):
    return fact_items("use", rows_of(world.things, "use"),
                      ("You use {x} to {y}.", "You use it to {y}.", "It is used to {y}.",
                       "You can {y} with it.", "People use {x} to {y}."))


def _place_items(world):
    return fact_items("place", rows_of(world.things, "place"),
                      ("You keep {x} in {y}.", "You keep the {n} in {y}.", "The {n} is in {y}.",
                       "It is in {y}.", "It belongs in {y}.", "You find it in {y}."),
                      _where)


def _material_items(world):
    return fact_items("material", rows_of(world.things, "material"),
                      ("{x} is made of {y}.", "It is made of {y}.", "{names} are made of {y}.",
                       "They are made of {y}.", "You make it out of {y}."))


KINDS = (
    Kind("use",
         ("What is {x} for?", "What's {x} for?", "What is {x} used for?",
          "What do you do with {x}?", "What do you use {x} for?", "What can I do with {x}?",
          "What can you do with {x}?", "what do i do with {x}", "{X}: what for?", "use of {x}?",
          "What is the use of {x}?", "What do people use {x} for?", "Why do people have {x}?",
          "Why do people buy {x}?", "Why would I need {x}?", "When do you need {x}?",
          "When do I use {x}?", "How do you use {x}?", "Tell me what {x} is for.",
          "Tell me what I can do with {x}.", "Please tell me what {x} is used for.",
          "Can you tell me what {x} is for?", "Could you tell me what people do with {x}?",
          "Do you know what {x} is for?", "Do you know what you do with {x}?",
          "I was wondering what {x} is for.", "I found {x}. What is it for?",
          "I have {x}. What can I do with it?", "I forgot what {x} is for.",
          "Somebody gave me {x}. What do I do with it?",
          "My little brother asks what {x} is for.", "Quick question: what is {x} used for?",
          "Hey, what is {x} good for?", "What is {x} good for?", "What does one do with {x}?",
          "What job does {x} do?", "Explain what {x} is for.", "Any idea what {x} is for?",
          "I'd like to know why people have {x}.", "So what do you use {x} for?"),
         ("For what do people need {x}?", "My sister wants to know what you use {x} for.",
          "If I buy {x}, what should I do with it?", "Would you tell me how people use {x}?",
          "If I have {x}, what can I do?", "{X} is used for what?",
          "I see {x} here. What is it used for?", "I need to know what {x} is for.",
          "Do you remember what people use {x} for?"),
         _use_items, TEXT_STYLES),
    Kind("place",
         ("Where do you keep {x}?", "Where do you keep the {n}?", "Where do I find the {n}?",
          "Where can I find {x}?", "Where does the {n} belong?", "Where do people put the {n}?",
          "Where is the {n}?", "Where's the {n}?", "where is the {n}",
          "Where should I put the {n}?", "Where do I put the {n}?", "Where does {x} go?",
          "{n}: where?", "place for the {n}?", "What is the place for the {n}?",
          "In which place do you keep {x}?", "Tell me where you keep the {n}.",
          "Tell me where the {n} is.", "Please tell me where I find the {n}.",
          "Can you tell me where the {n} is?", "Could you tell me where the {n} belongs?",
          "Do you know where the {n} is?", "Do you know where people keep {x}?",
          "I was wondering where you keep {x}.", "I am looking for the {n}. Where is it?",
          "I need the {n}. Where should I look?", "I can't find the {n}. Where is it?",
          "My sister lost the {n}. Where should she look for it?",
          "I forgot where the {n} belongs.", "My mother asks where the {n} is.",
          "Quick question: where do I find {x}?", "Hey, where is the {n} kept?",
          "Where is the {n} kept?", "Where is {x} kept?", "I found {x}. Where does it belong?",
          "Where do I have to look for {x}?", "I want to tidy up. Where does the {n} belong?",
          "Any idea where the {n} is?", "Where would you look for {x}?",
          "Bring me the {n}, please. Where is it?"),
         ("What is a good place for {x}?", "My sister wants to know where you keep the {n}.",
          "Would you tell me where people keep the {n}?", "If I need {x}, where do I look?",
          "I have the {n} here. Where should it go?", "the {n} belongs where?",
          "In what place would I find the {n}?",
          "My sister has the {n}. Where should she put it?",
          "Do you remember where the {n} goes?"),
         _place_items),
    Kind("material",
         ("What is {x} made of?", "What's {x} made of?", "What is the {n} made of?",
          "What are {names} made of?", "what r {names} made of", "{n} material?",
          "{n}: made of what?", "material of {x}?", "What material is {x} made of?",
          "Which material is {x} made of?", "What do you make {x} out of?",
          "What do people make {names} out of?", "What do you need to make {x}?",
          "What material do I need for {x}?", "Out of what do you make {x}?",
          "Tell me what {x} is made of.", "Tell me what {names} are made of.",
          "Please tell me what {x} is made of.", "Can you tell me what {x} is made of?",
          "Could you tell me what {names} are made of?", "Do you know what {x} is made of?",
          "Do you know what {names} are made of?", "Name the material of {x}.",
          "I was wondering what {x} is made of.",
          "My sister wants to make {x}. What does she need?", "I found {x}. What is it made of?",
          "I forgot what {names} are made of.", "My little brother asks what {x} is made of.",
          "Quick question: what is {x} made of?", "Hey, what are {names} made of?",
          "Most {names} are made of what?", "{X} is made of what?", "What is this {n} made of?",
          "What are most {names} made of?", "What did somebody make this {n} out of?",
          "Any idea what {x} is made of?", "Of what material are {names}?",
          "I'd like to know what {x} is made of.", "So what is {x} made of?"),
         ("What do people use to make {x}?", "My sister wants to know what {names} are made of.",
          "Would you tell me what people make {x} out of?",
          "If I want to make {x}, which material do I need?",
          "I have {x} here. What is it made out of?", "People make {x} out of what?",
          "the material you make {names} out of?", "I need to know what material {x} is made of.",
          "Do you remember what most {names} are made of?"),
         _material_items),
)
