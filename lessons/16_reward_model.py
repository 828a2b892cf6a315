"""How many rankings does a reward model need, and what does optimizing against it do?

    python lessons/16_reward_model.py [--full]
"""

# %% Rankings of an assistant's answers by a simulated rater; some are held out.
from dataclasses import replace

import numpy as np
import workbench as w

from minillm.phases.rank import RankConfig, collect_rankings
from minillm.phases.reward import RewardConfig, held_out_accuracy, reward_heads, reward_scores, train_reward_model
from minillm.phases.rlhf import RLHFConfig
from minillm.training.recorder import MemoryRecorder
from minillm.world.raters import SimulatedRater
from minillm.world.requests import make_requests

SEEDS = w.pick((0,), (0,), (0, 1, 2, 3, 4))
COUNTS = w.pick((4,), (30, 100, 300), (30, 100, 300, 900))
TESTS, STEPS = w.pick(8, 100, 300), w.pick(1, 60, 100)      # as many steps for every number of rankings
SETTINGS = RewardConfig(steps=STEPS, warmup_share=min(1, 20 / STEPS), rows=w.pick(2, 16))
ASK = replace(RankConfig(), max_new_tokens=w.pick(4, 24))


def learned(assistant, rankings, seed):
    """A reward model after the same number of steps, however many rankings there are."""
    model, heads = w.copy_of(assistant), reward_heads(assistant, seed)
    train_reward_model(model, heads, rankings, SETTINGS, seed, MemoryRecorder())
    return model, heads


# %% Step four: the policy against the last reward model. It is looked at on prompts that nothing is trained on.
POLICY = RLHFConfig(steps=w.pick(2, 20, 80), rows=w.pick(4, 64), max_new_tokens=w.pick(4, 24), save_every=20,
                    warmup_share=w.pick(1, 5 / 20, 5 / 80))
AT = tuple(range(w.pick(2, 10), POLICY.steps + 1, w.pick(2, 10)))                     # the steps after which it is looked at
ASKED, POOL = w.pick(4, 30, 100), w.pick(8, 32, 64)
NS = np.arange(1, POOL + 1)
COLUMNS = ("KL", "gold", "accurate", "reward")


def beside(assistant, judge, heads, scale, asked, tests, seed):
    """What answers to `tests` are worth at the start, on the policy's way and at its end; and the best of n.

    scale: (mean, spread) in which rewards are counted. The start is the mean of all answers that best-of-n is drawn from:
    one start for both, and its noise is small. Returns start (4,), looks (L, 4), end (4,), gold for every n (POOL,).
    """
    def score(sequences, _):
        return (reward_scores(judge, heads, sequences) - scale[0]) / scale[1]
    rng = np.random.default_rng([seed, 13])
    sequences, gold, accurate = w.sampled_pool(assistant, tests, POOL, POLICY, rng)
    proxy = score(sequences, None).reshape(gold.shape)
    start = [0.0, gold.mean(), accurate.mean(), proxy.mean()]
    prompts = [assistant.tokenizer.encode_chat(r.messages(), ask=True) for r in asked]
    policy, looks = w.optimized(assistant, prompts, score, POLICY, seed, lambda policy: w.seen(
        policy, assistant, tests * w.pick(2, 2, 4), POLICY, rng, score), AT)
    end = w.seen(policy, assistant, tests * w.pick(2, 8, 16), POLICY, rng, score)
    return start, looks, end, [w.best_of_n(proxy, gold, n) for n in NS]


# %% Accuracy on held-out pairs against the number of rankings, with a control whose ranks are shuffled; then the policy.
accuracy, control, starts, ways, ends, bests = {count: [] for count in COUNTS}, [], [], [], [], []
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
    for kept, value in zip((starts, ways, ends, bests), found):
        kept.append(value)
    print(f"  seed {seed}: {len(rankings)} rankings, {accuracy[COUNTS[-1]][-1]:.3f} of held-out pairs right; "
          f"gold {starts[-1][1]:.3f} to {ends[-1][1]:.3f} at {ends[-1][0]:.2f} nats", flush=True)
w.show([(count, *w.interval(values)) for count, values in accuracy.items()] + [("shuffled", *w.interval(control))],
       ("rankings", "held-out pairs right", "from", "to"))
starts, ends = np.array(starts), np.array(ends)
ways = np.concatenate([starts[:, None], ways], axis=1)                          # (seeds, 1 + looks, 4), from step 0 on
gains = np.array(bests) - starts[:, 1:2]                                        # (seeds, POOL)
way, best = (ways - starts[:, None]).mean(axis=0), gains.mean(axis=0)           # both from the same start
w.show([(step, *row) for step, row in zip((0, *AT), ways.mean(axis=0))], ("step", *COLUMNS))
POWERS = [int(n) for n in 2 ** np.arange(int(np.log2(POOL)) + 1)]
w.show([(n, float(w.best_of_n_kl(n)), best[n - 1]) for n in POWERS], ("best of", "KL", "gold gained"))


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
    """Gold score gained against KL: along the policy's way, and of best-of-n by the same reward model."""
    axes.plot(way[:, 0], way[:, 1], "o-", label=f"policy gradient, a look every {AT[0]} steps")
    axes.plot(w.best_of_n_kl(NS), best, color="black", label=f"best of n, up to {POOL}")
    axes.set_xlabel("KL from the start, nats")
    axes.set_ylabel("gold score gained on held-out prompts")
    axes.legend(frameon=False)


more = w.interval(np.subtract(accuracy[COUNTS[-1]], accuracy[COUNTS[0]]))
top, chance = w.interval(accuracy[COUNTS[-1]]), w.interval(control)
w.outcome(__file__, "7b a reward model learns the ranking, and more rankings teach it more",
          f"{COUNTS[-1]} rankings give at least 0.05 more held-out accuracy than {COUNTS[0]}",
          f"{top[0]:.3f} ({top[1]:.3f} to {top[2]:.3f}) with {COUNTS[-1]}; {more[0]:.3f} more ({more[1]:.3f} to {more[2]:.3f}) "
          f"than with {COUNTS[0]}; shuffled ranks {chance[0]:.3f}; {len(SEEDS)} seeds",
          w.verdict(more[1], more[2], above=0.05), {"accuracy": list(top), "more": list(more), "shuffled": list(chance)},
          w.picture("16_rankings", draw))
change = ends - starts
kl, gained, marked, reward = (w.interval(column) for column in change.T)
looked = {f"{column} at step {step}": list(w.interval(ways[:, i, j])) for i, step in enumerate((0, *AT))
          for j, column in enumerate(COLUMNS)}
w.outcome(__file__, "7c optimizing against the reward model raises what raters pay for",
          "reward and gold score, on held-out prompts, are both higher after the policy's steps than before them",
          f"reward {reward[0]:+.2f} ({reward[1]:+.2f} to {reward[2]:+.2f}) of its spread, gold {gained[0]:+.3f} ({gained[1]:+.3f} "
          f"to {gained[2]:+.3f}), its mark for accuracy {marked[0]:+.3f} ({marked[1]:+.3f} to {marked[2]:+.3f}), KL at the end "
          f"{kl[0]:.2f} nats; {len(SEEDS)} seeds",
          w.verdict(min(gained[1], reward[1]), min(gained[2], reward[2])),
          {"KL": list(kl), "gold": list(gained), "accurate": list(marked), "reward": list(reward), **looked},
          w.picture("16_policy", draw_policy))

# %% At the policy's divergence: the n whose KL is nearest, and what the best of so many gains over the same start.
nearest = [int(np.abs(w.best_of_n_kl(NS) - end[0]).argmin()) for end in ends]
theirs = [row[i] for row, i in zip(gains, nearest)]
ahead, of_best = w.interval(theirs - change[:, 1]), w.interval(theirs)
used = np.mean([[NS[i], w.best_of_n_kl(NS[i])] for i in nearest], axis=0)
w.outcome(__file__, "7d best-of-n beside PPO",
          "at the KL at which PPO ends, best-of-n by the same reward model has the higher gold score",
          f"gold gained from the same start: best of {used[0]:.0f}, at {used[1]:.2f} nats, {of_best[0]:+.3f}, PPO, at "
          f"{kl[0]:.2f}, {gained[0]:+.3f}; apart by {ahead[0]:+.3f} ({ahead[1]:+.3f} to {ahead[2]:+.3f}); {len(SEEDS)} seeds",
          w.verdict(ahead[1], ahead[2]),
          {"ahead": list(ahead), "n": float(used[0]), "gained by best of n": list(of_best),
           **{f"gained by best of {n}": list(w.interval(gains[:, n - 1])) for n in POWERS}}, "16_policy.png")
