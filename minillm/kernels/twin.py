"""Pairs every compiled kernel with the plain NumPy function that says what it means."""

import os
import zlib
from pathlib import Path

import numba

# No nnan and no ninf: NaN and infinity must stay visible in a loss curve.
FASTMATH = {"reassoc", "contract", "nsz"}


def stamped(function):
    """Let the name under which numba caches a function change with any file of this folder.

    numba looks at the function's own file alone, and would go on with a helper's old code from another file.
    """
    files = sorted(Path(__file__).parent.glob("*.py"))
    stamp = zlib.crc32(b"".join(file.read_bytes() for file in files))
    function.__qualname__ = f"{function.__name__}_{stamp:08x}"
    return function


def plain_kernels():
    """True when MINILLM_KERNELS=plain asks for the NumPy twins, to step through them."""
    choice = os.environ.get("MINILLM_KERNELS", "compiled")
    if choice not in ("compiled", "plain"):
        raise ValueError(f"MINILLM_KERNELS is {choice!r}; it must be 'compiled' or 'plain'")
    return choice == "plain"


def twin(plain, parallel=False):
    """Compile a loop kernel, or put its plain twin of the same signature in its place.

    The compiled function keeps the twin as `.plain`, so that a test can hold the two together.
    With NUMBA_DISABLE_JIT=1 the loops themselves run in Python, for a debugger.
    """
    def choose(loops):
        if plain_kernels():
            chosen = plain
        else:
            compiled = numba.njit(parallel=parallel, cache=True, fastmath=FASTMATH, error_model="numpy")
            chosen = compiled(stamped(loops))
        chosen.plain = plain
        chosen.__doc__ = plain.__doc__
        return chosen
    return choose


def parallel(kernel):
    """Compile a kernel that has no twin of its own: its blocks (numba.prange) run on all threads."""
    return numba.njit(parallel=True, cache=True, fastmath=FASTMATH, error_model="numpy")(stamped(kernel))


def inline(helper):
    """Compile a helper that kernels alone call: without the wrappers for Python, which take time to compile."""
    return numba.njit(cache=True, fastmath=FASTMATH, error_model="numpy", no_cpython_wrapper=True,
                      no_cfunc_wrapper=True)(stamped(helper))
