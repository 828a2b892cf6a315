"""Stop trainings in every way and at every time, and look at what is left.

    python tests/campaigns/stops.py                     200 kills, 100 signals, full disks, every step: some 20 minutes
    python tests/campaigns/stops.py --kills 5 --signals 0 --disks 0 --no-steps

kills       kill -9 at random times; afterwards every folder loads, at most one interval is lost, and when the training is
            resumed to its end its bytes are those of a training that was never stopped
signals     SIGINT, SIGTERM and SIGHUP at random times from the start of the process on, compilations included: status 130,
            one line, no traceback; the command that it names goes on to the same bytes
disks       no file may grow beyond a size: status 2, one line that names the file; the checkpoint before it loads
steps       each phase stopped after each of its steps, by Ctrl-C in the step and by an error before the next one
"""

import argparse
import json
import os
import random
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from minillm.cli import main as minillm
from minillm.runs.run import is_done
from minillm.training.checkpoint import load_checkpoint, steps_in
from minillm.training.recorder import FolderRecorder, read_metrics

WORDS = "the cat sat on a mat and then a dog came to see what it was doing there all day long".split()
MODEL = "--vocab-size 300 --layers 2 --width 32 --heads 2 --kv-heads 1 --hidden 48 --context 64".split()
COMMON = ["--rows", "4", "--micro-batches", "2", "--quiet"]
FLAGS = {
    "pretrain": [*MODEL, "--validation-every", "7"],
    "finetune": [],
    "reward": [],
    "rlhf": ["--max-new-tokens", "6", "--epochs", "3"],
}
MOMENTS = ("model.safetensors", "training.safetensors", "training.json", "config.json", "tokenizer.json")
CLOCK = ("seconds", "evaluate_seconds")


def write_data(place):
    """A text, conversations and comparisons, for trainings of some seconds."""
    text = " ".join(WORDS[(7 * i + i // 5) % len(WORDS)] for i in range(4000))
    (place / "pretrain.txt").write_text(text, encoding="utf-8")
    asked = [{"role": "user", "content": "Where is the cat?"}]
    for name, records in {
            "finetune": [{"messages": [*asked, {"role": "assistant", "content": f"On mat {n}."}]} for n in range(30)],
            "reward": [{"prompt": asked, "chosen": f"On mat {n}.", "rejected": f"Dog {n}"} for n in range(20)]}.items():
        (place / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return {"pretrain": place / "pretrain.txt", "finetune": place / "finetune.jsonl", "reward": place / "reward.jsonl"}


def words_of(stage, run, data, steps, every):
    """The words of a command that does one stage in the folder of a run, which may not exist."""
    source = ["--name", run.name, "--root", str(run.parent)] if stage == "pretrain" else [str(run)]
    given = ["--data", str(data[stage])] if stage in data else []
    return [stage, *source, *given, "--steps", str(steps), "--save-every", str(every), *COMMON, *FLAGS[stage]]


def prepare(place, data, steps, every):
    """For each stage: the run before it, and what the stage leaves when nothing stops it."""
    before, whole, source = {}, {}, place / "whole" / "run"
    for stage in FLAGS:
        before[stage] = None
        if stage != "pretrain":
            before[stage] = place / "before" / stage
            shutil.copytree(source, before[stage])
        assert minillm(words_of(stage, source, data, steps, every)) == 0
        whole[stage] = left(source / stage)
    return before, whole


def left(folder):
    """Everything that a stage left in its folder, but for the seconds that it took."""
    steps = steps_in(folder)
    records = [{key: value for key, value in record.items() if key not in CLOCK} for record in read_metrics(folder)]
    return {"metrics": records, "steps": [step.name for step in steps],
            **{name: (steps[-1] / name).read_bytes() for name in MOMENTS if steps}}


def assert_same(found, whole, where):
    """A training that was stopped left what one that was never stopped leaves; name what differs."""
    other = [name for name in whole if found.get(name) != whole[name]]
    detail = ""
    if "metrics" in other:
        detail = next((pair for pair in zip(found["metrics"], whole["metrics"]) if pair[0] != pair[1]),
                      (len(found["metrics"]), len(whole["metrics"])))
    if "training.json" in other:
        detail = found["training.json"], whole["training.json"]
    assert not other, f"{where}: {', '.join(other)} differ from those of a training that was never stopped {detail}"


def begin(place, stage, before):
    """The folder for a new trial: a copy of the run before the stage; nothing before the first stage."""
    run = place / "trial" / "run"
    shutil.rmtree(run.parent, ignore_errors=True)
    run.parent.mkdir()
    if before[stage] is not None:
        shutil.copytree(before[stage], run)
    return run


def start(words, **keywords):
    """The command as a process of its own."""
    return subprocess.Popen([sys.executable, "-m", "minillm", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                            text=True, **keywords)


def check_left(run, stage, every, where):
    """After a stop: every checkpoint's folder loads, and at most one interval is lost."""
    folder = run / stage
    for step in steps_in(folder):
        load_checkpoint(step)
    done = int(steps_in(folder)[-1].name[5:]) if steps_in(folder) else 0
    lost = len(read_metrics(folder)) - done
    assert lost <= every, f"{where}: {lost} steps are lost, with a checkpoint every {every}"
    strays = [path for path in run.rglob(".writing*")] if run.exists() else []
    assert len(strays) <= 2, f"{where}: {strays}"
    return lost


def kills(place, data, before, whole, count, steps, every, rng):
    """kill -9 at random times.  Returns a row of the table."""
    done, finished, lost, kept = 0, 0, [], 0
    while done < count:
        for stage in FLAGS:
            run, words = begin(place, stage, before), words_of(stage, place / "trial" / "run", data, steps, every)
            while done < count:
                reached = len(read_metrics(run / stage))
                wanted = rng.randrange(reached, steps + 1)  # the kill comes some time after this step is logged, or never
                child = start(words)
                metrics = run / stage / "metrics.jsonl"
                while child.poll() is None and not (metrics.exists() and metrics.read_bytes().count(b"\n") > wanted):
                    time.sleep(0.002)
                time.sleep(rng.random() * 0.05)
                child.kill()
                child.communicate()
                if child.returncode == 0:
                    break
                assert child.returncode == -9
                done += 1
                lost.append(check_left(run, stage, every, f"kill {done} in {stage}"))
                kept += bool(steps_in(run / stage))
                if not run.exists() or not (run / "run.json").exists():
                    shutil.rmtree(run, ignore_errors=True)
                    words = words_of(stage, run, data, steps, every)
                elif steps_in(run / stage):
                    words = [stage, str(run), "--resume", "--quiet"]
                else:
                    run = begin(place, stage, before)
            if done < count or child.returncode == 0:
                assert_same(left(run / stage), whole[stage], f"{stage}, kill {done}")
                finished += 1
    return (f"kill -9 | {done} | {kept} had a checkpoint, 0 did not load; at most {max(lost)} steps of an interval of {every} "
            f"were lost; {finished} trainings resumed to their end, all with the bytes of one never stopped |")


def signals(place, data, before, whole, count, steps, every, rng):
    """One signal at a random time from the start of the process on.  Returns a row of the table."""
    early, stopped, ended, went_on = 0, 0, 0, 0
    began = time.perf_counter()
    assert start(words_of("pretrain", begin(place, "pretrain", before), data, steps, every)).wait() == 0
    longest = time.perf_counter() - began
    for number in range(count):
        stage = list(FLAGS)[number % len(FLAGS)]
        run = begin(place, stage, before)
        there = sorted(run.parent.rglob("*"))
        cache = {"NUMBA_CACHE_DIR": str(place / f"cache-{number}")} if number % 5 == 0 else {}      # compile again
        child = start(words_of(stage, run, data, steps, every), env={**os.environ, **cache})
        time.sleep(rng.random() * longest * (8 if cache else 1))
        kind = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[number % 3]
        child.send_signal(kind)
        _, said = child.communicate()
        shutil.rmtree(place / f"cache-{number}", ignore_errors=True)
        said = re.sub("minillm: compiling kernels[^\n]*\n", "", said)
        if child.returncode == 0 or (child.returncode == -kind and is_done(run, stage)):
            ended += 1
            continue
        if child.returncode in (-kind, 1) and "minillm: " not in said:
            early += 1          # Python had not yet come to the program: nothing is begun
            assert sorted(run.parent.rglob("*")) == there, (child.returncode, kind, said)
            continue
        # Python itself ends by SIGINT, which a shell calls 130, where a KeyboardInterrupt came through exec().
        assert child.returncode in (130, -signal.SIGINT) and re.fullmatch("minillm: interrupted[^\n]*\n", said), (child.returncode, said)
        stopped += 1
        check_left(run, stage, every, f"signal {number}")
        if "go on with" in said:
            words = shlex.split(said.split("go on with: ")[1])
            assert start(words[1:]).wait() == 0
            assert_same(left(run / stage), whole[stage], f"{stage}: {words}")
            went_on += 1
        else:
            assert sorted(run.parent.rglob("*")) == there, "nothing was saved, so nothing may be left"
    return (f"SIGINT, SIGTERM, SIGHUP | {count} | {stopped} ended with status 130 and one line, {ended} came after the end, "
            f"{early} before Python had loaded the program; {went_on} commands of the hint went on to the same bytes |")


def disks(place, data, before, whole, count, steps, every, rng):
    """No file may grow beyond a size.  Returns a row of the table."""
    refused = 0
    for number in range(count):
        stage = list(FLAGS)[number % len(FLAGS)]
        run = begin(place, stage, before)
        size = int(10 ** rng.uniform(2.0, 5.2))
        child = start(words_of(stage, run, data, steps, every),
                      preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
        _, said = child.communicate()
        if child.returncode == 0:
            continue
        said = "".join(line for line in said.splitlines(True) if not line.startswith("minillm: compiling"))
        assert child.returncode == 2 and re.fullmatch("minillm: [^\n]+\n", said) and str(run.parent) in said, (size, said)
        refused += 1
        check_left(run, stage, every, f"size {size}")
        if steps_in(run / stage):
            assert minillm([stage, str(run), "--resume", "--quiet"]) == 0
            assert_same(left(run / stage), whole[stage], f"{stage} after a file of at most {size} bytes")
    return f"files of at most 100 to 160,000 bytes | {count} | {refused} ended with status 2 and one line that names the file |"


class Stop(Exception):
    """An error between two steps."""


def each_step(place, data, before, whole, steps, every):
    """Stop every phase at every step, in this process.  Returns a row of the table."""
    count, add = 0, FolderRecorder.add
    for stage in FLAGS:
        for stop in range(steps):
            for kind in ("Ctrl-C", "error"):
                run = begin(place, stage, before)

                def added(self, record):
                    if record["step"] == stop and kind == "error":
                        raise Stop
                    if record["step"] == stop:
                        signal.raise_signal(signal.SIGINT)
                    add(self, record)
                FolderRecorder.add = added
                try:
                    assert minillm(words_of(stage, run, data, steps, every)) == 130
                except Stop:
                    pass
                finally:
                    FolderRecorder.add = add
                if steps_in(run / stage):
                    assert minillm([stage, str(run), "--resume", "--quiet"]) == 0
                    assert_same(left(run / stage), whole[stage], f"{stage}, {kind} at step {stop}")
                    count += 1
    return f"stops at every step of every phase | {count} | all resumed to the bytes of a training never stopped |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--signals", type=int, default=100)
    parser.add_argument("--disks", type=int, default=60)
    parser.add_argument("--no-steps", action="store_true", help="leave out the stops at every step")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng, steps, every = random.Random(args.seed), 20, 3
    signal.signal(signal.SIGINT, signal.default_int_handler)    # a script's background processes ignore it
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        data = write_data(place)
        before, whole = prepare(place, data, steps, every)
        print("| what | times | result |\n|---|---|---|", flush=True)
        for run, count in ((kills, args.kills), (signals, args.signals), (disks, args.disks)):
            if count:
                print("| " + run(place, data, before, whole, count, steps, every, rng), flush=True)
        if not args.no_steps:
            print("| " + each_step(place, data, before, whole, steps, every), flush=True)


if __name__ == "__main__":
    main()
