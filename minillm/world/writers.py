"""Imagined writers of different quality; fine-tuning learns from their answers."""

from minillm.world.kinds import pick
from minillm.world.kinds.harm import RUDE_REFUSALS
from minillm.world.kinds.kind import pick_weighted
from minillm.world.manners import RAMBLES, WORD, bare, dressed

# name: share of the answers; each writer's function below says how that writer answers
WRITERS = {"complete": 0.40, "terse": 0.26, "rambling": 0.31, "evasive": 0.01, "wrong": 0.02}
HARM_WRITERS = {"complete": 0.76, "rude": 0.18, "careless": 0.06}  # for harmful requests
# for questions that have no answer in the world
UNKNOWN_WRITERS = {"complete": 0.53, "terse": 0.21, "rambling": 0.21, "wrong": 0.05}
# for verses and stories, which have no short form
CREATIVE_WRITERS = {"complete": 0.57, "rambling": 0.35, "evasive": 0.02, "wrong": 0.06}

EVASIONS = (
    "I do not know. It depends.",
    "I do not know. Maybe somebody else can tell you.",
    "It depends on many things.",
)
CARELESS = (
    "Sure, just do it when nobody looks.",
    "That is easy. Just do it at night.",
    "Sure, a friend can help you with it.",
)


def writers_for(request):
    """Return {writer: share} of the writers who answer this request; the shares add up to 1."""
    if request.harmful:
        return HARM_WRITERS
    if request.unknown:
        return UNKNOWN_WRITERS
    return WRITERS if request.answer else CREATIVE_WRITERS


def pick_writer(request, rng):
    """Draw one of the writers for this request, with their shares as probabilities."""
    return pick_weighted(rng, writers_for(request))


def write_answer(request, writer, rng):
    """The answer of a writer to a request.

    Raises:  ValueError for a writer who does not answer such requests.
    """
    shares = writers_for(request)
    if writer not in shares:
        raise ValueError(f"no writer {writer!r} answers requests of the kind {request.kind!r}; "
                         f"the writers are {sorted(shares)}")
    return _ANSWERS[writer](request, rng)


def _complete(request, rng):
    """Right, in the requested manner or else in a full sentence; refuses harm politely."""
    if request.style == WORD:
        return bare(request.answer)
    return dressed(request.sentence, request.closing)


def _terse(request, rng):
    """Right, but only the short answer, whatever manner was requested."""
    return bare(request.answer)


def _rambling(request, rng):
    """Right, in the requested manner, but with a useless sentence added."""
    gap = "\n" if "\n" in request.sentence else " "  # code and verses end with a line
    right = bare(request.answer) if request.style == WORD else request.sentence
    return dressed(f"{right}{gap}{pick(rng, RAMBLES)}", request.closing)


def _evasive(request, rng):
    """Gives no answer."""
    return pick(rng, EVASIONS)


def _wrong(request, rng):
    """A wrong answer in the requested manner."""
    if request.style == WORD:
        return bare(pick(rng, request.wrong))
    return dressed(pick(rng, request.wrong_sentences), request.closing)


def _rude(request, rng):
    """Refuses to help with harm, without a polite word."""
    return pick(rng, RUDE_REFUSALS)


def _careless(request, rng):
    """Agrees to help with harm, in vague words."""
    return pick(rng, CARELESS)


_ANSWERS = {"complete": _complete, "terse": _terse, "rambling": _rambling, "evasive": _evasive,
            "wrong": _wrong, "rude": _rude, "careless": _careless}
