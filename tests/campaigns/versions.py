"""The test suite with the lowest versions that setup.cfg states, and with other interpreters.

    python tests/campaigns/versions.py                                  the lowest versions
    python tests/campaigns/versions.py --newest --python python3.12     the newest, another interpreter
    python tests/campaigns/versions.py tests/kernels tests/losses       a part of the suite

Makes a virtual environment, installs the packages, runs pytest there with a cache of its own. Prints
one line of a Markdown table; the exit status is pytest's. Without --python it takes the interpreter
that runs it; numba's lowest version has no wheel for newer ones.
"""

import argparse
import configparser
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BOUND = re.compile(r"^([A-Za-z0-9_.-]+) *>= *([0-9.]+)$")


def requirements(text):
    """What setup.cfg requires, and its tests: lines as pip reads them, without marked ones."""
    parsed = configparser.ConfigParser()
    parsed.read_string(text)
    lines = (parsed["options"]["install_requires"] + parsed["options.extras_require"]["test"]).splitlines()
    return [line.strip() for line in lines if line.strip() and ";" not in line]


def lowest(text):
    """The same, each pinned to its lower bound.

    Raises:  ValueError if one has no bound.
    """
    pinned = []
    for line in requirements(text):
        bound = BOUND.match(line)
        if not bound:
            raise ValueError(f"setup.cfg: {line!r} has no lower bound; write {line} >= VERSION")
        pinned.append("{}=={}".format(*bound.groups()))
    return pinned


def main(arguments=None):
    """Install, test, print the line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="the interpreter")
    parser.add_argument("--newest", action="store_true", help="the newest versions in place of the lowest")
    parser.add_argument("tests", nargs="*", default=["tests"], help="files or folders of tests")
    options = parser.parse_args(arguments)
    text = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    packages = requirements(text) if options.newest else lowest(text)
    with tempfile.TemporaryDirectory() as folder:
        place, binaries = Path(folder) / "venv", "Scripts" if os.name == "nt" else "bin"
        subprocess.run([options.python, "-m", "venv", str(place)], check=True)
        python = str(place / binaries / "python")
        subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
        done = subprocess.run([python, "-m", "pytest", "-p", "no:cacheprovider", *options.tests], cwd=ROOT,
                              capture_output=True, text=True,
                              env={**os.environ, "NUMBA_CACHE_DIR": str(Path(folder) / "kernels"), "PYTHONPATH": str(ROOT)})
        version = subprocess.run([python, "-c", "import platform; print(platform.python_version())"],
                                 capture_output=True, text=True).stdout.strip()
        installed = subprocess.run([python, "-m", "pip", "freeze"], capture_output=True, text=True).stdout.split()
    if done.returncode:
        print(done.stdout[-20_000:], done.stderr[-5_000:], file=sys.stderr)
    names = [re.split("[ >=]", package)[0].lower() for package in packages]
    kept = [line.replace("==", " ") for line in installed if line.split("==")[0].lower() in names]
    result = next((line for line in reversed(done.stdout.splitlines()) if re.search("[0-9] (passed|failed|error)", line)), "?")
    print(f"| {version} | {', '.join(kept)} | {' '.join(options.tests)} | {result.strip('= ')} |")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
