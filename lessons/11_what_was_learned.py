"""What does a model learn from each kind of text?

    python lessons/11_what_was_learned.py [--full]
"""

# %% Five kinds of documents, five probes. A model is trained on all kinds, and on all but one.
import numpy as np
import workbench as w

from minillm.config import ModelConfig
from minillm.phases.pretrain import PretrainConfig, new_model, pretrain
from minillm.runs.measures import probe_accuracies
from minillm.text.tokenizer import train_tokenizer
from minillm.training.recorder import MemoryRecorder
from minillm.world.corpus import write_corpus
from minillm.world.corpus import KINDS
from minillm.world.facts import make_world
from minillm.world.probes import CHANCE

SEEDS = w.pick((0,), (0,), (0, 1, 2))
STEPS, MEGABYTES = w.pick(2, 300, 1000), w.pick(0.05, 1.6)
SHAPE = w.pick(ModelConfig(layers=1, width=32, hidden=64), ModelConfig())
SKILLS = tuple(CHANCE)
ARMS = w.pick(("nothing", "encyclopedia"), ("nothing", "code"), ("nothing", *KINDS))


# %% A recorder is told of each step after it was taken, so it can look at the model on the way.
class Curve(MemoryRecorder):
    """Keeps the records, and five times on the way the probe accuracies of the model in training."""

    def __init__(self, model, world):
        super().__init__()
        self.model, self.world, self.points = model, world, []

    def add(self, record):
        """Keep the record of one step, and look where it is time."""
        super().add(record)
        done = record["step"] + 1
        if done % max(1, STEPS // 5) == 0:
            self.points.append((done, probe_accuracies(self.model, self.world)))


# %% Every arm reads as many tokens; only the mixture differs. The vocabulary is that of the whole corpus.
def arm(world, tokenizer, left_out, seed):
    """(probe accuracies at the end, [(step, accuracies)]) of a model that never saw one kind of text."""
    kinds = [kind for kind in KINDS if kind != left_out]
    stream = tokenizer.encode_documents([d.text for d in write_corpus(world, MEGABYTES, kinds=kinds)])
    settings = PretrainConfig(steps=STEPS, rows=w.pick(2, 16), short_share=0.5, warmup_share=min(1, 20 / STEPS),
                              validation_every=STEPS)
    model = new_model(SHAPE, tokenizer, seed)
    recorder = Curve(model, world) if left_out == "nothing" else MemoryRecorder()
    pretrain(model, stream, stream[:500], settings, seed, recorder)
    return probe_accuracies(model, world), recorder.points if left_out == "nothing" else []


found, curves = {name: [] for name in ARMS}, []
for seed in SEEDS:
    world = make_world(seed)
    tokenizer = train_tokenizer([d.text for d in write_corpus(world, w.pick(0.1, 1.0))], w.pick(600, 1024))
    for name in ARMS:
        accuracies, curve = arm(world, tokenizer, name, seed)
        found[name].append([accuracies[skill] for skill in SKILLS])
        curves += [curve] if curve else []
table = {name: np.array(rows) for name, rows in found.items()}           # (seeds, skills)
w.show([(name, *rows.mean(axis=0)) for name, rows in table.items()], ("left out", *SKILLS))
w.show([("chance", *CHANCE.values())], ("", *SKILLS))

# %% What is lost when a kind is left out: the whole mixture's accuracy minus that arm's.
losses = {name: table["nothing"] - table[name] for name in ARMS[1:]}
cells = {(kind, skill): w.interval(rows[:, j]) for kind, rows in losses.items() for j, skill in enumerate(SKILLS)}
w.show([(kind, *("{:+.2f} ({:+.2f} to {:+.2f})".format(*cells[kind, skill]) for skill in SKILLS)) for kind in losses],
       ("lost without", *SKILLS))


def draw(axes):
    """The table of losses as a picture; bold where the interval over seeds does not contain 0."""
    grid = np.array([rows.mean(axis=0) for rows in losses.values()])
    shown = axes.imshow(grid, cmap="RdBu_r", vmin=-0.6, vmax=0.6, aspect="auto")
    for (i, j), value in np.ndenumerate(grid):
        _, low, high = cells[list(losses)[i], SKILLS[j]]
        axes.text(j, i, f"{value:+.2f}", ha="center", va="center", weight="bold" if low > 0 or high < 0 else "normal")
    axes.set_xticks(range(len(SKILLS)), SKILLS)
    axes.set_yticks(range(len(losses)), list(losses))
    axes.set_ylabel("kind that was left out")
    axes.grid(False)
    axes.figure.colorbar(shown, label="accuracy lost")


# %% The claim: all five skills leave chance; and code is lost without the code, facts without the encyclopedia.
learned = {skill: w.interval(table["nothing"][:, j] - CHANCE[skill]) for j, skill in enumerate(SKILLS)}
pairs = {"code": "code", "facts": "encyclopedia"}
lost = {skill: cells[kind, skill] for skill, kind in pairs.items() if kind in losses}
others = {cell: stat for cell, stat in cells.items() if pairs.get(cell[1]) != cell[0]}
moved = {"lost": [(cell, v) for cell, v in others.items() if v[1] > 0],
         "gained": [(cell, v) for cell, v in others.items() if v[2] < 0]}
apart = "; ".join(f"{way} by more than the seeds differ: " + (", ".join(
    f"{skill} {abs(v[0]):.2f} ({min(map(abs, v[1:])):.2f} to {max(map(abs, v[1:])):.2f}) without {kind}"
    for (kind, skill), v in found) or "none") for way, found in moved.items())
least = min([*learned.values(), *lost.values()], key=lambda found: found[1])
picture = w.picture("11_left_out", draw)
w.outcome(__file__, "2 from five kinds of text it learns five things",
          "all five probes end above chance, code is lost without the code and facts without the encyclopedia",
          "above chance by " + ", ".join(f"{skill} {v[0]:.2f} ({v[1]:.2f} to {v[2]:.2f})" for skill, v in learned.items())
          + "; lost: " + ", ".join(f"{skill} {v[0]:.2f} ({v[1]:.2f} to {v[2]:.2f}) without {pairs[skill]}"
                                   for skill, v in lost.items())
          + f"; of the {len(others)} other cells, {apart}; {len(SEEDS)} seeds, {STEPS} steps",
          w.verdict(least[1], min(v[2] for v in [*learned.values(), *lost.values()])),
          {**{f"{skill} above chance": list(v) for skill, v in learned.items()},
           **{f"{skill} lost without {kind}": list(v) for (kind, skill), v in cells.items()}}, picture)
if curves:
    steps = [step for step, _ in curves[0]]

    def draw_curves(axes):
        """The probes over training, all kinds read."""
        for skill in SKILLS:
            axes.plot(steps, np.mean([[seen[skill] for _, seen in curve] for curve in curves], axis=0), "o-", label=skill)
        axes.set_xlabel("step")
        axes.set_ylabel("share of right endings")
        axes.legend(frameon=False)
    w.picture("11_probes", draw_curves)
