"""The command line as a reader types it, on a model that trains in a second."""

import io
import json
import re

import pytest

from minillm.cli import main
from minillm.runs import data as data_of_runs
from minillm.runs import measures
from minillm.runs.run import newest_run
from minillm.training.checkpoint import CheckpointError, load_checkpoint

TINY = ("--vocab-size 300 --layers 1 --width 32 --heads 2 --kv-heads 1 --hidden 64 --context 96").split()
WORDS = "the cat sat on a mat and then a dog came to see what it was doing there all day long".split()


def lines_of(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A text of 30 kB, conversations and preferences."""
    folder = tmp_path_factory.mktemp("data")
    text = " ".join(WORDS[(7 * i + i // 5) % len(WORDS)] + (".\n" if i % 11 == 0 else "") for i in range(7000))
    (folder / "text.txt").write_text(text, encoding="utf-8")
    user = [{"role": "user", "content": "Where is the cat?"}]
    lines_of(folder / "talk.jsonl", [{"messages": [*user, {"role": "assistant", "content": f"On mat {n}."}]}
                                     for n in range(30)])
    lines_of(folder / "pairs.jsonl", [{"prompt": user, "chosen": f"On mat {n}.", "rejected": f"Dog {n}"}
                                      for n in range(20)])
    return folder


@pytest.fixture(scope="session")
def trained(data, tmp_path_factory):
    """The root of one run, `first`, that was pretrained and fine-tuned on files."""
    root = tmp_path_factory.mktemp("runs")
    base = ["--root", str(root), "--quiet", "--steps", "2", "--rows", "4"]
    assert main(["pretrain", *base, "--name", "first", "--data", str(data / "text.txt"), *TINY]) == 0
    assert main(["finetune", *base, "--data", str(data / "talk.jsonl")]) == 0
    return root


@pytest.fixture
def refused(capsys):
    """A check that a command ends with status 2 and one line on stderr; returns the line."""
    def check(*argv):
        capsys.readouterr()
        assert main([str(word) for word in argv]) == 2
        said = capsys.readouterr().err
        assert re.fullmatch(r"minillm: [^\n]+\n", said), said
        return said
    return check


def test_overview_and_version(capsys):
    for argv in ([], ["--help"], ["help"]):
        assert main(argv) == 0
        said = capsys.readouterr().out
        assert "minillm pretrain" in said and max(map(len, said.splitlines())) <= 80
    assert main(["--version"]) == 0
    assert re.fullmatch(r"minillm \d+\.\d+.*\n", capsys.readouterr().out)


@pytest.mark.parametrize("verb", ["run", "tokenizer", "pretrain", "finetune", "rank", "reward", "rlhf",
                                  "generate", "chat", "next", "eval", "report"])
def test_every_verb_has_help(verb, capsys):
    with pytest.raises(SystemExit) as end:
        main([verb, "--help"])
    assert end.value.code == 0
    assert "--root" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["run", "tokenizer", "pretrain", "finetune", "rank", "reward", "rlhf"])
def test_help_fits_a_terminal(verb, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main([verb, "--help"])
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80 and ".:" not in said


@pytest.mark.parametrize("argv, fix", [
    (["pretran"], "did you mean pretrain?"),
    (["--quiet"], "the verb comes first"),
    (["pretrain", "--step", "3"], "did you mean --steps?"),
    (["run", "--steps", "3"], "did you mean --pretrain.steps?"),
    (["pretrain", "--steps", "three"], "pretrain.steps is 'three'; it must be a whole number"),
    (["pretrain", "--steps", "0"], "steps is 0; it must be 1 or more"),
    (["pretrain", "--lr", "nan"], "pretrain.lr"),
    (["pretrain", "--lr", "inf"], "pretrain.lr is inf; it must be a finite number"),
    (["pretrain", "--seed", "-1"], "seed is -1"),
    (["pretrain", "--seed", "x"], "seed is 'x'"),
    (["pretrain", "--kind", "words"], "kind is 'words'"),
    (["pretrain", "--tied", "maybe"], "model.tied is 'maybe'; it must be true or false"),
    (["pretrain", "--heads", "5"], "not a multiple of heads"),
    (["pretrain", "--validation-every", "0"], "validation_every"),
    (["pretrain", "--width", "1000000", "--hidden", "4000000"], "GB of memory"),
    (["pretrain", "--preset", "llamma"], "invalid choice: 'llamma'"),
    (["pretrain", "--vocab-size", "100"], "vocab_size is 100"),
    (["pretrain", "--steps"], "expected one argument"),
    (["pretrain", "--name", "../up"], "run name '../up'"),
    (["pretrain", "no-such-run"], "no-such-run is not a folder"),
    (["pretrain", "--data", "missing.txt"], "missing.txt: no such file"),
    (["pretrain", "--data", "."], "no text in this folder"),
    (["pretrain", "--data", ""], "--data is empty"),
    (["pretrain", "--config", "missing.toml"], "missing.toml: no such file"),
    (["run", "--data", "x.txt"], "minillm pretrain --data"),
    (["rank", "--data", "x.jsonl"], "--data goes with --human"),
    (["finetune"], "start with: minillm pretrain"),
    (["reward"], "start with: minillm pretrain"),
    (["rlhf"], "start with: minillm pretrain"),
    (["chat"], "start with: minillm pretrain"),
    (["chat", "nowhere"], "no run of that name; give the folder of a run\n"),
    (["pretrain", "nowhere"], "give the folder of a run; --name nowhere starts a new one"),
    (["eval"], "start with: minillm run"),
    (["generate"], "give one text in quotes"),
    (["generate", "a", "b", "c"], "give one text in quotes"),
    (["generate", "a", "--temperature", "hot"], "--temperature"),
    (["generate", "a", "--temperature", "nan"], "--temperature"),
])
def test_bad_input_is_one_line_and_leaves_nothing(argv, fix, refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert fix in refused(*argv)
    assert [path for path in tmp_path.rglob("*") if path.name != "runs"] == []


def test_a_refusal_names_the_first_command_that_works(tmp_path):
    step = tmp_path / "one" / "pretrain" / "step-000001"
    step.mkdir(parents=True)
    (step / "model.safetensors").touch()
    (tmp_path / "one" / "run.json").touch()
    with pytest.raises(CheckpointError, match="no run with the stage reward yet; start with: minillm finetune$"):
        newest_run(tmp_path, ["finetune", "reward"])


@pytest.mark.parametrize("verb, content, fix", [
    ("pretrain", b"", "is empty"),
    ("pretrain", b"a\0b", "binary"),
    ("pretrain", b"\xff\xfeh\0i\0", "UTF-16"),
    ("pretrain", b"abc \xff", "invalid UTF-8"),
    ("pretrain", b"too short", "the text has"),
    ("finetune", b'{"messages": []}\n', "line 1"),
    ("finetune", b'{"messages": [{"role": "user", "content": "a"}]}\n', "line 1: no message of the assistant"),
    ("finetune", b'{"text": "a"}\n', 'no "messages"'),
    ("finetune", b"{broken\n", "line 1: broken JSON"),
    ("reward", b'{"prompt": "a", "chosen": "b"}\n', 'line 1: no "rejected"'),
    ("reward", b'{"prompt": "a", "chosen": "b", "rejected": "c"}\n', "one example"),
])
def test_bad_data_is_one_line_and_leaves_nothing(verb, content, fix, refused, trained, tmp_path):
    path = tmp_path / "data.jsonl" if verb != "pretrain" else tmp_path / "data.txt"
    path.write_bytes(content)
    before = sorted(trained.rglob("*"))
    source = [] if verb == "pretrain" else ["first"]
    said = refused(verb, *source, "--root", trained, "--name", "other", "--data", path, "--quiet",
                   *(TINY if verb == "pretrain" else []))
    assert fix in said
    assert sorted(trained.rglob("*")) == before


def test_a_failed_verb_leaves_the_run_as_it_was(refused, trained, data, tmp_path):
    assert main(["pretrain", "--root", str(trained), "--name", "alone", "--quiet", "--steps", "1", *TINY,
                 "--data", str(data / "text.txt")]) == 0
    talk = [{"role": "user", "content": "word " * 200}, {"role": "assistant", "content": "yes"}]
    path = lines_of(tmp_path / "long.jsonl", [{"messages": talk}] * 3)
    before = {file: file.read_bytes() for file in trained.rglob("*") if file.is_file()}
    assert "fits the context" in refused("finetune", "alone", "--root", trained, "--data", path, "--lr", "1e-4")
    assert "fits the context" in refused("finetune", "alone", "--root", trained, "--data", path, "--name", "new")
    assert {file: file.read_bytes() for file in trained.rglob("*") if file.is_file()} == before


def test_muon_by_its_flag(trained, data, refused):
    base = ["--root", str(trained), "--name", "muon", "--quiet", "--optimizer", "muon"]
    assert main(["pretrain", *base, "--steps", "2", "--rows", "4", "--data", str(data / "text.txt"), *TINY]) == 0
    saved = load_checkpoint(trained / "muon" / "pretrain")
    assert saved.progress["settings"]["optimizer"] == "muon"
    assert saved.training["optimizer.square.blocks.0.feed_forward.up.weight"].size == 0
    assert "optimizer is 'moun'; did you mean muon?" in refused("pretrain", *base[:-1], "moun")


def test_lora_by_its_flags_on_every_later_verb(trained, data, refused, monkeypatch):
    base = ["finetune", "first", "--root", str(trained), "--quiet", "--data", str(data / "talk.jsonl")]
    assert main([*base, "--name", "thin", "--steps", "2", "--rows", "4", "--lora", "4", "--lora-alpha", "8",
                 "--lora-layers", "attention"]) == 0
    step = trained / "thin" / "finetune" / "step-000002"
    assert json.loads((step / "training.json").read_text())["settings"]["lora_layers"] == "attention"
    told = json.loads((step / "adapter" / "adapter_config.json").read_text())
    assert (told["r"], told["lora_alpha"]) == (4, 8) and "self_attn.q_proj" in told["target_modules"]
    base_model, tuned = load_checkpoint(trained / "thin" / "pretrain").model, load_checkpoint(step).model
    assert (tuned.params["head"]["weight"] == base_model.params["head"]["weight"]).all()
    changed = tuned.params["blocks"][0]["attention"]["query"]["weight"] != base_model.params["blocks"][0]["attention"]["query"]["weight"]
    assert changed.mean() > 0.9
    monkeypatch.setattr("sys.stdin", io.StringIO("hello\n"))
    assert main(["chat", "thin", "--root", str(trained), "--max-new-tokens", "2"]) == 0
    few = ["--root", str(trained), "--quiet", "--steps", "1", "--rows", "2"]
    assert main(["reward", "thin", *few, "--data", str(data / "pairs.jsonl")]) == 0
    assert main(["rlhf", "thin", *few, "--max-new-tokens", "2"]) == 0
    assert main(["finetune", "thin", "--root", str(trained), "--resume"]) == 0
    assert "was begun with finetune.lora = 4, not 8" in refused("finetune", "thin", "--root", trained, "--resume", "--lora", 8)
    assert "a rank of 16 at most" in refused(*base, "--name", "wide", "--lora", "17")
    assert "lora_layers is 'atention'; did you mean attention?" in refused(*base, "--lora-layers", "atention")
    assert "lora is -1" in refused(*base, "--lora", "-1")
    assert "lora_alpha is 3.0, but lora is 0" in refused(*base, "--name", "whole", "--lora-alpha", "3")
    assert not any("lora" in key for key in json.loads((trained / "first" / "run.json").read_text())["finetune"])


@pytest.mark.parametrize("words, said", [
    (["pretrain", "--active-experts", "2"], "model.active_experts is 2, but experts is 0, without which it does nothing; set"),
    (["run", "--model.balance", "0.1"], "model.balance is 0.1, but experts is 0"),
    (["pretrain", "--preset", "micro", "--qkv-bias", "false"], "model.qkv_bias is False, but bias is False"),
    (["pretrain", "--config", "run.toml"], "run.toml: model.active_experts is 4, but experts is 0"),
])
def test_a_dial_that_does_nothing_is_refused(words, said, refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text("[model]\nactive_experts = 4\n", encoding="utf-8")
    assert said in refused(*words)
    assert not (tmp_path / "runs").exists()


def test_a_dial_that_does_something_is_not():
    from minillm.cli import training_parser
    from minillm.runs.config import LLAMA
    from minillm.terminal.flags import parse, resolve

    for words in (["--experts", "4", "--active-experts", "2"], ["--preset", "moe", "--active-experts", "3"]):
        assert resolve(parse(training_parser("pretrain"), words)).model.experts in (4, 8)
    thin = resolve(parse(training_parser("finetune"), ["--lora", "4", "--lora-lr", "1e-3", "--lora-layers", "attention"]))
    assert (thin.finetune.lora_lr, thin.finetune.lr) == (1e-3, LLAMA.finetune.lr)


def test_pretrain_leaves_a_whole_run(trained):
    folder = trained / "first"
    for name in ("run.json", "results.json", "tokenizer.json", "pretrain", "finetune"):
        assert (folder / name).exists()
    config = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert (config["pretrain"]["steps"], config["model"]["width"]) == (2, 32)
    assert config["data"]["pretrain"].endswith("text.txt")
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert results["pretrain"]["val_loss"] > 0


def test_a_phase_is_not_done_twice_and_resume_finds_it_done(refused, trained, data, capsys):
    again = ["finetune", "first", "--root", str(trained)]
    assert "--name NEW" in refused(*again, "--data", data / "talk.jsonl")
    assert "was begun with finetune.steps = 2, not 9" in refused(*again, "--resume", "--steps", "9")
    assert "was begun with pretrain.lr" in refused(*again, "--resume", "--pretrain.lr", "1e-9")
    assert main([*again, "--resume"]) == 0
    assert "done before" in capsys.readouterr().out


def test_resume_refuses_data_that_changed(refused, trained, data, tmp_path):
    records = (data / "talk.jsonl").read_text(encoding="utf-8").replace("mat 3", "mat 4")
    path = tmp_path / "talk.jsonl"
    path.write_text(records, encoding="utf-8")
    assert "same data" in refused("finetune", "first", "--root", trained, "--resume", "--data", path)


def test_a_stopped_phase_goes_on_to_the_same_bytes(trained, data, capsys, monkeypatch):
    base = ["finetune", "first", "--root", str(trained), "--quiet", "--rows", "4", "--steps", "3",
            "--save_every=1", "--data", str(data / "talk.jsonl")]
    assert main([*base, "--name", "whole"]) == 0
    from minillm.training.recorder import FolderRecorder
    save = FolderRecorder.save

    def save_then_stop(self, *state):
        save(self, *state)
        raise KeyboardInterrupt
    monkeypatch.setattr(FolderRecorder, "save", save_then_stop)
    assert main([*base, "--name", "stopped"]) == 130
    assert "--resume" in capsys.readouterr().err
    monkeypatch.setattr(FolderRecorder, "save", save)
    assert main(["finetune", "stopped", "--root", str(trained), "--quiet", "--resume"]) == 0
    whole, stopped = (trained / name / "finetune" / "step-000003" for name in ("whole", "stopped"))
    for file in ("model.safetensors", "training.safetensors"):
        assert (whole / file).read_bytes() == (stopped / file).read_bytes()


def test_reward_and_rlhf_on_a_copy(trained, data):
    base = ["--root", str(trained), "--quiet", "--steps", "2", "--rows", "4"]
    assert main(["reward", "first", *base, "--name", "judged", "--data", str(data / "pairs.jsonl")]) == 0
    assert not (trained / "first" / "reward").exists()
    assert main(["rlhf", *base, "--save-every", "2", "--max-new-tokens", "4"]) == 0
    assert (trained / "judged" / "rlhf" / "step-000002").is_dir()
    assert main(["eval", "judged", "--root", str(trained)]) == 0


def test_generate_next_and_chat(trained, capsys, monkeypatch):
    root = ["--root", str(trained), "first"]
    assert main(["generate", *root, "the cat", "--count", "2", "--max-new-tokens", "5"]) == 0
    out = capsys.readouterr().out
    assert out.count("the cat") == 2
    assert main(["generate", *root, "the cat", "--count", "2", "--max-new-tokens", "5"]) == 0
    assert capsys.readouterr().out == out

    assert main(["next", *root, "the cat sat on a", "--count", "3"]) == 0
    assert len(re.findall(r"^  .* [\d.]+%", capsys.readouterr().out, re.MULTILINE)) == 3

    said = "hello\n" + "where is the cat? " * 40 + "\n" + "and now?\n" * 20
    monkeypatch.setattr("sys.stdin", io.StringIO(said))
    assert main(["chat", *root, "--max-new-tokens", "4"]) == 0
    out = capsys.readouterr().out
    assert out.count("model> ") == 22
    assert "that line is too long" in out
    assert "the oldest question and answer are forgotten" in out


def test_prompts_that_do_not_fit_are_refused(refused, trained):
    for verb in ("generate", "next"):
        assert "context" in refused(verb, "first", "cat " * 300, "--root", trained)
    assert "context" in refused("chat", "first", "--system", "cat " * 300, "--root", trained)
    root = ["--root", trained]
    assert "max_new_tokens is 0" in refused("generate", "first", "a", "--max-new-tokens", "0", *root)
    assert "no stage rlhf" in refused("chat", "first", "--stage", "rlhf", *root)


def test_a_folder_that_is_no_run_or_no_checkpoint(refused, trained, tmp_path):
    assert "not a checkpoint" in refused("generate", tmp_path, "a")
    assert "not the folder of a run" in refused("eval", tmp_path)
    assert "not the folder of a run" in refused("finetune", tmp_path)
    (tmp_path / "run.json").write_text("{", encoding="utf-8")
    assert "run.json" in refused("finetune", tmp_path)
    (tmp_path / "run.json").write_text('{"pretrain": {"stepz": 3}}', encoding="utf-8")
    assert "did you mean steps?" in refused("finetune", tmp_path)


def test_configuration_from_toml_under_flags(refused, tmp_path, monkeypatch):
    from minillm.cli import training_parser
    from minillm.terminal.flags import as_toml, parse, read_toml, resolve

    path = tmp_path / "run.toml"
    path.write_text("seed = 5\n[pretrain]\nsteps = 7\nlr = 1\n", encoding="utf-8")
    config = resolve(parse(training_parser("run"), ["--config", str(path), "--pretrain.steps=8"]))
    assert (config.seed, config.pretrain.steps, config.pretrain.lr) == (5, 8, 1.0)
    (tmp_path / "again.toml").write_text(as_toml(config), encoding="utf-8")
    assert resolve(parse(training_parser("run"), ["--config", str(tmp_path / "again.toml")])) == config
    assert read_toml(path)["pretrain"] == {"steps": 7, "lr": 1}
    monkeypatch.chdir(tmp_path)
    path.write_text("[pretrain]\nstepz = 7\n", encoding="utf-8")
    assert "did you mean steps?" in refused("run", "--config", "run.toml")
    path.write_text("pretrain = 7\n", encoding="utf-8")
    assert "[pretrain]" in refused("run", "--config", "run.toml")
    path.write_text("[pretrain\n", encoding="utf-8")
    assert "run.toml: is not a TOML file" in refused("run", "--config", "run.toml")


def test_a_loss_that_is_not_finite_ends_with_status_1(trained, data, capsys):
    assert main(["finetune", "first", "--root", str(trained), "--name", "wild", "--quiet", "--lr", "1e30",
                 "--steps", "5", "--warmup-share", "0", "--data", str(data / "talk.jsonl")]) == 1
    assert re.fullmatch(r"minillm: finetune: step \d.*learning rate \d.*not finite.*\n", capsys.readouterr().err)


RUN = """
[tokenizer]
vocab_size = 600
[model]
layers = 1
width = 32
heads = 2
kv_heads = 1
hidden = 64
[pretrain]
steps = 2
megabytes = 0.05
rows = 4
[finetune]
steps = 2
conversations = 40
task_steps = 1
domain_steps = 1
rows = 4
[rank]
prompts = 12
max_new_tokens = 6
[reward]
steps = 2
rows = 4
[rlhf]
steps = 2
rows = 8
max_new_tokens = 4
save_every = 2
"""


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """The root of a run of all phases, `all`, which is measured on few requests."""
    root = tmp_path_factory.mktemp("everything")
    (root / "tiny.toml").write_text(RUN, encoding="utf-8")
    where = ["--root", str(root), "--name", "all"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measures, "EACH_KIND", 2)
        patch.setattr(measures, "EACH_NEW", 1)
        patch.setattr(measures, "CLOSELY", 1)
        patch.setattr(data_of_runs, "HELD_OUT", 40)
        assert main(["run", "--config", str(root / "tiny.toml"), *where, "--quiet"]) == 0
        yield root


@pytest.mark.training
def test_run_leaves_every_phase_and_a_report(everything, capsys, refused):
    folder = everything / "all"
    for phase in ("pretrain", "finetune", "task", "domain", "reward", "rlhf"):
        assert list(folder.glob(f"{phase}/step-*/model.safetensors")), phase
        assert (folder / phase / "metrics.jsonl").stat().st_size
    assert "<html" in (folder / "report.html").read_text(encoding="utf-8")
    assert "never overwrites another" in refused("run", "--root", everything, "--name", "all")
    assert main(["run", "--resume", "--root", str(everything)]) == 0
    assert "rlhf: done before" in capsys.readouterr().out


@pytest.mark.training
def test_eval_measures_what_the_run_measured(everything, capsys):
    assert main(["eval", "all", "--root", str(everything)]) == 0
    rows = [line.rsplit(maxsplit=2) for line in capsys.readouterr().out.splitlines()[1:]]   # a kind's name may have two words
    assert len(rows) > 25
    assert [row for row in rows if row[1] != row[2]] == []


@pytest.mark.training
def test_rank_by_hand_beside_a_finished_run_then_reward(everything, refused, monkeypatch, capsys):
    assert "--name NEW" in refused("rank", "all", "--root", everything)
    simulated, path = (everything / name / "rank" / "rankings.jsonl" for name in ("all", "all-human"))
    before = simulated.read_bytes()
    for lines in ("abcd\nb=a>c>d\nq\n", "dcba\nab\nq\n"):        # the second session goes on with the first
        monkeypatch.setattr("sys.stdin", io.StringIO(lines))
        assert main(["rank", "all", "--human", "--root", str(everything), "--quiet"]) == 0
    records = path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(record)["rater"] for record in records] == ["human"] * 3 and simulated.read_bytes() == before
    said = " ".join(capsys.readouterr().out.split())            # where its lines break depends on the folder's name
    assert "You ordered" in said and f"reward model of {everything / 'all'} orders" in said
    assert main(["reward", "all-human", "--root", str(everything), "--quiet"]) == 0


RANKING = {"prompt": [{"role": "user", "content": "a"}], "responses": ["b", "c"], "ranks": [1, 2]}


@pytest.mark.parametrize("line, fix", [
    (json.dumps({**RANKING, "prompt": "a"}), '"prompt": messages must be'),
    (json.dumps({**RANKING, "ranks": [1]}), "one rank each"),
    (json.dumps({**RANKING, "responses": ["b", 1]}), "list of texts"),
    (json.dumps({**RANKING, "ranks": ["x", 1]}), "whole numbers"),
    ("[1]", "must be an object"), ("{", "broken JSON"),
])
def test_broken_rankings_are_refused_by_line(line, fix, tmp_path):
    from minillm.runs.data import ranked
    path = tmp_path / "rankings.jsonl"
    path.write_text(json.dumps(RANKING) + "\n" + line + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 2.*" + re.escape(fix)):
        ranked(tmp_path)
