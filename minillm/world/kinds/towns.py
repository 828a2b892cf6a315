"""Requests about the invented towns: the river, what there is to see, what a town is famous for."""

from minillm.world.kinds.kind import Kind
from minillm.world.kinds.telling import fact_items, rows_of

RIVER = (
    ("Which river flows through {n}?", "What river is {n} on?",
     "What is the river of {n} called?", "What's the name of the river in {n}?", "river in {n}?",
     "{n} river", "whats the river in {n} called", "On which river does {n} lie?",
     "Tell me which river flows through {n}.", "Name the river of {n}.",
     "Can you tell me the river of {n}?", "Do you know which river {n} lies on?",
     "I want to fish in {n}. In which river?", "I was wondering which river flows through {n}.",
     "My teacher asks which river {n} is on.", "Hey, what river do people in {n} fish in?",
     "{n}'s river", "river of {n}", "river through {n}?", "name of {n}'s river",
     "{n}, on the river ...", "{n} lies on the river",
     "Fill in the gap: the river in {n} is the ...", "Town: {n}. River: ?",
     "Which river runs through {n}?", "What river runs past {n}?", "What river passes through {n}?",
     "Which river goes through {n}?", "what river crosses {n}", "What stream flows through {n}?",
     "What water flows through {n}?", "Which river has {n} on its banks?",
     "On the banks of which river is {n}?", "On the bank of what river does {n} stand?",
     "{n} stands on which river?", "{n} is built on what river?", "Is there a river in {n}?",
     "Does a river flow through {n}?", "There is a river in {n}. What is it called?",
     "What name does the river in {n} have?", "what do they call the river at {n}",
     "I stand on a bridge in {n}. Which river is under me?",
     "In {n} I want to go on a boat. On which river?", "We go rowing in {n}. Which river is it?",
     "I caught a fish in {n}. In what river was that?",
     "In which river do the children of {n} swim?", "Where do people fish in {n}?",
     "I need it for a crossword: the river in {n}.", "Geography question: the river of {n}?",
     "My dad wants to know the name of the river in {n}.", "Remind me which river is in {n}.",
     "What was the river in {n} again?", "Would you happen to know the name of {n}'s river?",
     "Could I have the name of the river at {n}?", "can't remember the river of {n}",
     "do u know what river {n} is on"),
    ("There is a river in {n}. What is its name?", "In {n}, which river can I fish in?",
     "Would you tell me what the river in {n} is called?", "What is the name of {n}'s river?"),
)
LANDMARK = (
    ("What can you see in {n}?", "What can I see in {n}?", "What should I see in {n}?",
     "What is there to see in {n}?", "what is in the middle of {n}", "{n}: what to see?",
     "What is the best known place in {n}?", "Why do visitors come to {n}?",
     "What do visitors want to see in {n}?", "What is {n} proud of?",
     "Tell me what I can see in {n}.", "Tell me the best known place in {n}.",
     "Can you tell me what to see in {n}?", "Do you know a good place to see in {n}?",
     "I am going to {n}. What should I see there?", "I have a day in {n}. What can I look at?",
     "Hey, what is there in the middle of {n}?", "What are the sights of {n}?", "sights in {n}",
     "sightseeing in {n}?", "{n} sights pls", "{n} landmark", "Which landmark does {n} have?",
     "What is the landmark of {n}?", "What's the main sight in {n}?",
     "What is {n}'s main attraction?", "tourist attraction in {n}?",
     "What do tourists look at in {n}?", "What do tourists take pictures of in {n}?",
     "What should I take a photo of in {n}?", "What is on the postcards of {n}?",
     "What's worth seeing in {n}?", "What is worth a visit in {n}?",
     "Is there anything to see in {n}?", "Is there something nice to look at in {n}?",
     "Anything worth a look in {n}?", "What stands in the middle of {n}?",
     "What stands in the centre of {n}?", "What's in the centre of {n}?",
     "{n} town centre: what is there?", "What must I not miss in {n}?",
     "What should nobody miss in {n}?", "Where do visitors go in {n}?",
     "Which place should I visit in {n}?", "Which spot in {n} do guests like to see?",
     "Which place in {n} does everybody know?", "Show me around {n}. What do we look at?",
     "Be my guide in {n}: what is there to see?", "I am a tourist in {n}. What can I look at?",
     "My aunt visits {n} tomorrow. What should she see?",
     "I want to draw {n}. Which sight should I draw?", "Name a sight in {n}.",
     "Name the landmark of {n}.", "Remind me what you can see in {n}.",
     "Would you happen to know what there is to see in {n}?", "Could you recommend a sight in {n}?",
     "Fill in the gap: in {n} you can see ..."),
    ("What do people come to see in {n}?", "If I visit {n}, what should I look at?",
     "Which place do people in {n} know best?", "Would you tell me what visitors see in {n}?"),
)
FAMOUS_FOR = (
    ("What is {n} famous for?", "What is {n} known for?", "What's {n} famous for?",
     "whats {n} known for", "{n} famous for?", "Why is {n} famous?", "Why do people know {n}?",
     "What do they make in {n}?", "What do people buy in {n}?", "What can I buy in {n}?",
     "What do the shops of {n} sell?", "Tell me what {n} is famous for.",
     "Can you tell me what {n} is known for?", "Do you know what {n} is famous for?",
     "I was wondering what {n} is famous for.", "I am going to {n}. What should I buy there?",
     "Hey, what does {n} make best?", "{n} is famous for its", "{n} is known for ... what?",
     "Fill in the gap: {n} is famous for its ...", "{n}'s claim to fame",
     "What is {n}'s claim to fame?", "What is {n} renowned for?", "For what is {n} famous?",
     "what is {n} well known for", "What made {n} famous?", "What makes {n} famous?",
     "What gave {n} its good name?", "How did {n} become famous?",
     "Why has everybody heard of {n}?", "What do people think of when they hear {n}?",
     "What is {n}'s speciality?", "local product of {n}", "What is the local product in {n}?",
     "What is {n}'s best product?", "What goods come from {n}?", "What comes from {n}?",
     "What does {n} produce?", "What do they produce in {n}?", "What is made in {n}?",
     "What do the people of {n} make?", "What are the people of {n} good at making?",
     "What do they sell in {n}?", "What does {n} sell to other towns?",
     "What is good to buy in {n}?", "What's a good souvenir from {n}?", "souvenir from {n}?",
     "What present can I bring you from {n}?", "What do visitors carry home from {n}?",
     "My aunt goes shopping in {n}. What should she get?",
     "I'm in {n} with some money. What shall I buy?", "My dad asks why {n} is so famous.",
     "Remind me what {n} is famous for.", "Would you happen to know what {n} is renowned for?",
     "Name the thing that {n} is famous for.", "Is {n} famous for something?",
     "do u know why {n} is famous"),
    ("What do people like to buy from {n}?", "If I go to {n}, what should I buy?",
     "What is it that {n} makes best?", "My sister wants to know what {n} is known for."),
)


OPEN = (  # answered with what there is to see
    ("Tell me about {n}.", "tell me about {n}", "What is {n} like?", "{n}?", "Do you know {n}?",
     "what is {n} like", "Describe {n}.", "Tell me more about {n}.", "Say something about {n}.",
     "Tell me something about {n}, please.", "do you know anything about a town called {n}",
     "What can you tell me about {n}?", "I am new in {n}. Tell me about it.", "what about {n}",
     "Give me a fact about {n}.", "Have you heard of {n}?", "I want to know more about {n}.",
     "My aunt lives in {n}. What do you know about it?", "a few words about {n} pls",
     "What is special about {n}?", "What kind of town is {n}?", "Is {n} a town or a person?",
     "is {n} a town", "What is {n}?"),
    ("what do you know about {n}", "I have never been to {n}, what is it like?",
     "Could you describe {n} for me?", "so {n}, anything worth knowing",
     "I'd love to hear a bit more about the town of {n}."),
)


def _town_items(world):
    """Four items for each town."""
    columns = [_items(world, field, forms, wordings) for field, forms, wordings in (
        ("river", ("The river {y} flows through {n}.", "The {y} flows through {n}.",
                   "{n} lies on the {y}.", "It is called the {y}.", "The river is called the {y}.",
                   "{n} is on the river {y}."), RIVER),
        ("landmark", ("You can see the {y} in {n}.", "In {n} you can see the {y}.",
                      "You can see the {y}.", "You should see the {y}.",
                      "People come to {n} to see the {y}."), LANDMARK),
        ("famous_for", ("{n} is famous for its {y}.", "{n} is famous for {y}.",
                        "{n} is known for {y}.", "It is famous for its {y}.",
                        "{n} makes good {y}.", "You can buy {y} in {n}.",
                        "People go there to buy {y}."), FAMOUS_FOR),
        ("landmark", ("You can see the {y} in {n}.", "In {n} you can see the {y}.",
                      "You can see the {y}."), OPEN))]
    return [item for row in zip(*columns) for item in row]


def _items(world, field, forms, wordings):
    """One item for each town, about one field."""
    return [item._replace(phrasings=wordings[0], paraphrases=wordings[1])
            for item in fact_items(field, rows_of(world.towns, field), forms)]


KINDS = (Kind("town fact", (), (), _town_items, weight=2.0),)
