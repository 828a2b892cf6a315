"""Pretraining beats counting; fine-tuning teaches the assistant's words alone."""

from dataclasses import replace

import numpy as np
import pytest
import tiny

from minillm.config import ModelConfig
from minillm.phases.finetune import FinetuneConfig
from minillm.phases.pretrain import PretrainConfig
from minillm.evaluate.entropy import bigram_loss
from minillm.evaluate.likelihood import stream_loss
from minillm.phases.finetune import finetune, finetune_domain, finetune_task, task_conversation, with_replay
from minillm.phases.pretrain import new_model, pretrain, validate
from minillm.text.batches import window_batch
from minillm.training.recorder import FolderRecorder, read_metrics

TALKS = [[{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
         for asked, said in (("the cat", "sat on the mat."), ("the dog", "sat on the log."))]


def test_a_conversation_of_the_task_has_the_label_where_it_is_known():
    asked = [{"role": "system", "content": "Sort it."}, {"role": "user", "content": "the cat"}]
    assert task_conversation("Sort it.", "the cat") == asked
    assert task_conversation("Sort it.", "the cat", "pet") == [*asked, {"role": "assistant", "content": "pet"}]


def stream(copies=4):
    return tiny.tokenizer().encode_documents([tiny.TEXT] * copies)


@pytest.mark.training
def test_pretraining_beats_counting_pairs(tmp_path):
    """A model that cannot, has learned frequencies and no context."""
    model = tiny.model(fresh=True)
    settings = PretrainConfig(steps=60, rows=8, lr=1e-2, warmup_share=0.08, save_every=60, validation_every=25)
    pretrain(model, stream(), stream(1), settings, 0, FolderRecorder(tmp_path, quiet=True))
    assert stream_loss(model, stream(1))[0] < bigram_loss(stream(), stream(1), model.config.vocab_size)
    looked = [record["step"] + 1 for record in read_metrics(tmp_path) if "validation_loss" in record]
    assert looked == [25, 50, 60]
    measured = validate(model, stream(1), len(tiny.TEXT))
    targets = len(tiny.TEXT) + 1            # every byte is a token here, and the end is predicted too
    assert measured["val_bits_per_byte"] == pytest.approx(measured["val_loss"] * targets / np.log(2) / len(tiny.TEXT))


def test_a_new_model_takes_the_tokenizers_vocabulary():
    shape = ModelConfig(width=12, heads=2, kv_heads=1, layers=1, hidden=8)
    assert new_model(shape, tiny.tokenizer(), 0).config.vocab_size == tiny.tokenizer().vocab_size
    with pytest.raises(ValueError, match="vocab_size is 999"):
        new_model(replace(shape, vocab_size=999), tiny.tokenizer(), 0)


SETTINGS = FinetuneConfig(steps=80, rows=4, lr=1e-2, warmup_share=0.06, save_every=80)


@pytest.mark.training
def test_finetuning_teaches_answers_and_counts_what_does_not_fit(tmp_path):
    model = tiny.model(fresh=True)
    long = [{"role": "user", "content": "a" * 40}, {"role": "assistant", "content": "a"}]
    assert finetune(model, [*TALKS, long], SETTINGS, 0, FolderRecorder(tmp_path, quiet=True), TALKS) == 1
    assert [model.chat(talk[:1]) for talk in TALKS] == [talk[1]["content"] for talk in TALKS]
    assert read_metrics(tmp_path)[-1]["validation_loss"] < 0.05


def test_a_held_out_conversation_that_does_not_fit_is_left_out_too(tmp_path):
    """The context has 32 tokens; a conversation needs them all, one more, and many more."""
    def talk(size):
        return [{"role": "user", "content": "a" * (size - 6)}, {"role": "assistant", "content": "a"}]
    settings, losses = replace(SETTINGS, steps=4, save_every=4), []
    for held_out in ([talk(32)], [talk(32), talk(33), talk(90)]):
        model = tiny.model(fresh=True)
        assert len(tiny.tokenizer().encode_chat(held_out[0], ask=False)) == 32
        recorder = FolderRecorder(tmp_path / str(len(held_out)), quiet=True)
        assert finetune(model, [*TALKS, talk(32), talk(33)], settings, 0, recorder, held_out) == 1
        losses.append([record["validation_loss"] for record in read_metrics(recorder.folder)])
    assert len(losses[0]) == 4 and losses[0] == losses[1]
    with pytest.raises(ValueError, match="none of 1 held-out conversations fits the context of 32 tokens.*--model.context 33"):
        finetune(model, TALKS, settings, 0, FolderRecorder(tmp_path / "none", quiet=True), [talk(33)])
    assert not (tmp_path / "none").exists()


def test_only_the_assistants_words_count(tmp_path):
    model = tiny.model(fresh=True)
    finetune(model, TALKS, replace(SETTINGS, steps=1, save_every=1), 0, FolderRecorder(tmp_path, quiet=True))
    spoken = sum(len(talk[1]["content"]) + 1 for talk in TALKS)         # the end token is learned too
    assert read_metrics(tmp_path)[0]["weight"] == spoken * SETTINGS.rows / 2


def test_the_first_steps_read_easier_conversations_list_after_list(monkeypatch):
    """Three of ten steps; then the others, as without."""
    def talk(letter):
        return [{"role": "user", "content": letter}, {"role": "assistant", "content": letter * 3}]

    def read(first, **dials):
        settings, seen, model = FinetuneConfig(steps=10, rows=2, replay_rows=0, **dials), [], tiny.model()
        monkeypatch.setattr("minillm.phases.finetune.fit_chosen", lambda model, settings, batch_at, *rest: seen.append(batch_at))
        finetune(model, [talk("d")] * 9, settings, 0, None, first=first)
        texts = [model.tokenizer.decode(batch.tokens.ravel()) for step in range(10) for batch in seen[0](step)]
        return ["".join(letter for letter in "gmnd" if letter * 3 in text) for text in texts]

    first = [[talk(letter)] * 4 for letter in "gmn"]
    assert read(first, first_share=0.3) == ["g", "m", "n"] + ["d"] * 7
    assert read(first, first_share=0.6)[:7] == ["g", "g", "m", "m", "n", "n", "d"]
    assert read((), first_share=0.3) == read(first) == ["d"] * 10
    long = [[{"role": "user", "content": "g" * 99}, {"role": "assistant", "content": "ggg"}]]
    assert read([long, *first[1:]], first_share=0.4)[:5] == ["m", "m", "n", "n", "d"]       # what does not fit is left out
    assert read([long], first_share=0.4) == ["d"] * 10


def test_some_steps_are_left_for_the_others():
    assert FinetuneConfig(steps=1, first_share=0.9).first_steps == 0 and FinetuneConfig(steps=3, first_share=0.9).first_steps == 2


def test_a_row_of_replayed_text_weighs_as_much_as_a_row_of_conversations():
    talks = tiny.batch(tiny.config())
    text = window_batch(stream(), 0, 3, talks.tokens.shape[1], 0, tiny.tokenizer().begin_id)
    both = with_replay(talks, text)
    assert both.tokens.shape == (4 + 3, 7) and np.array_equal(both.weights[:4], talks.weights)
    assert np.array_equal(both.weights[4:] > 0, text.weights > 0)
    assert both.weights[4:].sum() / 3 == pytest.approx(talks.weights.sum() / 4, rel=1e-6)


@pytest.mark.training
def test_a_task_is_a_conversation_that_ends_in_its_label(tmp_path):
    model = tiny.model(fresh=True)
    messages = [("a cat met", "a"), ("the log sat", "o"), ("a cat sat", "a"), ("the log met", "o")]
    finetune_task(model, messages, "sat", SETTINGS, 0, FolderRecorder(tmp_path, quiet=True))
    for text, label in messages:
        asked = [{"role": "system", "content": "sat"}, {"role": "user", "content": text}]
        assert model.chat(asked, max_new_tokens=4) == label


def test_a_domain_is_learned_from_plain_text(tmp_path):
    model = tiny.model(fresh=True)
    before = stream_loss(model, stream(1))[0]
    finetune_domain(model, stream(), replace(SETTINGS, steps=30), 0, FolderRecorder(tmp_path, quiet=True))
    assert stream_loss(model, stream(1))[0] < 0.7 * before
