"""Does it start where nothing can be written, with damaged cache entries, and beside itself?

    python tests/campaigns/surroundings.py              everything: some minutes
    python tests/campaigns/surroundings.py --short      one small kernel in place of generation and training

Copies the package to a folder that nobody may write to, and runs it there (root gives up its right to
write everywhere): with and without a temporary folder, with cache entries emptied and cut, and in four processes
that fill one cache at once. Prints lines of a Markdown table; exit status 1 if anything failed.
"""

import argparse
import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DROP, OVERRIDE_MODES = 24, 1     # prctl's PR_CAPBSET_DROP, Linux's CAP_DAC_OVERRIDE
KERNEL = """
import numpy as np
from minillm.kernels.embedding import embedding_backward
into = embedding_backward(np.ones((2, 3), np.float32), np.zeros(2, np.int32), np.zeros((1, 3), np.float32))
assert (into == 2).all()
"""
GENERATE = """
import tiny
model = tiny.model(fresh=True)
text = model.generate("the cat", max_new_tokens=5, seed=0)
outcome = model.adjust_weights(model.predict_next(model.tokenizer.encode("the c")), 7, lr=0.001)
assert isinstance(text, str) and outcome.loss > 0
"""
PRETRAIN = """
from minillm.cli import main
from pathlib import Path
Path("text.txt").write_text("the cat sat on the mat. the dog sat on the log. " * 200)
status = main("pretrain --data text.txt --steps 2 --pretrain.rows 2 --kind characters --validation-every 2".split())
assert status in (0, None), status
"""
NO_TEMPORARY = "import tempfile; tempfile.tempdir = {!r}\n"


def obey_modes():
    """Give up root's right to write to what its mode forbids, before the interpreter starts."""
    if ctypes.CDLL(None).prctl(DROP, OVERRIDE_MODES, 0, 0, 0):
        raise OSError("prctl: root cannot give up CAP_DAC_OVERRIDE")


class Place:
    """A copy of the package and of the tests' tiny model that nobody can write to."""

    def __init__(self, folder):
        self.folder = folder
        folder.chmod(0o755)
        shutil.copytree(ROOT / "minillm", folder / "package" / "minillm", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "tests" / "tiny.py", folder / "package")
        self.work, self.temporary = folder / "work", folder / "temporary"
        for free in (self.work, self.temporary):
            free.mkdir()
            free.chmod(0o777)
        self.protect(folder / "package", 0o555)

    @staticmethod
    def protect(folder, mode):
        """Set the mode of a folder and of all folders below it."""
        for path, _, _ in os.walk(folder):
            os.chmod(path, mode)

    def start(self, program, cache=None):
        """Start Python here, without a home that can be written to."""
        kept = {name: value for name, value in os.environ.items()
                if name not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME") and not name.startswith("MINILLM_")}
        env = {**kept, "HOME": str(self.folder / "package"), "TMPDIR": str(self.temporary),
               "PYTHONPATH": str(self.folder / "package"), "PYTHONDONTWRITEBYTECODE": "1"}
        if cache is not None:
            env["NUMBA_CACHE_DIR"] = str(cache)
        return subprocess.Popen([sys.executable, "-c", program], cwd=self.work, env=env, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                preexec_fn=obey_modes if os.name == "posix" and os.getuid() == 0 else None)

    def lines(self, program, **options):
        """What our own lines on stderr say; raises RuntimeError if the program failed."""
        process = self.start(program, **options)
        _, errors = process.communicate(timeout=1800)
        if process.returncode:
            raise RuntimeError(f"exit status {process.returncode}: {errors[-2000:]}")
        return re.findall("minillm: compiling[^\r\n]*", errors)      # it may follow a line of progress


def nothing_can_be_written(place, program):
    """The first start says where the kernels are kept; the second finds them."""
    first, second = place.lines(program), place.lines(program)
    assert len(first) == 1 and "minillm-kernels-" in first[0] and second == [], (first, second)


def not_even_temporary_files(place, program):
    """Each start compiles, and says so in one line."""
    program = NO_TEMPORARY.format(str(place.folder / "package")) + program
    for _ in range(2):
        lines = place.lines(program)
        assert len(lines) == 1 and "at each start" in lines[0], lines


def damaged_entries(place, program):
    """Each entry in turn emptied, cut and with one byte changed; the next start mends it."""
    cache = place.work / "cache"
    place.lines(program, cache=cache)
    entries = {path: path.read_bytes() for path in sorted(cache.rglob("*.kernel"))}
    for damage in (lambda data: b"", lambda data: data[:100], lambda data: data[:500] + b"\xff" + data[501:]):
        for path, data in entries.items():
            path.write_bytes(damage(data))
        assert len(place.lines(program, cache=cache)) == 1
        assert place.lines(program, cache=cache) == []
    assert entries, "no entry was written"


def four_at_once(place, program):
    """Processes that fill one cache at the same time."""
    cache = place.work / "shared"
    processes = [place.start(program, cache=cache) for _ in range(4)]
    for process in processes:
        _, errors = process.communicate(timeout=1800)
        assert process.returncode == 0, errors[-2000:]
    assert place.lines(program, cache=cache) == []
    assert all(path.suffix == ".kernel" for path in cache.rglob("*") if path.is_file()), "strays"


CHECKS = (nothing_can_be_written, not_even_temporary_files, damaged_entries, four_at_once)


def main(arguments=None):
    """Print one line for each check and program; 1 if any failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="one small kernel alone")
    options, failed = parser.parse_args(arguments), 0
    programs = {"one kernel": KERNEL}
    if not options.short:
        programs |= {"generate": GENERATE, "pretrain": PRETRAIN}
    print("| surroundings | program | result |\n|---|---|---|")
    for name, program in programs.items():
        for check in CHECKS:
            with tempfile.TemporaryDirectory() as folder:
                place = Place(Path(folder))
                try:
                    check(place, program)
                    result = "runs"
                except (AssertionError, RuntimeError) as error:
                    result, failed = f"FAILS: {' '.join(str(error).split())[-300:]}", failed + 1
                Place.protect(folder, 0o755)
            print(f"| {check.__name__.replace('_', ' ')} | {name} | {result} |", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
