"""Requests that name a cause and ask for its effect: what happens if ice lies in the sun?"""

from minillm.world.effects import EFFECTS
from minillm.world.kinds.kind import TEXT_STYLES, Kind
from minillm.world.kinds.telling import fact_items, tells, third_person
from minillm.world.likeness import says, words

WILL = "it will "
# base form of an effect: the forms in which an answer may name it
NAMED = {effect.effect: (effect.effect, third_person(effect.effect), effect.effected)
         for effect in EFFECTS}


def _effect_items(world):
    rows = [(effect, effect.subject, WILL + effect.effect) for effect in EFFECTS]
    return fact_items("effect", rows,
                      ("If {subject} {cause}, {y}.", "If {subject} {cause}, it can {effect}."))


def _right_effect(request, response):
    """The text names the effect in any form: "it will melt", "it melts" or "it melted"."""
    named = NAMED[request.answer.removeprefix(WILL)]
    asked = words(request.question)  # "dry wood" may be named, though a shirt will dry
    wrong = [form for forms in NAMED.values() if forms != named for form in forms
             if not says(asked, form)]
    forms = [f"{WILL}{named[0]}.", *(f"It {form}." for form in named)]
    return tells(request, response, named, wrong, forms)


KINDS = (
    Kind("effect",
         ("What happens if {subject} {cause}?", "What happens when {subject} {cause}?",
          "what happens if {subject} {cause}", "What will happen if {subject} {cause}?",
          "What happens to {subject} that {cause}?", "What happens to {subject} when it {cause}?",
          "What does {subject} do when it {cause}?", "What will {subject} do if it {cause}?",
          "If {subject} {cause}, what happens?", "If {subject} {cause}, what will it do?",
          "When {subject} {cause}, what happens next?",
          "When {subject} {cause}, what do you see?", "{Subject} {cause}. What happens?",
          "{Subject} {cause}. What happens next?", "{Subject} {cause}. What then?",
          "{Subject} {cause}. What will it do?", "{Subject} {cause}, and then?",
          "{subject} {cause}, what happens", "Tell me what happens if {subject} {cause}.",
          "Tell me what {subject} does when it {cause}.",
          "Please tell me what happens when {subject} {cause}.",
          "Can you tell me what happens if {subject} {cause}?",
          "Could you tell me what will happen when {subject} {cause}?",
          "Do you know what happens if {subject} {cause}?",
          "Do you know what {subject} does if it {cause}?",
          "I was wondering what happens if {subject} {cause}.",
          "I want to know what happens when {subject} {cause}.",
          "I see that {subject} {cause}. What will happen?",
          "Suppose {subject} {cause}. What happens?",
          "Let us say {subject} {cause}. What will happen?",
          "Think: {subject} {cause}. What happens next?",
          "My little brother asks what happens if {subject} {cause}.",
          "My teacher asks what happens when {subject} {cause}.",
          "Help me with my homework: what happens if {subject} {cause}?",
          "Quick question: what happens if {subject} {cause}?",
          "Hey, what happens when {subject} {cause}?",
          "So what happens to {subject} if it {cause}?",
          "Explain what happens if {subject} {cause}.",
          "Any idea what happens if {subject} {cause}?",
          "What would you see if {subject} {caused}?", "If {subject} {caused}, what would happen?",
          "Imagine that {subject} {caused}. What would it do?",
          "What happens once {subject} {cause}?", "What happens after {subject} {cause}?",
          "What happens to {subject} if it {cause}?", "What becomes of {subject} that {cause}?",
          "What becomes of {subject} when it {cause}?",
          "What is the effect when {subject} {cause}?", "What is the result if {subject} {cause}?",
          "What can happen when {subject} {cause}?", "What must happen if {subject} {cause}?",
          "What do you think {subject} will do if it {cause}?", "And if {subject} {cause}?",
          "so if {subject} {cause}, then what?", "if {subject} {cause}, then?",
          "If {subject} {cause}, what should I expect?",
          "Each time {subject} {cause}, what does it do?",
          "{Subject} {cause}. What will be the effect?", "{Subject} {cause}. Guess what happens.",
          "{Subject} {cause}, so what will happen?", "{subject} {cause}, result?",
          "{subject} {cause}, what is it going to do", "the result if {subject} {cause}",
          "Tell me the result when {subject} {cause}.",
          "Describe what happens if {subject} {cause}.",
          "Guess what will happen if {subject} {cause}.",
          "Finish the sentence: if {subject} {cause}, ...",
          "Complete this: when {subject} {cause}, it will ...", "If {subject} {cause}, it will ...",
          "Could you explain what {subject} will do if it {cause}?",
          "Let's say {subject} {cause}. Then what?",
          "Imagine {subject} {cause}. What happens then?",
          "Assume that {subject} {cause}. What is going to happen?",
          "Oh no, {subject} {cause}! What happens now?",
          "I don't know what happens when {subject} {cause}.",
          "I'd like to know what happens if {subject} {cause}.",
          "We learn about nature. What happens if {subject} {cause}?",
          "mum, what happens when {subject} {cause}", "Why does {subject} {effect}?",
          "why does {subject} {effect}", "Why will {subject} {effect}?",
          "why did {subject} {effect}",
          "What makes {subject} {effect}?", "When does {subject} {effect}?",
          "Do you know why {subject} {effected}?", "Tell me why {subject} {effected}.",
          "What must happen so that {subject} will {effect}?", "when will {subject} {effect}",
          "How does {subject} {effect}?", "Can {subject} {effect}?",
          "My son keeps asking me what happens when {subject} {cause}, can you explain?",
          "Suppose {subject} {cause}. What would come of it?",
          "I'm writing a little story where {subject} {cause}, so what happens after that?",
          "For science class we must say what happens once {subject} {cause}.",
          "Imagine that {subject} {cause}, what will we see?",
          "{subject} {cause}, whats the outcome",
          "Could you please describe what usually happens after {subject} {cause}?",
          "Should I worry when {subject} {cause}? What does that lead to?",
          "My daughter is curious: if {subject} {cause}, what is going to happen?",
          "In real life, what becomes of it when {subject} {cause}?",
          "Let's say {subject} {cause} while nobody is watching, what happens then?",
          "Predict what will happen when {subject} {cause}.",
          "We had an argument at dinner about what happens after {subject} {cause}.",
          "ok so {subject} {cause} and then what happens",
          "What can you expect once {subject} {cause}?",
          "I have a homework question about cause and effect: {subject} {cause}, so what?",
          "so like what's the consequence if {subject} {cause}",
          "Picture this: {subject} {cause}. How does it end?",
          "what do you think happens next if {subject} {cause}",
          "I never paid attention at school, what happens whenever {subject} {cause}?",
          "Explain to a five year old what happens if {subject} {cause}.",
          "In the cartoon {subject} {cause}, what would happen in the real world?",
          "Name one thing that happens because {subject} {cause}.",
          "Just wondering, does anything happen when {subject} {cause}, and what is it?",
          "Now assume {subject} {cause}. Give me the effect.",
          "my pupils want to know whats going to happen when {subject} {cause}",
          "Would you mind telling me what the effect is when {subject} {cause}?",
          "{Subject} {cause}, says my riddle book, and I must guess what happens.",
          "After {subject} {cause}, what is different?",
          "Grandpa asked me at breakfast what comes next when {subject} {cause}."),
         ("Look, {subject} {cause}. What comes next?",
          "My sister wants to know what happens if {subject} {cause}.",
          "Would you tell me what {subject} will do if it {cause}?",
          "What comes next if {subject} {cause}?",
          "What do you think happens when {subject} {cause}?",
          "What is going to happen when {subject} {cause}?",
          "{Subject} {cause}. Can you say what happens to it?",
          "After {subject} {cause}, what do I see?",
          "Can you say what {subject} does after it {cause}?",
          "Imagine that {subject} {cause}. What do you think we'll see?",
          "My little boy keeps asking what happens once {subject} {cause}.",
          "Can you predict what happens as soon as {subject} {cause}?",
          "Could you please tell me what to expect if {subject} {cause}?",
          "Here's a question from class: {subject} {cause}, what is the likely result?",
          "I'd like to hear the result of it when {subject} {cause}.",
          "What does it lead to when {subject} {cause}?",
          "Let's say {subject} {cause}, what comes of that?",
          "Just wondering, what would I notice if {subject} {cause}?",
          "Which effect follows once {subject} {cause}?",
          "I have a science test. What's the consequence if {subject} {cause}?",
          "When {subject} {cause}, how does it usually end?",
          "Describe the outcome whenever {subject} {cause}.",
          "Suppose {subject} {cause}. What would be the result?",
          "Tell me what you get if {subject} {cause}.",
          "say {subject} {cause}, what's gonna happen",
          "Every time {subject} {cause}, what follows?"),
         _effect_items, TEXT_STYLES, right=_right_effect),
)
