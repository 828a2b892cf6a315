"""What does fine-tuning make better, and what is forgotten for it?

    python lessons/13_fine_tuning.py [--full]
"""

# %% One base model, and three things that it could be for.
from dataclasses import replace

import numpy as np
import workbench as w

from minillm.evaluate.likelihood import examples_loss, stream_loss
from minillm.phases.finetune import FinetuneConfig, finetune, finetune_domain, finetune_task, rendered
from minillm.runs import measures
from minillm.training.recorder import MemoryRecorder
from minillm.world.conversations import make_conversations
from minillm.world.corpus import write_corpus
from minillm.world.jargon import domain_documents
from minillm.world.messages import TASK_PROMPT, labelled_messages
from minillm.world.requests import make_requests

SEEDS = w.pick((0,), (1,), (1, 2, 3))
STEPS, ROWS, OLD_ROWS = w.pick(1, 60, 100), w.pick(2, 16), w.pick(1, 4)
SETTINGS = FinetuneConfig(steps=STEPS, rows=ROWS, warmup_share=min(1, 10 / STEPS), replay_rows=0)
UNITS = {"instructions": " nats a token of the answers", "task": " of the labels right", "domain": " bits a byte"}
NAMES = ("base", "instructions", "instructions, replay", "instructions, more rows", "task", "domain", "old text")


# %% The same start, six times trained further. Two of the arms are controls: "old text" takes the same steps at the same learning
# rate on the text of pretraining, so what it shares with a specialist comes from training on, not from the new data; "more rows"
# has as many rows in a batch as "replay", but all of them conversations.
def tuned_models(world, base, seed):
    """{name: model}, the base among them."""
    rng = np.random.default_rng([seed, 29])
    talks = [talk.messages for talk in make_conversations(world, w.pick(40, 4000), rng)]
    text = [document.text for document in write_corpus(world, w.pick(0.05, 1.0))]
    stream = base.tokenizer.encode_documents(text)
    models = {"base": base, **{name: w.copy_of(base) for name in NAMES[1:]}}
    finetune(models["instructions"], talks, SETTINGS, seed, MemoryRecorder())
    finetune(models["instructions, replay"], talks, replace(SETTINGS, replay_rows=OLD_ROWS), seed, MemoryRecorder(),
             replay=stream)
    finetune(models["instructions, more rows"], talks, replace(SETTINGS, rows=ROWS + OLD_ROWS), seed, MemoryRecorder())
    messages = labelled_messages(world, w.pick(40, 1500), rng, "train")
    finetune_task(models["task"], messages, TASK_PROMPT, SETTINGS, seed, MemoryRecorder())
    logs = base.tokenizer.encode_documents(domain_documents(world, w.pick(60, 600), rng, "train"))
    finetune_domain(models["domain"], logs, SETTINGS, seed, MemoryRecorder())
    finetune_domain(models["old text"], stream, SETTINGS, seed, MemoryRecorder())
    return models


# %% Each model on each ruler; the base's own skill is its loss on documents like those it was pretrained on.
def measured(model, world):
    """(loss on answers, task right, bits a byte of the domain, loss on pretraining text, instructions right)."""
    rng, few = np.random.default_rng(77), w.pick(8, 150)
    talks = [talk.messages for talk in make_conversations(world, w.pick(8, 300), rng, "held_out")]
    requests = make_requests(world, few, rng, "held_out")
    messages = labelled_messages(world, few, rng, "held_out")
    logs = domain_documents(world, w.pick(4, 60), rng, "held_out")
    plain = [document.text for document in write_corpus(world, w.pick(0.01, 0.08), seed=123)]
    return (examples_loss(model, rendered(model, talks, "held-out conversations")), measures.task_accuracy(model, messages),
            measures.domain_bits_per_byte(model, logs), stream_loss(model, model.tokenizer.encode_documents(plain))[0],
            measures.instruction_accuracy(model, requests))


found = {name: [] for name in NAMES}
for seed in SEEDS:
    world, base, _ = w.base_and_assistant(seed)
    for name, model in tuned_models(world, base, seed).items():
        found[name].append(measured(model, world))
        if seed == SEEDS[0]:
            answer = model.chat([{"role": "user", "content": "What is the capital of Peru?"}], max_new_tokens=20)
            print(f"  {name:<22}{answer!r}")
means = {name: np.mean(rows, axis=0) for name, rows in found.items()}
w.show([(name, *means[name]) for name in NAMES],
       ("model", "answers, nats a token", "task right", "domain, bits a byte", "pretraining text, nats a token",
        "instructions right"))


# %% Specialization: each model is the best at its own thing. Forgetting: how much higher its loss on pretraining text is than
# that of the control, which took the same steps on such text.
def gain(name, column, sign=1.0):
    """How much better than every model with another purpose, the control among them, on its own ruler; over seeds."""
    others = [other for other in NAMES if not other.startswith(name)]
    return w.interval([sign * rows[column] - max(sign * found[other][i][column] for other in others)
                       for i, rows in enumerate(found[name])])


def forgot(name, start="old text"):
    """Rise of the loss on pretraining text over another model's, nats a token."""
    return w.interval([rows[3] - start_rows[3] for rows, start_rows in zip(found[name], found[start])])


def draw(axes):
    """Forgetting of every specialist, and of the control, above the base."""
    for i, name in enumerate(NAMES[1:]):
        mean, low, high = forgot(name, "base")
        spread = None if np.isinf(low) else [[mean - low], [high - mean]]
        axes.barh(i, mean, xerr=spread, capsize=3, color="grey" if name == "old text" else "tab:orange")
    axes.set_yticks(range(len(NAMES) - 1), NAMES[1:])
    axes.invert_yaxis()
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("loss on pretraining text, above the base's, nats a token")


gains = {"instructions": gain("instructions", 0, -1.0), "task": gain("task", 1), "domain": gain("domain", 2, -1.0)}
forgotten = {name: forgot(name) for name in NAMES[1:-1]}
saved = w.interval([min(plain[3], more[3]) - replayed[3] for plain, more, replayed in
                    zip(found["instructions"], found["instructions, more rows"], found["instructions, replay"])])
w.show([(name, *forgotten[name]) for name in forgotten], ("forgotten, against the control", "nats a token", "from", "to"))
bounds = [*gains.values(), *(forgotten[name] for name in gains), saved]
least, most = (min(bound[end] for bound in bounds) for end in (1, 2))
w.outcome(__file__, "5 fine-tuning specializes",
          "on its own ruler each specialist beats the base, the other specialists and a model that took as many steps on the old "
          "text; on the old text each is worse than that model; replay lowers what is forgotten, and by more than as many "
          "further rows of conversations",
          "; ".join(f"{name} ahead by {g[0]:.2f} ({g[1]:.2f} to {g[2]:.2f}){UNITS[name]}" for name, g in gains.items())
          + "; forgotten: " + ", ".join(f"{name} {f[0]:.2f} ({f[1]:.2f} to {f[2]:.2f})" for name, f in forgotten.items())
          + f" nats; replay saves {saved[0]:.2f} ({saved[1]:.2f} to {saved[2]:.2f}); the old text by itself changes the loss by "
          + f"{forgot('old text', 'base')[0]:+.2f}; {len(SEEDS)} seeds",
          w.verdict(least, most),
          {**{name: list(g) for name, g in gains.items()}, **{f"{name} forgets": list(forgotten[name]) for name in gains},
           "replay saves": list(saved)}, w.picture("13_forgetting", draw),
          plainly={"holds": "Each specialist is the best at its own job and worse at the old text, and reading a little old "
                            "text again prevents most of the loss.",
                   "fails": "Some specialist is not the best at its own job, or forgets nothing, or replay does not help.",
                   "undecided": "One of the comparisons is too close to call over these seeds; more base models would tell."})
