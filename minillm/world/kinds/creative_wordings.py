"""How users ask for a rhyme ({x} is its subject) and for a story ({n} is its hero)."""

RHYME_PHRASINGS = (
    "Write a rhyme about {x}.", "Write a poem about {x}.", "Write me a short poem about {x}.",
    "Write a two-line rhyme about {x}.", "poem about {x}", "a rhyme about {x} pls",
    "Can you write a poem about {x}?", "Make a rhyme about {x}.", "I want a poem about {x}.",
    "Could you make up a rhyme about {x}?", "Give me a short rhyme about {x}.",
    "I need a poem about {x} for school.", "Tell me a rhyme about {x}.", "{x}, in two lines",
    "Please write two lines that rhyme about {x}.", "Do you know a poem about {x}?",
    "Say something in rhyme about {x}.", "Make up a little verse about {x}.",
    "I would like a small poem on {x}.", "My teacher wants a rhyme about {x}.",
    "hey, can you rhyme about {x}?", "Let me hear a poem about {x}.",
    "I was wondering if you could write a rhyme about {x}.", "rhyme about {x}?",
    "Write a verse on {x} for my friend.", "I like {x}. Write me a poem.",
    "Be a poet and write about {x}.", "Help me write a poem about {x}.",
    "Quick poem about {x} please.", "Two lines about {x} that rhyme, please.",
    "Can I have a rhyme on {x}?", "Think of a rhyme for my card. It is about {x}.",
    "Sing me something about {x}.", "Write a song about {x}.",
    "Create a poem about {x}.", "Can you come up with a verse about {x}?",
    "Invent a rhyme about {x}.", "little verse, {x}", "{x} rhyme pls", "{x}: a poem",
    "{x} in rhyme?", "I am in the mood for poetry. Let it be about {x}.", "Can you sing about {x}?",
    "short song about {x} please", "Write a nursery rhyme about {x}.", "Do a rap about {x}.",
    "Write a jingle about {x}.", "I need a jingle for {x}.", "Rhyme for me about {x}.",
    "Do you know a song about {x}?", "got any poems about {x}",
    "Got a rhyme for me? It should be about {x}.", "Is there a poem about {x}?",
    "Any nice verse about {x}?", "How about a poem on {x}?", "What about a little rhyme on {x}?",
    "Describe {x} like a poet.", "Tell me about {x} in verse.", "Praise {x} in a short poem.",
    "Show me what a poet you are: {x}.", "The topic is {x}. Write a poem.",
    "I have to hand in a poem about {x}.", "Homework: a poem about {x}.",
    "I am making a card and need a verse on {x}.",
    "My grandmother loves {x}. Could you write her a poem?",
    "Make me smile with a verse about {x}.", "I wish I had a poem about {x}.",
    "Could you please do a poem about {x}?", "gimme a poem about {x}",
    "Just a short rhyme on {x}, thanks.", "A poem, please. Subject: {x}.",
    "I bet you can't make a rhyme about {x}.", "Can you rhyme? Then do it about {x}.",
    "please please write a poem about {x}"
)
RHYME_PARAPHRASES = (
    "Could you write me a little poem about {x}?", "I would love to hear a rhyme on {x}.",
    "short poem on {x} pls", "Please make a verse about {x} for me.",
    "Write something that rhymes. It is about {x}.", "My friend wants a poem about {x}.",
    "Are you a poet? Then rhyme about {x}.", "Give me two lines on {x}, and they must rhyme.",
    "something poetic about {x}?", "Try to make a poem with {x} in it.",
)
STORY_PHRASINGS = (
    "Tell me a story about {n}.", "Write a story about {n}.", "Write a short story about {n}.",
    "I want a story about {n}.", "Can you tell me a story about {n}?", "a story about {n} pls",
    "story about {n}", "Tell me a short story. It is about {n}.", "Make up a story about {n}.",
    "Please tell a story with {n} in it.", "I would like to hear a story about {n}.",
    "Do you know a story about {n}?", "Tell my children a story about {n}.",
    "My daughter wants a story about {n}.", "It is late. Tell me a story about {n}.",
    "I cannot sleep. Tell me a story about {n}.", "hey, got a story about {n}?",
    "Give me a story with {n} as the hero.", "Could you write me a little story about {n}?",
    "I need a story about {n} for school.", "Let us hear a story about {n}.",
    "Write a story of four sentences about {n}.", "The hero is {n}. Write the story.",
    "Think of a story for my son. It should be about {n}.", "How about a story? {n} is in it.",
    "I was wondering if you know a tale about {n}.", "Tell us a tale of {n}.",
    "Please invent a story. The hero should be {n}.", "Have you a nice story about {n}?",
    "Tell me something that happened to {n}. Make it up.", "short story, {n}",
    "Quick bedtime story about {n} please.",
    "Tell me a tale about {n}.", "a tale about {n}", "tale of {n} please",
    "Write a fairy tale with {n}.", "Make up a fairy tale for {n}.",
    "It's bedtime. I want one about {n}.", "We need a bedtime story. {n}, please!",
    "My son is in bed and wants a story about {n}.", "Good night story about {n}?",
    "Read me a story about {n}.", "Will you read me a tale about {n}?",
    "Compose a story about {n}.", "Can you create a tiny tale with {n}?",
    "Think up a story about {n}.", "You are a storyteller. Tell us of {n}.",
    "Write me something: a story, {n} in it.", "{n} story pls", "story with {n}",
    "Any good story about {n}?", "Are there any stories with {n} in them?",
    "Have you heard the story of {n}?", "What is the story of {n}?",
    "I want to hear the tale of {n}.",
    "It begins like this: once there was {n}. Continue the story.", "Put {n} in a story.",
    "The main character is {n}. Tell me the story.", "A story, please. Main character: {n}.",
    "Write a small adventure for {n}.", "a few sentences, a story, {n}",
    "Cheer me up with a story about {n}.", "Surprise me with a tale about {n}.",
    "Make me smile: a story about {n}.", "I have to write a story about {n}. Help!",
    "My little brother loves stories about {n}.", "Would you mind telling me a story about {n}?",
    "do a story about {n}", "Let's write a story together. It's about {n}.",
    "Tell the story of {n}.", "There was once somebody called {n}. Go on with the story.",
    "A bedtime story for {n}, about {n}.", "a good yarn about {n}, please", "Got a yarn about {n}?",
    "Let me hear a yarn with {n} in it.", "fairy tale, {n}",
    "I love fairy tales. Is there one about {n}?", "Read us a bedtime story with {n} in it.",
    "Do you tell stories? Then tell one about {n}.", "{n} as the hero of a story",
    "{n}. Now make it a story.", "little story, {n}", "just a short story about {n}",
    "How does the story of {n} go?", "once upon a time there was {n}",
    "Once there was {n}. What happened then?", "Tell me about an adventure of {n}.",
    "adventure with {n} please", "I'd like to read about the adventures of {n}.",
    "In four sentences, tell a story about {n}.", "Entertain me with a story about {n}.",
    "My homework is a story about {n}.", "For class I need a tale about {n}.",
    "Help me write a story about {n}.", "Would you tell us a story of {n}?",
    "May I hear a story about {n}?", "Might I have a tale about {n}?", "gimme a story about {n}",
    "Write a page of a story book about {n}.", "A made-up story about {n} would be great.",
    "Who is the hero? It is {n}! So tell the story.", "Imagine {n}. What happens in the story?",
    "children's story, hero is {n}", "Let there be {n} in the story."
)
STORY_PHRASINGS += (
    "Tell me a story about {n} and a lost key.", "a short story about {n} and a friend",
    "story about {n} getting lost", "a story about {n} who finds a treasure please",
    "Write a short story about {n} losing a hat.", "Tell us about {n} and the old tower.",
    "a short story about {n} and the sea", "Can I have a story about {n} at school?",
    "story: {n} goes to the market", "Please tell us a short bedtime story about {n}.",
    "And a short story about {n}, if you don't mind.", "tell me a story about {n} and a bird",
    "A little story please, about {n} on a rainy day.", "ok and a short story about {n} and a ring")
STORY_PARAPHRASES = (
    "Could I have a story in which {n} is the hero?", "Please make up a tale about {n} for me.",
    "story pls, it should be about {n}", "Think of a little story with {n}.",
    "My son cannot sleep. He wants a story about {n}.", "I feel like a story about {n}.",
    "For my daughter: a short tale of {n}.", "Would you write a bedtime story? {n} is the hero.",
    "any stories about {n}?", "Let me hear what happened to {n} in a story.",
)
ANY_STORY = (  # of any hero
    "Tell me a story.", "tell me a story", "Tell me a short story.", "a story pls",
    "Can you tell me a story?", "can u tell me a short story", "I want to hear a story.",
    "Write a short story.", "Do you know a story?", "I cannot sleep. Tell me a story.",
    "a bedtime story please", "Tell me a very short story.", "Read me a story.", "story time!",
    "I am bored. Tell me a story.", "Cheer me up with a story.", "Got a story for me?",
    "Could you make up a story?", "gimme a story", "My children want a story.",
    "Tell us a little tale.", "Let me hear a story.", "a short story for tonight, please",
    "Would you tell me a good story?", "Tell me something nice, a story maybe.",
    "Please tell me a tiny story before I go to bed.")
ANY_STORY_PARAPHRASES = (
    "Could you tell me a little story?", "Tell my son a story.", "I feel like a story.",
    "one more story, if you can", "How about a bedtime story?", "I would love to hear a tale.")
ANY_RHYME = (  # of any subject
    "Write me a poem.", "Write a poem.", "Tell me a rhyme.", "a poem please", "Make a rhyme.",
    "Can you write a poem?", "Do you know a poem?", "Can you rhyme?", "a short rhyme pls",
    "I want a poem.", "Write something that rhymes.", "Give me a little verse.", "rhyme for me",
    "Let me hear a poem.", "Say a poem.", "I am in the mood for a poem.", "Sing me something.",
    "Make up a verse.", "I need a poem for a card.", "Could you write me a short poem?")
ANY_RHYME_PARAPHRASES = (
    "Please write a poem for me.", "Got a rhyme for me?", "I would like to hear a rhyme.",
    "poem pls", "Two lines that rhyme, please.", "Try to write a poem.")
CALLED = ("Tell me a story with a hero called {n}.", "Write a story. The hero is called {n}.",
          "a story about somebody called {n} pls", "Invent a hero named {n} and tell the story.")
CALLED_PARAPHRASES = ("a story with a hero called {n} pls", "Tell a story about a hero named {n}.")
# after one, of another subject or hero
ANOTHER = (
    "Now one about {x}.", "and one about {x}", "Nice. Another one about {x}, please.",
    "one about {x} too pls", "And now about {x}?", "the same about {x}", "Now do {x}.",
    "ok now about {x}", "Lovely! Can you do one about {x}?", "How about {x} this time?",
    "now {x} please", "Do another, about {x}.", "I liked that. One more, on {x}.",
    "next one about {x}", "Thanks! And about {x}?", "Can I have one about {x} as well?",
    "make another one, with {x}", "great, now {x}", "again, but about {x}",
    "That was nice. Now {x}!", "Could you do another one, with {x} in it?", "and {x}?",
    "Wonderful, and now please one about {x}.", "my son wants one about {x}",
    "Write one more. It should be about {x}.", "how about another, {x} maybe", "{x} next",
    "And a new one about {x}?", "this time about {x}", "haha good. now about {x}")
ANOTHER_RHYME_PARAPHRASES = (
    "can i get another rhyme, this time with {x}",
    "That was nice! Could you rhyme about {x} too?",
    "I'd like a second little poem, about {x} please.", "do the same again but about {x}")
ANOTHER_STORY_PARAPHRASES = (
    "Tell me another one about {x}.", "now a story with {x} in it",
    "Lovely. Do you have one about {x} as well?", "one more please, but about {x} this time",
    "Can the next story be about {x}?", "i want one more story and it should have {x}")
