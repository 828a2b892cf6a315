"""The settings of threads and memory stand before numba is imported, and the user's own stay."""

import ctypes
import os
import subprocess
import sys

import pytest

from minillm.kernels import threads

PROGRAM = """
import importlib.abc, os, sys

class Watch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == 'numba':
            print(os.environ.get('GOMP_SPINCOUNT'))

sys.meta_path.insert(0, Watch())
import minillm.kernels.matmul
"""


@pytest.mark.parametrize("variables, expected", [
    ({}, threads.SPINS), ({"GOMP_SPINCOUNT": "77"}, "77"), ({"MINILLM_MATMUL": "blas"}, "0")])
def test_the_spin_count_is_set_before_numba_is_imported(variables, expected):
    kept = {name: value for name, value in os.environ.items()
            if name not in ("GOMP_SPINCOUNT", "MINILLM_MATMUL")}
    environment = {**kept, "PYTHONPATH": os.pathsep.join(sys.path), **variables}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True,
                          text=True)
    assert (done.stdout, done.stderr) == (expected + "\n", "")


def test_twice_is_as_once(monkeypatch):
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    threads.prepare_process()
    before = dict(os.environ)
    threads.prepare_process()
    assert dict(os.environ) == before


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_a_libc_without_mallopt_is_no_error(monkeypatch, platform):
    """musl lacks the function; a static Python cannot open its own libc."""
    def cannot_open(name):
        raise OSError(name)
    monkeypatch.setattr(sys, "platform", platform)
    for libc in (lambda name: object(), cannot_open):
        monkeypatch.setattr(ctypes, "CDLL", libc)
        threads.prepare_process()
