"""Phase 3 on a model that others trained: its own template, the user's pairs and prompts, nothing of the embedded world."""

import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import minillm
from minillm import tree
from minillm.cli import main
from minillm.kernels.twin import plain_kernels
from minillm.runs import data
from minillm.runs.config import load_config
from minillm.runs.folder import assistant_of, read_results
from minillm.runs.run import Run
from minillm.training import loop
from minillm.training.checkpoint import find_checkpoint, load_checkpoint
from minillm.training.recorder import read_metrics

# NumPy's products sum a row in another order where other rows are beside it.
OUR_PRODUCTS = not plain_kernels() and os.environ.get("MINILLM_MATMUL") != "blas"
LLAMA = Path(__file__).parents[1] / "interop" / "fixtures" / "llama"
JINJA = ("{% for message in messages %}{{ '[' + message['role'] + '] ' + message['content'] + '<|im_end|>' }}{% endfor %}"
         "{% if add_generation_prompt %}{{ '[assistant] ' }}{% endif %}")
FEW = ["--rows", "4", "--micro-batches", "2", "--quiet"]
REWARD = [*FEW, "--steps", "10", "--lr", "3e-3"]
RLHF = [*FEW, "--steps", "3", "--group", "2", "--lr", "1e-3", "--max-new-tokens", "8"]


def lines_of(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def imported(root, name="smol", template=None):
    """A run of the tiny Llama, with pairs and conversations beside it."""
    source = LLAMA
    if template is not None:
        source = root / "llama"
        shutil.copytree(LLAMA, source)
        (source / "chat_template.jinja").write_text(template, encoding="utf-8")
    lines_of(root / "pairs.jsonl", [{"prompt": f"Cat {n}?", "chosen": "On the mat.", "rejected": f"{n} dog."} for n in range(30)])
    lines_of(root / "talks.jsonl", [{"prompt": f"Cat {n}?", "completion": "On the mat."} for n in range(8)])
    assert main(["import", str(source), "--name", name, "--root", str(root)]) == 0
    return root / name


def does(verb, run, *words):
    assert main([verb, str(run), *map(str, words)]) == 0


def refused(capsys, *words):
    """The one line of a command that is refused."""
    capsys.readouterr()
    assert main([str(word) for word in words]) == 2
    line = capsys.readouterr().err
    assert line.startswith("minillm: ") and line.count("\n") == 1, line
    return line


@pytest.fixture(scope="module", params=[None, JINJA], ids=["ChatML", "Jinja"])
def aligned(request, tmp_path_factory):
    """A run that was imported, whose reward model and aligned model were trained."""
    run = imported(tmp_path_factory.mktemp("runs"), template=request.param)
    does("reward", run, "--data", run.parent / "pairs.jsonl", *REWARD)
    does("rlhf", run, *RLHF)
    return run


def opened(folder):
    return Run(folder, *load_config(folder))


def test_the_stages_run_and_are_measured_on_what_was_held_out(aligned):
    results = read_results(aligned)
    assert [len(read_metrics(aligned / name)) for name in ("reward", "rlhf")] == [10, 3]
    assert results["reward"]["pair_accuracy"] == 1.0        # an order that it can see
    assert set(results["rlhf"]) == {"reward", "kl", "stopped", "prompts"} and results["rlhf"]["prompts"] == 3
    assert set(results["rlhf"]["reward"]) == {"reference", "aligned"} and results["rlhf"]["kl"] != 0
    first = read_metrics(aligned / "rlhf")[0]
    assert first["kl"] == 0 and "gold_helpful" not in first
    if OUR_PRODUCTS:
        assert abs(first["ratio_distance"]) < 1e-6
    assert set(results["made"]["rlhf"]) >= {"pretrain", "reward", "data"} and "finetune" not in results["made"]["reward"]


def test_the_files_hold_what_was_trained(aligned):
    start, judge, policy = (load_checkpoint(aligned / name) for name in ("pretrain", "reward", "rlhf"))
    assert judge.training["heads.reward_head.weight"].shape == (1, 48)
    assert judge.model.tokenizer == policy.model.tokenizer == start.model.tokenizer
    for saved in (judge, policy):
        moved = [np.abs(new - old).max() for _, new, old in tree.zipped(saved.model.params, start.model.params)]
        assert max(moved) > 1e-3
    assert minillm.load(aligned).config == start.model.config       # the aligned model is the most trained


def test_held_out_prompts_are_those_that_the_reward_model_did_not_see(aligned):
    run = opened(aligned)
    model = run.model("rlhf")
    asked, apart = data.own_prompts(run, model)
    assert len(apart) == 3 and len(asked) == 27 and not [one for one in apart if one in asked]
    assert sorted(map(str, apart)) == sorted(str(ranking.prompt) for ranking in data.rankings(run, model)[1])
    (aligned.parent / "others.jsonl").write_text("".join(
        json.dumps({"prompt": f"Dog {n % 10}?"}) + "\n" for n in range(20)), encoding="utf-8")
    other = run._replace(data={**run.data, "rlhf": str(aligned.parent / "others.jsonl")})
    asked, apart = data.own_prompts(other, model)
    assert (len(asked), len(apart)) == (18, 1)              # two of each of ten prompts; one is held out, once


def test_eval_gives_the_same_numbers_and_chat_the_aligned_model(aligned, capsys, monkeypatch):
    capsys.readouterr()
    does("eval", aligned)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert len(rows) == 9 and all(now == then for _, now, then in rows), rows
    lines = iter(["The cat?", "/base", "/quit"])
    monkeypatch.setattr("builtins.input", lambda _: next(lines))
    does("chat", aligned, "--max-new-tokens", "3")
    assert "(the base model answers)" in capsys.readouterr().out


def test_the_report_says_nothing_of_the_world(aligned):
    does("report", aligned)
    page = (aligned / "report.html").read_text(encoding="utf-8")
    for said in ("A language model that others trained", "which answers are preferred", "imported → aligned",
                 "KL divergence from the imported model", "The same prompts, before and after", "order of two answers",
                 "What the reward model gives its answers to unseen prompts"):
        assert said in page, said
    for unsaid in ("simulated", "perfect raters", "fine-tuned model", "random numbers", "gold score"):
        assert unsaid not in page, unsaid


def state(folder):
    """What a training left, but for the seconds that it took."""
    step = find_checkpoint(folder)
    records = [{key: value for key, value in record.items() if key != "seconds"} for record in read_metrics(folder)]
    return {**{file.name: file.read_bytes() for file in step.iterdir() if file.is_file()}, "step": step.name,
            "log": json.dumps(records)}


def test_a_stop_leaves_no_trace(tmp_path, monkeypatch):
    """Stopped after its second step, each stage goes on to the bytes of a run that was not stopped."""
    run, real = imported(tmp_path), loop.adamw_update
    shutil.copytree(run, tmp_path / "other")
    other = tmp_path / "other"
    for verb, words in (("reward", [*REWARD, "--data", tmp_path / "pairs.jsonl"]), ("rlhf", RLHF)):
        words = [*words, "--steps", "3", "--save-every", "1"]
        does(verb, run, *words)

        def stopped(params, grads, optimizer, *rest):
            if optimizer["step"] == 2:
                raise OSError("stopped")
            real(params, grads, optimizer, *rest)
        monkeypatch.setattr(loop, "adamw_update", stopped)
        assert main([verb, str(other), *map(str, words)]) == 2
        monkeypatch.setattr(loop, "adamw_update", real)
        assert find_checkpoint(other / verb).name == "step-000002"
        does(verb, other, "--resume", "--quiet")
        assert state(other / verb) == state(run / verb)


def test_phase_3_begins_with_the_merged_model_of_lora(tmp_path):
    run = imported(tmp_path)
    does("finetune", run, "--data", tmp_path / "talks.jsonl", "--steps", "2", "--lora", "3", "--lr", "1e-2", "--quiet")
    assert assistant_of(run) == "finetune"
    still = [*FEW, "--steps", "1", "--lr", "1e-30"]         # too small for float32: the weights stay
    does("reward", run, "--data", tmp_path / "pairs.jsonl", *still)
    does("rlhf", run, *still, "--group", "2", "--max-new-tokens", "4")
    start, tuned, judge, policy = (load_checkpoint(run / name).model.params for name in
                                   ("pretrain", "finetune", "reward", "rlhf"))
    tree.tree_map(np.testing.assert_array_equal, judge, tuned)
    tree.tree_map(np.testing.assert_array_equal, policy, tuned)
    query = [params["blocks"][0]["attention"]["query"]["weight"] for params in (start, tuned)]
    assert np.abs(query[0] - query[1]).max() > 1e-4 and set(read_results(run)["made"]["reward"]) >= {"finetune"}


def test_what_needs_the_world_is_refused_with_what_to_give(tmp_path, capsys):
    run = imported(tmp_path)
    for words in (["rank", run], ["rank", run, "--human"], ["rank", run, "--simulated"]):
        line = refused(capsys, *words)
        assert "raters know only the embedded world" in line
        assert f"minillm rank {run} --human --data PROMPTS.jsonl" in line and f"minillm reward {run} --data" in line
    assert f"give pairs: minillm reward {run} --data PAIRS.jsonl" in refused(capsys, "reward", run)
    assert "has no reward yet" in refused(capsys, "rlhf", run, "--data", tmp_path / "pairs.jsonl")
    assert sorted(path.name for path in run.iterdir()) == ["generation_config.json", "pretrain", "results.json", "run.json",
                                                           "tokenizer.json", "tokenizer_config.json"]
    does("reward", run, "--data", tmp_path / "pairs.jsonl", *FEW, "--steps", "1")
    line = refused(capsys, "finetune", run, "--data", tmp_path / "talks.jsonl")
    assert "the reward of" in line and "began with the model that was imported; fine-tune in a new run: --name NEW" in line
    does("finetune", run, "--name", "tuned", "--root", tmp_path, "--data", tmp_path / "talks.jsonl", "--steps", "1", "--quiet")


def test_a_model_without_a_template_is_refused(tmp_path, capsys):
    imported(tmp_path)
    assert main(["import", str(LLAMA.with_name("gpt2")), "--name", "gpt2", "--root", str(tmp_path)]) == 0
    line = refused(capsys, "reward", tmp_path / "gpt2", "--data", tmp_path / "pairs.jsonl", "--quiet")
    assert "has no chat template" in line and not (tmp_path / "gpt2" / "reward").exists()


def test_a_template_that_asks_for_nothing_says_how_to_learn_without(tmp_path, capsys):
    """Where an answer begins is not known, so none can be cut there."""
    bare = JINJA.split("{% if add")[0]
    run = imported(tmp_path, template=bare)
    words = ["reward", run, "--data", tmp_path / "pairs.jsonl", *FEW, "--steps", "1"]
    assert "--unfinished 0 learns without" in refused(capsys, *words, "--unfinished", "1") and not (run / "reward").exists()
    does(*words, "--unfinished", "0")


def test_more_memory_than_there_is_names_no_size_that_is_fixed(tmp_path, capsys, monkeypatch):
    run = imported(tmp_path)
    monkeypatch.setattr("minillm.runs.checks.memory_limit", lambda: (1e8, "the machine has"))
    line = refused(capsys, "reward", run, "--data", tmp_path / "pairs.jsonl")
    assert "lower reward.rows, or import the model again with a shorter --context" in line and "width" not in line


def test_a_person_ranks_answers_to_their_own_prompts_and_the_model_learns_from_it(tmp_path, capsys, monkeypatch):
    run = imported(tmp_path)
    asked = lines_of(tmp_path / "asked.jsonl", [{"prompt": f"Where {n}?"} for n in range(5)])
    monkeypatch.setattr("sys.stdin", io.StringIO("bacd\n" * 4 + "q\n"))
    does("rank", run, "--human", "--data", asked, "--max-new-tokens", "5")
    said = capsys.readouterr().out
    assert f"4 rankings are in {run / 'rank' / 'rankings.jsonl'}" in said and f"next: minillm reward {run}" in said
    does("reward", run, *FEW, "--steps", "1")
    assert f"give prompts: minillm rlhf {run} --data PROMPTS.jsonl" in refused(capsys, "rlhf", run)
    does("rlhf", run, "--data", asked, *RLHF)
    assert read_results(run)["rlhf"]["prompts"] == 1


@pytest.mark.parametrize("verb, file", [("reward", "model.safetensors"), ("rlhf", "training.safetensors"),
                                        ("finetune", "adapter/adapter_model.safetensors")])
def test_a_finished_stage_whose_files_are_not_whole_is_not_called_done(verb, file, tmp_path, capsys):
    run = imported(tmp_path)
    does("finetune", run, "--data", tmp_path / "talks.jsonl", "--steps", "1", "--lora", "2", "--quiet")
    does("reward", run, "--data", tmp_path / "pairs.jsonl", *FEW, "--steps", "1")
    does("rlhf", run, *FEW, "--steps", "1", "--group", "2", "--max-new-tokens", "3")
    does(verb, run, "--resume")
    assert f"{verb}: done before" in capsys.readouterr().out
    path = find_checkpoint(run / verb) / file
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    line = refused(capsys, verb, run, "--resume", "--quiet")
    assert f"{path} is not the file that was written (another SHA-256)" in line
    path.unlink()
    if file != "model.safetensors":     # without which there is no checkpoint: the stage is done again
        assert f"{path} is missing" in refused(capsys, verb, run, "--resume", "--quiet")
