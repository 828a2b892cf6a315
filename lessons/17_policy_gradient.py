"""How near does policy gradient come to the best possible trade of reward for divergence?

    python lessons/17_policy_gradient.py [--full]
"""

# %% A case that can be solved exactly: responses of one token, so all of them can be listed.
import numpy as np
import workbench as w

from minillm.phases.rlhf import RLHFConfig, rlhf, value_heads
from minillm.text.tokenizer import train_tokenizer
from minillm.training.recorder import MemoryRecorder

SEEDS = w.pick((0,), (0, 1, 2), (0, 1, 2, 3, 4))
BETAS = w.pick((0.3,), (0.2, 0.5), (0.1, 0.2, 0.35, 0.6, 1.0))
TOKENIZER = train_tokenizer(["the cat sat on the mat. a dog met the cat."], kind="characters")
PROMPT = TOKENIZER.encode("t")


def fresh(seed):
    """A small model with first weights large enough that its first distribution is not flat."""
    model = w.small_model(TOKENIZER, seed, layers=1, width=48, context=8)
    model.params["head"]["weight"] *= np.float32(8)
    return model


def distribution(model):
    """pi(response | prompt) over all responses.  Shapes:  -> (V,)"""
    return model.predict_next(PROMPT).probs.astype(np.float64)


def reward_and_kl(pi, reference, reward):
    """(E[r], KL(pi || reference)), exactly."""
    seen = pi > 0
    return float(pi @ reward), float(np.sum(pi[seen] * np.log(pi[seen] / reference[seen])))


def case(seed):
    """The reference's distribution over responses, and a reward for each.  Shapes:  -> (V,), (V,)"""
    reference = distribution(fresh(seed))
    return reference, np.random.default_rng(seed).uniform(0, 1, len(reference)).astype(np.float32).astype(np.float64)


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


# %% The same problem, solved by sampling and the package's policy gradient.
def trained(seed, algorithm, beta, reward):
    """The distribution at the end of the policy gradient."""
    model = fresh(seed)

    def score(sequences, _):
        return np.array([reward[ids[-1]] for ids in sequences], np.float32)
    settings = RLHFConfig(algorithm=algorithm, kl=beta, steps=w.pick(2, 80), rows=256, group=256, epochs=1,
                          max_new_tokens=1, lr=5e-3, final_lr=0.01, warmup_share=5 / 80, beta2=0.99, temperature=1.0,
                          save_every=80, missing_end=0.0)           # a response is one token: none has an end
    heads = value_heads(model, seed)
    rlhf(model, heads, [PROMPT], score, settings, seed, MemoryRecorder())
    return distribution(model)


# %% Everything is measured exactly: how much of the objective J = E[r] - beta KL is missing at the end.
points, missing = [], {"ppo": [], "reinforce": []}
for seed in SEEDS:
    reference, reward = case(seed)
    print(f"  seed {seed}: the best responses are worth " + ", ".join(f"{value:.3f}" for value in np.sort(reward)[:-4:-1]))
    lacks = {"ppo": [], "reinforce": []}
    for beta in BETAS:
        best = reward_and_kl(optimum(reference, reward, beta), reference, reward)
        for algorithm in missing:
            found = reward_and_kl(trained(seed, algorithm, beta, reward), reference, reward)
            start = float(reference @ reward)
            gain = best[0] - beta * best[1] - start
            lacks[algorithm].append((best[0] - beta * best[1] - (found[0] - beta * found[1])) / gain)
            points.append((seed, algorithm, beta, *found, *best))
    for algorithm, values in lacks.items():
        missing[algorithm].append(float(np.mean(values)))
w.show(points, ("seed", "algorithm", "beta", "E[r]", "KL", "best E[r]", "best KL"))

# %% Best-of-n needs no training; how far below the frontier is it, at its own KL?
grid = np.geomspace(0.01, 30, 400)


def below_frontier(reference, reward, n):
    """(KL, E[r] of best-of-n, E[r] of the frontier at that KL)."""
    mean, kl = reward_and_kl(best_of(reference, reward, n), reference, reward)
    curve = np.array([reward_and_kl(optimum(reference, reward, beta), reference, reward) for beta in grid[::-1]])
    return kl, mean, float(np.interp(kl, curve[:, 1], curve[:, 0]))


several = [(seed, n, *below_frontier(*case(seed), n), np.log(n) - (n - 1) / n) for seed in SEEDS for n in (2, 4, 8, 16)]
w.show(several, ("seed", "n", "KL", "E[r]", "frontier's E[r]", "log n - (n - 1) / n, an upper bound of the KL"))


def draw(axes):
    """Reward against KL: the frontier, best-of-n, and where training ended, for seed 0."""
    reference, reward = case(0)
    curve = np.array([reward_and_kl(optimum(reference, reward, beta), reference, reward) for beta in grid])
    axes.plot(curve[:, 1], curve[:, 0], color="black", label="exact frontier")
    for algorithm, mark in (("ppo", "o"), ("reinforce", "^")):
        mine = np.array([point[3:5] for point in points if point[0] == 0 and point[1] == algorithm])
        axes.plot(mine[:, 1], mine[:, 0], mark, label=algorithm)
    best = np.array([row[2:4] for row in several if row[0] == 0])
    axes.plot(best[:, 0], best[:, 1], "s", label="best of 2, 4, 8, 16")
    axes.set_xlim(0, 1.2 * max(point[4] for point in points) + 0.1)
    axes.set_xlabel("KL from the reference, nats")
    axes.set_ylabel("expected reward")
    axes.legend(frameon=False)


shares = {algorithm: w.interval(values) for algorithm, values in missing.items()}
worst = max(shares.values(), key=lambda share: share[2])
gap = max(frontier - mean for _, _, _, mean, frontier, _ in several)
w.outcome(__file__, "9 where all responses can be listed, training ends near the exact optimum",
          "REINFORCE and PPO each miss less than 5% of what the exact optimum gains in E[r] - beta KL",
          "; ".join(f"{name} misses {100 * s[0]:.1f}% ({100 * s[1]:.1f} to {100 * s[2]:.1f} over {len(SEEDS)} seeds)"
                    for name, s in shares.items()) + f"; best-of-n lies at most {gap:.3f} below the frontier, of any seed",
          w.verdict(0.05 - worst[2], 0.05 - worst[1]), {name: list(share) for name, share in shares.items()},
          w.picture("17_frontier", draw))
