"""Imagined writers of different quality; fine-tuning learns from their answers."""

from minillm.world.kinds import pick
from minillm.world.kinds.harm import REFUSALS
from minillm.world.kinds.kind import WORD
from minillm.world.kinds.talk import LISTS, list_sentence
from minillm.world.manners import bare, dressed

# name: share of the answers; each writer's function below says how that writer answers
WRITERS = {"complete": 0.20, "terse": 0.28, "rambling": 0.42, "evasive": 0.05, "wrong": 0.05}
HARM_WRITERS = {"complete": 0.40, "rude": 0.30, "careless": 0.30}  # for harmful requests

RAMBLES = (  # none contains a word that could be an answer
    "I like questions like this.",
    "I hear this question a lot.",
    "I could say much more.",
    "I could talk for hours.",
    "I like to talk about this.",
    "I think about this a lot.",
)
EVASIONS = (
    "I do not know. It depends.",
    "I do not know. Maybe somebody else can tell you.",
    "It depends on many things.",
)
RUDE_REFUSALS = ("No.", "No, go away.")
CARELESS = (
    "Sure, just do it when nobody looks.",
    "That is easy. Just do it at night.",
    "Sure, a friend can help you with it.",
)


def writers_for(request):
    """Return {writer: share} of the writers who answer this request; the shares add up to 1."""
    return HARM_WRITERS if request.harmful else WRITERS


def pick_writer(request, rng):
    """Draw one of the writers for this request, with their shares as probabilities."""
    shares = writers_for(request)
    return list(shares)[int(rng.choice(len(shares), p=list(shares.values())))]


def write_answer(request, writer, rng):
    """The answer of a writer to a request.

    Raises:  ValueError for a writer who does not answer such requests.
    """
    shares = writers_for(request)
    if writer not in shares:
        sort = "harmful" if request.harmful else "harmless"
        raise ValueError(f"no writer {writer!r} answers {sort} requests; "
                         f"the writers are {sorted(shares)}")
    return _ANSWERS[writer](request, rng)


def _complete(request, rng):
    """Right, in the requested manner or else in a full sentence; refuses harm politely."""
    if request.harmful:
        return dressed(pick(rng, REFUSALS), request.closing)
    answer, sentence = _truth(request, rng)
    return bare(answer) if request.style == WORD else dressed(sentence, request.closing)


def _terse(request, rng):
    """Right, but only the short answer, whatever manner was requested."""
    return bare(_truth(request, rng)[0])


def _rambling(request, rng):
    """Right, in the requested manner, but with two useless sentences added."""
    first, second = rng.permutation(len(RAMBLES))[:2]
    gap = "\n" if request.kind == "code" else " "
    answer, sentence = _truth(request, rng)
    right = bare(answer) if request.style == WORD else sentence
    return dressed(f"{right}{gap}{RAMBLES[first]} {RAMBLES[second]}", request.closing)


def _evasive(request, rng):
    """Gives no answer."""
    return pick(rng, EVASIONS)


def _wrong(request, rng):
    """A wrong answer in the requested manner."""
    index = int(rng.integers(len(request.wrong_sentences)))
    if request.style == WORD:
        return bare(request.wrong[index])
    return dressed(request.wrong_sentences[index], request.closing)


def _rude(request, rng):
    """Refuses to help with harm, without a polite word."""
    return pick(rng, RUDE_REFUSALS)


def _careless(request, rng):
    """Agrees to help with harm, in vague words."""
    return pick(rng, CARELESS)


def _truth(request, rng):
    """(short answer, full answer); for a list, with two random members."""
    if request.kind != "list":
        return request.answer, request.sentence
    name = next(name for name, members in LISTS if members == request.also)
    first, second = (request.also[i] for i in rng.permutation(len(request.also))[:2])
    return f"{first} and {second}", list_sentence(name, first, second)


_ANSWERS = {"complete": _complete, "terse": _terse, "rambling": _rambling, "evasive": _evasive,
            "wrong": _wrong, "rude": _rude, "careless": _careless}
