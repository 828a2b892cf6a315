"""What a run's vocabulary is learned from: the text and, on the embedded world, what is said in fine-tuning."""

import numpy as np

from minillm.phases.finetune import FinetuneConfig
from minillm.phases.pretrain import PretrainConfig
from minillm.phases.tokenizer import TokenizerConfig
from minillm.runs import data
from minillm.runs.config import RunConfig
from minillm.runs.run import Run
from minillm.runs.work import run_tokenizer
from minillm.text.learning import train_tokenizer
from minillm.text.tokenizer import Tokenizer
from minillm.world.conversations import conversation_texts, make_conversations
from minillm.world.facts import make_world

CONFIG = RunConfig(tokenizer=TokenizerConfig(vocab_size=700), pretrain=PretrainConfig(megabytes=0.05),
                   finetune=FinetuneConfig(conversations=60))


def learned(folder, own=None):
    """The tokenizer that a run leaves, and the texts that it trains on."""
    run = Run(folder, CONFIG, {} if own is None else {"tokenizer": str(own)}, quiet=True)
    run_tokenizer(run)
    return Tokenizer.load(folder / "tokenizer.json"), data.documents(run, data.own_text(run))[0], run


def test_the_worlds_vocabulary_knows_the_words_of_conversations(tmp_path):
    tokenizer, texts, run = learned(tmp_path)
    said = conversation_texts(data.world(run), 60, run.rng("finetune"))
    assert tokenizer.merges == train_tokenizer(texts + [f" {text}" for text in said], 700).merges
    documents_alone = train_tokenizer(texts, 700)
    cut = [sum(len(each.encode(text)) for text in said) for each in (tokenizer, documents_alone)]
    assert cut[0] < 0.95 * cut[1]


def test_own_text_has_a_vocabulary_of_its_own(tmp_path):
    own = tmp_path / "own.txt"
    own.write_text("\n\n".join(f"the {n}th cat sat on the mat." for n in range(200)), encoding="utf-8")
    tokenizer, texts, _ = learned(tmp_path, own)
    assert tokenizer.merges == train_tokenizer(texts, 700).merges


def test_no_more_conversations_than_a_bound_are_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "VOCABULARY_CONVERSATIONS", 5)
    run = Run(tmp_path, CONFIG)
    said = conversation_texts(data.world(run), 5, run.rng("finetune"))
    assert data.vocabulary_texts(run, ["a text"]) == ["a text", *(f" {text}" for text in said)]     # as a chat has them


def test_its_texts_are_those_of_the_training_split():
    world = make_world(0)
    talks = make_conversations(world, 40, np.random.default_rng(3))
    assert not any(talk.request.held_out_phrasing or talk.request.held_out_entity for talk in talks)
    assert conversation_texts(world, 40, np.random.default_rng(3)) == [turn["content"] for talk in talks for turn in talk.messages]
