"""What does each classic mistake in a training loop look like?

    python lessons/05_training_loop.py [--full]
"""

# %% The museum: one healthy run, and the same run with one mistake at a time.
from unittest import mock

import numpy as np
import workbench as w

from minillm import tree
from minillm.config import PolicyConfig, PretrainConfig
from minillm.evaluate.likelihood import stream_loss
from minillm.kernels import attention as kernels
from minillm.model.decoding import generate_tokens
from minillm.phases import policy_gradient as rl
from minillm.text.batches import window_batch
from minillm.text.tokenizer import train_tokenizer
from minillm.train import objectives
from minillm.train.loop import train

SEEDS = w.pick((0,), (0, 1, 2), (0, 1, 2, 3, 4))
STEPS = w.pick(4, 150)
ANIMALS = ("cat", "dog", "cow", "hen", "fox", "owl")
PLACES = ("mat", "log", "bed", "box", "car", "hay")
SENTENCES = {(i, j): f"the {a} sat on the {p}. then the {a} left the {p}."
             for i, a in enumerate(ANIMALS) for j, p in enumerate(PLACES)}
TEXTS = [text for (i, j), text in SENTENCES.items() if i != j]          # 30 to learn from, and 6 that no run reads
TOKENIZER = train_tokenizer(TEXTS, kind="characters")
STREAM = TOKENIZER.encode_documents(TEXTS * 24)
HELD_OUT = TOKENIZER.encode_documents([text for (i, j), text in SENTENCES.items() if i == j])


def fresh(seed):
    """A small untrained model."""
    return w.small_model(TOKENIZER, seed, context=64, layers=2, width=48, hidden=96)


# %% Each mistake is a change to the batch, to the gradient, or to one function of the package while it trains.
def shifted_twice(batch):
    """Labels moved on by one more place: the model learns to skip a token."""
    return batch._replace(targets=np.roll(batch.targets, -1, axis=1), weights=np.where(
        np.arange(batch.tokens.shape[1]) < batch.tokens.shape[1] - 1, batch.weights, np.float32(0)))


def end_masked(batch):
    """The end token never counts as a target: the model does not learn to stop."""
    return batch._replace(weights=np.where(batch.targets == TOKENIZER.end_id, np.float32(0), batch.weights))


def all_masked(batch):
    """No target counts."""
    return batch._replace(weights=np.zeros_like(batch.weights))


FORWARD, BACKWARD = kernels.attention_forward, kernels.attention_backward


def unscaled_forward(q, k, v, first):
    """Attention without 1 / sqrt(D): the query is made that much longer."""
    return FORWARD(q * q.dtype.type(np.sqrt(q.shape[-1])), k, v, first)


def unscaled_backward(dout, q, k, v, out, lse, first):
    """Its gradient, by the chain rule."""
    scale = q.dtype.type(np.sqrt(q.shape[-1]))
    dq, dk, dv = BACKWARD(dout, q * scale, k, v, out, lse, first)
    return dq * scale, dk, dv


def twice(q, k, v, first):
    """The row behind itself: queries of the second half see every key of the first, so nothing is hidden from them."""
    return (np.concatenate([np.zeros_like(q), q], axis=1), *(np.concatenate([x, x], axis=1) for x in (k, v)),
            np.concatenate([first, first], axis=1) * 0)


def unmasked_forward(q, k, v, first):
    """Attention without the causal mask."""
    out, lse = FORWARD(*twice(q, k, v, first))
    return out[:, q.shape[1]:].copy(), lse[:, :, q.shape[1]:].copy()


def unmasked_backward(dout, q, k, v, out, lse, first):
    """Its gradient; a key stands in both halves, so its two gradients add up."""
    T, doubled = q.shape[1], twice(q, k, v, first)
    grads = BACKWARD(np.concatenate([np.zeros_like(dout), dout], axis=1), *doubled[:3], *FORWARD(*doubled), doubled[3])
    return grads[0][:, T:], *(grad[:, :T] + grad[:, T:] for grad in grads[1:])


class NotCleared:
    """An objective whose gradients are never cleared: each step adds to the sum of all before it."""

    def __init__(self, objective):
        self.objective, self.total = objective, None

    def __call__(self, params, batch):
        part = self.objective(params, batch)
        self.total = tree.add_scaled(self.total, part.grads, 1.0)
        return part._replace(grads=tree.tree_map(np.copy, self.total))


BATCHES = {"labels shifted twice": shifted_twice, "end token masked out": end_masked, "all labels masked": all_masked}
ATTENTIONS = {"no 1/sqrt(D)": (unscaled_forward, unscaled_backward),
              "no causal mask": (unmasked_forward, unmasked_backward)}
NAMES = ("healthy", "no causal mask", "no 1/sqrt(D)", "gradients not cleared", "end token masked out",
         "labels shifted twice", "all labels masked")


def run(name, seed):
    """(losses, the trained model) of one exhibit; the losses end where training broke off."""
    model, curve, objective = fresh(seed), [], objectives.next_token(fresh(seed).config)
    objective = NotCleared(objective) if name == "gradients not cleared" else objective
    spoil = BATCHES.get(name, lambda batch: batch)
    settings = PretrainConfig(steps=STEPS, rows=8, lr=4e-3, warmup=min(20, STEPS), short_steps=0)

    def batch_at(step, _):
        return [spoil(window_batch(STREAM, step, settings.rows, 64, seed, TOKENIZER.begin_id))]
    forward, backward = ATTENTIONS.get(name, (FORWARD, BACKWARD))
    with mock.patch.object(kernels, "attention_forward", forward), mock.patch.object(kernels, "attention_backward", backward):
        try:
            train(model.params, settings, batch_at, objective, watch=lambda s, p, o, record: curve.append(record["loss"]))
        except (FloatingPointError, ValueError, ZeroDivisionError) as error:
            print(f"  {name}: {type(error).__name__}: {str(error)[:90]}")
    if name == "no 1/sqrt(D)":          # what was trained so is used so: the factor goes into the weights of the queries
        for block in model.params["blocks"]:
            block["attention"]["query"]["weight"] *= np.float32(np.sqrt(model.config.head_size))
    return np.array(curve), model


# %% What a healthy evaluation sees: the loss on the sentences that no run reads, and whether generated texts end and are
# sentences of the kind, read or not.
def written(model):
    """(share of generated texts that end by the end token, share that are one of the 36 sentences)."""
    texts = generate_tokens(model.params, model.config, [[TOKENIZER.begin_id]] * 20, np.random.default_rng(1),
                            end_id=TOKENIZER.end_id, pad_id=TOKENIZER.pad_id, max_new_tokens=60, temperature=0.7)
    return (np.mean([ids[-1] == TOKENIZER.end_id for ids in texts]),
            np.mean([TOKENIZER.decode(ids) in SENTENCES.values() for ids in texts]))


def loss_near(curve, step):
    """Mean training loss of five steps; of a run that never began, not a number."""
    return float(np.mean(curve[step:][:5])) if len(curve) else np.nan


def versus(table, name):
    """Exhibit minus healthy, seed by seed: an interval."""
    return w.interval(np.subtract(table[name], table["healthy"]))


exhibits = {name: [run(name, seed) for seed in SEEDS] for name in NAMES}
early, later, last = ({name: [loss_near(curve, step) for curve, _ in runs] for name, runs in exhibits.items()}
                      for step in (STEPS // 3, 2 * STEPS // 3, -5))
honest = {name: [stream_loss(model, HELD_OUT)[0] for _, model in runs] for name, runs in exhibits.items()}
wrote = {name: np.mean([written(model) for _, model in runs], axis=0) for name, runs in exhibits.items()}
w.show([(name, np.mean(early[name]), np.mean(last[name]), np.mean(honest[name]), *wrote[name]) for name in NAMES],
       ("exhibit", f"training loss, step {STEPS // 3}", "at the end", "held-out loss", "texts that end", "right sentences"))

# %% The guess: whose training loss ends below the healthy one?
for when, table in ((f"step {STEPS // 3}", early), (f"step {2 * STEPS // 3}", later), ("the end", last)):
    w.show([(name, *versus(table, name)) for name in NAMES[1:-1]],
           ("exhibit", f"training loss at {when}, above the healthy one by", "from", "to"))
print(f"  a new pass over the text begins every {(len(STREAM) - 64) // 64 // 8} steps; there are "
      f"{TOKENIZER.vocab_size} tokens, and a guess among all of them has a loss of {np.log(TOKENIZER.vocab_size):.2f}")


# %% The wing of reinforcement learning: a token that is paid for, and a known optimum.
PROMPT, PAID, TEMPERATURE = TOKENIZER.encode("the "), TOKENIZER.encode("o")[0], 0.5


def log_chances(model):
    """log P of every token after the prompt, at the temperature that samples.  Shapes:  -> (V,)"""
    logits = model.predict_next(PROMPT).logits[0].astype(np.float64) / TEMPERATURE
    return logits - np.logaddexp.reduce(logits)


def policy_run(name, seed):
    """(P(paid) at the end, KL from the start at each step and at the end, the log) under one mistake.

    A response is one token here, so KL is a sum over the vocabulary: exact, and beyond the reach of every mistake.
    """
    model, kls = fresh(seed), []
    start = log_chances(model)

    def measure(*_):
        now = log_chances(model)
        kls.append(float(np.sum(np.exp(now) * (now - start))))
        return {}
    scale = 100.0 if name == "reward not normalized" else 1.0
    settings = PolicyConfig(algorithm="ppo", steps=w.pick(2, 40), rows=64, epochs=1, kl=0.3, max_new_tokens=1, lr=3e-3,
                            warmup=3, temperature=TEMPERATURE, save_every=40, clip_ratio=0.2)
    if name == "KL with the wrong sign":    # PolicyConfig refuses a negative price, as it should: smuggled in behind its back
        object.__setattr__(settings, "kl", -settings.kl)

    def score(sequences, _):
        return np.array([scale * (ids[-1] == PAID) for ids in sequences], np.float32)
    scored = rl.logprobs_and_values
    if name == "temperature missing in the ratio":
        def scored(p, c, b, t, head=None, real=scored):
            return real(p, c, b, 1.0, head)
    notebook = w.Notebook()
    with mock.patch.object(rl, "logprobs_and_values", scored):
        rl.policy_gradient(model, rl.value_heads(model, seed), [PROMPT], score, settings, seed, notebook, measure)
    measure()
    return np.exp(log_chances(model)[PAID]), kls, notebook.records


WING = ("healthy", "reward not normalized", "KL with the wrong sign", "temperature missing in the ratio")
policies = {name: [policy_run(name, seed) for seed in SEEDS] for name in WING}
ratio = {name: [float(np.mean([record["ratio_distance"] for record in records[:3]])) for *_, records in runs]
         for name, runs in policies.items()}
value = {name: [float(np.mean([record["value_loss"] for record in records[:3]])) for *_, records in runs]
         for name, runs in policies.items()}
kls = {name: [run[1][-1] for run in runs] for name, runs in policies.items()}
w.show([(name, np.mean([run[0] for run in policies[name]]), np.mean(kls[name]), np.mean(ratio[name]), np.mean(value[name]))
        for name in WING],
       ("exhibit", "P(paid)", "KL, nats", "first ratios' distance from 1", "first value loss"))

# %% The symptoms, predicted as numbers, each judged against the healthy arm seed by seed.
symptoms = {
    "no causal mask": ("held-out loss more than 1 nat above", versus(honest, "no causal mask"), 1.0),
    "no 1/sqrt(D)": ("held-out loss above", versus(honest, "no 1/sqrt(D)"), 0.0),
    "gradients not cleared": ("training loss more than 0.3 nats above", versus(last, "gradients not cleared"), 0.3),
    "end token masked out": ("share of texts that go on for ever more than 0.5 above",
                             w.interval([written(h)[0] - written(b)[0] for (_, h), (_, b) in
                                         zip(exhibits["healthy"], exhibits["end token masked out"])]), 0.5),
    "labels shifted twice": ("held-out loss more than 1 nat above", versus(honest, "labels shifted twice"), 1.0),
    "all labels masked": ("the first step refuses to go on (1 = yes)",
                          w.interval([float(len(curve) == 0) for curve, _ in exhibits["all labels masked"]]), 0.5),
    "reward not normalized": ("first value loss more than 100 above", versus(value, "reward not normalized"), 100.0),
    "KL with the wrong sign": ("KL more than 0.2 nats above", versus(kls, "KL with the wrong sign"), 0.2),
    "temperature missing in the ratio": ("first ratios more than 0.05 further from 1",
                                         versus(ratio, "temperature missing in the ratio"), 0.05),
}
judged = {name: w.verdict(found[1], found[2], above=bar) for name, (_, found, bar) in symptoms.items()}
w.show([(name, text, *found, judged[name]) for name, (text, found, _) in symptoms.items()],
       ("exhibit", "predicted, beside the healthy run", "found", "from", "to", "outcome"))


def draw(axes):
    """Training loss of every exhibit."""
    for name in NAMES:
        curves = [curve for curve, _ in exhibits[name] if len(curve)]
        if curves:
            axes.plot(np.mean([curve[:min(map(len, curves))] for curve in curves], axis=0), label=name,
                      linewidth=2.5 if name == "healthy" else 1.2)
    axes.set_xlabel("step")
    axes.set_ylabel("training loss, nats a token")
    axes.legend(frameon=False, fontsize=8)


# %% The quiz: all nine without their names, in an order that answers/05_training_loop.py gives away. Which bug is this?
ORDER = np.random.default_rng(5).permutation(len(symptoms))


def evidence(name):
    """(axis, curve of an exhibit, the healthy curve, what else is measured of it), means over the seeds."""
    if name in NAMES:
        curves = [np.mean([curve for curve, _ in exhibits[arm]], axis=0) for arm in (name, "healthy")]
        beside = f"held-out loss {np.mean(honest[name]):.2f} (healthy {np.mean(honest['healthy']):.2f})"
        return "training loss", *curves, f"{beside}\n{wrote[name][0]:.0%} of its texts end"
    curves = [np.mean([run[1] for run in policies[arm]], axis=0) for arm in (name, "healthy")]
    beside = f"value loss at first {np.mean(value[name]):.3g} (healthy {np.mean(value['healthy']):.3g})"
    return "KL, nats", *curves, f"{beside}\nfirst ratios {np.mean(ratio[name]):.2g} from 1"


def draw_quiz(axes):
    """Nine panels, an exhibit in each beside the healthy run in grey."""
    for letter, place, panel in zip("abcdefghi", ORDER, axes.flat):
        axis, curve, healthy, beside = evidence(list(symptoms)[place])
        panel.plot(healthy, color="lightgrey", linewidth=4)
        panel.plot(curve, color="tab:blue")
        panel.set_title(f"({letter})", loc="left", fontsize=10)
        panel.set_ylabel(axis)
        panel.set_xlabel(beside, fontsize=8)


w.picture("05_quiz", draw_quiz, size=(9, 8), grid=(3, 3))
wrong = [name for name, word in judged.items() if word != "holds"]
w.outcome(__file__, "13 every classic mistake has a symptom that gives it away",
          "all nine mistakes show the symptom predicted for them, beside a healthy run of the same seed",
          f"{9 - len(wrong)} of 9 hold over {len(SEEDS)} seeds" + (f"; otherwise: {', '.join(f'{n} ({judged[n]})' for n in wrong)}"
                                                              if wrong else ""),
          "holds" if not wrong else "fails" if any(judged[n] == "fails" for n in wrong) else "undecided",
          {name: list(found) for name, (_, found, _) in symptoms.items()}, w.picture("05_museum", draw))
