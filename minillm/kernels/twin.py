"""A kernel's three versions, its rungs: plain NumPy that defines it, readable loops, the fast one.

MINILLM_KERNELS picks the rung for the whole process:

    plain       NumPy, one line for each formula
    loops       the algorithm of the fast kernel without its tuning, compiled: attention_loops.py,
                matmul_loops.py. The other kernels' compiled loops are as readable and run here too.
    compiled    the fast kernel (default)

NUMBA_DISABLE_JIT=1 runs the loops of the last two as Python, for a debugger.
"""

import os
from functools import wraps
from types import FunctionType

import numba

from minillm.kernels.announce import announcement
from minillm.kernels.cache import KernelCache

RUNGS = ("plain", "loops", "compiled")

# LLVM may reorder sums, fuse multiply and add, and ignore the sign of zero. It may not assume that
# NaN and infinity do not occur (nnan, ninf): they must stay visible in a loss curve.
FASTMATH = {"reassoc", "contract", "nsz"}
ORDERED = FASTMATH - {"reassoc"}


def rung():
    """The rung that MINILLM_KERNELS asks for."""
    choice = os.environ.get("MINILLM_KERNELS", "compiled")
    if choice not in RUNGS:
        raise ValueError(f"MINILLM_KERNELS is {choice!r}; it must be one of {', '.join(RUNGS)}")
    return choice


def plain_kernels():
    """True when MINILLM_KERNELS=plain asks for the NumPy twins, to step through them."""
    return rung() == "plain"


def twin(plain, loops=None, parallel=False, few=None, nogil=False):
    """Compile a kernel, or replace it by another rung with the same signature.

    The result has the other rungs as `.plain` and `.loops` (None if there is none), so that a test
    can compare them.

    few(*args): True if the work is too small for several threads. Starting threads takes some
    microseconds, as long as a norm of 50 tokens. One thread then runs the same loops, with the same
    results.

    nogil: other Python threads go on while the kernel runs, so that several can call it at once.
    """
    def choose(kernel):
        if rung() == "plain":
            chosen = plain
        elif rung() == "loops" and loops is not None:
            chosen = loops
        elif few is None:
            chosen = compile_loops(kernel, parallel, nogil=nogil)
        else:
            many = compile_loops(kernel, parallel)
            one = compile_loops(kernel, False, "_alone")

            @wraps(kernel)
            def one_or_all_threads(*args):
                return one(*args) if few(*args) else many(*args)
            chosen = one_or_all_threads
        return with_rungs(chosen, plain, loops)
    return choose


def with_rungs(chosen, plain, loops):
    """The chosen rung with the others as attributes, and with the plain twin's documentation."""
    chosen.plain, chosen.loops = plain, loops
    chosen.__doc__ = plain.__doc__
    return chosen


def parallel(kernel):
    """Compile a kernel that has no twin; its numba.prange runs on all threads."""
    return compile_loops(kernel, True)


def serial(kernel, nogil=False):
    """Compile the readable loops, or a kernel without a twin, for one thread. nogil: see twin."""
    return compile_loops(kernel, False, nogil=nogil)


def inline(helper):
    """Compile a helper into each kernel that calls it; LLVM may reorder its sums.

    A helper that stays a function of its own exists twice: in its own module, which the process
    that compiles it calls, and in the kernel's cache entry, which later processes call. LLVM may
    order the sums of the two differently. Forced inlining leaves one, so a first run gives the
    bytes of every later one. It costs time to compile; ordered() is for what is long.

    The helper has no wrappers for calls from Python, which take time to compile. It has no cache
    entry: the entry of each kernel that calls it contains it.
    """
    return numba.njit(fastmath=FASTMATH, error_model="numpy", no_cpython_wrapper=True,
                      no_cfunc_wrapper=True, forceinline=True)(helper)


def ordered(helper):
    """Compile a long helper, whose sums LLVM keeps in the order of the source.

    So both of its copies (see inline) give the same bytes. What it calls must be ordered too.
    """
    return numba.njit(fastmath=ORDERED, error_model="numpy", no_cpython_wrapper=True,
                      no_cfunc_wrapper=True)(helper)


def inline_ordered(helper):
    """Compile a short helper into each helper that calls it, sums in the order of the source.

    Where a call would take as long as the work: the arguments of a call are a dozen numbers for
    each array.
    """
    return numba.njit(fastmath=ORDERED, error_model="numpy", no_cpython_wrapper=True,
                      no_cfunc_wrapper=True, forceinline=True)(helper)


def compile_loops(kernel, parallel, suffix="", nogil=False):
    """Compile a kernel with the settings that all kernels share."""
    name = kernel.__name__ + suffix
    compiled = numba.njit(parallel=parallel, fastmath=FASTMATH, error_model="numpy", nogil=nogil)(
        renamed(kernel, name))
    if hasattr(compiled, "_cache"):     # a function where NUMBA_DISABLE_JIT=1
        # Two rungs of a kernel have the same name, each in a file of its own.
        compiled._cache = KernelCache(f"{kernel.__module__.rpartition('.')[2]}.{name}")
        announcement.kernels.add(compiled)
    return compiled


def renamed(function, name):
    """A copy of a function: the code for one thread and for all must not share a symbol's name."""
    copy = wraps(function)(FunctionType(function.__code__, function.__globals__, function.__name__,
                                        function.__defaults__, function.__closure__))
    copy.__qualname__ = name
    return copy
