"""Ctrl-C between two steps, so that nothing is lost."""

import signal
import threading


class Interruptible:
    """Within this context the first Ctrl-C only sets `asked`; the second one interrupts at once, as ever.

    A step changes the parameters in place, so what can be saved is the state between two steps.
    """

    def __enter__(self):
        self.asked, self.before = False, None
        if threading.current_thread() is threading.main_thread():       # Python lets no other thread do this
            self.before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *error):
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)

    def _ask(self, number, frame):
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
