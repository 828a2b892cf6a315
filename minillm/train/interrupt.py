"""Ctrl-C waits for the end of a step, so that nothing is lost."""

import signal
import threading


class Interruptible:
    """In this context the first Ctrl-C only sets `asked`; the second interrupts at once, as usual.

    A step changes the parameters in place, so only the state between two steps can be saved.
    active: False leaves Ctrl-C as usual, for training that saves nothing.
    """

    def __init__(self, active=True):
        self.active, self.asked, self.before = active, False, None

    def __enter__(self):
        # Python lets only the main thread handle signals.
        if self.active and threading.current_thread() is threading.main_thread():
            self.before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *error):
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)

    def _ask(self, number, frame):
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
