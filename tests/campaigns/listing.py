"""The campaign's list of mutants: which files, how many of each, and what names a mutant."""

import ast
import collections
import fnmatch
import random
from pathlib import Path
from typing import NamedTuple

from operators import changes
from wiring import WIRING

ROOT = Path(__file__).resolve().parents[2]

SCOPE = ["minillm/layers/*.py", "minillm/losses/*.py", "minillm/optim/*.py",
         "minillm/objectives/*.py", "minillm/training/loop.py", "minillm/training/trainer.py",
         "minillm/training/recorder.py", "minillm/phases/*.py", "minillm/model/sampling.py",
         "minillm/model/decoding.py", "minillm/model/scoring.py", "minillm/text/batches.py"]


class Mutant(NamedTuple):
    """One mistake in one file."""
    file: str
    line: int
    operator: str
    where: str          # the function; for wiring, the mistake in words
    old: str            # the lines it changes
    new: str
    text: str           # the whole file with the mistake

    @property
    def kind(self):
        """Where it comes from."""
        return "wiring" if self.operator == "wiring" else "generated"

    @property
    def key(self):
        """What names the mutant wherever its line has moved to."""
        return " | ".join([self.file, self.where, self.old, self.new])


def files_in_scope():
    """The files that mistakes are made in, by their path in the project."""
    return [path.relative_to(ROOT).as_posix() for glob in SCOPE for path in sorted(ROOT.glob(glob))
            if path.stat().st_size]


def sources_in_scope():
    """{file: source}"""
    return {file: (ROOT / file).read_text(encoding="utf-8") for file in files_in_scope()}


def edited(file, source, operator, where, start, end, text):
    """The Mutant that has `text` in place of the source's bytes from start to end."""
    raw = source.encode()
    new = raw[:start] + text.encode() + raw[end:]
    first, after = raw.rfind(b"\n", 0, start) + 1, raw.find(b"\n", end)
    rest = len(raw) - after if after >= 0 else 0        # bytes behind the lines that change
    old_lines, new_lines = (" ".join(part[first:len(part) - rest].decode().split())
                            for part in (raw, new))
    leading = len(raw[start:end]) - len(raw[start:end].lstrip())
    return Mutant(file, raw.count(b"\n", 0, start + leading) + 1, operator, where,
                  old_lines, new_lines, new.decode())


def is_mutant(mutant, source):
    """Whether it compiles, into something else than the source."""
    try:
        compile(mutant.text, mutant.file, "exec")
    except SyntaxError:
        return False
    return ast.dump(ast.parse(mutant.text)) != ast.dump(ast.parse(source))


def generated(file, source, count, seed):
    """`count` mutants of one file, at most one a line and operator, the operators by turns."""
    rng = random.Random(f"{seed} {file}")
    places = {}
    for change in changes(source):
        mutant = edited(file, source, *change)
        places.setdefault((mutant.line, mutant.operator), []).append(mutant)
    picked = [rng.choice(mutants) for mutants in places.values()]
    rng.shuffle(picked)
    turn, turns = collections.Counter(), []
    for mutant in picked:
        turns.append(turn[mutant.operator])
        turn[mutant.operator] += 1
    found = {}
    for _, mutant in sorted(zip(turns, picked), key=lambda pair: pair[0]):
        if len(found) < count and mutant.key not in found and is_mutant(mutant, source):
            found[mutant.key] = mutant
    return list(found.values())


def by_hand(sources):
    """The mutants of wiring.py.

    Raises:  ValueError for an entry whose text is not there exactly once.
    """
    mutants = []
    for file, old, new, mistake in WIRING:
        found = sources[file].count(old) if file in sources else 0
        if found != 1:
            raise ValueError(f"wiring.py: {file} holds this {found} times, it must be once: "
                             f"{old!r} ({mistake})")
        start = len(sources[file].partition(old)[0].encode())
        mutants.append(edited(file, sources[file], "wiring", mistake, start,
                              start + len(old.encode()), new))
    return mutants


def all_mutants(count, seed, only="*"):
    """Those of wiring.py and about `count` generated ones: the same each time for one seed.

    A file gets its share by its length, and one mutant at least.
    only: a glob of files, or "wiring", or "generated".
    """
    sources = sources_in_scope()
    lines = {file: source.count("\n") for file, source in sources.items()}
    mutants = by_hand(sources)
    for file, source in sources.items():
        share = max(1, round(count * lines[file] / sum(lines.values())))
        mutants += generated(file, source, share, seed)
    return [m for m in mutants if fnmatch.fnmatch(m.file, only) or m.kind == only]
