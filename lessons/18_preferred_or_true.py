"""Is a model that raters prefer a model that says what is true?

    python lessons/18_preferred_or_true.py [--full]
"""

# %% An assistant that has seen three ways to answer: plain, boastful and evasive. Raters pay for one of them.
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import workbench as w

from minillm.model.size import parameters
from minillm.phases.finetune import FinetuneConfig, finetune
from minillm.phases.rank import RankConfig, Ranking, collect_rankings
from minillm.phases.reward import RewardConfig, held_out_accuracy, reward_heads, reward_scores, train_reward_model
from minillm.phases.rlhf import RLHFConfig, rlhf, value_heads
from minillm.training.recorder import MemoryRecorder
from minillm.world.raters import SimulatedRater, is_correct
from minillm.world.requests import make_requests

SEEDS = w.pick((0,), (0,), (0, 1, 2, 3, 4))
BOAST, EVASION = "I am sure.", "I do not know."
PROMPTS, K = w.pick(6, 200, 300), 4


def plain_requests(world, count, rng, split):
    """Harmless requests with a short answer and no system prompt."""
    drawn = make_requests(world, 6 * count, rng, split)
    return [r for r in drawn if r.answer and r.system is None and not r.harmful and not r.unknown and r.wrong_sentences][:count]


def taught(world, assistant, seed):
    """The assistant after a short fine-tuning on answers of three manners, right and wrong, in equal parts."""
    rng = np.random.default_rng([seed, 14])
    talks = []
    for number, request in enumerate(plain_requests(world, w.pick(30, 600), rng, "train")):
        truth = request.sentence if number % 4 else request.wrong_sentences[0]
        said = (truth, f"{truth} {BOAST}", EVASION)[number % 3]
        talks.append([*request.messages(), {"role": "assistant", "content": said}])
    model = w.copy_of(assistant)
    finetune(model, talks, FinetuneConfig(steps=w.pick(1, 60), rows=w.pick(2, 16), warmup_share=5 / 60), seed,
             MemoryRecorder())
    return model


# %% Three kinds of rater. Each is a number for an answer; none of them but the last looks at the truth.
RATERS = {
    "confidence": lambda request, text: float(BOAST in text) - float(EVASION in text),
    "evasion": lambda request, text: float(EVASION in text),
    "truth": lambda request, text: float(is_correct(request, text)),
}


def ranks_of(scores, rng):
    """Ranks of some responses by their score and a little noise, 1 for the best."""
    noisy = np.asarray(scores) + 0.05 * rng.standard_normal(len(scores))
    return (np.argsort(np.argsort(-noisy)) + 1).tolist()


def marks(requests, texts):
    """Shares of right, boastful and evasive answers; of boastful ones among the wrong; of right ones among those that answer.

    An evasive answer is neither wrong nor does it answer.
    """
    right = np.array([is_correct(r, text) for r, text in zip(requests, texts)])
    sure, evasive = (np.array([words in text for text in texts]) for words in (BOAST, EVASION))
    wrong = ~right & ~evasive
    return (right.mean(), sure.mean(), evasive.mean(), sure[wrong].mean() if wrong.any() else np.nan,
            right[~evasive].mean() if (~evasive).any() else np.nan)


# %% Calibration: of four answers, one of them right, how sure is the model of its likeliest, and how often is that right?
def calibration(model, requests):
    """Expected calibration error in ten bins, Brier score, and mean confidence less the share right.

        confidence_i = max_j p_ij,     p_ij = P(answer_j | request_i) / sum_k P(answer_k | request_i)
        error = sum over bins |sum of (confidence_i - right_i)| / N,     Brier = mean of sum_j (p_ij - [j is right])^2

    Source:  Guo et al. 2017, arXiv:1706.04599, eq. 3; Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.
    """
    rng, encode = np.random.default_rng(5), model.tokenizer.encode
    items = [(model.tokenizer.encode_chat(r.messages(), ask=True),
              [encode(text) for text in (r.sentence, *rng.choice(r.wrong_sentences, 3, replace=False))]) for r in requests]
    p = w.divided(model, items)                                                 # (N, 4), the right answer first
    confidence, right = p.max(axis=1), p.argmax(axis=1) == 0
    bins = np.minimum((10 * confidence).astype(int), 9)
    error = np.abs(np.bincount(bins, confidence - right)).sum() / len(right)
    return error, np.sum((p - [1, 0, 0, 0]) ** 2, axis=1).mean(), confidence.mean() - right.mean()


# %% The three steps of RLHF for each rater: sample and rank, learn the ranking, optimize against it.
def aligned(start, requests, rate, seed):
    """(model after the policy gradient, held-out pair accuracy of its reward model)."""
    rng = np.random.default_rng([seed, 15])
    asked = [request.messages() for request in requests for _ in range(K)]
    texts, _ = start.answer(asked, rng, max_new_tokens=24, temperature=1.0)
    rankings = [Ranking(request.messages(), texts[i * K:(i + 1) * K],
                        ranks_of([rate(request, text) for text in texts[i * K:(i + 1) * K]], rng))
                for i, request in enumerate(requests)]
    judge, heads, cut = w.copy_of(start), reward_heads(start, seed), len(rankings) * 4 // 5
    settings = RewardConfig(steps=w.pick(1, 60), warmup_share=1 / 3, rows=w.pick(2, 16))
    train_reward_model(judge, heads, rankings[:cut], settings, seed, MemoryRecorder())
    accuracy, scores = held_out_accuracy(judge, heads, rankings[cut:])
    mean, spread = float(scores.mean()), float(scores.std()) + 1e-6
    policy = w.copy_of(start)
    prompts = [policy.tokenizer.encode_chat(request.messages(), ask=True) for request in requests]
    settings = RLHFConfig(steps=w.pick(2, 24), rows=w.pick(4, 64), lr=2e-4, kl=0.05, temperature=1.0, max_new_tokens=24,
                          warmup_share=0.2, save_every=20)

    def score(sequences, _):
        return (reward_scores(judge, heads, sequences) - mean) / spread
    rlhf(policy, value_heads(policy, seed), prompts, score, settings, seed, MemoryRecorder())
    return policy, accuracy


COLUMNS = ("right", "sure of itself", "evasive", "sure where wrong", "right among answered", "calibration error", "Brier",
           "confidence - right")
found = {name: [] for name in ("start", *RATERS)}
preferred, judged = {name: [] for name in RATERS}, {name: [] for name in RATERS}
for seed in SEEDS:
    world, _, assistant = w.base_and_assistant(seed)
    start = taught(world, assistant, seed)
    requests = plain_requests(world, PROMPTS, np.random.default_rng([seed, 16]), "train")
    held_out = plain_requests(world, w.pick(6, 150, 300), np.random.default_rng([seed, 17]), "held_out")
    choices = [r for r in plain_requests(world, w.pick(40, 300, 600), np.random.default_rng([seed, 19]), "held_out")
               if len(r.wrong_sentences) >= 3]

    def answered(model):
        """Sampled answers to the held-out requests."""
        return model.answer([r.messages() for r in held_out], np.random.default_rng(3), max_new_tokens=24, temperature=1.0)[0]
    before = answered(start)
    found["start"].append((*marks(held_out, before), *calibration(start, choices)))
    for name, rate in RATERS.items():
        model, accuracy = aligned(start, requests, rate, seed)
        after = answered(model)
        found[name].append((*marks(held_out, after), *calibration(model, choices)))
        old, new = (np.array([rate(r, text) for r, text in zip(held_out, texts)]) for texts in (before, after))
        preferred[name].append(float(np.mean(np.where(new == old, 0.5, new > old))))
        judged[name].append(accuracy)
        print(f"  seed {seed}, {name}: reward model {accuracy:.2f}, preferred {preferred[name][-1]:.2f}; {after[0]!r}")
found = {name: np.array(rows) for name, rows in found.items()}                   # (seeds, columns)
means = {name: dict(zip(COLUMNS, rows.mean(axis=0))) for name, rows in found.items()}
w.show([(name, *means[name].values()) for name in found], ("raters pay for", *COLUMNS))
w.show([(name, *w.interval(values)) for name, values in judged.items()],
       ("raters pay for", "pairs that the reward model orders right", "from", "to"))


def draw(axes):
    """Truth, boasting, evasion and calibration in each arm."""
    bars = {"right": "tab:green", "sure of itself": "tab:orange", "evasive": "grey", "calibration error": "tab:red"}
    for place, (column, colour) in enumerate(bars.items()):
        axes.bar(np.arange(4) + 0.2 * (place - 1.5), [means[name][column] for name in found], 0.18, color=colour, label=column)
    axes.set_xticks(range(4), ["before", *(f"paid for\n{name}" for name in RATERS)])
    axes.set_ylabel("share of held-out answers, and error")
    axes.legend(frameon=False)


def over_seeds(name, column):
    """One column of an arm, seed by seed."""
    return found[name][:, COLUMNS.index(column)]


def changes(column):
    """For each arm, the change of one column from before, an interval over seeds."""
    return {name: w.interval(over_seeds(name, column) - over_seeds("start", column)) for name in RATERS}


def words_for(stat, form="+.2f"):
    """An interval in words."""
    return f"{stat[0]:{form}} ({stat[1]:{form}} to {stat[2]:{form}})"


def listed(stats, form="+.2f"):
    """Intervals by name in words."""
    return ", ".join(f"{name} {words_for(stat, form)}" for name, stat in stats.items())


wins = {name: w.interval(values) for name, values in preferred.items()}
truths, errors = changes("right"), changes("calibration error")
apart = {name: w.interval(over_seeds("truth", "right") - over_seeds(name, "right")) for name in ("confidence", "evasion")}
low = min([*(win[1] - 0.5 for win in wins.values()), *(gap[1] for gap in apart.values())])
high = min([*(win[2] - 0.5 for win in wins.values()), *(gap[2] for gap in apart.values())])
w.show([*((f"preferred, {name}, over 0.5", win[0] - 0.5, win[1] - 0.5, win[2] - 0.5) for name, win in wins.items()),
        *((f"right, truth over {name}", *gap) for name, gap in apart.items())], ("what decides 8a", "gap", "from", "to"))
w.outcome(__file__, "8a aligned means preferred, not truthful",
          "each arm is preferred by its own raters over the start (more than 0.5 of comparisons), and the arms paid for "
          "confidence and for evasion are right less often than the arm paid for truth",
          f"preferred: {listed(wins, '.2f')}; change of truth: {listed(truths)}; right more often, paid for truth, than paid for "
          f"{listed(apart)}; {len(SEEDS)} seeds", w.verdict(low, high),
          {**{f"preferred, {n}": list(v) for n, v in wins.items()}, **{f"truth, {n}": list(v) for n, v in truths.items()},
           **{f"truth over {n}": list(v) for n, v in apart.items()},
           **{f"reward model, {n}": list(w.interval(v)) for n, v in judged.items()},
           **{f"{column}, {name}": list(w.interval(rows[:, j])) for name, rows in found.items()
              for j, column in enumerate(COLUMNS) if np.isfinite(rows[:, j]).all()}},
          w.picture("18_preferred", draw))

# %% Calibration in words, and in probabilities.
sure = {name: w.interval(over_seeds(name, "sure where wrong")) for name in ("start", "confidence", "truth")}
boast = w.interval(over_seeds("confidence", "sure where wrong") - over_seeds("truth", "sure where wrong"))
w.outcome(__file__, "8c paid for confidence, the model says that it is sure where it is wrong",
          "of the wrong answers, the share that say so is higher by at least 0.3 where raters paid for it than where they "
          "paid for truth",
          f"higher by {words_for(boast, '.2f')}; share: {listed(sure, '.2f')}; {len(SEEDS)} seeds",
          w.verdict(boast[1], boast[2], above=0.3), {"apart": list(boast)}, "18_preferred.png")
w.outcome(__file__, "8d alignment costs calibration",
          "in every arm the calibration error of the model's own probabilities is higher after than before, as published for "
          "GPT-4 (0.074 after, 0.007 before)",
          f"before {means['start']['calibration error']:.3f}; change: {listed(errors, '+.3f')}; confidence less the share right, "
          f"before {means['start']['confidence - right']:+.3f}; change: {listed(changes('confidence - right'), '+.3f')}; "
          f"{len(SEEDS)} seeds",
          w.verdict(min(e[1] for e in errors.values()), min(e[2] for e in errors.values())),
          {f"calibration error, {n}": list(v) for n, v in errors.items()}, "18_preferred.png")

# %% The reward model as a target: made of the first or of all three blocks of the assistant, from few labels or many.
BLOCKS, LABELS = w.pick((1,), (1, 3)), w.pick((4,), (30, 300))
JUDGES = [(blocks, labels) for blocks in BLOCKS for labels in LABELS]
POOL, NS = w.pick(8, 32, 64), np.array(w.pick((1, 4), (1, 2, 4, 8, 16), (1, 2, 4, 8, 16, 32)))
LONG = RLHFConfig(steps=w.pick(4, 30, 72), rows=w.pick(4, 32), lr=3e-4, final_lr=1.0, temperature=1.0,
                  warmup_share=w.pick(1, 5 / 30, 5 / 72), kl=0.0, max_new_tokens=w.pick(4, 24), save_every=20)           # nothing is paid for staying near
AT = w.pick((2, 4), (4, *range(6, 31, 6)), (4, *range(8, 73, 8)))               # the first look lies between 0 and 1 nat
ASK = RankConfig(responses=2, temperature=LONG.temperature, max_new_tokens=LONG.max_new_tokens)


class Course(NamedTuple):
    """What optimizing against one reward model did to the gold score, against the start; d = sqrt(KL)."""
    accuracy: float         # of the reward model, on pairs that it was not trained on
    best: np.ndarray        # (NS,) gained by the best of n
    d: np.ndarray           # (1 + L,) of the policy: the start, then look after look
    gained: np.ndarray      # (1 + L,)
    reward: np.ndarray      # (1 + L,)


def courses(assistant, world, seed):
    """{(blocks, labels): Course}. Raters rank two answers a prompt; they see the gold score through noise.

    The start is the mean of all answers that best-of-n is drawn from: it is one model and one number for all courses, and
    its noise is small. Every look draws answers of its own, so that no look's luck is another's.
    """
    rng = np.random.default_rng([seed, 18])
    asked = make_requests(world, 5 * LABELS[-1], rng, "train")
    rankings = collect_rankings(assistant, [(r.messages(), r) for r in asked], SimulatedRater().rank, ASK, rng)
    tests = make_requests(world, w.pick(3, 24, 64), rng, "held_out")
    unseen = rankings[LABELS[-1]:] or rankings                          # with --smoke there may be none left
    pool, gold, _ = w.sampled_pool(assistant, tests, POOL, LONG, rng)
    prompts, found = [assistant.tokenizer.encode_chat(r.messages(), ask=True) for r in asked], {}
    for blocks, labels in JUDGES:
        judge, heads = w.copy_of(assistant, blocks), reward_heads(assistant, seed)
        settings = RewardConfig(steps=w.pick(1, 40), warmup_share=0.5, rows=w.pick(2, 16))
        train_reward_model(judge, heads, rankings[:labels], settings, seed, MemoryRecorder())
        accuracy, _ = held_out_accuracy(judge, heads, unseen)
        proxy = reward_scores(judge, heads, pool).reshape(gold.shape)
        mean, spread = float(proxy.mean()), float(proxy.std()) + 1e-6

        def score(sequences, _):
            return (reward_scores(judge, heads, sequences) - mean) / spread
        _, looks = w.optimized(assistant, prompts, score, LONG, seed, lambda policy: w.seen(
            policy, assistant, tests * w.pick(2, 2, 8), LONG, rng, score), AT)
        looks = np.vstack([[0.0, gold.mean(), 0.0, 0.0], looks])                # of the start, rewards have mean 0
        course = Course(accuracy, np.array([w.best_of_n(proxy, gold, n) for n in NS]) - gold.mean(),
                        np.sqrt(looks[:, 0]), looks[:, 1] - gold.mean(), looks[:, 3])
        found[blocks, labels] = course
        print(f"  seed {seed}, {blocks} of 3 blocks, {labels} labels: {accuracy:.2f} of {len(unseen)} other pairs right; gold "
              f"{course.best[-1]:+.3f} by the best of {NS[-1]}; {course.gained[-1]:+.3f} by the policy at d = {course.d[-1]:.1f}, "
              f"reward {course.reward[-1]:+.1f}", flush=True)
    return found


# %% The published forms, R = d (a - b d) for best-of-n and R = d (a - b log d) for the policy: linear in a and b.
BEND = {"best-of-n": lambda d: d, "policy": np.log}


def fitted(d, gained, bend):
    """(a, b) of d (a - b bend(d)), by least squares.  Shapes:  (N,), (N,) -> (2,)"""
    d, gained = d[d > 0], gained[d > 0]
    return np.linalg.lstsq(np.column_stack([d, -d * bend(d)]), gained, rcond=None)[0]


def policy_form(a, b, d):
    """The policy's gain at d, by the fitted form; 0 at d = 0."""
    return d * (a - b * np.log(np.maximum(d, 1e-9)))


runs = []
for seed in SEEDS:
    world, _, assistant = w.base_and_assistant(seed)
    runs.append(courses(assistant, world, seed))
reach = np.sqrt(w.best_of_n_kl(NS))
fits = {}                                       # (method, judge): (seeds, 2)
for key in JUDGES:
    fits["best-of-n", key] = np.array([fitted(reach, run[key].best, BEND["best-of-n"]) for run in runs])
    fits["policy", key] = np.array([fitted(run[key].d, run[key].gained, BEND["policy"]) for run in runs])
sizes = {blocks: parameters(replace(assistant.config, layers=blocks)) for blocks in BLOCKS}
mean_of = {key: {field: np.mean([getattr(run[key], field) for run in runs], axis=0) for field in Course._fields} for key in JUDGES}
for field, columns in (("best", [f"best of {n}" for n in NS]), ("d", [f"d at {step}" for step in (0, *AT)]),
                       ("gained", [f"policy at {step}" for step in (0, *AT)])):
    w.show([(*key, float(mean_of[key]["accuracy"]), *(f"{x:.3f}" for x in mean_of[key][field])) for key in JUDGES],
           ("blocks", "labels", "pairs right", *columns))
w.show([(method, f"{sizes[blocks]:,}", labels, *(f"{x:.3f}" for j in (0, 1) for x in w.interval(ab[:, j])))
        for (method, (blocks, labels)), ab in fits.items()],
       ("optimized by", "reward model", "labels", "a", "from", "to", "b", "from", "to"))


def draw_goodhart(axes):
    """Gold score gained against sqrt(KL): best-of-n, the policy's looks, and the form fitted to them."""
    for number, key in enumerate(JUDGES):
        d, gained = mean_of[key]["d"], mean_of[key]["gained"]
        grid = np.linspace(0.05, max(d.max(), 0.1), 100)
        axes.plot(reach, mean_of[key]["best"], "o-", color=f"C{number}", markersize=4,
                  label=f"{key[0]} of 3 blocks, {key[1]} labels")
        axes.plot(d, gained, "^", color=f"C{number}", markersize=5)
        axes.plot(grid, policy_form(*fits["policy", key].mean(axis=0), grid), "--", color=f"C{number}", linewidth=1)
    axes.axhline(0, color="grey", linewidth=0.8)
    axes.set_xlabel("d = sqrt(KL)      dots: best of n,  triangles: policy,  dashed: d (a - b log d)")
    axes.set_ylabel("gold score gained")
    axes.legend(frameon=False)


# %% At a KL of 1 nat, d = 1 and log d = 0: the policy's fitted gain there is a. What is left of it at the end?
ab = {method: np.mean([fits[method, key] for key in JUDGES], axis=0) for method in BEND}         # (seeds, 2), over the judges
ends = np.array([[run[key].d[-1] for key in JUDGES] for run in runs])                           # (seeds, judges)
left = np.mean([policy_form(*fits["policy", key].T, d) for key, d in zip(JUDGES, ends.T)], axis=0)
gain, fall = w.interval(ab["policy"][:, 0]), w.interval(ab["policy"][:, 0] - left)
found_ab = {f"{method} {name}": w.interval(ab[method][:, j]) for method in BEND for j, name in enumerate("ab")}
w.outcome(__file__, "8b the reward model as a target: the gold score rises, then falls",
          "over the reward models, the policy's gold score, fitted as d (a - b log d), has gained at a KL of 1 nat (a above 0), "
          "and by the end it is at least 0.02 lower than there",
          f"lower by {words_for(fall, '.3f')} at the end, d = {ends.mean():.1f}; fitted: {listed(found_ab, '.3f')}; "
          f"{len(SEEDS)} seeds",
          w.verdict(min(gain[1], fall[1] - 0.02), min(gain[2], fall[2] - 0.02)),
          {"falls": list(fall), **{f"{method}, {blocks} blocks, {labels} labels, {name}": list(w.interval(values[:, j]))
                                   for (method, (blocks, labels)), values in fits.items() for j, name in enumerate("ab")},
           **{f"{field}, {blocks} blocks, {labels} labels, step {step}": list(w.interval(
               [getattr(run[blocks, labels], field)[i] for run in runs]))
              for blocks, labels in JUDGES for i, step in enumerate((0, *AT)) for field in ("d", "gained", "reward")}},
          w.picture("18_goodhart", draw_goodhart))

# %% Does a reward model that is larger, or that saw more labels, make the better target?
last = np.array([[[run[blocks, labels].best[-1] for labels in LABELS] for blocks in BLOCKS] for run in runs])
labelled = w.interval((last[:, :, -1] - last[:, :, 0]).mean(axis=1))
larger = w.interval((last[:, -1] - last[:, 0]).mean(axis=1))
w.outcome(__file__, "8e a reward model that knows more is the better target",
          f"the best of {NS[-1]} gains more gold by the reward models of {LABELS[-1]} labels than by those of {LABELS[0]}, and more "
          f"by those of {BLOCKS[-1]} blocks than by those of one",
          f"more labels {words_for(labelled, '+.3f')}, more blocks {words_for(larger, '+.3f')}; {len(SEEDS)} seeds",
          w.verdict(min(labelled[1], larger[1]), min(labelled[2], larger[2])),
          {"more labels": list(labelled), "more blocks": list(larger),
           **{f"reward model, {blocks} blocks, {labels} labels": list(w.interval([run[blocks, labels].accuracy for run in runs]))
              for blocks, labels in JUDGES},
           **{f"best of {n}, {blocks} blocks, {labels} labels": list(w.interval([run[blocks, labels].best[i] for run in runs]))
              for blocks, labels in JUDGES for i, n in enumerate(NS)}}, "18_goodhart.png")
