"""The test suite with every index checked: compiled code reads beyond an array without a word.

    python tests/campaigns/bounds.py                    the whole suite
    python tests/campaigns/bounds.py tests/kernels      a part of it

On one thread, as numba loses an error that is raised inside a parallel loop. Prints one line of a
Markdown table; the exit status is pytest's.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHECKED = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_NUM_THREADS": "1"}


def main(arguments=None):
    """Run pytest with the checks, in a cache of its own, and print its last line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tests", nargs="*", default=["tests"], help="files or folders of tests")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, "-m", "pytest", *options.tests], cwd=ROOT, capture_output=True,
                              text=True, env={**os.environ, **CHECKED, "NUMBA_CACHE_DIR": folder})
    if done.returncode:
        print(done.stdout[-20_000:], done.stderr[-5_000:], file=sys.stderr)
    result = next((line for line in reversed(done.stdout.splitlines()) if re.search("[0-9] (passed|failed|error)", line)), "?")
    print(f"| {' '.join(options.tests)} | {' '.join(f'{k}={v}' for k, v in CHECKED.items())} | {result.strip('= ')} |")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
