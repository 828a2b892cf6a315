"""How near does policy gradient come to the best possible trade of reward for divergence?

    python lessons/17_policy_gradient.py [--full]
"""

# %% A case that can be solved exactly: responses of at most two tokens, so all of them can be listed.
import numpy as np
import workbench as w

from minillm.phases.rlhf import RLHFConfig, rlhf, value_heads
from minillm.text.learning import train_tokenizer
from minillm.training.recorder import MemoryRecorder

SEEDS = w.pick((0,), (0, 1), (0, 1, 2, 3, 4))
BETAS = w.pick((0.3,), (0.3,), (0.1, 0.3, 1.0))
TOKENIZER = train_tokenizer(["the cat sat on the mat. a dog met the cat."], kind="characters")
PROMPT, END, V = TOKENIZER.encode("the"), TOKENIZER.end_id, TOKENIZER.vocab_size
RESPONSES = [(END,)] + [(a, b) for a in range(V) if a != END for b in range(V)]
NUMBER = {response: i for i, response in enumerate(RESPONSES)}
NS = (2, 4, 8, 16, 32)


def fresh(seed):
    """A small model with first weights large enough that its first distribution is not flat."""
    model = w.small_model(TOKENIZER, seed, layers=1, width=48, context=8)
    model.params["head"]["weight"] *= np.float32(1.5)
    return model


def distribution(model):
    """pi(response | prompt) of every response, by the chain rule: pi(a b) = pi(a) pi(b | a).  Shapes:  -> (N,)"""
    first = model.predict_next(PROMPT).probs.astype(np.float64)
    after = np.array([model.predict_next(np.append(PROMPT, a)).probs for a in range(V)], np.float64)        # (V, V)
    return np.array([first[END]] + [first[a] * after[a, b] for a, b in RESPONSES[1:]])


def reward_and_kl(pi, reference, reward):
    """(E[r], KL(pi || reference)), exactly."""
    seen = pi > 0
    return float(pi @ reward), float(np.sum(pi[seen] * np.log(pi[seen] / reference[seen])))


def case(seed):
    """The reference's distribution over responses, and a reward for each.  Shapes:  -> (N,), (N,)"""
    reference = distribution(fresh(seed))
    return reference, np.random.default_rng([seed, 17]).uniform(0, 1, len(reference)).astype(np.float32).astype(np.float64)


# %% The exact answer: pi*(y) = pi_ref(y) exp(r(y) / beta) / Z.
def optimum(reference, reward, beta):
    """The distribution that maximizes E[r] - beta KL."""
    weights = reference * np.exp((reward - reward.max()) / beta)
    return weights / weights.sum()


def best_of(reference, reward, n):
    """The distribution of the best of n draws: P(best <= y) = P(one draw <= y)^n, in the order of the reward."""
    order = np.argsort(reward)
    below = np.cumsum(reference[order])
    chosen = np.empty_like(reference)
    chosen[order] = np.diff(np.concatenate([[0.0], below / below[-1]]) ** n)
    return chosen


def sharpened(reference, temperature):
    """The reference at another temperature, over whole responses: it knows nothing of the reward."""
    weights = reference ** (1 / temperature)
    return weights / weights.sum()


# %% The same problem, solved by sampling and the package's policy gradient. The other arms change one thing in PPO each.
STEPS, MIDDLE = w.pick(4, 160, 320), BETAS[len(BETAS) // 2]
MAIN = ("ppo", "reinforce")
ARMS = {"ppo": {}, "reinforce": {"algorithm": "reinforce", "group": 256}, "lambda 0": {"gae_lambda": 0.0},
        "lambda 1": {"gae_lambda": 1.0}, "no clip": {"clip_ratio": 1e6}, "a quarter of the steps": {"steps": max(STEPS // 4, 2)},
        "reward shuffled": {}}


def trained(seed, arm, beta, reward):
    """(The distribution at the end of the policy gradient, the records of its steps)."""
    model, recorder = fresh(seed), MemoryRecorder()
    earned = np.random.default_rng([seed, 18]).permutation(reward) if arm == "reward shuffled" else reward

    def score(sequences, _):
        return np.array([earned[NUMBER[tuple(ids[len(PROMPT):].tolist())]] for ids in sequences], np.float32)
    settings = dict(kl=beta, steps=STEPS, rows=256, epochs=2, max_new_tokens=2, lr=5e-3, final_lr=0.01, warmup_share=1 / 16,
                    beta2=0.99, temperature=1.0, missing_end=0.0, save_every=STEPS)     # few responses have room for an end
    rlhf(model, value_heads(model, seed), [PROMPT], score, RLHFConfig(**{**settings, **ARMS[arm]}), seed, recorder)
    return distribution(model), recorder.records


# %% Everything is measured exactly: how much of the objective J = E[r] - beta KL is missing at the end.
def lacking(pi, reference, reward, beta):
    """Share of what the optimum gains in J over the reference that pi does not: 0 the optimum, 1 the reference."""
    def J(distribution):
        mean, kl = reward_and_kl(distribution, reference, reward)
        return mean - beta * kl
    best = J(optimum(reference, reward, beta))
    return (best - J(pi)) / (best - J(reference))


points, clips = [], {}
missing = {name: [] for name in (*ARMS, "best of n", "best temperature")}
for seed in SEEDS:
    reference, reward = case(seed)
    for name, kept in missing.items():
        kept.append([])
    for beta in BETAS:
        best = reward_and_kl(optimum(reference, reward, beta), reference, reward)
        for arm in ARMS if beta == MIDDLE else MAIN:
            pi, records = trained(seed, arm, beta, reward)
            missing[arm][-1].append(lacking(pi, reference, reward, beta))
            points.append((seed, arm, beta, *reward_and_kl(pi, reference, reward), *best, missing[arm][-1][-1]))
            if seed == SEEDS[0] and beta == MIDDLE:
                clips[arm] = records
        missing["best of n"][-1].append(min(lacking(best_of(reference, reward, n), reference, reward, beta) for n in (1, *NS)))
        missing["best temperature"][-1].append(min(lacking(sharpened(reference, t), reference, reward, beta)
                                                   for t in np.geomspace(0.1, 10, 81)))
w.show(points, ("seed", "arm", "beta", "E[r]", "KL", "best E[r]", "best KL", "missing"))
shares = {name: w.interval([np.mean(row) for row in rows]) for name, rows in missing.items()}
w.show([(name, beta, *w.interval([row[i] for row in rows])) for name, rows in missing.items()
        for i, beta in enumerate(BETAS if len(rows[0]) == len(BETAS) > 1 else (MIDDLE,))],
       ("arm", "beta", "missing of the optimum's gain", "from", "to"))

# %% What the log tells: the second step on a rollout has a ratio other than 1. Here for the first seed.
ROWS = np.unique(np.linspace(1, STEPS // 2, 6).astype(int) * 2 - 1)          # second steps on their rollouts
w.show([(int(i) + 1, float(clips["ppo"][i]["clipped"]), *(float(clips[arm][i]["ratio_distance"]) for arm in ("ppo", "no clip")),
         float(clips["ppo"][i]["entropy"]), float(clips["ppo"][i - 1]["kl"])) for i in ROWS],
       ("step", "clipped", "largest |ratio - 1|", "the same without clip", "entropy", "KL in its rollout"))

# %% Best-of-n needs no training; how far below the frontier is it, at its own KL?
grid = np.geomspace(0.01, 30, 400)


def below_frontier(reference, reward, n):
    """(KL, E[r] of best-of-n, E[r] of the frontier at that KL)."""
    mean, kl = reward_and_kl(best_of(reference, reward, n), reference, reward)
    curve = np.array([reward_and_kl(optimum(reference, reward, beta), reference, reward) for beta in grid[::-1]])
    return kl, mean, float(np.interp(kl, curve[:, 1], curve[:, 0]))


several = [(seed, n, *below_frontier(*case(seed), n), float(w.best_of_n_kl(n))) for seed in SEEDS for n in NS]
w.show(several, ("seed", "n", "KL", "E[r]", "frontier's E[r]", "log n - (n - 1) / n, an upper bound of the KL"))


def draw(axes):
    """Reward against KL, for seed 0: the frontier, best-of-n, temperatures, and where training ended."""
    reference, reward = case(0)
    curve = np.array([reward_and_kl(optimum(reference, reward, beta), reference, reward) for beta in grid])
    axes.plot(curve[:, 1], curve[:, 0], color="black", label="exact frontier")
    for arm, mark in zip(MAIN, "o^"):
        mine = np.array([point[3:5] for point in points if point[0] == 0 and point[1] == arm])
        axes.plot(mine[:, 1], mine[:, 0], mark, label=arm)
    best = np.array([row[2:4] for row in several if row[0] == 0])
    axes.plot(best[:, 0], best[:, 1], "s", markersize=4, label=f"best of {', '.join(map(str, NS))}")
    cool = np.array([reward_and_kl(sharpened(reference, t), reference, reward) for t in np.linspace(0.3, 1, 15)])
    axes.plot(cool[:, 1], cool[:, 0], ":", color="grey", label="a lower temperature")
    axes.set_xlim(0, 1.2 * max(point[4] for point in points) + 0.1)
    axes.set_xlabel("KL from the reference, nats")
    axes.set_ylabel("expected reward")
    axes.legend(frameon=False)


# %% The claim, and what each arm does to it.
over = {arm: w.interval(np.mean(np.subtract(missing[arm], missing["best of n"]), axis=1)) for arm in MAIN}
bars = [(0.1 - shares[arm][2], 0.1 - shares[arm][1]) for arm in MAIN] + [(-over[arm][2], -over[arm][1]) for arm in MAIN]
at_middle = [row[BETAS.index(MIDDLE)] for row in missing["ppo"]]
change = {arm: w.interval(np.ravel(missing[arm]) - at_middle) for arm in ARMS if arm not in MAIN}


def percent(stat):
    """A share and its interval in words."""
    return f"{100 * stat[0]:.1f}% ({100 * stat[1]:.1f} to {100 * stat[2]:.1f})"


gap = max(frontier - mean for _, _, _, mean, frontier, _ in several)
w.outcome(__file__, "9 where all responses can be listed, training ends near the exact optimum",
          "REINFORCE and PPO each miss, on average over the prices, less than 10% of what the exact optimum gains in E[r] - beta "
          "KL, and less than the best of n does, whichever n is best for the price",
          "missed: " + "; ".join(f"{name} {percent(shares[name])}" for name in (*MAIN, "best of n", "best temperature"))
          + f"; at beta {MIDDLE}, in points more than PPO: " + "; ".join(f"{arm} {percent(s)}" for arm, s in change.items())
          + f"; {STEPS} steps, {len(SEEDS)} seeds; best-of-n lies at most {gap:.3f} below the frontier",
          w.verdict(min(low for low, _ in bars), min(high for _, high in bars)),
          {**{name: list(share) for name, share in shares.items()},
           **{f"{arm} over best of n": list(stat) for arm, stat in over.items()},
           **{f"{arm}, more than ppo": list(stat) for arm, stat in change.items()}}, w.picture("17_frontier", draw),
          plainly={"holds": "Both policy gradients get more than nine tenths of what can be gained, and more than the best of n "
                            "samples does.",
                   "fails": "At least one of the two policy gradients misses a tenth of what can be gained, or more, or does "
                            "not beat the best of n samples.",
                   "undecided": "At least one of the two policy gradients ends too near its bar for so few seeds to decide."})
