"""The recipe of minillm/README.md, executed: a new stage is one record and one file."""

import json
import re
import subprocess
import sys
from pathlib import Path

import minillm

PACKAGE = Path(minillm.__file__).parent
BLOCKS = re.findall(r"```python\n# (\S+)[^\n]*\n(.*?)```", (PACKAGE / "README.md").read_text(encoding="utf-8"), re.DOTALL)
TINY = ("--vocab-size 300 --layers 1 --width 32 --heads 2 --kv-heads 1 --hidden 64 --context 96 --steps 1 --rows 2").split()

# The record is put into the table before anything else reads it, as if it stood in the file.
PROGRAM = """
import sys, types
count = types.ModuleType("count")
exec({phase!r}, count.__dict__)
import minillm.runs.stages as table
from minillm.runs.stage import Stage
(stage,) = eval("(" + {record!r} + ")")
table.STAGES = (*table.STAGES[:2], stage, *table.STAGES[2:])
table.BY_NAME = {{each.name: each for each in table.STAGES}}
table.NUMBERS[stage.name] = stage.number
from minillm.cli import main
for words in {commands!r}:
    status = main(words)
    assert status == 0, words
"""


def test_the_recipe_of_another_stage_works_as_it_is_written(tmp_path):
    (phase_file, phase), (table_file, record) = BLOCKS
    assert (phase_file, table_file) == ("phases/count.py", "runs/stages.py,")
    assert max(map(len, (phase + record).splitlines())) <= 100
    (tmp_path / "text.txt").write_text("the cat sat on the mat, and then the dog came. " * 200, encoding="utf-8")
    root = ["--root", str(tmp_path / "runs"), "--quiet"]
    commands = [["pretrain", *root, "--name", "a", "--data", str(tmp_path / "text.txt"), *TINY], ["count", *root],
                ["count", *root, "--resume"], ["--help"], ["report", "--root", str(tmp_path / "runs")],
                ["eval", *root], ["count", "a", *root, "--name", "b"]]
    program = PROGRAM.format(phase=phase, record=record.strip(), commands=commands)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    results = json.loads((tmp_path / "runs" / "a" / "results.json").read_text(encoding="utf-8"))
    assert results["count"]["training"] == results["pretrain"]["tokens"] and results["count"]["held_out"] > 0
    copied = json.loads((tmp_path / "runs" / "b" / "results.json").read_text(encoding="utf-8"))
    assert copied["count"] == results["count"] and "minillm count [RUN]" in done.stdout
    assert "count the tokens of the text" in (tmp_path / "runs" / "a" / "report.html").read_text(encoding="utf-8")
