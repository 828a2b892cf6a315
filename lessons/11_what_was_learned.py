"""What does a model learn from each kind of text?

    python lessons/11_what_was_learned.py [--full]
"""

# %% Five kinds of documents, five probes. A model reads all kinds; others read filler in the place of one of them.
import numpy as np
import workbench as w

from minillm.config import ModelConfig
from minillm.phases.pretrain import PretrainConfig, new_model, pretrain
from minillm.text.learning import train_tokenizer
from minillm.training.recorder import MemoryRecorder
from minillm.world.corpus import KINDS, write_corpus
from minillm.world.facts import make_world
from minillm.world.probes import CHANCE, make_probes

SEEDS = w.pick((10,), (10,), (10, 11, 12, 13, 14))
STEPS, MEGABYTES = w.pick(2, 300, 400), w.pick(0.05, 1.0)
SHAPE = w.pick(ModelConfig(layers=1, width=32, hidden=64), ModelConfig(layers=2, width=96, hidden=256))
SKILLS = tuple(CHANCE)
# What is missing, and what is read in its place: filler, or more of all other kinds.
ARMS = w.pick(("nothing", "code: filler", "forum: more of the rest"),
              ("nothing", "code: filler", "encyclopedia: filler"),
              ("nothing", "encyclopedia: filler", "code: filler", "forum: filler", "forum: more of the rest",
               "everything: filler"))
# The claim is judged by the model that reads everything and by two arms. They are trained for all seeds, the others for three.
PAIRS = {"code": "code: filler", "facts": "encyclopedia: filler"}
FEWER = SEEDS[:3]


# %% The filler has the words of the documents that it replaces, as often as they have them, and nothing else.
def filler(texts, rng):
    """As many texts, each as long (or a word longer), of words drawn at random from all words of `texts`.

    The draws are independent: which word follows which, or stands in one document with which, tells nothing.
    """
    words = np.array(" ".join(texts).split(), object)
    drawn = iter(rng.choice(words, 2 * sum(map(len, texts)) // 3))
    made = []
    for text in texts:
        line = next(drawn)
        while len(line) < len(text):
            line += " " + next(drawn)
        made.append(line)
    return made


def texts_of(world, arm, seed):
    """The texts that one arm reads: documents in the same order, those of one kind (or of all) replaced or left out."""
    kind, _, place = arm.partition(": ")
    if place == "more of the rest":
        return [d.text for d in write_corpus(world, MEGABYTES, kinds=[other for other in KINDS if other != kind])]
    documents = write_corpus(world, MEGABYTES)
    gone = [d.text for d in documents if kind in (d.kind, "everything")]
    instead = iter(filler(gone, np.random.default_rng([seed, 9])) if gone else ())
    return [next(instead) if kind in (d.kind, "everything") else d.text for d in documents]


# %% Two readings of a probe: how often the right ending is the likeliest, and how much of the belief it gets. The second
# has less noise, since it also counts how far a model is from changing its mind. The claim is judged by it.
def probed(model, world):
    """{skill: (accuracy, belief in the right ending)};  belief_j = P(ending_j) / sum_i P(ending_i) over an item's endings."""
    begin, encode, found = [model.tokenizer.begin_id], model.tokenizer.encode, {}
    for skill, items in make_probes(world).items():
        shares = w.divided(model, [(np.concatenate([begin, encode(item.context)]), [encode(ending) for ending in item.endings])
                                   for item in items])                  # (items, endings); the first ending is right
        found[skill] = np.mean(shares.argmax(axis=1) == 0), shares[:, 0].mean()
    return found


# %% A recorder is told of each step after it was taken, so it can look at the model on the way.
class Curve(MemoryRecorder):
    """Keeps the records, and five times on the way what the probes say about the model in training."""

    def __init__(self, model, world):
        super().__init__()
        self.model, self.world, self.points = model, world, []

    def add(self, record):
        """Keep the record of one step, and look where it is time."""
        super().add(record)
        done = record["step"] + 1
        if done % max(1, STEPS // 5) == 0:
            self.points.append((done, probed(self.model, self.world)))


# %% Every arm reads as many tokens a step; only the text differs. The vocabulary is that of the whole corpus.
def trained(world, tokenizer, arm, seed):
    """(what the probes say at the end, [(step, what they said then)]) of one arm."""
    stream = tokenizer.encode_documents(texts_of(world, arm, seed))
    settings = PretrainConfig(steps=STEPS, rows=w.pick(2, 16), optimizer="muon", short_share=0.5,
                              warmup_share=min(1, 20 / STEPS), validation_every=STEPS)
    model = new_model(SHAPE, tokenizer, seed)
    recorder = Curve(model, world) if arm == "nothing" else MemoryRecorder()
    pretrain(model, stream, (), settings, seed, recorder)
    return probed(model, world), recorder.points if arm == "nothing" else []


found, curves = {arm: [] for arm in ARMS}, []
for seed in SEEDS:
    world = make_world(seed)
    tokenizer = train_tokenizer([d.text for d in write_corpus(world, w.pick(0.1, 1.0))], w.pick(600, 1024))
    if seed == SEEDS[0]:
        print("  filler in the place of code:", texts_of(world, "code: filler", seed)[
            [d.kind for d in write_corpus(world, MEGABYTES)].index("code")][:70])
    for arm in (arm for arm in ARMS if seed in FEWER or arm in ("nothing", *PAIRS.values())):
        at_end, curve = trained(world, tokenizer, arm, seed)
        found[arm].append([at_end[skill] for skill in SKILLS])
        curves += [curve] if curve else []
accuracy, table = ({arm: np.array(rows)[:, :, k] for arm, rows in found.items()} for k in (0, 1))      # (seeds, skills)
with w.table("11_skills"):
    for name, rows_of in (("accuracy", accuracy), ("belief", table)):
        w.show([(arm, *rows.mean(axis=0), len(rows)) for arm, rows in rows_of.items()],
               (f"{name}, missing: in its place", *SKILLS, "seeds"))
    w.show([("chance", *CHANCE.values())], ("", *SKILLS))

# %% What is lost: the belief of the model that read everything minus that arm's, seed by seed.
losses = {arm: table["nothing"][:len(rows)] - rows for arm, rows in table.items() if arm != "nothing"}
cells = {(arm, skill): w.interval(rows[:, j]) for arm, rows in losses.items() for j, skill in enumerate(SKILLS)}
with w.table("11_skills"):
    w.show([(arm, *("{:+.2f} ({:+.2f} to {:+.2f})".format(*cells[arm, skill]) for skill in SKILLS)) for arm in losses],
           ("lost with", *SKILLS))


def draw(axes):
    """The table of losses as a picture; bold where the interval over seeds does not contain 0."""
    grid = np.array([rows.mean(axis=0) for rows in losses.values()])
    shown = axes.imshow(grid, cmap="RdBu_r", vmin=-0.4, vmax=0.4, aspect="auto")
    for (i, j), value in np.ndenumerate(grid):
        _, low, high = cells[list(losses)[i], SKILLS[j]]
        axes.text(j, i, f"{value:+.2f}", ha="center", va="center", weight="bold" if low > 0 or high < 0 else "normal")
    axes.set_xticks(range(len(SKILLS)), SKILLS)
    axes.set_yticks(range(len(losses)), list(losses))
    axes.set_ylabel("missing: in its place")
    axes.grid(False)
    axes.figure.colorbar(shown, label="belief in the right ending, lost")


# %% The claim: all five skills leave chance; and with all other text as it was, code is lost with the code and facts with
# the encyclopedia. Two controls: a model that reads filler alone is at chance, so filler teaches none of this; and each
# of the two skills is lost by more where its own text is filler than where the other's is, so filler itself is not the cause.
learned = {skill: w.interval(table["nothing"][:, j] - CHANCE[skill]) for j, skill in enumerate(SKILLS)}
lost = {skill: cells[arm, skill] for skill, arm in PAIRS.items() if arm in losses}
everything = table.get("everything: filler", np.empty((0, len(SKILLS))))
taught = [w.interval(rows - CHANCE[skill]) for skill, rows in zip(SKILLS, everything.T)] if len(everything) else []
grown = {arm: cells[arm, "facts"] for arm in ("forum: filler", "forum: more of the rest") if arm in losses}
apart = {}
if len(lost) == 2:
    apart = {f"{skill} with {PAIRS[skill]} than with {PAIRS[other]}":
             w.interval((losses[PAIRS[skill]] - losses[PAIRS[other]])[:, SKILLS.index(skill)])
             for skill, other in (("code", "facts"), ("facts", "code"))}
stats = [*learned.values(), *lost.values(), *apart.values()]


def told(named):
    """Intervals by name, as text."""
    return ", ".join(f"{name} {v[0]:+.2f} ({v[1]:+.2f} to {v[2]:+.2f})" for name, v in named.items()) or "not run"


picture = w.picture("11_left_out", draw, size=(8, 4))
w.outcome(__file__, "2 from five kinds of text it learns five things",
          "the belief in the right endings ends above chance in all five probes; with all other text as it was, code is lost "
          "where filler replaces the code and facts where it replaces the encyclopedia, and each by more than where filler "
          "replaces the other's text",
          f"above chance by {told(learned)}; lost: {told({f'{skill} with {PAIRS[skill]}': v for skill, v in lost.items()})}; "
          f"lost by more: {told(apart)}; facts lost with {told(grown)}; filler alone, above chance: "
          f"{told(dict(zip(SKILLS, taught)))}; {len(SEEDS)} seeds, of the forum and of filler alone {len(FEWER)}; {STEPS} steps",
          w.verdict(min(v[1] for v in stats), min(v[2] for v in stats)),
          {**{f"{skill} above chance": list(v) for skill, v in learned.items()},
           **{f"{skill} above chance, filler alone": list(v) for skill, v in zip(SKILLS, taught)},
           **{f"{skill} lost with {arm}": list(v) for (arm, skill), v in cells.items()}}, picture,
          plainly={"holds": "The model learns something from each kind of text, and when filler takes the place of the code or "
                            "of the encyclopedia, the skill that it taught is lost.",
                   "fails": "Not all of it came as predicted: a skill stays at chance, or is not lost with the text that should "
                            "have taught it.",
                   "undecided": "At least one of the skills, or of the losses, varies too much between seeds to be told from "
                                "nothing."})
if curves:
    steps = [step for step, _ in curves[0]]

    def draw_curves(axes):
        """The probes over training, all kinds read."""
        for skill in SKILLS:
            axes.plot(steps, np.mean([[seen[skill][1] for _, seen in curve] for curve in curves], axis=0), "o-", label=skill)
        axes.set_xlabel("step")
        axes.set_ylabel("belief in the right ending")
        axes.legend(frameon=False)
    w.picture("11_probes", draw_curves)
