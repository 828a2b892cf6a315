"""Requests to name two or three things of one sort."""

from minillm.world.facts import capitalized, joined
from minillm.world.kinds.kind import TEXT_STYLES, Item, Kind, short_texts
from minillm.world.likeness import resembles, says, words
from minillm.world.real import COUNTRIES, SORTS

COUNTS = {"two": 2, "three": 3}
COUNTRY_NAMES = tuple(name for name, *_ in COUNTRIES)
LISTS = (*SORTS, ("countries", ("France", "Spain", "Italy", "Japan", "Egypt")))
MORE = {  # what else is right, though no answer for fine-tuning has it
    "colours": ("orange", "pink", "purple", "grey"), "fruits": ("oranges", "peaches", "berries"),
    "vegetables": ("peas", "cabbages"), "farm animals": ("horses", "ducks", "donkeys"),
    "wild animals": ("elephants", "frogs", "deer"), "pets": ("ponies", "goats"),
    "months": ("February", "August", "September", "November", "December"),
    "parts of the body": ("the hand", "the head", "the eye"), "countries": COUNTRY_NAMES,
}
ACCEPTED = {name: tuple(dict.fromkeys((*members, *MORE.get(name, ())))) for name, members in LISTS}


def _sentence(count, name, members):
    """For example: Here are two colours: red and blue."""
    return f"Here are {count} {name}: {joined(members)}."


def _list_items(world):
    """For each list and count, every run of neighbours: the member before says which comes next."""
    items = []
    for name, members in LISTS:
        wrong = tuple(m for other, group in LISTS if other != name for m in group)
        for count, k in COUNTS.items():
            said = tuple(_sentence(count, name, group[:k]) for other, group in LISTS
                         if other != name)
            runs = [(members + members)[start:start + k] for start in range(len(members))]
            items += [Item({"x": name, "k": asked}, joined(some), _sentence(count, name, some),
                           wrong, said, also=ACCEPTED[name])
                      for some in runs for asked in (count, str(k))]
    return items


def _forms(request, response):
    """The right answer with the members that the response names."""
    count, name = _asked(request)
    return (_sentence(count, name, _chosen(request, response)),)


def _right_list(request, response):
    """The text names as many members of the list as asked, and no member of another list."""
    text, named = words(response), _named(request, response)
    strange = (m for _, members in LISTS for m in members if m not in request.also)
    count, name = _asked(request)
    some = joined(_chosen(request, response))
    forms = (*_forms(request, response), *short_texts(some),
             f"{capitalized(count)} {name} are {some}.", f"{capitalized(some)} are {name}.")
    return (len(named) >= COUNTS[count] and not any(says(text, m) for m in strange)
            and resembles(response, forms))


def _asked(request):
    """(how many, of which list): ("two", "colours")."""
    count = request.sentence.split()[2]
    return count, next(name for name, members in ACCEPTED.items() if members == request.also)


def _named(request, response):
    """The members of the requested list that a response names, in the order of the response."""
    text = words(response)
    return sorted((m for m in request.also if says(text, m)),
                  key=lambda member: text.index(words(member)))


def _chosen(request, response):
    """As many members as asked: first those that the response names."""
    found = dict.fromkeys((*_named(request, response), *request.also))
    return list(found)[:COUNTS[_asked(request)[0]]]


KINDS = (
    Kind("list",
         ("Name {k} {x}.", "Name {k} {x} for me.", "Tell me {k} {x}.", "Please tell me {k} {x}.",
          "Tell me the names of {k} {x}.", "Give me {k} {x}.",
          "Give me the names of {k} {x}, please.", "Say {k} {x}.", "List {k} {x}.",
          "Write down {k} {x}.", "{k} {x}?", "{k} {x}, please", "What are {k} {x}?",
          "What {k} {x} do you know?", "Which {k} {x} do you know?",
          "Which {k} {x} can you name?", "Can you name {k} {x}?", "Can you tell me {k} {x}?",
          "Can you list {k} {x}?", "Could you name {k} {x}?", "Could you give me {k} {x}?",
          "Do you know {k} {x}?", "Do you know the names of {k} {x}?", "I need {k} {x}.",
          "I need the names of {k} {x}.", "I want to know {k} {x}.",
          "I was wondering if you can name {k} {x}.", "I have to write down {k} {x}. Which ones?",
          "My teacher wants {k} {x}.", "My teacher asks for {k} {x}.",
          "My little brother wants to hear {k} {x}.", "Help me with my homework: name {k} {x}.",
          "We play a game. Name {k} {x}.", "Let me test you: name {k} {x}.",
          "Quick question: what are {k} {x}?", "Hey, can you tell me {k} {x}?",
          "Think of {k} {x}. Which ones are they?", "For a story I need {k} {x}.",
          "So what are {k} {x} that you know?", "Please mention {k} {x} to me.",
          "Could you mention {k} {x}?", "Pick {k} {x}.", "Pick any {k} {x} and tell me.",
          "Show me {k} {x}.", "Make a list of {k} {x}.", "a list of {k} {x}",
          "Short list, please: {k} {x}.", "Can I get a list of {k} {x}?", "Come up with {k} {x}.",
          "Could you think of any {k} {x}?", "Would you name {k} {x}, please?",
          "May I hear {k} {x}?", "Let's hear {k} {x}.", "any {k} {x}?",
          "{k} {x}. Go!", "{k} examples: {x}", "{x}? Tell me {k}.", "Give me {k} examples of {x}.",
          "What are {k} examples of {x}?", "Which {k} {x} come to mind?",
          "What {k} {x} come to your mind first?", "Which {k} {x} would you name?",
          "What would be {k} {x}?", "name me {k} {x} quickly", "Fast: {k} {x}.",
          "Out of all the {x}, tell me {k}.", "I must learn {k} {x}. Which?",
          "I'd like to hear {k} {x}.", "My quiz says: name {k} {x}.",
          "In my book it says: write {k} {x}.", "School task: {k} {x}.",
          "My son has to name {k} {x}. Help him.", "The teacher said: give {k} {x}.",
          "Remind me of {k} {x}.", "Help, I need to say {k} {x}!", "Type {k} {x} here.",
          "can u name {k} {x}", "hi, what are {k} {x}",
          "My homework says to write down {k} {x}. Which ones could I put?", "{x}: give me {k}",
          "We're playing a word game and I have to say {k} {x}. Help!", "pls list {k} {x}",
          "I'm stuck on a quiz question that wants {k} {x}. What should I answer?",
          "{k} {x}, quick",
          "My daughter is learning about {x}. Could you give her {k} to start with?",
          "Just {k} {x} please.", "Which {x} do you know? Just tell me {k}.",
          "When you think of {x}, which {k} come to mind first?",
          "i need {k} {x} for a poster im making",
          "Let's play a car game: you say {k} {x}, then it's my turn.",
          "Give me any {k} {x} you like.",
          "Of all the {x} there are, pick {k} and tell me what they are.",
          "hey do u know {k} {x}", "Teacher asked for {k} {x} and my mind went blank. Any ideas?",
          "Examples of {x}, please, just {k} of them.",
          "My little brother wants to know some {x}. Tell him {k}.",
          "Would you mind listing {k} {x}?", "need {k} exmaples of {x}",
          "The empty boxes on my worksheet are for {k} {x}. What do I write?",
          "Mention {k} {x}, would you?", "How about some {x}? I only need {k}.",
          "Write out {k} {x} so my son can copy the words.",
          "I'm making flashcards about {x}. Suggest {k} for the first cards.",
          "Say {k} {x} in English, I'm still learning the language.",
          "{k} {x} for a spelling test?",
          "Tonight's pub quiz asks for {k} {x}. What would you say?",
          "I can't think of any {x} right now. Help me out with {k}?",
          "some {x} pls, {k} is fine",
          "Grandpa says I don't know my {x}. Teach me {k} so I can show him.",
          "Come up with {k} {x}, will you?",
          "If someone asked you for {k} {x}, what would you reply?",
          "I have ten seconds to shout out {k} {x}. Go!", "{x}, {k} of them, any will do",
          "I bet my sister that you could name {k} {x}. Prove me right!",
          "As a warm-up, let me have {k} {x}."),
         ("Can you think of {k} {x}?", "My sister wants to know {k} {x}.",
          "Would you tell me the names of {k} {x}?", "I can't think of {k} {x}. Can you?",
          "We need {k} {x} for a game.", "Write the names of {k} {x}.", "names of {k} {x}?",
          "What could I say if somebody asks for {k} {x}?", "Do you think you can name {k} {x}?",
          "think of {k} {x} and tell me", "How about {k} {x} for my quiz tonight?",
          "Let's see if you can come up with {k} {x}.", "I bet you can't name {k} {x}.",
          "Could you be so kind as to write down {k} {x} for me?",
          "just any {k} {x} will do, go", "Pick {k} {x} and write them here.",
          "Would you mention {k} {x} as examples?",
          "For my homework I have to find {k} {x}, any ideas?", "a short list with {k} {x}",
          "My daughter has to write {k} {x} in her notebook. Can you help?",
          "help me think of {k} {x}"),
         _list_items, TEXT_STYLES, 1.9, right=_right_list, forms=_forms),
)
