"""Branch coverage of the package: every test as usual, and again with kernels as Python.

    python tests/campaigns/covered.py               some 20 minutes; needs: pip install coverage

Compiled code cannot be watched. So the tests of kernels, layers, losses and decoding run a second time with
NUMBA_DISABLE_JIT=1, where the loops of the kernels run as Python; the two runs are combined.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AS_PYTHON = ["tests/kernels", "tests/layers", "tests/losses", "tests/optim", "tests/model", "tests/text"]


def main():
    with tempfile.TemporaryDirectory() as place:
        for name, words, jit in (("python", AS_PYTHON, {"NUMBA_DISABLE_JIT": "1"}), ("usual", ["tests"], {})):
            subprocess.run([sys.executable, "-m", "coverage", "run", "--branch", "--source", "minillm", "--data-file",
                            f"{place}/.coverage.{name}", "-m", "pytest", "-q", *words],
                           cwd=ROOT, env={**os.environ, **jit}, check=True)
        data = ["--data-file", f"{place}/.coverage"]
        subprocess.run([sys.executable, "-m", "coverage", "combine", *data, place], cwd=ROOT, check=True)
        return subprocess.run([sys.executable, "-m", "coverage", "report", *data, "--skip-covered", "--show-missing",
                               "--fail-under", "95"], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
