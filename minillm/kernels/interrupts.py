"""Signals wait while numba compiles or loads a kernel.

LLVM then calls Python, and Python calls the handler of a signal wherever it is. An exception that a
handler raises inside such a call, as Ctrl-C does, ends in a SystemError or a crash.
"""

import signal
import threading
from contextlib import contextmanager

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")      # Windows lacks the last
SIGNALS = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]


@contextmanager
def interrupts_wait():
    """Signals that arrive in this context are handled at its end, each as often as it came."""
    came, handlers = [], {}
    if threading.current_thread() is threading.main_thread():   # the only one that handles signals
        handlers = {number: signal.getsignal(number) for number in SIGNALS}
        handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)
