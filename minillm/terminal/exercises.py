"""`minillm lesson NN --check`: the checks of a lesson's exercises, run on what a reader wrote.

The functions to write are copied once into the reader's folder, without their hints. A function
that is still wrong at a later check earns one hint more, unless Python cannot read or name
something in it: no hint helps there.
"""

import ast
import sys
import textwrap
import traceback
import types
from pathlib import Path

from minillm.config import require
from minillm.formats.durable import write_atomically
from minillm.formats.json_file import read_json, write_json
from minillm.text.files import read_text

READERS = Path("runs") / "lessons"      # what a reader writes, in the reader's folder
SHOWN = "hints.json"                    # {lesson: {function: hints shown}}, beside the copies


def check(lessons, name):
    """Check a reader's functions of one lesson, and print a line for each.

    lessons: the folder of the lessons; name: of one of them, such as 06_attention.
    Returns the exit status: 0 if every function passes, otherwise 1.
    Raises:  ValueError if nothing is to be written in that lesson.
    """
    given, solved = (lessons / folder / f"{name}.py" for folder in ("exercises", "answers"))
    others = ", ".join(sorted(path.stem[:2] for path in given.parent.glob("[0-9][0-9]_*.py")))
    require(given.is_file(), f"lesson {name[:2]} has no function to write"
                             + (f"; these lessons have: {others}" if others else ""))
    mine = READERS / "exercises" / given.name
    is_new = not mine.exists()
    if is_new:
        mine.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(mine, without_hints(read_text(given)))
        print(f"copied to {mine}: write the functions there, then check again")
    sys.path.insert(0, str(lessons))    # answers may ask the workbench
    problems = problems_of(mine, vars(module_of(solved, without_tests)))
    wrong = [key for key, problem in problems.items() if problem]
    more = {key: int(not is_new and not isinstance(problems[key], Slip)) for key in wrong}
    earned = hints_earned(mine.with_name(SHOWN), name, more)
    hints = module_of(given).HINTS
    for key, problem in problems.items():
        print(f"  {key}: " + (problem or "ok").replace("\n", "\n      "))
        tell(hints[key] if isinstance(hints, dict) else hints, earned.get(key, 0), solved)
    print(f"{len(problems) - len(wrong)} of {len(problems)} right: {mine}")
    return 1 if wrong else 0


class Slip(str):
    """A problem with the writing, not with the exercise: a SyntaxError or a NameError."""

    __slots__ = ()


def problems_of(mine, answers):
    """What each check of the answers finds in a reader's file: {function: problem, or ""}."""
    checks = {key.removeprefix("check_"): value for key, value in answers.items()
              if key.startswith("check_")}
    try:
        written = module_of(mine)
    except Exception as error:          # the file may hold anything
        return dict.fromkeys(checks, said(error, mine))
    return {key: problem_of(value, getattr(written, key, None), mine)
            for key, value in checks.items()}


def tell(hints, number, solved):
    """Print the first hints; after the last of them, where a solution is."""
    lines = [f"hint {n} of {len(hints)}: {hint}" for n, hint in enumerate(hints, 1)]
    for line in [*lines, f"a solution is in {solved}"][:number]:
        print(textwrap.fill(line, 100, initial_indent=" " * 6, subsequent_indent=" " * 10,
                            break_long_words=False, break_on_hyphens=False))


def without_hints(source):
    """An exercise's source without its HINTS, which a reader would otherwise read at once."""
    lines = source.splitlines(keepends=True)
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "HINTS":
            first = node.lineno - 1
            while first and not lines[first - 1].strip():
                first -= 1              # the empty lines before it go too
            return "".join(lines[:first] + lines[node.end_lineno:])
    return source


def module_of(path, part=lambda statements: statements):
    """A Python file, or part of its statements, as a module.

    It is compiled anew: a file that was just changed must not come from a cache.
    """
    module, source = types.ModuleType(path.stem), ast.parse(read_text(path, may_be_empty=True))
    module.__file__, source.body = str(path), part(source.body)
    exec(compile(source, str(path), "exec"), vars(module))
    return module


def without_tests(statements):
    """The statements of worked answers that readers need: no tests, and no pytest."""
    return [node for node in statements
            if not getattr(node, "name", "").startswith("test_")
            and not (isinstance(node, ast.Import) and node.names[0].name == "pytest")]


def problem_of(check_it, function, path):
    """What is wrong with a reader's function, in words; "" if it passes its check."""
    if function is None:
        return f"not there: {path} has no function of this name"
    try:
        check_it(function)
    except NotImplementedError:
        return "not written yet"
    except Exception as error:          # a function of the reader's may raise anything
        return said(error, path)
    return ""


def said(error, path):
    """An error in words: the message of a failed check, or the error and its line in `path`.

    A Slip if it is a SyntaxError or a NameError.
    """
    if isinstance(error, SyntaxError):
        return Slip(f"line {error.lineno}: {error.msg}")
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, AssertionError):
        return str(error).strip() or f"{frames[-1].line} (line {frames[-1].lineno} of the check)"
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    words = (f"line {lines[-1]}: " if lines else "") + f"{type(error).__name__}: {error}"
    return Slip(words) if isinstance(error, NameError) else words


def hints_earned(path, name, more):
    """How many hints each wrong function has earned by now.

    more: {function: how many more than at the last check}, of the wrong ones.
    Returns {function: number}; a function that passes starts again at none.
    """
    every = read_json(path) if path.exists() else {}
    require(all(isinstance(counts, dict) and all(isinstance(n, int) for n in counts.values())
                for counts in every.values()),
            f"{path}: holds something other than numbers of hints; delete it to begin again")
    before = every.get(name, {})
    every[name] = {key: before.get(key, 0) + number for key, number in more.items()}
    write_json(path, every)
    return every[name]
