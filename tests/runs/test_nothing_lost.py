"""What a user has made is kept, whatever stops the work; and nothing is gone on with in silence."""

import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys

import pytest

from minillm.cli import main
from minillm.phases.rank import Ranking, append_ranking, cut_torn_line, read_rankings, read_records
from minillm.runs import plan as planning
from minillm.runs.config import load_config
from minillm.runs.data import RANKINGS
from minillm.runs.folder import read_results
from minillm.runs.lock import LOCK, locked
from minillm.runs.plan import Plan, working
from minillm.runs.run import has_begun, is_done
from minillm.runs.stages import BY_NAME
from minillm.training import trainer
from minillm.training.checkpoint import steps_in
from minillm.training.recorder import FolderRecorder

WORDS = "the cat sat on a mat and then a dog came to see what it was doing there all day long".split()
TINY = "--vocab-size 270 --layers 1 --width 16 --heads 2 --kv-heads 1 --hidden 16 --context 48 --rows 2".split()


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "text.txt"
    path.write_text(" ".join(WORDS[(7 * i + i // 5) % len(WORDS)] for i in range(2000)), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def made(texts, tmp_path_factory):
    """The root of a run, `first`, that was pretrained and fine-tuned; tests work on copies."""
    root = tmp_path_factory.mktemp("made")
    talk = root / "talk.jsonl"
    talk.write_text("".join(json.dumps({"messages": [
        {"role": "user", "content": "where?"}, {"role": "assistant", "content": f"mat {n}"}]}) + "\n"
        for n in range(8)), encoding="utf-8")
    base = ["--root", str(root / "runs"), "--quiet", "--steps", "2"]
    assert main(["pretrain", *base, "--name", "first", "--data", texts, *TINY]) == 0
    assert main(["finetune", "first", *base, "--rows", "2", "--data", str(talk)]) == 0
    return root / "runs"


@pytest.fixture
def run(made, tmp_path):
    """A copy of `first`, to be changed."""
    shutil.copytree(made, tmp_path / "runs")
    return tmp_path / "runs" / "first"


def refused(capsys, *argv, status=2):
    capsys.readouterr()
    assert main([str(word) for word in argv]) == status
    said = capsys.readouterr().err
    assert re.fullmatch(r"minillm: [^\n]+\n", said), said
    return said


RANKED = [Ranking([{"role": "user", "content": f"question {n}"}], ["a", "b"], [1, 2]) for n in range(3)]


def by_hand(folder, rater="human"):
    (folder / "rank").mkdir(exist_ok=True)
    for ranking in RANKED:
        append_ranking(folder / "rank" / RANKINGS, ranking, rater)
    return folder / "rank" / RANKINGS


# Rankings that a person gave

def test_rankings_of_a_person_are_never_replaced(run, capsys):
    before = by_hand(run).read_bytes()
    for flags in (["--resume"], ["--simulated", "--resume"]):
        said = refused(capsys, "rank", run, *flags, "--rank.prompts", "3")
        assert "a person gave" in said or "--name NEW" in said
    said = refused(capsys, "rank", run, "--resume")
    assert f"minillm rank {run} --human" in said and f"minillm reward {run}" in said
    assert (run / "rank" / RANKINGS).read_bytes() == before


def test_a_torn_last_line_costs_that_line_alone(tmp_path):
    path = by_hand(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"prompt": [{"ro')
    assert read_rankings(path) == RANKED and len(read_records(path)) == 3
    assert cut_torn_line(path) == '{"prompt": [{"ro' and path.read_bytes() == whole
    path.write_bytes(whole[:-1])                    # an editor that writes no last line end tears nothing
    assert cut_torn_line(path) == "" and path.read_bytes() == whole
    path.write_bytes(whole.replace(b"[1, 2]", b"[1, 2", 1))
    with pytest.raises(ValueError, match="line 1: broken JSON"):
        read_rankings(path)


def test_a_full_disk_while_ranking_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = by_hand(tmp_path)
    before = path.read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError) as caught:
        append_ranking(path, RANKED[0], "human")
    assert caught.value.filename == str(path) and path.read_bytes() == before


def test_ctrl_c_while_ranking_by_hand_prints_the_command_that_goes_on(run, capsys, monkeypatch, tmp_path):
    prompts = tmp_path / "my prompts.jsonl"
    prompts.write_text('{"prompt": "one"}\n{"prompt": "two"}\n', encoding="utf-8")
    from minillm.terminal import rank
    monkeypatch.setattr(rank, "responses_to", lambda *_: ["x", "y", "x", "z"])
    lines = iter(["abc"])

    def line(_):
        for text in lines:
            return text
        raise KeyboardInterrupt
    monkeypatch.setattr(rank, "read_line", line)
    said = refused(capsys, "rank", run, "--human", "--data", prompts, "--quiet", status=130)
    command = shlex.split(said.split("go on with: ")[1])
    assert command == ["minillm", "rank", str(run), "--human", f"--data={prompts}"]
    assert len(read_rankings(run / "rank" / RANKINGS)) == 1
    lines = iter(["cba", "q"])
    assert main(command[1:]) == 0
    assert [r.ranks for r in read_rankings(run / "rank" / RANKINGS)] == [[1, 2, 1, 3], [3, 2, 3, 1]]


# Ctrl-C, and the command that goes on

def interrupt_at(monkeypatch, step, number=signal.SIGINT):
    """Send a signal to this process while `step` is evaluated for the log."""
    add = FolderRecorder.add

    def added(self, record):
        if record["step"] == step:
            signal.raise_signal(number)
        add(self, record)
    monkeypatch.setattr(FolderRecorder, "add", added)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no SIGHUP")
def test_a_signal_in_the_last_step_ends_the_command_with_the_step_saved(name, texts, tmp_path, capsys, monkeypatch, request):
    number = getattr(signal, name)
    if signal.getsignal(number) == signal.SIG_IGN:      # nohup: what it ignores stays ignored
        signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)
        request.addfinalizer(lambda: signal.signal(number, signal.SIG_IGN))
    interrupt_at(monkeypatch, 2, number)
    said = refused(capsys, "pretrain", "--root", tmp_path / "my runs", "--quiet", "--steps", "3", "--data", texts, *TINY,
                   status=130)
    monkeypatch.undo()
    folder = tmp_path / "my runs" / "run-001"
    assert [path.name for path in steps_in(folder / "pretrain")] == ["step-000003"]
    assert not is_done(folder, "pretrain")
    command = shlex.split(said.split("go on with: ")[1])
    assert command == ["minillm", "pretrain", str(folder), "--resume"]
    assert main([*command[1:], "--quiet"]) == 0
    assert is_done(folder, "pretrain")


def test_ctrl_c_before_anything_is_saved_leaves_nothing_and_promises_nothing(texts, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(trainer, "train", lambda *_, **__: signal.raise_signal(signal.SIGINT) or
                        signal.raise_signal(signal.SIGINT))
    said = refused(capsys, "pretrain", "--root", tmp_path / "runs", "--quiet", "--data", texts, *TINY, status=130)
    assert "nothing was saved" in said and "--resume" not in said
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_ctrl_c_inside_other_errors_is_a_ctrl_c(texts, tmp_path, capsys, monkeypatch):
    def wrapped(*_, **__):
        try:
            try:
                raise KeyboardInterrupt
            except KeyboardInterrupt as error:
                raise SystemError("returned a result with an exception set") from error
        except SystemError as error:
            raise ValueError("failed in nopython mode pipeline") from error
    monkeypatch.setattr(trainer, "train", wrapped)
    assert "interrupted" in refused(capsys, "pretrain", "--root", tmp_path, "--quiet", "--data", texts, *TINY, status=130)


SCRIPT = """
import os, signal, sys
from minillm.training.interrupt import handled_by, quit_now
handled_by(quit_now)
import numpy as np
from numba.core import event
from minillm.kernels.twin import serial

class Stop(event.Listener):
    def on_start(self, event):
        if event.data["dispatcher"] is kernel:
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)
    def on_end(self, _):
        pass

@serial
def kernel(x):
    return x + 1
event.register("numba:compile", Stop())
try:
    kernel(np.ones(3))
    kernel(3)
except KeyboardInterrupt:
    assert kernel.signatures, "the compilation was not finished"
    sys.exit(7)
"""


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT", "0") != "0", reason="nothing is compiled")
def test_a_signal_amid_a_compilation_waits_for_its_end(tmp_path):
    """An exception in one of LLVM's calls back into Python would be swallowed, or end the process with a crash."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "MINILLM_KERNELS": "compiled"}
    assert subprocess.run([sys.executable, "-c", SCRIPT], env=environment).returncode == 7


def test_a_signal_that_is_ignored_stays_ignored(monkeypatch):
    from minillm.training.interrupt import Interruptible
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with Interruptible() as interrupt:
            signal.raise_signal(signal.SIGTERM)
            assert not interrupt.asked
            signal.raise_signal(signal.SIGINT)
            assert interrupt.asked
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGTERM, before)


# Two processes

def test_a_second_process_is_refused_and_told_the_first_ones_id(run, capsys):
    program = ("import sys, time; from minillm.runs.lock import locked\n"
               f"with locked({str(run)!r}): print('locked', flush=True); sys.stdin.read()")
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout.readline().strip() == b"locked"
        before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.name != LOCK}
        for verb in ("finetune", "pretrain"):
            assert f"in use by process {first.pid}" in refused(capsys, verb, run, "--resume", "--quiet")
        assert {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.name != LOCK} == before
        first.kill()
    with locked(run):
        assert (run / LOCK).read_text() == str(os.getpid())
    assert not (run / LOCK).exists()


def test_what_another_process_did_since_the_plan_is_not_done_again(run):
    config, data = load_config(run)
    chosen = Plan(run, None, False, config, data, None)
    with pytest.raises(ValueError, match="has its finetune already"):
        with working(chosen, [BY_NAME["finetune"]], quiet=True):
            raise AssertionError("not reached")


# Resumed, but not in silence

@pytest.mark.parametrize("change, named", [
    (lambda saved: saved.update(seed=1), "seed = 0"),
    (lambda saved: saved["data"].pop("finetune"), "embedded world"),
])
def test_what_a_stage_was_begun_with_is_compared(run, capsys, change, named):
    edit(run / "results.json", lambda results: results["seconds"].pop("finetune"))
    edit(run / "run.json", change)
    (run / "fingerprints.json").unlink()
    assert named in refused(capsys, "finetune", run, "--resume", "--quiet")


def test_another_base_model_under_a_begun_fine_tuning_is_refused(run, capsys):
    edit(run / "results.json", lambda results: results["seconds"].pop("finetune"))
    (step,) = steps_in(run / "pretrain")
    shutil.copy(run / "finetune" / "step-000002" / "model.safetensors", step / "model.safetensors")
    (step / "SHA256SUMS").unlink()
    assert "was begun with pretrain = " in refused(capsys, "finetune", run, "--resume", "--quiet")


def edit(path, change):
    values = json.loads(path.read_text(encoding="utf-8"))
    change(values)
    path.write_text(json.dumps(values), encoding="utf-8")


def test_results_say_what_they_were_made_from(run):
    made = read_results(run)["made"]
    assert set(made) == {"tokenizer", "pretrain", "finetune"}
    for stage, entry in made.items():
        assert {"seed", "data", "configuration", "numpy", "numba", "processor", "threads"} <= entry.keys()
        assert all(re.fullmatch("[0-9a-f]{64}", value) for value in [entry["data"], *entry["left"].values()]), stage
    assert made["finetune"]["pretrain"] == made["pretrain"]["left"]["pretrain"]
    assert made["tokenizer"]["data"] == made["pretrain"]["data"] != made["finetune"]["data"]


# Broken files of a run

FILES = ["run.json", "results.json", "fingerprints.json", "finetune/metrics.jsonl"]
BROKEN = ["[]", "null", "{", "3", "", "[" * 100_000, '{"a": 1, "a": 2}', "\x00\xff"]


@pytest.mark.parametrize("name, text", [
    *((name, text) for name in FILES for text in BROKEN),
    ("run.json", '{"data": {"pretrain": 3}}'), ("run.json", '{"data": {"pretrian": "x"}}'), ("run.json", '{"seed": "x"}'),
    ("results.json", '{"seconds": 3}'), ("results.json", '{"seconds": {"pretrain": "x"}}'), ("results.json", '{"pretrain": 3}'),
    ("fingerprints.json", '{"pretrain": 3}'), ("fingerprints.json", '{"pretrian": "x"}'),
    ("finetune/metrics.jsonl", '{"step": "x"}'), ("finetune/metrics.jsonl", '{"loss": 3}')])
def test_a_broken_file_is_one_line_that_names_it(run, capsys, name, text):
    edit(run / "results.json", lambda results: results["seconds"].pop("finetune"))
    (run / name).write_bytes((text + "\n").encode("latin-1"))
    assert (run / name).name in refused(capsys, "finetune", run, "--resume", "--quiet")


def test_a_broken_list_of_samples_is_made_again(tmp_path):
    from minillm.report.samples import PARTS, fresh_samples
    path = tmp_path / "samples.json"
    for text in ("[]", "{", "null", '{"next": 3}', "[" * 10_000):
        path.write_text(text, encoding="utf-8")
        assert fresh_samples(tmp_path, lambda: dict.fromkeys(PARTS)) == dict.fromkeys(PARTS)


def test_a_stage_whose_files_are_gone_can_be_done_again(run, capsys):
    shutil.rmtree(run / "finetune")
    assert not has_begun(run, BY_NAME["finetune"])
    assert main(["finetune", str(run), "--resume"]) == 0
    assert "finetune: what it left is gone, so it is done again" in capsys.readouterr().out
    assert steps_in(run / "finetune") and is_done(run, "finetune")


def test_data_that_were_moved_can_be_given_by_their_new_place(run, capsys, tmp_path):
    edit(run / "results.json", lambda results: results["seconds"].pop("finetune"))
    place = json.loads((run / "run.json").read_text(encoding="utf-8"))["data"]["finetune"]
    moved = shutil.copy(place, tmp_path / "moved.jsonl")
    edit(run / "run.json", lambda saved: saved["data"].update(finetune=str(tmp_path / "gone.jsonl")))
    assert "give its new place with --data" in refused(capsys, "finetune", run, "--resume", "--quiet")
    assert main(["finetune", str(run), "--resume", "--quiet", "--data", str(moved)]) == 0


# Failures of other kinds

def test_a_step_that_failed_by_numbers_leaves_nothing_half_made(texts, tmp_path, capsys):
    said = refused(capsys, "pretrain", "--root", tmp_path, "--quiet", "--steps", "4", "--lr", "1e38", "--data", texts, *TINY,
                   status=1)
    assert "not finite" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="a pipe of the shell")
def test_training_goes_on_when_nobody_reads_any_more(texts, tmp_path):
    argv = [sys.executable, "-m", "minillm", "tokenizer", "--root", str(tmp_path), "--data", texts, "--vocab-size", "270"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        child.stdout.close()
        said = child.stderr.read()
    assert (child.returncode, said) == (0, b"")
    assert (tmp_path / "run-001" / "tokenizer.json").exists()


def test_name_and_resume_of_another_run_contradict(run, capsys):
    assert "leave one out" in refused(capsys, "finetune", run, "--name", "new", "--resume")


# What else is in a run's folder, or happens to it

def test_a_verb_that_ends_early_removes_only_what_it_made(run, capsys):
    (run / "notes.md").write_text("mine")
    (run / "thesis").mkdir()
    config, data = load_config(run)
    chosen = Plan(run, None, False, config, data, None)
    with pytest.raises(RuntimeError), working(chosen, [BY_NAME["reward"]], resume=True, quiet=True):
        (run / "reward").mkdir()
        (run / "theirs.txt").write_text("made meanwhile by somebody else")
        raise RuntimeError
    assert not (run / "reward").exists()
    assert all((run / name).exists() for name in ("notes.md", "thesis", "theirs.txt", "run.json", "finetune"))


def test_a_run_that_is_moved_while_it_trains_ends_and_is_not_split_in_two(texts, tmp_path, capsys, monkeypatch):
    add, moved = FolderRecorder.add, tmp_path / "moved"

    def added(self, record):
        if record["step"] == 2:
            (tmp_path / "run-001").rename(moved)
        add(self, record)
    monkeypatch.setattr(FolderRecorder, "add", added)
    said = refused(capsys, "pretrain", "--root", tmp_path, "--quiet", "--steps", "6", "--save-every", "2", "--data", texts,
                   *TINY)
    assert "was moved or removed" in said
    assert not (tmp_path / "run-001").exists() and [step.name for step in steps_in(moved / "pretrain")] == ["step-000002"]


def test_the_newest_run_is_the_one_that_was_trained_last(run):
    from minillm.runs.run import newest_run
    other = run.parent / "other"
    shutil.copytree(run, other)
    later = (run / "run.json").stat().st_mtime_ns + 10**9
    os.utime(other / "run.json", ns=(later, later))
    (run / "report.html").write_text("a report is no training")
    assert newest_run(run.parent) == other


def test_a_copy_of_a_stage_that_is_being_trained_is_whole(run, tmp_path, monkeypatch):
    source = run / "finetune"
    (source / ".writing").mkdir()
    shutil.copytree(source / "step-000002", source / "step-000001")
    planning.copy_training(source, tmp_path / "copy")
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == ["metrics.jsonl", "step-000002"]
    copytree, calls = shutil.copytree, []

    def replaced(*args, **keywords):
        calls.append(args)
        if len(calls) == 1:
            (source / "step-000002").rename(source / "step-000003")
            (tmp_path / "again").mkdir()
            raise shutil.Error([("a", "b", "gone")])
        return copytree(*args, **keywords)
    monkeypatch.setattr(shutil, "copytree", replaced)
    planning.copy_training(source, tmp_path / "again")
    assert steps_in(tmp_path / "again")[0].name == "step-000003"


def test_a_hint_is_quoted_for_the_shell():
    from minillm.runs.hints import command
    assert command("reward", "my runs/a") == "minillm reward 'my runs/a'"
    assert command("rank", "-x/a", "--data=-p.jsonl") == "minillm rank ./-x/a --data=-p.jsonl"


def test_training_goes_on_when_its_progress_cannot_be_shown(tmp_path, monkeypatch):
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError
    monkeypatch.setattr(sys, "stderr", Gone())
    recorder = FolderRecorder(tmp_path / "phase")
    with recorder.recording(3, 0):
        for step in range(3):
            recorder.add({"step": step, "loss": 1.0, "weight": 1.0, "seconds": 1.0})
            recorder.show("a sample")
    assert len((tmp_path / "phase" / "metrics.jsonl").read_text().splitlines()) == 3


def test_undo_takes_the_last_ranking_though_a_blank_line_follows(tmp_path, capsys):
    from minillm.terminal.rank import undo
    path = by_hand(tmp_path)
    path.write_text(path.read_text(encoding="utf-8") + "   \n", encoding="utf-8")
    undo(path, read_records(path))
    assert read_rankings(path) == RANKED[:2]


@pytest.mark.parametrize("results", ['{"pretrain": {"probes": 5}}', '{"pretrain": {"val_loss": "x", "uniform_loss": 1}}'])
def test_a_report_of_odd_results_is_one_line(run, capsys, results):
    (run / "results.json").write_text(results, encoding="utf-8")
    assert "results.json" in refused(capsys, "report", run)


def test_a_run_without_a_text_is_no_text(run, capsys):
    assert "give a text after it" in refused(capsys, "generate", run)
