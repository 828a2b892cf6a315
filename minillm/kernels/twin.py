"""Pairs every compiled kernel with the plain NumPy function that says what it means."""

import os
import zlib
from functools import wraps
from pathlib import Path
from types import FunctionType

import numba

# No nnan and no ninf: NaN and infinity must stay visible in a loss curve.
FASTMATH = {"reassoc", "contract", "nsz"}


def stamped(function, suffix=""):
    """A copy of a function with a name, under which numba caches it, that changes with any file of this folder.

    numba looks at the function's own file alone, and would go on with a helper's old code from another file.
    """
    files = sorted(Path(__file__).parent.glob("*.py"))
    stamp = zlib.crc32(b"".join(file.read_bytes() for file in files))
    copy = wraps(function)(FunctionType(function.__code__, function.__globals__, function.__name__,
                                        function.__defaults__, function.__closure__))
    copy.__qualname__ = f"{function.__name__}{suffix}_{stamp:08x}"
    return copy


def plain_kernels():
    """True when MINILLM_KERNELS=plain asks for the NumPy twins, to step through them."""
    choice = os.environ.get("MINILLM_KERNELS", "compiled")
    if choice not in ("compiled", "plain"):
        raise ValueError(f"MINILLM_KERNELS is {choice!r}; it must be 'compiled' or 'plain'")
    return choice == "plain"


def compile_loops(loops, parallel, suffix=""):
    """numba's compiler with the settings that all kernels share."""
    return numba.njit(parallel=parallel, cache=True, fastmath=FASTMATH, error_model="numpy")(stamped(loops, suffix))


def twin(plain, parallel=False, few=None):
    """Compile a loop kernel, or put its plain twin of the same signature in its place.

    few(*args): whether the work is too little for more than one thread: to start the others takes some
    microseconds, as long as a norm of 50 tokens. The same loops are then run by one, with the same results.
    The compiled function keeps the twin as `.plain`, so that a test can hold the two together.
    With NUMBA_DISABLE_JIT=1 the loops themselves run in Python, for a debugger.
    """
    def choose(loops):
        if plain_kernels():
            chosen = plain
        elif few is None:
            chosen = compile_loops(loops, parallel)
        else:
            many, one = compile_loops(loops, parallel), compile_loops(loops, False, "_alone")

            @wraps(loops)
            def chosen(*args):
                return one(*args) if few(*args) else many(*args)
        chosen.plain = plain
        chosen.__doc__ = plain.__doc__
        return chosen
    return choose


def parallel(kernel):
    """Compile a kernel that has no twin of its own: its blocks (numba.prange) run on all threads."""
    return compile_loops(kernel, True)


def inline(helper):
    """Compile a helper that kernels alone call: without the wrappers for Python, which take time to compile.

    It is part of each kernel that calls it, and is kept in the cache there, not by itself: so two processes that
    compile different kernels write different entries.
    """
    return numba.njit(fastmath=FASTMATH, error_model="numpy", no_cpython_wrapper=True,
                      no_cfunc_wrapper=True)(helper)
