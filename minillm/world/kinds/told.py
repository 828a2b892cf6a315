"""What users tell about themselves, and how they ask for it later."""

from typing import NamedTuple

from minillm.world.facts import a_an
from minillm.world.strangers import MEALS, NAMES, PLACES

NOT_TOLD = "You have not told me that."  # right whatever was asked


class Fact(NamedTuple):
    """One sort of fact that a user may tell.

    Slots: {v} is the value, {a} the value with its article; {r} the person or animal that it is
    about, if it is not about the user, and {ar} the same with its article.
    """

    sort: str  # facts of one sort have the same values
    values: tuple
    about: tuple  # values of {r}; () if the fact is about the user
    clauses: tuple  # the fact as a part of a sentence
    told: tuple
    told_paraphrases: tuple  # half of them only for evaluation
    asked: tuple
    asked_paraphrases: tuple  # half of them only for evaluation
    forms: tuple  # right answers
    # Right answers if the user has not told it. The first begins as the right answer does if it was
    # told: the model says first of whom it is asked, and then looks for that in the conversation.
    missing: tuple


OWN = (
    Fact("name", NAMES, (), ("my name is {v}", "I am {v}", "I'm {v}"),
         ("My name is {v}.", "I'm {v} btw", "call me {v}", "I am {v}.", "Hi, I am {v}.",
          "hello, my name's {v}", "You can call me {v}.", "im {v}", "hey, I'm {v}",
          "People call me {v}.", "{v} is my name.", "I am called {v}.", "my name is {v}",
          "Hello! My name is {v}.", "By the way, my name is {v}.", "Hi there, {v} here.",
          "Pleased to meet you, {v} is my name", "they named me {v}", "It's {v}.", "this is {v}",
          "{v} speaking.", "The name's {v}, nice to meet you.", "just call me {v}",
          "Please call me {v} from now on.", "everyone calls me {v}", "I go by {v}",
          "my parents named me {v}", "My first name is {v}.", "You are talking to {v}.",
          "you can say {v} to me", "{v}, that's me", "hello from {v}",
          "Let me introduce myself: {v}.", "My mum and dad gave me the name {v}.",
          "I was named {v} when I was born.", "before we start, I'm {v}", "so you know, I am {v}",
          "Remember this: my name is {v}.", "they call me {v} at school", "hey bot, {v} here",
          "good morning, this is {v}", "at home I am known as {v}",
          "If you want to know, my name is {v}.", "Nice to meet you, I'm {v}.",
          "My name? It's {v}.", "i have a nice name: {v}", "On my passport it says {v}.",
          "You may call me {v} if you like.", "hiya! {v} is what people call me",
          "I sign my letters with {v}.", "people know me as {v}", "user name: {v}", "its {v} again",
          "Write this down: I'm called {v}.", "Good evening, my name would be {v}."),
         ("Good day, I am called {v}.", "my friends call me {v}", "The name is {v}."),
         ("What is my name?", "what's my name", "Do you remember my name?", "do you know my name",
          "Tell me my name.", "who am i", "What did I say my name was?", "my name?",
          "Can you tell me my name?", "What was my name again?", "Say my name.",
          "What am I called?", "you remember what I am called, right?", "whats my name",
          "Do you still know who I am?", "I forgot my name, what is it?", "tell me who I am",
          "Which name do I have?", "what do people call me", "how should you call me",
          "By what name do I go?", "Remind me of my name, please.",
          "can you say my name", "i hope you have not forgotten my name", "my first name, please",
          "do you know who you are talking to", "Who is writing to you?",
          "who are you talking to right now", "What did I tell you my name was?",
          "a little test: what's my name?", "Let me see if you know my name.", "name of the user?",
          "And my name is?", "so, my name is ...?", "what am i named", "How do my friends call me?",
          "Which name did my parents give me?", "please write down my name",
          "Could you repeat my name?", "you know my name, don't you", "can you still tell who I am",
          "What was I called again?", "Would you please tell me what my name is?",
          "whats the name i told you", "How did I introduce myself?", "give me my name back",
          "spit it out, what's my name", "Guess my name!", "what should I write as my own name",
          "Somebody asks for my name. What do I say?", "finish this: my name is",
          "my name again pls", "do you recall my name", "who's this talking to you",
          "when I said hello, what name did I use"),
         ("Could you tell me what I am called?", "do you still know my name",
          "which name did I give you", "Who am I again?"),
         ("Your name is {v}.", "You are {v}.", "You are called {v}.",
          "You told me that your name is {v}."),
         (f"Your name? {NOT_TOLD}", "You have not told me your name.",
          "You have not told me your name yet.",
          "I do not know your name.", "I do not know who you are.",
          "You have not told me who you are.")),
    Fact("town", PLACES, (), ("I live in {v}", "I am from {v}", "I come from {v}"),
         ("I live in {v}.", "I am from {v}.", "im from {v}", "My home is in {v}.",
          "I come from {v}.", "we live in {v}", "my home town is {v}", "I moved to {v} last year.",
          "I live in a small house in {v}.", "btw i live in {v}", "{v} is my home town.",
          "Greetings from {v}, where I live!", "{v} is where I live.", "My house is in {v}.",
          "i'm a {v} person, I live there", "home for me is {v}",
          "I grew up in {v} and never left.", "My flat is in {v}.",
          "i was born in {v} and still live there", "I have lived in {v} all my life.",
          "We have a house in {v}.", "writing to you from my home in {v}", "our home is in {v}",
          "I am at home in {v}.", "I've been living in {v} for ten years.", "My address is in {v}.",
          "I just moved to {v}.", "living in {v} now", "you can find me in {v}", "{v} is my home.",
          "the town I live in is {v}", "My town is called {v}.", "I rent a room in {v}.",
          "i work and live in {v}", "hello from {v}, that's my town", "I'm based in {v}.",
          "My parents and I have our home in {v}.", "These days I live in {v}.",
          "my place is in {v}", "I spend my days in {v}, my home town.", "I call {v} my home.",
          "I settled in {v} a long time ago.", "last summer we moved to {v}",
          "My street is in {v}.", "I'm a student and live in {v}.",
          "you should know that I live in {v}", "in {v} I have a little flat",
          "My bed stands in {v}, so that is home.", "{v}! That's where I come from.",
          "I got a new home in {v}.", "Nobody knows me, but I live in {v}."),
         ("I have my home in {v}.", "my family and I live in {v}", "I was born in {v}."),
         ("Where do I live?", "where am I from", "Which town do I live in?",
          "What is my home town?", "do you remember where I live", "Tell me where I live.",
          "where is my home", "Where do I come from?", "In which town do I live?",
          "where did I say I live", "Do you know where my home is?", "my town?",
          "what's my town called", "name my home town", "Which town am I from?",
          "in what place do I live", "Where is my house?", "where's my flat",
          "Remind me where I live.", "Have you forgotten where I live?",
          "I told you where I live. Where was it?", "where did i tell you i live",
          "Where did I say I was from?", "What did I say about my home?",
          "Where do I have my home?", "whereabouts do I live", "the town I live in?",
          "my home town, please", "I live where?", "So where am I living?",
          "Say the name of my town.", "What is the name of the town I come from?",
          "Do you still remember my home town?", "could you repeat where I live",
          "Let me test you: where do I live?", "To which town would you send me a letter?",
          "Where would you find me?", "what do I write in my address, which town",
          "which town do I call home", "finish this: I live in", "where do me and my family live",
          "Where does my bed stand?", "In which town is my house?",
          "Somebody asks where I come from. What do I say?", "do you recall which town I am from",
          "what place is home for me", "Any idea where I come from?",
          "i hope you know where i live", "town of mine, do you know it",
          "Give me the name of my home town.", "at the end of the day I go home to which town",
          "Which place did I tell you I live in?"),
         ("Can you tell me where I live?", "which place do I come from",
          "What is the name of my home town?", "do you still know where I live"),
         ("You live in {v}.", "You are from {v}.", "You come from {v}.", "Your home is in {v}.",
          "Your home town is {v}."),
         (NOT_TOLD, "You have not told me where you live.", "I do not know where you live.",
          "You have not told me your home town.", "You have not told me where you come from.")),
    Fact("food", MEALS, (), ("I like {v}", "my favourite food is {v}", "I love {v}"),
         ("My favourite food is {v}.", "I love {v}.", "i like {v} most", "I like to eat {v}.",
          "my favorite food is {v}", "I eat {v} every day.",
          "I always want {v}, my favourite food.", "The food that I love is {v}.",
          "nothing is better than {v}", "I could eat {v} all day.",
          "Nothing makes me as happy as {v}.", "My best food is {v}.", "i really love {v}",
          "The best food in the world is {v}.", "I'm crazy about {v}.", "{v} for me, every day!",
          "for me the best thing to eat is {v}", "I like {v} more than any other food.",
          "I'd choose {v} over everything.", "give me {v} and I am happy", "i adore {v}",
          "my stomach always wants {v}", "I am a big fan of {v}.",
          "When I am hungry, I think of {v}.",
          "I always eat {v} on my birthday, I love it so much.", "on Sundays I treat myself to {v}",
          "If I could eat only one thing, it would be {v}.", "I can't get enough of {v}.",
          "i'm mad about {v}", "My mother makes {v} for me because I love it.",
          "what I like most is {v}", "What I like to eat best? {v}!",
          "top of my list of foods: {v}", "My number one food is {v}.",
          "there is no food that I like more than {v}",
          "for dinner I always choose {v}", "I'd walk a mile for {v}.", "yum, {v}, I love that",
          "i never say no to {v}", "I'm so fond of {v}.", "The thing I like to eat most is {v}.",
          "{v}, mmm, nothing tastes better", "you can make me happy with {v}",
          "I enjoy {v} more than anything.", "My heart belongs to {v}.",
          "i have loved {v} since I was little", "In my kitchen there is always {v}, my favourite.",
          "please remember that I love {v}", "As a child I already loved {v}."),
         ("Of all food I like {v} best.", "I cannot live without {v}."),
         ("What is my favourite food?", "what do I like to eat", "What food do I love?",
          "do you remember what I like to eat", "Tell me my favourite food.", "my favorite food?",
          "Which food do I like best?", "what did I say I like to eat", "What do I love to eat?",
          "Which food makes me happy?", "what do i like best",
          "What should you cook for me?", "name the food I like", "remind me what I like to eat",
          "what food am I crazy about", "Have you forgotten my favourite food?",
          "I told you what I love to eat. What was it?", "What is the best food for me?",
          "what do I eat most gladly", "If you cook for me, what do you make?",
          "Which food did I tell you about?", "what did I say is my favourite", "food that I love?",
          "So what do I like to eat?", "what could I eat all day", "Which dish would I choose?",
          "a test: what is my favorite food?", "I bet you forgot which food I like.",
          "Let me see if you know what I eat best.", "What do I want on my plate?",
          "what should I get for my birthday dinner", "You are my cook today. What do I get?",
          "finish this: I love to eat", "and the food I love is?", "tell me which food I like most",
          "Give me the name of my favourite food.", "what am I fond of eating",
          "what's on top of my list of foods", "pls say what I love to eat",
          "which food would I never say no to", "what do I like so much",
          "what meal is my favourite", "I am hungry. Which food do I like best?",
          "For lunch I want my favourite. What is it?", "Did you keep in mind what I like to eat?",
          "What food could I not live without?", "say my favourite food",
          "what do I most like eating"),
         ("Can you tell me my favourite food?", "which food do I love",
          "what is it that I like to eat"),
         ("You like {v}.", "You love {v}.", "Your favourite food is {v}.", "You like to eat {v}."),
         (NOT_TOLD, "You have not told me your favourite food.",
          "You have not told me what you like to eat.",
          "I do not know your favourite food.", "I do not know what you like to eat.")),
)


def slots_of(value, about):
    """The slots of a fact's wordings."""
    return {"v": value, "a": a_an(value), "r": about, "ar": about and a_an(about)}
