"""Does a model learn to compare words sooner if it begins with few of them?

    python benchmarks/curriculum.py --run runs/run-001 --json curriculum.json --plot curriculum.png

The user tells of a relative, a pet or themselves, and asks for that or for the same of another one: "My brother is called Max."
"What is my sister called?" Whether it was told shows only when the two words are compared. One base model learns from such
conversations alone, for a few steps with the settings of the default run, without old text: about everybody from the first
step on, or about two, four, eight and everybody, for a quarter of the steps each, in the stages with which the default run's
fine-tuning begins. Each is done with three seeds.

Both are then asked about everybody, in wordings that they learned and in others. The answer to what was told and that to what was
not begin alike ("Your sister"); what a model holds for told is the difference of the log-probabilities of the two tokens that
follow there. "Compared": how often that is larger for something told than for something not told (0.5 is chance, 1 is never
wrong). --run takes the base of a run; without it, one is pretrained first.
"""

from dataclasses import replace

import numpy as np
from common import Report, flags, grouped, parse, progress
from lora import Jobs
from pictures import bars

from minillm.phases import finetune as phase
from minillm.training.recorder import MemoryRecorder
from minillm.world.curriculum import STAGES, make_curriculum
from minillm.world.facts import capitalized
from minillm.world.kinds.kind import pick, wordings
from minillm.world.kinds.told_of_others import OTHERS
from minillm.world.kinds.told_turns import draw, turn

STEPS = 200
SEEDS = 3
TELLINGS = 200
AT_ONCE, IN_STAGES = "everybody at once", "two, four, eight, everybody"
COLUMNS = [("name", "conversations", ""), ("steps", "steps", ",d"), ("known", "compared, learned wordings", ".3f"),
           ("new", "other wordings", ".3f"), ("lowest", "lowest of a seed", ".3f"), ("highest", "highest", ".3f")]


def asked(n, seed, held_out):
    """[(messages, the answer if it was told, the answer if not, whether it was)]: two questions about each of n tellings."""
    rng, made = np.random.default_rng([seed, 41]), []
    for _ in range(n):
        told = draw(rng, OTHERS, False)
        twin = pick(rng, [each for each in told.twins() if each.about])
        said, reply = turn(rng, told, held_out)
        for about, was_told in ((told, True), (twin, False)):
            fact = about.fact
            texts = (said, reply, about.fill(pick(rng, wordings(fact.asked, fact.asked_paraphrases, held_out))))
            made.append(([{"role": role, "content": text} for role, text in zip(("user", "assistant", "user"), texts)],
                         capitalized(about.fill(fact.forms[0])), capitalized(about.fill(fact.missing[0])), was_told))
    return made


def held_for_told(model, messages, told, missing):
    """log p(next token of the one answer) - log p(that of the other), where the two first differ; nats."""
    told, missing = (model.tokenizer.encode_chat([*messages, {"role": "assistant", "content": text}], ask=False)
                     for text in (told, missing))
    at = next(i for i, (one, other) in enumerate(zip(told, missing)) if one != other)
    logits = model.logits(told[:at])[-1]
    return float(logits[told[at]] - logits[missing[at]])


def compared(model, questions):
    """Share of the pairs of something told and something not told in which more is held for the former."""
    held = np.array([held_for_told(model, *question[:3]) for question in questions])
    was_told = np.array([question[3] for question in questions])
    return float((held[was_told][:, None] > held[~was_told]).mean())


def main(argv=None):
    """Fine-tune both ways with each seed, and ask."""
    parser = flags(__doc__)
    parser.add_argument("--run", metavar="RUN", help="folder of a run whose base model is taken (default: pretrain one)")
    parser.add_argument("--steps", type=int, help=f"steps of each training (default: {STEPS})")
    args = parse(parser, argv)
    report, jobs = Report(__file__, __doc__, args), Jobs(args)
    if args.steps and args.steps < len(STAGES):
        parser.error(f"--steps is {args.steps}; there are {len(STAGES)} stages, and each takes a step or more")
    steps = args.steps or (len(STAGES) if args.quick else STEPS)
    settings = replace(jobs.config.finetune, steps=steps, first_share=1 - 1 / len(STAGES), replay_rows=0)
    questions = {name: asked(4 if args.quick else TELLINGS, 0, held_out) for name, held_out in (("known", False), ("new", True))}
    count, found = max(steps * settings.rows, 16 * len(STAGES)), []        # some may not fit the context
    for seed in range(1 if args.quick else SEEDS):
        stages = make_curriculum(count, np.random.default_rng([seed, 42]))
        everybody = make_curriculum(len(STAGES) * count, np.random.default_rng([seed, 43]))[-1]
        for name, talks, first in ((AT_ONCE, everybody, ()), (IN_STAGES, stages[-1], stages[:-1])):
            progress(f"{name}, seed {seed}")
            model = jobs.copy()
            phase.finetune(model, talks, settings, seed, MemoryRecorder(), first=first)
            found.append({"name": name, **{key: compared(model, each) for key, each in questions.items()}})
            print("   ", found[-1], flush=True)
    rows = [{"name": name, "steps": steps, "known": float(np.mean([row["known"] for row in each])),
             "new": float(np.mean([row["new"] for row in each])), "lowest": min(row["new"] for row in each),
             "highest": max(row["new"] for row in each)} for (name,), each in grouped(found, "name").items()]
    report.table("One base model, after as many steps on each", COLUMNS, rows)
    report.headline("compared, in stages - at once, other wordings", rows[1]["new"] - rows[0]["new"], "+.3f")

    def draw_bars(axes):
        bars(axes, ["learned wordings", "other wordings"], {row["name"]: [row["known"], row["new"]] for row in rows},
             "told before not told (0.5: chance)")
    report.finish(draw_bars, rows=rows, seeds=found)


if __name__ == "__main__":
    main()
