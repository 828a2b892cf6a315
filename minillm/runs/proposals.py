"""What to ask the model of a run, for somebody who does not know it yet."""

from minillm.runs import data
from minillm.runs.folder import imported_from
from minillm.world.raters import gold_score

DRAWN, TRIED = 60, 12       # requests of the embedded world; those that are put to the model
WELL = 0.9                  # gold score of an answer that is worth showing
LONGEST = 70                # characters


def things_to_ask(run, model, count=3):
    """Messages of one line, without a system prompt, that suit the model of a run.

    On the embedded world: requests that it answers well, each of another kind, drawn by the run's
    seed. On the user's own data: first messages of the conversations, or of the prompts of a model
    that was not fine-tuned here; [] if they cannot be read.
    """
    if "finetune" in run.data or imported_from(run.folder) is not None:
        own = data.conversations if "finetune" in run.data else data.own_prompts
        try:
            talks, _ = own(run, model)
        except ValueError:                  # they are no longer there
            return []
        first = [talk[0]["content"] for talk in talks if talk[0]["role"] == "user"]
        return list(filter(is_short, dict.fromkeys(first)))[:count]
    drawn = data.training_requests(run, DRAWN, run.rng("evaluation", 1))
    asked = {request.kind: request for request in drawn
             if len(request.messages()) == 1 and not request.harmful and is_short(request.question)}
    tried = list(asked.values())[:TRIED]
    texts = model.chat([request.messages() for request in tried])
    return [request.question for request, text in zip(tried, texts)
            if gold_score(request, text) > WELL][:count]


def is_short(text):
    """Whether a text is one line of a terminal."""
    return len(text) <= LONGEST and "\n" not in text
