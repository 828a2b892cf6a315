"""The campaign about unfinished answers, on models that have learned nothing: every row of both tables comes out."""

import json

import numpy as np
import unfinished

from minillm.config import updated
from minillm.model.language_model import LanguageModel
from minillm.model.transformer import transformer_init
from minillm.phases.rank import Ranking
from minillm.runs import data
from minillm.runs.config import RunConfig
from minillm.runs.run import Run
from minillm.text.learning import train_tokenizer
from minillm.training.checkpoint import save_checkpoint

DIALS = {"model": {"layers": 1, "width": 24, "heads": 2, "kv_heads": 1, "hidden": 20, "context": 96},
         "reward": {"rows": 2, "warmup_share": 0.0}, "rlhf": {"rows": 4, "prompts": 6, "warmup_share": 0.0}}


def test_every_row_of_both_tables_comes_out(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "HELD_OUT", 6)
    run = Run(tmp_path, updated(RunConfig(), DIALS), quiet=True)
    tokenizer = train_tokenizer([item.question for item in data.requests(run)], 320)
    shape = updated(run.config, {"model": {"vocab_size": tokenizer.vocab_size}}).model
    model = LanguageModel(transformer_init(shape, np.random.default_rng(0)), shape, tokenizer)
    save_checkpoint(tmp_path / "finetune", 1, model, {"heads": {}})
    line = json.dumps(Ranking([{"role": "user", "content": "end"}], ["The", "end", "T."], [1, 2, 3])._asdict()) + "\n"
    (tmp_path / "rank").mkdir()
    for name in (data.RANKINGS, data.RANKINGS_HELD_OUT):
        (tmp_path / "rank" / name).write_text(line * 3, encoding="utf-8")
    left, said = sorted(tmp_path.rglob("*")), []
    found = unfinished.campaign(run, (0.0, 1.0), [0, 1], [3], steps=2, rlhf_steps=2, say=said.append)
    judges = [(share,) for share in (0.0, 0.25, 1.0)]
    policies = [(share, penalty, 3) for share in (0.0, 0.25) for penalty in (0.0, 1.0)]
    assert list(found) == judges + policies and all(len(rows) == 2 for rows in found.values())
    assert "\n".join(said).count("±") == 3 * 5 + 4 * 5 and sorted(tmp_path.rglob("*")) == left
