"""What does fine-tuning make better, and what is forgotten for it?

    python lessons/13_fine_tuning.py [--full]
"""

# %% One base model, and three things that it could be for.
from dataclasses import replace
from functools import partial

import numpy as np
import workbench as w

from minillm.evaluate.likelihood import examples_loss, stream_loss
from minillm.objectives.next_token import next_token_objective
from minillm.phases.finetune import FinetuneConfig, finetune, finetune_domain, finetune_task, rendered, task_conversation
from minillm.runs import measures
from minillm.text.batches import pack_conversations, packed_batch, window_batch
from minillm.training.recorder import MemoryRecorder
from minillm.training.trainer import fit
from minillm.world.conversations import make_conversations
from minillm.world.corpus import write_corpus
from minillm.world.jargon import domain_documents
from minillm.world.messages import TASK_PROMPT, labelled_messages
from minillm.world.requests import make_requests

SEEDS = w.pick((0,), (1,), (1, 2, 3, 4))
STEPS, ROWS, OLD_ROWS = w.pick(1, 60, 100), w.pick(2, 16), w.pick(1, 4)
SETTINGS = FinetuneConfig(steps=STEPS, rows=ROWS, warmup_share=min(1, 10 / STEPS), replay_rows=0)
UNITS = {"instructions": " nats a token of the answers", "task": " of the labels right", "domain": " bits a byte"}
NAMES = ("base", "instructions", "instructions, replay", "instructions, more rows", "task", "task, every word", "domain",
         "domain, few tokens", "old text")


# %% The task counts few tokens in a row, its labels; the domain counts all of them. Both ways for both texts separate the two
# causes: every word of the messages, or as few tokens of the logs as the task has labels' tokens.
def task_rows(model, messages, every_word, seed):
    """Labelled messages, packed in rows: the label's tokens count or, with every_word, the message's too."""
    examples = rendered(model, [task_conversation(TASK_PROMPT, text, label) for text, label in messages], "messages")
    if every_word:
        examples = [(ids, np.arange(len(ids)) > np.argmax(ids == model.tokenizer.user_id)) for ids, _ in examples]
    return pack_conversations(examples, model.config.context, np.random.default_rng(seed), model.tokenizer.pad_id)


def train_on(model, batch_at, seed):
    """Next-token prediction on whatever batch_at(step) counts, with the settings of all other arms."""
    objective = partial(next_token_objective, config=model.config, recompute=SETTINGS.recompute, precision=SETTINGS.precision)
    fit(model, SETTINGS, lambda step: [batch_at(step)], objective, MemoryRecorder())


def few_tokens(batch, share, rng):
    """The batch with only a share of its tokens counted, drawn at random."""
    return batch._replace(weights=batch.weights * (rng.random(batch.weights.shape) < share))


# %% The same start, eight times trained further. Two of the arms are controls: "old text" takes the same steps at the same learning
# rate on the text of pretraining, so what it shares with a specialist comes from training on, not from the new data; "more rows"
# has as many rows in a batch as "replay", but all of them conversations. Two more change what counts and leave the text.
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
    labels, whole = (task_rows(base, messages, every_word, seed) for every_word in (False, True))
    train_on(models["task, every word"], lambda step: packed_batch(whole, step, ROWS, seed), seed)
    share, begin = labels.batch.weights.mean(), base.tokenizer.begin_id
    train_on(models["domain, few tokens"],
             lambda step: few_tokens(window_batch(logs, step, ROWS, base.config.context, seed, begin), share,
                                     np.random.default_rng([seed, step])), seed)
    print(f"  seed {seed}: of the tokens in a row count {share:.0%} for the task, {whole.batch.weights.mean():.0%} with every word")
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
# From the task to the domain, one change at a time: the text, and then how many tokens count; the latter in the other text too.
few_task, all_task, few_domain, all_domain = (np.array([rows[3] for rows in found[name]]) for name in (
    "task", "task, every word", "domain, few tokens", "domain"))
causes = {"the logs in place of the messages, as few tokens": w.interval(few_domain - few_task),
          "more tokens of the logs": w.interval(all_domain - few_domain),
          "more tokens of the messages": w.interval(all_task - few_task)}
w.show([(name, *forgotten[name]) for name in forgotten], ("forgotten, against the control", "nats a token", "from", "to"))
w.show([(name, *causes[name]) for name in causes], ("forgotten more, by one change", "nats a token", "from", "to"))
bounds = [*gains.values(), *(forgotten[name] for name in gains), saved]
least, most = (min(bound[end] for bound in bounds) for end in (1, 2))
w.outcome(__file__, "5 fine-tuning specializes",
          "on its own ruler each specialist beats the base, the other specialists and a model that took as many steps on the old "
          "text; on the old text each is worse than that model; replay lowers what is forgotten, and by more than as many "
          "further rows of conversations",
          "; ".join(f"{name} ahead by {g[0]:.2f} ({g[1]:.2f} to {g[2]:.2f}){UNITS[name]}" for name, g in gains.items())
          + "; forgotten: " + ", ".join(f"{name} {f[0]:.2f} ({f[1]:.2f} to {f[2]:.2f})" for name, f in forgotten.items())
          + f" nats; replay saves {saved[0]:.2f} ({saved[1]:.2f} to {saved[2]:.2f}); the old text by itself changes the loss by "
          + f"{forgot('old text', 'base')[0]:+.2f}; forgotten more, by one change: "
          + ", ".join(f"{name} {c[0]:+.2f} ({c[1]:+.2f} to {c[2]:+.2f})" for name, c in causes.items()) + f"; {len(SEEDS)} seeds",
          w.verdict(least, most),
          {**{name: list(g) for name, g in gains.items()}, **{f"{name} forgets": list(forgotten[name]) for name in gains},
           "replay saves": list(saved), **{name: list(c) for name, c in causes.items()}}, w.picture("13_forgetting", draw),
          plainly={"holds": "Each specialist is the best at its own job and worse at the old text, and reading a little old "
                            "text again prevents most of the loss.",
                   "fails": "Some specialist is not the best at its own job, or forgets nothing, or replay does not help.",
                   "undecided": "One of the comparisons is too close to call over these seeds; more base models would tell."})
