"""What users say to any answer: say it shorter, are you sure, say it again, thanks."""

SHORTER = ("Say it shorter.", "shorter please", "In one word, please.", "Shorter!", "too long",
           "that is too long", "Can you say it in one word?", "make it short",
           "Just the answer, please.", "only one word", "cut it down", "briefly, please",
           "one word will do", "Give me just the one word.", "less words please",
           "That was long. Say it in one word.", "can you make that shorter",
           "Say only the word I need.", "no full sentence please",
           "in a single word", "just one word, ok?", "keep it short",
           "not a whole sentence, only the answer", "I want it in one word.", "short version pls",
           "Use one word.", "Could you be brief?", "I only need the word.", "too many words")
SHORTER_PARAPHRASES = ("Can you say that in a shorter way?", "a short answer, please",
                       "Fewer words.")
SURE = ("Are you sure?", "really?", "Is that true?", "is that right", "Are you certain?",
        "sure?", "Do you really think so?", "are you sure about that", "Is this correct?",
        "100 percent sure?", "you sure?", "no doubt about it?",
        "I don't believe it, is it true?", "honestly?", "Can I be sure of that?",
        "Do you know that for sure?", "truly?", "you are not making that up?", "are u sure",
        "hm, are you quite sure", "seriously?", "Is it true what you say?",
        "is that the right answer", "I thought it was something else. Are you sure?",
        "really and truly?", "So that is correct?", "Would you bet on it?",
        "are you certain about this one", "oh, really?", "That surprises me. Is it true?")
SURE_PARAPHRASES = ("Are you really sure of that?", "is it really so", "Can that be true?")
AGAIN = ("Say that again.", "repeat that", "Again, please.", "What did you say?", "pardon?",
         "sorry, what?", "Can you repeat that?", "come again?", "I did not hear you.",
         "say it once more", "One more time, please.", "sorry, I missed that", "say what?", "what?",
         "Could you say it again?", "huh?", "Please repeat your answer.", "I missed it. Once more?",
         "tell me again", "What was your answer?", "excuse me, what was that", "again pls",
         "I didn't catch that.", "Pardon me?", "your last answer again, please",
         "Would you repeat it for me?", "write it again", "My screen was off. What did you write?",
         "i did not get that, say it again", "what was it you said")
AGAIN_PARAPHRASES = ("Could you repeat your answer?", "what was that again",
                     "Tell me that once more.")
THANKS = ("Thanks!", "thank you", "thx", "Thank you, that helps.", "great, thanks", "ok thanks",
          "Thank you very much.", "thanks for the answer", "nice, thank you", "cheers", "ty",
          "many thanks", "That is what I needed, thanks.", "thanks a bunch", "perfect, thank you",
          "Thank you so much!", "thanks, now I know", "ah, thank you", "Thanks for telling me.",
          "wonderful, thank you very much", "I thank you.", "tysm",
          "thanks, that's all I wanted to know", "Great answer, thank you!", "ok thx",
          "very helpful, thanks", "thank you for that", "That was quick, thanks!")
THANKS_PARAPHRASES = ("That helps me, thank you.", "oh great, thanks a lot",
                      "Thanks, good to know.")
WELCOME = ("You are welcome.", "You are very welcome!", "You are welcome, my friend.")
