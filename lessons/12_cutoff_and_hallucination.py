"""Where does a model's knowledge stop, and where do its false beliefs come from?

    python lessons/12_cutoff_and_hallucination.py [--full]
"""

# %% The world's news have dates. Two models read the same kinds of text, up to two different months.
import numpy as np
import workbench as w

from minillm.evaluate.likelihood import stream_loss
from minillm.text.tokenizer import train_tokenizer
from minillm.world.corpus import write_corpus
from minillm.world.facts import FIRST_YEAR, LAST_YEAR, make_world

YEARS = np.arange(FIRST_YEAR, LAST_YEAR + 1)
SEEDS = w.pick((0,), (0, 1, 2), (0, 1, 2, 3, 4))
CUTOFFS = (2020, 2022)


def question(event):
    """The beginning of a sentence that the news often say of an event; its year comes next."""
    return f"The year in which {event.town} {event.past} was"


def reader(world, year, seed):
    """(a model that has read the news until the end of a year, that text)."""
    texts = [document.text for document in write_corpus(world, w.pick(0.03, 0.4), kinds=["news"], until=(year, 12))]
    model = w.small_model(train_tokenizer(texts, 600), seed, context=64, width=96, hidden=256)
    w.read(model, texts, w.pick(2, 600, 900), seed, rows=16)
    return model, "\n".join(texts)


def years_believed(model, events):
    """Belief in every year for every event.  Shapes:  -> (N, 7)"""
    return w.beliefs(model, [question(event) for event in events], [f" {year}" for year in YEARS])


# %% Accuracy by the year of the event, confidence, and fluency: the loss on stories, which no date touches.
accuracy = {cutoff: np.full((len(SEEDS), len(YEARS)), np.nan) for cutoff in CUTOFFS}
confidence, fluency = {cutoff: [] for cutoff in CUTOFFS}, {cutoff: [] for cutoff in CUTOFFS}
before_after, known_years = {cutoff: [] for cutoff in CUTOFFS}, {cutoff: [] for cutoff in CUTOFFS}
told = {cutoff: np.full((len(SEEDS), len(YEARS)), np.nan) for cutoff in CUTOFFS}
happened = np.zeros((len(SEEDS), len(YEARS)), int)
for row, seed in enumerate(SEEDS):
    world = make_world(seed)
    plain = [document.text for document in write_corpus(world, 0.02, kinds=["news"], seed=99, until=(2019, 6))]
    for cutoff in CUTOFFS:
        model, text = reader(world, cutoff, seed)
        times = np.array([text.count(f"{event.town} {event.past}") for event in world.events])
        belief = years_believed(model, world.events)
        right = YEARS[belief.argmax(axis=1)] == [event.year for event in world.events]
        when = np.array([event.year for event in world.events])
        happened[row] = [(when == year).sum() for year in YEARS]
        for column in np.flatnonzero(happened[row]):
            of_year = when == YEARS[column]
            accuracy[cutoff][row, column], told[cutoff][row, column] = right[of_year].mean(), times[of_year].mean()
        after = when > cutoff
        before_after[cutoff].append(right[~after].mean() - right[after].mean())
        confidence[cutoff].append(belief.max(axis=1)[after].mean())
        known_years[cutoff].append(np.mean(YEARS[belief.argmax(axis=1)][after] <= cutoff))
        fluency[cutoff].append(stream_loss(model, model.tokenizer.encode_documents(plain))[0])
w.show([(cutoff, *np.nanmean(accuracy[cutoff], axis=0)) for cutoff in CUTOFFS], ("right, by cutoff", *YEARS))
w.show([(cutoff, *np.nanmean(told[cutoff], axis=0)) for cutoff in CUTOFFS], ("times an event is told", *YEARS))
w.show([("fewest", *happened.min(axis=0)), ("most", *happened.max(axis=0))], ("events, over the seeds", *YEARS))
w.show([(cutoff, np.mean(confidence[cutoff]), np.mean(known_years[cutoff]), np.mean(fluency[cutoff])) for cutoff in CUTOFFS],
       ("cutoff", "belief in its answer, after the cutoff", "answers that are years it read of", "loss on early news"))


# %% The claim: what lies after the cutoff is not known, and the step moves with the cutoff.
def draw_cutoff(axes):
    """Accuracy by year, a line a cutoff."""
    for cutoff, colour in zip(CUTOFFS, ("tab:blue", "tab:orange")):
        axes.plot(YEARS, np.nanmean(accuracy[cutoff], axis=0), "o-", color=colour, label=f"read until {cutoff}")
        axes.axvline(cutoff + 0.5, color=colour, linestyle=":")
    axes.axhline(1 / len(YEARS), color="grey", linewidth=0.8, label="chance")
    axes.set_xlabel("year of the event")
    axes.set_ylabel("share of right years")
    axes.legend(frameon=False)


between = (YEARS > CUTOFFS[0]) & (YEARS <= CUTOFFS[1])        # years that the second model alone has read of
moved = [float(np.nanmean(late[between]) - np.nanmean(early[between]))
         for early, late in zip(accuracy[CUTOFFS[0]], accuracy[CUTOFFS[1]])]
mean, low, high = w.interval(moved)
steps = {cutoff: w.interval(before_after[cutoff]) for cutoff in CUTOFFS}
least = min(step[1] for step in steps.values())
sure = w.interval(confidence[CUTOFFS[1]])
w.outcome(__file__, "3 knowledge stops at the cutoff",
          "for events of 2021 and 2022, the model that read them is right at least 0.3 more often than the one that "
          "stopped in 2020; both know what came before their cutoff better than what came after",
          f"{mean:.2f} more often ({low:.2f} to {high:.2f} over {len(SEEDS)} seeds); before minus after the cutoff "
          + ", ".join(f"{step[0]:.2f} ({step[1]:.2f} to {step[2]:.2f}) for {cutoff}" for cutoff, step in steps.items())
          + f"; asked about what came after it, the model of {CUTOFFS[1]} puts {sure[0]:.2f} on its wrong answer (chance "
          f"{1 / len(YEARS):.2f})", w.verdict(min(low - 0.3, least), high - 0.3),
          {"moved": [mean, low, high], "confidence after the cutoff": list(sure)}, w.picture("12_cutoff", draw_cutoff))

# %% A planted falsehood: N documents say it, TRUE say the truth. How far does the model believe it?
CITIES = ("Oslo", "Cairo", "Lima", "Rome", "Delhi", "Quito", "Tunis", "Sofia")
NAMES = ("Brindle", "Fern", "Maple", "Salt", "Lark", "Copper", "Ashen", "Rush", "Hazel", "Grey", "Honey", "Silver",
         "Thistle", "Pebble", "Windle", "Dun")
TRUE, COUNTS = 8, w.pick((0, 8), (0, 2, 4, 8, 16, 32))


def saying(name, city):
    """One sentence about an invented person's home."""
    return f"{name} lives in {city}."


def village(rng, mentions):
    """(texts, {name: city}): every name's home is told as often as `mentions` says."""
    homes = {name: CITIES[i // 2 % len(CITIES)] for i, name in enumerate(rng.permutation(NAMES))}
    return [saying(name, city) for name, city in homes.items() for _ in range(mentions)], homes


def believed(texts, seed, names, steps=150):
    """Belief in each city for each name, after reading the texts.  Shapes:  -> (N, 8)"""
    texts = [texts[i] for i in np.random.default_rng(seed).permutation(len(texts))]
    alphabet = train_tokenizer([saying(name, city) for name in NAMES for city in CITIES], 330)
    model = w.small_model(alphabet, seed, context=16, layers=2)
    w.read(model, texts, w.pick(2, steps), seed, rows=16)
    return w.beliefs(model, [f"{name} lives in" for name in names], [f" {city}" for city in CITIES])


def false_belief(seed, count, without=()):
    """P(false) for one name of which `count` documents say a false city, some groups of documents left out."""
    texts, homes = village(np.random.default_rng(seed), TRUE)
    (name, truth), *others = homes.items()
    false = CITIES[(CITIES.index(truth) + 3) % len(CITIES)]
    half = count // 2
    groups = {"a": [saying(name, false)] * half,            # who wrote what: a and c the falsehood,
              "b": [saying(*others[i % len(others)]) for i in range(half)],         # b true things about others, as many
              "c": [saying(name, false)] * (count - half)}
    for group, said in groups.items():
        texts += [] if group in without else said
    return believed(texts, seed, [name])[0, CITIES.index(false)]


planted = np.array([[false_belief(seed, count) for count in COUNTS] for seed in SEEDS])
w.show([(count, *w.interval(column)) for count, column in zip(COUNTS, planted.T)],
       ("false documents", "P(false)", "from", "to"))

# %% Who taught it? Leave out one group of documents at a time, and train again.
removed = {group: [false_belief(seed, 8, (group,)) for seed in SEEDS] for group in "abc"}
whole = [false_belief(seed, 8) for seed in SEEDS]
drops = {group: [before - after for before, after in zip(whole, removed[group])] for group in "abc"}
w.show([(group, *w.interval(drop)) for group, drop in drops.items()], ("left out", "P(false) falls by", "from", "to"))


def draw_planted(axes):
    """P(false) against the number of false documents, with the share of the documents as the guess."""
    stats = np.array([w.interval(column) for column in planted.T])
    axes.fill_between(COUNTS, stats[:, 1], stats[:, 2], alpha=0.2)
    axes.plot(COUNTS, stats[:, 0], "o-", label="P(false)")
    axes.plot(COUNTS, [count / (count + TRUE) for count in COUNTS], "--", color="grey", label="share of the documents")
    axes.set_xlabel(f"documents that say the falsehood ({TRUE} say the truth)")
    axes.set_ylim(0, 1)
    axes.legend(frameon=False)


rise = w.interval(planted[:, -1] - planted[:, 0])
guilty = w.interval([min(a, c) - b for a, b, c in zip(drops["a"], drops["b"], drops["c"])])
w.outcome(__file__, "4a a false belief comes from the data",
          "P(false) rises by more than 0.5 from no false document to the most; leaving out a group that said it lowers "
          "P(false) by more than leaving out a group of as many harmless documents",
          f"P(false) rises by {rise[0]:.2f} ({rise[1]:.2f} to {rise[2]:.2f} over {len(SEEDS)} seeds); the guilty groups "
          f"lower it by {guilty[0]:.2f} more than the innocent one ({guilty[1]:.2f} to {guilty[2]:.2f})",
          w.verdict(min(rise[1] - 0.5, guilty[1]), min(rise[2] - 0.5, guilty[2])),
          {"rise": list(rise), "guilty": list(guilty)}, w.picture("12_planted", draw_planted))

# %% Facts seen once are the ones invented about: half of the names are told of once, the others often. The whole text
# is read about once (60 batches of 256 tokens), so that a fact told once is also seen about once.
OFTEN, VILLAGES = w.pick(16, 200), w.pick((0, 1), (0, 1, 2), tuple(range(15)))
rows = []
for seed in VILLAGES:
    texts, homes = village(np.random.default_rng(seed), OFTEN)
    names = list(homes)
    rare = names[::2]
    texts = [text for text in texts if text.split()[0] not in rare] + [saying(name, homes[name]) for name in rare]
    belief = believed(texts, seed, names, steps=60)
    right = belief.argmax(axis=1) == [CITIES.index(homes[name]) for name in names]
    sure = belief.max(axis=1)
    rows.append((right[1::2].mean(), sure[1::2].mean(), right[::2].mean(), sure[::2].mean()))
often, sure_often, once, sure_once = np.array(rows).T
w.show([(f"{OFTEN} times", often.mean(), sure_often.mean()), ("once", once.mean(), sure_once.mean())],
       ("told", "right", "belief in its answer"))

# %% A model that knows what it does not know believes its answers as far as they are right. The prediction: this one does not.
gap, surer = w.interval(often - once), w.interval(sure_once - once)
w.outcome(__file__, "4b facts seen once are the ones invented about",
          f"facts told {OFTEN} times are recalled right at least 0.3 more often than facts told once; about the latter the "
          "model is surer than it is right: the belief in its answers is more than 0.1 above the share of them that are right",
          f"{gap[0]:.2f} more often ({gap[1]:.2f} to {gap[2]:.2f} over {len(VILLAGES)} villages); about facts told once it is "
          f"right in {once.mean():.2f} and believes its answers at {sure_once.mean():.2f}: {surer[0]:.2f} above "
          f"({surer[1]:.2f} to {surer[2]:.2f})",
          w.verdict(min(gap[1] - 0.3, surer[1] - 0.1), min(gap[2] - 0.3, surer[2] - 0.1)),
          {"gap": list(gap), "surer than right": list(surer)})
