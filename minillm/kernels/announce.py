"""What happens when a kernel is compiled: one line on stderr, and signals wait.

The first start would seem to hang without the line.
"""

import sys

from numba.core import event

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
        self.waiting = []       # contexts in which signals wait, of kernels inside each other

    def on_start(self, event):
        if event.data["dispatcher"] not in self.kernels:
            return
        if not self.made and sys.stderr is not None:        # a windowed Python has none
            print(line(), file=sys.stderr, flush=True)
        self.made = True
        self.waiting.append(interrupts_wait())
        self.waiting[-1].__enter__()

    def on_end(self, event):
        if event.data["dispatcher"] in self.kernels:
            self.waiting.pop().__exit__(None, None, None)


def line():
    """What the user is told, by where the compiled kernels are kept."""
    folder = cache_folder()
    if folder is None:
        return NOT_KEPT
    return KEPT_THERE.format(folder) if folder.name.startswith(PRIVATE) else LINE


announcement = Announcement()
event.register("numba:compile", announcement)
