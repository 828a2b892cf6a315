"""The same run gives the same bytes in every process, with one thread and with two."""

import os
import subprocess
import sys
from pathlib import Path

RUN = """
import hashlib, sys
from pathlib import Path
sys.path.insert(0, "tests")
import numba
from training.test_resume import FolderRecorder, pretrain, reward_model, rlhf, state
for phase in (pretrain, reward_model, rlhf):
    folder = Path(sys.argv[1]) / phase.__name__
    phase(FolderRecorder(folder, quiet=True))
    result = state(folder)
    print(phase.__name__, hashlib.sha256(repr(sorted(result.items())).encode()).hexdigest())
print("threads", numba.get_num_threads(), file=sys.stderr)
"""


def run(folder, threads, seed):
    """What each phase leaves, as hashes, from a process of its own."""
    environment = {**os.environ, "NUMBA_NUM_THREADS": str(threads), "PYTHONHASHSEED": str(seed)}
    done = subprocess.run([sys.executable, "-c", RUN, str(folder)], cwd=Path(__file__).resolve().parents[2],
                          env={**environment, "PYTHONPATH": "."}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert f"threads {threads}" in done.stderr
    return done.stdout


def test_results_depend_neither_on_the_process_nor_on_the_threads(tmp_path):
    """A sum that is split among threads, or a set that is iterated, gives other digits each time."""
    one = run(tmp_path / "one", threads=1, seed=1)
    assert len(one.splitlines()) == 3
    assert run(tmp_path / "two", threads=2, seed=2) == one
