"""Ctrl-C waits for the end of a step, so that nothing is lost; a second one does not wait.

SIGTERM (from `kill`, or a machine that is shut down) and SIGHUP (a closed terminal) mean the same.
"""

import signal
import threading

from minillm.kernels.interrupts import SIGNALS


class Interruptible:
    """In this context the first signal only sets `asked`; the second interrupts at once.

    A step changes the parameters in place, so only the state between two steps can be saved.
    active: False leaves the signals as they are, for training that saves nothing.
    """

    def __init__(self, active=True):
        self.active, self.asked, self.before = active, False, {}

    def __enter__(self):
        if self.active:
            self.before = handled_by(self._ask)
        return self

    def __exit__(self, *error):
        restore(self.before)

    def _ask(self, number, frame):
        if self.asked:
            quit_now(number, frame)
        self.asked = True


def handled_by(handler):
    """Let `handler` handle the signals.  Returns {signal: its handler before}.

    A signal that is ignored (by nohup, or in the background of a script) stays ignored. Python lets
    only the main thread handle signals.
    """
    if threading.current_thread() is not threading.main_thread():
        return {}
    before = {number: signal.getsignal(number) for number in SIGNALS}
    before = {number: old for number, old in before.items() if old not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, handler)
    return before


def restore(handlers):
    """Undo handled_by."""
    for number, handler in handlers.items():
        signal.signal(number, handler)


def quit_now(number, frame):
    """Raise KeyboardInterrupt; where numba compiles, kernels/interrupts.py lets a signal wait."""
    raise KeyboardInterrupt


def was_interrupted(error):
    """Whether a KeyboardInterrupt is the error, or among its causes: numba wraps it in others."""
    seen = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, KeyboardInterrupt):
            return True
        seen.add(id(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return False
