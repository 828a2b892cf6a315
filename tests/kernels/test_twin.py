"""Which rung MINILLM_KERNELS picks, and the line that announces compilation."""

import os
import subprocess
import sys

import pytest

from minillm.kernels.announce import LINE

TINY = """
import numba
import numpy as np
from minillm.kernels.embedding import embedding_backward

@numba.njit
def of_someone_else(x):
    return x + 1

of_someone_else(1)
for dtype in (np.float32, np.float64):
    embedding_backward(np.ones((1, 2), dtype), np.zeros(1, np.int32), np.zeros((1, 2), dtype))
"""
LEVELS = """
from numba.core import config, event

class Levels(event.Listener):
    def on_start(self, event):
        print(event.data["dispatcher"].py_func.__qualname__, int(config.OPT))

    def on_end(self, event):
        pass

import minillm.kernels.announce
event.register("numba:compile", Levels())
""" + TINY + "print('then', int(config.OPT))"
RUNGS = """
from minillm.kernels import attention, attention_loops, matmul, matmul_loops, norm
for kernel, loops in ((attention.attention_forward, attention_loops.attention_forward),
                      (matmul.matmul_nt, matmul_loops.matmul_nt), (norm.rmsnorm_forward, None)):
    rung = 'plain' if kernel is kernel.plain else 'loops' if kernel is loops else 'compiled'
    print(rung, kernel.loops is loops)
"""


def python(program, **variables):
    """(stdout, stderr) of a new process, in which the kernels' variables are as given."""
    kept = {name: value for name, value in os.environ.items()
            if name not in ("MINILLM_KERNELS", "MINILLM_MATMUL", "NUMBA_DISABLE_JIT")}
    environment = {**kept, "PYTHONPATH": os.pathsep.join(sys.path), **variables}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True,
                          text=True)
    return done.stdout, done.stderr


@pytest.mark.parametrize("rung", ["plain", "loops", "compiled"])
def test_the_rung_that_is_asked_for(rung):
    """Attention and the products have a middle rung; a norm runs its compiled loops there."""
    printed, _ = python(RUNGS, MINILLM_KERNELS=rung)
    norm = "plain" if rung == "plain" else "compiled"
    assert printed.splitlines() == [f"{rung} True", f"{rung} True", f"{norm} True"]


def test_an_unknown_rung():
    _, errors = python("import minillm.kernels.norm", MINILLM_KERNELS="fast")
    assert errors.splitlines()[-1] == ("ValueError: MINILLM_KERNELS is 'fast'; it must be one of "
                                       "plain, loops, compiled")


def test_compilation_is_announced_once_and_reading_the_cache_is_not(tmp_path):
    """One line at the first start, for two kernels; none for other functions or at the second start."""
    errors = [python(TINY, NUMBA_CACHE_DIR=str(tmp_path))[1] for _ in range(2)]
    assert errors == [LINE + "\n", ""]


@pytest.mark.parametrize("variables", [{"MINILLM_KERNELS": "plain"}, {"NUMBA_DISABLE_JIT": "1"}])
def test_nothing_is_announced_where_no_kernel_is_compiled(tmp_path, variables):
    assert python(TINY, NUMBA_CACHE_DIR=str(tmp_path), **variables)[1] == ""


@pytest.mark.parametrize("asked, ours, others", [(None, 1, 3), ("0", 0, 0), ("2", 1, 2)])
def test_kernels_are_compiled_with_fewer_passes_and_other_functions_as_numba_is_told(tmp_path, asked, ours, others):
    variables = {} if asked is None else {"NUMBA_OPT": asked}
    printed, _ = python(LEVELS, NUMBA_CACHE_DIR=str(tmp_path), **variables)
    levels = [line.split() for line in printed.splitlines()]
    assert levels[0] == ["of_someone_else", str(others)] and levels[-1] == ["then", str(others)]
    assert levels[1:-1] == [["embedding_backward", str(ours)]] * 2
