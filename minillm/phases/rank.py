"""Phase 3, steps 1 and 2: several responses to a prompt are sampled, then ranked best to worst."""

import json
from dataclasses import dataclass
from typing import NamedTuple

from minillm.config import Dials, knob, require
from minillm.formats.durable import append_line, write_atomically
from minillm.text import corpus
from minillm.text.chat import validate_messages


@dataclass(frozen=True)
class RankConfig(Dials):
    """Phase 3, first half: sample responses and have them ranked."""
    prompts: int = knob(2000, "prompts whose responses are ranked", within="[1, inf)")
    responses: int = knob(4, "responses per prompt (K)", within="[2, inf)")
    temperature: float = knob(0.6, "sampling temperature", within="(0, inf)")
    max_new_tokens: int = knob(48, "longest response, in tokens", within="[1, inf)")
    noise: float = knob(0.05, "standard deviation of the simulated raters' errors, in points of "
                              "the gold score", within="[0, inf)")


class Ranking(NamedTuple):
    """One prompt, K responses, and the ranks that a rater gave them."""
    prompt: list        # messages
    responses: list     # K texts
    ranks: list         # K numbers, 1 is best; equal ranks are ties


def sample_responses(model, prompts, settings, rng):
    """Sample K responses to each prompt.  prompts: [messages] -> for each a list of K texts"""
    asked = [messages for messages in prompts for _ in range(settings.responses)]
    texts, _ = model.answer(asked, rng, max_new_tokens=settings.max_new_tokens,
                            temperature=settings.temperature)
    return [texts[i:i + settings.responses] for i in range(0, len(texts), settings.responses)]


def collect_rankings(model, requests, rater, settings, rng):
    """Sample K responses per request and let the rater rank them.

    requests: [(messages, what the rater needs to know)]; rater(known, responses, rng) -> ranks
    Returns [Ranking], without rankings in which all responses are equal: they teach nothing.
    """
    responses = sample_responses(model, [messages for messages, _ in requests], settings, rng)
    rankings = [Ranking(messages, texts, list(rater(known, texts, rng)))
                for (messages, known), texts in zip(requests, responses)]
    return [ranking for ranking in rankings if len(set(ranking.ranks)) > 1]


def append_ranking(path, ranking, rater):
    """Append one ranking to a JSONL file, and wait until it is on the disk."""
    append_line(path, ranking_line(ranking, rater))


def ranking_line(ranking, rater):
    """A ranking as a line of JSON; rater: "simulated" or "human"."""
    return json.dumps({**ranking._asdict(), "rater": rater})


def from_pairs(records):
    """Rankings of two from records with "prompt", "chosen" and "rejected" (each messages).

    If both answers are the same text, their ranks are a tie.
    """
    pairs = [(record["prompt"], record["chosen"][-1]["content"], record["rejected"][-1]["content"])
             for record in records]
    return [Ranking(prompt, [chosen, rejected], [1, 1] if chosen == rejected else [1, 2])
            for prompt, chosen, rejected in pairs]


def read_rankings(path):
    """The rankings of a JSONL file.  Raises:  ValueError that names the line of a broken record."""
    rankings = [ranking for ranking, _ in read_records(path)]
    if not rankings:
        raise ValueError(f"{path} holds no ranking; rank some responses first: "
                         "minillm rank RUN --resume")
    return rankings


def read_records(path):
    """[(Ranking, rater)] of a JSONL file; [] if it does not exist yet or is empty.

    A last line that was cut off, by a full disk or a crash, is left out (see cut_torn_line).
    Raises:  ValueError that names the line of a broken record.
    """
    if not path.exists() or not path.read_bytes().strip():
        return []
    return [(checked_ranking(record, where), record.get("rater"))
            for where, record in corpus.records(path, torn_end=True)]


def cut_torn_line(path):
    """Remove a last line that was cut off; give a whole last line its line end.

    Returns the line that was removed, or "".
    """
    *whole, last = path.read_text(encoding="utf-8").split("\n") if path.exists() else [""]
    torn = corpus.is_torn(last)
    if last:
        lines = whole if torn else [*whole, last]
        write_atomically(path, "".join(f"{line}\n" for line in lines))
    return last if torn else ""


def checked_ranking(record, where):
    """A ranking from a record of "prompt" (messages), "responses" and "ranks".

    Raises:  ValueError that says where the error is and what is wrong.
    """
    require(isinstance(record, dict),
            f'{where}: must be an object with "prompt", "responses" and "ranks"')
    prompt, responses, ranks = (record.get(key) for key in Ranking._fields)
    try:
        validate_messages(prompt)
    except ValueError as error:
        raise ValueError(f'{where}: "prompt": {error}') from None
    require(prompt[-1]["role"] == "user", f'{where}: "prompt" must end with what the user says')
    require(isinstance(responses, list) and all(isinstance(text, str) for text in responses),
            f'{where}: "responses" must be a list of texts')
    require(isinstance(ranks, list) and all(type(rank) is int and rank >= 1 for rank in ranks),
            f'{where}: "ranks" must be a list of whole numbers, 1 for the best')
    require(len(ranks) == len(responses) >= 2,
            f"{where}: {len(responses)} responses and {len(ranks)} ranks; there must be two or "
            "more, with one rank each")
    return Ranking(prompt, responses, ranks)
