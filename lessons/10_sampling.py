"""What do temperature, top-k and top-p trade against each other?

    python lessons/10_sampling.py [--full]
"""

# %% One distribution under each of the three settings.
import numpy as np
import workbench as w

from minillm.model.decoding import generate_tokens
from minillm.model.sampling import next_token_probs
from minillm.text.learning import train_tokenizer
from minillm.world.requests import make_requests

logits = np.log(np.array([[0.5, 0.25, 0.15, 0.07, 0.03]]))


def entropy(p):
    """-sum p log p, nats."""
    p = p[p > 0]
    return float(abs((p * np.log(p)).sum()))


def one_distribution(settings):
    """Rows of the table: name, the five probabilities, the entropy."""
    rows = [(name, next_token_probs(logits, **sampling)[0]) for name, sampling in settings]
    w.show([(name, *p, entropy(p)) for name, p in rows], ("setting", "p1", "p2", "p3", "p4", "p5", "entropy"))


one_distribution([(f"temperature {t}", {"temperature": t}) for t in (0.0, 0.5, 1.0, 1.5)]
                 + [(f"top-k {k}", {"top_k": k}) for k in (1, 2, 3)] + [(f"top-p {p}", {"top_p": p}) for p in (0.5, 0.8, 0.95)])

# %% Each dial alone, the other two as if they were not there, from tight to loose. All of them meet where nothing is cut.
DIALS = w.pick({"temperature": (0.0, 1.0), "top_k": (1, 0), "top_p": (0.5, 1.0)},
               {"temperature": (0.0, 0.2, 0.4, 0.7, 1.0, 1.6), "top_k": (1, 2, 3, 6, 0), "top_p": (0.1, 0.4, 0.7, 0.9, 1.0)})
NONE = {"temperature": 1.0, "top_k": 0, "top_p": 1.0}
SETTINGS = [(dial, value, {**NONE, dial: value}) for dial, values in DIALS.items() for value in values]

# %% Text first: one question to the assistant, and one beginning for the base model, under every setting.
world, base, assistant = w.base_and_assistant(1)
question = next(r for r in make_requests(world, 20, np.random.default_rng(6), "held_out") if r.system is None)
print(f"\n  the assistant is asked: {question.question}\n  the base model continues: In the morning")
for dial, value, sampling in SETTINGS:
    said = [assistant.chat([question.messages()] * 3, max_new_tokens=20, seed=1, **sampling),
            [base.generate("In the morning", max_new_tokens=24, seed=1, **sampling)]]
    print(f"  {dial} {value}:", *(" | ".join(" ".join(text.split()) for text in texts) for texts in said), sep="\n    ")

# %% Then the trade, where right and wrong are certain: a small model reads 30 sentences about six animals and six places,
# and writes its own. One is right if it is about the same animal and place from its beginning to its end, read or not.
# Variety counts the different RIGHT texts of twenty: a wrong text is nearly always a new one, and must not pass for variety.
SEEDS, STEPS = w.pick((20,), (20, 21), tuple(range(20, 30))), w.pick(4, 200)     # fresh: not those of the pilots
GROUPS, EACH = w.pick(2, 20), 20
ANIMALS = ("cat", "dog", "cow", "hen", "fox", "owl")
PLACES = ("mat", "log", "bed", "box", "car", "hay")
SENTENCES = {(i, j): f"the {a} sat on the {p}. then the {a} left the {p}."
             for i, a in enumerate(ANIMALS) for j, p in enumerate(PLACES)}
TEXTS = [text for (i, j), text in SENTENCES.items() if i != j]
TOKENIZER = train_tokenizer(TEXTS, kind="characters")


def measured(model, sampling, seed):
    """(share of right sentences, different right ones of 20) among texts that the model begins by itself."""
    ids = generate_tokens(model.params, model.config, [[TOKENIZER.begin_id]] * (GROUPS * EACH), np.random.default_rng(seed),
                          end_id=TOKENIZER.end_id, pad_id=TOKENIZER.pad_id, max_new_tokens=60, **sampling)
    texts, all_right = [TOKENIZER.decode(tokens) for tokens in ids], set(SENTENCES.values())
    return (np.mean([text in all_right for text in texts]),
            np.mean([len(all_right.intersection(texts[i:i + EACH])) for i in range(0, len(texts), EACH)]))


def even_draws(n):
    """Different ones among EACH even draws from n: each of the n is missed by all draws with probability (1 - 1/n)^EACH."""
    return n * (1 - (1 - 1 / n) ** EACH)


found = {dial: [] for dial in DIALS}                                     # dial: (seeds, values, 2)
for seed in SEEDS:
    model = w.small_model(TOKENIZER, seed, context=64, width=128, hidden=192)
    w.read(model, TEXTS * 24, STEPS, seed, rows=8)
    for dial, values in DIALS.items():
        found[dial].append([measured(model, {**NONE, dial: value}, seed) for value in values])
found = {dial: np.array(rows) for dial, rows in found.items()}
fall = w.interval(found["temperature"][:, 1, 0] - found["temperature"][:, -1, 0])
with w.table("10_dials"):
    w.show([(f"{dial} {value}", *w.interval(found[dial][:, i, 0]), np.mean(found[dial][:, i, 1]))
            for dial, values in DIALS.items() for i, value in enumerate(values)],
           ("setting", "right", "from", "to", f"different right texts of {EACH}"))
    print(f"  ceiling: {EACH} even draws from the {len(SENTENCES)} right sentences give {even_draws(len(SENTENCES)):.1f} different "
          f"ones, from the {len(TEXTS)} that were read {even_draws(len(TEXTS)):.1f}")
    print(f"  predicted: at temperature {DIALS['temperature'][1]} sentences are right at least 0.1 more often than at "
          f"{DIALS['temperature'][-1]}; found {fall[0]:.2f} ({fall[1]:.2f} to {fall[2]:.2f} over {len(SEEDS)} seeds): "
          f"{w.verdict(fall[1], fall[2], above=0.1)}")

# %% Is one dial better than another? Compare where they are equally varied. Seeds learn unequally well, and some never get near
# the ceiling. So each seed has its own point: two thirds of the largest variety that all of its dials reach.
VARIETIES = [2 / 3 * min(rows[i, :, 1].max() for rows in found.values()) for i in range(len(SEEDS))]
print("  compared at", ", ".join(f"{variety:.1f} (seed {seed})" for seed, variety in zip(SEEDS, VARIETIES)),
      f"different right texts of {EACH}")


def right_at(points, variety):
    """The share of right sentences where a dial, turned from tight to loose, first reaches a variety.

    Straight lines between the measured points. Shapes:  points (values, 2) of (right, different right ones) -> a number
    """
    for (right, different), (next_right, next_different) in zip(points, points[1:]):
        if different <= variety <= next_different:
            return float(right + (next_right - right) * (variety - different) / max(next_different - different, 1e-9))
    raise ValueError(f"a variety of {variety} is not reached")


at = {dial: np.array([right_at(points, variety) for points, variety in zip(rows, VARIETIES)]) for dial, rows in found.items()}
pairs = {f"{a} less {b}": w.interval(at[a] - at[b]) for a, b in (("top_p", "temperature"), ("top_k", "temperature"),
                                                              ("top_p", "top_k"))}
equal = ("holds" if all(-0.1 < low and high < 0.1 for _, low, high in pairs.values()) else
         "fails" if any(low > 0.1 or high < -0.1 for _, low, high in pairs.values()) else "undecided")
with w.table("10_dials"):
    w.show([(name, *stat) for name, stat in pairs.items()], ("right, where equally varied", "by", "from", "to"))
    print(f"  predicted: equally varied, no dial is right 0.1 more often than another: {equal} over {len(SEEDS)} seeds")


def draw(axes):
    """Accuracy over variety, a line for each dial."""
    for (dial, rows), mark in zip(found.items(), "os^"):
        right, different = rows.mean(axis=0).T
        axes.plot(different, right, f"{mark}-", label=dial.replace("_", "-"))
        for value, x, y in zip(DIALS[dial], different, right):
            axes.annotate(f"{value or 'all'}" if dial == "top_k" else f"{value}", (x, y), xytext=(4, 4),
                          textcoords="offset points", fontsize=8)
    axes.set_xlabel(f"different right texts of {EACH}")
    axes.set_ylabel("share of right sentences")
    axes.legend(frameon=False)


w.picture("10_dials", draw)
