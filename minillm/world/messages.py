"""A classification task for fine-tuning: sort customers' messages to invented shops by four labels.

Every label has messages with a question mark, with "please" and with "thank you", so no single
word gives the label away.
"""

from minillm.world.kinds import pick
from minillm.world.requests import SPLITS

LABELS = ("complaint", "order", "question", "thanks")
TASK_PROMPT = ("Sort the message of the customer. "
               "Answer with one word: complaint, order, question or thanks.")

SHOPS = ("the Blue Door", "the Copper Kettle", "the Little Lamp", "the Green Cart",
         "the Old Mill Shop", "the Silver Spoon")
GOODS = ("lamp", "chair", "kettle", "clock", "basket", "blanket", "mirror", "bowl", "table",
         "coat", "bucket", "pan", "ladder", "pillow", "cup", "broom")
HELD_GOODS = ("tent", "hammer", "camera", "towel")  # only for evaluation
COLOURS = ("red", "blue", "green", "white", "black")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
NUMBERS = ("two", "three", "four", "six")
RELATIVES = ("mother", "father", "sister", "brother", "son", "daughter")

MESSAGES = {  # label: phrasings; {p} and {q} are two different goods
    "complaint": (
        "The {p} that I bought at {shop} broke after {n} days.",
        "I have waited {n} weeks for my {p}, and it is still not here.",
        "Why did you send me a {q}? I paid for a {p}.",
        "My {p} came in {colour}, and I wanted it in {colour2}.",
        "Why does my new {p} look so old? I want my money back.",
        "We are not very happy. Nobody answers my letters about the broken {p}.",
        "Thank you for nothing. The {p} broke on the first day.",
        "The {colour} {p} looks lovely, but it is far too small. Please take it back.",
        "Is this a joke? There was no {p} in the box.",
        "I would like to know who packed my {p}. It came in pieces.",
    ),
    "order": (
        "Please send me {n} {p}s by {day}.",
        "I would like a {colour} {p} for my {relative}, please.",
        "Our {p} is worn out, and we need {n} new ones for our school by {day}.",
        "Could you send one more {p} to my house?",
        "I will take the {colour} {p} that is in your window.",
        "Can I have {n} of your {colour} {p}s, please? I will pay on {day}.",
        "Thank you for your letter. I will take the {p} in {colour}.",
        "My old {p} broke, so please send me a new one.",
        "Put a {p} and a {q} in a box for me. I will come on {day}.",
        "Do you still have the {colour} {p}? If so, please send me {n} of them.",
    ),
    "question": (
        "Do you sell {p}s in {colour}?",
        "How much is the lovely {colour} {p} in your window?",
        "When does {shop} open on {day}?",
        "I would like to know if the {p} comes in {colour}.",
        "Please tell me how long a {p} will last.",
        "Can a child use the {p}, or is it too heavy?",
        "Thank you for your letter. Which {p} is best for a small house?",
        "My {relative} wants to know if you mend broken {p}s.",
        "Will the {p} be here by {day}, or must I wait?",
        "Does {shop} send {p}s to other towns? My {relative} would be very happy.",
    ),
    "thanks": (
        "The {p} from {shop} is lovely. My {relative} is so happy with it.",
        "How fast you send your {p}s! We are very happy with ours.",
        "I am so glad that I came to {shop}. The {colour} {p} is just right.",
        "Your helper was very kind and mended my broken {p} for nothing.",
        "What would I do without {shop}? The {p} works again.",
        "My {p} broke on {day}, and you sent a new one at once. How kind of you!",
        "Thank you for the {p}. It came on {day}, and I will come to you again.",
        "Please tell your helper that the {p} is lovely. You made my {relative} very happy.",
        "I waited {n} weeks for the {p}, and it was worth it. It is lovely.",
        "Who made this {p}? It is the best that I have seen, and I love it.",
    ),
}
HELD_MESSAGES = {  # phrasings only for evaluation
    "complaint": ("The {p} that I bought broke on {day}, and nobody answers. I want my money back.",
                  "Why was there a {q} in the box? I wanted a {p}.",
                  "The {p} came in pieces. Please take it back."),
    "order": ("Please send a {colour} {p} and {n} {q}s to my house.",
              "Could I have a {p} in {colour}, please? I will come on {day}.",
              "We will take {n} {p}s. Please bring them by {day}."),
    "question": ("Can you tell me how much a {colour} {p} is?",
                 "Which of your {p}s is best for a child?",
                 "I would like to know when {shop} opens."),
    "thanks": ("You mended my {p} so fast. How kind of you!",
               "My {relative} is very happy with the {colour} {p}. We love it.",
               "I am so glad that you sent the {p} by {day}. It is just right."),
}
OPENINGS = ("", "", "Hello. ", "Good morning. ", "Dear shop, ")
ENDINGS = ("", "", " Yours, {name}.", " I live in {town}.", " My name is {name}.")


def labelled_messages(world, n, rng, split="train"):
    """Draw n pairs (text, label) in random order; all labels are equally frequent.

    In "held_out", half of the messages use held-out phrasings; the rest are about held-out goods.

    Raises:  ValueError for a split other than "train" and "held_out".
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}, but must be one of {SPLITS}")
    pairs = []
    for number in range(n):
        label = LABELS[number % len(LABELS)]
        new_phrasing = split == "held_out" and number // len(LABELS) % 2 == 0
        goods = HELD_GOODS if split == "held_out" and not new_phrasing else GOODS
        phrasing = pick(rng, (HELD_MESSAGES if new_phrasing else MESSAGES)[label])
        pairs.append((_message(world, phrasing, goods, rng), label))
    return [pairs[i] for i in rng.permutation(n)]


def _message(world, phrasing, goods, rng):
    first, second = (goods[i] for i in rng.permutation(len(goods))[:2])
    colour, colour2 = (COLOURS[i] for i in rng.permutation(len(COLOURS))[:2])
    opening = pick(rng, OPENINGS)
    if opening.endswith(", ") and not phrasing.startswith(("I ", "{")):
        phrasing = phrasing[0].lower() + phrasing[1:]
    text = opening + phrasing + pick(rng, ENDINGS)
    return text.format(p=first, q=second, colour=colour, colour2=colour2, shop=pick(rng, SHOPS),
                       day=pick(rng, DAYS), n=pick(rng, NUMBERS), relative=pick(rng, RELATIVES),
                       name=pick(rng, world.people).name, town=pick(rng, world.towns).name)
