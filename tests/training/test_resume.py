"""A run that was stopped and went on is, byte for byte, the run that was never stopped."""

import json
import shutil
import signal

import numpy as np
import pytest
import tiny

from minillm.phases.pretrain import PretrainConfig
from minillm.phases.reward import RewardConfig
from minillm.phases.rlhf import RLHFConfig
from minillm.phases import rlhf as rl
from minillm.phases import pretrain as pretraining
from minillm.phases import reward as rewarding
from minillm.phases.rank import Ranking
from minillm.formats.tensors import read_tensors, write_tensors
from minillm.training import loop
from minillm.training.checkpoint import find_checkpoint
from minillm.training.recorder import FolderRecorder, read_metrics

SHORT = dict(steps=5, warmup_share=0.4, lr=1e-2)


def pretrain(recorder, optimizer="adamw"):
    settings = PretrainConfig(**SHORT, rows=4, micro_batches=2, save_every=2, validation_every=3, optimizer=optimizer)
    stream = np.concatenate([[1], tiny.tokenizer().encode(tiny.TEXT), [2]] * 3).astype(np.int32)
    model = tiny.model(fresh=True, context=16)          # 12 windows an epoch: the run ends in its second
    pretraining.pretrain(model, stream, stream[:60], settings, 3, recorder)


def pretrain_by_muon(recorder):
    pretrain(recorder, "muon")


def reward_model(recorder):
    settings = RewardConfig(**SHORT, rows=2, micro_batches=2, save_every=1)
    asked = [{"role": "user", "content": "the cat"}]
    rankings = [Ranking(asked, ["sat", "met a dog", "on"][:n], list(range(1, n + 1))) for n in (2, 3, 2)]
    model = tiny.model(fresh=True)
    rewarding.train_reward_model(model, rewarding.reward_heads(model, 0), rankings, settings, 3, recorder)


def rlhf(recorder):
    settings = RLHFConfig(**SHORT, rows=8, group=4, epochs=2, micro_batches=2, save_every=1, max_new_tokens=4)

    def score(sequences, numbers):
        return np.array([np.mean(ids == 6) for ids in sequences], np.float32)
    model = tiny.model(fresh=True)
    rl.rlhf(model, rl.value_heads(model, 0), tiny.prompts(), score, settings, 3, recorder)


def state(folder):
    """Everything a phase left, but for the seconds that it took."""
    path = find_checkpoint(folder)
    clock = ("seconds", "evaluate_seconds")
    records = [{k: v for k, v in record.items() if k not in clock} for record in read_metrics(folder)]
    return {**{file.name: file.read_bytes() for file in path.iterdir()}, "step": path.name,
            "metrics": json.dumps(records)}


class Stop(Exception):
    """What ends a run between two steps."""


@pytest.mark.parametrize("phase", [pretrain, pretrain_by_muon, reward_model, rlhf])
def test_a_stop_at_any_step_leaves_no_trace(phase, tmp_path, monkeypatch):
    phase(FolderRecorder(tmp_path / "whole", quiet=True))
    whole = state(tmp_path / "whole")
    assert whole["step"] == "step-000005" and len(read_metrics(tmp_path / "whole")) == 5
    for stop in range(1, 6):
        folder = tmp_path / f"stopped-{stop}"

        def update(params, grads, optimizer, *rest):
            if optimizer["step"] == stop - 1:
                raise Stop
            loop_update(params, grads, optimizer, *rest)
        name = "muon_update" if phase is pretrain_by_muon else "adamw_update"
        loop_update = getattr(loop, name)
        with monkeypatch.context() as patch:
            patch.setattr(loop, name, update)
            with pytest.raises(Stop):
                phase(FolderRecorder(folder, quiet=True))
        phase(FolderRecorder(folder, resume=True, quiet=True))
        assert state(folder) == whole, f"stopped before step {stop}"


def test_a_finished_phase_is_not_trained_again(tmp_path):
    """An older checkpoint, which a kill in the last save leaves, is removed."""
    pretrain(FolderRecorder(tmp_path, quiet=True))
    before = state(tmp_path)
    shutil.copytree(find_checkpoint(tmp_path), tmp_path / "step-000004")
    pretrain(FolderRecorder(tmp_path, resume=True, quiet=True))
    assert state(tmp_path) == before and not (tmp_path / "step-000004").exists()


def test_muon_keeps_no_mean_square_of_its_matrices_and_adamw_does_not_go_on_from_it(tmp_path):
    pretrain(FolderRecorder(tmp_path, quiet=True), "muon")
    saved = read_tensors(find_checkpoint(tmp_path) / "training.safetensors")
    assert saved["optimizer.mean.blocks.0.attention.query.weight"].any()
    assert saved["optimizer.square.blocks.0.attention.query.weight"].size == 0 < saved["optimizer.square.embedding.token"].size
    with pytest.raises(ValueError, match="begun with optimizer = muon, this run has adamw"):
        pretrain(FolderRecorder(tmp_path, resume=True, quiet=True))


def test_other_settings_are_refused_by_name(tmp_path, monkeypatch):
    pretrain(FolderRecorder(tmp_path, quiet=True))
    monkeypatch.setitem(SHORT, "lr", 2e-2)
    with pytest.raises(ValueError, match="begun with lr = 0.01, this run has 0.02"):
        pretrain(FolderRecorder(tmp_path, resume=True, quiet=True))


@pytest.mark.parametrize("field,change", [("heads", dict(heads=3)), ("rope_theta", dict(rope_theta=500.0)),
                                          ("hidden", dict(hidden=12))])
def test_another_model_is_refused_by_name(tmp_path, monkeypatch, field, change):
    """Heads and the base of the rotary frequencies change no shape: the weights would load, and mean nothing."""
    pretrain(FolderRecorder(tmp_path, quiet=True))
    monkeypatch.setattr(tiny, "SIZES", {**tiny.SIZES, **change})
    with pytest.raises(ValueError, match=f"model.{field} = "):
        pretrain(FolderRecorder(tmp_path, resume=True, quiet=True))


def test_a_line_that_was_cut_off_does_not_prevent_going_on(tmp_path):
    pretrain(FolderRecorder(tmp_path, quiet=True))
    before = read_metrics(tmp_path)
    with open(tmp_path / "metrics.jsonl", "a", encoding="utf-8") as file:
        file.write('{"step": 5, "lo')
    assert read_metrics(tmp_path) == before


@pytest.mark.parametrize("phase", [pretrain, reward_model, rlhf])
def test_ctrl_c_ends_the_step_and_saves_it(phase, tmp_path, monkeypatch):
    phase(FolderRecorder(tmp_path / "whole", quiet=True))
    norm, steps = loop.global_norm, []

    def interrupted(grads):
        steps.append(len(steps))
        if len(steps) == 3:
            signal.raise_signal(signal.SIGINT)
        return norm(grads)
    monkeypatch.setattr(loop, "global_norm", interrupted)
    with pytest.raises(KeyboardInterrupt):
        phase(FolderRecorder(tmp_path / "stopped", quiet=True))
    monkeypatch.undo()
    assert find_checkpoint(tmp_path / "stopped").name == f"step-{len(steps):06}" and len(steps) in (3, 4)
    phase(FolderRecorder(tmp_path / "stopped", resume=True, quiet=True))
    assert state(tmp_path / "stopped") == state(tmp_path / "whole")


def test_a_step_that_made_infinite_weights_leaves_the_last_good_checkpoint(tmp_path, monkeypatch):
    update = loop.adamw_update

    def overflows(params, grads, optimizer, *rest):
        update(params, grads, optimizer, *rest)
        if optimizer["step"] == 4:
            params["blocks"][0]["norm1"]["gain"][2] = np.inf
    monkeypatch.setattr(loop, "adamw_update", overflows)
    with pytest.raises(FloatingPointError, match="after step 4, blocks.0.norm1.gain"):
        pretrain(FolderRecorder(tmp_path, quiet=True))
    assert find_checkpoint(tmp_path).name == "step-000002"
    monkeypatch.undo()
    pretrain(FolderRecorder(tmp_path, resume=True, quiet=True))
    assert find_checkpoint(tmp_path).name == "step-000005"


@pytest.mark.parametrize("old,new,said", [
    ("rollout.mask", "rollout.masks", "the saved rollout has .*masks"),
    ("optimizer.mean.model.norm.gain", "optimizer.mean.model.norm.gains", "norm.gain is missing"),
    ("heads.value_head.weight", "heads.value_head.weights", "weight is missing")])
def test_a_checkpoint_that_lacks_a_tensor_of_the_training_is_refused(tmp_path, monkeypatch, old, new, said):
    monkeypatch.setitem(SHORT, "steps", 3)              # stopped amid the second rollout of two steps
    rlhf(FolderRecorder(tmp_path, quiet=True))
    step = find_checkpoint(tmp_path)
    tensors = read_tensors(step / "training.safetensors", (np.float32, np.int32))
    tensors[new] = tensors.pop(old)
    write_tensors(step / "training.safetensors", tensors)
    (step / "SHA256SUMS").unlink()
    with pytest.raises(ValueError, match=said):
        rlhf(FolderRecorder(tmp_path, resume=True, quiet=True))
