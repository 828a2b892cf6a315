"""Fill what the lessons include: source by symbol, outcomes and tables of experiments, the table of claims.

    python lessons/refresh.py                 write it into the texts
    python lessons/refresh.py --check         write nothing; exit with status 1 and a line for each text that differs,
                                              and for each record that its script would not make now
    python lessons/refresh.py --run --full    run every script first, with --record: this makes the table anew
    python lessons/refresh.py --run           run every script in its default size, for the seconds that it takes

The table of claims is CLAIMS.md. In a text, a fenced block with the info string `python source=minillm/layers/norm.py:norm_forward`
holds that symbol's source, one with `results` holds what lessons/results/ has of that lesson, and one with `text log=NAME` holds
lessons/results/NAME.txt: what the lesson's recorded run printed inside `with w.table(NAME)`.
A record is old where the prediction or what was found has other words or other constants (seeds, sizes) than the script
has: it must be made anew. A plain sentence without figures of a run is taken from the script as it is.
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
LOG = re.compile(r"^```text log=(\S+)\n.*?^```$", re.DOTALL | re.MULTILINE)
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


def log_of(name):
    """What a recorded run printed into a table."""
    path = LESSONS / "results" / f"{name}.txt"
    return path.read_text(encoding="utf-8").rstrip("\n") if path.exists() else "not recorded yet"


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


def outcomes_of(script):
    """({claim: {"prediction", "found", "plainly": expression}} of a script, its constants)."""
    body, said = ast.parse(script), {}
    for call in ast.walk(body):
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "outcome":
            _, claim, prediction, found, *_ = call.args
            named = {keyword.arg: keyword.value for keyword in call.keywords}
            said[ast.literal_eval(claim)] = {"prediction": prediction, "found": found,
                                             "plainly": named.get("plainly", ast.Constant(""))}
    return said, constants_of(body.body)


def sentence_for(plainly, judged):
    """The expression of the plain sentence for an outcome: of a dictionary, the one that goes with it."""
    if isinstance(plainly, ast.Dict):
        keys = [getattr(key, "value", None) for key in plainly.keys]
        return plainly.values[keys.index(judged)] if judged in keys else ast.Constant("")
    return plainly


def retold(script, rows):
    """Rows of the claims that a script has, with its plain sentences as they are now.

    A sentence that has what a run alone can tell stays as it was recorded.
    """
    said, known = outcomes_of(script)
    for row in (row for row in rows if row["claim"] in said):
        plainly = sentence_for(said[row["claim"]]["plainly"], row["outcome"])
        names = evaluated(ast.Module([ast.Assign([ast.Name("said", ast.Store())], plainly)], []), known)
        yield {**row, "plainly": names["said"]} if names and isinstance(names["said"], str) else row


def old_records(script, rows):
    """Which recorded outcomes a script would not make now: a line for each."""
    said, known = outcomes_of(script)
    kept = {row["claim"]: {"plainly": "", **row} for row in rows}
    for claim in said.keys() & kept.keys():
        said[claim]["plainly"] = sentence_for(said[claim]["plainly"], kept[claim].get("outcome"))
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


def command_of(row):
    """The command that recorded an outcome."""
    return f"python lessons/{row['lesson']}.py" + (" --full" if row["size"] == "full" else "") + " --record"


def as_text(rows):
    """Recorded outcomes as the body of a results block, after the command that made them; with samples, where there are."""
    made = "".join(f"{command}\n" for command in dict.fromkeys(map(command_of, rows)))
    return made + "\n\n".join(f"claim {row['claim']}\n  predicted  {row['prediction']}\n  found      {row['found']}\n"
                              f"  outcome    {row['outcome']}" + (f"\n  plainly    {row['plainly']}" if row.get("plainly") else "")
                              + "".join(f"\n  {line}" for line in row.get("figures", {}).get("samples", ()))
                              for row in rows) or "not recorded yet"


def filled(text, lesson):
    """A lesson's text with its sources, tables and results as they are now."""
    text = SOURCE.sub(lambda m: f"```python source={m[1]}:{m[2]}\n{source_of(m[1], m[2])}\n```", text)
    text = LOG.sub(lambda m: f"```text log={m[1]}\n{log_of(m[1])}\n```", text)
    return RESULTS.sub(lambda m: f"```results\n{as_text(results_of(lesson))}\n```", text)


def claims_table():
    """The table of claims: one row an outcome, in the order of the claims."""
    rows = [row for path in sorted((LESSONS / "results").glob("[0-9]*.json")) for row in results_of(path.stem)]
    rows.sort(key=lambda row: (int(re.match(r"\d+", row["claim"])[0]), row["claim"]))
    lines = ["| claim | lesson | in one sentence | outcome | predicted | found | picture |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        shown = f"[picture](pictures/{row['picture']})" if row["picture"] else ""
        cells = (row["claim"], f"[{row['lesson'][:2]}]({row['lesson']}.md)", row.get("plainly", ""), f"**{row['outcome']}**",
                 row["prediction"], row["found"], shown)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def texts():
    """(path, text as it stands, text as it should be) of every lesson and of the table."""
    for path in sorted(LESSONS.glob("[0-9][0-9]_*.md")):
        text = path.read_text(encoding="utf-8")
        yield path, text, filled(text, path.stem)
    path = LESSONS / "CLAIMS.md"
    text = path.read_text(encoding="utf-8")
    yield path, text, TABLE.sub(lambda m: m[1] + claims_table() + "\n" + m[2], text)


def retell():
    """Write into the records the plain sentences that the scripts have now, and leave out claims that they have no more."""
    for path in sorted((LESSONS / "results").glob("[0-9]*.json")):
        rows, script = results_of(path.stem), LESSONS / f"{path.stem}.py"
        new = list(retold(script.read_text(encoding="utf-8"), rows)) if script.exists() else []
        if [row.get("plainly", "") for row in new] != [row.get("plainly", "") for row in rows]:
            path.write_text(json.dumps(new, indent=1) + "\n", encoding="utf-8")


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
    if not args.check:
        retell()
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
