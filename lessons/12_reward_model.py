"""How many rankings does a reward model need, and what does optimizing against it do?

    python lessons/12_reward_model.py [--full]
"""

# %% Rankings of an assistant's answers by a simulated rater; some are held out.
from dataclasses import replace

import numpy as np
import workbench as w

from minillm.config import PolicyConfig, PreferenceConfig, RewardConfig
from minillm.phases.preferences import collect_rankings
from minillm.phases.reward_model import held_out_accuracy, reward_heads, reward_scores, train_reward_model
from minillm.world.raters import SimulatedRater
from minillm.world.requests import make_requests

SEEDS = w.pick((0,), (0,), (0, 1, 2))
COUNTS = w.pick((4,), (30, 100, 300), (30, 100, 300, 900))
TESTS, STEPS = w.pick(8, 150, 300), w.pick(1, 60, 100)      # as many steps for every number of rankings
ASK = replace(PreferenceConfig(), max_new_tokens=w.pick(4, 24))


def learned(assistant, rankings, seed):
    """A reward model after the same number of steps, however many rankings there are."""
    model, heads = w.copy_of(assistant), reward_heads(assistant, seed)
    train_reward_model(model, heads, rankings, RewardConfig(steps=STEPS, rows=w.pick(2, 16)), seed, w.Notebook())
    return model, heads


# %% Step four: the policy against the last reward model. It is looked at on prompts that nothing is trained on.
POLICY = PolicyConfig(steps=w.pick(2, 20, 80), rows=w.pick(4, 64), max_new_tokens=w.pick(4, 24), save_every=20)
EVERY, ASKED, POOL = w.pick(2, 10), w.pick(4, 50, 100), w.pick(8, 64)
NS = np.arange(1, POOL + 1)


def beside(assistant, judge, heads, scale, asked, tests, seed):
    """What the policy's answers to `tests` are worth on its way, at its end and at its beginning; and the best of n.

    scale: (mean, spread) in which rewards are counted. Returns looks (L, 4), end (4,), start (4,), gold for every n (POOL,).
    """
    def score(sequences, _):
        return (reward_scores(judge, heads, sequences) - scale[0]) / scale[1]
    prompts = [assistant.tokenizer.encode_chat(r.messages(), ask=True) for r in asked]
    policy, looks = w.optimized(assistant, prompts, score, POLICY, seed,
                                lambda policy: w.seen(policy, assistant, tests * 2, POLICY, score), EVERY)
    start, end = (w.seen(model, assistant, tests * 8, POLICY, score) for model in (assistant, policy))
    sequences, gold = w.sampled_pool(assistant, tests, POOL, POLICY, np.random.default_rng([seed, 13]))
    proxy = reward_scores(judge, heads, sequences).reshape(gold.shape)
    return looks, end, start, [w.best_of_n(proxy, gold, n) for n in NS]


# %% Accuracy on held-out pairs against the number of rankings, with a control whose ranks are shuffled; then the policy.
accuracy, control, ways, ends, starts, bests = {count: [] for count in COUNTS}, [], [], [], [], []
for seed in SEEDS:
    world, _, assistant = w.base_and_assistant(seed)
    rng = np.random.default_rng([seed, 12])
    asked = make_requests(world, 2 * COUNTS[-1], rng, "train")
    rankings = collect_rankings(assistant, [(r.messages(), r) for r in asked], SimulatedRater().rank, ASK, rng)[:COUNTS[-1]]
    tests = make_requests(world, TESTS, rng, "held_out")
    held_out = collect_rankings(assistant, [(r.messages(), r) for r in tests], SimulatedRater().rank, ASK, rng)
    for count in COUNTS:
        judge, heads = learned(assistant, rankings[:count], seed)
        accuracy[count].append(held_out_accuracy(judge, heads, held_out)[0])
    mixed = [r._replace(ranks=[r.ranks[i] for i in rng.permutation(len(r.ranks))]) for r in rankings]
    control.append(held_out_accuracy(*learned(assistant, mixed, seed), held_out)[0])
    scores = held_out_accuracy(judge, heads, held_out)[1]
    found = beside(assistant, judge, heads, (scores.mean(), scores.std() + 1e-6), asked, tests[:ASKED], seed)
    for kept, value in zip((ways, ends, starts, bests), found):
        kept.append(value)
    print(f"  seed {seed}: {len(rankings)} rankings, {accuracy[COUNTS[-1]][-1]:.3f} of held-out pairs right; "
          f"gold {starts[-1][1]:.3f} to {ends[-1][1]:.3f} at {ends[-1][0]:.2f} nats", flush=True)
w.show([(count, *w.interval(values)) for count, values in accuracy.items()] + [("shuffled", *w.interval(control))],
       ("rankings", "held-out pairs right", "from", "to"))
way, best = np.mean(ways, axis=0), np.mean(bests, axis=0)
w.show([(min(i * EVERY, POLICY.steps), *row) for i, row in enumerate(way)], ("step", "KL", "gold", "accurate", "reward"))
w.show([(n, float(w.best_of_n_kl(n)), best[n - 1]) for n in 2 ** np.arange(int(np.log2(POOL)) + 1)], ("best of", "KL", "gold"))


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
    """Gold score against KL: along the policy's way, and of best-of-n by the same reward model."""
    axes.plot(way[:, 0], way[:, 1], "o-", label=f"policy gradient, a look every {EVERY} steps")
    axes.plot(w.best_of_n_kl(NS), best, color="black", label=f"best of n, up to {POOL}")
    axes.set_xlabel("KL from the start, nats")
    axes.set_ylabel("gold score on held-out prompts")
    axes.legend(frameon=False)


more = w.interval(np.subtract(accuracy[COUNTS[-1]], accuracy[COUNTS[0]]))
top, chance = w.interval(accuracy[COUNTS[-1]]), w.interval(control)
w.outcome(__file__, "7b a reward model learns the ranking, and more rankings teach it more",
          f"{COUNTS[-1]} rankings give at least 0.05 more held-out accuracy than {COUNTS[0]}",
          f"{top[0]:.3f} ({top[1]:.3f} to {top[2]:.3f}) with {COUNTS[-1]}; {more[0]:.3f} more ({more[1]:.3f} to {more[2]:.3f}) "
          f"than with {COUNTS[0]}; shuffled ranks {chance[0]:.3f}; {len(SEEDS)} seeds",
          w.verdict(more[1], more[2], above=0.05), {"accuracy": list(top), "more": list(more), "shuffled": list(chance)},
          w.picture("12_rankings", draw))
change = np.subtract(ends, starts)
kl, gained, reward = (w.interval(change[:, i]) for i in (0, 1, 3))
w.outcome(__file__, "7c optimizing against the reward model raises what raters pay for",
          "reward and gold score, on held-out prompts, are both higher after the policy's steps than before them",
          f"reward {reward[0]:+.2f} ({reward[1]:+.2f} to {reward[2]:+.2f}) of its spread, gold {gained[0]:+.3f} ({gained[1]:+.3f} "
          f"to {gained[2]:+.3f}), KL at the end {kl[0]:.2f} nats; {len(SEEDS)} seeds",
          w.verdict(min(gained[1], reward[1]), min(gained[2], reward[2])), {"gold": list(gained), "reward": list(reward)},
          w.picture("12_policy", draw_policy))

# %% At the policy's divergence: the n whose KL is nearest, and what the best of so many is worth.
nearest = [int(np.abs(w.best_of_n_kl(NS) - end[0]).argmin()) for end in ends]
ahead = w.interval([row[i] - end[1] for row, i, end in zip(bests, nearest, ends)])
used = np.mean([[NS[i], w.best_of_n_kl(NS[i])] for i in nearest], axis=0)
w.outcome(__file__, "7d best-of-n beside PPO",
          "at the KL at which PPO ends, best-of-n by the same reward model has the higher gold score",
          f"best of {used[0]:.0f} at {used[1]:.2f} nats, PPO at {kl[0]:.2f}: gold {ahead[0]:+.3f} ({ahead[1]:+.3f} to "
          f"{ahead[2]:+.3f}) against PPO's; {len(SEEDS)} seeds",
          w.verdict(ahead[1], ahead[2]), {"ahead": list(ahead), "n": float(used[0])}, "12_policy.png")
