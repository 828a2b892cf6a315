"""One line on stderr when a kernel is compiled: the first start would seem to hang otherwise."""

import sys

from numba.core import event

LINE = "minillm: compiling kernels, once; numba keeps them in its cache for the next start"


class Announcement(event.Listener):
    """Prints LINE at the first compilation of one of our kernels in this process.

    numba sends "numba:compile" only where its cache has no entry. Functions that other code
    compiles send it too. They are not our kernels, so nothing is printed for them.
    """

    def __init__(self):
        self.kernels = set()    # the dispatchers that compile_loops has made
        self.made = False

    def on_start(self, event):
        if not self.made and event.data["dispatcher"] in self.kernels:
            self.made = True
            if sys.stderr is not None:      # a windowed Python has none
                print(LINE, file=sys.stderr, flush=True)

    def on_end(self, event):
        pass


announcement = Announcement()
event.register("numba:compile", announcement)
