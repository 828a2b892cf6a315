"""How many rankings does a reward model need, and what does optimizing against it do?

    python lessons/12_reward_model.py [--full]
"""

# %% Rankings of an assistant's answers by a simulated rater; some are held out.
from dataclasses import replace

import numpy as np
import workbench as w

from minillm import tree
from minillm.config import PolicyConfig, PreferenceConfig, RewardConfig
from minillm.evaluate.measure import mean_marks
from minillm.model.language_model import LanguageModel
from minillm.phases.policy_gradient import policy_gradient, value_heads
from minillm.phases.preferences import collect_rankings
from minillm.phases.reward_model import held_out_accuracy, reward_heads, reward_scores, train_reward_model
from minillm.world.raters import WEIGHTS, SimulatedRater
from minillm.world.requests import make_requests

SEEDS = w.pick((0,), (0,), (0, 1, 2))
COUNTS = w.pick((4,), (30, 100, 300), (30, 100, 300, 900))
ASK = replace(PreferenceConfig(), max_new_tokens=w.pick(4, 24))


def copy_of(model):
    """The same model, to be trained further on its own."""
    return LanguageModel(tree.copy(model.params), model.config, model.tokenizer)


def learned(assistant, rankings, seed):
    """A reward model after the same number of steps, however many rankings there are."""
    model, heads = copy_of(assistant), reward_heads(assistant, seed)
    train_reward_model(model, heads, rankings, RewardConfig(steps=w.pick(1, 60), rows=w.pick(2, 16)), seed, w.Notebook())
    return model, heads


# %% Accuracy on held-out pairs against the number of rankings, and a control whose ranks are shuffled.
accuracy, control, traces = {count: [] for count in COUNTS}, [], []
for seed in SEEDS:
    world, _, assistant = w.base_and_assistant(seed)
    rng = np.random.default_rng([seed, 12])
    asked = make_requests(world, COUNTS[-1] + COUNTS[-1] // 2, rng, "train")
    rankings = collect_rankings(assistant, [(r.messages(), r) for r in asked], SimulatedRater().rank, ASK, rng)
    tests = make_requests(world, w.pick(8, 150), rng, "held_out")
    held_out = collect_rankings(assistant, [(r.messages(), r) for r in tests], SimulatedRater().rank, ASK, rng)
    for count in COUNTS:
        judge, heads = learned(assistant, rankings[:count], seed)
        accuracy[count].append(held_out_accuracy(judge, heads, held_out)[0])
    mixed = [r._replace(ranks=[r.ranks[i] for i in rng.permutation(len(r.ranks))]) for r in rankings[:COUNTS[-1]]]
    control.append(held_out_accuracy(*learned(assistant, mixed, seed), held_out)[0])

    # %% Step four: the policy against the last reward model; the gold score is looked at, never trained on.
    policy, notebook = copy_of(assistant), w.Notebook()
    settings = PolicyConfig(steps=w.pick(2, 20, 40), rows=w.pick(4, 64), max_new_tokens=24, save_every=20)
    prompts = [policy.tokenizer.encode_chat(r.messages(), ask=True) for r in asked]
    scores = held_out_accuracy(judge, heads, held_out)[1]

    def score(sequences, _):
        return (reward_scores(judge, heads, sequences) - scores.mean()) / (scores.std() + 1e-6)

    def gold(sequences, masks, numbers):
        texts = [policy.tokenizer.decode(ids[mask]) for ids, mask in zip(sequences, masks)]
        seen = mean_marks([asked[n] for n in numbers], texts)
        return {"gold": sum(WEIGHTS[mark] * value for mark, value in seen.items()), **seen}
    policy_gradient(policy, value_heads(policy, seed), prompts, score, settings, seed, notebook, gold)
    traces.append([[record[key] for record in notebook.records[::2]] for key in ("reward", "gold", "accurate", "kl")])
w.show([(count, *w.interval(values)) for count, values in accuracy.items()] + [("shuffled", *w.interval(control))],
       ("rankings", "held-out pairs right", "from", "to"))
mean_trace = np.mean(traces, axis=0)
w.show([(2 * i, *mean_trace[:, i]) for i in range(0, mean_trace.shape[1], max(1, mean_trace.shape[1] // 5))],
       ("step", "reward", "gold", "accurate", "KL"))


def draw(axes):
    """Accuracy against the number of rankings."""
    stats = np.array([w.interval(values) for values in accuracy.values()])
    axes.errorbar(COUNTS, stats[:, 0], yerr=np.where(np.isfinite(stats[:, 1]), stats[:, 0] - stats[:, 1], 0), marker="o",
                  capsize=3)
    axes.axhline(np.mean(control), color="grey", linestyle="--", label="ranks shuffled")
    axes.set_xscale("log")
    axes.set_xlabel("prompts whose answers were ranked")
    axes.set_ylabel("held-out pairs ordered right")
    axes.legend(frameon=False)


def draw_policy(axes):
    """Reward, gold score and KL over the policy's steps."""
    steps = 2 * np.arange(mean_trace.shape[1])
    for label, values in zip(("reward, in its spread", "gold score", "accurate", "KL, nats"), mean_trace):
        axes.plot(steps, values, label=label)
    axes.set_xlabel("policy step")
    axes.legend(frameon=False)


more = w.interval(np.subtract(accuracy[COUNTS[-1]], accuracy[COUNTS[0]]))
top, chance = w.interval(accuracy[COUNTS[-1]]), w.interval(control)
w.outcome(__file__, "7b a reward model learns the ranking, and more rankings teach it more",
          f"{COUNTS[-1]} rankings give at least 0.05 more held-out accuracy than {COUNTS[0]}",
          f"{top[0]:.3f} ({top[1]:.3f} to {top[2]:.3f}) with {COUNTS[-1]}; {more[0]:.3f} more ({more[1]:.3f} to {more[2]:.3f}) "
          f"than with {COUNTS[0]}; shuffled ranks {chance[0]:.3f}; {len(SEEDS)} seeds",
          w.verdict(more[1], more[2], above=0.05), {"accuracy": list(top), "more": list(more), "shuffled": list(chance)},
          w.picture("12_rankings", draw))
gained = w.interval([np.mean(trace[1][-3:]) - np.mean(trace[1][:3]) for trace in traces])
reward = w.interval([np.mean(trace[0][-3:]) - np.mean(trace[0][:3]) for trace in traces])
w.outcome(__file__, "7c optimizing against the reward model raises what raters pay for",
          "reward and gold score are both higher at the end of the policy's steps than at their beginning",
          f"reward {reward[0]:+.2f} ({reward[1]:+.2f} to {reward[2]:+.2f}) of its spread, gold {gained[0]:+.3f} ({gained[1]:+.3f} "
          f"to {gained[2]:+.3f}), KL at the end {mean_trace[3, -1]:.2f} nats; {len(SEEDS)} seeds",
          w.verdict(min(gained[1], reward[1]), min(gained[2], reward[2])), {"gold": list(gained), "reward": list(reward)},
          w.picture("12_policy", draw_policy))
