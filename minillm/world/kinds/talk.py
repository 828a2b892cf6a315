"""Small talk: greetings, thanks and goodbyes, and what users say about how they feel."""

from functools import lru_cache
from typing import NamedTuple

from minillm.world.kinds.kind import Item, Kind
from minillm.world.likeness import likeness, resembles, sentences
from minillm.world.manners import ADDITIONS, PERSONA, SENTENCE

NEAR = 0.75  # from 0 to 1; a right sentence is more like a known one than this


class Sort(NamedTuple):
    """Remarks that all get the same reply."""

    answer: str  # the short reply: "hello"
    replies: tuple  # full replies that fit; fine-tuning teaches the first
    phrasings: tuple
    paraphrases: tuple  # half of them only for evaluation


GREETINGS = (
    Sort("hello", ("Hello! How can I help you?", "Hi! How can I help you?", "Hello, my friend!",
                   "Hello! What can I do for you?"),
         ("Hello!", "hi", "hey", "Hi there!", "hello there", "hey you", "Hi, can you help me?",
          "Hello, I need some help.", "hey there, anybody home?", "Greetings!", "hiya", "yo",
          "Hello again!", "hi assistant", "hello computer"),
         ("Hi, I need some help.", "it is good to see you", "Hello my friend",
          "Is anybody there?")),
    Sort("good morning", ("Good morning! How can I help you?", "Good morning to you!",
                          "Hello! How can I help you?"),
         ("Good morning!", "good morning", "Good morning to you!", "Hi, good morning!", "morning",
          "Good morning, my friend!", "Hello and good morning!", "gm", "a very good morning"),
         ("Hello, good morning!", "what a lovely morning", "Good morning to you, my friend!")),
    Sort("good evening", ("Good evening! How can I help you?", "Good evening to you!",
                          "Hello! How can I help you?"),
         ("Good evening!", "good evening", "Hello, good evening to you.", "evening",
          "Good evening, my friend!", "Hi and good evening!", "a very good evening to you"),
         ("Good evening to you!", "what a lovely evening", "evening, friend")),
    Sort("good afternoon", ("Good afternoon! How can I help you?", "Good afternoon to you!",
                            "Hello! How can I help you?"),
         ("Good afternoon!", "good afternoon", "Hi, good afternoon!", "afternoon",
          "Good afternoon, my friend!", "Hello and good afternoon to you."),
         ("Good afternoon to you!", "what a lovely afternoon", "afternoon, friend")),
    Sort("good night", ("Good night! Sleep well.", "Sleep well!", "Good night, and see you soon."),
         ("Good night!", "good night", "gn", "Good night, my friend.", "I am going to bed now.",
          "nighty night", "Time to sleep, good night."),
         ("Good night and sleep well!", "ok good night then", "going to bed, good night")),
    Sort("welcome", ("You are welcome.", "You are very welcome!", "You are welcome, my friend.",
                     "I am glad that I could help."),
         ("Thank you!", "thanks", "thx", "Thank you for your help.", "thanks a lot", "ty",
          "Thank you, my friend!", "Thank you very much!", "many thanks", "cheers", "Thanks, bye!",
          "That was a great help.", "thank you so much", "Thanks for the answer."),
         ("Thank you very much for your help.", "thanks, that was very good", "oh thanks a lot",
          "That helped me, thank you.")),
    Sort("goodbye", ("Goodbye! See you soon.", "Bye! See you soon.", "See you soon!",
                     "Goodbye, and have a nice day!"),
         ("Goodbye!", "bye", "bye bye", "See you!", "see you later", "I must go now.", "cya",
          "Goodbye, my friend!", "I have to go now.", "ok bye", "See you tomorrow.",
          "That is all for today, bye.", "talk to you later", "farewell", "I am leaving now."),
         ("Goodbye, I must go now.", "bye, see you soon", "ok, I have to leave now",
          "See you next time!")),
    Sort("fine", ("I am fine, thank you. How are you?", "I am fine. How can I help you?",
                  "I am very well, thank you.", "I am doing well."),
         ("How are you?", "how are you", "How are you today?", "hi, how are you doing?",
          "how r u", "How do you do?", "Hello, how are you?", "how is it going", "Are you well?",
          "How is your day?", "Are you ok?", "what's up", "sup", "how have you been"),
         ("Hello, how are you today?", "hi how is your day going", "Are you feeling well?",
          "how are things with you")),
    Sort("that is all right", ("That is all right.", "No problem. That is all right.",
                               "Do not worry. That is all right.", "That is fine."),
         ("Sorry!", "I am sorry.", "sorry about that", "oops", "my mistake", "Please forgive me.",
          "oh sorry", "Oops, that was my mistake.", "I did not want to say that.", "my bad"),
         ("I am so sorry.", "sorry, my mistake", "Sorry, I did not want to say that.")),
    Sort("good", ("Good. Ask me something else.", "Good. What else do you want to know?",
                    "All right. What else can I do for you?", "Good. Ask me something."),
         ("ok", "okay", "Ok.", "all right", "I see.", "k", "right", "fine", "got it", "sure",
          "Okay, I understand.", "yes", "no", "hmm", "aha", "Oh, I see."),
         ("ok then", "okay, got it", "Ah, I see now.", "alright")),
    Sort("I am glad", ("I am glad that you like it.", "I am glad that you like it. Thank you!"),
         ("cool", "nice", "wow", "Great!", "That is great.", "awesome", "That is very good.",
          "very nice", "good answer", "perfect", "That was right.", "what a nice answer"),
         ("That is so cool.", "wow, very nice", "great answer!")),
    Sort("thank you", ("Thank you! That is kind.", "Thank you, you are kind.", "Thank you!",
                       "That is kind. Thank you!"),
         ("I like you.", "You are great!", "you are so smart", "Good bot.", "Well done!",
          "good job", "I love you", "You are very kind.", "you are nice", "You are my friend.",
          "clever bot"),
         ("I really like you.", "you did that well", "You are so clever!")),
    Sort("haha", ("Haha! I like to laugh.", "I like to laugh, too.", "Haha!"),
         ("lol", "haha", "Hahaha!", "that is funny", "You are funny!", "lmao", "rofl", ":)",
          "That made me laugh.", "hehe"),
         ("haha, that is so funny", "lol you are funny", "hahaha very funny")),
    Sort("of course", ("Of course! What do you want to know?", "Of course. Ask me a question.",
                       "Yes! What do you want to know?"),
         ("Can you help me?", "can i ask you something", "Please help me.", "help",
          "I have a question.", "May I ask a question?", "I need your help with something.",
          "Do you have time for me?", "Can we talk?", "Are you there?", "let us talk",
          "I want to ask you something."),
         ("Could you help me please?", "i have a question for you", "May I ask you something?",
          "Can I talk with you?")),
)

MOODS = (
    Sort("I am sorry to hear that",
         ("I am sorry to hear that. I hope you feel better soon.", "I am sorry to hear that.",
          "That is sad. I hope you feel better soon.", "I hope tomorrow is a better day."),
         ("I am sad.", "i am so sad today", "im sad", "I feel bad.", "I feel sad today.",
          "I am unhappy.", "i feel down", "I want to cry.", "I had a bad day.", "I feel lonely.",
          "Nobody likes me.", "today was awful", "i feel terrible", "I am not happy.",
          "I am not feeling good.", "I am very lonely today.", "I lost my job.",
          "I failed my test.", "my friend is angry with me", "I miss my mother."),
         ("I am feeling very sad.", "i had such a bad day today", "I feel so alone.",
          "Today I am unhappy.")),
    Sort("I am so sorry",
         ("I am so sorry. That is very sad.", "I am so sorry.", "I am very sorry for your loss.",
          "I am sorry to hear that."),
         ("My dog died.", "my cat died yesterday", "My grandmother died.", "my rabbit is dead",
          "I am sad because my dog died.", "My grandfather died last week.", "our old cat died",
          "My horse died today.", "my best friend died", "I lost my dog."),
         ("My old dog died yesterday.", "my grandma died", "Our cat is dead.",
          "I am so sad, my hamster died.")),
    Sort("I am glad to hear that",
         ("I am glad to hear that. Have a nice day!", "I am glad to hear that.",
          "I am happy to hear that.", "That is good to hear."),
         ("I am happy.", "i feel great today", "im so happy", "I feel good.", "I am fine.",
          "I am very well, thank you.", "I had a good day.", "today was great", "Life is good.",
          "I am in a good mood.", "i am good, thanks", "I am well.", "I am having a lovely day.",
          "im ok", "I feel wonderful.", "I am in love!", "doing great", "not bad"),
         ("I am very happy today.", "i feel so good", "Today is a very good day.",
          "I am doing fine.")),
    Sort("well done",
         ("Well done! That is great news.", "Well done!", "That is great news!"),
         ("I won a prize!", "I passed my test.", "i got a new job", "We won the game!",
          "I got the best mark in school.", "my team won today", "I finished my book.",
          "I learned to swim!", "i won the race", "I baked my first cake.",
          "I have good news: I won."),
         ("I passed the test today!", "we won the race", "I have a new job!",
          "my team won the game")),
    Sort("get some rest",
         ("You should get some rest. Sleep well!", "Then you should get some rest.",
          "I hope you can sleep soon.", "Sleep well!"),
         ("I am tired.", "im so tired", "I am very sleepy.", "I need some sleep.",
          "i did not sleep last night", "I worked all day.", "I feel tired today.",
          "i cannot keep my eyes open", "I could not sleep.", "what a long day", "I am worn out."),
         ("I am really tired.", "i feel very sleepy", "I need to go to sleep.",
          "I did not sleep well.")),
    Sort("let us talk",
         ("Then let us talk! Ask me about an animal or a country.", "Let us talk!",
          "You can ask me about an animal or a country.", "I can tell you a short story."),
         ("I am bored.", "im bored", "I am so bored today.", "I have nothing to do.",
          "this is boring", "i do not know what to do", "What should we talk about?",
          "Let us talk about something.", "talk to me", "say something", "Tell me something.",
          "There is nothing to do here.", "so bored", "Everything is boring."),
         ("I am very bored.", "i have nothing to do today", "Can you tell me something?",
          "What can we talk about?")),
    Sort("take a deep breath",
         ("I understand. Take a deep breath.", "Take a deep breath.",
          "I am sorry to hear that. Take a deep breath."),
         ("I am angry.", "im so angry", "I am very angry with my brother.", "that makes me mad",
          "I am mad at my friend.", "i hate this day", "I am furious!", "This makes me so angry.",
          "my sister made me angry", "I want to shout.", "I am annoyed.", "ugh"),
         ("I am so angry today.", "i am really mad", "My friend makes me angry.",
          "This day makes me mad.")),
    Sort("get well soon",
         ("I am sorry to hear that. Get well soon!", "Get well soon!",
          "I hope you feel better soon.", "I am sorry to hear that.",
          "You should see a doctor. Get well soon!"),
         ("I am ill.", "im sick", "I have a cold.", "my head hurts", "I feel sick.",
          "I am sick today.", "My tooth hurts.", "i have a headache", "My leg is broken.",
          "I hurt my foot.", "I feel ill.", "my stomach hurts", "I have to stay in bed, I am ill."),
         ("I am feeling sick today.", "my foot hurts", "I am ill and in bed.",
          "i have a bad cold")),
    Sort("do not worry",
         ("Do not worry. It will be all right.", "Do not worry.", "It will be all right.",
          "I hope that all goes well."),
         ("I am afraid.", "im scared", "I am worried.", "I am nervous about my test.",
          "I am scared of the dark.", "i have a test tomorrow", "I worry a lot.",
          "I am so nervous.", "i feel afraid", "What if it goes wrong?", "I had a bad dream.",
          "I am afraid of dogs."),
         ("I am very worried.", "i am so scared", "I am nervous today.",
          "I am afraid of the night.")),
    Sort("eat something",
         ("Then you should eat something. Do you like soup?", "Then you should eat something.",
          "You should eat something good."),
         ("I am hungry.", "im so hungry", "I need food.", "I want to eat.", "i could eat a horse",
          "I did not eat today.", "I am very hungry now.", "my stomach is empty", "so hungry"),
         ("I am so hungry today.", "i want some food", "I have not eaten today.")),
    Sort("happy birthday",
         ("Happy birthday! Have a lovely day.", "Happy birthday!", "Happy birthday to you!"),
         ("It is my birthday!", "today is my birthday", "my birthday is today",
          "It is my birthday today.", "guess what, it's my birthday", "I have my birthday today.",
          "Today I am one year older.", "its my bday"),
         ("Today I have my birthday!", "I have a birthday today", "I am one year older today.")),
)


def sort_items(sorts):
    """One item for each sort; its wrong replies share no sentence with those that fit."""
    items = []
    for sort in sorts:
        fitting = _sentences(sort.replies)
        strange = {reply: other.answer for other in sorts for reply in other.replies
                   if other is not sort and not _sentences((reply,)) & fitting}
        items.append(Item({}, sort.answer, sort.replies[0], tuple(strange.values()),
                          tuple(strange), also=sort.replies[1:], phrasings=sort.phrasings,
                          paraphrases=sort.paraphrases))
    return items


def right_reply(request, response):
    """Some sentence of the text fits the remark, and none fits other remarks better."""
    pairs = likenesses(request, response)
    strange = any(wrong > NEAR and wrong >= right for right, wrong in pairs)
    return says_what_fits(request, response) and not strange


def says_what_fits(request, response):
    """Some sentence of the text fits the remark better than others, and no word denies it."""
    replies = (request.sentence, *request.also, request.answer + ".")
    return (any(right > max(NEAR, wrong) for right, wrong in likenesses(request, response))
            and resembles(response, replies))


def likenesses(request, response):
    """For each sentence its likeness to the replies that fit, and to those that fit others only."""
    fitting = _sentences((request.sentence, *request.also, request.answer + "."))
    strange = _sentences(request.wrong_sentences) - fitting - _sentences(ADDITIONS)
    return [(likeness(sentence, fitting), likeness(sentence, strange))
            for sentence in sentences(response.lower())]


@lru_cache(maxsize=256)  # tuples of texts
def _sentences(texts):
    """The different sentences of some texts, in lower case."""
    return frozenset(sentence for text in texts for sentence in sentences(text.lower()))


def _greeting_items(world):
    return sort_items(GREETINGS)


def _mood_items(world):
    return sort_items(MOODS)


KINDS = (
    Kind("greeting", (), (), _greeting_items, (SENTENCE, PERSONA), 5.0, right=right_reply,
         casual=False),
    Kind("mood", (), (), _mood_items, (SENTENCE, PERSONA), 3.0, right=right_reply, casual=False),
)
