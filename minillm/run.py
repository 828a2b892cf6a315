"""One run: its folder, its configuration, its generators, and what its stages left there."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minillm.config import RunConfig, as_dict, updated
from minillm.phases import preferences as ranking
from minillm.phases import reward_model as rewarding
from minillm.text import corpus
from minillm.train.checkpoint import load_checkpoint, subtree
from minillm.train.journal import Journal
from minillm.train.run_folder import write_whole
from minillm.world.documents import write_corpus
from minillm.world.facts import make_world
from minillm.world.requests import make_requests

# Every stage draws from a generator of its own, so that one stage's settings do not change another's data.
STAGES = ("tokenizer", "pretrain", "finetune", "preferences", "reward_model", "policy_gradient")
EVALUATION = 100        # the generator that draws held-out requests
HELD_OUT = 400          # requests that no phase sees


class Run(NamedTuple):
    """One run: where it is written, what it does."""
    folder: Path
    config: RunConfig
    resume: bool = False
    quiet: bool = False

    def rng(self, stage):
        """The generator of a stage."""
        number = STAGES.index(stage) if stage in STAGES else EVALUATION
        return np.random.default_rng([self.config.seed, number])

    def journal(self, phase):
        """The journal of a phase."""
        return Journal(self.folder / phase, self.resume, self.quiet)

    def say(self, text):
        """One line on the terminal."""
        if not self.quiet:
            print(text, flush=True)

    def model(self, phase):
        """The model that a phase left."""
        return load_checkpoint(self.folder / phase).model

    def world(self):
        """The embedded world of this run's seed."""
        return make_world(self.config.seed)

    def requests(self):
        """Requests with held-out phrasings and entities, on which everything is measured."""
        return make_requests(self.world(), HELD_OUT, self.rng("evaluation"), "held_out")


def save_config(run, data=None):
    """Write the resolved configuration (and the readers' own files) where the run is."""
    path = run.folder / "run.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    write_whole(path, json.dumps({**as_dict(run.config), "data": {**known.get("data", {}), **(data or {})}},
                                 indent=2) + "\n")


def load_config(folder):
    """The configuration that a run was begun with, and its data files by stage."""
    saved = json.loads((Path(folder) / "run.json").read_text(encoding="utf-8"))
    data = saved.pop("data", {})
    return updated(RunConfig(), saved), data


def documents_of(run, path=None):
    """(training texts, validation texts): the embedded world's corpus, or a reader's files."""
    if path is not None:
        return corpus.split_documents(corpus.load_documents(path), 0.1, run.rng("tokenizer"))
    texts = [document.text for document in write_corpus(run.world(), run.config.pretrain.megabytes)]
    return corpus.split_documents(texts, 0.03, run.rng("tokenizer"))


def divided_rankings(run, path=None):
    """(rankings to learn, rankings to measure by): a reader's pairs, or the run's own rankings.

    Rankings made by hand may hold ties alone, which teach nothing; where none were held out, a tenth is.
    """
    apart = run.folder / "preferences_held_out.jsonl"
    if path is not None:
        rankings = ranking.from_pairs(corpus.load_preferences(path))
    else:
        rankings = ranking.read_rankings(run.folder / "preferences.jsonl")
        rankings = [item for item in rankings if len(set(item.ranks)) > 1]
        if apart.exists():
            return rankings, ranking.read_rankings(apart)
    return corpus.split_documents(rankings, 0.1, run.rng("reward_model"))


def load_reward_model(run):
    """The reward model: a language model's body and the head that reads the score."""
    saved = load_checkpoint(run.folder / "reward_model")
    like = rewarding.reward_heads(saved.model, 0)
    return saved.model, {name: subtree(saved.training, f"heads.{name}", head) for name, head in like.items()}
