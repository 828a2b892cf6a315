"""What does fine-tuning make better, and what is forgotten for it?

    python lessons/13_fine_tuning.py [--full]
"""

# %% One base model, and three things that it could be for.
from dataclasses import replace

import numpy as np
import workbench as w

from minillm import tree
from minillm.evaluate.likelihood import stream_loss
from minillm.model.language_model import LanguageModel
from minillm.phases.finetune import FinetuneConfig, finetune, finetune_domain, finetune_task
from minillm.runs import measures
from minillm.training.recorder import MemoryRecorder
from minillm.world.conversations import make_conversations
from minillm.world.corpus import write_corpus
from minillm.world.jargon import domain_documents
from minillm.world.messages import TASK_PROMPT, labelled_messages
from minillm.world.requests import make_requests

SEEDS = w.pick((0,), (0,), (0, 1, 2))
STEPS = w.pick(1, 60, 100)
SETTINGS = FinetuneConfig(steps=STEPS, rows=w.pick(2, 16), warmup_share=min(1, 10 / STEPS), replay_rows=0)
NAMES = ("base", "instructions", "instructions, replay", "task", "domain")


def copy_of(model):
    """The same model, to be trained further on its own."""
    return LanguageModel(tree.copy(model.params), model.config, model.tokenizer)


# %% The same start, four times trained further: instructions without and with replay, one task, one domain.
def tuned_models(world, base, seed):
    """{name: model}, the base among them."""
    rng = np.random.default_rng([seed, 9])
    talks = [talk.messages for talk in make_conversations(world, w.pick(40, 4000), rng)]
    text = [document.text for document in write_corpus(world, w.pick(0.05, 1.0))]
    stream = base.tokenizer.encode_documents(text)
    models = {"base": base, **{name: copy_of(base) for name in NAMES[1:]}}
    finetune(models["instructions"], talks, SETTINGS, seed, MemoryRecorder())
    finetune(models["instructions, replay"], talks, replace(SETTINGS, replay_rows=w.pick(1, 4)), seed, MemoryRecorder(),
             replay=stream)
    messages = labelled_messages(world, w.pick(40, 1500), rng, "train")
    finetune_task(models["task"], messages, TASK_PROMPT, SETTINGS, seed, MemoryRecorder())
    logs = base.tokenizer.encode_documents(domain_documents(world, w.pick(60, 600), rng, "train"))
    finetune_domain(models["domain"], logs, SETTINGS, seed, MemoryRecorder())
    return models


# %% Each model on each ruler; the base's own skill is its loss on documents like those it was pretrained on.
def measured(model, world):
    """(instructions right, task right, bits a byte of the domain, loss on pretraining text)."""
    rng, few = np.random.default_rng(77), w.pick(8, 150)
    requests = make_requests(world, few, rng, "held_out")
    messages = labelled_messages(world, few, rng, "held_out")
    logs = domain_documents(world, w.pick(4, 60), rng, "held_out")
    plain = [document.text for document in write_corpus(world, w.pick(0.01, 0.08), seed=123)]
    return (measures.instruction_accuracy(model, requests), measures.task_accuracy(model, messages),
            measures.domain_bits_per_byte(model, logs), stream_loss(model, model.tokenizer.encode_documents(plain))[0])


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
       ("model", "instructions", "task", "domain, bits a byte", "pretraining text, nats a token"))


# %% Specialization: each model is the best at its own thing. Forgetting: what the base's loss rose by.
def gain(name, column, sign=1.0):
    """How much better than all other specialists, on its own ruler; an interval over seeds."""
    others = [other for other in NAMES if other != name and not other.startswith(name[:4])]
    return w.interval([sign * rows[column] - max(sign * found[other][i][column] for other in others)
                       for i, rows in enumerate(found[name])])


def forgot(name):
    """Rise of the loss on pretraining text over the base's, nats a token."""
    return w.interval([rows[3] - base_rows[3] for rows, base_rows in zip(found[name], found["base"])])


def draw(axes):
    """Forgetting of every specialist."""
    for i, name in enumerate(NAMES[1:]):
        mean, low, high = forgot(name)
        spread = None if np.isinf(low) else [[mean - low], [high - mean]]
        axes.barh(i, mean, xerr=spread, capsize=3, color="tab:orange")
    axes.set_yticks(range(len(NAMES) - 1), NAMES[1:])
    axes.invert_yaxis()
    axes.set_xlabel("loss on pretraining text, above the base's, nats a token")


gains = {"instructions": gain("instructions", 0), "task": gain("task", 1), "domain": gain("domain", 2, -1.0)}
least = min(gains.values(), key=lambda g: g[1])
kept = w.interval([a[3] - b[3] for a, b in zip(found["instructions"], found["instructions, replay"])])
w.outcome(__file__, "5 fine-tuning specializes",
          "each specialist beats the base and the other specialists on its own ruler; replay of pretraining text lowers "
          "what is forgotten",
          "; ".join(f"{name} ahead by {g[0]:.2f} ({g[1]:.2f} to {g[2]:.2f})" for name, g in gains.items())
          + "; forgotten: " + ", ".join(f"{name} {forgot(name)[0]:.2f}" for name in NAMES[1:])
          + f" nats; replay saves {kept[0]:.2f} ({kept[1]:.2f} to {kept[2]:.2f}); {len(SEEDS)} seeds",
          w.verdict(min(least[1], kept[1]), min(least[2], kept[2])),
          {**{name: list(g) for name, g in gains.items()}, "replay saves": list(kept)}, w.picture("13_forgetting", draw))
