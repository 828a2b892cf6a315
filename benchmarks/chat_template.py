"""What does the space before the words of a message do for an assistant?

    python benchmarks/chat_template.py --run runs/run-001 --json chat_template.json --plot chat_template.png

The chat template writes a space before the words, which becomes a part of their first token. So an answer begins with the token
that its first word has inside of texts, such as " Madrid"; without the space it would be "Madrid", which texts hardly have. One
base model of the embedded world is fine-tuned twice on the same conversations, in the same order, with and without the space, for
half of the default run's steps (--steps takes another number). Both are asked the same questions, in wordings that fine-tuning has and in
wordings that it has not, at temperature 0: the shares are means over the kinds of questions. "One word": those of the questions
whose system prompt asks for one word. The vocabulary is the default's for both; it is learned from messages with the space before
them. --run takes the base of a run; without it, one is pretrained first.
"""

from dataclasses import replace

import numpy as np
from common import Report, flags, parse, progress
from lora import Jobs
from pictures import bars

from minillm.evaluate.judging import answers
from minillm.formats.tokenizer_config import CHARACTERS_TEMPLATE
from minillm.phases import finetune as phase
from minillm.runs import data
from minillm.training.recorder import MemoryRecorder
from minillm.world.kinds import KINDS
from minillm.world.manners import WORD
from minillm.world.raters import is_correct
from minillm.world.requests import make_requests, requests_of_kind

EACH = 40           # questions of each kind
TEMPLATES = {"with the space": None, "without": CHARACTERS_TEMPLATE}
COLUMNS = [("name", "template", ""), ("steps", "steps", ",d"), ("known", "learned wordings", ".1%"), ("new", "other wordings", ".1%"),
           ("word", "one word", ".1%"), ("tokens", "tokens a conversation", ".1f")]


def asked(world, each, seed):
    """Questions about what fine-tuning asks about: {"known": in its wordings, "new": in others}, `each` of every kind."""
    rng, names = np.random.default_rng([seed, 31]), [kind.name for kind in KINDS]
    return {"known": [request for name in names for request in make_requests(world, each, rng, kinds=(name,))],
            "new": [request for name in names for request in requests_of_kind(world, name, each, rng)]}


def shares(model, questions):
    """Right answers to each list of questions, as a mean over the kinds; and to those that want one word."""
    found, of_one_word = {}, []
    for name, requests in questions.items():
        texts, _ = answers(model, requests, np.random.default_rng(0), temperature=0.0)
        right = np.array([is_correct(request, text) for request, text in zip(requests, texts)])
        kinds = np.array([request.kind for request in requests])
        found[name] = float(np.mean([right[kinds == kind].mean() for kind in dict.fromkeys(kinds)]))
        of_one_word += right[[request.style == WORD for request in requests]].tolist()
    return {**found, "word": float(np.mean(of_one_word)) if of_one_word else float("nan")}


def main(argv=None):
    """Fine-tune with each template, and ask."""
    parser = flags(__doc__)
    parser.add_argument("--run", metavar="RUN", help="folder of a run whose base model is taken (default: pretrain one)")
    parser.add_argument("--steps", type=int, help="steps of fine-tuning (default: half of those of the default run)")
    args = parse(parser, argv)
    report, jobs = Report(__file__, __doc__, args), Jobs(args)
    settings = jobs.config.finetune
    if not args.steps:
        settings = replace(settings, steps=max(2, round(settings.steps / 2)))
    questions = asked(data.world(jobs.run), 1 if args.quick else EACH, jobs.config.seed)
    rows = []
    for name, template in TEMPLATES.items():
        progress(name)
        model = jobs.copy()
        model.tokenizer = replace(model.tokenizer, chat_template=template)
        phase.finetune(model, jobs.talks, settings, jobs.config.seed, MemoryRecorder(), replay=jobs.stream, first=jobs.first)
        lengths = [len(model.tokenizer.encode_chat(talk, ask=False)) for talk in jobs.talks[:1000]]
        rows.append({"name": name, "steps": settings.steps, **shares(model, questions), "tokens": float(np.mean(lengths))})
        print("   ", rows[-1], flush=True)
    report.table("One base model, fine-tuned with each template", COLUMNS, rows)
    for key, what in (("known", "learned wordings"), ("new", "other wordings"), ("word", "one word")):
        report.headline(f"right with the space - without, {what}", rows[0][key] - rows[1][key], "+.1%")

    def draw(axes):
        bars(axes, ["learned wordings", "other wordings", "one word"],
             {row["name"]: [row["known"], row["new"], row["word"]] for row in rows}, "share of right answers")
    report.finish(draw, rows=rows)


if __name__ == "__main__":
    main()
