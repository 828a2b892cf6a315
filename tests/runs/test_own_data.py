"""The user's own data in whole stages: what does not fit is said first, and half an emoji ends nothing."""

import hashlib
import io
import json
import os
import re
import shutil
from contextlib import redirect_stderr, redirect_stdout

import pytest

from minillm.cli import main
from minillm.runs.checks import fingerprint_of
from minillm.runs.folder import read_results
from minillm.runs.stages import BY_NAME
from minillm.training.recorder import read_metrics

TINY = ("--vocab-size 300 --layers 1 --width 32 --heads 2 --kv-heads 1 --hidden 64 --context 64").split()
FEW = ["--steps", "4", "--rows", "4"]
TEXT = "the cat sat on a mat and then a dog came to see what it was doing there all day long. " * 90
STEP = r": step \d+/"         # as the log has it
LONG, HALF = "word " * 90, "on \ud83d."


def lines_of(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return str(path)


def unwrapped(said):
    """What was printed, without the line ends inside a sentence."""
    return re.sub(r"\n  ?(?=\S)", " ", said)


def talk(answer):
    return {"messages": [{"role": "user", "content": "where?"}, {"role": "assistant", "content": answer}]}


def pair(chosen, rejected="no", prompt="where?"):
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """The root of a run `base`: pretrained, fine-tuned and with a reward model, on files."""
    root = tmp_path_factory.mktemp("runs")
    (root / "text.txt").write_text(TEXT, encoding="utf-8")
    where = ["--root", str(root), "--quiet", *FEW]
    talks = lines_of(root / "talks.jsonl", [talk(f"on mat {n}.") for n in range(20)])
    pairs = lines_of(root / "pairs.jsonl", [pair(f"on mat {n}.") for n in range(20)])
    assert main(["pretrain", *where, "--name", "base", "--data", str(root / "text.txt"), *TINY]) == 0
    assert main(["finetune", "base", *where, "--data", talks]) == 0
    assert main(["reward", "base", *where, "--data", pairs]) == 0
    return root


@pytest.fixture
def does(base):
    """Run a verb on a copy of `base` called `new`; returns (status, what it printed, its folder)."""
    def run(verb, data):
        shutil.rmtree(base / "new", ignore_errors=True)
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            status = main([verb, "base", "--root", str(base), "--name", "new", *FEW, "--data", data])
        return status, said.getvalue(), base / "new"
    return run


@pytest.mark.parametrize("verb, of, what, problem", [
    ("finetune", talk, "conversations", "are longer than the context of 64 tokens"),
    ("reward", pair, "preference pairs", "are longer than the context of 64 tokens"),
    ("rlhf", lambda answer: pair("yes", prompt=answer), "prompts", "leave no room for an answer in the context of 64 tokens"),
])
def test_what_is_too_long_is_counted_before_the_first_step(does, tmp_path, verb, of, what, problem):
    """With every second one too long, a held-out set that is not chosen among the others has some of them."""
    data = lines_of(tmp_path / "data.jsonl", [of(f"on mat {n}." if n % 2 else LONG) for n in range(24)])
    status, said, folder = does(verb, data)
    assert status == 0
    said = unwrapped(said)
    line = f"{verb}: 12 of 24 {what} {problem} and were left out\n"
    assert said.count("left out") == 1 and line in said
    assert said.index(line) < re.search(STEP, said).start()
    records = read_metrics(folder / verb)
    assert len(records) == 4
    if verb == "finetune":
        assert [record["step"] for record in records if "validation_loss" in record] == [0, 1, 2, 3]
    if verb == "reward":
        assert 0 <= read_results(folder)["reward"]["pair_accuracy"] <= 1


def wide(said):
    """Lines of more than 80 columns, except for paths and for the configuration, which is TOML."""
    return [line for line in said.split("\n") if len(line) > 80 and "pytest-" not in line and " = {" not in line]


@pytest.mark.parametrize("verb, record, read_as, ends", [
    ("finetune", lambda n: {"instruction": "where?", "output": f"on mat {n}."}, "40 conversations, read as Alpaca",
     r"finetune: loss [\d.]+ -> [\d.]+, val loss [\d.]+ \(step 1\) -> [\d.]+\n"
     r"  user: \"where\?\"\n    answer: \"(?s:.*?)\"\n  user: \"where\?\"\n    answer: \""),
    ("reward", lambda n: {key: f"\n\nHuman: where?\n\nAssistant: {word} {n}" for key, word in (("chosen", "on"), ("rejected", "no"))},
     "40 preference pairs, read as HH transcripts",
     r"reward: loss [\d.]+ -> [\d.]+, pairs right [\d.]+ -> [\d.]+\n  reward: pair_accuracy [\d.]+"),
    ("rlhf", lambda n: pair(f"on {n}"), "40 prompts, read as prompt, chosen and rejected",
     r"rlhf: reward -?[\d.]+ -> -?[\d.]+, KL [\d.]+ -> -?[\d.]+\n  user: \"where\?\"\n    before: \"(?s:.*)\"\n    after: \""),
])
def test_a_verb_says_as_what_it_reads_and_ends_with_what_it_achieved(does, tmp_path, verb, record, read_as, ends):
    status, said, folder = does(verb, lines_of(tmp_path / "data.jsonl", map(record, range(40))))
    assert status == 0 and said.count(f"{verb}: {read_as}\n") == 1
    assert re.search(rf"\n{ends}(?s:.*)\n{verb}: [\d.]+ s, in {re.escape(str(folder))}\nnext: ", said), said
    assert wide(said) == []


def test_pretraining_ends_with_two_continuations(tmp_path, capsys):
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    assert main(["pretrain", "--root", str(tmp_path), "--data", str(tmp_path / "text.txt"), *FEW, *TINY]) == 0
    said = capsys.readouterr().out
    assert f"pretrain: 1 text of {len(TEXT):,} characters, read as plain text\n" in said
    assert re.search(r"\npretrain: loss [\d.]+ -> [\d.]+, val loss [\d.]+\n  pretrain: val_loss ", said)
    assert said.count("  held-out text: \"") == said.count("    continued: \"") == 2
    assert wide(said) == []


def test_prompts_to_rank_by_hand_are_counted_like_others(base, capsys, tmp_path, monkeypatch):
    shutil.rmtree(base / "new", ignore_errors=True)
    data = lines_of(tmp_path / "data.jsonl", [{"prompt": text} for text in ("where?", LONG, "w" * 55, "who?")])
    monkeypatch.setattr("sys.stdin", io.StringIO("q\n"))
    assert main(["rank", "base", "--root", str(base), "--name", "new", "--human", "--data", data]) == 0
    said = unwrapped(capsys.readouterr().out)
    assert "(2 of 4 prompts leave no room for an answer in the context of 64 tokens and were left out)" in said
    assert "(4 prompts, read as prompts)" in said and "0 rankings so far, 2 prompts to go" in said


def test_a_person_ranks_as_many_prompts_as_asked_for(base, capsys, tmp_path, monkeypatch):
    shutil.rmtree(base / "few", ignore_errors=True)
    data = lines_of(tmp_path / "data.jsonl", [{"prompt": text} for text in ("where?", "who?", "what?")])
    monkeypatch.setattr("sys.stdin", io.StringIO("q\n"))
    assert main(["rank", "base", "--root", str(base), "--name", "few", "--human", "--data", data, "--prompts", "2"]) == 0
    assert "0 rankings so far, 2 prompts to go" in unwrapped(capsys.readouterr().out)


@pytest.mark.parametrize("verb, of", [("finetune", talk), ("reward", pair)])
def test_nothing_is_said_if_nothing_is_left_out(does, tmp_path, verb, of):
    status, said, _ = does(verb, lines_of(tmp_path / "data.jsonl", [of(f"on {n}.") for n in range(9)]))
    assert status == 0 and "left out" not in said


@pytest.mark.parametrize("verb, of, fix", [
    ("finetune", talk, "1 of 9 conversations fits the context of 64 tokens, and 2 are needed"),
    ("reward", pair, "1 of 9 preference pairs fits the context of 64 tokens, and 2 are needed"),
    ("rlhf", lambda answer: pair("yes", prompt=answer + LONG), "none of 9 prompts fits the context of 64 tokens with 8"),
])
def test_too_few_that_fit_are_refused_before_training(does, tmp_path, verb, of, fix):
    status, said, folder = does(verb, lines_of(tmp_path / "data.jsonl", [of(LONG) for _ in range(8)] + [of("on.")]))
    assert status == 2 and fix in said and "use shorter ones, or pretrain with --model.context" in said
    assert not re.search(STEP, said) and not folder.exists()


def ranking(ranks, answer="yes"):
    return {"prompt": [{"role": "user", "content": "where?"}], "responses": [answer, "no"], "ranks": ranks,
            "rater": "simulated"}


@pytest.mark.parametrize("held_out, fix", [
    ([ranking([1, 1])] * 3, "held_out.jsonl has 0 held-out rankings that are not all ties; 1 or more are needed"),
    ([ranking([1, 2], LONG)] * 3, "none of 3 held-out rankings fits the context"),
])
def test_held_out_rankings_that_measure_nothing_are_refused(base, capsys, held_out, fix):
    shutil.rmtree(base / "new", ignore_errors=True)
    shutil.copytree(base / "base", base / "new", ignore=shutil.ignore_patterns("reward", "results.json", "fingerprints.json"))
    content = json.loads((base / "new" / "run.json").read_text(encoding="utf-8"))
    del content["data"]["reward"]
    (base / "new" / "run.json").write_text(json.dumps(content), encoding="utf-8")
    (base / "new" / "rank").mkdir()
    lines_of(base / "new" / "rank" / "rankings.jsonl", [ranking([1, 2])] * 6)
    lines_of(base / "new" / "rank" / "held_out.jsonl", held_out)
    assert main(["reward", "new", "--root", str(base), *FEW]) == 2
    assert fix in capsys.readouterr().err and not (base / "new" / "reward").exists()
    lines_of(base / "new" / "rank" / "held_out.jsonl", [ranking([1, 2]), ranking([1, 1]), ranking([1, 2], LONG)])
    assert main(["reward", "new", "--root", str(base), *FEW]) == 0
    said = unwrapped(capsys.readouterr().out)
    assert "reward: 1 of 3 held-out rankings are ties and were left out" in said
    assert "reward: 1 of 2 held-out rankings are longer" in said


def test_pairs_of_equal_answers_teach_nothing(does, tmp_path):
    same, other = pair("on.", "on."), pair("on.")
    status, said, folder = does("reward", lines_of(tmp_path / "data.jsonl", [same] * 5 + [other]))
    assert status == 2 and "has 1 preference pairs that are not all ties; 2 or more" in said and not folder.exists()
    status, said, _ = does("reward", lines_of(tmp_path / "data.jsonl", [same] * 5 + [other] * 4))
    assert status == 0 and "reward: 5 of 9 preference pairs are ties and were left out" in said


def test_half_an_emoji_in_any_data_ends_nothing(base, capsys, tmp_path):
    """What is counted is counted as U+FFFD, which is what the model reads."""
    results = {}
    for name, half in (("half", HALF), ("whole", HALF.replace("\ud83d", "\ufffd"))):
        where = ["--root", str(tmp_path), "--quiet", *FEW]
        text = lines_of(tmp_path / "text.jsonl", [{"text": TEXT[:300] + half * 9} for _ in range(20)])
        talks = lines_of(tmp_path / "talks.jsonl", [talk(half * n) for n in range(1, 8)])
        pairs = lines_of(tmp_path / "pairs.jsonl", [pair(half * n, prompt=half) for n in range(1, 8)])
        for verb, *words in (("pretrain", "--name", name, "--data", text, *TINY), ("finetune", name, "--data", talks),
                             ("reward", name, "--data", pairs), ("rlhf", name)):
            assert main([verb, *words, *where]) == 0, capsys.readouterr().err
        assert main(["generate", name, half, "--root", str(tmp_path), "--max-new-tokens", "2"]) == 0
        results[name] = {**read_results(tmp_path / name), "seconds": None}
    assert results["half"] == results["whole"]


def test_a_stage_whose_data_are_gone_is_not_measured_and_the_others_are(base, capsys):
    shutil.rmtree(base / "new", ignore_errors=True)
    shutil.copytree(base / "base", base / "new")
    content = json.loads((base / "new" / "run.json").read_text(encoding="utf-8"))
    (base / "broken.txt").write_bytes(b"caf\xe9")
    content["data"].update(pretrain=str(base / "broken.txt"), reward=str(base / "nothing.jsonl"))
    (base / "new" / "run.json").write_text(json.dumps(content), encoding="utf-8")
    assert main(["eval", "new", "--root", str(base)]) == 0
    said = capsys.readouterr().out
    assert "pretrain: not measured" in said and "invalid UTF-8" in said
    assert "reward: not measured" in said and "nothing.jsonl: no such file" in said
    assert "tokenizer.vocab_size" in said and "note: " not in said and main(["report", "new", "--root", str(base)]) == 0


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_fingerprint_is_the_hash_of_the_records_as_one_list(tmp_path, count):
    """Runs keep it, so it must not depend on how it is computed."""
    records = [{"text": f"é {n}"} for n in range(count)]
    path = lines_of(tmp_path / "text.jsonl", records)
    whole = json.dumps([record["text"] for record in records])
    assert fingerprint_of(BY_NAME["pretrain"], path) == hashlib.sha256(whole.encode()).hexdigest()


def test_data_that_changed_are_measured_with_a_note(base, capsys):
    shutil.rmtree(base / "new", ignore_errors=True)
    shutil.copytree(base / "base", base / "new")
    content = json.loads((base / "new" / "run.json").read_text(encoding="utf-8"))
    content["data"]["pretrain"] = str(base / "later.txt")
    (base / "new" / "run.json").write_text(json.dumps(content), encoding="utf-8")
    for text, noted in ((TEXT, 0), (TEXT + "more", 1)):
        (base / "later.txt").write_text(text, encoding="utf-8")
        assert main(["eval", "new", "--root", str(base)]) == 0
        assert capsys.readouterr().out.count("later.txt is not what the pretrain of") == noted


def test_a_folder_is_told_once_and_resumes_as_the_same_data(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    for name in ("a.txt", "b.txt", "c.html"):
        (tmp_path / "data" / name).write_text(TEXT, encoding="utf-8")
    (tmp_path / "data" / "latin.txt").write_bytes(b"caf\xe9")
    where = ["--root", str(tmp_path), "--data", str(tmp_path / "data")]
    assert main(["pretrain", *where, "--name", "new", *FEW, *TINY]) == 0
    said = unwrapped(capsys.readouterr().out)
    assert said.count("read 2 files, skipped 2 (1 .html, 1 not readable)") == 1
    assert said.count("latin.txt: invalid UTF-8") == 1
    assert main(["tokenizer", "new", *where, "--resume"]) == 0      # made by pretrain, from the same data
    assert "done before" in capsys.readouterr().out
    (tmp_path / "data" / "b.txt").write_text("other", encoding="utf-8")
    assert main(["tokenizer", "new", *where, "--resume"]) == 2
    assert "is not what the tokenizer" in capsys.readouterr().err
    assert main(["tokenizer", *where, "--name", "alone", "--vocab-size", "300"]) == 0
    assert unwrapped(capsys.readouterr().out).count("read 2 files") == 1


def test_a_pipe_as_a_configuration_is_refused(tmp_path, capsys):
    os.mkfifo(tmp_path / "run.toml")
    assert main(["run", "--config", str(tmp_path / "run.toml"), "--root", str(tmp_path)]) == 2
    assert "run.toml: is a named pipe" in capsys.readouterr().err
