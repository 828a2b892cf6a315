"""What users tell about themselves and about others, and how they ask for it later."""

from typing import NamedTuple

from minillm.world import invented
from minillm.world.facts import a_an
from minillm.world.strangers import MEALS, NAMES, PLACES, RELATIVES, SPECIES


class Fact(NamedTuple):
    """One sort of fact that a user may tell.

    Slots: {v} is the value, {a} the value with its article; {r} the person or animal that it is
    about, if it is not about the user, and {ar} the same with its article.
    """

    sort: str  # facts of one sort have the same values
    values: tuple
    about: tuple  # values of {r}; () if the fact is about the user
    clause: str  # the fact as a part of a sentence
    told: tuple
    told_paraphrases: tuple  # half of them only for evaluation
    asked: tuple
    asked_paraphrases: tuple  # half of them only for evaluation
    forms: tuple  # right answers
    missing: tuple  # right answers if the user has not told it


OWN = (
    Fact("name", NAMES, (), "my name is {v}",
         ("My name is {v}.", "I'm {v} btw", "call me {v}", "I am {v}.", "Hi, I am {v}.",
          "hello, my name's {v}", "You can call me {v}.", "im {v}", "hey, I'm {v}",
          "People call me {v}.", "{v} is my name.", "I am called {v}.", "my name is {v}",
          "Hello! My name is {v}.", "By the way, my name is {v}.", "Hi there, {v} here."),
         ("Good day, I am called {v}.", "my friends call me {v}", "The name is {v}."),
         ("What is my name?", "what's my name", "Do you remember my name?", "do you know my name",
          "Tell me my name.", "who am i", "What did I say my name was?", "my name?",
          "Can you tell me my name?", "What was my name again?", "Say my name.",
          "What am I called?", "you remember what I am called, right?", "whats my name",
          "Do you still know who I am?", "I forgot my name, what is it?"),
         ("Could you tell me what I am called?", "do you still know my name",
          "which name did I give you", "Who am I again?"),
         ("Your name is {v}.", "You are {v}.", "You are called {v}.",
          "You told me that your name is {v}."),
         ("You have not told me your name.", "You have not told me your name yet.",
          "I do not know your name.", "I do not know who you are.",
          "You have not told me who you are.")),
    Fact("town", PLACES, (), "I live in {v}",
         ("I live in {v}.", "I am from {v}.", "im from {v}", "My home is in {v}.",
          "I come from {v}.", "we live in {v}", "my home town is {v}", "I moved to {v} last year.",
          "I live in a small house in {v}.", "btw i live in {v}", "{v} is my home town.",
          "Greetings from {v}, where I live!"),
         ("I have my home in {v}.", "my family and I live in {v}", "I was born in {v}."),
         ("Where do I live?", "where am I from", "Which town do I live in?",
          "What is my home town?", "do you remember where I live", "Tell me where I live.",
          "where is my home", "Where do I come from?", "In which town do I live?",
          "where did I say I live", "Do you know where my home is?", "my town?"),
         ("Can you tell me where I live?", "which place do I come from",
          "What is the name of my home town?", "do you still know where I live"),
         ("You live in {v}.", "You are from {v}.", "You come from {v}.", "Your home is in {v}.",
          "Your home town is {v}."),
         ("You have not told me where you live.", "I do not know where you live.",
          "You have not told me your home town.", "You have not told me where you come from.")),
    Fact("food", MEALS, (), "I like {v}",
         ("My favourite food is {v}.", "I love {v}.", "i like {v} most", "I like to eat {v}.",
          "my favorite food is {v}", "I eat {v} every day.",
          "I always want {v}, my favourite food.", "The food that I love is {v}.",
          "nothing is better than {v}", "I could eat {v} all day."),
         ("Of all food I like {v} best.", "I cannot live without {v}."),
         ("What is my favourite food?", "what do I like to eat", "What food do I love?",
          "do you remember what I like to eat", "Tell me my favourite food.", "my favorite food?",
          "Which food do I like best?", "what did I say I like to eat", "What do I love to eat?"),
         ("Can you tell me my favourite food?", "which food do I love",
          "what is it that I like to eat"),
         ("You like {v}.", "You love {v}.", "Your favourite food is {v}.", "You like to eat {v}."),
         ("You have not told me your favourite food.", "You have not told me what you like to eat.",
          "I do not know your favourite food.", "I do not know what you like to eat.")),
)

OTHERS = (
    Fact("name", NAMES, RELATIVES, "my {r} is called {v}",
         ("My {r} is called {v}.", "my {r}'s name is {v}", "I have {ar} called {v}.",
          "The name of my {r} is {v}.", "This is my {r} {v}.", "my {r} {v} is here",
          "We call my {r} {v}.", "my {r} has a nice name: {v}"),
         ("{v} is the name of my {r}.", "everybody calls my {r} {v}"),
         ("What is my {r} called?", "what's my {r}'s name", "Who is my {r}?",
          "What is the name of my {r}?", "do you remember the name of my {r}",
          "Tell me my {r}'s name.", "my {r}'s name?"),
         ("Can you tell me the name of my {r}?", "how do we call my {r}",
          "which name does my {r} have"),
         ("Your {r} is called {v}.", "Your {r}'s name is {v}.", "The name of your {r} is {v}."),
         ("You have not told me your {r}'s name.", "You have not told me the name of your {r}.",
          "I do not know your {r}'s name.", "I do not know the name of your {r}.")),
    Fact("pet's name", invented.PET_NAMES, SPECIES, "my {r} is called {v}",
         ("My {r} is called {v}.", "my {r}'s name is {v}", "I have {ar} called {v}.",
          "The name of my {r} is {v}.", "This is my {r} {v}.", "We call our {r} {v}.",
          "i named my {r} {v}", "My little {r} {v} is sleeping."),
         ("{v} is the name of my {r}.", "I gave my {r} the name {v}."),
         ("What is my {r} called?", "what's my {r}'s name", "What is the name of my {r}?",
          "do you remember the name of my {r}", "Tell me my {r}'s name.", "my {r}'s name?",
          "How do I call my {r}?"),
         ("Can you tell me the name of my {r}?", "which name did I give my {r}",
          "how do we call my {r}"),
         ("Your {r} is called {v}.", "Your {r}'s name is {v}.", "The name of your {r} is {v}."),
         ("You have not told me your {r}'s name.", "You have not told me the name of your {r}.",
          "I do not know your {r}'s name.", "I do not know the name of your {r}.")),
    Fact("town", PLACES, RELATIVES, "my {r} lives in {v}",
         ("My {r} lives in {v}.", "my {r} is from {v}", "My {r} has a house in {v}.",
          "my {r} moved to {v}", "The home of my {r} is in {v}.", "I visit my {r} in {v}.",
          "My {r} comes from {v}."),
         ("{v} is the home town of my {r}.", "my {r} has lived in {v} for years"),
         ("Where does my {r} live?", "where is my {r} from", "Which town does my {r} live in?",
          "do you remember where my {r} lives", "Tell me where my {r} lives.",
          "where is my {r}'s home"),
         ("Can you tell me where my {r} lives?", "in which town is my {r}'s home",
          "What is my {r}'s home town?"),
         ("Your {r} lives in {v}.", "Your {r} is from {v}.", "Your {r} comes from {v}."),
         ("You have not told me where your {r} lives.", "I do not know where your {r} lives.",
          "You have not told me your {r}'s home town.")),
)


def slots_of(value, about):
    """The slots of a fact's wordings."""
    return {"v": value, "a": a_an(value), "r": about, "ar": about and a_an(about)}
