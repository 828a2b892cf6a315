"""The same run gives the same bytes in every process, with one thread and with two."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numba

from training.test_resume import FolderRecorder, pretrain, reward_model, rlhf, state

RUN = """
import sys
sys.path.insert(0, "tests")
from pathlib import Path
import numba
from training.test_determinism import made
print(made(Path(sys.argv[1])))
print("threads", numba.get_num_threads(), file=sys.stderr)
"""


def made(root):
    """What each phase leaves, as hashes."""
    hashes = []
    for phase in (pretrain, reward_model, rlhf):
        phase(FolderRecorder(root / phase.__name__, quiet=True))
        hashes.append(hashlib.sha256(repr(sorted(state(root / phase.__name__).items())).encode()).hexdigest())
    return hashes


def test_results_depend_neither_on_the_process_nor_on_the_threads(tmp_path):
    """A sum that is split among threads, or a set that is iterated, gives other digits each time."""
    threads = 1 if numba.get_num_threads() > 1 else 2       # other than in this process
    done = subprocess.run([sys.executable, "-c", RUN, str(tmp_path / "other")], cwd=Path(__file__).resolve().parents[2],
                          env={**os.environ, "NUMBA_NUM_THREADS": str(threads), "PYTHONHASHSEED": "1", "PYTHONPATH": "."},
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert f"threads {threads}" in done.stderr
    assert str(made(tmp_path / "this")) == done.stdout.strip()
