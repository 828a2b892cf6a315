"""What does a system prompt change, and can a model learn from a conversation?

    python lessons/14_prompts_and_statelessness.py [--full]
"""

# %% A base model and the assistant that was made of it.
import hashlib
from functools import partial

import numpy as np
import workbench as w

from minillm import tree
from minillm.evaluate.likelihood import ending_likelihoods
from minillm.model.language_model import LanguageModel
from minillm.objectives.next_token import next_token_objective
from minillm.phases.finetune import FinetuneConfig
from minillm.text.batches import pad_batch
from minillm.text.chat import render_chat
from minillm.training.loop import train
from minillm.world.requests import make_requests

SEEDS = w.pick((0,), (0,), (0, 1, 2, 3, 4))
ONE_WORD, PLAIN = "Answer with one word.", "Answer with a full sentence."
SHUFFLED = "one with Answer word."


# %% Claim 6. The same question, with and without a system prompt: how far does the next token's distribution move?
def asked(model, question, system=None):
    """A conversation as tokens, ready for the assistant's first token."""
    messages = ([] if system is None else [{"role": "system", "content": system}])
    return model.tokenizer.encode_chat([*messages, {"role": "user", "content": question}], ask=True)


def first_probs(model, question, system=None):
    """The distribution of the answer's first token.  Shapes:  -> (V,)"""
    return model.predict_next(asked(model, question, system)).probs.astype(np.float64)


def kl(p, q):
    """sum p log(p / q), nats."""
    return float(np.sum(p * (np.log(p + 1e-12) - np.log(q + 1e-12))))


def answer_odds(model, request, system):
    """log P(one-word answer) - log P(full sentence) under a system prompt, nats."""
    context = asked(model, request.question, system)
    short = request.answer[0].upper() + request.answer[1:] + "."
    endings = [np.append(model.tokenizer.encode(text), model.tokenizer.end_id) for text in (short, request.sentence)]
    one, full = ending_likelihoods(model, [(context, endings)])[0]
    return float(one - full)


def style_shift(model, requests):
    """How the log-odds of a one-word answer move with the prompt that asks for it, and with its shuffled words."""
    plain = np.array([answer_odds(model, request, PLAIN) for request in requests])
    return (np.mean([answer_odds(model, request, ONE_WORD) for request in requests] - plain),
            np.mean([answer_odds(model, request, SHUFFLED) for request in requests] - plain))


shifts, moves = {"base": [], "assistant": []}, {"base": [], "assistant": []}
for seed in SEEDS:
    world, base, assistant = w.base_and_assistant(seed)
    requests = [request for request in make_requests(world, w.pick(20, 200), np.random.default_rng(5), "held_out")
                if request.answer and " " not in request.answer and not request.harmful][:w.pick(4, 40)]
    for name, model in (("base", base), ("assistant", assistant)):
        shifts[name].append(style_shift(model, requests))
        moves[name].append(np.mean([kl(first_probs(model, r.question, ONE_WORD), first_probs(model, r.question, PLAIN))
                                    for r in requests]))
rows = [(name, *np.mean(shifts[name], axis=0), np.mean(moves[name])) for name in shifts]
w.show(rows, ("model", "log-odds of one word, asked for", "its words shuffled", "KL of the first token"))


def draw_shift(axes):
    """Log-odds in both models, under the prompt and under its shuffled words."""
    for i, (name, real, shuffled, _) in enumerate(rows):
        axes.bar([i - 0.2], [real], 0.38, color="tab:blue", label="one word asked for" if i == 0 else None)
        axes.bar([i + 0.2], [shuffled], 0.38, color="lightgrey", label="its words shuffled" if i == 0 else None)
    axes.set_xticks([0, 1], [row[0] for row in rows])
    axes.set_ylabel("log-odds of a one-word answer, nats\nagainst a full sentence being asked for")
    axes.legend(frameon=False)


def paired(first, second):
    """Difference of two models' shifts, an interval over seeds, or over nothing where there is one seed."""
    return w.interval([a[0] - b[0] for a, b in zip(first, second)])


more = paired(shifts["assistant"], shifts["base"])
w.outcome(__file__, "6 a system prompt sets what the fine-tuned model says next",
          "asking for one word moves the log-odds of a one-word answer by at least 2 nats more in the assistant than in "
          "the base model",
          f"{more[0]:.2f} nats more ({more[1]:.2f} to {more[2]:.2f} over {len(SEEDS)} seeds); assistant "
          f"{rows[1][1]:.2f}, with shuffled words {rows[1][2]:.2f}; base {rows[0][1]:.2f}",
          w.verdict(more[1], more[2], above=2.0), {"more": list(more)}, w.picture("14_system_prompt", draw_shift))


# %% Claim 10. A conversation changes no weight: the hash says so.
def fingerprint(model):
    """SHA-256 over all weights."""
    digest = hashlib.sha256()
    for _, leaf in tree.named_leaves(model.params):
        digest.update(leaf.tobytes())
    return digest.hexdigest()


def told(name, pet):
    """A conversation in which the user says a fact and asks for it."""
    return [{"role": "user", "content": f"{name} has a {pet}. What pet does {name} have?"}]


def belief_in(model, messages, pet):
    """log P(the sentence that says the pet), nats."""
    context = model.tokenizer.encode_chat(messages, ask=True)
    ending = np.append(model.tokenizer.encode(f"A {pet}."), model.tokenizer.end_id)
    return float(ending_likelihoods(model, [(context, [ending])])[0][0])


def one_step(model, messages, answer, steps):
    """A copy of the model after `steps` steps of fine-tuning on one conversation."""
    copy = LanguageModel(tree.copy(model.params), model.config, model.tokenizer)
    ids, mask = render_chat(copy.tokenizer, [*messages, {"role": "assistant", "content": answer}])
    batch = pad_batch([ids], "right", copy.tokenizer.pad_id, [mask])
    settings = FinetuneConfig(steps=steps, rows=1, lr=1e-3, warmup_share=0, final_lr=1.0)
    train(copy.params, settings, lambda step: [batch], partial(next_token_objective, config=copy.config))
    return copy


same, in_context, next_call, tuned, other_fact = True, [], [], [], []
for seed in SEEDS:
    world, _, assistant = w.base_and_assistant(seed)
    people, pets = world.people[:w.pick(2, 12)], sorted({person.pet for person in world.people})
    inside, after, kept, control = [], [], [], []
    for number, person in enumerate(people):
        pet = [kind for kind in pets if kind != person.pet][number % (len(pets) - 1)]       # not what the corpus says
        question = [{"role": "user", "content": f"What pet does {person.name} have?"}]
        before, hashed = belief_in(assistant, question, pet), fingerprint(assistant)
        assistant.chat(told(person.name, pet))
        inside.append(belief_in(assistant, told(person.name, pet), pet) - before)
        after.append(belief_in(assistant, question, pet) - before)
        same = same and fingerprint(assistant) == hashed
        learned = one_step(assistant, question, f"A {pet}.", 1)
        assert fingerprint(learned) != hashed
        kept.append(belief_in(learned, question, pet) - before)
        someone = [{"role": "user", "content": f"What pet does {people[number - 1].name} have?"}]
        control.append(belief_in(learned, someone, pet) - belief_in(assistant, someone, pet))
    for values, found in ((in_context, inside), (next_call, after), (tuned, kept), (other_fact, control)):
        values.extend([np.mean(found)] if len(SEEDS) > 1 else found)
names = ("told in the context", "the next call", "after one step", "after one step, asked about somebody else")
stats = [w.interval(values) for values in (in_context, next_call, tuned, other_fact)]
w.show([(name, *stat) for name, stat in zip(names, stats)], ("log P(told pet) moves by", "nats", "from", "to"))


def draw_memory(axes):
    """How belief in the told fact moves in each case."""
    for i, (mean, low, high) in enumerate(stats):
        axes.barh(i, mean, xerr=[[mean - low], [high - mean]], capsize=3, color="tab:blue")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("change of log P(told pet), nats")


judged = "fails" if not same or stats[1][0] != 0 else w.verdict(min(stats[0][1], stats[2][1]),
                                                                min(stats[0][2], stats[2][2]))
w.outcome(__file__, "10 a model cannot learn from a conversation",
          "the weights' hash is the same after a chat; a fact told in the context raises its log-probability there and "
          "moves it by exactly 0 in the next call; one step of fine-tuning raises it in later calls",
          f"hash the same: {same}; in the context {stats[0][0]:.2f} nats ({stats[0][1]:.2f} to {stats[0][2]:.2f}), next "
          f"call {stats[1][0]:.2f}, after one step {stats[2][0]:.2f} ({stats[2][1]:.2f} to {stats[2][2]:.2f}), about "
          f"somebody else {stats[3][0]:.2f} (over {len(SEEDS)} seeds)", judged,
          {name: list(stat) for name, stat in zip(names, stats)}, w.picture("14_memory", draw_memory))
