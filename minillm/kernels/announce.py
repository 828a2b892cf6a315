"""What happens when a kernel is compiled: one line on stderr, signals wait, and LLVM does less.

The first start would seem to hang without the line.
"""

import sys
from contextlib import ExitStack, contextmanager

from numba.core import config, event

from minillm.kernels.cache import PRIVATE, cache_folder
from minillm.kernels.interrupts import interrupts_wait

LINE = "minillm: compiling kernels, once; they are kept in a cache for the next start"
NOT_KEPT = ("minillm: compiling kernels, at each start: no folder for a cache can be written to; "
            "set NUMBA_CACHE_DIR to one")
KEPT_THERE = ("minillm: compiling kernels; they are kept in {}: no other folder for a cache can be "
              "written to; set NUMBA_CACHE_DIR to one")


class Announcement(event.Listener):
    """Prints a line at the first compilation of one of our kernels in this process.

    numba sends "numba:compile" only where the cache has no entry. Functions that other code
    compiles send it too. They are not our kernels, so nothing is printed for them.
    """

    def __init__(self):
        self.kernels = set()    # the dispatchers that compile_loops has made
        self.made = False
        self.compiling = []     # the contexts of kernels that are compiled inside each other

    def on_start(self, event):
        if event.data["dispatcher"] not in self.kernels:
            return
        if not self.made and sys.stderr is not None:        # a windowed Python has none
            print(line(), file=sys.stderr, flush=True)
        self.made = True
        contexts = ExitStack()
        contexts.enter_context(interrupts_wait())
        contexts.enter_context(quick_passes())
        self.compiling.append(contexts)

    def on_end(self, event):
        if event.data["dispatcher"] in self.kernels:
            self.compiling.pop().close()


@contextmanager
def quick_passes():
    """LLVM's passes of -O1 in place of -O3, numba's default: the same bytes at the same speed.

    They take less time. The loops that matter are written in vectors (lanes.py), so the passes of
    -O3, which make vectors of plain loops, would find little to do.
    """
    level = config.OPT
    config.OPT = min(level, type(level)(1))
    try:
        yield
    finally:
        config.OPT = level


def line():
    """What the user is told, by where the compiled kernels are kept."""
    folder = cache_folder()
    if folder is None:
        return NOT_KEPT
    return KEPT_THERE.format(folder) if folder.name.startswith(PRIVATE) else LINE


announcement = Announcement()
event.register("numba:compile", announcement)
