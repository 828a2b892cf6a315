"""The script that stops before a training step: it gets there, and stops just there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "lessons" / "step_through.py"

# In place of a debugger's: it tells which line comes next, and stops nothing.
HOOK = """
import linecache, sys

def told():
    frame = sys._getframe(1)
    print("stops before:", linecache.getline(frame.f_code.co_filename, frame.f_lineno + 1).strip())
"""


def run(*words, **environment):
    """What the script prints, run by itself without a terminal."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), **environment}
    done = subprocess.run([sys.executable, *map(str, words)], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_without_a_terminal_it_runs_through():
    assert "Objective(loss" in run(SCRIPT, "pretrain")


@pytest.mark.parametrize("step,line", (("pretrain", "part = next_token_objective("), ("ppo", "part = policy_objective(")))
def test_it_stops_right_before_the_objective(step, line, tmp_path):
    (tmp_path / "hook.py").write_text(HOOK)
    program = (f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT / 'lessons')!r}]; "
               f"import hook, step_through; step_through.main([{step!r}, '--smoke']); print('now'); "
               f"sys.breakpointhook = hook.told; step_through.main([{step!r}])")
    smoke, stopped = run("-c", program).split("now\n")
    assert "Objective(loss" in smoke and f"stops before: {line}" in stopped


def test_the_launcher_runs_what_is_there():
    for each in json.loads((ROOT / ".vscode" / "launch.json").read_text())["configurations"]:
        program = each["program"].replace("${workspaceFolder}", str(ROOT))
        assert program == "${file}" or Path(program).is_file(), each["name"]
