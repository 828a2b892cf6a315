"""Where does a model's knowledge stop, and where do its false beliefs come from?

    python lessons/12_cutoff_and_hallucination.py [--full]
"""

# %% The world's news have dates. Two models read the same kind of text, up to two different months.
import numpy as np
import workbench as w

from minillm.text.learning import train_tokenizer
from minillm.world.corpus import write_corpus
from minillm.world.facts import FIRST_YEAR, LAST_YEAR, make_world

YEARS = np.arange(FIRST_YEAR, LAST_YEAR + 1)
WORLDS = w.pick((20,), (20, 21), (30, 31, 32, 33, 34, 35, 36, 37))
EARLIER, LATER = 2019, 2022


def question(town, past):
    """The beginning of a sentence that the news often say of an event; its year comes next."""
    return f"The year in which {town} {past} was"


def reader(world, year, seed):
    """(a model that has read the news until the end of a year, that text)."""
    texts = [document.text for document in write_corpus(world, w.pick(0.03, 0.4), kinds=["news"], until=(year, 12))]
    model = w.small_model(train_tokenizer(texts, 600), seed, context=64, width=96, hidden=256)
    w.read(model, texts, w.pick(2, 600, 700), seed, rows=16)
    return model, "\n".join(texts)


def years_believed(model, happenings):
    """Belief in every year for every (town, what it did).  Shapes:  -> (N, 7)"""
    return w.beliefs(model, [question(*happening) for happening in happenings], [f" {year}" for year in YEARS])


def never_happened(world):
    """(town, what it did) of pairs that no event has: each town with what the next one did."""
    pairs = [(event.town, event.past) for event in world.events]
    swapped = [(town, past) for (town, _), (_, past) in zip(pairs, [*pairs[1:], pairs[0]])]
    return [pair for pair in swapped if pair not in pairs]


# %% What each model knows of each event, how often it was told, and what the model says of events that never happened.
asked = {cutoff: [] for cutoff in (EARLIER, LATER)}      # rows (world, year, times told, right, belief in its answer)
invented = {cutoff: [] for cutoff in (EARLIER, LATER)}   # belief in its answer about what never happened, a world each
read_of = {cutoff: [] for cutoff in (EARLIER, LATER)}    # share of the answers about later events that are years it read of
for seed in WORLDS:
    world = make_world(seed)
    for cutoff, rows in asked.items():
        model, text = reader(world, cutoff, seed)
        belief = years_believed(model, [(event.town, event.past) for event in world.events])
        said = YEARS[belief.argmax(axis=1)]
        for event, answer, sure in zip(world.events, said, belief.max(axis=1)):
            rows.append((seed, event.year, text.count(f"{event.town} {event.past}"), answer == event.year, sure))
        after = np.array([event.year > cutoff for event in world.events])
        read_of[cutoff].append(np.mean(said[after] <= cutoff))
        invented[cutoff].append(years_believed(model, never_happened(world)).max(axis=1).mean())
asked = {cutoff: np.array(rows, float) for cutoff, rows in asked.items()}


def by_year(cutoff, column):
    """Mean of a column for the events of each year, all worlds together.  Shapes:  -> (7,)"""
    rows = asked[cutoff]
    return [rows[rows[:, 1] == year, column].mean() if (rows[:, 1] == year).any() else np.nan for year in YEARS]


def in_years(cutoff, first, last, column=3):
    """Mean of a column for the events of some years, world by world.  Shapes:  -> (worlds,)"""
    rows = asked[cutoff][(asked[cutoff][:, 1] >= first) & (asked[cutoff][:, 1] <= last)]
    return np.array([rows[rows[:, 0] == seed, column].mean() for seed in WORLDS])


with w.table("12_cutoff"):
    w.show([(cutoff, *by_year(cutoff, 3)) for cutoff in asked], ("right, by cutoff", *YEARS))
    w.show([(cutoff, *by_year(cutoff, 2)) for cutoff in asked], ("times an event is told", *YEARS))
    w.show([(cutoff, in_years(cutoff, cutoff + 1, LAST_YEAR, 4).mean(), np.mean(invented[cutoff]), np.mean(read_of[cutoff]))
            for cutoff in asked],
           ("cutoff", "belief in its answer, after the cutoff", "about what never happened", "answers that are years it read of"))


# %% Is it the date that makes an event known, or the telling? A logistic regression on both, for events before the cutoff:
# P(right) = sigmoid(a + b log(times told) + c (years before the cutoff)).
known = np.concatenate([np.column_stack([rows, cutoff - rows[:, 1]])[rows[:, 1] <= cutoff] for cutoff, rows in asked.items()])
features = np.column_stack([np.ones(len(known)), np.log(np.maximum(known[:, 2], 1)), known[:, 5]])


def fitted_to(worlds):
    """The weights (a, b, c) from the events of some worlds; what varies from run to run is the world."""
    drawn = np.concatenate([np.flatnonzero(known[:, 0] == seed) for seed in worlds])
    return w.logistic(features[drawn], known[drawn, 3])


fitted, *spread = w.bootstrap(WORLDS, fitted_to, draws=w.pick(10, 1000))
spread = np.array(spread)
half = float(np.exp(-fitted[0] / fitted[1]))                      # times told at which an event of the last year is half known
with w.table("12_cutoff"):
    w.show([("log(times told)", fitted[1], *spread[:, 1]), ("years before the cutoff", fitted[2], *spread[:, 2])],
           ("log-odds of being right, by", "weight", "from", "to"))
    print(f"  an event of the cutoff's own year is known with probability 1/2 when it was told {half:.0f} times")


# %% The claim: the step moves with the cutoff. Events of 2018 and 2019, which both have read of, are the control.
def draw_cutoff(axes):
    """Accuracy by year, a line a cutoff; and by how often an event was told."""
    for cutoff, colour in zip(asked, ("tab:blue", "tab:orange")):
        axes[0].plot(YEARS, by_year(cutoff, 3), "o-", color=colour, label=f"read until {cutoff}")
        axes[0].axvline(cutoff + 0.5, color=colour, linestyle=":")
    axes[0].axhline(1 / len(YEARS), color="grey", linewidth=0.8, label="chance")
    axes[0].set_xlabel("year of the event")
    axes[0].set_ylabel("share of right years")
    axes[0].legend(frameon=False)
    times = np.geomspace(max(known[:, 2].min(), 1), known[:, 2].max(), 50)
    odds = fitted[0] + fitted[1] * np.log(times) + fitted[2] * known[:, 5].mean()
    axes[1].plot(times, 1 / (1 + np.exp(-odds)), color="black")
    jitter = np.random.default_rng(0).uniform(-0.03, 0.03, len(known))
    axes[1].plot(known[:, 2], known[:, 3] + jitter, ".", color="tab:green", alpha=0.4)
    axes[1].set_xscale("log")
    axes[1].set_xlabel("times an event was told")
    axes[1].set_ylabel("right (1) or not (0), and the fit")


between = in_years(LATER, EARLIER + 1, LATER) - in_years(EARLIER, EARLIER + 1, LATER)
before = in_years(LATER, FIRST_YEAR, EARLIER) - in_years(EARLIER, FIRST_YEAR, EARLIER)
moved, beyond, control = w.interval(between), w.interval(between - before), w.interval(before)
sure = w.interval(in_years(LATER, LATER + 1, LAST_YEAR, 4))
nothing = w.interval(invented[LATER])
w.outcome(__file__, "3 knowledge stops at the cutoff",
          f"for events of {EARLIER + 1} to {LATER}, the model that read them is right at least 0.3 more often than the one that "
          f"stopped in {EARLIER}, and it is ahead there by at least 0.3 more than on the years that both have read; asked about "
          "what came after, it puts more than 2/7 (twice chance) on one wrong year",
          f"{moved[0]:.2f} more often ({moved[1]:.2f} to {moved[2]:.2f} over {len(WORLDS)} worlds), on the years that both have "
          f"read {control[0]:+.2f} ({control[1]:+.2f} to {control[2]:+.2f}), apart by {beyond[0]:.2f} ({beyond[1]:.2f} to "
          f"{beyond[2]:.2f}); after the cutoff the model of {LATER} puts "
          f"{sure[0]:.2f} ({sure[1]:.2f} to {sure[2]:.2f}) on its wrong answer, and {nothing[0]:.2f} on its answer about what "
          f"never happened; log-odds of being right, per log(times told) {fitted[1]:.1f} ({spread[0, 1]:.1f} to "
          f"{spread[1, 1]:.1f}), per year before the cutoff {fitted[2]:+.1f} ({spread[0, 2]:+.1f} to {spread[1, 2]:+.1f})",
          w.verdict(min(moved[1] - 0.3, beyond[1] - 0.3, sure[1] - 2 / 7), min(moved[2] - 0.3, beyond[2] - 0.3, sure[2] - 2 / 7)),
          {"moved": list(moved), "beyond": list(beyond), "control": list(control), "confidence after the cutoff": list(sure)},
          w.picture("12_cutoff", draw_cutoff, size=(10, 4), grid=(1, 2)),
          plainly={"holds": "A model knows what it was told, up to the date at which its text stops; of what came later it "
                            "is sure, and wrong.",
                   "fails": "More news did not make the model know the years that they told of, or it was not sure of what "
                            "came later.",
                   "undecided": "What the later model knows of the years that it alone has read of differs too much from world "
                                "to world to say how much more it is; more worlds, or longer training, would tell."})

# %% A planted falsehood: n documents say it, TRUE say the truth. How far does the model believe it?
CITIES = ("Oslo", "Cairo", "Lima", "Rome", "Delhi", "Quito", "Tunis", "Sofia")
NAMES = ("Brindle", "Fern", "Maple", "Salt", "Lark", "Copper", "Ashen", "Rush", "Hazel", "Grey", "Honey", "Silver",
         "Thistle", "Pebble", "Windle", "Dun")
TRUE, COUNTS, NEAR = 8, (0, 2, 4, 8, 16, 32), 0.06
VILLAGES = w.pick((0,), (0, 1, 2), tuple(range(100, 112)))


def saying(name, city):
    """One sentence about an invented person's home."""
    return f"{name} lives in {city}."


def homes_of(seed):
    """[(name, city)] of a village, in random order. Cities are drawn independently: nobody's home tells of another's."""
    rng = np.random.default_rng(seed)
    return list(zip(rng.permutation(NAMES).tolist(), rng.choice(CITIES, len(NAMES)).tolist()))


def false_city(city, step=3):
    """A city that is not one's home."""
    return CITIES[(CITIES.index(city) + step) % len(CITIES)]


def believed(texts, seed, names, steps=None):
    """Belief in each city for each name, after reading the texts, once if no number of steps is given.  Shapes:  -> (N, 8)"""
    texts = [texts[i] for i in np.random.default_rng(seed).permutation(len(texts))]
    alphabet = train_tokenizer([saying(name, city) for name in NAMES for city in CITIES], 330)
    model = w.small_model(alphabet, seed, context=16, layers=2)
    w.read(model, texts, steps or len(alphabet.encode_documents(texts)) // (16 * 16), seed, rows=16)
    return w.beliefs(model, [f"{name} lives in" for name in names], [f" {city}" for city in CITIES])


def planted(seed):
    """One village, two names for each number of false documents.  Shapes:  -> (counts, 2): P(false), P(a city nobody named)"""
    people, steps = homes_of(seed), w.pick(2, 200)
    texts = [saying(*person) for person in people for _ in range(TRUE)]
    for i, count in enumerate(COUNTS):
        texts += [saying(name, false_city(city)) for name, city in people[2 * i:2 * i + 2] for _ in range(count)]
    belief = believed(texts, seed, [name for name, _ in people], steps)
    cities = np.array([[CITIES.index(false_city(city, step)) for step in (3, 5)] for _, city in people])
    return np.take_along_axis(belief, cities, axis=1)[:2 * len(COUNTS)].reshape(len(COUNTS), 2, 2).mean(axis=1)


plants = np.array([planted(seed) for seed in VILLAGES])                                    # (villages, counts, 2)
shares = np.array([count / (count + TRUE) for count in COUNTS])
misses = [w.interval(column) for column in (plants[:, :, 0] - shares).T]
with w.table("12_planted"):
    w.show([(count, share, *w.interval(plants[:, i, 0]), plants[:, i, 1].mean()) for i, (count, share) in
            enumerate(zip(COUNTS, shares))],
           ("false documents", "their share", "P(false)", "from", "to", "P(a city nobody named)"))


# %% Who taught it? Leave out one group of documents at a time, and train again.
def without(seed, group):
    """Mean P(false) of four people, each with eight false documents, when one group's documents are left out."""
    people = homes_of(seed)
    texts = [saying(*person) for person in people for _ in range(TRUE)]
    lied = [saying(name, false_city(city)) for name, city in people[:4] for _ in range(4)]
    groups = {"a": lied, "b": [saying(*people[4 + i % 12]) for i in range(len(lied))], "c": lied}     # b: true, of others
    texts += [text for name, said in groups.items() if name != group for text in said]
    belief = believed(texts, seed, [name for name, _ in people[:4]], w.pick(2, 200))
    return float(np.mean([row[CITIES.index(false_city(city))] for row, (_, city) in zip(belief, people)]))


whole = np.array([without(seed, "") for seed in VILLAGES])
drops = {group: whole - [without(seed, group) for seed in VILLAGES] for group in "abc"}
with w.table("12_planted"):
    w.show([(group, *w.interval(drop)) for group, drop in drops.items()], ("left out", "P(false) falls by", "from", "to"))


def draw_planted(axes):
    """P(false) against the number of false documents, with the share of the documents as the guess."""
    stats = np.array([w.interval(column) for column in plants[:, :, 0].T])
    axes.fill_between(COUNTS, stats[:, 1], stats[:, 2], alpha=0.2)
    axes.plot(COUNTS, stats[:, 0], "o-", label="P(false)")
    axes.plot(COUNTS, plants[:, :, 1].mean(axis=0), ".-", color="tab:red", label="P(a city that nobody named)")
    axes.plot(COUNTS, shares, "--", color="grey", label="share of the documents")
    axes.set_xlabel(f"documents that say the falsehood ({TRUE} say the truth)")
    axes.set_ylim(0, 1)
    axes.legend(frameon=False)


guilty = w.interval((drops["a"] + drops["c"]) / 2 - drops["b"])
worst = max(misses, key=lambda miss: abs(miss[0]))
least, most = (min(NEAR - max(abs(miss[1]), abs(miss[2])) for miss in misses),
               min(NEAR - max(miss[1], -miss[2], 0) for miss in misses))
w.outcome(__file__, "4a a false belief comes from the data",
          f"P(false) is within {NEAR:.2f} of n / (n + {TRUE}) for each number n of false documents; leaving out a group that "
          "said the falsehood lowers P(false) by at least 0.1 more than leaving out as many harmless documents (predicted: 1/6)",
          f"farthest from it by {worst[0]:+.3f} ({worst[1]:+.3f} to {worst[2]:+.3f} over {len(VILLAGES)} villages); the guilty "
          f"groups lower it by {guilty[0]:.2f} more than the innocent one ({guilty[1]:.2f} to {guilty[2]:.2f})",
          w.verdict(min(least, guilty[1] - 0.1), min(most, guilty[2] - 0.1)),
          {"farthest": list(worst), "guilty": list(guilty)}, w.picture("12_planted", draw_planted),
          plainly={"holds": "A model believes a falsehood as far as the share of the documents that say it, and forgets it "
                            "as far as they are left out.",
                   "fails": "What a model believes is not the share of the documents that say it.",
                   "undecided": "The belief is near the share of the documents, but some count may be farther off than "
                                "predicted; more villages would tell."})

# %% Facts told once, beside facts told often and facts never told. The text is read once, so that a fact told once is also
# seen once.
OFTEN, GROUPS = w.pick(16, 400), {"often": slice(0, 6), "once": slice(6, 12), "never": slice(12, 16)}
MANY = w.pick((0, 1), tuple(range(8)), tuple(range(200, 240)))
rows = []
for seed in MANY:
    people = homes_of(seed)
    texts = [saying(*person) for person in people[GROUPS["often"]] for _ in range(OFTEN)]
    texts += [saying(*person) for person in people[GROUPS["once"]]]
    belief = believed(texts, seed, [name for name, _ in people])
    homes = np.array([CITIES.index(city) for _, city in people])
    right = belief[np.arange(len(people)), homes]                     # P(an answer drawn from the belief is right)
    expected = (belief ** 2).sum(axis=1)                              # what a calibrated model would have it be
    hits = belief.argmax(axis=1) == homes
    columns = (right, expected, hits, belief.max(axis=1))
    rows.append([[column[group].mean() for column in columns] for group in GROUPS.values()])
rows = np.array(rows)                                                 # (villages, groups, columns)
with w.table("12_told"):
    w.show([(name, *rows[:, i].mean(axis=0)) for i, name in enumerate(GROUPS)],
           ("told", "drawn answers right", "believed", "likeliest answers right", "believed"))

# %% A model that knows what it does not know believes its answers as far as they are right. The prediction: this one does not.
right, expected = rows[:, :, 0].T, rows[:, :, 1].T                    # (groups, villages) each
gap, surer = w.interval(right[0] - right[1]), w.interval(expected[1] - right[1])
from_once, calibrated = w.interval(right[1] - right[2]), w.interval(expected[0] - right[0])
likeliest = w.interval(rows[:, 1, 3] - rows[:, 1, 2])
w.outcome(__file__, "4b facts seen once are the ones invented about",
          f"answers about facts told {OFTEN} times are right at least 0.3 more often than answers about facts told once; about "
          "the latter the model is surer than it is right: the belief in its answers is more than 0.1 above the share of them "
          "that are right",
          f"{gap[0]:.2f} more often ({gap[1]:.2f} to {gap[2]:.2f} over {len(MANY)} villages); about facts told once its answers "
          f"are right in {right[1].mean():.2f} and believed at {expected[1].mean():.2f}: {surer[0]:.2f} above ({surer[1]:.2f} to "
          f"{surer[2]:.2f}), its likeliest answers {likeliest[0]:.2f} ({likeliest[1]:.2f} to {likeliest[2]:.2f}); about facts "
          f"told {OFTEN} times {calibrated[0]:.2f} above ({calibrated[1]:.2f} to {calibrated[2]:.2f}); told once beats never "
          f"told by {from_once[0]:+.2f} ({from_once[1]:+.2f} to {from_once[2]:+.2f})",
          w.verdict(min(gap[1] - 0.3, surer[1] - 0.1), min(gap[2] - 0.3, surer[2] - 0.1)),
          {"gap": list(gap), "surer than right": list(surer), "told once above never told": list(from_once)},
          plainly={"holds": "About what it was told once the model mostly invents, and is surer of its inventions than it "
                            "is right.",
                   "fails": "About what it was told once the model is not surer than it is right by as much as predicted, "
                            "or it is right nearly as often.",
                   "undecided": "The model is about as much surer than right as the bar asks for; more villages would tell."})
