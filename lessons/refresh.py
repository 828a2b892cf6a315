"""Fill what the lessons include: source by symbol, outcomes of experiments, the table of claims.

    python lessons/refresh.py                 write it into the texts
    python lessons/refresh.py --check         write nothing; exit with status 1 and a line for each text that differs
    python lessons/refresh.py --run --full    run every script first, with --record: this makes the table anew
    python lessons/refresh.py --run           run every script in its default size, for the seconds that it takes

In a text, a fenced block with the info string `python source=minillm/layers/norm.py:norm_forward` holds that symbol's
source, and one with `results` holds what lessons/results/ has of that lesson.
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
    return 1 if args.check and differ else 0


if __name__ == "__main__":
    sys.exit(main())
