"""On the embedded world fine-tuning begins with easier conversations and reads text again; on the user's data it does neither."""

from dataclasses import replace

from minillm.phases import finetune, pretrain
from minillm.phases.finetune import FinetuneConfig
from minillm.phases.pretrain import PretrainConfig
from minillm.phases.tokenizer import TokenizerConfig
from minillm.runs import data, memory, work
from minillm.runs.config import LLAMA, RunConfig
from minillm.runs.run import Run
from minillm.text.tokenizer import Tokenizer
from minillm.world.corpus import to_read_again
from minillm.world.curriculum import STAGES

CONFIG = RunConfig(tokenizer=TokenizerConfig(vocab_size=1200), pretrain=PretrainConfig(megabytes=0.05),
                   finetune=FinetuneConfig(steps=40, rows=3, conversations=60, first_share=0.5))


def test_there_are_as_many_as_the_first_steps_have_rows(tmp_path):
    lists = data.first_conversations(Run(tmp_path, CONFIG))
    assert [len(talks) for talks in lists] == [15] * len(STAGES)
    assert lists == data.first_conversations(Run(tmp_path, CONFIG))
    none = replace(CONFIG, finetune=replace(CONFIG.finetune, first_share=0.0))
    assert data.first_conversations(Run(tmp_path, none)) == []
    assert memory.finetune(CONFIG) > memory.finetune(none)


def test_the_default_run_has_some():
    assert LLAMA.finetune.first_steps > 100 and data.first_conversations(Run("runs/none", LLAMA))


def test_they_are_what_the_first_steps_of_a_run_read_unless_the_data_are_the_users(tmp_path, monkeypatch):
    read, again = [], []
    run = Run(tmp_path, CONFIG, quiet=True)
    work.run_tokenizer(run)
    model = pretrain.new_model(CONFIG.model, Tokenizer.load(tmp_path / "tokenizer.json"), 0)
    monkeypatch.setattr(Run, "model", lambda self, stage: model)
    for name in ("finetune_task", "finetune_domain"):
        monkeypatch.setattr(finetune, name, lambda *_: None)
    monkeypatch.setattr(finetune, "finetune", lambda *args: (read.append(args[-1]), again.append(args[6])))
    work.run_finetune(run)
    own = tmp_path / "own.jsonl"
    own.write_text('{"prompt": "Hi", "completion": "Hello"}\n' * 4)
    work.run_finetune(Run(tmp_path, CONFIG, {"finetune": str(own)}, quiet=True))
    assert read == [data.first_conversations(run), []] and len(read[0]) == len(STAGES)
    texts = data.documents(run)[0]
    assert again[1] is None and again[0].tolist() == model.tokenizer.encode_documents(to_read_again(texts)).tolist()
    assert len(to_read_again(texts)) > len(texts)
