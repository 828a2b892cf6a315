"""How many rankings does a reward model need, and what does optimizing against it do?

    python lessons/16_reward_model.py [--full]
"""

# %% Rankings of an assistant's answers by a simulated rater; some are held out.
from dataclasses import replace

import numpy as np
import workbench as w

from minillm.losses.ranking import pair_accuracy
from minillm.model.scoring import token_logprobs
from minillm.phases.rank import RankConfig, collect_rankings
from minillm.phases.reward import RewardConfig, held_out_accuracy, reward_heads, reward_scores, train_reward_model
from minillm.phases.rlhf import RLHFConfig
from minillm.phases.rollout import respond
from minillm.text.batches import pad_batch
from minillm.training.recorder import MemoryRecorder
from minillm.world.raters import SimulatedRater, gold_score, judge
from minillm.world.requests import make_requests

SEEDS = w.pick((0,), (1,), (1, 2, 3, 4))
COUNTS = w.pick((2, 4), (30, 300), (30, 150, 600))
SUBSETS, LONG = w.pick(1, 3, 6), w.pick(1, 1, 2)            # disjoint subsets of the smallest number; of those, trained long too
TESTS, STEPS = w.pick(8, 80, 400), w.pick(4, 48, 96)        # steps; a quarter of them for the smallest number
ASK = replace(RankConfig(), max_new_tokens=w.pick(4, 24))


def learned(assistant, rankings, seed, steps=STEPS):
    """A reward model after so many steps."""
    model, heads = w.copy_of(assistant), reward_heads(assistant, seed)
    settings = RewardConfig(steps=steps, warmup_share=min(1, 20 / steps), rows=w.pick(2, 16))
    train_reward_model(model, heads, rankings, settings, seed, MemoryRecorder())
    return model, heads


def shuffled(rankings, rng):
    """The same answers, their ranks dealt out at random."""
    return [r._replace(ranks=[r.ranks[i] for i in rng.permutation(len(r.ranks))]) for r in rankings]


# %% What answers are worth. A way of answering is a model and a temperature; its KL is taken from the start's.
POLICY = RLHFConfig(steps=w.pick(4, 16, 40), rows=w.pick(4, 64), max_new_tokens=w.pick(4, 24), save_every=40, kl=0.1, lr=2e-4,
                    warmup_share=w.pick(1, 5 / 16, 5 / 40))
LOOKS = w.pick((2,), (2, 4, 6, 8), (2, 4, 6, 8, 14, 24))                        # steps of the policy; the end is looked at too
COOLER = w.pick((0.3,), (0.4, 0.2), (0.5, 0.4, 0.3, 0.2, 0.15))                 # the start's own temperature is 0.6
COLD = 0.2                                                                      # at which start and policy are compared too
ASKED, POOL, COPIES = w.pick(4, 24, 128), w.pick(8, 32, 64), w.pick(2, 4)        # held-out prompts; answers to each
NS = np.arange(1, POOL + 1)
COLUMNS = ("KL", "gold", "accurate", "reward")
AT_KL = (0.1, 0.2, 0.3, 0.4)                                                    # nats at which the ways are compared


def logprobs(model, sequences, masks, temperature):
    """log pi of each response, in nats.  Shapes:  N sequences -> (N,)"""
    found = []
    for i in range(0, len(sequences), 64):
        batch = pad_batch(sequences[i:i + 64], "right", model.tokenizer.pad_id, masks[i:i + 64])
        found.append(token_logprobs(model.params, model.config, batch, temperature).logprob.sum(axis=1, dtype=np.float64))
    return np.concatenate(found)


def worth(model, temperature, start, requests, score, seed):
    """Sampled answers to held-out requests: [KL from the start, gold score, mark for accuracy, reward], each a mean.

    All looks of a seed use the same requests and the same random numbers, so that ways differ by less chance.
    """
    rng = np.random.default_rng([seed, 22])
    prompts = [model.tokenizer.encode_chat(request.messages(), ask=True) for request in requests]
    sequences, masks = respond(model, prompts, replace(POLICY, temperature=temperature), rng)
    marks = [judge(r, model.tokenizer.decode_answer(ids[mask])) for r, ids, mask in zip(requests, sequences, masks)]
    kl = logprobs(model, sequences, masks, temperature) - logprobs(start, sequences, masks, POLICY.temperature)
    return [max(float(kl.mean()), 0.0), float(np.mean([mark.total() for mark in marks])),
            float(np.mean([mark.accurate for mark in marks])), float(np.mean(score(sequences, None)))]


# %% Choosing among a pool of answers to each prompt: by rank (best of n), or by the weight exp(r / beta).
def chances_of_best(proxy, n):
    """Chance of each answer in the pool to be the best of n drawn from it.  Shapes:  (P, M) -> (P, M), rows sum to 1"""
    rank, chance = np.argsort(np.argsort(proxy, axis=1, kind="stable"), axis=1), np.zeros(proxy.shape[1])
    chance[n - 1] = 1.0
    for i in range(n, len(chance)):
        chance[i] = chance[i - 1] * i / (i - n + 1)                             # C(i, n - 1) / C(i - 1, n - 1)
    return (chance / chance.sum())[rank]


def reweighted(proxy, beta):
    """The pool's optimum of E[r] - beta KL: weights exp(r / beta).  Shapes:  (P, M) -> (P, M), rows sum to 1"""
    weights = np.exp((proxy - proxy.max(axis=1, keepdims=True)) / beta)
    return weights / weights.sum(axis=1, keepdims=True)


def copies_of(pool, M):
    """Which answers of each prompt's pool are the same: [numbers (M,), equal where the answers are].  pool: P M sequences"""
    return [np.unique([ids.tobytes().hex() for ids in pool[i:i + M]], return_inverse=True)[1] for i in range(0, len(pool), M)]


def log_ratios(proxy, logp, same, n):
    """log pi(y) - log pi_0(y) of each answer y in the pool, where pi is the best of n draws from pi_0.

        pi(y) = (below + p)^n - below^n,    p = pi_0(y),  below = P(a draw scores lower than y)

    p is the model's own. below is estimated from the k of N other answers in the pool that score lower, where draws are other
    than y: E[log share] = 1 + 1/2 + ... + 1/k - (1 + 1/2 + ... + 1/(N + 1)). No answer repeats: the mean KL is exact.
    Shapes:  proxy, logp (P, M) -> (P, M)
    """
    sums = np.concatenate([[0], np.cumsum(1 / np.arange(1, proxy.shape[1] + 2))])                    # 1 + 1/2 + ... + 1/k
    found = np.zeros(proxy.shape)
    for row, (scores, which) in enumerate(zip(proxy, same)):
        other = which[:, None] != which                                                             # (M, M)
        k, N = (other & (scores < scores[:, None])).sum(axis=1), other.sum(axis=1)
        p = np.exp(logp[row])
        below = np.maximum(1 - p, 1e-9) * np.exp(sums[k] - sums[N + 1])
        found[row] = n * np.log(below + p) + np.log(-np.expm1(-n * np.log1p(p / below))) - logp[row]
    return found


def plug_in_kl(chances, same):
    """The other yardstick: sum q log(q / p) over different answers, p = copies / M, before and after choosing by `chances`.

    It takes the pool for all that can be said. For the best of n, drawn from M without repeats, that is more than
    log n - (n - 1) / n: 1.26 against 1.20 for n = 8 and M = 64, 2.79 against 2.50 for n = 32, and log M where n = M.
    For weights exp(r / beta) it is a mean log-ratio, r / beta - log Z, with Z taken from the pool.
    Shapes:  chances (P, M) -> nats
    """
    total = 0.0
    for row, which in zip(chances, same):
        q, p = np.bincount(which, row), np.bincount(which) / len(row)
        total += np.sum(q[q > 0] * np.log(q[q > 0] / p[q > 0]))
    return total / len(chances)


def chosen(chances, gold, accurate, proxy):
    """[gold, accurate, reward] of choosing from the pool by `chances`."""
    return [float((chances * values).sum(axis=1).mean()) for values in (gold, accurate, proxy)]


BETAS = np.geomspace(20, 0.05, 40)


def ways(assistant, heard, deaf, held_out, asked, tests, seed):
    """{way: (looks, 4)}: every way of moving away from the assistant, by the reward model `heard` or by the control `deaf`.

    All are looked at on the same held-out prompts, nothing is trained on them, and all are counted from one start: the mean
    of all answers in the pool. Rewards are those of `heard`, in its spread on held-out answers.
    """
    def scorer(judge_and_heads):
        scores = held_out_accuracy(*judge_and_heads, held_out)[1]
        mean, spread = scores.mean(), scores.std() + 1e-6
        return lambda sequences, _: (reward_scores(*judge_and_heads, sequences) - mean) / spread
    score, noise = scorer(heard), scorer(deaf)
    rng = np.random.default_rng([seed, 21])
    pool, gold, accurate = w.sampled_pool(assistant, tests, POOL, POLICY, rng)
    proxy = score(pool, None).reshape(gold.shape)
    prompts = [assistant.tokenizer.encode_chat(r.messages(), ask=True) for r in asked]
    same, masks = copies_of(pool, POOL), []
    for request in tests:
        asking = len(assistant.tokenizer.encode_chat(request.messages(), ask=True))
        masks += [np.arange(len(ids)) >= asking for ids in pool[len(masks):len(masks) + POOL]]
    logp = logprobs(assistant, pool, masks, POLICY.temperature).reshape(gold.shape)
    worths = gold, accurate, proxy
    start = [0.0, *chosen(np.full(gold.shape, 1 / POOL), *worths)]
    best = {n: chances_of_best(proxy, n) for n in NS}
    weighted = [reweighted(proxy, beta) for beta in BETAS]
    found = {"best of n": [[float((q * log_ratios(proxy, logp, same, n)).sum(axis=1).mean()), *chosen(q, *worths)]
                           for n, q in best.items()],
             "best of n, plug-in": [[plug_in_kl(q, same), *chosen(q, *worths)] for q in best.values()],
             "the pool reweighted": [start] + [[plug_in_kl(q, same), *chosen(q, *worths)] for q in weighted],
             "sharpened": [start] + [worth(assistant, t, assistant, tests * COPIES, score, seed) for t in COOLER]}
    for name, reward in (("PPO", score), ("PPO, ranks shuffled", noise)):
        policy, looks = w.optimized(assistant, prompts, reward, POLICY, seed, lambda policy: worth(
            policy, POLICY.temperature, assistant, tests * COPIES, score, seed), (*LOOKS, POLICY.steps))
        found[name] = [start, *looks]
        if name == "PPO":
            cold = [worth(model, COLD, assistant, tests * COPIES, score, seed) for model in (assistant, policy)]
    found["cooled: start, PPO"] = cold
    return {name: np.array(rows) - [0, *start[1:]] for name, rows in found.items()}


def gained_at(rows, kl, column=1):
    """What a way has gained at a KL, read off between its looks; beyond its last look, what it had there."""
    order = np.argsort(rows[:, 0], kind="stable")
    return float(np.interp(kl, rows[order, 0], rows[order, column]))


# %% Accuracy on held-out pairs against the number of rankings, with three controls; then the ways.
accuracy, longer, control, ceiling, runs = {count: [] for count in COUNTS}, [], [], [], []
for seed in SEEDS:
    world, _, assistant = w.base_and_assistant(seed)
    rng = np.random.default_rng([seed, 20])
    asked = make_requests(world, w.pick(8, 480, 1320), rng, "train")
    rankings = collect_rankings(assistant, [(r.messages(), r) for r in asked], SimulatedRater().rank, ASK, rng)[:COUNTS[-1]]
    tests = make_requests(world, TESTS, rng, "held_out")
    held_out = collect_rankings(assistant, [(r.messages(), r) for r in tests], SimulatedRater().rank, ASK, rng)
    parts = [rankings[i * COUNTS[0]:(i + 1) * COUNTS[0]] for i in range(SUBSETS)]
    brief = [held_out_accuracy(*learned(assistant, part, seed, STEPS // 4), held_out)[0] for part in parts if part]
    long = [held_out_accuracy(*learned(assistant, part, seed), held_out)[0] for part in parts[:LONG]]
    accuracy[COUNTS[0]].append(np.mean(brief))
    longer.append(np.mean(long) - np.mean(brief[:LONG]))
    for count in COUNTS[1:]:
        heard = learned(assistant, rankings[:count], seed)
        accuracy[count].append(held_out_accuracy(*heard, held_out)[0])
    deaf = learned(assistant, shuffled(rankings, rng), seed)
    control.append(held_out_accuracy(*deaf, held_out)[0])
    by_question = {str(r.messages()): r for r in tests}
    golds = [[gold_score(by_question[str(r.prompt)], text) for text in r.responses] for r in held_out]
    ceiling.append(pair_accuracy(np.array(golds), np.array([r.ranks for r in held_out])))
    runs.append(ways(assistant, heard, deaf, held_out, asked, tests[:ASKED], seed))
    print(f"  seed {seed}: {len(rankings)} rankings, {accuracy[COUNTS[-1]][-1]:.3f} of held-out pairs right; PPO gains "
          f"{runs[-1]['PPO'][-1, 1]:+.3f} gold at {runs[-1]['PPO'][-1, 0]:.2f} nats", flush=True)
w.show([(count, *w.interval(values)) for count, values in accuracy.items()]
       + [(f"{COUNTS[0]}, more by as many steps", *w.interval(longer)), ("ranks shuffled", *w.interval(control)),
          ("the gold score itself", *w.interval(ceiling))], ("rankings", "held-out pairs right", "from", "to"))
mean = {name: np.mean([run[name] for run in runs], axis=0) for name in runs[0]}                  # (looks, 4)
for name, steps in (("PPO", (0, *LOOKS, POLICY.steps)), ("PPO, ranks shuffled", (0, *LOOKS, POLICY.steps)),
                    ("sharpened", (POLICY.temperature, *COOLER))):
    w.show([(step, *map(float, row)) for step, row in zip(steps, mean[name])],
           (f"{name}: {'temperature' if name == 'sharpened' else 'step'}", *COLUMNS))
POWERS = [int(n) for n in 2 ** np.arange(int(np.log2(POOL)) + 1)]
w.show([(n, float(w.best_of_n_kl(n)), float(mean["best of n, plug-in"][n - 1, 0]), *map(float, mean["best of n"][n - 1]))
        for n in POWERS], ("best of", "log n - (n - 1) / n", "plug-in KL", *COLUMNS))
SHOWN = ("the pool reweighted", "best of n", "PPO", "sharpened", "PPO, ranks shuffled")
w.show([(name, *(float(np.mean([gained_at(run[name], kl) for run in runs])) for kl in AT_KL),
         *(float(np.mean([run[name][:, 0].max() for run in runs])), float(np.min([run[name][:, 0].max() for run in runs]))))
        for name in SHOWN],
       ("gold gained", *(f"at {kl} nats" for kl in AT_KL), "farthest, nats", "in the seed that went least far"))


def draw(axes):
    """Accuracy against the number of rankings."""
    stats = np.array([w.interval(values) for values in accuracy.values()])
    axes.errorbar(COUNTS, stats[:, 0], yerr=np.where(np.isfinite(stats[:, 1]), stats[:, 0] - stats[:, 1], 0), marker="o",
                  capsize=3, label="reward model")
    axes.axhline(np.mean(ceiling), color="black", linestyle=":", label="the gold score itself")
    axes.axhline(np.mean(control), color="grey", linestyle="--", label="ranks shuffled")
    axes.set_xscale("log")
    axes.set_xlabel("prompts whose answers were ranked")
    axes.set_ylabel("held-out pairs ordered right")
    axes.legend(frameon=False, loc="center right", bbox_to_anchor=(1, 0.7))


def draw_ways(axes):
    """Gold score and reward gained against KL, for every way of moving away from the start, step by step."""
    for panel, column, label in ((axes[0], 1, "gold score gained"), (axes[1], 3, "reward gained, in its spread")):
        for name, mark in zip(SHOWN, ("k--", "k-", "o-", "s-", "x:")):
            panel.plot(mean[name][:, 0], mean[name][:, column], mark, markersize=4, label=name)
        panel.axhline(0, color="grey", linewidth=0.8)
        panel.set_xlabel("KL from the start, nats")
        panel.set_ylabel(label)
    axes[1].legend(frameon=False, fontsize=8)


def said(stat, form="+.3f"):
    """An interval in words."""
    return f"{stat[0]:{form}} ({stat[1]:{form}} to {stat[2]:{form}})"


# %% 7b: more rankings, against few that are trained on for a quarter of the steps, or for all if that is better.
few = np.add(accuracy[COUNTS[0]], longer if np.mean(longer) > 0 else 0)
more, top, chance = (w.interval(x) for x in (np.subtract(accuracy[COUNTS[-1]], few), accuracy[COUNTS[-1]], control))
w.outcome(__file__, "7b a reward model learns the ranking, and more rankings teach it more",
          f"{COUNTS[-1]} rankings give at least 0.05 more held-out accuracy than {COUNTS[0]}, with whichever number of steps "
          "suits those better",
          f"{said(more)} more: {top[0]:.3f} against {np.mean(few):.3f}; as many steps in place of a "
          f"quarter give those {COUNTS[0]} {np.mean(longer):+.3f}; ranks shuffled {chance[0]:.3f}, the gold "
          f"score itself {np.mean(ceiling):.3f}; {SUBSETS} disjoint subsets of {COUNTS[0]} a seed, {len(SEEDS)} seeds",
          w.verdict(more[1], more[2], above=0.05),
          {"more": list(more), "accuracy": list(top), "shuffled": list(chance), "ceiling": list(w.interval(ceiling)),
           **{f"accuracy, {count}": list(w.interval(values)) for count, values in accuracy.items()}},
          w.picture("16_rankings", draw),
          plainly={"holds": "With many rankings, a reward model orders answers clearly better than with few.",
                   "fails": "With many rankings, a reward model is better than with few by less than was predicted, if at all.",
                   "undecided": "How much better a reward model gets with many rankings is too uncertain to say whether it is "
                                "as much as was predicted."})


# %% 7c: the policy at its end, beside a policy that was optimized against nothing, and beside a lower temperature.
def contrast(one, other, column=1):
    """{KL: interval of what one way gained over another there}, and under "mean" of the four together."""
    apart = np.array([[gained_at(run[one], kl, column) - gained_at(run[other], kl, column) for kl in AT_KL] for run in runs])
    return {**{kl: w.interval(values) for kl, values in zip(AT_KL, apart.T)}, "mean": w.interval(apart.mean(axis=1))}


ends = np.array([run["PPO"][-1] for run in runs])
kl, gained, marked, reward = (w.interval(column) for column in ends.T)
over_noise = w.interval([run["PPO"][-1, 1] - run["PPO, ranks shuffled"][-1, 1] for run in runs])
parts = (gained, reward, over_noise)
looked = {f"{name}, {column}, look {i}": list(w.interval([run[name][i, j] for run in runs]))
          for name in ("PPO", "PPO, ranks shuffled", "sharpened") for i in range(len(runs[0][name]))
          for j, column in enumerate(COLUMNS)}
w.outcome(__file__, "7c optimizing against the reward model raises what raters pay for",
          "at the policy's end, reward and gold score on held-out prompts have both risen, and the gold score by more than where "
          "PPO was run against a reward model of shuffled ranks",
          f"reward {said(reward, '+.2f')} of its spread, gold {said(gained)}, its mark for accuracy {said(marked)}, at "
          f"{kl[0]:.2f} nats; gold over that of shuffled ranks {said(over_noise)}; {len(SEEDS)} seeds",
          w.verdict(min(part[1] for part in parts), min(part[2] for part in parts)),
          {"KL": list(kl), "gold": list(gained), "accurate": list(marked), "reward": list(reward),
           "over shuffled ranks": list(over_noise), **looked}, w.picture("16_policy", draw_ways, size=(10, 4.5), grid=(1, 2)),
          plainly={"holds": "Optimizing against the reward model makes the answers better, and more so than optimizing against "
                            "noise.",
                   "fails": "Optimizing against the reward model does not do all that was predicted: the reward, the quality of "
                            "the answers or its lead over optimizing against noise is not there.",
                   "undecided": "The reward, the quality of the answers or its lead over optimizing against noise varies too "
                                "much between seeds to be sure of all three."})

# %% 7d: at equal divergence.
FAR = 1.5                                                           # nats; a way that does not go so far counts at its farthest
ahead, far = contrast("best of n", "PPO"), w.interval([run["best of n"][-1, 1] for run in runs])
apart = w.interval([gained_at(run["best of n"], FAR) - gained_at(run["PPO"], FAR) for run in runs])
w.outcome(__file__, "7d best-of-n beside PPO",
          f"at {', '.join(map(str, AT_KL))} nats, on average of the four, best-of-n by the same reward model has the higher "
          "gold score",
          f"by {said(ahead['mean'])}; at each of them " + ", ".join(f"{ahead[x][0]:+.3f}" for x in AT_KL)
          + f"; at {FAR} nats over PPO's end {said(apart)}; best of {POOL} {said(far)} from the start; {len(SEEDS)} seeds",
          w.verdict(*ahead["mean"][1:]),
          {**{f"ahead at {x}": list(stat) for x, stat in ahead.items()}, f"best of {POOL}": list(far),
           f"ahead at {FAR}": list(apart),
           **{f"gained by best of {n}": list(w.interval([run["best of n"][n - 1, 1] for run in runs])) for n in POWERS}},
          "16_policy.png",
          plainly={"holds": "At the same distance from the start, the best of n answers is better than PPO's.",
                   "fails": "At the same distance from the start, the best of n answers is no better than PPO's.",
                   "undecided": "At the same distance from the start, the best of n answers and PPO's cannot be told apart."})

# %% 7e: the control that knows no reward at all, a lower temperature.
sharp, cooled = contrast("PPO", "sharpened"), w.interval([np.diff(run["cooled: start, PPO"][:, 1])[0] for run in runs])
best_sharp = contrast("best of n", "sharpened")
reach = {name: min(run[name][:, 0].max() for run in runs) for name in ("PPO", "sharpened")}
w.outcome(__file__, "7e policy gradient beside a lower temperature",
          f"at {', '.join(map(str, AT_KL))} nats, on average of the four, PPO has the higher gold score",
          f"by {said(sharp['mean'])}; at each of them " + ", ".join(f"{sharp[x][0]:+.3f}" for x in AT_KL)
          + f"; best-of-n over a lower temperature {said(best_sharp['mean'])}; both at a low temperature, PPO over the start "
          f"{said(cooled)}; every seed's PPO reached {reach['PPO']:.2f} nats, its lower temperature {reach['sharpened']:.2f}; "
          f"{len(SEEDS)} seeds", w.verdict(*sharp["mean"][1:]),
          {**{f"ahead at {x}": list(stat) for x, stat in sharp.items()}, "best of n ahead": list(best_sharp["mean"]),
           "both cooled": list(cooled)}, "16_policy.png",
          plainly={"holds": "PPO makes the answers better than a lower temperature does, at the same distance from the start.",
                   "fails": "A lower temperature, which knows no reward at all, does as well as PPO at the same distance from "
                            "the start, or better.",
                   "undecided": "PPO and a lower temperature, which knows no reward at all, cannot be told apart."})
