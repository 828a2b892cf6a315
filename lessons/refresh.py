"""Fill what the lessons include: source by symbol, outcomes of experiments, the table of claims.

    python lessons/refresh.py                 write it into the texts
    python lessons/refresh.py --check         write nothing; exit with status 1 and a line for each text that differs,
                                              and for each record that its script would not make now
    python lessons/refresh.py --run --full    run every script first, with --record: this makes the table anew
    python lessons/refresh.py --run           run every script in its default size, for the seconds that it takes

In a text, a fenced block with the info string `python source=minillm/layers/norm.py:norm_forward` holds that symbol's
source, and one with `results` holds what lessons/results/ has of that lesson. A record is old where the prediction or
what was found has other words or other constants (seeds, sizes) than the script has: it must be made anew.
"""

import argparse
import ast
import json
import re
import subprocess
import sys
import time
from pathlib import Path

LESSONS = Path(__file__).resolve().parent
ROOT = LESSONS.parent
SOURCE = re.compile(r"^```python source=(\S+):(\S+)\n.*?^```$", re.DOTALL | re.MULTILINE)
RESULTS = re.compile(r"^```results\n.*?^```$", re.DOTALL | re.MULTILINE)
TABLE = re.compile(r"(<!-- claims -->\n).*?(<!-- end of claims -->)", re.DOTALL)


def source_of(file, symbol):
    """The source text of a function, class, method or constant of a file.  Raises:  ValueError where it is not there."""
    text = (ROOT / file).read_text(encoding="utf-8")
    body, found = ast.parse(text).body, None
    for name in symbol.split("."):
        found = next((node for node in body if name in names_of(node)), None)
        if found is None:
            raise ValueError(f"{file} has no {symbol}")
        body = getattr(found, "body", [])
    first = min([found.lineno, *(decorator.lineno for decorator in getattr(found, "decorator_list", []))])
    lines = text.splitlines()[first - 1:found.end_lineno]
    indent = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[indent:] for line in lines)


def names_of(node):
    """The names that a statement defines."""
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return [getattr(node, "name", None)]


def results_of(lesson):
    """What was recorded of a lesson's experiments, claim by claim."""
    path = LESSONS / "results" / f"{lesson}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


class Full:
    """What a script's constants ask of the workbench, in its full size."""

    @staticmethod
    def pick(smoke, default, full=None):
        return default if full is None else full


def evaluated(code, known):
    """Run a piece of a script that needs nothing but what is known.  Returns the names known then, or None."""
    names = dict(known)
    try:
        exec(compile(ast.fix_missing_locations(code), "script", "exec"), {"__builtins__": {"len": len}}, names)
    except Exception:       # it asks for what a run alone can tell
        return None
    return names


def constants_of(body):
    """The CONSTANTS of a script in its full size, those that follow from literals and w.pick."""
    known = {"w": Full}
    for node in body:
        names = evaluated(ast.Module([node], []), known) if isinstance(node, ast.Assign) else None
        known.update({name: value for name, value in (names or {}).items() if name.isupper()})
    return known


def pattern_of(text, known):
    """A regular expression for what a string expression may come to: any text where a run alone can tell."""
    if isinstance(text, ast.Constant):
        return re.escape(text.value)
    if isinstance(text, ast.JoinedStr):
        return "".join(pattern_of(part, known) for part in text.values)
    if isinstance(text, ast.BinOp) and isinstance(text.op, ast.Add):
        return pattern_of(text.left, known) + pattern_of(text.right, known)
    whole = ast.JoinedStr([text]) if isinstance(text, ast.FormattedValue) else text
    names = evaluated(ast.Module([ast.Assign([ast.Name("said", ast.Store())], whole)], []), known)
    return re.escape(names["said"]) if names else ".*"


def old_records(script, rows):
    """Which recorded outcomes a script would not make now: a line for each."""
    body = ast.parse(script)
    known = constants_of(body.body)
    calls = [node.args for node in ast.walk(body) if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "outcome"]
    said = {ast.literal_eval(claim): {"prediction": prediction, "found": found} for _, claim, prediction, found, *_ in calls}
    kept = {row["claim"]: row for row in rows}
    for claim in sorted(said.keys() - kept.keys()):
        yield f"claim {claim}: not recorded"
    for claim in sorted(kept.keys() - said.keys()):
        yield f"claim {claim}: the script has no such claim"
    for claim in sorted(said.keys() & kept.keys()):
        other = [part for part, text in said[claim].items()
                 if not re.fullmatch(pattern_of(text, known), kept[claim][part], re.DOTALL)]
        if other:
            yield f"claim {claim}: the script has another {' and another '.join(other)} than was recorded"


def all_old_records():
    """A line for each recorded outcome, of any lesson, that its script would not make now."""
    for path in sorted(LESSONS.glob("[0-9][0-9]_*.py")):
        yield from (f"{path.name}: {line}" for line in old_records(path.read_text(encoding="utf-8"), results_of(path.stem)))


def as_text(rows):
    """Recorded outcomes as the body of a results block."""
    return "\n\n".join(f"claim {row['claim']}\n  predicted  {row['prediction']}\n  found      {row['found']}\n"
                       f"  outcome    {row['outcome']}" for row in rows) or "not recorded yet"


def filled(text, lesson):
    """A lesson's text with its sources and results as they are now."""
    text = SOURCE.sub(lambda m: f"```python source={m[1]}:{m[2]}\n{source_of(m[1], m[2])}\n```", text)
    return RESULTS.sub(lambda m: f"```results\n{as_text(results_of(lesson))}\n```", text)


def claims_table():
    """The table of claims: one row an outcome, in the order of the claims."""
    rows = [row for path in sorted((LESSONS / "results").glob("[0-9]*.json")) for row in results_of(path.stem)]
    rows.sort(key=lambda row: (int(re.match(r"\d+", row["claim"])[0]), row["claim"]))
    lines = ["| claim | lesson | predicted | found | outcome | picture |", "|---|---|---|---|---|---|"]
    for row in rows:
        shown = f"[picture](pictures/{row['picture']})" if row["picture"] else ""
        cells = (row["claim"], f"[{row['lesson'][:2]}]({row['lesson']}.md)", row["prediction"], row["found"],
                 f"**{row['outcome']}**", shown)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def texts():
    """(path, text as it stands, text as it should be) of every lesson and of the table."""
    for path in sorted(LESSONS.glob("[0-9][0-9]_*.md")):
        text = path.read_text(encoding="utf-8")
        yield path, text, filled(text, path.stem)
    path = LESSONS / "README.md"
    text = path.read_text(encoding="utf-8")
    yield path, text, TABLE.sub(lambda m: m[1] + claims_table() + "\n" + m[2], text)


def run_all(full, only):
    """Run the lessons' scripts, one after the other, and note the seconds that each took; the full ones are recorded."""
    noted = LESSONS / "results" / "seconds.json"
    seconds = json.loads(noted.read_text()) if noted.exists() else {}
    noted.parent.mkdir(exist_ok=True)
    for path in sorted(LESSONS.glob("[0-9][0-9]_*.py")):
        if only and path.stem[:2] not in only:
            continue
        began = time.perf_counter()
        subprocess.run([sys.executable, str(path), *(["--full", "--record"] if full else [])], check=True, cwd=ROOT)
        seconds.setdefault(path.stem, {})["full" if full else "default"] = round(time.perf_counter() - began)
        print(f"{path.name}: {seconds[path.stem]}", flush=True)
        noted.write_text(json.dumps(seconds, indent=1, sort_keys=True) + "\n")


def main(argv=None):
    """Run, fill or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, tell what differs")
    parser.add_argument("--run", action="store_true", help="run the scripts first")
    parser.add_argument("--full", action="store_true", help="in their full size")
    parser.add_argument("--only", nargs="*", metavar="NN", help="these lessons alone")
    args = parser.parse_args(argv)
    if args.run:
        run_all(args.full, args.only)
    differ = [(path, wanted) for path, text, wanted in texts() if text != wanted]
    for path, wanted in differ:
        print(f"{path.name}: {'differs' if args.check else 'written'}")
        if not args.check:
            path.write_text(wanted, encoding="utf-8")
    old = list(all_old_records())
    print("".join(f"{line}\n" for line in old), end="")
    return 1 if args.check and (differ or old) else 0


if __name__ == "__main__":
    sys.exit(main())
